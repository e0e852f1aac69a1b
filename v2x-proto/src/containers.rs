//! Lists of containers that are told apart by a number on the wire: in CPM, and in release-2 CAM.
//!
//! In Rust each kind is a field. What has no field (a repeated container, one of a later version) and an unusual order
//! are kept in a [`ContainerOrder`], so that a message is sent on unchanged.

use crate::List;
use crate::jer::{Jer, hex};
use crate::json::{ImageError, Naming, members, unhex};
use crate::uper::Failed;
use crate::uper::element::width;
use crate::uper::reader::BitReader;
use crate::uper::writer::BitWriter;
use crate::uper::{Dialect, ExtensionBit, UperErrorKind};
use serde_json::{Map, json};

/// Most containers of one message; the standards name up to 8 and allow more.
const MOST: usize = 32;
/// Most containers without extension.
const ROOT: i64 = 8;
/// Largest container id.
pub(crate) const LARGEST_ID: i64 = 16;

/// Order of the containers as received, with the content of those that have no field of their own.
///
/// The default is ascending order and nothing else.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContainerOrder {
    /// One entry a container; empty for ascending order.
    pub(crate) entries: List<ContainerEntry, 0, MOST>,
}

/// A container's place in the order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ContainerEntry {
    pub(crate) id: u8,
    /// Its content when it has no field of its own.
    pub(crate) content: Option<Box<[u8]>>,
}

impl ContainerOrder {
    /// Most containers of one message.
    pub(crate) const CAPACITY: usize = MOST;

    /// Repeated and unknown containers: id and undecoded content.
    pub fn others(&self) -> impl Iterator<Item = (u8, &[u8])> {
        self.entries.iter().filter_map(|entry| Some((entry.id, entry.content.as_deref()?)))
    }
}

/// A set of containers with a field for each known id, `1..=KNOWN`.
pub(crate) trait ContainerSet: Default {
    const KNOWN: u8;

    fn order(&self) -> &ContainerOrder;

    fn order_mut(&mut self) -> &mut ContainerOrder;

    /// Whether the field of `id` is set.
    fn has(&self, id: u8) -> bool;

