//! A measured value that the standard can also mark as beyond its range.

/// A value, or the standard's marks for "below" and "above what can be expressed".
///
/// Elements with one "out of range" mark use [`Reading::AboveRange`]. `None` of an `Option<Reading>` is the standard's
/// "unavailable". When a message is encoded, a [`Reading::Value`] outside the element's range becomes the mark where
/// the element has one, and is an error where it has none.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Reading<T = f32> {
    /// A value in the unit that the field's name states.
    Value(T),
    /// Smaller than the element can express.
    BelowRange,
    /// Larger than the element can express (or simply "out of range").
    AboveRange,
}

impl<T: Copy> Reading<T> {
    /// An available value.
    pub const fn of(value: T) -> Option<Self> {
        Some(Self::Value(value))
    }

    /// The value, unless it is out of range.
    pub const fn value(self) -> Option<T> {
        match self {
            Self::Value(value) => Some(value),
            Self::BelowRange | Self::AboveRange => None,
        }
    }
}

impl<T> From<T> for Reading<T> {
    fn from(value: T) -> Self {
        Self::Value(value)
    }
}

impl<T: Default> Default for Reading<T> {
    fn default() -> Self {
        Self::Value(T::default())
    }
}
