//! The declarative layer, continued: how a SEQUENCE is decoded.

use crate::uper::Failed;
use crate::uper::reader::BitReader;

/// Decoding of a SEQUENCE as [`sequence!`](crate::uper::declare::sequence) declares it: a small one gives its value, a
/// large one (`in_place`) fills one that is already where it stays.
macro_rules! sequence_decode {
    (
        []
        $name:ident {
            $( $kind:ident $(($default:expr))? $field:ident = $codec:ty, $jer:literal ; )*
            $( ... ;
                $( + $afield:ident = $acodec:ty, $ajer:literal ; )*
                $( [[ $( $gfield:ident = $gcodec:ty, $gjer:literal ; )* ]] )*
            )?
        }
    ) => {
        const BITS: u32 = 0
            $( + $crate::uper::declare_decode::bits!($kind, $codec) )*
            $( + { $( let _ = stringify!($afield); )* $crate::uper::element::ANY_SIZE } )?;

        #[inline(always)]
        #[allow(unused_variables, unreachable_code, reason = "a sequence of one size only has mandatory components")]
        fn from_word(word: &mut $crate::uper::reader::Word) -> Option<Self> {
            Some(Self {
                $( $field: $crate::uper::declare_decode::part!(word, $kind, $codec), )*
                $( $( $afield: None, )* $( $( $gfield: None, )* )* )?
            })
        }

        #[inline(always)]
        fn decode(r: &mut $crate::uper::reader::BitReader<'_>) -> Result<Self, $crate::uper::Failed> {
            if Self::BITS > $crate::uper::reader::BitReader::WIDEST {
                return Self::decode_by_parts(r);
            }
            match r.whole::<Self>() {
                Some(value) => Ok(value),
                None => $crate::uper::declare_decode::explain(Self::decode_by_parts, r),
            }
        }

        // The value of one read goes straight to its place: joined with that of the other way it would take a detour.
        #[inline(always)]
        fn decode_into(
            value: &mut Self,
            r: &mut $crate::uper::reader::BitReader<'_>,
        ) -> Result<(), $crate::uper::Failed> {
            match r.whole::<Self>() {
                Some(whole) => *value = whole,
                None => *value = Self::decode_by_parts(r)?,
            }
            Ok(())
        }

        #[inline(always)]
        fn decode_some(
            slot: &mut Option<Self>,
            r: &mut $crate::uper::reader::BitReader<'_>,
        ) -> Result<(), $crate::uper::Failed> {
            match r.whole::<Self>() {
                Some(whole) => *slot = Some(whole),
                None => *slot = Some(Self::decode_by_parts(r)?),
            }
            Ok(())
        }

        #[inline]
        fn decode_by_parts(r: &mut $crate::uper::reader::BitReader<'_>) -> Result<Self, $crate::uper::Failed> {
                use $crate::uper::declare_decode::{Presence, count, decode_field};
                const EXTENSIBLE: u32 = 0 $( + { $( let _ = stringify!($afield); )* 1 } )?;
                const WIDTH: u32 = EXTENSIBLE $( + count!($kind) )*;
                #[allow(unused_mut, unused_variables)]
                let mut presence = (Presence::new(r.take(WIDTH)?, WIDTH),);
                $(
                    let extended = presence.0.next();
                    let ordinal = r.extensible();
                    $( let _ = stringify!($afield); )*
                )?
                $( decode_field!(r, presence, $kind $(($default))?, $field, $codec, $jer); )*
                $(
                    $( let mut $afield = None; )*
                    $( $( let mut $gfield = None; )* )*
                    if extended {
                        #[allow(unused_mut)]
                        let mut additions = r.additions()?;
                        $(
                            if additions.next_is_present() {
                                let outer = r.open()?;
                                let start = r.position();
                                match <$acodec as $crate::uper::element::Element>::decode(r) {
                                    Ok(addition) => $afield = Some(addition),
                                    Err(failed) => return Err(r.in_field(failed, $ajer)),
                                }
                                r.close(outer, start)?;
                            }
                        )*
                        $(
                            if additions.next_is_present() {
                                const WIDTH: u32 = 0 $( + { let _ = $gjer; 1 } )*;
                                let outer = r.open()?;
                                let start = r.position();
                                let mut presence = (Presence::new(r.take(WIDTH)?, WIDTH), );
                                $( {
                                    decode_field!(r, presence, opt, addition, $gcodec, $gjer);
                                    $gfield = addition;
                                } )*
                                r.close(outer, start)?;
                                if true $( && $gfield.is_none() )* {
                                    return Err(r.fail($crate::uper::UperErrorKind::NotCanonical("empty extension group")));
                                }
                            }
                        )*
                        r.unknown_additions(additions, ordinal, stringify!($name))?;
                    }
                )?
                Ok(Self {
                    $( $field, )*
                    $( $( $afield, )* $( $( $gfield, )* )* )?
                })
        }
    };
    (
        [in_place]
        $name:ident {
            $( $kind:ident $(($default:expr))? $field:ident = $codec:ty, $jer:literal ; )*
            $( ... ;
                $( + $afield:ident = $acodec:ty, $ajer:literal ; )*
                $( [[ $( $gfield:ident = $gcodec:ty, $gjer:literal ; )* ]] )*
            )?
        }
    ) => {
        #[inline(always)]
        fn decode(r: &mut $crate::uper::reader::BitReader<'_>) -> Result<Self, $crate::uper::Failed> {
            let mut value = Self::default();
            Self::decode_into(&mut value, r)?;
            Ok(value)
        }

        #[inline(always)]
        fn decode_some(
            slot: &mut Option<Self>,
            r: &mut $crate::uper::reader::BitReader<'_>,
        ) -> Result<(), $crate::uper::Failed> {
            // Not `insert`, which makes the value elsewhere first: what it replaces is dropped in between.
            Self::decode_into(slot.get_or_insert_with(Self::default), r)
        }

        #[inline(always)]
        fn decode_pushed<const INLINE: usize, const CAP: usize>(
            list: &mut $crate::List<Self, INLINE, CAP>,
            r: &mut $crate::uper::reader::BitReader<'_>,
        ) -> Result<(), $crate::uper::Failed> {
            $crate::uper::element::decode_last::<Self, INLINE, CAP>(list, r)
        }

        #[inline]
        fn decode_into(
            value: &mut Self,
            r: &mut $crate::uper::reader::BitReader<'_>,
        ) -> Result<(), $crate::uper::Failed> {
                use $crate::uper::declare_decode::{Presence, count, fill_field};
                const EXTENSIBLE: u32 = 0 $( + { $( let _ = stringify!($afield); )* 1 } )?;
                const WIDTH: u32 = EXTENSIBLE $( + count!($kind) )*;
                #[allow(unused_mut, unused_variables)]
                let mut presence = (Presence::new(r.take(WIDTH)?, WIDTH),);
                $(
                    let extended = presence.0.next();
                    let ordinal = r.extensible();
                    $( let _ = stringify!($afield); )*
                )?
                $( fill_field!(r, presence, $kind $(($default))?, value.$field, $codec, $jer); )*
                $(
                    if extended {
                        #[allow(unused_mut)]
                        let mut additions = r.additions()?;
                        $(
                            if additions.next_is_present() {
                                let outer = r.open()?;
                                let start = r.position();
                                fill_field!(@done r, <$acodec as $crate::uper::element::Element>::decode_some(&mut value.$afield, r), $ajer);
                                r.close(outer, start)?;
                            }
                        )*
                        $(
                            if additions.next_is_present() {
                                const WIDTH: u32 = 0 $( + { let _ = $gjer; 1 } )*;
                                let outer = r.open()?;
                                let start = r.position();
                                let mut presence = (Presence::new(r.take(WIDTH)?, WIDTH), );
                                $( fill_field!(r, presence, opt, value.$gfield, $gcodec, $gjer); )*
                                r.close(outer, start)?;
                                if true $( && value.$gfield.is_none() )* {
                                    return Err(r.fail($crate::uper::UperErrorKind::NotCanonical("empty extension group")));
                                }
                            }
                        )*
                        r.unknown_additions(additions, ordinal, stringify!($name))?;
                    }
                )?
                Ok(())
        }
    };
}

