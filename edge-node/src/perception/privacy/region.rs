//! Which parts of a road user's box tell who it is.

use super::settings::{PersonCover, PrivacySettings, VehicleCover};
use masa_inference::{BoundingBox, ObjectClass};

/// Upper part of an upright person's box that holds the head with what the box may be off, share of its height.
const HEAD: f32 = 0.3;
/// A person's box is upright and whole when it is this much higher than wide.
const UPRIGHT: f32 = 1.4;
/// Below this height a person's box is too small to say where in it the head is, pixels.
const SMALL_PERSON_PX: f32 = 40.0;
/// A box this near to the picture's edge may be cut off by it, pixels.
const EDGE_PX: f32 = 3.0;
/// What a person's or a rider's box may be off, share of its size, sideways and upwards.
const MARGIN: f32 = 0.12;
/// How far a rider may rise above a box that holds the wheels alone, share of its height.
const RIDER_ABOVE: f32 = 0.8;
/// A two-wheeler's box higher than this, by its width, has its rider in it.
const RIDER_IN_BOX: f32 = 1.1;
/// Windows end above this share of a vehicle's height, and plates begin below the other.
const CABIN_DOWN_TO: f32 = 0.6;
const PLATE_FROM: f32 = 0.45;
/// What a vehicle's box may be off, share of its size.
const VEHICLE_MARGIN: f32 = 0.04;
/// What surrounds a face or plate that a finder gave, share of its size: hair and chin, or the frame.
const FACE_MARGIN: f32 = 0.5;
const PLATE_MARGIN: f32 = 0.3;

/// What a region hides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RegionKind {
    /// A person's head, or the person whole.
    Person,
    /// A rider with the two-wheeler.
    Rider,
    /// The windows of a vehicle.
    Cabin,
    /// Where a vehicle's plate is.
    Plate,
    /// A face that a finder gave.
    Face,
}

/// A part of a picture that must not be recognisable.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Region {
    /// What it hides.
    pub kind: RegionKind,
    /// Where, source-image pixels.
    pub area: BoundingBox,
    /// Size of what in it tells who it is, pixels: a head within a rider, all of a plate.
    pub detail_px: f32,
}

impl Region {
    fn new(kind: RegionKind, area: BoundingBox) -> Self {
        let shorter = area.width_px().min(area.height_px());
        let detail_px = match kind {
            // A head is a seventh of a person; doubled, for what the box may be off.
            RegionKind::Person | RegionKind::Rider => shorter.min(HEAD * area.height_px()).max(shorter / 3.0),
            RegionKind::Cabin | RegionKind::Plate | RegionKind::Face => shorter,
        };
        Self { kind, area, detail_px }
    }

    /// The region grown at its left, top, right and lower edge, pixels. Growing the box instead would move the head within it.
    pub(super) fn grown_by(self, [left, top, right, bottom]: [f32; 4]) -> Self {
        let area = BoundingBox {
            x1_px: self.area.x1_px - left,
            y1_px: self.area.y1_px - top,
            x2_px: self.area.x2_px + right,
            y2_px: self.area.y2_px + bottom,
        };
        Self { area, ..self }
    }

    /// The region in cells that many times as large.
    pub(super) fn coarsened(self, times: f32) -> Self {
        Self { detail_px: self.detail_px * times, ..self }
    }
}

/// What a box that is covered comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    RoadUser(ObjectClass),
    Face,
    Plate,
}

/// The regions of one box: two at most.
pub(super) fn regions_of(
    subject: Subject,
    b: &BoundingBox,
    image_size_px: [u32; 2],
    settings: &PrivacySettings,
) -> impl Iterator<Item = Region> {
    let one = |kind, area| [Some(Region::new(kind, area)), None];
    let regions = match subject {
        Subject::Face => one(RegionKind::Face, grown(b, [FACE_MARGIN; 4])),
        Subject::Plate => one(RegionKind::Plate, grown(b, [PLATE_MARGIN; 4])),
        Subject::RoadUser(ObjectClass::Person) => one(RegionKind::Person, person(b, image_size_px, settings.persons)),
        Subject::RoadUser(class) if class.is_vulnerable() => one(RegionKind::Rider, rider(b)),
        Subject::RoadUser(class) if class.is_vehicle() => match settings.vehicles {
            VehicleCover::Whole => one(RegionKind::Cabin, grown(b, [VEHICLE_MARGIN; 4])),
            VehicleCover::CabinAndPlate => {
                let whole = grown(b, [VEHICLE_MARGIN; 4]);
                let at = |share: f32| b.y1_px + share * b.height_px();
                [
                    Some(Region::new(RegionKind::Cabin, BoundingBox { y2_px: at(CABIN_DOWN_TO), ..whole })),
                    Some(Region::new(RegionKind::Plate, BoundingBox { y1_px: at(PLATE_FROM), ..whole })),
                ]
            }
        },
        // Neither a person nor anything that carries one or a plate; a doubtful class is still a doubt about a person.
        Subject::RoadUser(_) => one(RegionKind::Person, *b),
    };
    regions.into_iter().flatten()
}

