//! The page for people: a table of all runs, then each failure with its picture, map and plots.

use super::{escaped, map, plot};
use crate::run::trace::FrameTrace;
use crate::run::{Outcome, Verdict, picture};
use crate::scenario::scripted::ids;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use masa_inference::RgbImage;
use nalgebra::Point2;
use std::fmt::Write;
use std::time::Duration;

const STYLE: &str = include_str!("style.css");
/// Quality of pictures, 1 to 100.
const JPEG_QUALITY: u8 = 82;

/// The whole page.
pub(super) fn page(outcomes: &[(&Outcome, Duration)], recordings: &[Vec<String>]) -> String {
    let passed = outcomes.iter().filter(|(outcome, _)| outcome.passed()).count();
    let mut out = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Scenarios</title><style>{STYLE}</style></head>\
         <body><h1>Scenarios</h1><p class=\"sum\">{passed} of {} pass</p>",
        outcomes.len()
    );
    out += "<table><thead><tr><th>Scenario</th><th>Map</th><th>Seed</th><th>Criteria</th><th>Simulated</th><th>Took</th>\
            <th>Result</th></tr></thead><tbody>";
    for (outcome, wall) in outcomes {
        let id = outcome.scenario.id();
        let good = outcome.verdicts.iter().filter(|verdict| verdict.passed).count();
        // Writing to a String cannot fail.
        let _ = write!(
            out,
            "<tr><td><a href=\"#{id}\">{}</a><br><small>{id}</small></td><td>{}</td><td>{}</td><td>{good} of {}</td>\
             <td>{:.0} s</td><td>{:.1} s</td><td class=\"{}\">{}</td></tr>",
            escaped(&outcome.scenario.name),
            escaped(&outcome.scenario.map),
            outcome.seed,
            outcome.verdicts.len(),
            outcome.simulated_s,
            wall.as_secs_f64(),
            if outcome.passed() { "ok" } else { "no" },
            if outcome.passed() { "pass" } else { "FAIL" },
        );
    }
    out += "</tbody></table>";
    for ((outcome, _), files) in outcomes.iter().zip(recordings) {
        out += &section(outcome, files);
    }
    out + "</body></html>\n"
}

fn section(outcome: &Outcome, files: &[String]) -> String {
    let id = outcome.scenario.id();
    let mut out = format!(
        "<section id=\"{id}\"><h2>{}</h2><p>{}</p>",
        escaped(&outcome.scenario.name),
        escaped(&outcome.scenario.description)
    );
    if outcome.uses_ground_truth() {
        out +=
            "<p class=\"warn\">Perception is ground truth, for debugging: this proves nothing about the detector.</p>";
    }
    out += "<ul>";
    for verdict in &outcome.verdicts {
        let class = if verdict.passed { "ok" } else { "no" };
        let _ =
            write!(out, "<li class=\"{class}\"><b>{}</b>: {}</li>", escaped(&verdict.name), escaped(&verdict.actual));
    }
    out += "</ul>";
    for verdict in outcome.verdicts.iter().filter(|verdict| !verdict.passed) {
        out += &failure(outcome, verdict);
    }
    if !files.is_empty() {
        out += "<p>What the nodes heard and said, for <code>masa replay</code> and <code>masa explain</code>: ";
        let links = files.iter().map(|file| format!("<a href=\"{0}\">{0}</a>", escaped(file)));
        out += &(links.collect::<Vec<_>>().join(", ") + "</p>");
    }
    out + &events(outcome) + "</section>"
}