/// Finds out by parts what is wrong with a sequence that could not be read as a whole.
#[cold]
#[inline(never)]
pub(crate) fn explain<T>(
    by_parts: fn(&mut BitReader<'_>) -> Result<T, Failed>,
    r: &mut BitReader<'_>,
) -> Result<T, Failed> {
    by_parts(r)
}

/// Presence bits on their way in.
pub(crate) struct Presence(u64);

impl Presence {
    #[inline(always)]
    pub(crate) const fn new(bits: u64, width: u32) -> Self {
        Self(if width == 0 { 0 } else { bits << (64 - width) })
    }

    #[inline(always)]
    pub(crate) fn next(&mut self) -> bool {
        let present = self.0 >> 63 == 1;
        self.0 <<= 1;
        present
    }
}

/// What a component adds to the size of its sequence.
macro_rules! bits {
    (req, $codec:ty) => {
        <$codec as $crate::uper::element::Element>::BITS
    };
    ($optional:ident, $codec:ty) => {
        $crate::uper::element::ANY_SIZE
    };
}

/// A component of a sequence that always has the same size.
macro_rules! part {
    ($word:ident, req, $codec:ty) => {
        <$codec as $crate::uper::element::Element>::from_word($word)?
    };
    ($word:ident, $optional:ident, $codec:ty) => {
        return None
    };
}

macro_rules! count {
    (req) => {
        0
    };
    (opt) => {
        1
    };
    (def) => {
        1
    };
}

macro_rules! decode_field {
    ($r:ident, $presence:ident, req, $field:ident, $codec:ty, $jer:literal) => {
        let $field = match <$codec as $crate::uper::element::Element>::decode($r) {
            Ok(value) => value,
            Err(failed) => return Err($r.in_field(failed, $jer)),
        };
    };
    ($r:ident, $presence:ident, opt, $field:ident, $codec:ty, $jer:literal) => {
        let $field = if $presence.0.next() {
            match <$codec as $crate::uper::element::Element>::decode($r) {
                Ok(value) => Some(value),
                Err(failed) => return Err($r.in_field(failed, $jer)),
            }
        } else {
            None
        };
    };
    ($r:ident, $presence:ident, def ($default:expr), $field:ident, $codec:ty, $jer:literal) => {
        let $field = if $presence.0.next() {
            match <$codec as $crate::uper::element::Element>::decode($r) {
                Ok(value) if value != $default => value,
                Ok(_) => {
                    let kind = $crate::uper::UperErrorKind::NotCanonical("default value that is written out");
                    let failed = $r.fail(kind);
                    return Err($r.in_field(failed, $jer));
                }
                Err(failed) => return Err($r.in_field(failed, $jer)),
            }
        } else {
            $default
        };
    };
}

/// Decodes a component into its place.
macro_rules! fill_field {
    ($r:ident, $presence:ident, req, $slot:expr, $codec:ty, $jer:literal) => {
        $crate::uper::declare_decode::fill_field!(
            @done $r, <$codec as $crate::uper::element::Element>::decode_into(&mut $slot, $r), $jer
        );
    };
    ($r:ident, $presence:ident, opt, $slot:expr, $codec:ty, $jer:literal) => {
        if $presence.0.next() {
            $crate::uper::declare_decode::fill_field!(
                @done $r, <$codec as $crate::uper::element::Element>::decode_some(&mut $slot, $r), $jer
            );
        }
    };
    ($r:ident, $presence:ident, def ($default:expr), $slot:expr, $codec:ty, $jer:literal) => {
        $crate::uper::declare_decode::decode_field!($r, $presence, def ($default), component, $codec, $jer);
        $slot = component;
    };
    (@done $r:ident, $done:expr, $jer:literal) => {
        if let Err(failed) = $done {
            return Err($r.in_field(failed, $jer));
        }
    };
}

pub(crate) use {bits, count, decode_field, fill_field, part, sequence_decode};
