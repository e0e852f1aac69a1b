//! Pictures that may leave: heads, riders, cabins and plates made unrecognisable.
//!
//! In: what perception says of a frame ([`Anonymiser::observe`]), then the frame's picture. Out: an [`Anonymised`] picture,
//! or none. Regions come from the boxes of road users (the head of a person, a whole rider, cabin and plate of a vehicle) and
//! of optional face and plate finders; each box is followed, so that a region outlives a blink of its detector, and
//! grows with the doubt about where it is.
//!
//! Invariants: nothing but this module makes an [`Anonymised`], and whatever hands pictures to others takes no other type; a
//! picture without the perception of that very frame is withheld or coarsened as a whole; a region only ever loses
//! information; no clock, no randomness, bounded memory. Deliberately absent: recognising anyone, and a claim that an
//! anonymised picture says nothing of a person: clothes, gait, place and time remain.

mod anonymiser;
mod fill;
mod follower;
mod region;
mod settings;
#[cfg(test)]
pub(crate) mod tests;

pub use anonymiser::{Anonymised, Anonymiser, Cover, Sightings, Withheld};
pub use region::{Region, RegionKind};
pub use settings::{
    Fill, FinderModel, FinderSettings, Look, PersonCover, PrivacySettings, SettingsError, VehicleCover, WhenBlind,
};
