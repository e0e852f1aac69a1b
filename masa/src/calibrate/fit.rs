//! `masa calibrate fit`: the pose from a file of surveyed points.

use super::points::PointsFile;
use super::subject::SubjectArguments;
use anyhow::Context;
use clap::Args;
use masa_edge_node::perception::georeference::Calibration;
use masa_edge_node::perception::georeference::fit::{FittedPoint, PoseFit, Verdict, fit};
use std::path::{Path, PathBuf};

/// Errors this many times larger than the stated noise say that something is wrong with all points.
const MISFIT: f64 = 4.0;

/// Find the pose from surveyed points: which agree, how sure it is, and what it is worth without each of them.
#[derive(Debug, Args)]
pub(super) struct FitCommand {
    /// Points known in the image and on the ground: `[[point]]` tables, or an `.otrfpts` file.
    #[arg(long, value_name = "FILE")]
    points: PathBuf,
    #[command(flatten)]
    subject: SubjectArguments,
    /// Where the calibration is written: what `file` of `kind = "camera-model"` names.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl FitCommand {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let subject = self.subject.read(None)?;
        let points = PointsFile::read(&self.points)?.surveyed(&subject.frame);
        let found = fit(&points, &subject.settings).with_context(|| self.points.display().to_string())?;
        println!("camera `{}`", subject.name);
        print(&found);
        if let Some(path) = &self.output {
            write(&Calibration::new(&found.model, &found.covariance, self.subject.ground), path)?;
        }
        Ok(())
    }
}

/// Writes a calibration file and says how a site names it.
pub(super) fn write(calibration: &Calibration, path: &Path) -> anyhow::Result<()> {
    std::fs::write(path, calibration.to_toml()).with_context(|| path.display().to_string())?;
    println!("\nwritten: {}; in the site file:", path.display());
    println!("  [camera.georeference]\n  kind = \"camera-model\"\n  file = {:?}", path.display().to_string());
    Ok(())
}

fn print(found: &PoseFit) {
    println!("{}", pose_words(found));
    println!(
        "\n  point          x (px)   y (px)   east (m)  north (m)   up (m)  error (px)     (m)  without it (px)     (m)"
    );
    for FittedPoint { point, verdict, error_px, error_m, left_out_px, left_out_m, .. } in &found.points {
        let figure = |value: &Option<f64>| value.map_or_else(|| "–".to_owned(), |value| format!("{value:.2}"));
        let ([x, y], p) = (point.pixel, point.position);
        println!(
            "{:1} {:<12} {x:>8.1} {y:>8.1} {:>10.2} {:>10.2} {:>8.2} {:>11} {:>7} {:>16} {:>7}",
            if *verdict == Verdict::Bad { "✗" } else { "" },
            point.name,
            p.e_m,
            p.n_m,
            p.u_m,
            figure(error_px),
            figure(error_m),
            figure(left_out_px),
            figure(left_out_m),
        );
    }
    if found.unit_sigma > MISFIT {
        println!(
            "\nthe errors are {:.0} times what clicks and survey explain: the lens is another one, or the points are off",
            found.unit_sigma
        );
    }
    let bad: Vec<_> =
        found.points.iter().filter(|p| p.verdict == Verdict::Bad).map(|p| p.point.name.as_str()).collect();
    if !bad.is_empty() {
        println!("\nbad points, left out (✗): {}", bad.join(", "));
    }
}

/// The pose with its standard deviations.
pub(super) fn pose_words(found: &PoseFit) -> String {
    let (pose, sigma) = (found.model.pose(), found.sigma());
    let [e, n, u] = pose.position_m;
    let [se, sn, su, up, right, roll] = sigma;
    let [fx, fy] = found.model.intrinsics().focal_length_px;
    let focal = found.focal_sigma.map_or("given".to_owned(), |sigma| format!("±{:.1}, fitted", sigma * fx));
    let used = found.points.iter().filter(|p| p.verdict == Verdict::Good).count();
    format!(
        "  position  {e:.3} east, {n:.3} north, {u:.3} up  (±{se:.3} ±{sn:.3} ±{su:.3} m)\n  \
           looks     yaw {:.3}° from east, pitch {:.3}°, roll {:.3}°  (±{:.3}° ±{:.3}° ±{:.3}°)\n  \
           focal     {fx:.1}, {fy:.1} px ({focal})\n  \
           residual  {:.2} px RMS over {used} of {} points, {:.1} times the stated noise",
        pose.yaw_deg,
        pose.pitch_deg,
        pose.roll_deg,
        right.to_degrees(),
        up.to_degrees(),
        roll.to_degrees(),
        found.rms_px,
        found.points.len(),
        found.unit_sigma,
    )
}
