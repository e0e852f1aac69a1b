//! The messages as a whole: bytes in, bytes out.

use crate::cam::Cam;
use crate::cdd::{ItsPduHeader, MessageId, StationId};
use crate::cpm::Cpm;
use crate::denm::Denm;
use crate::heap::{Box, path_text};
#[cfg(feature = "std")]
use crate::ivim::Ivim;
use crate::mapem::Mapem;
#[cfg(feature = "std")]
use crate::mcm::Mcm;
#[cfg(feature = "std")]
use crate::poim::Poim;
use crate::rtcmem::Rtcmem;
use crate::spatem::Spatem;
use crate::srem::Srem;
use crate::ssem::Ssem;
use crate::uper::element::Element;
use crate::uper::reader::BitReader;
use crate::uper::{Dialect, Failed, UnknownExtensions, UperError, UperErrorKind};
use crate::vam::Vam;

/// Longest message, bytes: what the length of a payload in GeoNetworking can express is more, no sender uses it.
pub const MAX_MESSAGE_BYTES: usize = 8192;

/// Declares a message: a header, one component, and what later versions add.
macro_rules! message_codec {
    (
        $(#[$meta:meta])*
        pub struct $name:ident: $asn1:literal, $id:path, version $version:literal, $read:ident {
            $(#[$fm:meta])*
            $field:ident: $ty:ident, $jer:literal;
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $name {
            /// Header.
            pub header: $crate::cdd::ItsPduHeader,
            $(#[$fm])*
            pub $field: $ty,
            /// What later versions of the standard add, as received.
            pub unknown_extensions: $crate::uper::UnknownExtensions,
        }

        impl $name {
            /// Version of the protocol that is sent.
            pub const PROTOCOL_VERSION: u8 = $version;

            /// Encodes as UPER into `out`; gives the number of bytes.
            ///
            /// # Errors
            /// The component that cannot be encoded, or a buffer that is too small.
            pub fn encode(&self, out: &mut [u8]) -> Result<usize, $crate::uper::UperError> {
                self.encode_as($crate::uper::Dialect::DEFAULT, out)
            }

            /// Encodes as [`encode`](Self::encode) does, in another reading of the standards.
            ///
            /// # Errors
            /// As for [`encode`](Self::encode).
            pub fn encode_as(
                &self,
                dialect: $crate::uper::Dialect,
                out: &mut [u8],
            ) -> Result<usize, $crate::uper::UperError> {
                use $crate::uper::element::Element;
                let mut w = $crate::uper::writer::BitWriter::new(out, &self.unknown_extensions, dialect);
                let done = $crate::cdd::ItsPduHeader::encode(&self.header, &mut w)
                    .map_err(|failed| w.in_field(failed, "header"))
                    .and_then(|()| $ty::encode(&self.$field, &mut w).map_err(|failed| w.in_field(failed, $jer)))
                    .and_then(|()| w.finish());
                done.map_err(|_| w.into_error($asn1))
            }

            /// Encodes as UPER into a new vector.
            ///
            /// # Errors
            /// The component that cannot be encoded.
            #[cfg(feature = "std")]
            pub fn to_uper(&self) -> Result<Vec<u8>, $crate::uper::UperError> {
                let mut out = vec![0; $crate::message::MAX_MESSAGE_BYTES];
                let length = self.encode(&mut out)?;
                out.truncate(length);
                Ok(out)
            }

            /// Decodes UPER, whichever [`Dialect`](crate::uper::Dialect) it is in.
            ///
            /// # Errors
            /// The first component that does not decode, and its bit offset.
            pub fn decode(bytes: &[u8]) -> Result<Self, $crate::uper::UperError> {
                Self::decode_or($crate::uper::Dialect::DEFAULT, bytes, |error| {
                    Self::decode_in_another(bytes).map(|(message, _)| message).ok_or(error)
                })
            }

            /// Decodes as [`decode`](Self::decode) does and names the dialect, for sending the message on unchanged.
            ///
            /// # Errors
            /// As for [`decode`](Self::decode), in the default dialect.
            pub fn decode_detecting(
                bytes: &[u8],
            ) -> Result<(Self, $crate::uper::Dialect), $crate::uper::UperError> {
                let dialect = $crate::uper::Dialect::DEFAULT;
                match Self::decode_as(dialect, bytes) {
                    Ok(message) => Ok((message, dialect)),
                    Err(error) => Self::decode_in_another(bytes).ok_or(error),
                }
            }

            #[cold]
            fn decode_in_another(bytes: &[u8]) -> Option<(Self, $crate::uper::Dialect)> {
                let others = $crate::uper::Dialect::ALL.into_iter().filter(|d| *d != $crate::uper::Dialect::DEFAULT);
                others.map(|d| Some((Self::decode_as(d, bytes).ok()?, d))).find_map(|decoded| decoded)
            }

            /// Decodes UPER in one reading of the standards.
            ///
            /// # Errors
            /// The first component that does not decode, and its bit offset.
            pub fn decode_as(
                dialect: $crate::uper::Dialect,
                bytes: &[u8],
            ) -> Result<Self, $crate::uper::UperError> {
                Self::decode_or(dialect, bytes, Err)
            }

            $crate::message::message_codec! { @$read $asn1, $id, $field, $ty, $jer }

            #[cfg(feature = "std")]
            pub(crate) fn jer_by_table(&self, release: $crate::jer::Release) -> serde_json::Value {
                use $crate::json::Image;
                serde_json::json!({
                    "header": $crate::cdd::ItsPduHeader::to_jer(&self.header, release.into()),
                    $jer: $ty::to_jer(&self.$field, release.into()),
                })
            }
        }
    };
    (@by_value $asn1:literal, $id:path, $field:ident, $ty:ident, $jer:literal) => {
        /// Decodes, or gives what `otherwise` makes of the error.
        fn decode_or(
            dialect: $crate::uper::Dialect,
            bytes: &[u8],
            otherwise: impl FnOnce($crate::uper::UperError) -> Result<Self, $crate::uper::UperError>,
        ) -> Result<Self, $crate::uper::UperError> {
            let mut r = $crate::uper::reader::BitReader::new(bytes, dialect);
            let mut read = || {
                let header = $crate::message::read_header(&mut r, $id)?;
                let decoded = <$ty as $crate::uper::element::Element>::decode(&mut r);
                let $field = decoded.map_err(|failed| r.in_field(failed, $jer))?;
                r.finish()?;
                Ok::<_, $crate::uper::Failed>(Self { header, $field, unknown_extensions: r.take_unknown() })
            };
            read().or_else(|_| otherwise(r.into_error($asn1)))
        }
    };
    // A large message is made where it stays: each move of it would cost as much as decoding.
    (@in_place $asn1:literal, $id:path, $field:ident, $ty:ident, $jer:literal) => {
        /// Decodes, or gives what `otherwise` makes of the error.
        #[inline(always)]
        fn decode_or(
            dialect: $crate::uper::Dialect,
            bytes: &[u8],
            otherwise: impl FnOnce($crate::uper::UperError) -> Result<Self, $crate::uper::UperError>,
        ) -> Result<Self, $crate::uper::UperError> {
            // Nothing but this local may need dropping here: then the compiler makes it where the caller wants it.
            let mut decoded = Ok(Self {
                header: $crate::cdd::ItsPduHeader {
                    protocol_version: Self::PROTOCOL_VERSION,
                    message_id: $id,
                    station_id: $crate::cdd::StationId(0),
                },
                $field: $ty::default(),
                unknown_extensions: $crate::uper::UnknownExtensions::default(),
            });
            if let Ok(message) = &mut decoded
                && let Err(error) = message.read(dialect, bytes)
            {
                decoded = otherwise(error);
            }
            decoded
        }

        /// Decodes into a message with default content.
        fn read(&mut self, dialect: $crate::uper::Dialect, bytes: &[u8]) -> Result<(), $crate::uper::UperError> {
            let mut r = $crate::uper::reader::BitReader::new(bytes, dialect);
            let mut read = || {
                self.header = $crate::message::read_header(&mut r, $id)?;
                let done = <$ty as $crate::uper::element::Element>::decode_into(&mut self.$field, &mut r);
                done.map_err(|failed| r.in_field(failed, $jer))?;
                r.finish()?;
                r.move_unknown_to(&mut self.unknown_extensions);
                Ok::<_, $crate::uper::Failed>(())
            };
            read().map_err(|_| r.into_error($asn1))
        }
    };
}

pub(crate) use crate::uper::tables::message;
pub(crate) use message_codec;

/// The header of a message that must be of one kind.
pub(crate) fn read_header(r: &mut BitReader<'_>, id: MessageId) -> Result<ItsPduHeader, Failed> {
    let header = ItsPduHeader::decode(r).map_err(|failed| r.in_field(failed, "header"))?;
    if header.message_id != id {
        let failed = r.fail(UperErrorKind::WrongMessage { expected: id.code(), found: header.message_id.code() });
        return Err(r.in_field(failed, "header"));
    }
    Ok(header)
}

/// A message of any kind that is implemented.
#[derive(Clone, Debug, PartialEq)]
pub enum Message {
    /// Cooperative awareness.
    Cam(Box<Cam>),
    /// Decentralized environmental notification.
    Denm(Box<Denm>),
    /// Collective perception.
    Cpm(Box<Cpm>),
    /// In-vehicle information.
    #[cfg(feature = "std")]
    Ivim(Box<Ivim>),
    /// Manoeuvre coordination.
    #[cfg(feature = "std")]
    Mcm(Box<Mcm>),
    /// Points of interest.
    #[cfg(feature = "std")]
    Poim(Box<Poim>),
    /// Vulnerable road user awareness.
    Vam(Box<Vam>),
    /// Signal phase and timing.
    Spatem(Box<Spatem>),
    /// Map.
    Mapem(Box<Mapem>),
    /// Signal request.
    Srem(Box<Srem>),
    /// Signal request status.
    Ssem(Box<Ssem>),
    /// GNSS corrections.
    Rtcmem(Box<Rtcmem>),
}

impl Message {
    /// Decodes UPER; the message id of the header says what it is.
    ///
    /// # Errors
    /// The first component that does not decode, with its bit offset, or a message id that is not implemented.
    pub fn decode(bytes: &[u8]) -> Result<Self, UperError> {
        Ok(Self::decode_detecting(bytes)?.0)
    }

    /// Decodes as [`Message::decode`] does and names the dialect, for sending the message on unchanged.
    ///
    /// # Errors
    /// As for [`Message::decode`].
    pub fn decode_detecting(bytes: &[u8]) -> Result<(Self, Dialect), UperError> {
        let [_, message_id, ..] = *bytes else {
            let kind = UperErrorKind::Truncated { needed: 16, available: bytes.len() * 8 };
            return Err(UperError {
                message: "message",
                path: path_text(&".header").unwrap_or_default(),
                bit: 0,
                kind,
            });
        };
        match MessageId::from_code(message_id) {
            MessageId::Cam => Cam::decode_detecting(bytes).map(|(cam, d)| (Self::Cam(cam.into()), d)),
            MessageId::Denm => Denm::decode_detecting(bytes).map(|(denm, d)| (Self::Denm(denm.into()), d)),
            MessageId::Cpm => Cpm::decode_detecting(bytes).map(|(cpm, d)| (Self::Cpm(cpm.into()), d)),
            #[cfg(feature = "std")]
            MessageId::Ivim => Ivim::decode_detecting(bytes).map(|(ivim, d)| (Self::Ivim(ivim.into()), d)),
            #[cfg(feature = "std")]
            MessageId::Mcm => Mcm::decode_detecting(bytes).map(|(mcm, d)| (Self::Mcm(mcm.into()), d)),
            #[cfg(feature = "std")]
            MessageId::Poim => Poim::decode_detecting(bytes).map(|(poim, d)| (Self::Poim(poim.into()), d)),
            MessageId::Vam => Vam::decode_detecting(bytes).map(|(vam, d)| (Self::Vam(vam.into()), d)),
            MessageId::Spatem => Spatem::decode_detecting(bytes).map(|(spatem, d)| (Self::Spatem(spatem.into()), d)),
            MessageId::Mapem => Mapem::decode_detecting(bytes).map(|(mapem, d)| (Self::Mapem(mapem.into()), d)),
            MessageId::Srem => Srem::decode_detecting(bytes).map(|(srem, d)| (Self::Srem(srem.into()), d)),
            MessageId::Ssem => Ssem::decode_detecting(bytes).map(|(ssem, d)| (Self::Ssem(ssem.into()), d)),
            MessageId::Rtcmem => Rtcmem::decode_detecting(bytes).map(|(rtcmem, d)| (Self::Rtcmem(rtcmem.into()), d)),
            _ => {
                let kind = UperErrorKind::WrongMessage { expected: 0, found: message_id };
                Err(UperError {
                    message: "message",
                    path: path_text(&".header.messageId").unwrap_or_default(),
                    bit: 8,
                    kind,
                })
            }
        }
    }

    /// Encodes as UPER into `out`; gives the number of bytes.
    ///
    /// # Errors
    /// The component that cannot be encoded, or a buffer that is too small.
    pub fn encode(&self, out: &mut [u8]) -> Result<usize, UperError> {
        self.encode_as(Dialect::DEFAULT, out)
    }

    /// Encodes as [`Message::encode`] does, in another reading of the standards.
    ///
    /// # Errors
    /// As for [`Message::encode`].
    pub fn encode_as(&self, dialect: Dialect, out: &mut [u8]) -> Result<usize, UperError> {
        match self {
            Self::Cam(cam) => cam.encode_as(dialect, out),
            Self::Denm(denm) => denm.encode_as(dialect, out),
            Self::Cpm(cpm) => cpm.encode_as(dialect, out),
            #[cfg(feature = "std")]
            Self::Ivim(ivim) => ivim.encode_as(dialect, out),
            #[cfg(feature = "std")]
            Self::Mcm(mcm) => mcm.encode_as(dialect, out),
            #[cfg(feature = "std")]
            Self::Poim(poim) => poim.encode_as(dialect, out),
            Self::Vam(vam) => vam.encode_as(dialect, out),
            Self::Spatem(spatem) => spatem.encode_as(dialect, out),
            Self::Mapem(mapem) => mapem.encode_as(dialect, out),
            Self::Srem(srem) => srem.encode_as(dialect, out),
            Self::Ssem(ssem) => ssem.encode_as(dialect, out),
            Self::Rtcmem(rtcmem) => rtcmem.encode_as(dialect, out),
        }
    }

    /// Encodes as UPER into a new vector.
    ///
    /// # Errors
    /// The component that cannot be encoded.
    #[cfg(feature = "std")]
    pub fn to_uper(&self) -> Result<Vec<u8>, UperError> {
        match self {
            Self::Cam(cam) => cam.to_uper(),
            Self::Denm(denm) => denm.to_uper(),
            Self::Cpm(cpm) => cpm.to_uper(),
            #[cfg(feature = "std")]
            Self::Ivim(ivim) => ivim.to_uper(),
            #[cfg(feature = "std")]
            Self::Mcm(mcm) => mcm.to_uper(),
            #[cfg(feature = "std")]
            Self::Poim(poim) => poim.to_uper(),
            Self::Vam(vam) => vam.to_uper(),
            Self::Spatem(spatem) => spatem.to_uper(),
            Self::Mapem(mapem) => mapem.to_uper(),
            Self::Srem(srem) => srem.to_uper(),
            Self::Ssem(ssem) => ssem.to_uper(),
            Self::Rtcmem(rtcmem) => rtcmem.to_uper(),
        }
    }

    /// The value under the names of `release` (X.697); CPM and VAM have only those of release 2.
    #[cfg(feature = "std")]
    pub fn to_jer(&self, release: crate::jer::Release) -> serde_json::Value {
        match self {
            Self::Cam(cam) => cam.to_jer(release),
            Self::Denm(denm) => denm.to_jer(release),
            Self::Cpm(cpm) => cpm.to_jer(),
            #[cfg(feature = "std")]
            Self::Ivim(ivim) => ivim.to_jer(release),
            #[cfg(feature = "std")]
            Self::Mcm(mcm) => mcm.to_jer(),
            #[cfg(feature = "std")]
            Self::Poim(poim) => poim.to_jer(),
            Self::Vam(vam) => vam.to_jer(),
            Self::Spatem(spatem) => spatem.to_jer(release),
            Self::Mapem(mapem) => mapem.to_jer(release),
            Self::Srem(srem) => srem.to_jer(release),
            Self::Ssem(ssem) => ssem.to_jer(release),
            Self::Rtcmem(rtcmem) => rtcmem.to_jer(release),
        }
    }

    /// Drops what later versions of the standard add, as one does before changing the message.
    pub fn clear_unknown_extensions(&mut self) {
        match self {
            Self::Cam(cam) => cam.unknown_extensions.clear(),
            Self::Denm(denm) => denm.unknown_extensions.clear(),
            Self::Cpm(cpm) => cpm.unknown_extensions.clear(),
            #[cfg(feature = "std")]
            Self::Ivim(ivim) => ivim.unknown_extensions.clear(),
            #[cfg(feature = "std")]
            Self::Mcm(mcm) => mcm.unknown_extensions.clear(),
            #[cfg(feature = "std")]
            Self::Poim(poim) => poim.unknown_extensions.clear(),
            Self::Vam(vam) => vam.unknown_extensions.clear(),
            Self::Spatem(spatem) => spatem.unknown_extensions.clear(),
            Self::Mapem(mapem) => mapem.unknown_extensions.clear(),
            Self::Srem(srem) => srem.unknown_extensions.clear(),
            Self::Ssem(ssem) => ssem.unknown_extensions.clear(),
            Self::Rtcmem(rtcmem) => rtcmem.unknown_extensions.clear(),
        }
    }

    /// Kind of message.
    pub fn message_id(&self) -> MessageId {
        match self {
            Self::Cam(_) => MessageId::Cam,
            Self::Denm(_) => MessageId::Denm,
            Self::Cpm(_) => MessageId::Cpm,
            #[cfg(feature = "std")]
            Self::Ivim(_) => MessageId::Ivim,
            #[cfg(feature = "std")]
            Self::Mcm(_) => MessageId::Mcm,
            #[cfg(feature = "std")]
            Self::Poim(_) => MessageId::Poim,
            Self::Vam(_) => MessageId::Vam,
            Self::Spatem(_) => MessageId::Spatem,
            Self::Mapem(_) => MessageId::Mapem,
            Self::Srem(_) => MessageId::Srem,
            Self::Ssem(_) => MessageId::Ssem,
            Self::Rtcmem(_) => MessageId::Rtcmem,
        }
    }

    /// What later versions of the standard add, as received.
    pub fn unknown_extensions(&self) -> &UnknownExtensions {
        match self {
            Self::Cam(cam) => &cam.unknown_extensions,
            Self::Denm(denm) => &denm.unknown_extensions,
            Self::Cpm(cpm) => &cpm.unknown_extensions,
            #[cfg(feature = "std")]
            Self::Ivim(ivim) => &ivim.unknown_extensions,
            #[cfg(feature = "std")]
            Self::Mcm(mcm) => &mcm.unknown_extensions,
            #[cfg(feature = "std")]
            Self::Poim(poim) => &poim.unknown_extensions,
            Self::Vam(vam) => &vam.unknown_extensions,
            Self::Spatem(spatem) => &spatem.unknown_extensions,
            Self::Mapem(mapem) => &mapem.unknown_extensions,
            Self::Srem(srem) => &srem.unknown_extensions,
            Self::Ssem(ssem) => &ssem.unknown_extensions,
            Self::Rtcmem(rtcmem) => &rtcmem.unknown_extensions,
        }
    }

    #[cfg(feature = "std")]
    /// Of a message about something that goes on: a name that all its versions share, and whether it is over. `None` for
    /// messages that only count when they are sent.
    pub fn state(&self) -> Option<(String, bool)> {
        match self {
            Self::Denm(denm) => {
                let management = &denm.denm.management;
                let action = management.action_id;
                let name = format!("{}-{}", action.originating_station_id.0, action.sequence_number);
                Some((name, management.termination.is_some()))
            }
            Self::Mapem(mapem) => {
                let intersection = mapem.map.intersections.iter().flatten().next()?;
                let region = intersection.id.region.unwrap_or(0);
                let layer = mapem.map.layer_id.map_or_else(String::new, |layer| format!("-{layer}"));
                Some((format!("{region}-{}{layer}", intersection.id.id), false))
            }
            #[cfg(feature = "std")]
            Self::Ivim(ivim) => {
                use crate::ivim::IviStatus::{Cancellation, Negation};
                let management = &ivim.ivi.mandatory;
                let provider = management.service_provider_id;
                let name = format!(
                    "{}-{}-{}",
                    provider.country_code, provider.provider_identifier, management.ivi_identification_number
                );
                Some((name, matches!(management.ivi_status, Cancellation | Negation)))
            }
            _ => None,
        }
    }

    /// Sender.
    pub fn station_id(&self) -> StationId {
        match self {
            Self::Cam(cam) => cam.header.station_id,
            Self::Denm(denm) => denm.header.station_id,
            Self::Cpm(cpm) => cpm.header.station_id,
            #[cfg(feature = "std")]
            Self::Ivim(ivim) => ivim.header.station_id,
            #[cfg(feature = "std")]
            Self::Mcm(mcm) => mcm.header.station_id,
            #[cfg(feature = "std")]
            Self::Poim(poim) => poim.header.station_id,
            Self::Vam(vam) => vam.header.station_id,
            Self::Spatem(spatem) => spatem.header.station_id,
            Self::Mapem(mapem) => mapem.header.station_id,
            Self::Srem(srem) => srem.header.station_id,
            Self::Ssem(ssem) => ssem.header.station_id,
            Self::Rtcmem(rtcmem) => rtcmem.header.station_id,
        }
    }
}

impl From<Cam> for Message {
    fn from(cam: Cam) -> Self {
        Self::Cam(Box::new(cam))
    }
}

impl From<Denm> for Message {
    fn from(denm: Denm) -> Self {
        Self::Denm(Box::new(denm))
    }
}

impl From<Cpm> for Message {
    fn from(cpm: Cpm) -> Self {
        Self::Cpm(Box::new(cpm))
    }
}

#[cfg(feature = "std")]
impl From<Ivim> for Message {
    fn from(ivim: Ivim) -> Self {
        Self::Ivim(Box::new(ivim))
    }
}

#[cfg(feature = "std")]
impl From<Mcm> for Message {
    fn from(mcm: Mcm) -> Self {
        Self::Mcm(Box::new(mcm))
    }
}

#[cfg(feature = "std")]
impl From<Poim> for Message {
    fn from(poim: Poim) -> Self {
        Self::Poim(Box::new(poim))
    }
}

impl From<Vam> for Message {
    fn from(vam: Vam) -> Self {
        Self::Vam(Box::new(vam))
    }
}

impl From<Spatem> for Message {
    fn from(spatem: Spatem) -> Self {
        Self::Spatem(Box::new(spatem))
    }
}

impl From<Mapem> for Message {
    fn from(mapem: Mapem) -> Self {
        Self::Mapem(Box::new(mapem))
    }
}

impl From<Srem> for Message {
    fn from(srem: Srem) -> Self {
        Self::Srem(Box::new(srem))
    }
}

impl From<Ssem> for Message {
    fn from(ssem: Ssem) -> Self {
        Self::Ssem(Box::new(ssem))
    }
}

impl From<Rtcmem> for Message {
    fn from(rtcmem: Rtcmem) -> Self {
        Self::Rtcmem(Box::new(rtcmem))
    }
}
