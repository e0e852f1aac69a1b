//! A message of any kind: `masa.etsi.v1.V2xMessage`.

use crate::Message;
use crate::protobuf::schema::{Field, Form, Presence, Schema, Type};
use crate::protobuf::wire::{Reader, Writer};
use crate::protobuf::{Fault, Proto, ProtobufError, ProtobufErrorKind, get_single, put_single};

/// Where the envelope is in the schema.
const PATH: &str = "masa::message";

/// The kinds of message; the field number is the message id.
macro_rules! envelope {
    ($( $variant:ident($ty:ty) = $id:literal, $name:literal; )*) => {
        impl Proto for Message {
            type Value = Self;

            fn put(value: &Self, w: &mut Writer) -> Result<(), Fault> {
                match value {
                    $( Self::$variant(message) => {
                        put_single::<$ty>(message, $id, w).map_err(|fault| fault.in_field($name))
                    } )*
                }
            }

            fn get(r: &mut Reader<'_>) -> Result<Self, Fault> {
                let mut found = None;
                while let Some(key) = r.next()? {
                    match key.tag {
                        $( $id => {
                            let message = get_single::<$ty>(key, r).map_err(|fault| fault.in_field($name))?;
                            r.once(&mut found, Self::$variant(Box::new(message)))?;
                        } )*
                        _ => r.skip(key)?,
                    }
                }
                found.ok_or_else(|| r.fault(ProtobufErrorKind::NoAlternative))
            }

            fn describe(schema: &mut Schema) -> Type {
                let docs = " A message of any kind; the field number is the message id of its header.\n";
                schema.message(PATH, "V2xMessage", docs, Form::Choice, |schema| vec![
                    $( Field {
                        name: $name,
                        rust: "",
                        tag: $id,
                        presence: Presence::Optional,
                        wrapped: true,
                        ty: <$ty>::describe(schema),
                        comment: "",
                    }, )*
                ])
            }
        }
    };
}

envelope! {
    Denm(crate::denm::Denm) = 1, "denm";
    Cam(crate::cam::Cam) = 2, "cam";
    Poim(crate::poim::Poim) = 3, "poim";
    Spatem(crate::spatem::Spatem) = 4, "spatem";
    Mapem(crate::mapem::Mapem) = 5, "mapem";
    Ivim(crate::ivim::Ivim) = 6, "ivim";
    Srem(crate::srem::Srem) = 9, "srem";
    Ssem(crate::ssem::Ssem) = 10, "ssem";
    Rtcmem(crate::rtcmem::Rtcmem) = 13, "rtcmem";
    Cpm(crate::cpm::Cpm) = 14, "cpm";
    Vam(crate::vam::Vam) = 16, "vam";
    Mcm(crate::mcm::Mcm) = 20, "mcm";
}

/// All types of all messages.
pub(crate) fn schema() -> Schema {
    let mut schema = Schema::default();
    Message::describe(&mut schema);
    schema
}

impl Message {
    /// The message as protobuf, `masa.etsi.v1.V2xMessage`.
    ///
    /// # Errors
    /// The component that has a value which the standard cannot express.
    pub fn to_protobuf(&self) -> Result<Vec<u8>, ProtobufError> {
        let mut w = Writer::default();
        Self::put(self, &mut w).map_err(|fault| fault.into_error("V2xMessage"))?;
        Ok(w.out)
    }

    /// The message of its protobuf image, `masa.etsi.v1.V2xMessage`.
    ///
    /// # Errors
    /// The first component that is missing or wrong, and its byte offset.
    pub fn from_protobuf(bytes: &[u8]) -> Result<Self, ProtobufError> {
        Self::get(&mut Reader::new(bytes)).map_err(|fault| fault.into_error("V2xMessage"))
    }
}
