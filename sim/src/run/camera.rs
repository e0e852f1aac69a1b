//! Cameras of stations: where they look, what the node is told of it, and what they show.
//!
//! In: a camera's settings, a snapshot. Out: the site settings that a survey would give for it, pictures, and who is in them.

use crate::actor::{Actor, ActorId, ActorKind};
use crate::scenario::CameraSettings;
use crate::snapshot::Snapshot;
use masa_edge_node::perception::CameraSettings as SiteCamera;
use masa_edge_node::perception::georeference::online::OnlinePoseSettings;
use masa_edge_node::perception::georeference::{GeoreferenceSettings, PixelInput, ProjectionMatrixSettings};
use masa_edge_node::perception::ground::ContactPoint;
use masa_edge_node::perception::tracking::TrackerSettings;
use masa_inference::{BoundingBox, ObjectClass};
use masa_v2x_proto::geo::{Enu, SiteFrame};
use nalgebra::{Matrix3, Point2, Point3, Rotation3, Vector3};

/// Smallest box that counts as seen, pixels high.
pub(crate) const MIN_HEIGHT_PX: f64 = 10.0;

/// A pinhole camera in the world.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pinhole {
    /// Where it is, ENU metres.
    pub position: Point3<f64>,
    /// Direction of the optical axis.
    pub forward: Vector3<f64>,
    /// To the right in the picture.
    pub right: Vector3<f64>,
    /// Downwards in the picture.
    pub down: Vector3<f64>,
    /// Focal length, pixels.
    pub focal_px: f64,
    /// Width and height, pixels.
    pub size_px: [u32; 2],
}

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

impl Pinhole {
    /// The camera that the settings describe.
    pub fn new(settings: &CameraSettings, turned: Turned) -> Self {
        let position = Point3::from(settings.position_m);
        let [e, n] = settings.look_at_m;
        let forward = (Point3::new(e, n, 0.0) - position).normalize();
        let forward = Rotation3::from_axis_angle(&Vector3::z_axis(), -turned.right_deg.to_radians()) * forward;
        let right = forward.cross(&Vector3::z()).normalize();
        let (sin, cos) = turned.up_deg.to_radians().sin_cos();
        let forward = forward * cos + right.cross(&forward) * sin;
        let [width, _] = settings.lens.image_size_px;
        Self {
            position,
            forward,
            right,
            down: forward.cross(&right),
            focal_px: f64::from(width) / 2.0 / (settings.lens.fov_deg.to_radians() / 2.0).tan(),
            size_px: settings.lens.image_size_px,
        }
    }

    /// The pixel that shows a point; `None` behind the camera.
    pub fn project(&self, p: Point3<f64>) -> Option<Point2<f64>> {
        let to = p - self.position;
        let depth = to.dot(&self.forward);
        let centre = self.size_px.map(|size| f64::from(size) / 2.0);
        (depth > 0.1).then(|| {
            Point2::new(
                centre[0] + self.focal_px * to.dot(&self.right) / depth,
                centre[1] + self.focal_px * to.dot(&self.down) / depth,
            )
        })
    }

    /// Degrees between where `other` looks, and where this camera does when turned by `turn_rad` about its right, down and
    /// forward axes.
    pub fn turn_error_deg(&self, other: &Self, turn_rad: [f64; 3]) -> f64 {
        let axes = |camera: &Self| Matrix3::from_columns(&[camera.right, camera.down, camera.forward]).transpose();
        let truth = Rotation3::from_matrix_unchecked(axes(other) * axes(self).transpose());
        truth.angle_to(&Rotation3::from_scaled_axis(-Vector3::from(turn_rad))).to_degrees()
    }

    /// Whether a point of the picture is within its borders.
    pub fn shows(&self, p: Point2<f64>) -> bool {
        (0.0..f64::from(self.size_px[0])).contains(&p.x) && (0.0..f64::from(self.size_px[1])).contains(&p.y)
    }

    /// The box around an actor, cut at the borders; `None` when it is outside.
    pub fn bounding_box(&self, actor: &Actor) -> Option<BoundingBox> {
        let base = actor.pose.position.z;
        let corners = actor
            .footprint()
            .into_iter()
            .flat_map(|p| [0.0, actor.size.height_m].map(|height| Point3::new(p.x, p.y, base + height)));
        let pixels: Vec<_> = corners.map(|corner| self.project(corner)).collect::<Option<_>>()?;
        let limit = |value: f64, size: u32| value.clamp(0.0, f64::from(size)) as f32;
        let [width, height] = self.size_px;
        let edge = |of: fn(&Point2<f64>) -> f64, pick: fn(f64, f64) -> f64| pixels.iter().map(of).reduce(pick);
        let found = BoundingBox {
            x1_px: limit(edge(|p| p.x, f64::min)?, width),
            y1_px: limit(edge(|p| p.y, f64::min)?, height),
            x2_px: limit(edge(|p| p.x, f64::max)?, width),
            y2_px: limit(edge(|p| p.y, f64::max)?, height),
        };
        (found.width_px() > 1.0 && found.height_px() > 1.0).then_some(found)
    }

    /// What the ground's plane becomes in the picture: `[east, north, 1]` to homogeneous pixels.
    fn ground_to_pixel(&self) -> Matrix3<f64> {
        let centre = self.size_px.map(|size| f64::from(size) / 2.0);
        // Rows of the rotation, times [e, n, 0] minus the position.
        let row = |axis: &Vector3<f64>| Vector3::new(axis.x, axis.y, -axis.dot(&self.position.coords));
        let (right, down, forward) = (row(&self.right), row(&self.down), row(&self.forward));
        let x = right * self.focal_px + forward * centre[0];
        let y = down * self.focal_px + forward * centre[1];
        Matrix3::from_rows(&[x.transpose(), y.transpose(), forward.transpose()])
    }

    /// What the site file says of the camera after a survey.
    pub fn site_camera(&self, settings: &CameraSettings, frame: &SiteFrame) -> Option<SiteCamera> {
        let to_ground = self.ground_to_pixel().try_inverse()?;
        let to_ground = to_ground / to_ground.norm();
        // Over a site degrees are as straight as metres.
        let step_m = 100.0;
        let origin = frame.origin();
        let east = frame.to_wgs84(Enu::ground(step_m, 0.0));
        let north = frame.to_wgs84(Enu::ground(0.0, step_m));
        let per_m = |there: f64, here: f64| (there - here) / step_m;
        Some(SiteCamera {
            id: settings.id.clone(),
            image_size_px: self.size_px,
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
            tracker: TrackerSettings::default(),
            motion: settings.motion.clone(),
            footprint_m: Vec::new(),
        })
    }

    /// Everybody within the borders, as if nothing hid anybody: for debugging.
    pub fn everybody(&self, snapshot: &Snapshot) -> Vec<InView> {
        let boxes = snapshot.actors.iter().filter_map(|actor| {
            let bounding_box = self.bounding_box(actor)?;
            let is_large = f64::from(bounding_box.height_px()) >= MIN_HEIGHT_PX;
            is_large.then_some(InView { actor: actor.id, bounding_box, visible: 1.0 })
        });
        boxes.collect()
    }
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
