//! The declarative layer's protobuf side: from the table of a type its wire form and its schema.
//!
//! The tables are those of [`crate::uper::declare`]; its macros hand them on to the ones here, documentation included.

/// The text of the doc comments among the attributes of an item, one line each.
macro_rules! docs {
    ([ $( [$($attribute:tt)*] )* ]) => {
        concat!($( $crate::protobuf::declare::doc_line!($($attribute)*) ),*)
    };
}

macro_rules! doc_line {
    (doc = $text:literal) => {
        concat!($text, "\n")
    };
    ($($other:tt)*) => {
        ""
    };
}

macro_rules! sequence_image {
    (
        $(#[$($meta:tt)*])*
        pub struct $name:ident $($in_place:ident)? {
            $( $(#[$($fm:tt)*])* $kind:ident $(($default:expr))? $field:ident : $ty:ty = $codec:ty, $jer:literal $(| $r1:literal)? ; )*
            $( ... ;
                $( $(#[$($am:tt)*])* + opt $afield:ident : $aty:ty = $acodec:ty, $ajer:literal ; )*
                $( [[ $( $(#[$($gm:tt)*])* opt $gfield:ident : $gty:ty = $gcodec:ty, $gjer:literal ; )* ]] )*
            )?
        }
    ) => {
        $crate::protobuf::declare::sequence_image! { @components $name [$([$($meta)*])*] {
            $( [$([$($fm)*])*] $kind $(($default))? $field $codec, $jer; )*
            $(
                $( [$([$($am)*])*] opt $afield $acodec, $ajer; )*
                $( $( [$([$($gm)*])*] opt $gfield $gcodec, $gjer; )* )*
            )?
        } }
    };
    (@components $name:ident $docs:tt {
        $( $fdocs:tt $kind:ident $(($default:expr))? $field:ident $codec:ty, $jer:literal; )*
    }) => {
        const _: () = {
            /// Field numbers: the order of declaration.
            #[allow(non_camel_case_types, clippy::upper_case_acronyms, reason = "named after the fields")]
            #[allow(dead_code, reason = "a sequence may have no components")]
            enum Tag { Zero, $( $field, )* }

            impl $crate::protobuf::Proto for $name {
                type Value = Self;

                fn put(
                    value: &Self,
                    w: &mut $crate::protobuf::wire::Writer,
                ) -> Result<(), $crate::protobuf::Fault> {
                    let _ = (value, &w);
                    $( $crate::protobuf::declare::put_component!(
                        $kind $(($default))? value.$field, $codec, Tag::$field as u32, w, $jer
                    ); )*
                    Ok(())
                }

                fn get(r: &mut $crate::protobuf::wire::Reader<'_>) -> Result<Self, $crate::protobuf::Fault> {
                    $( let mut $field = None; )*
                    while let Some(key) = r.next()? {
                        match key.tag {
                            $( tag if tag == Tag::$field as u32 => {
                                $crate::protobuf::declare::get_component!($kind $field, $codec, key, r)
                                    .map_err(|fault| fault.in_field($jer))?;
                            } )*
                            _ => r.skip(key)?,
                        }
                    }
                    Ok(Self { $(
                        $field: $crate::protobuf::declare::settle_component!($kind $(($default))? $field, $codec, r)
                            .map_err(|fault| fault.in_field($jer))?,
                    )* })
                }

                fn describe(schema: &mut $crate::protobuf::schema::Schema) -> $crate::protobuf::schema::Type {
                    use $crate::protobuf::schema::{Field, Form};
                    let docs = $crate::protobuf::declare::docs!($docs);
                    schema.message(module_path!(), stringify!($name), docs, Form::Sequence, |schema| {
                        let _ = &schema;
                        vec![ $( Field {
                            name: $jer,
                            rust: stringify!($field),
                            tag: Tag::$field as u32,
                            presence: $crate::protobuf::declare::presence_of!($kind $(($default))? $codec),
                            wrapped: $crate::protobuf::declare::wrapped!($kind $codec),
                            ty: <$codec as $crate::protobuf::Proto>::describe(schema),
                            comment: $crate::protobuf::declare::docs!($fdocs),
                        }, )* ]
                    })
                }
            }
        };
    };
}

macro_rules! put_component {
    (req $value:expr, $codec:ty, $tag:expr, $w:ident, $jer:literal) => {
        <$codec as $crate::protobuf::Proto>::put_field(&$value, $tag, $w).map_err(|fault| fault.in_field($jer))?
    };
    (opt $value:expr, $codec:ty, $tag:expr, $w:ident, $jer:literal) => {
        $crate::protobuf::put_optional::<$codec>(&$value, $tag, $w).map_err(|fault| fault.in_field($jer))?
    };
    (def ($default:expr) $value:expr, $codec:ty, $tag:expr, $w:ident, $jer:literal) => {
        if $value != $default {
            $crate::protobuf::declare::put_component!(req $value, $codec, $tag, $w, $jer);
        }
    };
}

macro_rules! get_component {
    (opt $slot:ident, $codec:ty, $key:ident, $r:ident) => {
        $crate::protobuf::get_optional::<$codec>(&mut $slot, $key, $r)
    };
    ($kind:ident $slot:ident, $codec:ty, $key:ident, $r:ident) => {
        <$codec as $crate::protobuf::Proto>::get_field(&mut $slot, $key, $r)
    };
}

macro_rules! settle_component {
    (req $slot:ident, $codec:ty, $r:ident) => {
        $crate::protobuf::settle_required::<$codec>($slot, $r)
    };
    (opt $slot:ident, $codec:ty, $r:ident) => {
        $crate::protobuf::settle_optional::<$codec>($slot, $r)
    };
    (def ($default:expr) $slot:ident, $codec:ty, $r:ident) => {
        <$codec as $crate::protobuf::Proto>::settle($slot, $r).map(|value| value.unwrap_or($default))
    };
}

macro_rules! presence_of {
    (req $codec:ty) => {
        $crate::protobuf::schema::Presence::Mandatory
    };
    (opt $codec:ty) => {
        $crate::protobuf::schema::Presence::Optional
    };
    (def ($default:expr) $codec:ty) => {
        $crate::protobuf::schema::Presence::Default(<$codec as $crate::protobuf::Proto>::number(&$default))
    };
}

macro_rules! wrapped {
    (opt $codec:ty) => {
        <$codec as $crate::protobuf::Proto>::MAY_BE_EMPTY
    };
    ($kind:ident $codec:ty) => {
        false
    };
}

macro_rules! choice_image {
    (
        $(#[$($meta:tt)*])*
        pub enum $name:ident $($in_place:ident)? {
            $( $(#[$($vm:tt)*])* $variant:ident($ty:ty) = $codec:ty, $jer:literal; )*
        }
    ) => {
        $crate::protobuf::declare::choice_image! { @alternatives $name [$([$($meta)*])*] {
            $( [$([$($vm)*])*] $variant $codec, $jer; )*
        } }
    };
    (
        $(#[$($meta:tt)*])*
        pub enum $name:ident $($in_place:ident)? {
            $( $(#[$($vm:tt)*])* $variant:ident($ty:ty) = $codec:ty, $jer:literal; )*
            ... ;
            $( $(#[$($am:tt)*])* + $avariant:ident($aty:ty) = $acodec:ty, $ajer:literal; )*
        }
    ) => {
        $crate::protobuf::declare::choice_image! { @alternatives $name [$([$($meta)*])*] {
            $( [$([$($vm)*])*] $variant $codec, $jer; )*
            $( [$([$($am)*])*] $avariant $acodec, $ajer; )*
        } Unknown after [$($avariant)*] }
    };
    (@alternatives $name:ident $docs:tt { $( $vdocs:tt $variant:ident $codec:ty, $jer:literal; )* }
        $($unknown:ident after [$($addition:ident)*])?
    ) => {
        const _: () = {
            /// Field numbers: the order of declaration.
            enum Tag { #[allow(dead_code, reason = "protobuf counts from 1")] Zero, $( $variant, )* }
            $( const KNOWN_ADDITIONS: usize = { let names: &[&str] = &[$(stringify!($addition)),*]; let _ = stringify!($unknown); names.len() }; )?

            impl $crate::protobuf::Proto for $name {
                type Value = Self;

                fn put(
                    value: &Self,
                    w: &mut $crate::protobuf::wire::Writer,
                ) -> Result<(), $crate::protobuf::Fault> {
                    match value {
                        $( Self::$variant(value) => {
                            $crate::protobuf::put_single::<$codec>(value, Tag::$variant as u32, w)
                                .map_err(|fault| fault.in_field($jer))
                        } )*
                        $( Self::$unknown(unknown) => $crate::protobuf::extension::put_unknown(unknown, w), )?
                    }
                }

                fn get(r: &mut $crate::protobuf::wire::Reader<'_>) -> Result<Self, $crate::protobuf::Fault> {
                    let mut found = None;
                    while let Some(key) = r.next()? {
                        match key.tag {
                            $( tag if tag == Tag::$variant as u32 => {
                                let value = $crate::protobuf::get_single::<$codec>(key, r)
                                    .map_err(|fault| fault.in_field($jer))?;
                                r.once(&mut found, Self::$variant(value))?;
                            } )*
                            $( $crate::protobuf::LEFT_OVER => {
                                let unknown = $crate::protobuf::extension::get_unknown(key, KNOWN_ADDITIONS, r)?;
                                r.once(&mut found, Self::$unknown(unknown))?;
                            } )?
                            _ => r.skip(key)?,
                        }
                    }
                    found.ok_or_else(|| r.fault($crate::protobuf::ProtobufErrorKind::NoAlternative))
                }

                fn describe(schema: &mut $crate::protobuf::schema::Schema) -> $crate::protobuf::schema::Type {
                    use $crate::protobuf::schema::{Field, Form, Presence};
                    let docs = $crate::protobuf::declare::docs!($docs);
                    schema.message(module_path!(), stringify!($name), docs, Form::Choice, |schema| vec![
                        $( Field {
                            name: $jer,
                            rust: "",
                            tag: Tag::$variant as u32,
                            presence: Presence::Optional,
                            wrapped: true,
                            ty: <$codec as $crate::protobuf::Proto>::describe(schema),
                            comment: $crate::protobuf::declare::docs!($vdocs),
                        }, )*
                        $( { let _ = stringify!($unknown); $crate::protobuf::extension::unknown_field(schema) } )?
                    ])
                }
            }
        };
    };
}

macro_rules! enumerated_image {
    (
        $(#[$($meta:tt)*])*
        pub enum $name:ident {
            $( $(#[$($vm:tt)*])* $variant:ident $jer:literal $(| $r1:literal)?, )*
        }
    ) => {
        impl $crate::protobuf::values::Described for $name {
            $crate::protobuf::declare::enumerated_image! { @describe $name [$([$($meta)*])*] {
                $( [$([$($vm)*])*] $variant $jer, )*
            } }
        }
    };
    (
        $(#[$($meta:tt)*])*
        pub enum $name:ident {
            $( $(#[$($vm:tt)*])* $variant:ident $jer:literal, )*
            ...
            $( $(#[$($am:tt)*])* + $avariant:ident $ajer:literal, )*
        }
    ) => {
        impl $crate::protobuf::values::Number for $name {
            type Value = Self;

            fn to_number(value: &Self) -> Result<i64, $crate::uper::UperErrorKind> {
                $crate::protobuf::values::in_range(value.index() as i64, 0, Self::ROOT.len() as i64 + 63)
            }

            fn from_number(number: i64) -> Result<Self, $crate::uper::UperErrorKind> {
                let index = $crate::protobuf::values::in_range(number, 0, Self::ROOT.len() as i64 + 63)? as usize;
                Ok(match index.checked_sub(Self::ROOT.len()) {
                    None => Self::ROOT[index],
                    Some(added) => Self::ADDED.get(added).copied().unwrap_or(Self::Other(added as u8)),
                })
            }

            $crate::protobuf::declare::enumerated_image! { @describe $name [$([$($meta)*])*] {
                $( [$([$($vm)*])*] $variant $jer, )*
                $( [$([$($am)*])*] $avariant $ajer, )*
            } }
        }
    };
    (@describe $name:ident $docs:tt { $( $vdocs:tt $variant:ident $jer:literal, )* }) => {
        fn describe(schema: &mut $crate::protobuf::schema::Schema) -> $crate::protobuf::schema::Type {
            #[allow(clippy::enum_variant_names, reason = "the names are the standard's")]
            enum Position { $( $variant, )* }
            let docs = $crate::protobuf::declare::docs!($docs);
            let values = [$( ($jer, Position::$variant as i64, $crate::protobuf::declare::docs!($vdocs)) ),*];
            $crate::protobuf::schema::Type::Enum(
                schema.enumeration(module_path!(), stringify!($name), docs, values),
            )
        }
    };
}

macro_rules! codes_image {
    (
        $(#[$($meta:tt)*])*
        pub enum $name:ident: $min:literal..=$max:literal {
            $( $(#[$($vm:tt)*])* $variant:ident = $code:literal, )*
        }
    ) => {
        $crate::protobuf::declare::codes_image! { @named $name [$([$($meta)*])*] {
            $( [$([$($vm)*])*] $variant = $code, )*
        } }
    };
    (@named $name:ident $docs:tt { $( $vdocs:tt $variant:ident = $code:literal, )* }) => {
        impl $crate::protobuf::values::Described for $name {
            fn describe(schema: &mut $crate::protobuf::schema::Schema) -> $crate::protobuf::schema::Type {
                let docs = $crate::protobuf::declare::docs!($docs);
                let values = [$( (stringify!($variant), $code, $crate::protobuf::declare::docs!($vdocs)) ),*];
                $crate::protobuf::schema::Type::Enum(
                    schema.enumeration(module_path!(), stringify!($name), docs, values),
                )
            }
        }
    };
}

macro_rules! bit_string_image {
    (
        $(#[$($meta:tt)*])*
        pub struct $name:ident: $len:literal { $( $(#[$($bm:tt)*])* $bit:ident = $index:literal $($bit_name:literal)?, )* }
    ) => {
        impl $crate::protobuf::values::Number for $name {
            type Value = Self;

            fn to_number(value: &Self) -> Result<i64, $crate::uper::UperErrorKind> {
                Ok(value.mask.into())
            }

            fn from_number(number: i64) -> Result<Self, $crate::uper::UperErrorKind> {
                let mask = $crate::protobuf::values::in_range(number, 0, (1 << $len) - 1)? as u32;
                Ok(Self { mask, len: $len })
            }

            fn describe(schema: &mut $crate::protobuf::schema::Schema) -> $crate::protobuf::schema::Type {
                $crate::protobuf::schema::Type::Number($crate::protobuf::schema::Note {
                    max: (1 << $len) - 1,
                    bits: Some($crate::protobuf::declare::bit_string_image!(
                        @bits schema, $name [$([$($meta)*])*] { $( [$([$($bm)*])*] $bit = $index, )* }
                    )),
                    ..Default::default()
                })
            }
        }
    };
    (
        $(#[$($meta:tt)*])*
        pub struct $name:ident: $len:literal, extensible { $( $(#[$($bm:tt)*])* $bit:ident = $index:literal $($bit_name:literal)?, )* }
    ) => {
        impl $crate::protobuf::Proto for $name {
            type Value = Self;

            fn put(value: &Self, w: &mut $crate::protobuf::wire::Writer) -> Result<(), $crate::protobuf::Fault> {
                $crate::protobuf::extension::put_bits(value.mask, value.len, $len, w);
                Ok(())
            }

            fn get(r: &mut $crate::protobuf::wire::Reader<'_>) -> Result<Self, $crate::protobuf::Fault> {
                let (mask, len) = $crate::protobuf::extension::get_bits($len, r)?;
                Ok(Self { mask, len })
            }

            fn describe(schema: &mut $crate::protobuf::schema::Schema) -> $crate::protobuf::schema::Type {
                let bits = $crate::protobuf::declare::bit_string_image!(
                    @bits schema, $name [$([$($meta)*])*] { $( [$([$($bm)*])*] $bit = $index, )* }
                );
                let docs = $crate::protobuf::declare::docs!([$([$($meta)*])*]);
                $crate::protobuf::extension::bits_message(schema, module_path!(), stringify!($name), docs, bits, $len)
            }
        }
    };
    (@bits $schema:ident, $name:ident $docs:tt { $( $bdocs:tt $bit:ident = $index:literal, )* }) => {
        $schema.enumeration(
            module_path!(),
            concat!(stringify!($name), "Bit"),
            $crate::protobuf::declare::docs!($docs),
            [$( (stringify!($bit), $index, $crate::protobuf::declare::docs!($bdocs)) ),*],
        )
    };
}

macro_rules! quantities_image {
    ($( $name:ident : $ty:ident [$min:literal..=$max:literal] $kind:ident $scale:tt $(, $mark:ident $code:literal)* ; )*) => { $(
        impl $crate::protobuf::values::Described for $name {
            fn describe(_: &mut $crate::protobuf::schema::Schema) -> $crate::protobuf::schema::Type {
                let $crate::uper::quantity::Range { min, max, below, above, unavailable, first } = Self::RANGE;
                let step = $crate::protobuf::declare::step!($kind $scale);
                $crate::protobuf::schema::Type::Number($crate::protobuf::schema::Note {
                    min,
                    max,
                    step: (step != 1.0).then_some(step),
                    below,
                    above,
                    unavailable: unavailable.or(first),
                    bits: None,
                })
            }
        }
    )* };
}

macro_rules! step {
    (times $scale:tt) => {
        f64::from($scale)
    };
    ($per_or_upto:ident $scale:tt) => {
        1.0 / f64::from($scale)
    };
}

macro_rules! sub_causes_image {
    ($( $(#[$($meta:tt)*])* $name:ident { $( $(#[$($vm:tt)*])* $variant:ident = $code:literal, )* } )*) => { $(
        $crate::protobuf::declare::codes_image! { @named $name [$([$($meta)*])*] {
            [[doc = " Not stated."]] Unavailable = 0,
            $( [$([$($vm)*])*] $variant = $code, )*
        } }
    )* };
}

macro_rules! causes_image {
    ($( $(#[$($meta:tt)*])* $variant:ident($ty:ty) = $code:literal, $jer:literal; )*) => {
        impl $crate::protobuf::Proto for CauseCode {
            type Value = Self;

            fn put(value: &Self, w: &mut $crate::protobuf::wire::Writer) -> Result<(), $crate::protobuf::Fault> {
                match value {
                    Self::Other { cause, sub_cause } => w.nested($crate::protobuf::LEFT_OVER, |w| {
                        w.number(1, (*cause).into());
                        w.number(2, (*sub_cause).into());
                        Ok(())
                    }),
                    known => {
                        w.number(known.code().into(), known.sub_code().into());
                        Ok(())
                    }
                }
            }

            fn get(r: &mut $crate::protobuf::wire::Reader<'_>) -> Result<Self, $crate::protobuf::Fault> {
                use $crate::cdd::codec::Int;
                use $crate::protobuf::get_single;
                let mut found = None;
                while let Some(key) = r.next()? {
                    match key.tag {
                        $( $code )|* => {
                            let sub_cause = get_single::<Int<u8, 0, 255>>(key, r)?;
                            r.once(&mut found, Self::from_codes(key.tag as u8, sub_cause))?;
                        }
                        $crate::protobuf::LEFT_OVER => {
                            let (cause, sub_cause) = $crate::protobuf::extension::get_other_cause(key, r)?;
                            r.once(&mut found, Self::from_codes(cause, sub_cause))?;
                        }
                        _ => r.skip(key)?,
                    }
                }
                found.ok_or_else(|| r.fault($crate::protobuf::ProtobufErrorKind::NoAlternative))
            }

            fn describe(schema: &mut $crate::protobuf::schema::Schema) -> $crate::protobuf::schema::Type {
                use $crate::protobuf::schema::{Field, Form, Presence};
                let docs = " A cause and its sub-cause (`CauseCode`, `CauseCodeV2`); field numbers are `CauseCodeType`.\n";
                schema.message(module_path!(), "CauseCode", docs, Form::Choice, |schema| vec![
                    $( Field {
                        name: $jer,
                        rust: "",
                        tag: $code,
                        presence: Presence::Optional,
                        wrapped: true,
                        ty: <$ty as $crate::protobuf::values::Described>::describe(schema),
                        comment: $crate::protobuf::declare::docs!([$([$($meta)*])*]),
                    }, )*
                    $crate::protobuf::extension::other_cause_field(schema),
                ])
            }
        }
    };
}

macro_rules! container_set_image {
    ($name:ident, count $count:expr, id $id_bit:expr, { $( $id:literal $field:ident = <$codec:ty>, $jer:literal; )* }) => {
        impl $crate::protobuf::Proto for $name {
            type Value = Self;

            fn put(value: &Self, w: &mut $crate::protobuf::wire::Writer) -> Result<(), $crate::protobuf::Fault> {
                $( $crate::protobuf::put_optional::<$codec>(&value.$field, $id, w)
                    .map_err(|fault| fault.in_field($jer))?; )*
                $crate::protobuf::extension::put_order(&value.others, w)
            }

            fn get(r: &mut $crate::protobuf::wire::Reader<'_>) -> Result<Self, $crate::protobuf::Fault> {
                let mut set = Self::default();
                while let Some(key) = r.next()? {
                    match key.tag {
                        $( $id => $crate::protobuf::get_optional::<$codec>(&mut set.$field, key, r)
                            .map_err(|fault| fault.in_field($jer))?, )*
                        $crate::protobuf::LEFT_OVER => $crate::protobuf::extension::get_order(&mut set.others, key, r)?,
                        _ => r.skip(key)?,
                    }
                }
                $( set.$field = $crate::protobuf::settle_optional::<$codec>(set.$field, r)
                    .map_err(|fault| fault.in_field($jer))?; )*
                Ok(set)
            }

            fn describe(schema: &mut $crate::protobuf::schema::Schema) -> $crate::protobuf::schema::Type {
                use $crate::protobuf::schema::{Field, Form, Presence};
                let docs = concat!(
                    " Containers that are told apart by a number, which is the field's (`", stringify!($name), "`).\n",
                );
                schema.message(module_path!(), stringify!($name), docs, Form::Sequence, |schema| vec![
                    $( Field {
                        name: $jer,
                        rust: stringify!($field),
                        tag: $id,
                        presence: Presence::Optional,
                        wrapped: <$codec as $crate::protobuf::Proto>::MAY_BE_EMPTY,
                        ty: <$codec as $crate::protobuf::Proto>::describe(schema),
                        comment: concat!(" Container ", stringify!($id), ".\n"),
                    }, )*
                    $crate::protobuf::extension::order_field(schema),
                ])
            }
        }
    };
}

macro_rules! message_image {
    (
        $(#[$($meta:tt)*])*
        pub struct $name:ident: $asn1:literal, $id:path, version $version:literal, $read:ident {
            $(#[$($fm:tt)*])*
            $field:ident: $ty:ident, $jer:literal;
        }
    ) => {
        impl $crate::protobuf::Proto for $name {
            type Value = Self;

            fn put(value: &Self, w: &mut $crate::protobuf::wire::Writer) -> Result<(), $crate::protobuf::Fault> {
                use $crate::protobuf::put_single;
                put_single::<$crate::cdd::ItsPduHeader>(&value.header, 1, w).map_err(|fault| fault.in_field("header"))?;
                put_single::<$ty>(&value.$field, 2, w).map_err(|fault| fault.in_field($jer))?;
                $crate::protobuf::extension::put_extensions(&value.unknown_extensions, w)
            }

            fn get(r: &mut $crate::protobuf::wire::Reader<'_>) -> Result<Self, $crate::protobuf::Fault> {
                use $crate::protobuf::{extension, settle_required};
                let (mut header, mut content) = (None, None);
                let mut unknown_extensions = $crate::uper::UnknownExtensions::default();
                while let Some(key) = r.next()? {
                    match key.tag {
                        1 => extension::get_header(&mut header, $id, key, r).map_err(|fault| fault.in_field("header"))?,
                        2 => <$ty>::get_field(&mut content, key, r).map_err(|fault| fault.in_field($jer))?,
                        extension::EXTENSIONS => extension::get_extension(&mut unknown_extensions, key, r)
                            .map_err(|fault| fault.in_field("unknownExtensions"))?,
                        _ => r.skip(key)?,
                    }
                }
                Ok(Self {
                    header: settle_required::<$crate::cdd::ItsPduHeader>(header, r)
                        .map_err(|fault| fault.in_field("header"))?,
                    $field: settle_required::<$ty>(content, r).map_err(|fault| fault.in_field($jer))?,
                    unknown_extensions,
                })
            }

            fn describe(schema: &mut $crate::protobuf::schema::Schema) -> $crate::protobuf::schema::Type {
                use $crate::protobuf::extension::{content_field, extensions_field, header_field};
                let docs = $crate::protobuf::declare::docs!([$([$($meta)*])*]);
                let form = $crate::protobuf::schema::Form::Sequence;
                schema.message(module_path!(), stringify!($name), docs, form, |schema| {
                    let content = <$ty as $crate::protobuf::Proto>::describe(schema);
                    let docs = $crate::protobuf::declare::docs!([$([$($fm)*])*]);
                    vec![header_field(schema), content_field($jer, content, docs), extensions_field(schema)]
                })
            }
        }

        impl $name {
            /// The message as protobuf, `masa.etsi.….v1` of the same name.
            ///
            /// # Errors
            /// The component that has a value which the standard cannot express.
            pub fn to_protobuf(&self) -> Result<Vec<u8>, $crate::protobuf::ProtobufError> {
                let mut w = $crate::protobuf::wire::Writer::default();
                let done = <Self as $crate::protobuf::Proto>::put(self, &mut w);
                done.map_err(|fault| fault.into_error($asn1))?;
                Ok(w.out)
            }

            /// The message of its protobuf image.
            ///
            /// # Errors
            /// The first component that is missing or wrong, and its byte offset.
            pub fn from_protobuf(bytes: &[u8]) -> Result<Self, $crate::protobuf::ProtobufError> {
                let mut r = $crate::protobuf::wire::Reader::new(bytes);
                <Self as $crate::protobuf::Proto>::get(&mut r).map_err(|fault| fault.into_error($asn1))
            }
        }
    };
}

pub(crate) use {
    bit_string_image, causes_image, choice_image, codes_image, container_set_image, doc_line, docs, enumerated_image,
    get_component, message_image, presence_of, put_component, quantities_image, sequence_image, settle_component, step,
    sub_causes_image, wrapped,
};
