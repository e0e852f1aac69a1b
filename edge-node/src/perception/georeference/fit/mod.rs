//! A camera's pose, and on demand its focal length, from surveyed points.
//!
//! In: points known in the image and in the site. Out: the camera, the covariance of its pose, and for each point how well it
//! agrees, how well the others alone predict it, and whether it is one of those that do not fit ([`Verdict::Bad`]).
//!
//! Poses that three points allow are tried on all (random sample consensus, with a fixed sequence), the best is refined by
//! Levenberg and Marquardt with Huber's loss, and points far outside the spread of the others are left out and named. Where
//! most points agree with no camera, it is not points that are bad but the lens or the survey: then all are fitted, and
//! [`PoseFit::unit_sigma`] says how badly.
//! Invariant: the same points give the same camera bit for bit.

pub(crate) mod minimise;
mod three_points;

use super::camera_model::{CameraModel, CameraPose, PoseCovariance};
use super::lens::Intrinsics;
use masa_v2x_proto::geo::Enu;
use minimise::{Free, Normal, minimise};
use nalgebra::{Matrix2, Matrix3, Vector2, Vector3};
use serde::{Deserialize, Serialize};

/// Points at most.
pub const MAX_POINTS: usize = 1000;
/// Triples of points that are tried at most for each focal length.
const MAX_TRIPLES: usize = 200;
/// Focal lengths that are tried when it is not known, and their range in image widths.
const FOCAL_LENGTHS: i32 = 16;
const FOCAL_RANGE: (f64, f64) = (0.35, 8.0);
/// A standardised residual costs no more than this when hypotheses are compared.
const CONSENSUS: f64 = 6.0;
/// A point is bad whose standardised residual is so many times the spread of the others.
const BAD: f64 = 4.0;
/// Less than this share of points in agreement is no consensus.
const MAJORITY: f64 = 0.6;
/// What a point costs that the camera does not show at all.
const NOT_SHOWN: f64 = 60.0;
/// Median length of a two-dimensional standard normal vector.
const MEDIAN_2D: f64 = 1.177_410_022_515_474_7;
/// A pose worse than this is not determined by its points, metres.
const MAX_POSITION_SIGMA_M: f64 = 50.0;

/// A point known in the image and in the site.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SurveyedPoint {
    /// What it is called in reports.
    pub name: String,
    /// x, y in the image, pixels.
    pub pixel: [f64; 2],
    /// Where it is.
    pub position: Enu,
}

/// Whether the focal length is believed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FocalLength {
    /// As the intrinsics say.
    #[default]
    Known,
    /// Found from the points; needs five.
    Fitted,
}

/// How points are fitted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FitSettings {
    /// Size of the image that the pixels are of.
    pub image_size_px: [u32; 2],
    /// Camera matrix and distortion.
    pub intrinsics: Intrinsics,
    /// Whether its focal length is believed.
    pub focal_length: FocalLength,
    /// Standard deviation of a clicked pixel, along each axis.
    pub pixel_sigma_px: f64,
    /// Standard deviation of a surveyed position, along each axis, metres.
    pub survey_sigma_m: f64,
}

/// Whether a point agrees with the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It does.
    Good,
    /// It does not, and the fit was made without it.
    Bad,
}

/// How a point agrees with the fitted camera.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FittedPoint {
    /// The point.
    pub point: SurveyedPoint,
    /// Whether it was used.
    pub verdict: Verdict,
    /// Where the camera shows it.
    pub shown_px: Option<[f64; 2]>,
    /// Distance of that from its pixel.
    pub error_px: Option<f64>,
    /// Distance on its height between the point and what its pixel shows, metres; `None` above the horizon.
    pub error_m: Option<f64>,
    /// The same of the camera that the other good points give alone, pixels.
    pub left_out_px: Option<f64>,
    /// The same, metres.
    pub left_out_m: Option<f64>,
}

