//! Plots over time: speeds, distance and time to collision, as inline SVG.

use crate::actor::ActorId;
use crate::run::Outcome;
use std::fmt::Write;

/// Width and height of a panel, pixels.
const SIZE: (f64, f64) = (640.0, 110.0);
/// Space for the axis, pixels.
const LEFT: f64 = 44.0;
/// Colours of the lines.
const COLOURS: [&str; 4] = ["#0b66c3", "#c2410c", "#15803d", "#7c3aed"];

/// A line of a plot.
struct Line {
    name: String,
    points: Vec<(f64, f64)>,
}

/// Speeds of the actors; with two of them, their distance and the time to collision, too. `at_s` is marked.
pub(super) fn plots(outcome: &Outcome, actors: &[(String, ActorId)], at_s: Option<f64>) -> String {
    let end_s = outcome.simulated_s.max(0.1);
    let snapshots = &outcome.trace.snapshots;
    let speeds = actors.iter().take(COLOURS.len()).map(|(name, id)| Line {
        name: name.clone(),
        points: snapshots.iter().filter_map(|s| Some((s.time_s, s.actor(*id)?.speed_mps))).collect(),
    });
    let mut out = panel("speed, m/s", &speeds.collect::<Vec<_>>(), end_s, at_s, None);
    if let [(_, a), (_, b), ..] = actors {
        let apart: Vec<(f64, f64)> = snapshots
            .iter()
            .filter_map(|s| {
                Some((s.time_s, (s.actor(*a)?.pose.position.xy() - s.actor(*b)?.pose.position.xy()).norm()))
            })
            .collect();
        let closing = apart.windows(2).filter_map(|pair| {
            let [(t0, d0), (t1, d1)] = [pair[0], pair[1]];
            let speed = (d0 - d1) / (t1 - t0);
            (speed > 0.2).then(|| (t1, (d1 / speed).min(10.0)))
        });
        let ttc = Line { name: String::new(), points: closing.collect() };
        out += &panel("distance, m", &[Line { name: String::new(), points: apart }], end_s, at_s, Some(60.0));
        out += &panel("distance by closing speed, s", &[ttc], end_s, at_s, Some(10.0));
    }
    out
}

fn panel(title: &str, lines: &[Line], end_s: f64, at_s: Option<f64>, most: Option<f64>) -> String {
    let (width, height) = SIZE;
    let (plot_w, plot_h) = (width - LEFT - 8.0, height - 34.0);
    let largest = lines.iter().flat_map(|line| &line.points).map(|(_, v)| *v).fold(1.0, f64::max);
    let top = nice(most.map_or(largest, |most| largest.min(most)));
    let x = |s: f64| LEFT + s / end_s * plot_w;
    let y = |v: f64| 16.0 + plot_h * (1.0 - (v / top).clamp(0.0, 1.0));
    let mut out = format!("<svg class=\"plot\" viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"{title}\">");
    // Writing to a String cannot fail.
    let _ = write!(out, "<text x=\"{LEFT}\" y=\"11\" class=\"t\">{title}</text>");
    for share in [0.0, 0.5, 1.0] {
        let (at, value) = (y(top * share), top * share);
        let _ = write!(
            out,
            "<path d=\"M{LEFT},{at:.1}H{:.1}\" class=\"g\"/><text x=\"{:.1}\" y=\"{:.1}\" class=\"n\">{value:.1}</text>",
            LEFT + plot_w,
            LEFT - 4.0,
            at + 3.5
        );
    }
    let step_s = nice(end_s / 6.0);
    for tick in 0..=(end_s / step_s) as u32 {
        let s = f64::from(tick) * step_s;
        let _ = write!(out, "<text x=\"{:.1}\" y=\"{:.1}\" class=\"x\">{s:.0} s</text>", x(s), height - 4.0);
    }
    for (line, colour) in lines.iter().zip(COLOURS) {
        let mut path = String::new();
        let mut last_s = f64::NEG_INFINITY;
        for (s, value) in &line.points {
            // A gap in time is a gap in the line.
            let begin = if s - last_s > 0.5 { 'M' } else { 'L' };
            let _ = write!(path, "{begin}{:.1},{:.1}", x(*s), y(*value));
            last_s = *s;
        }
        let _ = write!(out, "<path d=\"{path}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.6\"/>");
    }
    let mut at_x = LEFT + plot_w;
    for (line, colour) in lines.iter().zip(COLOURS).filter(|(line, _)| !line.name.is_empty()).rev() {
        let _ = write!(
            out,
            "<text x=\"{at_x:.1}\" y=\"11\" class=\"l\" style=\"fill:{colour}\">{}</text>",
            super::escaped(&line.name)
        );
        at_x -= 8.0 + 6.2 * line.name.len() as f64;
    }
    if let Some(at_s) = at_s {
        let _ = write!(out, "<path d=\"M{:.1},16V{:.1}\" class=\"m\"/>", x(at_s), 16.0 + plot_h);
    }
    out + "</svg>"
}

/// The next of 1, 2, 5, 10, 20, …
fn nice(value: f64) -> f64 {
    let magnitude = 10f64.powf(value.max(1e-6).log10().floor());
    [1.0, 2.0, 5.0, 10.0].map(|step| step * magnitude).into_iter().find(|step| *step >= value - 1e-9).unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::nice;

    #[test]
    fn axes_end_at_round_numbers() {
        assert_eq!([0.3, 1.0, 1.2, 4.9, 13.9, 60.0].map(nice), [0.5, 1.0, 2.0, 5.0, 20.0, 100.0]);
    }
}