    /// Writes the container of `id`, which is set.
    fn encode_one(&self, id: u8, w: &mut BitWriter<'_>) -> Result<(), Failed>;

    /// Reads the container of a known `id` into its field.
    fn decode_one(&mut self, id: u8, r: &mut BitReader<'_>) -> Result<(), Failed>;

    fn jer_of_one(&self, id: u8, names: Naming) -> Jer;

    /// The standard's name of a known container.
    fn name_of_one(id: u8) -> &'static str;

    /// Reads the container of a known `id` from the member named after it, if that is there.
    fn one_from_image(&mut self, id: u8, members: &Map<String, Jer>) -> Result<(), ImageError>;

    /// Whether the list length carries an extension bit.
    fn count_bit(dialect: Dialect) -> ExtensionBit;

    /// Whether the id carries an extension bit.
    fn id_bit(dialect: Dialect) -> ExtensionBit;
}

/// What is sent: ids with the content of those that have no field.
fn sequence_of<S: ContainerSet>(set: &S) -> impl Iterator<Item = (u8, Option<&[u8]>)> + Clone {
    let entries = &set.order().entries;
    let listed = entries.iter().map(|entry| (entry.id, entry.content.as_deref()));
    let listed = listed.filter(|(id, content)| content.is_some() || set.has(*id));
    let in_list = |id: u8| entries.iter().any(|entry| entry.id == id && entry.content.is_none());
    let unlisted = (1..=S::KNOWN).filter(move |id| set.has(*id) && !in_list(*id)).map(|id| (id, None));
    listed.chain(unlisted)
}

/// The codec of a [`ContainerSet`].
pub(crate) fn encode<S: ContainerSet>(set: &S, w: &mut BitWriter<'_>) -> Result<(), Failed> {
    let containers = sequence_of(set);
    let count = containers.clone().count();
    let extended = count as i64 > ROOT;
    let has_bit = S::count_bit(w.dialect) == ExtensionBit::Present;
    if count == 0 || count > MOST || extended && !has_bit {
        return Err(w.fail(UperErrorKind::Count { count, min: 1, max: if has_bit { MOST } else { ROOT as usize } }));
    }
    if has_bit {
        w.bit(extended);
    }
    if extended {
        w.length(count)?;
    } else {
        w.put(count as u64 - 1, const { width(1, ROOT) });
    }
    for (index, (id, content)) in containers.enumerate() {
        encode_entry(set, id, content, w).map_err(|failed| w.in_element(failed, index))?;
    }
    Ok(())
}

fn encode_entry<S: ContainerSet>(set: &S, id: u8, content: Option<&[u8]>, w: &mut BitWriter<'_>) -> Result<(), Failed> {
    if S::id_bit(w.dialect) == ExtensionBit::Present {
        w.bit(false);
    }
    w.put(u64::from(id) - 1, const { width(1, LARGEST_ID) });
    match content {
        Some(content) => w.open_raw(content),
        None => w.open_type(|w| set.encode_one(id, w)).map_err(|failed| w.in_field(failed, "containerData")),
    }
}

/// Decodes into an empty set.
pub(crate) fn decode<S: ContainerSet>(set: &mut S, r: &mut BitReader<'_>) -> Result<(), Failed> {
    let extended = S::count_bit(r.dialect) == ExtensionBit::Present && r.bit()?;
    let count = if extended { r.length()? } else { r.take(const { width(1, ROOT) })? as usize + 1 };
    if extended && (count as i64 <= ROOT || count > MOST) {
        return Err(r.fail(UperErrorKind::Count { count, min: ROOT as usize + 1, max: MOST }));
    }
    let mut entries = heapless::Vec::<ContainerEntry, MOST>::new();
    for index in 0..count {
        let entry = decode_entry(set, r).map_err(|failed| r.in_element(failed, index))?;
        // The count was checked against the capacity.
        let _ = entries.push(entry);
    }
    let usual = entries.is_sorted_by(|a, b| a.id < b.id) && entries.iter().all(|entry| entry.content.is_none());
    if !usual {
        let kept = List::try_from_iter(entries);
        set.order_mut().entries = kept.expect("both lists have the same capacity");
    }
    Ok(())
}

fn decode_entry<S: ContainerSet>(set: &mut S, r: &mut BitReader<'_>) -> Result<ContainerEntry, Failed> {
    if S::id_bit(r.dialect) == ExtensionBit::Present && r.bit()? {
        return Err(r.fail(UperErrorKind::NotSupported("container id above 16")));
    }
    let id = r.take(const { width(1, LARGEST_ID) })? as u8 + 1;
    if id > S::KNOWN {
        return Ok(ContainerEntry { id, content: Some(r.open_raw()?) });
    }
    let at = r.position();
    let content = if set.has(id) { Some(r.open_raw()?) } else { None };
    r.seek(at);
    let mark = r.mark();
    let outer = r.open()?;
    let start = r.position();
    let decoded = if content.is_some() { S::default().decode_one(id, r) } else { set.decode_one(id, r) };
    decoded.map_err(|failed| r.in_field(failed, "containerData"))?;
    r.close(outer, start)?;
    if content.is_some() {
        r.forget_since(mark);
    }
    Ok(ContainerEntry { id, content })
}

pub(crate) fn to_jer<S: ContainerSet>(set: &S, names: Naming) -> Jer {
    let one = |(id, content): (u8, Option<&[u8]>)| {
        let data = match content {
            None => set.jer_of_one(id, names),
            Some(content) => raw_to_jer::<S>(id, content, names),
        };
        json!({ "containerId": id, "containerData": data })
    };
    sequence_of(set).map(one).collect()
}

/// The value of a repeated container, or the digits of one that is not known.
fn raw_to_jer<S: ContainerSet>(id: u8, content: &[u8], names: Naming) -> Jer {
    let mut set = S::default();
    let mut r = BitReader::new(content, Dialect::DEFAULT);
    if id <= S::KNOWN && set.decode_one(id, &mut r).is_ok() { set.jer_of_one(id, names) } else { hex(content).into() }
}

/// One member a container; those without a field, and an unusual order, in `other_containers`.
pub(crate) fn to_image<S: ContainerSet>(set: &S, names: Naming) -> Jer {
    let present = (1..=S::KNOWN).filter(|id| set.has(*id));
    let named = |id| (names.of("", S::name_of_one(id), None), set.jer_of_one(id, names));
    let mut image: Map<_, _> = present.map(named).collect();
    let entries = &set.order().entries;
    if !entries.is_empty() {
        let other =
            |entry: &ContainerEntry| json!({ "container_id": entry.id, "content": entry.content.as_deref().map(hex) });
        image.insert("other_containers".into(), entries.iter().map(other).collect());
    }
    image.into()
}

pub(crate) fn from_image<S: ContainerSet>(image: &Jer) -> Result<S, ImageError> {
    let members = members(image)?;
    let mut set = S::default();
    for id in 1..=S::KNOWN {
        set.one_from_image(id, members)?;
    }
    let others = members.get("other_containers").and_then(Jer::as_array);
    for (index, other) in others.into_iter().flatten().enumerate() {
        let wrong = |reason: &str| ImageError::new(reason).in_element(index).in_member("other_containers");
        let id = other["container_id"].as_u64().filter(|id| (1..=LARGEST_ID as u64).contains(id));
        let id = id.ok_or_else(|| wrong("a container_id of 1..=16 is expected"))? as u8;
        let content = match &other["content"] {
            Jer::Null => None,
            digits => Some(unhex(digits).ok_or_else(|| wrong("hexadecimal digits are expected"))?),
        };
        let pushed = set.order_mut().entries.push(ContainerEntry { id, content });
        pushed.map_err(|_| wrong("too many containers"))?;
    }
    Ok(set)
}

/// Makes a struct with one optional field a container, and `others`, a [`ContainerSet`] and an element.
macro_rules! container_set_codec {
    ($name:ident, count $count:expr, id $id_bit:expr, { $( $id:literal $field:ident = $($in_place:ident)? <$codec:ty>, $jer:literal; )* }) => {
        impl $crate::containers::ContainerSet for $name {
            const KNOWN: u8 = [$( $id ),*].len() as u8;

            fn order(&self) -> &$crate::containers::ContainerOrder {
                &self.others
            }

            fn order_mut(&mut self) -> &mut $crate::containers::ContainerOrder {
                &mut self.others
            }

            fn has(&self, id: u8) -> bool {
                match id {
                    $( $id => self.$field.is_some(), )*
                    _ => false,
                }
            }

            fn encode_one(
                &self,
                id: u8,
                w: &mut $crate::uper::writer::BitWriter<'_>,
            ) -> Result<(), $crate::uper::Failed> {
                match id {
                    $( $id => match &self.$field {
                        Some(container) => <$codec as $crate::uper::element::Element>::encode(container, w),
                        None => Ok(()),
                    }, )*
                    _ => Ok(()),
                }
            }

            fn decode_one(
                &mut self,
                id: u8,
                r: &mut $crate::uper::reader::BitReader<'_>,
            ) -> Result<(), $crate::uper::Failed> {
                match id {
                    $( $id => $crate::containers::container_set_codec!(@decode self.$field, r, $codec $(, $in_place)?), )*
                    _ => Ok(()),
                }
            }

            fn jer_of_one(&self, id: u8, names: $crate::json::Naming) -> $crate::jer::Jer {
                match id {
                    $( $id => self.$field.as_ref().map_or($crate::jer::Jer::Null, |container| {
                        <$codec as $crate::uper::element::Element>::to_jer(container, names)
                    }), )*
                    _ => $crate::jer::Jer::Null,
                }
            }

            fn name_of_one(id: u8) -> &'static str {
                match id {
                    $( $id => $jer, )*
                    _ => "",
                }
            }

            fn one_from_image(&mut self, id: u8, members: &serde_json::Map<String, $crate::jer::Jer>) -> Result<(), $crate::json::ImageError> {
                match id {
                    $( $id => self.$field = $crate::json::optional::<$codec>(members, stringify!($name), $jer)?, )*
                    _ => {}
                }
                Ok(())
            }

            fn count_bit(dialect: $crate::uper::Dialect) -> $crate::uper::ExtensionBit {
                let count: fn($crate::uper::Dialect) -> $crate::uper::ExtensionBit = $count;
                count(dialect)
            }

            fn id_bit(dialect: $crate::uper::Dialect) -> $crate::uper::ExtensionBit {
                let id_bit: fn($crate::uper::Dialect) -> $crate::uper::ExtensionBit = $id_bit;
                id_bit(dialect)
            }
        }

        impl $crate::uper::element::Element for $name {
            type Value = Self;

            fn encode(
                value: &Self,
                w: &mut $crate::uper::writer::BitWriter<'_>,
            ) -> Result<(), $crate::uper::Failed> {
                $crate::containers::encode(value, w)
            }

            fn decode(r: &mut $crate::uper::reader::BitReader<'_>) -> Result<Self, $crate::uper::Failed> {
                let mut set = Self::default();
                $crate::containers::decode(&mut set, r)?;
                Ok(set)
            }

            fn to_jer(value: &Self, names: $crate::json::Naming) -> $crate::jer::Jer {
                match names {
                    $crate::json::Naming::R1 | $crate::json::Naming::R2 => $crate::containers::to_jer(value, names),
                    _ => $crate::containers::to_image(value, names),
                }
            }

            fn from_image(image: &$crate::jer::Jer) -> Result<Self, $crate::json::ImageError> {
                $crate::containers::from_image(image)
            }
        }
    };
    (@decode $slot:expr, $r:ident, $codec:ty) => {
        <$codec as $crate::uper::element::Element>::decode($r).map(|container| $slot = Some(container))
    };
    (@decode $slot:expr, $r:ident, $codec:ty, in_place) => {
        $crate::uper::element::InPlace::decode_into($slot.insert(<$codec>::default()), $r)
    };
}

pub(crate) use crate::uper::tables::container_set;
pub(crate) use container_set_codec;
