//! The declarative layer: one table per type gives the Rust type, its UPER form and its JER names.

/// Declares a SEQUENCE: `req` components are mandatory, `opt` OPTIONAL, `def(value)` DEFAULT; after `...` stand the
/// extension additions, `+` for a single component and `[[ ]]` for a group. Each line is
/// `kind name: RustType = Codec, "jerName" | "release-1 jerName";`.
macro_rules! sequence {
    (
        $(#[$meta:meta])*
        pub struct $name:ident {
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
    };
}

/// Declares a CHOICE: `Variant(RustType) = Codec, "jerName";`; after `...` an unknown alternative is kept as bytes.
macro_rules! choice {
    (
        $(#[$meta:meta])*
        pub enum $name:ident {
            $( $(#[$vm:meta])* $variant:ident($ty:ty) = $codec:ty, $jer:literal; )*
            $( ... ; $( $(#[$am:meta])* + $avariant:ident($aty:ty) = $acodec:ty, $ajer:literal; )* )?
        }
    ) => {
        $crate::uper::declare::choice_type! {
            $(#[$meta])*
            pub enum $name { $( $(#[$vm])* $variant($ty), )* }
            $( extensible { $( $(#[$am])* $avariant($aty), )* } )?
        }
    };
}

macro_rules! choice_type {
    ($(#[$meta:meta])* pub enum $name:ident { $($body:tt)* }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq)]
        pub enum $name { $($body)* }
    };
    ($(#[$meta:meta])* pub enum $name:ident { $($body:tt)* } extensible { $($more:tt)* }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq)]
        pub enum $name {
            $($body)*
            $($more)*
            /// An alternative of a later version, kept as received.
            Unknown($crate::uper::UnknownAlternative),
        }
    };
}

/// Declares an ENUMERATED: `Variant "jerName",` in wire order; after `...` the extension values.
macro_rules! enumerated {
    (
        $(#[$meta:meta])*
        pub enum $name:ident {
            $( $(#[$vm:meta])* $variant:ident $jer:literal $(| $r1:literal)?, )*
            $( ... $( $(#[$am:meta])* + $avariant:ident $ajer:literal, )* )?
        }
    ) => {
        $crate::uper::declare::enumerated_type! {
            $(#[$meta])*
            pub enum $name { $( $(#[$vm])* $variant, )* }
            $( extensible { $( $(#[$am])* $avariant, )* } )?
        }
    };
}

macro_rules! enumerated_type {
    ($(#[$meta:meta])* pub enum $name:ident { $($body:tt)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $($body)* }
    };
    ($(#[$meta:meta])* pub enum $name:ident { $($body:tt)* } extensible { $($more:tt)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name {
            $($body)*
            $($more)*
            /// A value of a later version: its index among the extension values.
            Other(u8),
        }
    };
}

/// Declares an INTEGER whose values are named: `Variant = code,`; other codes of `min..=max` are `Other(code)`.
macro_rules! codes {
    (
        $(#[$meta:meta])*
        pub enum $name:ident: $min:literal..=$max:literal { $( $(#[$vm:meta])* $variant:ident = $code:literal, )* }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name {
            $( $(#[$vm])* $variant, )*
            /// A code without a name here.
            Other(u8),
        }

        impl $name {
            /// The code on the wire.
            pub const fn code(self) -> u8 {
                match self {
                    $( Self::$variant => $code, )*
                    Self::Other(code) => code,
                }
            }

            /// The value of a wire code.
            pub const fn from_code(code: u8) -> Self {
                match code {
                    $( $code => Self::$variant, )*
                    other => Self::Other(other),
                }
            }
        }
    };
}

/// Declares a BIT STRING of named bits, of a fixed size or (`N, ...`) of an extensible one.
macro_rules! bit_string {
    (
        $(#[$meta:meta])*
        pub struct $name:ident: $len:literal $(, $ext:tt)? { $( $(#[$bm:meta])* $bit:ident = $index:literal, )* }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $name {
            bits: u32,
            len: u8,
        }

        impl Default for $name {
            fn default() -> Self {
                Self { bits: 0, len: $len }
            }
        }

        impl $name {
            $( $(#[$bm])* pub const $bit: Self = Self { bits: 1 << $index, len: $len }; )*

            /// From a mask in which bit `i` of the standard has the weight `1 << i`.
            pub const fn from_mask(mask: u32) -> Self {
                Self { bits: mask & (((1u64 << $len) - 1) as u32), len: $len }
            }

            /// The mask in which bit `i` of the standard has the weight `1 << i`.
            pub const fn mask(self) -> u32 {
                self.bits
            }

            /// Whether every bit of `other` is set here.
            pub const fn contains(self, other: Self) -> bool {
                self.bits & other.bits == other.bits
            }
        }

        impl std::ops::BitOr for $name {
            type Output = Self;

            fn bitor(self, other: Self) -> Self {
                Self { bits: self.bits | other.bits, len: self.len.max(other.len) }
            }
        }
    };
}

macro_rules! field_type {
    (req $ty:ty) => { $ty };
    (def $ty:ty) => { $ty };
    (opt $ty:ty) => { Option<$ty> };
}

pub(crate) use {bit_string, choice, choice_type, codes, enumerated, enumerated_type, field_type, sequence};
