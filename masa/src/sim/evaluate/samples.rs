//! Every single comparison of a run, for looking into what a figure is made of: `--samples FILE`, a CSV file.

use masa_inference::{BoundingBox, Detection};
use masa_sim::actor::Actor;
use masa_sim::run::trace::Known;
use masa_v2x_proto::geo::Covariance2;
use std::fmt::Write as _;

/// A box nearer to the picture's border than this is cut by it, pixels.
const BORDER_PX: f32 = 2.0;
/// A detection that overlaps somebody by more is theirs.
const SAME_IOU: f32 = 0.4;

/// What an object is to the road user that it is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Is {
    /// It.
    It,
    /// Another one at its place.
    Double,
    /// Nobody is there.
    Ghost,
}

/// An object beside the road user that it is, in one frame of the first camera.
#[derive(Clone, Debug)]
pub(super) struct Sample {
    at_s: f64,
    is: Is,
    actor: String,
    object: u16,
    cameras: String,
    told: bool,
    /// Left, top, right, bottom: at which borders the first camera's picture cuts it.
    cut: String,
    /// From the first camera, metres.
    eye_m: f64,
    /// Since it came into view, seconds.
    age_s: f64,
    /// East and north of the road user, metres.
    pub(super) apart_m: [f64; 2],
    /// Squared Mahalanobis distance from it.
    pub(super) distance2: f64,
    position_sigma_m: [f64; 2],
    /// Towards east and north, m/s.
    velocity_mps: [f64; 2],
    true_velocity_mps: [f64; 2],
    position_m: [f64; 2],
    /// Edges of the detector's box less those of what shows, as shares of its height; none where it found nothing.
    box_errors: Option<[f64; 4]>,
}

impl Sample {
    pub(super) fn of(is: Is, known: &Known, actor: Option<&Actor>, apart_m: [f64; 2]) -> Self {
        let c = known.covariance;
        let (sin, cos) = actor.map_or((0.0, 0.0), |actor| actor.pose.yaw_rad.sin_cos());
        let speed_mps = actor.map_or(0.0, |actor| actor.speed_mps);
        Self {
            at_s: known.at_s,
            is,
            actor: actor.map_or("-".into(), |actor| format!("{:?}-{:x}", actor.kind, actor.id.0)),
            object: known.id,
            cameras: known.cameras.iter().map(|camera| camera.to_string()).collect(),
            told: known.is_told,
            cut: String::new(),
            eye_m: 0.0,
            age_s: 0.0,
            apart_m,
            distance2: mahalanobis2(&c, apart_m),
            position_sigma_m: [c.ee_m2.sqrt(), c.nn_m2.sqrt()],
            velocity_mps: known.velocity_mps,
            true_velocity_mps: [speed_mps * cos, speed_mps * sin],
            position_m: [known.position.x, known.position.y],
            box_errors: None,
        }
    }

    /// The same with how the first camera sees it.
    pub(super) fn seen(
        self,
        shown: &BoundingBox,
        detections: &[Detection],
        size_px: [u32; 2],
        eye_m: f64,
        age_s: f64,
    ) -> Self {
        let found = detections.iter().map(|detection| &detection.bounding_box);
        let found = found.map(|found| (found.iou(shown), found)).filter(|(iou, _)| *iou > SAME_IOU);
        let best = found.max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, found)| found);
        let edges = |b: &BoundingBox| [b.x1_px, b.y1_px, b.x2_px, b.y2_px].map(f64::from);
        let height = f64::from(shown.height_px());
        let box_errors = best.map(|b| std::array::from_fn(|edge| (edges(b)[edge] - edges(shown)[edge]) / height));
        let [width, height] = size_px.map(|size| size as f32);
        let at = [
            (shown.x1_px < BORDER_PX, 'l'),
            (shown.y1_px < BORDER_PX, 't'),
            (shown.x2_px > width - BORDER_PX, 'r'),
            (shown.y2_px > height - BORDER_PX, 'b'),
        ];
        Self {
            cut: at.into_iter().filter_map(|(is_cut, name)| is_cut.then_some(name)).collect(),
            eye_m,
            age_s,
            box_errors,
            ..self
        }
    }

    pub(super) fn speed_error_mps(&self) -> f64 {
        let speed_mps = |[e, n]: [f64; 2]| e.hypot(n);
        (speed_mps(self.velocity_mps) - speed_mps(self.true_velocity_mps)).abs()
    }
}

