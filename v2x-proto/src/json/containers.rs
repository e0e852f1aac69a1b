//! JSON forms of lists of containers that are told apart by a number.

use crate::containers::{ContainerEntry, ContainerSet, LARGEST_ID, sequence_of};
use crate::jer::{Jer, hex};
use crate::json::{ImageError, Naming, members, unhex};
use crate::uper::Dialect;
use crate::uper::reader::BitReader;
use serde_json::{Map, json};

/// A [`ContainerSet`] in JSON.
pub(crate) trait ContainerImages: ContainerSet {
    fn jer_of_one(&self, id: u8, names: Naming) -> Jer;

    /// The standard's name of a known container.
    fn name_of_one(id: u8) -> &'static str;

    /// Reads the container of a known `id` from the member named after it, if that is there.
    fn one_from_image(&mut self, id: u8, members: &Map<String, Jer>) -> Result<(), ImageError>;
}

/// The containers under the standard's names: id and content.
pub(crate) fn containers_to_jer<S: ContainerImages>(set: &S, names: Naming) -> Jer {
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
fn raw_to_jer<S: ContainerImages>(id: u8, content: &[u8], names: Naming) -> Jer {
    let mut set = S::default();
    let mut r = BitReader::new(content, Dialect::DEFAULT);
    if id <= S::KNOWN && set.decode_one(id, &mut r).is_ok() { set.jer_of_one(id, names) } else { hex(content).into() }
}

/// One member a container; those without a field, and an unusual order, in `other_containers`.
pub(crate) fn containers_to_image<S: ContainerImages>(set: &S, names: Naming) -> Jer {
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

/// Takes [`containers_to_image`] back.
pub(crate) fn containers_from_image<S: ContainerImages>(image: &Jer) -> Result<S, ImageError> {
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
