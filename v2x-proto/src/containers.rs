//! Lists of containers that are told apart by a number on the wire: in CPM, and in release-2 CAM.
//!
//! In Rust each kind is a field. What has no field (a repeated container, one of a later version) and an unusual order
//! are kept in a [`ContainerOrder`], so that a message is sent on unchanged.

use crate::List;
use crate::heap::{Content, inline};
use crate::uper::Failed;
use crate::uper::element::width;
use crate::uper::reader::BitReader;
use crate::uper::writer::BitWriter;
use crate::uper::{Dialect, ExtensionBit, UperErrorKind};

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
    pub(crate) entries: List<ContainerEntry, { inline(0, 8) }, MOST>,
}

/// A container's place in the order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ContainerEntry {
    pub(crate) id: u8,
    /// Its content when it has no field of its own.
    pub(crate) content: Option<Content>,
}

impl ContainerOrder {
    /// Most containers of one message.
    #[cfg(feature = "std")]
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

    /// Whether the list length carries an extension bit.
    fn count_bit(dialect: Dialect) -> ExtensionBit;

    /// Whether the id carries an extension bit.
    fn id_bit(dialect: Dialect) -> ExtensionBit;
}

/// What is sent: ids with the content of those that have no field.
pub(crate) fn sequence_of<S: ContainerSet>(set: &S) -> impl Iterator<Item = (u8, Option<&[u8]>)> + Clone {
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
        let _ = entry.map(|entry| entries.push(entry));
    }
    let usual = entries.is_sorted_by(|a, b| a.id < b.id) && entries.iter().all(|entry| entry.content.is_none());
    if !usual {
        match List::try_from_iter(entries) {
            Some(entries) => set.order_mut().entries = entries,
            None => r.lose_one(),
        }
    }
    Ok(())
}

/// One container; `None` for one that has no field and that there is no room for.
fn decode_entry<S: ContainerSet>(set: &mut S, r: &mut BitReader<'_>) -> Result<Option<ContainerEntry>, Failed> {
    if S::id_bit(r.dialect) == ExtensionBit::Present && r.bit()? {
        return Err(r.fail(UperErrorKind::NotSupported("container id above 16")));
    }
    let id = r.take(const { width(1, LARGEST_ID) })? as u8 + 1;
    if id > S::KNOWN {
        return Ok(r.open_kept()?.map(|content| ContainerEntry { id, content: Some(content) }));
    }
    let (at, repeated) = (r.position(), set.has(id));
    let content = if repeated { r.open_kept()? } else { None };
    r.seek(at);
    let mark = r.mark();
    let outer = r.open()?;
    let start = r.position();
    let decoded = if repeated { S::default().decode_one(id, r) } else { set.decode_one(id, r) };
    decoded.map_err(|failed| r.in_field(failed, "containerData"))?;
    r.close(outer, start)?;
    if repeated {
        r.forget_since(mark);
    }
    Ok((content.is_some() || !repeated).then_some(ContainerEntry { id, content }))
}

/// Makes a struct with one optional field a container, and `others`, a [`ContainerSet`] and an element.
macro_rules! container_set_codec {
    ($name:ident, count $count:expr, id $id_bit:expr, { $( $id:literal $field:ident = <$codec:ty>, $jer:literal; )* }) => {
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
                    $( $id => <$codec as $crate::uper::element::Element>::decode_some(&mut self.$field, r), )*
                    _ => Ok(()),
                }
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

            fn decode_into(
                value: &mut Self,
                r: &mut $crate::uper::reader::BitReader<'_>,
            ) -> Result<(), $crate::uper::Failed> {
                $crate::containers::decode(value, r)
            }
        }

        #[cfg(feature = "std")]
        impl $crate::json::ContainerImages for $name {
            fn jer_of_one(&self, id: u8, names: $crate::json::Naming) -> $crate::jer::Jer {
                match id {
                    $( $id => self.$field.as_ref().map_or($crate::jer::Jer::Null, |container| {
                        <$codec as $crate::json::Image>::to_jer(container, names)
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
        }

        #[cfg(feature = "std")]
        impl $crate::json::Image for $name {
            fn to_jer(value: &Self, names: $crate::json::Naming) -> $crate::jer::Jer {
                match names {
                    $crate::json::Naming::R1 | $crate::json::Naming::R2 => $crate::json::containers_to_jer(value, names),
                    _ => $crate::json::containers_to_image(value, names),
                }
            }

            fn from_image(image: &$crate::jer::Jer) -> Result<Self, $crate::json::ImageError> {
                $crate::json::containers_from_image(image)
            }
        }
    };
}

pub(crate) use crate::uper::tables::container_set;
pub(crate) use container_set_codec;