/// A fitted camera.
#[derive(Clone, Debug)]
pub struct PoseFit {
    /// The camera.
    pub model: CameraModel,
    /// Covariance of its pose.
    pub covariance: PoseCovariance,
    /// Standard deviation of the focal length, relative; `None` where it was known.
    pub focal_sigma: Option<f64>,
    /// How the points agree, in their order.
    pub points: Vec<FittedPoint>,
    /// Root mean square of the good points' errors, pixels.
    pub rms_px: f64,
    /// How many times larger the good points' errors are than the settings' standard deviations say; the covariance
    /// reckons with it where it is above one.
    pub unit_sigma: f64,
}

impl PoseFit {
    /// One sigma of position (east, north, up, metres) and turn (about right, down and forward axes, radians).
    pub fn sigma(&self) -> [f64; 6] {
        std::array::from_fn(|i| self.covariance[(i, i)].sqrt())
    }
}

/// Why points give no camera.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum FitError {
    /// Too few points, or too few that agree.
    #[error("{found} usable points of {given}; at least {needed} are needed")]
    TooFew {
        /// How many there are.
        given: usize,
        /// How many agree.
        found: usize,
        /// How many are needed.
        needed: usize,
    },
    /// More than [`MAX_POINTS`].
    #[error("{0} points; the most is {MAX_POINTS}")]
    TooMany(usize),
    /// A point is not a number, or its pixel shows nothing.
    #[error("point `{0}` is not a number, or the lens draws nothing at its pixel")]
    BadPoint(String),
    /// The points do not say where the camera is.
    #[error("the points do not determine the camera: {0}")]
    Undetermined(&'static str),
}

/// Fits a camera to points.
///
/// # Errors
/// [`FitError`] says what is missing, in words.
pub fn fit(points: &[SurveyedPoint], settings: &FitSettings) -> Result<PoseFit, FitError> {
    let (free, needed) = match settings.focal_length {
        FocalLength::Known => (Free::POSE, 4),
        FocalLength::Fitted => (Free::POSE_AND_FOCAL, 5),
    };
    if points.len() > MAX_POINTS {
        return Err(FitError::TooMany(points.len()));
    }
    if points.len() < needed {
        return Err(FitError::TooFew { given: points.len(), found: points.len(), needed });
    }
    let anywhere = CameraPose { position_m: [0.0; 3], yaw_deg: 0.0, pitch_deg: 0.0, roll_deg: 0.0 };
    let lens = CameraModel::new(&anywhere, &settings.intrinsics, settings.image_size_px);
    let survey = Survey { points, pixel_sigma_px: settings.pixel_sigma_px, survey_sigma_m: settings.survey_sigma_m };
    survey.check(&lens, settings.focal_length)?;

    let all: Vec<usize> = (0..points.len()).collect();
    let candidates: Vec<(CameraModel, CameraModel)> = zooms(&lens, settings)
        .into_iter()
        .filter_map(|zoom| {
            let start = survey.consensus(zoom)?;
            let (refined, _) = minimise(start, free, |model| Some(survey.normal(model, &all)))?;
            Some((start, refined))
        })
        .collect();
    let best_by = |cost: &dyn Fn(&CameraModel) -> f64| {
        let models = candidates.iter().flat_map(|(start, refined)| [*start, *refined]);
        models.min_by(|a, b| cost(a).total_cmp(&cost(b)))
    };
    let consensus = best_by(&|model| survey.score(model));
    let mut model = consensus.ok_or(FitError::Undetermined("three or more of them lie on a line"))?;
    let mut good = survey.agreeing(&model);
    if (good.len() as f64) < MAJORITY * points.len() as f64 {
        model = best_by(&|model| survey.normal(model, &all).cost).unwrap_or(model);
        good = survey.agreeing(&model);
    }
    // What was left out at first may fit the better camera, and the other way round.
    for _ in 0..8 {
        if good.len() < needed {
            return Err(FitError::TooFew { given: points.len(), found: good.len(), needed });
        }
        model = survey.refine(model, free, &good)?.0;
        let agreeing = survey.agreeing(&model);
        if agreeing == good {
            break;
        }
        good = agreeing;
    }
    let (model, normal) = survey.refine(model, free, &good)?;
    let covariance = normal.covariance(free).ok_or(FitError::Undetermined("they lie too close together"))?;
    let redundancy = 2.0 * good.len() as f64 - free.count() as f64;
    let squares: f64 = good.iter().filter_map(|i| survey.standardised(&model, *i)).map(|r| r * r).sum();
    let unit_sigma = if redundancy > 0.0 { (squares / redundancy).sqrt() } else { 1.0 };
    let covariance = covariance * unit_sigma.max(1.0).powi(2);
    let pose: PoseCovariance = covariance.fixed_view::<6, 6>(0, 0).into_owned();
    if (0..3).any(|i| pose[(i, i)].sqrt() > MAX_POSITION_SIGMA_M) {
        return Err(FitError::Undetermined("its position is open by more than 50 m"));
    }
    let points = survey.report(&model, free, &good);
    let used = points.iter().filter(|p| p.verdict == Verdict::Good).filter_map(|p| p.error_px);
    let rms_px = (used.map(|e| e * e).sum::<f64>() / good.len() as f64).sqrt();
    let focal_sigma = (settings.focal_length == FocalLength::Fitted).then(|| covariance[(6, 6)].sqrt());
    Ok(PoseFit { model, covariance: pose, focal_sigma, points, rms_px, unit_sigma })
}