/// Squared Mahalanobis distance of an error.
pub(super) fn mahalanobis2(c: &Covariance2, [de, dn]: [f64; 2]) -> f64 {
    let determinant = c.ee_m2 * c.nn_m2 - c.en_m2 * c.en_m2;
    (c.nn_m2 * de * de - 2.0 * c.en_m2 * de * dn + c.ee_m2 * dn * dn) / determinant
}

/// The file's text: a line for each sample, by row of the table.
pub(super) fn csv<'a>(rows: impl Iterator<Item = (String, &'a [Sample])>) -> String {
    let mut text = String::from(
        "row,at_s,is,actor,object,cameras,told,cut,eye_m,age_s,e_m,n_m,de_m,dn_m,distance2,\
         sigma_e_m,sigma_n_m,ve_mps,vn_mps,true_ve_mps,true_vn_mps,left,top,right,bottom\n",
    );
    for (name, samples) in rows {
        for s in samples {
            // Writing to a string cannot fail.
            let _ = write!(
                text,
                "{name},{:.2},{:?},{},{},{},{},{}",
                s.at_s, s.is, s.actor, s.object, s.cameras, s.told, s.cut
            );
            let pairs = [s.position_m, s.apart_m];
            let numbers = [s.eye_m, s.age_s].into_iter().chain(pairs.into_iter().flatten()).chain([s.distance2]);
            let rest = [s.position_sigma_m, s.velocity_mps, s.true_velocity_mps];
            for number in numbers.chain(rest.into_iter().flatten()) {
                let _ = write!(text, ",{number:.3}");
            }
            for edge in 0..4 {
                let _ = match s.box_errors {
                    Some(errors) => write!(text, ",{:.3}", errors[edge]),
                    None => write!(text, ","),
                };
            }
            text.push('\n');
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_counts_in_sigmas_of_its_own_direction() {
        let upright = Covariance2 { ee_m2: 4.0, en_m2: 0.0, nn_m2: 0.25 };
        assert_eq!(mahalanobis2(&upright, [2.0, 0.5]), 2.0);
        // Long from south-west to north-east: 2 m along are one sigma there and four across.
        let slanted = Covariance2 { ee_m2: 2.125, en_m2: 1.875, nn_m2: 2.125 };
        let side_m = 2f64.sqrt();
        assert!((mahalanobis2(&slanted, [side_m, side_m]) - 1.0).abs() < 1e-9);
        assert!((mahalanobis2(&slanted, [side_m, -side_m]) - 16.0).abs() < 1e-9);
    }

    #[test]
    fn every_line_has_a_value_for_each_column() {
        let text = csv([("row".to_owned(), [].as_slice())].into_iter());
        let columns = text.trim_end().split(',').count();
        let sample = Sample {
            at_s: 1.0,
            is: Is::Ghost,
            actor: "-".into(),
            object: 1,
            cameras: "01".into(),
            told: false,
            cut: String::new(),
            eye_m: 0.0,
            age_s: 0.0,
            apart_m: [0.0; 2],
            distance2: 0.0,
            position_sigma_m: [1.0; 2],
            velocity_mps: [0.0; 2],
            true_velocity_mps: [0.0; 2],
            position_m: [0.0; 2],
            box_errors: None,
        };
        let text = csv([("row".to_owned(), [sample].as_slice())].into_iter());
        assert_eq!(text.lines().nth(1).map(|line| line.split(',').count()), Some(columns));
    }
}
