//! Where the parts of a message live that are large and rare, or of a later version.
//!
//! With an allocator (feature `std`) they live on the heap: the usual message stays small and needs none. Without one
//! they live inline, with the room stated here; what finds no room is an error or is counted, never cut. A SPATEM has room
//! for one intersection of 16 signal groups with two phases each, a MAPEM for one of 16 lanes with 8 nodes and 4
//! connections, an SSEM for 8 packages of one answer. Classes of restricted users, priority zones and road segments of a
//! MAPEM have none, nor has what regions add (`regional`): each of a hundred places would hold the largest addition.
//! Everything that differs between the two builds is in this module and in [`List`](crate::List).

use core::fmt;

#[cfg(feature = "std")]
pub use std::boxed::Box;

/// Stands in for the allocator's `Box` in a build that has none: the value is inline.
#[cfg(not(feature = "std"))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Box<T>(T);

#[cfg(not(feature = "std"))]
impl<T> Box<T> {
    /// Wraps `value`.
    pub const fn new(value: T) -> Self {
        Self(value)
    }
}

#[cfg(not(feature = "std"))]
impl<T> From<T> for Box<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}

#[cfg(not(feature = "std"))]
impl<T> core::ops::Deref for Box<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

#[cfg(not(feature = "std"))]
impl<T> core::ops::DerefMut for Box<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

/// Elements that a list keeps inline: `usual` where more go to the heap, `room` where there is none.
pub(crate) const fn inline(usual: usize, room: usize) -> usize {
    if cfg!(feature = "std") { usual } else { room }
}

/// Undecoded content of a later version: bytes on the heap, or up to 32 inline.
#[cfg(feature = "std")]
pub type Content = Box<[u8]>;
/// Undecoded content of a later version: up to 32 bytes inline.
#[cfg(not(feature = "std"))]
pub type Content = heapless::Vec<u8, 32>;

/// Most bytes that [`Content`] has room for; with an allocator, what an open type can have.
pub(crate) const CONTENT_ROOM: usize = inline(16_383, 32);

/// `count` zero bytes, at most [`CONTENT_ROOM`].
pub(crate) fn content(count: usize) -> Content {
    #[cfg(feature = "std")]
    return vec![0; count].into_boxed_slice();
    #[cfg(not(feature = "std"))]
    core::iter::repeat_n(0, count.min(CONTENT_ROOM)).collect()
}

/// Path of a component in ETSI names.
#[cfg(feature = "std")]
pub type PathText = Box<str>;
/// Path of a component in ETSI names; without an allocator the last 96 bytes of it at most, from a component on.
#[cfg(not(feature = "std"))]
pub type PathText = heapless::String<96>;

/// The text of `path`, or `None` when there is no room for it.
pub(crate) fn path_text(path: &dyn fmt::Display) -> Option<PathText> {
    #[cfg(feature = "std")]
    return Some(path.to_string().into());
    #[cfg(not(feature = "std"))]
    {
        let mut text = PathText::new();
        fmt::Write::write_fmt(&mut text, format_args!("{path}")).ok().map(|()| text)
    }
}
