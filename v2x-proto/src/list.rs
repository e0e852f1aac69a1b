//! A bounded list that lives inline until it outgrows its usual size.
//!
//! ETSI lists have maxima far above what is usually sent (255 perceived objects, 128 sensors). [`List`] keeps the usual
//! number inline, so that usual messages need no allocation, and moves to the heap beyond. It never holds more than its
//! capacity. In a build without an allocator the inline room is all there is. Absent: removal and insertion in the
//! middle, which no message needs.

use core::fmt;
use core::ops::{Deref, DerefMut};

/// A list of at most `CAP` elements, the first `INLINE` of which need no allocation.
#[derive(Clone)]
pub struct List<T, const INLINE: usize, const CAP: usize>(Store<T, INLINE>);

#[cfg(feature = "std")]
#[derive(Clone)]
enum Store<T, const INLINE: usize> {
    Inline(heapless::Vec<T, INLINE>),
    Heap(Vec<T>),
}

#[cfg(not(feature = "std"))]
#[derive(Clone)]
enum Store<T, const INLINE: usize> {
    Inline(heapless::Vec<T, INLINE>),
}

impl<T, const INLINE: usize, const CAP: usize> List<T, INLINE, CAP> {
    /// Most elements it can hold.
    pub const CAPACITY: usize = if cfg!(feature = "std") || CAP < INLINE { CAP } else { INLINE };

    /// An empty list.
    pub const fn new() -> Self {
        Self(Store::Inline(heapless::Vec::new()))
    }

    /// Appends `element`, or gives it back when the list is full.
    ///
    /// # Errors
    /// The element, when [`CAPACITY`](Self::CAPACITY) elements are already there.
    #[inline]
    pub fn push(&mut self, element: T) -> Result<(), T> {
        match &mut self.0 {
            Store::Inline(inline) if inline.len() < CAP => match inline.push(element) {
                Ok(()) => Ok(()),
                Err(element) => self.spill(element),
            },
            #[cfg(feature = "std")]
            Store::Heap(heap) if heap.len() < CAP => {
                heap.push(element);
                Ok(())
            }
            _ => Err(element),
        }
    }

    /// Appends a default element and gives it, to be filled where it stays; `None` when the list is full.
    #[inline]
    pub(crate) fn push_default(&mut self) -> Option<&mut T>
    where
        T: Default,
    {
        self.push(T::default()).ok()?;
        self.last_mut()
    }

    /// The elements of `iter`, or `None` when there are more than the list can hold.
    pub fn try_from_iter(iter: impl IntoIterator<Item = T>) -> Option<Self> {
        let mut list = Self::new();
        for element in iter {
            list.push(element).ok()?;
        }
        Some(list)
    }

    /// Keeps the first `count` elements.
    pub(crate) fn truncate(&mut self, count: usize) {
        match &mut self.0 {
            Store::Inline(inline) => inline.truncate(count),
            #[cfg(feature = "std")]
            Store::Heap(heap) => heap.truncate(count),
        }
    }

    /// An empty list with room for `count` elements, but for no more than is usual: the rest has to come first.
    pub(crate) fn with_room_for(count: usize) -> Self {
        #[cfg(feature = "std")]
        if count > INLINE {
            const MOST: usize = 64;
            return Self(Store::Heap(Vec::with_capacity(count.min(MOST))));
        }
        let _ = count;
        Self::new()
    }

    /// Appends `element` where the inline room is used up.
    #[cold]
    #[cfg(feature = "std")]
    fn spill(&mut self, element: T) -> Result<(), T> {
        if let Store::Inline(inline) = &mut self.0 {
            let heap = core::mem::take(inline).into_iter().chain([element]).collect();
            self.0 = Store::Heap(heap);
        }
        Ok(())
    }

    #[cfg(not(feature = "std"))]
    fn spill(&mut self, element: T) -> Result<(), T> {
        Err(element)
    }

    /// The elements.
    #[inline]
    pub fn as_slice(&self) -> &[T] {
        match &self.0 {
            Store::Inline(inline) => inline,
            #[cfg(feature = "std")]
            Store::Heap(heap) => heap,
        }
    }
}

impl<T, const INLINE: usize, const CAP: usize> Deref for List<T, INLINE, CAP> {
    type Target = [T];

    #[inline]
    fn deref(&self) -> &[T] {
        self.as_slice()
    }
}

impl<T, const INLINE: usize, const CAP: usize> DerefMut for List<T, INLINE, CAP> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [T] {
        match &mut self.0 {
            Store::Inline(inline) => inline,
            #[cfg(feature = "std")]
            Store::Heap(heap) => heap,
        }
    }
}

impl<T, const INLINE: usize, const CAP: usize> Default for List<T, INLINE, CAP> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: PartialEq, const INLINE: usize, const CAP: usize> PartialEq for List<T, INLINE, CAP> {
    fn eq(&self, other: &Self) -> bool {
        self.as_slice() == other.as_slice()
    }
}

impl<T: Eq, const INLINE: usize, const CAP: usize> Eq for List<T, INLINE, CAP> {}

impl<T: fmt::Debug, const INLINE: usize, const CAP: usize> fmt::Debug for List<T, INLINE, CAP> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_slice().fmt(f)
    }
}

impl<'a, T, const INLINE: usize, const CAP: usize> IntoIterator for &'a List<T, INLINE, CAP> {
    type Item = &'a T;
    type IntoIter = core::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.as_slice().iter()
    }
}

#[cfg(all(test, feature = "std"))]
mod tests {
    use super::*;

    #[test]
    fn spills_past_its_inline_size_and_refuses_past_its_capacity() {
        let mut list = List::<u8, 2, 4>::new();
        for i in 0..4 {
            assert_eq!(list.push(i), Ok(()));
            assert!(matches!((&list.0, i), (Store::Inline(_), 0..=1) | (Store::Heap(_), 2..)), "at {i}");
        }
        assert_eq!(list.push(4), Err(4));
        assert_eq!(list.as_slice(), [0, 1, 2, 3]);
        assert_eq!(List::<u8, 8, 1>::try_from_iter([1, 2]), None);
    }
}
