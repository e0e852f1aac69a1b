//! Extension additions of later versions in the image of a message.

use crate::jer::{Jer, hex};
use crate::json::{ImageError, unhex};
use crate::protobuf::extension::CarriedExtension;
use crate::uper::UnknownExtensions;
use serde_json::json;

/// `unknown_extensions` of an image, if there are any.
pub(crate) fn extensions_to_image(extensions: &UnknownExtensions) -> Option<Jer> {
    let one = |extension: &crate::uper::extension::UnknownExtension| {
        let additions = extension.additions.iter();
        let additions = additions.map(|a| json!({ "index": a.index, "content": hex(&a.content) }));
        json!({
            "ordinal": extension.ordinal,
            "owner": extension.owner,
            "announced": extension.len,
            "additions": additions.collect::<Jer>(),
        })
    };
    (!extensions.is_empty()).then(|| extensions.kept.iter().map(one).collect())
}

/// Those of the image of a message.
pub(crate) fn extensions_from_image(image: &Jer) -> Result<UnknownExtensions, ImageError> {
    let mut extensions = UnknownExtensions::default();
    let listed = image.get("unknown_extensions").and_then(Jer::as_array).into_iter().flatten();
    for (position, extension) in listed.enumerate() {
        let additions = extension["additions"].as_array().into_iter().flatten();
        let carried = CarriedExtension {
            ordinal: extension["ordinal"].as_u64(),
            owner: extension["owner"].as_str(),
            announced: extension["announced"].as_u64(),
            additions: additions.map(|a| (a["index"].as_u64(), unhex(&a["content"]))).collect(),
        };
        carried.add_to(&mut extensions).map_err(|(name, kind)| {
            let error = ImageError::new(kind.to_string()).in_member(name);
            error.in_element(position).in_member("unknown_extensions")
        })?;
    }
    Ok(extensions)
}
