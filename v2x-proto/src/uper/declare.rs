//! The declarative layer: one table a type gives the Rust type, its UPER form and its JER names.

/// Declares a SEQUENCE: `req` components are mandatory, `opt` OPTIONAL, `def(value)` DEFAULT; after `...` stand the
/// extension additions, `+` before a single component and `[[ ]]` around a group. Each line is
/// `kind name: RustType = Codec, "jerName" | "release-1 jerName";`. `pub struct Name in_place` is for a large value, which
/// then needs a `Default`.
macro_rules! sequence_codec {
    (
        $(#[$meta:meta])*
        pub struct $name:ident $($in_place:ident)? {
            $( $(#[$fm:meta])* $kind:ident $(($default:expr))? $field:ident : $ty:ty = $codec:ty, $jer:literal $(| $r1:literal)? ; )*
            $( ... ;
                $( $(#[$am:meta])* + opt $afield:ident : $aty:ty = $acodec:ty, $ajer:literal ; )*
                $( [[ $( $(#[$gm:meta])* opt $gfield:ident : $gty:ty = $gcodec:ty, $gjer:literal ; )* ]] )*
            )?
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $name {
            $( $(#[$fm])* pub $field: $crate::uper::declare::field_type!($kind $ty), )*
            $(
                $( $(#[$am])* pub $afield: Option<$aty>, )*
                $( $( $(#[$gm])* pub $gfield: Option<$gty>, )* )*
            )?
        }

        impl $crate::uper::element::Element for $name {
            type Value = Self;

            #[inline]
            fn encode(
                value: &Self,
                w: &mut $crate::uper::writer::BitWriter<'_>,
            ) -> Result<(), $crate::uper::Failed> {
                use $crate::uper::declare::{encode_field, presence};
                #[allow(unused_mut)]
                let mut preamble = $crate::uper::declare::Preamble::default();
                $(
                    let unknown = w.extensible(stringify!($name))?;
                    #[allow(unused_mut, reason = "most sequences have no additions yet")]
                    let mut additions = $crate::uper::declare::Preamble::default();
                    $( additions.push(value.$afield.is_some()); )*
                    $( additions.push(false $( || value.$gfield.is_some() )*); )*
                    let extended = additions.any() || unknown.is_some();
                    preamble.push(extended);
                )?
                $( presence!(preamble, $kind $(($default))?, value.$field); )*
                preamble.write(w);
                $( encode_field!(w, $kind $(($default))?, value.$field, $codec, $jer); )*
                $(
                    if extended {
                        w.additions(additions.bits, additions.width, unknown);
                        $(
                            if let Some(addition) = &value.$afield {
                                let done = w.open_type(|w| <$acodec as $crate::uper::element::Element>::encode(addition, w));
                                if let Err(failed) = done {
                                    return Err(w.in_field(failed, $ajer));
                                }
                            }
                        )*
                        $(
                            if false $( || value.$gfield.is_some() )* {
                                w.open_type(|w| {
                                    let mut preamble = $crate::uper::declare::Preamble::default();
                                    $( presence!(preamble, opt, value.$gfield); )*
                                    preamble.write(w);
                                    $( encode_field!(w, opt, value.$gfield, $gcodec, $gjer); )*
                                    Ok(())
                                })?;
                            }
                        )*
                        w.unknown_additions(unknown)?;
                    }
                )?
                Ok(())
            }

            $crate::uper::declare_decode::sequence_decode! {
                [$($in_place)?] $name {
                    $( $kind $(($default))? $field = $codec, $jer ; )*
                    $( ... ;
                        $( + $afield = $acodec, $ajer ; )*
                        $( [[ $( $gfield = $gcodec, $gjer ; )* ]] )*
                    )?
                }
            }
        }

        #[cfg(feature = "std")]
        impl $crate::json::Image for $name {
            fn to_jer(value: &Self, names: $crate::json::Naming) -> $crate::jer::Jer {
                use $crate::uper::declare::jer_field;
                #[allow(unused_mut)]
                let mut object = serde_json::Map::new();
                $( jer_field!($name, object, names, $kind $(($default))?, value.$field, $codec, $jer $(| $r1)?); )*
                $(
                    $( jer_field!($name, object, names, opt, value.$afield, $acodec, $ajer); )*
                    $( $( jer_field!($name, object, names, opt, value.$gfield, $gcodec, $gjer); )* )*
                )?
                object.into()
            }

            fn from_image(image: &$crate::jer::Jer) -> Result<Self, $crate::json::ImageError> {
                use $crate::uper::declare::image_field;
                let members = $crate::json::members(image)?;
                Ok(Self {
                    $( $field: image_field!($name, members, $kind $(($default))?, $codec, $jer), )*
                    $(
                        $( $afield: image_field!($name, members, opt, $acodec, $ajer), )*
                        $( $( $gfield: image_field!($name, members, opt, $gcodec, $gjer), )* )*
                    )?
                })
            }
        }
    };
}

/// Presence bits on their way out.
#[derive(Clone, Copy, Default)]
pub(crate) struct Preamble {
    pub(crate) bits: u64,
    pub(crate) width: u32,
}

impl Preamble {
    #[inline(always)]
    pub(crate) fn push(&mut self, present: bool) {
        self.bits = self.bits << 1 | u64::from(present);
        self.width += 1;
    }

    #[inline(always)]
    pub(crate) fn any(self) -> bool {
        self.bits != 0
    }

    #[inline(always)]
    pub(crate) fn write(self, w: &mut crate::uper::writer::BitWriter<'_>) {
        w.put(self.bits, self.width);
    }
}

macro_rules! field_type {
    (req $ty:ty) => { $ty };
    (def $ty:ty) => { $ty };
    (opt $ty:ty) => { Option<$ty> };
}

macro_rules! presence {
    ($preamble:ident, req, $value:expr) => {};
    ($preamble:ident, opt, $value:expr) => {
        $preamble.push($value.is_some())
    };
    ($preamble:ident, def ($default:expr), $value:expr) => {
        $preamble.push($value != $default)
    };
}

macro_rules! encode_field {
    ($w:ident, req, $value:expr, $codec:ty, $jer:literal) => {
        if let Err(failed) = <$codec as $crate::uper::element::Element>::encode(&$value, $w) {
            return Err($w.in_field(failed, $jer));
        }
    };
    ($w:ident, opt, $value:expr, $codec:ty, $jer:literal) => {
        if let Some(value) = &$value {
            if let Err(failed) = <$codec as $crate::uper::element::Element>::encode(value, $w) {
                return Err($w.in_field(failed, $jer));
            }
        }
    };
    ($w:ident, def ($default:expr), $value:expr, $codec:ty, $jer:literal) => {
        if $value != $default {
            $crate::uper::declare::encode_field!($w, req, $value, $codec, $jer);
        }
    };
}

#[cfg(feature = "std")]
macro_rules! jer_field {
    ($owner:ident, $object:ident, $names:ident, req, $value:expr, $codec:ty, $jer:literal $(| $r1:literal)?) => {
        $object.insert(
            $names.of(stringify!($owner), $jer, $crate::uper::declare::r1_name!($($r1)?)),
            <$codec as $crate::json::Image>::to_jer(&$value, $names),
        );
    };
    ($owner:ident, $object:ident, $names:ident, opt, $value:expr, $codec:ty, $jer:literal $(| $r1:literal)?) => {
        if let Some(value) = &$value {
            $object.insert(
                $names.of(stringify!($owner), $jer, $crate::uper::declare::r1_name!($($r1)?)),
                <$codec as $crate::json::Image>::to_jer(value, $names),
            );
        }
    };
    ($owner:ident, $object:ident, $names:ident, def ($default:expr), $value:expr, $codec:ty, $jer:literal $(| $r1:literal)?) => {
        if $names.writes_defaults() || $value != $default {
            $crate::uper::declare::jer_field!($owner, $object, $names, req, $value, $codec, $jer $(| $r1)?);
        }
    };
}

#[cfg(feature = "std")]
macro_rules! image_field {
    ($owner:ident, $members:ident, req, $codec:ty, $jer:literal) => {
        $crate::json::required::<$codec>($members, stringify!($owner), $jer)?
    };
    ($owner:ident, $members:ident, opt, $codec:ty, $jer:literal) => {
        $crate::json::optional::<$codec>($members, stringify!($owner), $jer)?
    };
    ($owner:ident, $members:ident, def ($default:expr), $codec:ty, $jer:literal) => {
        $crate::json::optional::<$codec>($members, stringify!($owner), $jer)?.unwrap_or($default)
    };
}

#[cfg(feature = "std")]
macro_rules! r1_name {
    () => {
        None
    };
    ($r1:literal) => {
        Some($r1)
    };
}

pub(crate) use crate::uper::tables::{bit_string, choice, codes, enumerated, sequence};
pub(crate) use {encode_field, field_type, presence, sequence_codec};
#[cfg(feature = "std")]
pub(crate) use {image_field, jer_field, r1_name};