/// The camera with each focal length that is to be tried.
fn zooms(lens: &CameraModel, settings: &FitSettings) -> Vec<CameraModel> {
    let zoomed = |factor: f64| {
        let mut change = super::camera_model::Change::zeros();
        change[6] = factor.ln();
        lens.changed(&change)
    };
    match settings.focal_length {
        FocalLength::Known => vec![*lens],
        FocalLength::Fitted => {
            let width = f64::from(settings.image_size_px[0]);
            let ratio = (FOCAL_RANGE.1 / FOCAL_RANGE.0).powf(f64::from(FOCAL_LENGTHS - 1).recip());
            let focal = |i: i32| FOCAL_RANGE.0 * width * ratio.powi(i);
            (0..FOCAL_LENGTHS).map(|i| zoomed(focal(i) / lens.lens().focal_px().x)).collect()
        }
    }
}

/// Points with the noise they are known to.
struct Survey<'a> {
    points: &'a [SurveyedPoint],
    pixel_sigma_px: f64,
    survey_sigma_m: f64,
}

impl Survey<'_> {
    fn check(&self, lens: &CameraModel, focal_length: FocalLength) -> Result<(), FitError> {
        let is_bad = |point: &&SurveyedPoint| {
            let Enu { e_m, n_m, u_m } = point.position;
            let finite = point.pixel.iter().chain(&[e_m, n_m, u_m]).all(|v| v.is_finite());
            // With another focal length the lens may well draw something there.
            let is_shown = focal_length == FocalLength::Fitted || lens.lens().direction(point.pixel.into()).is_some();
            !finite || !is_shown
        };
        match self.points.iter().find(is_bad) {
            Some(point) => Err(FitError::BadPoint(point.name.clone())),
            None => Ok(()),
        }
    }

    /// The pose of a triple that fits all points best.
    fn consensus(&self, lens: CameraModel) -> Option<CameraModel> {
        let ray = |i: usize| {
            let (direction, _) = lens.lens().direction(self.points[i].pixel.into())?;
            Some(direction.push(1.0).normalize())
        };
        let rays: Vec<Vector3<f64>> = (0..self.points.len()).map(ray).collect::<Option<_>>()?;
        let place = |i: usize| {
            let Enu { e_m, n_m, u_m } = self.points[i].position;
            Vector3::new(e_m, n_m, u_m)
        };
        let poses = triples(self.points.len())
            .flat_map(|triple| three_points::poses(&triple.map(place), &triple.map(|i| rays[i])));
        let models = poses.map(|(position, rotation)| lens.at(position, rotation));
        models.min_by(|a, b| self.score(a).total_cmp(&self.score(b)))
    }

    /// How badly the points fit, each counting no more than an outlier does.
    fn score(&self, model: &CameraModel) -> f64 {
        let cost = |i: usize| self.standardised(model, i).unwrap_or(CONSENSUS).min(CONSENSUS).powi(2);
        (0..self.points.len()).map(cost).sum()
    }

    /// The error of a point, in standard deviations of pixel and survey together.
    fn whitened(
        &self,
        model: &CameraModel,
        i: usize,
    ) -> Option<(Vector2<f64>, super::camera_model::Projection, Matrix2<f64>)> {
        let point = &self.points[i];
        let projected = model.project(point.position)?;
        let survey = projected.by_point * Matrix3::from_diagonal_element(self.survey_sigma_m.powi(2));
        let covariance =
            Matrix2::from_diagonal_element(self.pixel_sigma_px.powi(2)) + survey * projected.by_point.transpose();
        let whiten = covariance.cholesky()?.l().try_inverse()?;
        Some((whiten * (projected.pixel - Vector2::from(point.pixel)), projected, whiten))
    }

    fn standardised(&self, model: &CameraModel, i: usize) -> Option<f64> {
        self.whitened(model, i).map(|(error, ..)| error.norm())
    }

    fn normal(&self, model: &CameraModel, of: &[usize]) -> Normal {
        let mut normal = Normal::default();
        for &i in of {
            match self.whitened(model, i) {
                Some((error, projected, whiten)) => normal.add_point(error, &(whiten * projected.by_parameters())),
                None => normal.cost += NOT_SHOWN,
            }
        }
        normal
    }

    fn refine(&self, start: CameraModel, free: Free, of: &[usize]) -> Result<(CameraModel, Normal), FitError> {
        let refined = minimise(start, free, |model| Some(self.normal(model, of)));
        refined.ok_or(FitError::Undetermined("three or more of them lie on a line"))
    }

    /// The points whose errors are like those of the others.
    fn agreeing(&self, model: &CameraModel) -> Vec<usize> {
        let errors: Vec<f64> =
            (0..self.points.len()).map(|i| self.standardised(model, i).unwrap_or(f64::INFINITY)).collect();
        let mut sorted = errors.clone();
        sorted.sort_by(f64::total_cmp);
        let spread = (sorted[sorted.len() / 2] / MEDIAN_2D).max(1.0);
        (0..errors.len()).filter(|i| errors[*i] <= BAD * spread).collect()
    }

    fn report(&self, model: &CameraModel, free: Free, good: &[usize]) -> Vec<FittedPoint> {
        let error_m = |model: &CameraModel, point: &SurveyedPoint| {
            let hit = model.to_ground(point.pixel.into(), point.position.u_m)?;
            Some(hit.point.ground_distance_m(&point.position))
        };
        let error_px = |model: &CameraModel, point: &SurveyedPoint| {
            Some((model.project(point.position)?.pixel - Vector2::from(point.pixel)).norm())
        };
        let report = |(i, point): (usize, &SurveyedPoint)| {
            let is_good = good.contains(&i);
            let others: Vec<usize> = good.iter().copied().filter(|other| *other != i).collect();
            let determined = 2 * others.len() >= free.count();
            let alone = match is_good {
                true => determined.then(|| self.refine(*model, free, &others).ok()).flatten().map(|(model, _)| model),
                false => Some(*model),
            };
            FittedPoint {
                point: point.clone(),
                verdict: if is_good { Verdict::Good } else { Verdict::Bad },
                shown_px: model.project(point.position).map(|p| p.pixel.into()),
                error_px: error_px(model, point),
                error_m: error_m(model, point),
                left_out_px: alone.and_then(|model| error_px(&model, point)),
                left_out_m: alone.and_then(|model| error_m(&model, point)),
            }
        };
        self.points.iter().enumerate().map(report).collect()
    }
}

/// Triples of indices below `count`: all of them, or [`MAX_TRIPLES`] from a fixed sequence.
fn triples(count: usize) -> impl Iterator<Item = [usize; 3]> {
    let is_few = count * (count - 1) * (count - 2) / 6 <= MAX_TRIPLES;
    let all = (0..if is_few { count } else { 0 })
        .flat_map(move |a| (a + 1..count).flat_map(move |b| (b + 1..count).map(move |c| [a, b, c])));
    // Knuth's multiplier: any full-period sequence does.
    let mut state = 1_u64;
    let mut next = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % count
    };
    let drawn = (0..if is_few { 0 } else { MAX_TRIPLES }).map(move |_| [next(), next(), next()]);
    all.chain(drawn.filter(|[a, b, c]| a != b && b != c && a != c))
}

#[cfg(test)]
mod tests;
