//! Cameras of stations: where they look, what the node is told of it, and what they show.
//!
//! In: a camera's settings, a snapshot. Out: the sensors' model of it ([`CameraModel`]), the site settings that a survey would
//! give for it, and who is within its borders.

use crate::actor::{Actor, ActorId, ActorKind};
use crate::scenario::CameraSettings;
use crate::sensors::camera::{CameraModel, CameraPose};
use crate::snapshot::Snapshot;
use crate::truth::{clip, project_box};
use masa_edge_node::perception::CameraSettings as SiteCamera;
use masa_edge_node::perception::georeference::online::OnlinePoseSettings;
use masa_edge_node::perception::georeference::{GeoreferenceSettings, PixelInput, ProjectionMatrixSettings};
use masa_edge_node::perception::ground::ContactPoint;
use masa_inference::{BoundingBox, ObjectClass};
use masa_v2x_proto::geo::{Enu, SiteFrame};
use nalgebra::{Rotation3, Vector3};

/// Smallest box that counts as seen, pixels high.
pub(crate) const MIN_HEIGHT_PX: f64 = 10.0;

/// How far a camera is turned from where it was set up, degrees: a fault.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Turned {
    /// To the right, about the upright axis.
    pub right_deg: f64,
    /// Up, afterwards.
    pub up_deg: f64,
}

/// Who is in a picture.
#[derive(Clone, Debug, PartialEq)]
pub struct InView {
    /// Who.
    pub actor: ActorId,
    /// The box of what shows of it.
    pub bounding_box: BoundingBox,
    /// Share of it that shows, 0 to 1.
    pub visible: f64,
}

/// The camera of a station as its survey has it: where it stands, and what its lens draws.
pub fn surveyed(settings: &CameraSettings) -> CameraModel {
    let [e, n] = settings.look_at_m;
    let pose = CameraPose::looking_at(settings.position_m, [e, n, 0.0]);
    CameraModel::with_size(&settings.id, pose, settings.lens.fov_deg, settings.lens.image_size_px)
}

/// The camera turned: a fault.
pub fn turned(model: &CameraModel, by: Turned) -> CameraModel {
    CameraModel { pose: model.pose.turned(-by.right_deg, by.up_deg, 0.0), ..model.clone() }
}

/// Degrees between where a turned camera looks, and where one does that is turned by `turn_rad` about its right, down and
/// forward axes.
pub fn turn_error_deg(model: &CameraModel, by: Turned, turn_rad: [f64; 3]) -> f64 {
    let axes = |model: &CameraModel| Rotation3::from_matrix_unchecked(model.pose.rotation());
    let truth = axes(&turned(model, by)) * axes(model).inverse();
    truth.angle_to(&Rotation3::from_scaled_axis(-Vector3::from(turn_rad))).to_degrees()
}

/// The box around an actor, cut at the picture's borders; `None` when it is outside or partly behind the camera.
pub fn bounding_box(model: &CameraModel, actor: &Actor) -> Option<BoundingBox> {
    let [x1_px, y1_px, x2_px, y2_px] = clip(project_box(model, actor)?, model.image_size_px).map(|v| v as f32);
    let found = BoundingBox { x1_px, y1_px, x2_px, y2_px };
    (found.width_px() > 1.0 && found.height_px() > 1.0).then_some(found)
}

/// What the site file says of a camera after a survey.
pub fn site_camera(settings: &CameraSettings, frame: &SiteFrame) -> Option<SiteCamera> {
    let model = surveyed(settings);
    let to_ground = model.ground_to_pixel()?.try_inverse()?;
    let to_ground = to_ground / to_ground.norm();
    // Over a site degrees are as straight as metres.
    let step_m = 100.0;
    let origin = frame.origin();
    let east = frame.to_wgs84(Enu::ground(step_m, 0.0));
    let north = frame.to_wgs84(Enu::ground(0.0, step_m));
    let per_m = |there: f64, here: f64| (there - here) / step_m;
    Some(SiteCamera {
        id: settings.id.clone(),
        image_size_px: model.image_size_px,
        contact_point: ContactPoint::BottomCentre,
        pixel_noise_px: 2.0,
        georeference: GeoreferenceSettings::ProjectionMatrix(ProjectionMatrixSettings {
            intrinsics_file: None,
            intrinsics: None,
            matrix_file: None,
            matrix: Some(std::array::from_fn(|row| std::array::from_fn(|column| to_ground[(row, column)]))),
            geotransform_deg: [
                origin.lon_deg,
                per_m(east.lon_deg, origin.lon_deg),
                per_m(north.lon_deg, origin.lon_deg),
                origin.lat_deg,
                per_m(east.lat_deg, origin.lat_deg),
                per_m(north.lat_deg, origin.lat_deg),
            ],
            pixels: PixelInput::default(),
        }),
        online_pose: OnlinePoseSettings { policy: settings.online_pose, ..OnlinePoseSettings::default() },
        tracker: settings.tracker.clone(),
        motion: settings.motion.clone(),
        footprint_m: Vec::new(),
    })
}

/// Everybody within the borders, as if nothing hid anybody: for debugging.
pub fn everybody(model: &CameraModel, snapshot: &Snapshot) -> Vec<InView> {
    let boxes = snapshot.actors.iter().filter_map(|actor| {
        let bounding_box = bounding_box(model, actor)?;
        let is_large = f64::from(bounding_box.height_px()) >= MIN_HEIGHT_PX;
        is_large.then_some(InView { actor: actor.id, bounding_box, visible: 1.0 })
    });
    boxes.collect()
}

/// The class of a kind, as a detector that is right calls it.
pub fn class_of(kind: ActorKind) -> ObjectClass {
    match kind {
        ActorKind::Car => ObjectClass::Car,
        ActorKind::Van => ObjectClass::Van,
        ActorKind::Truck => ObjectClass::Truck,
        ActorKind::Bus => ObjectClass::Bus,
        ActorKind::Tram => ObjectClass::Tram,
        ActorKind::Motorcycle => ObjectClass::Motorcycle,
        ActorKind::Bicycle | ActorKind::CargoBike => ObjectClass::Bicycle,
        ActorKind::EScooter => ObjectClass::EScooter,
        ActorKind::Adult | ActorKind::Child | ActorKind::Wheelchair => ObjectClass::Person,
        ActorKind::Dog | ActorKind::Deer => ObjectClass::Animal,
        ActorKind::LostCargo | ActorKind::Cone | ActorKind::Barrier => ObjectClass::Obstacle,
    }
}
