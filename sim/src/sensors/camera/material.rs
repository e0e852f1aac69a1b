//! What surfaces are made of.

/// How a surface answers light.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Finish {
    /// Scatters evenly.
    Matte,
    /// Car paint: scatters under a clear coat.
    Paint,
    /// Dark glass that mirrors the sky.
    Glass,
    /// Bare metal.
    Metal,
    /// A lamp, lit or not.
    Lamp(Lamp),
    /// A number plate whose characters follow from a number.
    Plate(u32),
    /// Leaves: lit through from behind.
    Leaves,
    /// What lies on the ground map: asphalt, pavement, grass.
    Ground,
    /// Paint on the road.
    Marking,
    /// A tinted lane.
    Tint,
    /// A wall with windows: storeys, and a number that decides details. Its texture coordinates are metres.
    Facade(u32),
    /// Roof tiles.
    Roof,
    /// A destination board or sign of light.
    Board(u32),
    /// A traffic sign drawn by its number.
    Sign(u8),
}

/// What a lamp is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lamp {
    /// Head lamp.
    Head,
    /// Tail lamp, which is the brake lamp as well.
    Tail,
    /// Left indicator.
    Left,
    /// Right indicator.
    Right,
    /// Beacon.
    Beacon,
    /// Street lamp.
    Street,
    /// A lens of a traffic signal, lit.
    Signal,
}

/// What a pixel shows, as in segmentation masks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Semantic {
    /// Sky.
    #[default]
    Sky = 0,
    /// Carriageway.
    Road = 1,
    /// Paint on the road.
    Marking = 2,
    /// Pavement.
    Pavement = 3,
    /// Grass and other ground.
    Terrain = 4,
    /// Building.
    Building = 5,
    /// Trees and bushes.
    Vegetation = 6,
    /// Posts and street furniture.
    Pole = 7,
    /// Traffic signal.
    Signal = 8,
    /// Traffic sign.
    Sign = 9,
    /// Fence or wall.
    Fence = 10,
    /// Person on foot or in a wheelchair.
    Person = 11,
    /// Rider with what is ridden.
    Rider = 12,
    /// Car.
    Car = 13,
    /// Van.
    Van = 14,
    /// Truck.
    Truck = 15,
    /// Bus.
    Bus = 16,
    /// Tram.
    Tram = 17,
    /// Animal.
    Animal = 18,
    /// Cargo, cone, barrier.
    Object = 19,
}

impl Semantic {
    /// Every class by its number.
    pub const ALL: [Self; 20] = [
        Self::Sky,
        Self::Road,
        Self::Marking,
        Self::Pavement,
        Self::Terrain,
        Self::Building,
        Self::Vegetation,
        Self::Pole,
        Self::Signal,
        Self::Sign,
        Self::Fence,
        Self::Person,
        Self::Rider,
        Self::Car,
        Self::Van,
        Self::Truck,
        Self::Bus,
        Self::Tram,
        Self::Animal,
        Self::Object,
    ];
}

/// Colour and finish of a surface.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Material {
    /// Share of light that is scattered: red, green, blue, linear.
    pub(crate) rgb: [f32; 3],
    pub(crate) finish: Finish,
    pub(crate) class: Semantic,
}

impl Material {
    /// From a colour as pictures give it (sRGB).
    pub(crate) fn new(srgb: [u8; 3], finish: Finish) -> Self {
        Self { rgb: srgb.map(linear), finish, class: Semantic::Object }
    }

    pub(crate) fn of(mut self, class: Semantic) -> Self {
        self.class = class;
        self
    }

    /// Brighter or darker.
    pub(crate) fn times(mut self, factor: f32) -> Self {
        self.rgb = self.rgb.map(|v| (v * factor).min(0.95));
        self
    }
}

/// sRGB to linear light.
pub(crate) fn linear(value: u8) -> f32 {
    let v = f32::from(value) / 255.0;
    if v <= 0.04045 { v / 12.92 } else { ((v + 0.055) / 1.055).powf(2.4) }
}

/// Linear light to sRGB, both 0 to 1.
pub(crate) fn encoded(v: f32) -> f32 {
    let v = v.clamp(0.0, 1.0);
    if v <= 0.003_130_8 { v * 12.92 } else { 1.055 * v.powf(1.0 / 2.4) - 0.055 }
}
