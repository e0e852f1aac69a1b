//! What links carry: V2X messages, and what else a node tells the city.

use masa_v2x_proto::MessageKind;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;

/// Kind of what is published; serialised as its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A V2X message, in UPER.
    V2x(MessageKind),
    /// What a sensor measured: a [`crate::Reading`], in JSON.
    Observation,
    /// What is wrong with a node now: [`crate::Problems`], in JSON.
    Health,
}

impl Kind {
    /// Every kind; the position is [`Kind::index`].
    pub const ALL: [Self; MessageKind::ALL.len() + 2] = {
        let mut all = [Self::Health; MessageKind::ALL.len() + 2];
        let mut i = 0;
        while i < MessageKind::ALL.len() {
            all[i] = Self::V2x(MessageKind::ALL[i]);
            i += 1;
        }
        all[i] = Self::Observation;
        all
    };

    /// Lower-case name as used in keys, topics and message ids.
    pub const fn name(self) -> &'static str {
        match self {
            Self::V2x(kind) => kind.name(),
            Self::Observation => "observation",
            Self::Health => "health",
        }
    }

    /// The kind of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Position in [`Kind::ALL`].
    pub const fn index(self) -> usize {
        match self {
            Self::V2x(kind) => kind.index(),
            Self::Observation => MessageKind::ALL.len(),
            Self::Health => MessageKind::ALL.len() + 1,
        }
    }

    /// The levels of a key between the station and the place.
    pub(crate) fn levels(self) -> Cow<'static, str> {
        match self {
            Self::V2x(kind) => format!("v2x/{}", kind.name()).into(),
            Self::Observation | Self::Health => self.name().into(),
        }
    }
}

impl From<MessageKind> for Kind {
    fn from(kind: MessageKind) -> Self {
        Self::V2x(kind)
    }
}

impl PartialEq<MessageKind> for Kind {
    fn eq(&self, kind: &MessageKind) -> bool {
        *self == Self::V2x(*kind)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for Kind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Kind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = Cow::<'de, str>::deserialize(deserializer)?;
        Self::from_name(&name).ok_or_else(|| D::Error::custom(format!("{name:?} is no kind of message")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_positions_lead_back_to_the_kind() {
        for (i, kind) in Kind::ALL.into_iter().enumerate() {
            assert_eq!((kind.index(), Kind::from_name(kind.name())), (i, Some(kind)));
            let json = serde_json::to_string(&kind).unwrap();
            assert_eq!(serde_json::from_str::<Kind>(&json).unwrap(), kind);
        }
        assert!(serde_json::from_str::<Kind>("\"objects\"").is_err());
    }
}
