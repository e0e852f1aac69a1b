//! `masa calibrate lanes`: a rough pose, refined until the lane borders of the site map lie on the markings of a picture.

use super::subject::{Subject, SubjectArguments};
use anyhow::{Context, bail};
use clap::Args;
use masa_edge_node::config::SiteFile;
use masa_edge_node::perception::georeference::lane_fit::{LaneFitSettings, align};
use masa_edge_node::perception::georeference::{Calibration, CameraModel, Georeference};
use masa_edge_node::sources::camera::open_picture;
use masa_edge_node::world::infrastructure::{IntersectionSettings, LaneKind};
use masa_edge_node::world::site::ZoneKind;
use std::path::PathBuf;

/// Refine a rough pose: align the lane markings of a picture with the lane borders of the site map.
#[derive(Debug, Args)]
pub(super) struct LanesCommand {
    /// A picture of the camera, JPEG or PNG, with as little traffic as can be had.
    #[arg(long, value_name = "FILE")]
    image: PathBuf,
    /// The rough pose: a calibration file; absent: what the site file has for the camera.
    #[arg(long, value_name = "FILE")]
    rough: Option<PathBuf>,
    #[command(flatten)]
    subject: SubjectArguments,
    /// How far the rough pose may be turned off, degrees.
    #[arg(long, value_name = "DEG", default_value_t = LaneFitSettings::default().search_deg)]
    search: f64,
    /// Standard deviation of the rough position, metres; zero: it is held, and only the turn is found.
    #[arg(long, value_name = "M", default_value_t = 0.0)]
    position_sigma: f64,
    /// Where the calibration is written.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl LanesCommand {
    pub(super) fn run(self) -> anyhow::Result<()> {
        if !(0.0..=15.0).contains(&self.search) || !(0.0..=10.0).contains(&self.position_sigma) {
            bail!("--search is within 0 to 15 degrees, --position-sigma within 0 to 10 metres");
        }
        let image = open_picture(&self.image)?;
        let subject = self.subject.read(Some([image.width, image.height]))?;
        let site = subject.site.as_ref().context("the lane borders come from a site file: give --site")?;
        let (rough, ground_m) = self.rough_pose(&subject)?;
        let settings =
            LaneFitSettings { search_deg: self.search, position_sigma_m: self.position_sigma, ..Default::default() };
        let found = align(&image, &borders_m(site), &rough, ground_m, &settings)?;
        let (pose, sigma) = (found.model.pose(), |i: usize| found.covariance[(i, i)].sqrt().to_degrees());
        let [e, n, u] = pose.position_m;
        let [up, right, roll] = found.turn_rad.map(f64::to_degrees).into();
        println!("camera `{}`", subject.name);
        println!("  position  {e:.3} east, {n:.3} north, {u:.3} up");
        println!(
            "  looks     yaw {:.3}° from east, pitch {:.3}°, roll {:.3}°  (±{:.3}° ±{:.3}° ±{:.3}°)",
            pose.yaw_deg,
            pose.pitch_deg,
            pose.roll_deg,
            sigma(4),
            sigma(3),
            sigma(5)
        );
        println!("  turned    {right:+.3}° to the right of the rough pose, {up:+.3}° up, rolled {roll:+.3}°");
        let ((on, of), (before, of_before)) = (found.matched, found.matched_before);
        println!(
            "  borders   {on} of {of} points on a marking, {:.2} px RMS (rough pose: {before} of {of_before})",
            found.rms_px
        );
        if let Some(path) = &self.output {
            super::fit::write(&Calibration::new(&found.model, &found.covariance, ground_m), path)?;
        }
        Ok(())
    }

    fn rough_pose(&self, subject: &Subject) -> anyhow::Result<(CameraModel, f64)> {
        let size = subject.settings.image_size_px;
        if let Some(path) = &self.rough {
            let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
            let calibration =
                Calibration::parse(&text).map_err(|what| anyhow::anyhow!("{}: {what}", path.display()))?;
            return Ok((calibration.model(size), calibration.ground_m));
        }
        let settings =
            subject.georeference.as_ref().context("the rough pose is not known: give --rough or --camera")?;
        let georeference = Georeference::new(&subject.name, settings, size, &subject.frame)?;
        let model = georeference.camera_model().map_err(|what| anyhow::anyhow!("camera `{}`: {what}", subject.name))?;
        Ok((model, georeference.ground_m()))
    }
}

/// Where the site map has borders of lanes: those of carriageways, and both sides of intersections' lanes.
pub(super) fn borders_m(site: &SiteFile) -> Vec<Vec<[f64; 2]>> {
    let carriageways = site.zones.iter().filter(|zone| zone.kind == ZoneKind::Carriageway);
    let outlines = carriageways.map(|zone| zone.polygon_m.iter().chain(zone.polygon_m.first()).copied().collect());
    outlines.chain(site.intersections.iter().flat_map(lane_sides)).collect()
}

fn lane_sides(intersection: &IntersectionSettings) -> Vec<Vec<[f64; 2]>> {
    let lanes = intersection.lanes.iter().filter(|lane| lane.kind == LaneKind::Vehicle);
    let half_m = 0.5 * intersection.lane_width_m;
    lanes.flat_map(|lane| [half_m, -half_m].map(|left_m| beside(&lane.nodes_m, left_m))).collect()
}

/// A line at a distance to the left of another.
fn beside(line: &[[f64; 2]], left_m: f64) -> Vec<[f64; 2]> {
    let shifted = (0..line.len()).filter_map(|i| {
        let (from, to) = (line[i.saturating_sub(1)], line[(i + 1).min(line.len() - 1)]);
        let (de, dn) = (to[0] - from[0], to[1] - from[1]);
        let length = de.hypot(dn);
        (length > 0.0).then(|| [line[i][0] - dn / length * left_m, line[i][1] + de / length * left_m])
    });
    shifted.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_beside_another_keeps_its_distance() {
        assert_eq!(beside(&[[0.0, 0.0], [10.0, 0.0], [20.0, 0.0]], 1.5), [[0.0, 1.5], [10.0, 1.5], [20.0, 1.5]]);
        assert_eq!(beside(&[[0.0, 0.0], [0.0, 8.0]], 2.0), [[-2.0, 0.0], [-2.0, 8.0]]);
        assert!(beside(&[[1.0, 1.0]], 2.0).is_empty());
    }
}
