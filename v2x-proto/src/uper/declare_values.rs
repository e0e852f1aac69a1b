//! The declarative layer, continued: CHOICE, ENUMERATED, named INTEGER values and BIT STRING.

/// Declares a CHOICE: `Variant(RustType) = Codec, "jerName";`; after `...` stand the extension alternatives, and one that
/// is not known is kept as bytes. `pub enum Name in_place` is for a large value; it and its alternatives need a `Default`.
macro_rules! choice {
    (
        $(#[$meta:meta])*
        pub enum $name:ident {
            $( $(#[$vm:meta])* $variant:ident($ty:ty) = $codec:ty, $jer:literal; )*
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq)]
        pub enum $name {
            $( $(#[$vm])* $variant($ty), )*
        }

        impl $crate::uper::element::Element for $name {
            type Value = Self;

            #[inline]
            fn encode(
                value: &Self,
                w: &mut $crate::uper::writer::BitWriter<'_>,
            ) -> Result<(), $crate::uper::Failed> {
                $crate::uper::declare_values::choice!(@root w, value, $name, [$( $variant $codec, $jer; )*])
            }

            #[inline]
            fn decode(r: &mut $crate::uper::reader::BitReader<'_>) -> Result<Self, $crate::uper::Failed> {
                $crate::uper::declare_values::choice!(@decode r, $name, [$( $variant $codec, $jer; )*])
            }
        }

        #[cfg(feature = "std")]
        impl $crate::json::Image for $name {
            fn to_jer(value: &Self, names: $crate::json::Naming) -> $crate::jer::Jer {
                match value {
                    $( Self::$variant(value) => names.member(
                        stringify!($name),
                        $jer,
                        <$codec as $crate::json::Image>::to_jer(value, names),
                    ), )*
                }
            }

            fn from_image(image: &$crate::jer::Jer) -> Result<Self, $crate::json::ImageError> {
                let members = $crate::json::members(image)?;
                $(
                    if let Some(value) = $crate::json::optional::<$codec>(members, stringify!($name), $jer)? {
                        return Ok(Self::$variant(value));
                    }
                )*
                Err($crate::json::ImageError::new("none of the alternatives is there"))
            }
        }
    };
    (
        $(#[$meta:meta])*
        pub enum $name:ident $($in_place:ident)? {
            $( $(#[$vm:meta])* $variant:ident($ty:ty) = $codec:ty, $jer:literal; )*
            ... ;
            $( $(#[$am:meta])* + $avariant:ident($aty:ty) = $acodec:ty, $ajer:literal; )*
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq)]
        #[allow(clippy::large_enum_variant, reason = "the large alternatives are the usual ones, the others are rare")]
        pub enum $name {
            $( $(#[$vm])* $variant($ty), )*
            $( $(#[$am])* $avariant($aty), )*
            /// An alternative of a later version.
            Unknown($crate::uper::UnknownAlternative),
        }

        impl $crate::uper::element::Element for $name {
            type Value = Self;

            #[inline]
            fn encode(
                value: &Self,
                w: &mut $crate::uper::writer::BitWriter<'_>,
            ) -> Result<(), $crate::uper::Failed> {
                #[allow(unused)]
                enum Addition { $( $avariant, )* Unknown }
                w.bit(matches!(value, $( Self::$avariant(_) | )* Self::Unknown(_)));
                match value {
                    $( Self::$avariant(value) => {
                        w.small_number(Addition::$avariant as u8)?;
                        let done = w.open_type(|w| <$acodec as $crate::uper::element::Element>::encode(value, w));
                        done.map_err(|failed| w.in_field(failed, $ajer))
                    } )*
                    Self::Unknown(unknown) => {
                        w.small_number(unknown.index)?;
                        w.open_raw(&unknown.content)
                    }
                    #[allow(unreachable_patterns)]
                    _ => $crate::uper::declare_values::choice!(@root w, value, $name, [$( $variant $codec, $jer; )*]),
                }
            }

            #[inline]
            fn decode(r: &mut $crate::uper::reader::BitReader<'_>) -> Result<Self, $crate::uper::Failed> {
                #[allow(unused)]
                enum Addition { $( $avariant, )* Unknown }
                if !r.bit()? {
                    return $crate::uper::declare_values::choice!(@decode r, $name, [$( $variant $codec, $jer; )*]);
                }
                let index = r.small_number()?;
                $(
                    if index == Addition::$avariant as u8 {
                        let outer = r.open()?;
                        let start = r.position();
                        let value = match <$acodec as $crate::uper::element::Element>::decode(r) {
                            Ok(value) => value,
                            Err(failed) => return Err(r.in_field(failed, $ajer)),
                        };
                        r.close(outer, start)?;
                        return Ok(Self::$avariant(value));
                    }
                )*
                Ok(Self::Unknown($crate::uper::UnknownAlternative { index, content: r.open_raw()? }))
            }

            $crate::uper::declare_values::choice! { @in_place [$($in_place)?] [$( $variant $codec, $jer; )*] }
        }

        #[cfg(feature = "std")]
        impl $crate::json::Image for $name {
            fn to_jer(value: &Self, names: $crate::json::Naming) -> $crate::jer::Jer {
                match value {
                    $( Self::$variant(value) => names.member(
                        stringify!($name),
                        $jer,
                        <$codec as $crate::json::Image>::to_jer(value, names),
                    ), )*
                    $( Self::$avariant(value) => names.member(
                        stringify!($name),
                        $ajer,
                        <$acodec as $crate::json::Image>::to_jer(value, names),
                    ), )*
                    Self::Unknown(unknown) => $crate::json::unknown_to_jer(unknown),
                }
            }

            fn from_image(image: &$crate::jer::Jer) -> Result<Self, $crate::json::ImageError> {
                let members = $crate::json::members(image)?;
                $(
                    if let Some(value) = $crate::json::optional::<$codec>(members, stringify!($name), $jer)? {
                        return Ok(Self::$variant(value));
                    }
                )*
                $(
                    if let Some(value) = $crate::json::optional::<$acodec>(members, stringify!($name), $ajer)? {
                        return Ok(Self::$avariant(value));
                    }
                )*
                $crate::json::unknown_from_image(members).map(Self::Unknown)
            }
        }
    };
    (@in_place [] $alternatives:tt) => {};
    // A large alternative is decoded where it stays; all of them have a default.
    (@in_place [in_place] [$( $variant:ident $codec:ty, $jer:literal; )*]) => {
        #[inline]
        fn decode_into(
            value: &mut Self,
            r: &mut $crate::uper::reader::BitReader<'_>,
        ) -> Result<(), $crate::uper::Failed> {
            enum Alternative { $( $variant, )* }
            const LAST: i64 = [$( Alternative::$variant as i64 ),*].len() as i64 - 1;
            const WIDTH: u32 = $crate::uper::element::width(0, LAST);
            let start = r.position();
            if !r.bit()? {
                let index = r.take(WIDTH)?;
                $(
                    if index == Alternative::$variant as u64 {
                        *value = Self::$variant(Default::default());
                        #[allow(irrefutable_let_patterns)]
                        if let Self::$variant(value) = value
                            && let Err(failed) = <$codec as $crate::uper::element::Element>::decode_into(value, r)
                        {
                            return Err(r.in_field(failed, $jer));
                        }
                        return Ok(());
                    }
                )*
            }
            r.seek(start);
            *value = Self::decode(r)?;
            Ok(())
        }

        #[inline(always)]
        fn decode_some(
            slot: &mut Option<Self>,
            r: &mut $crate::uper::reader::BitReader<'_>,
        ) -> Result<(), $crate::uper::Failed> {
            Self::decode_into(slot.get_or_insert_with(Self::default), r)
        }
    };
    (@root $w:ident, $value:ident, $name:ident, [$( $variant:ident $codec:ty, $jer:literal; )*]) => {{
        enum Alternative { $( $variant, )* }
        const LAST: i64 = [$( Alternative::$variant as i64 ),*].len() as i64 - 1;
        const WIDTH: u32 = $crate::uper::element::width(0, LAST);
        match $value {
            $( $name::$variant(value) => {
                $w.put(Alternative::$variant as u64, WIDTH);
                let done = <$codec as $crate::uper::element::Element>::encode(value, $w);
                done.map_err(|failed| $w.in_field(failed, $jer))
            } )*
            #[allow(unreachable_patterns)]
            _ => Ok(()),
        }
    }};
    (@decode $r:ident, $name:ident, [$( $variant:ident $codec:ty, $jer:literal; )*]) => {{
        enum Alternative { $( $variant, )* }
        const LAST: i64 = [$( Alternative::$variant as i64 ),*].len() as i64 - 1;
        const WIDTH: u32 = $crate::uper::element::width(0, LAST);
        let index = $r.take(WIDTH)?;
        $(
            if index == Alternative::$variant as u64 {
                let value = <$codec as $crate::uper::element::Element>::decode($r);
                return match value {
                    Ok(value) => Ok($name::$variant(value)),
                    Err(failed) => Err($r.in_field(failed, $jer)),
                };
            }
        )*
        Err($r.fail($crate::uper::UperErrorKind::OutOfRange { value: index as f64, min: 0, max: LAST }))
    }};
}

/// Declares an ENUMERATED: `Variant "jerName",` in wire order; after `...` stand the extension values.
macro_rules! enumerated {
    (
        $(#[$meta:meta])*
        pub enum $name:ident {
            $( $(#[$vm:meta])* $variant:ident $jer:literal $(| $r1:literal)?, )*
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name {
            $( $(#[$vm])* $variant, )*
        }

        impl $name {
            const ALL: [Self; [$( $jer ),*].len()] = [$( Self::$variant ),*];
        }

        impl $crate::uper::element::Coded for $name {
            type Value = Self;
            const MIN: i64 = 0;
            const MAX: i64 = Self::ALL.len() as i64 - 1;

            #[inline(always)]
            fn to_code(value: &Self) -> Result<i64, $crate::uper::UperErrorKind> {
                Ok(*value as i64)
            }

            #[inline(always)]
            fn from_code(code: i64) -> Self {
                Self::ALL[code as usize]
            }

            #[cfg(feature = "std")]
            fn code_to_jer(code: i64, names: $crate::json::Naming) -> $crate::jer::Jer {
                [$( names.value($jer, $crate::uper::declare::r1_name!($($r1)?)) ),*][code as usize]
                    .map_or_else(|| code.into(), Into::into)
            }
        }
    };
    (
        $(#[$meta:meta])*
        pub enum $name:ident {
            $( $(#[$vm:meta])* $variant:ident $jer:literal, )*
            ...
            $( $(#[$am:meta])* + $avariant:ident $ajer:literal, )*
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name {
            $( $(#[$vm])* $variant, )*
            $( $(#[$am])* $avariant, )*
            /// A value of a later version: its index among the extension values, 0..=63.
            Other(u8),
        }

        impl $name {
            const ROOT: [Self; [$( $jer ),*].len()] = [$( Self::$variant ),*];
            const ADDED: &'static [Self] = &[$( Self::$avariant ),*];
            #[cfg(feature = "std")]
            const NAMES: &'static [&'static str] = &[$( $jer, )* $( $ajer, )*];

            /// Index among the root values, then the extension values.
            const fn index(self) -> usize {
                #[allow(unused)]
                enum Name { $( $variant, )* $( $avariant, )* }
                match self {
                    $( Self::$variant => Name::$variant as usize, )*
                    $( Self::$avariant => Name::$avariant as usize, )*
                    Self::Other(index) => Self::ROOT.len() + index as usize,
                }
            }
        }

        impl $crate::uper::element::Element for $name {
            type Value = Self;

            #[inline]
            fn encode(
                value: &Self,
                w: &mut $crate::uper::writer::BitWriter<'_>,
            ) -> Result<(), $crate::uper::Failed> {
                let index = value.index();
                w.bit(index >= Self::ROOT.len());
                if index >= Self::ROOT.len() {
                    return w.small_number((index - Self::ROOT.len()) as u8);
                }
                w.put(index as u64, const { $crate::uper::element::width(0, Self::ROOT.len() as i64 - 1) });
                Ok(())
            }

            #[inline]
            fn decode(r: &mut $crate::uper::reader::BitReader<'_>) -> Result<Self, $crate::uper::Failed> {
                if r.bit()? {
                    let index = r.small_number()?;
                    return Ok(Self::ADDED.get(usize::from(index)).copied().unwrap_or(Self::Other(index)));
                }
                let index = r.take(const { $crate::uper::element::width(0, Self::ROOT.len() as i64 - 1) })? as usize;
                match Self::ROOT.get(index) {
                    Some(value) => Ok(*value),
                    None => Err(r.fail($crate::uper::UperErrorKind::OutOfRange {
                        value: index as f64,
                        min: 0,
                        max: Self::ROOT.len() as i64 - 1,
                    })),
                }
            }
        }

        #[cfg(feature = "std")]
        impl $crate::json::Image for $name {
            fn to_jer(value: &Self, names: $crate::json::Naming) -> $crate::jer::Jer {
                let index = value.index();
                match Self::NAMES.get(index) {
                    Some(name) => names.named(name).map_or_else(|| index.into(), Into::into),
                    None => index.into(),
                }
            }

            fn from_image(image: &$crate::jer::Jer) -> Result<Self, $crate::json::ImageError> {
                let image = &$crate::json::number_of_name(image, Self::NAMES);
                let index = $crate::json::number(image, 0, Self::ROOT.len() as i64 + 63)? as usize;
                let added = index.checked_sub(Self::ROOT.len());
                Ok(match added {
                    None => Self::ROOT[index],
                    Some(added) => Self::ADDED.get(added).copied().unwrap_or(Self::Other(added as u8)),
                })
            }
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

        impl $crate::uper::element::Coded for $name {
            type Value = Self;
            const MIN: i64 = $min;
            const MAX: i64 = $max;

            #[inline(always)]
            fn to_code(value: &Self) -> Result<i64, $crate::uper::UperErrorKind> {
                Ok(i64::from(value.code()))
            }

            #[inline(always)]
            fn from_code(code: i64) -> Self {
                Self::from_code(code as u8)
            }
        }
    };
}

/// Declares a BIT STRING of named bits, of a fixed size or (`N, extensible`) of an extensible one. A schema that lists
/// the bits that are set has their `"names"`.
macro_rules! bit_string {
    (
        $(#[$meta:meta])*
        pub struct $name:ident: $len:literal $(, $extensible:ident)? { $( $(#[$bm:meta])* $bit:ident = $index:literal $($bit_name:literal)?, )* }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq)]
        pub struct $name {
            /// Bit `i` has the weight `1 << i`.
            mask: u32,
            /// Number of bits.
            len: u8,
        }

        impl Default for $name {
            fn default() -> Self {
                Self { mask: 0, len: $len }
            }
        }

        impl $name {
            $( $(#[$bm])* pub const $bit: Self = Self { mask: 1 << $index, len: $len }; )*

            /// Names of the bits and their numbers.
            const NAMES: [(&'static str, u8); [$( $index ),*].len()] = [$( ($crate::uper::declare_values::bit_string!(@name $bit $($bit_name)?), $index) ),*];

            /// From a mask in which bit `i` of the standard has the weight `1 << i`; higher bits are dropped.
            pub const fn from_mask(mask: u32) -> Self {
                Self { mask: mask & (((1u64 << $len) - 1) as u32), len: $len }
            }

            /// The mask in which bit `i` of the standard has the weight `1 << i`.
            pub const fn mask(self) -> u32 {
                self.mask
            }

            /// Whether every bit of `other` is set here.
            pub const fn contains(self, other: Self) -> bool {
                self.mask & other.mask == other.mask
            }

            /// The bits as on the wire, the first one highest.
            const fn first_highest(self) -> u32 {
                self.mask.reverse_bits() >> (32 - self.len as u32)
            }
        }

        impl core::fmt::Debug for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(stringify!($name))?;
                let set = Self::NAMES.iter().filter(|(_, bit)| self.mask >> bit & 1 == 1);
                f.debug_set().entries(set.map(|(name, _)| name)).finish()
            }
        }

        impl core::ops::BitOr for $name {
            type Output = Self;

            fn bitor(self, other: Self) -> Self {
                Self { mask: self.mask | other.mask, len: self.len.max(other.len) }
            }
        }

        impl $crate::uper::element::Element for $name {
            type Value = Self;

            const BITS: u32 = $crate::uper::declare_values::bit_string!(@size $len $(, $extensible)?);

            #[inline(always)]
            fn from_word(word: &mut $crate::uper::reader::Word) -> Option<Self> {
                Some(Self { mask: (word.next($len) as u32).reverse_bits() >> (32 - $len), len: $len })
            }

            #[inline]
            fn encode(
                value: &Self,
                w: &mut $crate::uper::writer::BitWriter<'_>,
            ) -> Result<(), $crate::uper::Failed> {
                $crate::uper::declare_values::bit_string!(@extension_out value, w, $len $(, $extensible)?);
                w.put(u64::from(value.first_highest()), u32::from(value.len));
                Ok(())
            }

            #[inline]
            fn decode(r: &mut $crate::uper::reader::BitReader<'_>) -> Result<Self, $crate::uper::Failed> {
                let len: u32 = $crate::uper::declare_values::bit_string!(@extension_in r, $len $(, $extensible)?);
                let bits = r.take(len)? as u32;
                Ok(Self { mask: bits.reverse_bits() >> (32 - len), len: len as u8 })
            }
        }

        #[cfg(feature = "std")]
        impl $crate::json::Image for $name {
            fn to_jer(value: &Self, names: $crate::json::Naming) -> $crate::jer::Jer {
                $crate::json::bits_to_jer(value.mask, value.len, $len, &Self::NAMES, names)
            }

            fn from_image(image: &$crate::jer::Jer) -> Result<Self, $crate::json::ImageError> {
                let (mask, len) = $crate::json::bits_from_image(image, $len, &Self::NAMES)?;
                Ok(Self { mask, len })
            }
        }
    };
    (@name $bit:ident) => { stringify!($bit) };
    (@name $bit:ident $name:literal) => { $name };
    (@size $len:literal) => { $len };
    (@size $len:literal, $extensible:ident) => { $crate::uper::element::ANY_SIZE };
    (@extension_out $value:ident, $w:ident, $len:literal) => {};
    (@extension_out $value:ident, $w:ident, $len:literal, $extensible:ident) => {
        $w.bit($value.len != $len);
        if $value.len != $len {
            $w.length($value.len.into())?;
        }
    };
    (@extension_in $r:ident, $len:literal) => { $len };
    (@extension_in $r:ident, $len:literal, $extensible:ident) => {
        if $r.bit()? {
            let len = $r.length()?;
            if len == $len || len > 32 || len == 0 {
                return Err($r.fail($crate::uper::UperErrorKind::Count { count: len, min: $len + 1, max: 32 }));
            }
            len as u32
        } else {
            $len
        }
    };
}

pub(crate) use {bit_string, choice, codes, enumerated};
