//! Numbers with a unit: how a Rust value in SI units becomes a code and back.

use crate::uper::error::UperErrorKind;

/// Smallest and largest code of an available value, given the special codes.
pub(crate) struct Range {
    pub(crate) min: i64,
    pub(crate) max: i64,
    pub(crate) below: Option<i64>,
    pub(crate) above: Option<i64>,
    pub(crate) unavailable: Option<i64>,
    /// "Unavailable" at the low end of the range.
    pub(crate) first: Option<i64>,
}

impl Range {
    /// Smallest code of a value.
    const fn lowest(&self) -> i64 {
        match (self.below, self.first) {
            (Some(below), _) => below + 1,
            (None, Some(first)) => first + 1,
            (None, None) => self.min,
        }
    }

    /// Largest code of a value.
    const fn highest(&self) -> i64 {
        match (self.above, self.unavailable) {
            (Some(above), _) => above - 1,
            (None, Some(unavailable)) => unavailable - 1,
            (None, None) => self.max,
        }
    }

    /// The code of `steps`, a value in steps of the element.
    #[inline(always)]
    pub(crate) fn code(&self, steps: f64) -> Result<i64, UperErrorKind> {
        // Half away from zero; `f64::round` is a function call on the baseline x86-64.
        let code = (steps + 0.5f64.copysign(steps)) as i64;
        if code >= self.lowest() && code <= self.highest() && !steps.is_nan() {
            return Ok(code);
        }
        self.out_of_range(steps)
    }

    #[cold]
    #[inline(never)]
    fn out_of_range(&self, steps: f64) -> Result<i64, UperErrorKind> {
        if steps > 0.0 && steps < 1.0 && self.lowest() == 1 {
            // There is no zero: a small value is the smallest.
            return Ok(1);
        }
        let mark = if steps < 0.0 || steps < self.lowest() as f64 { self.below } else { self.above };
        if steps.is_nan() {
            return Err(UperErrorKind::NotANumber);
        }
        mark.ok_or(UperErrorKind::OutOfRange { value: steps, min: self.lowest(), max: self.highest() })
    }
}

/// Declares quantities: `Name: type [min..=max] scale, mark code, …;`. The scale is `per` steps in one unit, rounded to the
/// nearest step, `upto` the same for an accuracy, rounded up, or `times` units in one step.
macro_rules! quantities_codec {
    ($( $name:ident : $ty:ident [$min:literal..=$max:literal] $kind:ident $scale:tt $(, $mark:ident $code:literal)* ; )*) => {
        $(
            pub(crate) struct $name;

            impl $name {
                const RANGE: $crate::uper::quantity::Range = {
                    #[allow(unused_mut)]
                    let mut range = $crate::uper::quantity::Range {
                        min: $min,
                        max: $max,
                        below: None,
                        above: None,
                        unavailable: None,
                        first: None,
                    };
                    $( $crate::uper::quantity::mark!(range, $mark, $code); )*
                    range
                };
            }

            $crate::uper::quantity::coded! { $name, $ty, $kind, $scale, [$($mark)*] }
        )*

        /// Name, smallest and largest code of every quantity, and the code of the value of a code.
        #[cfg(test)]
        type Recode = fn(i64) -> Result<i64, $crate::uper::UperErrorKind>;
        #[cfg(test)]
        const QUANTITIES: &[(&str, i64, i64, Recode)] =
            &[$( (stringify!($name), $name::RANGE.min, $name::RANGE.max, |code| $name::to_code(&$name::from_code(code))) ),*];
    };
}

macro_rules! mark {
    ($range:ident, wraps, $code:literal) => {};
    ($range:ident, circular, $code:literal) => {};
    ($range:ident, $mark:ident, $code:literal) => {
        $range.$mark = Some($code);
    };
}

