//! One table a type: each macro here hands its table to those that make the Rust type with its UPER and JSON forms, and
//! to those that make its protobuf form and schema.

macro_rules! tables {
    ($dollar:tt $( $(#[$meta:meta])* $name:ident: $codec:path, $image:path; )*) => {
        $(
            $(#[$meta])*
            macro_rules! $name {
                ($dollar($dollar table:tt)*) => {
                    $codec! { $dollar($dollar table)* }
                    #[cfg(feature = "std")]
                    $image! { $dollar($dollar table)* }
                };
            }
        )*
        pub(crate) use {$( $name ),*};
    };
}

tables! { $
    /// A SEQUENCE.
    sequence: crate::uper::declare::sequence_codec, crate::protobuf::declare::sequence_image;
    /// A CHOICE.
    choice: crate::uper::declare_values::choice, crate::protobuf::declare::choice_image;
    /// An ENUMERATED.
    enumerated: crate::uper::declare_values::enumerated, crate::protobuf::declare::enumerated_image;
    /// An INTEGER whose values are named.
    codes: crate::uper::declare_values::codes, crate::protobuf::declare::codes_image;
    /// A BIT STRING.
    bit_string: crate::uper::declare_values::bit_string, crate::protobuf::declare::bit_string_image;
    /// Numbers with a unit.
    quantities: crate::uper::quantity::quantities_codec, crate::protobuf::declare::quantities_image;
    /// Containers that are told apart by a number.
    container_set: crate::containers::container_set_codec, crate::protobuf::declare::container_set_image;
    /// A message.
    message: crate::message::message_codec, crate::protobuf::declare::message_image;
    /// Sub-causes of a cause.
    sub_causes: crate::cdd::cause::sub_causes_codec, crate::protobuf::declare::sub_causes_image;
    /// Causes with their sub-causes.
    causes: crate::cdd::cause::causes_codec, crate::protobuf::declare::causes_image;
}