fn person(b: &BoundingBox, [_, height]: [u32; 2], cover: PersonCover) -> BoundingBox {
    let cut_off = b.y1_px < EDGE_PX || b.y2_px > height as f32 - EDGE_PX;
    let upright = b.height_px() >= SMALL_PERSON_PX && b.height_px() > UPRIGHT * b.width_px();
    let up = MARGIN * b.width_px() / b.height_px().max(1.0);
    let whole = grown(b, [MARGIN, up.max(0.05), MARGIN, 0.0]);
    match cover {
        PersonCover::Head if upright && !cut_off => BoundingBox { y2_px: b.y1_px + HEAD * b.height_px(), ..whole },
        PersonCover::Head | PersonCover::Whole => whole,
    }
}

fn rider(b: &BoundingBox) -> BoundingBox {
    let above = if b.height_px() > RIDER_IN_BOX * b.width_px() { MARGIN } else { RIDER_ABOVE };
    grown(b, [MARGIN, above, MARGIN, 0.0])
}

/// A box grown at its left, top, right and lower edge by shares of its size.
fn grown(b: &BoundingBox, [left, top, right, bottom]: [f32; 4]) -> BoundingBox {
    let (w, h) = (b.width_px(), b.height_px());
    BoundingBox {
        x1_px: b.x1_px - left * w,
        y1_px: b.y1_px - top * h,
        x2_px: b.x2_px + right * w,
        y2_px: b.y2_px + bottom * h,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: [u32; 2] = [800, 600];

    fn region(class: ObjectClass, [x1_px, y1_px, x2_px, y2_px]: [f32; 4]) -> Vec<Region> {
        let b = BoundingBox { x1_px, y1_px, x2_px, y2_px };
        regions_of(Subject::RoadUser(class), &b, SIZE, &PrivacySettings::default()).collect()
    }

    fn height(regions: &[Region]) -> f32 {
        regions[0].area.height_px()
    }

    #[test]
    fn an_upright_person_loses_the_head_and_any_other_all() {
        let upright = region(ObjectClass::Person, [100.0, 100.0, 160.0, 300.0]);
        assert!(height(&upright) < 80.0 && upright[0].area.y1_px < 100.0, "{upright:?}");
        for (what, b) in [
            ("cut off above", [100.0, 0.0, 160.0, 200.0]),
            ("cut off below", [100.0, 400.0, 160.0, 600.0]),
            ("sitting", [100.0, 100.0, 200.0, 220.0]),
            ("far away", [100.0, 100.0, 112.0, 138.0]),
        ] {
            assert!(height(&region(ObjectClass::Person, b)) >= b[3] - b[1], "{what}");
        }
    }

    #[test]
    fn a_bicycle_alone_is_covered_up_to_where_its_rider_sits() {
        let wheels = region(ObjectClass::Bicycle, [100.0, 200.0, 200.0, 260.0]);
        assert!(wheels[0].area.y1_px <= 155.0, "{wheels:?}");
        let ridden = region(ObjectClass::Bicycle, [100.0, 100.0, 200.0, 260.0]);
        assert!(ridden[0].area.y1_px > 70.0, "{ridden:?}");
    }

    #[test]
    fn cabin_and_plate_leave_no_gap_between_them() {
        let car = region(ObjectClass::Car, [100.0, 100.0, 300.0, 200.0]);
        assert_eq!([car[0].kind, car[1].kind], [RegionKind::Cabin, RegionKind::Plate]);
        assert!(car[0].area.y2_px > car[1].area.y1_px);
        assert!(car[0].area.y1_px <= 100.0 && car[1].area.y2_px >= 200.0);
    }
}