fn failure(outcome: &Outcome, verdict: &Verdict) -> String {
    let known = ids(&outcome.scenario);
    let mut actors: Vec<_> = verdict.actors.iter().filter_map(|name| Some((name.clone(), *known.get(name)?))).collect();
    if actors.is_empty() {
        actors = outcome.scenario.actors.iter().take(2).map(|actor| (actor.id.clone(), known[&actor.id])).collect();
    }
    let at_s = verdict.at_s.unwrap_or(outcome.simulated_s);
    let mut out = format!(
        "<article><h3>{}</h3><dl><dt>expected</dt><dd>{}</dd><dt>found</dt><dd>{}</dd><dt>at</dt><dd>{at_s:.2} s",
        escaped(&verdict.name),
        escaped(&verdict.expected),
        escaped(&verdict.actual)
    );
    if let Some(frame) = &verdict.frame {
        let _ = write!(out, ", frame {} of camera {} of {}", frame.frame, frame.camera, escaped(&frame.station));
    }
    out += "</dd></dl><div class=\"two\">";
    let newest = |frame: &&FrameTrace| {
        verdict.frame.as_ref().is_some_and(|wanted| {
            outcome.trace.stations[frame.station].name == wanted.station
                && (frame.camera, frame.frame) == (wanted.camera, wanted.frame)
        })
    };
    if let Some(frame) = outcome.trace.frames.iter().find(newest)
        && let Some(image) = picture(outcome, frame)
    {
        out += &figure(&image, frame);
    }
    let places: Vec<_> =
        actors.iter().filter_map(|(_, id)| Some(outcome.trace.actor_at(*id, at_s)?.pose.position.xy())).collect();
    let centre = places.first().copied().or_else(|| {
        let [e, n, _] = outcome.scenario.stations.first()?.position_m;
        Some(Point2::new(e, n))
    });
    out += &map::map(outcome, centre.unwrap_or_default(), at_s, &actors);
    out += "</div>";
    out += &plot::plots(outcome, &actors, verdict.at_s);
    out + "</article>"
}

/// A picture with what the detector found in it.
fn figure(image: &RgbImage, frame: &FrameTrace) -> String {
    let mut jpeg = Vec::new();
    let encoder = image::codecs::jpeg::JpegEncoder::new_with_quality(&mut jpeg, JPEG_QUALITY);
    let colour = image::ExtendedColorType::Rgb8;
    if image::ImageEncoder::write_image(encoder, &image.data, image.width, image.height, colour).is_err() {
        return String::new();
    }
    let mut out = format!(
        "<svg class=\"picture\" viewBox=\"0 0 {} {}\"><image width=\"{0}\" height=\"{1}\" href=\"data:image/jpeg;base64,{}\"/>",
        image.width,
        image.height,
        STANDARD.encode(&jpeg)
    );
    for seen in frame.in_view.iter().filter(|seen| seen.visible > 0.05) {
        let b = seen.bounding_box;
        let _ = write!(
            out,
            "<rect x=\"{:.0}\" y=\"{:.0}\" width=\"{:.0}\" height=\"{:.0}\" class=\"truth\"/>",
            b.x1_px,
            b.y1_px,
            b.width_px(),
            b.height_px()
        );
    }
    for detection in &frame.detections {
        let b = detection.bounding_box;
        let _ = write!(
            out,
            "<rect x=\"{:.0}\" y=\"{:.0}\" width=\"{:.0}\" height=\"{:.0}\" class=\"found\"/>\
             <text x=\"{:.0}\" y=\"{:.0}\" class=\"d\">{:?} {:.2}</text>",
            b.x1_px,
            b.y1_px,
            b.width_px(),
            b.height_px(),
            b.x1_px,
            b.y1_px - 3.0,
            detection.class,
            detection.score
        );
    }
    out + "</svg>"
}

/// What happened, in order: faults, health, reactions of drivers.
fn events(outcome: &Outcome) -> String {
    let trace = &outcome.trace;
    let known = ids(&outcome.scenario);
    let mut rows: Vec<(f64, String)> =
        trace.faults.iter().map(|(at_s, words)| (*at_s, format!("fault: {words}"))).collect();
    rows.extend(trace.health.iter().map(|health| {
        let station = &trace.stations[health.station].name;
        (health.from_s, format!("health of {station}: {}: {}", health.problem, health.detail))
    }));
    rows.extend(trace.reactions.iter().map(|reaction| {
        let name = known
            .iter()
            .find(|(_, id)| **id == reaction.actor)
            .map_or_else(|| reaction.actor.0.to_string(), |(n, _)| n.clone());
        let does = match (reaction.brake_mps2, reaction.limit_mps) {
            (Some(brake), _) => format!("brakes with {brake:.1} m/s²"),
            (None, Some(limit)) => format!("drives at most {limit:.1} m/s"),
            (None, None) => "drives on".into(),
        };
        let why = if reaction.why.is_empty() { String::new() } else { format!(" ({})", reaction.why) };
        (reaction.at_s, format!("{name} {does}{why}"))
    }));
    if rows.is_empty() {
        return String::new();
    }
    rows.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut out = String::from("<details><summary>What happened</summary><table class=\"events\">");
    for (at_s, words) in rows.iter().take(200) {
        let _ = write!(out, "<tr><td>{at_s:.2} s</td><td>{}</td></tr>", escaped(words));
    }
    out + "</table></details>"
}