/// The value of a code, and the steps of a value.
macro_rules! scale {
    (value f32 per $scale:tt, $code:expr) => {
        $code as f32 / $scale as f32
    };
    (value f64 per $scale:tt, $code:expr) => {
        $code as f64 / $scale
    };
    (value $ty:ident upto $scale:tt, $code:expr) => {
        $crate::uper::quantity::scale!(value $ty per $scale, $code)
    };
    (value $ty:ident times $scale:tt, $code:expr) => {
        ($code as $ty) * ($scale as $ty)
    };
    (steps per $scale:tt, $value:expr) => {
        f64::from($value) * ($scale as f64)
    };
    // A bound rounds up; the hundredth of a step is for values that are a step but for the precision of f32.
    (steps upto $scale:tt, $value:expr) => {
        f64::from($value) * ($scale as f64) + 0.49
    };
    (steps times $scale:tt, $value:expr) => {
        f64::from($value) / ($scale as f64)
    };
}

macro_rules! coded {
    ($name:ident, $ty:ident, $kind:ident, $scale:tt, []) => {
        $crate::uper::quantity::coded! { @impl $name, $ty, value => {
            Self::RANGE.code($crate::uper::quantity::scale!(steps $kind $scale, *value))
        }, code => { $crate::uper::quantity::scale!(value $ty $kind $scale, code) } }
    };
    ($name:ident, $ty:ident, $kind:ident, $scale:tt, [unavailable]) => {
        $crate::uper::quantity::coded! { @impl $name, Option<$ty>, value => {
            match value {
                Some(value) => Self::RANGE.code($crate::uper::quantity::scale!(steps $kind $scale, *value)),
                None => Ok(Self::MAX),
            }
        }, code => {
            if code == Self::MAX { None } else { Some($crate::uper::quantity::scale!(value $ty $kind $scale, code)) }
        } }
    };
    // A full turn has a code of its own, "do not use": only the value of a decoded message keeps it, rounding goes to 0.
    ($name:ident, $ty:ident, $kind:ident, $scale:tt, [unavailable wraps]) => {
        $crate::uper::quantity::coded! { @impl $name, Option<$ty>, value => {
            match value {
                Some(value) => {
                    let code = Self::RANGE.code($crate::uper::quantity::scale!(steps $kind $scale, *value))?;
                    Ok(if code == Self::MAX - 1 && *value < 360.0 { 0 } else { code })
                }
                None => Ok(Self::MAX),
            }
        }, code => {
            if code == Self::MAX { None } else { Some($crate::uper::quantity::scale!(value $ty $kind $scale, code)) }
        } }
    };
    // A value that rounds up to a full turn goes to 0: the code of a full turn is "unavailable".
    ($name:ident, $ty:ident, $kind:ident, $scale:tt, [unavailable circular]) => {
        $crate::uper::quantity::coded! { @impl $name, Option<$ty>, value => {
            let steps = |value: $ty| $crate::uper::quantity::scale!(steps $kind $scale, value);
            match value {
                Some(value) if *value < 360.0 && steps(*value) + 0.5 >= Self::MAX as f64 => Ok(0),
                Some(value) => Self::RANGE.code(steps(*value)),
                None => Ok(Self::MAX),
            }
        }, code => {
            if code == Self::MAX { None } else { Some($crate::uper::quantity::scale!(value $ty $kind $scale, code)) }
        } }
    };
    ($name:ident, $ty:ident, $kind:ident, $scale:tt, [first]) => {
        $crate::uper::quantity::coded! { @impl $name, Option<$ty>, value => {
            match value {
                Some(value) => Self::RANGE.code($crate::uper::quantity::scale!(steps $kind $scale, *value)),
                None => Ok(Self::MIN),
            }
        }, code => {
            if code == Self::MIN { None } else { Some($crate::uper::quantity::scale!(value $ty $kind $scale, code)) }
        } }
    };
    ($name:ident, $ty:ident, $kind:ident, $scale:tt, [first above]) => {
        $crate::uper::quantity::coded! { @impl $name, Option<$crate::cdd::Reading<$ty>>, value => {
            match value {
                Some($crate::cdd::Reading::Value(value)) => {
                    Self::RANGE.code($crate::uper::quantity::scale!(steps $kind $scale, *value))
                }
                Some($crate::cdd::Reading::BelowRange) => {
                    Err($crate::uper::UperErrorKind::NoMark("below range"))
                }
                Some($crate::cdd::Reading::AboveRange) => Ok(Self::MAX),
                None => Ok(Self::MIN),
            }
        }, code => {
            match code {
                Self::MIN => None,
                Self::MAX => Some($crate::cdd::Reading::AboveRange),
                code => Some($crate::cdd::Reading::Value($crate::uper::quantity::scale!(value $ty $kind $scale, code))),
            }
        } }
    };
    ($name:ident, $ty:ident, $kind:ident, $scale:tt, [below above]) => {
        $crate::uper::quantity::coded! { @impl $name, $crate::cdd::Reading<$ty>, value => {
            match value {
                $crate::cdd::Reading::Value(value) => {
                    Self::RANGE.code($crate::uper::quantity::scale!(steps $kind $scale, *value))
                }
                $crate::cdd::Reading::BelowRange => Ok(Self::MIN),
                $crate::cdd::Reading::AboveRange => Ok(Self::MAX),
            }
        }, code => {
            match code {
                Self::MIN => $crate::cdd::Reading::BelowRange,
                Self::MAX => $crate::cdd::Reading::AboveRange,
                code => $crate::cdd::Reading::Value($crate::uper::quantity::scale!(value $ty $kind $scale, code)),
            }
        } }
    };
    ($name:ident, $ty:ident, $kind:ident, $scale:tt, [above unavailable]) => {
        $crate::uper::quantity::coded! { @impl $name, Option<$crate::cdd::Reading<$ty>>, value => {
            match value {
                Some($crate::cdd::Reading::Value(value)) => {
                    Self::RANGE.code($crate::uper::quantity::scale!(steps $kind $scale, *value))
                }
                Some($crate::cdd::Reading::BelowRange) => {
                    Err($crate::uper::UperErrorKind::NoMark("below range"))
                }
                Some($crate::cdd::Reading::AboveRange) => Ok(Self::MAX - 1),
                None => Ok(Self::MAX),
            }
        }, code => {
            if code == Self::MAX {
                None
            } else if code == Self::MAX - 1 {
                Some($crate::cdd::Reading::AboveRange)
            } else {
                Some($crate::cdd::Reading::Value($crate::uper::quantity::scale!(value $ty $kind $scale, code)))
            }
        } }
    };
    ($name:ident, $ty:ident, $kind:ident, $scale:tt, [below above unavailable]) => {
        $crate::uper::quantity::coded! { @impl $name, Option<$crate::cdd::Reading<$ty>>, value => {
            match value {
                Some($crate::cdd::Reading::Value(value)) => {
                    Self::RANGE.code($crate::uper::quantity::scale!(steps $kind $scale, *value))
                }
                Some($crate::cdd::Reading::BelowRange) => Ok(Self::MIN),
                Some($crate::cdd::Reading::AboveRange) => Ok(Self::MAX - 1),
                None => Ok(Self::MAX),
            }
        }, code => {
            if code == Self::MAX {
                None
            } else if code == Self::MAX - 1 {
                Some($crate::cdd::Reading::AboveRange)
            } else if code == Self::MIN {
                Some($crate::cdd::Reading::BelowRange)
            } else {
                Some($crate::cdd::Reading::Value($crate::uper::quantity::scale!(value $ty $kind $scale, code)))
            }
        } }
    };
    (@impl $name:ident, $value:ty, $arg:ident => $encode:block, $code:ident => $decode:block) => {
        impl $crate::uper::element::Coded for $name {
            type Value = $value;
            const MIN: i64 = Self::RANGE.min;
            const MAX: i64 = Self::RANGE.max;

            #[inline(always)]
            fn to_code($arg: &$value) -> Result<i64, $crate::uper::UperErrorKind> $encode

            #[inline(always)]
            fn from_code($code: i64) -> $value $decode
        }
    };
}

pub(crate) use crate::uper::tables::quantities;
pub(crate) use {coded, mark, quantities_codec, scale};
