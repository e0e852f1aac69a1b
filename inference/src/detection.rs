//! What a detector says of one image.

use crate::Appearance;
use serde::{Deserialize, Serialize};

/// Class of a detected object, in the terms that the road needs. Models map their own classes to these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ObjectClass {
    /// Pedestrian.
    Person,
    /// Bicycle, with or without its rider.
    Bicycle,
    /// Motorcycle or moped.
    Motorcycle,
    /// Electric kick scooter.
    EScooter,
    /// Passenger car.
    Car,
    /// Light van.
    Van,
    /// Truck.
    Truck,
    /// Bus or coach.
    Bus,
    /// Tram or train.
    Tram,
    /// Animal.
    Animal,
    /// Anything else worth avoiding.
    Obstacle,
}

impl ObjectClass {
    /// Every class, in declaration order.
    pub const ALL: [Self; 11] = [
        Self::Person,
        Self::Bicycle,
        Self::Motorcycle,
        Self::EScooter,
        Self::Car,
        Self::Van,
        Self::Truck,
        Self::Bus,
        Self::Tram,
        Self::Animal,
        Self::Obstacle,
    ];

    /// Position in [`Self::ALL`].
    pub const fn index(self) -> usize {
        self as usize
    }

    /// Whether this is a vulnerable road user (TS 103 300-2): not protected by a car body.
    pub const fn is_vulnerable(self) -> bool {
        matches!(self, Self::Person | Self::Bicycle | Self::Motorcycle | Self::EScooter)
    }

    /// Whether this is a motor vehicle with a body: car, van, truck, bus, tram.
    pub const fn is_vehicle(self) -> bool {
        matches!(self, Self::Car | Self::Van | Self::Truck | Self::Bus | Self::Tram)
    }
}

/// An axis-aligned box in source-image pixels; x grows right, y grows down, the top-left pixel's corner is (0, 0).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BoundingBox {
    /// Left edge.
    pub x1_px: f32,
    /// Top edge.
    pub y1_px: f32,
    /// Right edge.
    pub x2_px: f32,
    /// Bottom edge.
    pub y2_px: f32,
}

impl BoundingBox {
    /// Width, pixels; never negative.
    pub fn width_px(&self) -> f32 {
        (self.x2_px - self.x1_px).max(0.0)
    }

    /// Height, pixels; never negative.
    pub fn height_px(&self) -> f32 {
        (self.y2_px - self.y1_px).max(0.0)
    }

    /// Area, square pixels.
    pub fn area_px2(&self) -> f32 {
        self.width_px() * self.height_px()
    }

    /// Intersection over union, 0 to 1.
    pub fn iou(&self, other: &Self) -> f32 {
        let w = self.x2_px.min(other.x2_px) - self.x1_px.max(other.x1_px);
        let h = self.y2_px.min(other.y2_px) - self.y1_px.max(other.y1_px);
        if w <= 0.0 || h <= 0.0 {
            return 0.0;
        }
        let intersection = w * h;
        intersection / (self.area_px2() + other.area_px2() - intersection)
    }
}

/// One detected object.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Detection {
    /// Where it is in the source image.
    pub bounding_box: BoundingBox,
    /// What it is.
    pub class: ObjectClass,
    /// The detector's confidence, 0 to 1.
    pub score: f32,
    /// What it looks like, where a tracker asks for it. Of a person it is personal data: it is left out wherever a detection
    /// becomes text.
    #[serde(skip)]
    pub appearance: Option<Appearance>,
}
