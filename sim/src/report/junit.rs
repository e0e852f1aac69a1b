//! JUnit XML: a suite for each run, a case for each criterion.

use super::escaped;
use crate::run::Outcome;
use std::fmt::Write;
use std::time::Duration;

/// The runs as JUnit XML.
pub fn junit(outcomes: &[(&Outcome, Duration)]) -> String {
    let all: usize = outcomes.iter().map(|(outcome, _)| outcome.verdicts.len()).sum();
    let failures = |outcome: &Outcome| outcome.verdicts.iter().filter(|verdict| !verdict.passed).count();
    let failed: usize = outcomes.iter().map(|(outcome, _)| failures(outcome)).sum();
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    // Writing to a String cannot fail.
    let _ = writeln!(out, "<testsuites name=\"masa sim\" tests=\"{all}\" failures=\"{failed}\">");
    for (outcome, wall) in outcomes {
        let _ = writeln!(
            out,
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" time=\"{:.3}\">",
            escaped(&outcome.scenario.id()),
            outcome.verdicts.len(),
            failures(outcome),
            wall.as_secs_f64()
        );
        let _ = writeln!(out, "    <properties>");
        let digest = outcome.trace.digest();
        let mut properties = vec![
            ("seed", outcome.seed.to_string()),
            ("map", outcome.scenario.map.clone()),
            ("simulated-s", format!("{:.1}", outcome.simulated_s)),
            ("digest", format!("{:016x}-{:016x}-{:016x}", digest.truth, digest.frames, digest.messages)),
        ];
        if outcome.uses_ground_truth() {
            properties.push(("perception", "ground truth, for debugging only".into()));
        }
        for (name, value) in properties {
            let _ = writeln!(out, "      <property name=\"{name}\" value=\"{}\"/>", escaped(&value));
        }
        let _ = writeln!(out, "    </properties>");
        for verdict in &outcome.verdicts {
            let (suite, name) = (escaped(&outcome.scenario.id()), escaped(&verdict.name));
            if verdict.passed {
                let _ = writeln!(out, "    <testcase classname=\"{suite}\" name=\"{name}\"/>");
                continue;
            }
            let _ = writeln!(out, "    <testcase classname=\"{suite}\" name=\"{name}\">");
            let message = format!("expected {}, found {}", verdict.expected, verdict.actual);
            let at = verdict.at_s.map_or_else(String::new, |at_s| format!("at {at_s:.3} s"));
            let frame = verdict.frame.as_ref().map_or_else(String::new, |frame| {
                format!(", frame {} of camera {} of {}", frame.frame, frame.camera, frame.station)
            });
            let _ = writeln!(
                out,
                "      <failure message=\"{}\">{}{}</failure>\n    </testcase>",
                escaped(&message),
                escaped(&at),
                escaped(&frame)
            );
        }
        let _ = writeln!(out, "  </testsuite>");
    }
    out.push_str("</testsuites>\n");
    out
}
