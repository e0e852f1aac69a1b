//! A network from a file, whatever its kind.

use super::error::RoadsError;
use super::{Roads, xml};
use crate::geometry::Polyline;
use nalgebra::Vector3;
use std::io::ErrorKind;
use std::path::Path;

impl Roads {
    /// Reads a network from a file: OpenDRIVE or SUMO, by what is in it. A scenery file beside it (`NAME.scenery.toml` beside
    /// `NAME.net.xml` or `NAME.xodr`) is added.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, RoadsError> {
        let file = path.as_ref().display().to_string();
        let text = std::fs::read_to_string(&path);
        let text = text.map_err(|source| RoadsError::Unreadable { file: file.clone(), source })?;
        let mut roads = Self::parse(&text, &file)?;
        let scenery = path.as_ref().with_file_name(format!("{}.scenery.toml", roads.name));
        match std::fs::read_to_string(&scenery) {
            Ok(text) => roads.add_scenery(&text, &scenery.display().to_string())?,
            Err(source) if source.kind() == ErrorKind::NotFound => {}
            Err(source) => return Err(RoadsError::Unreadable { file: scenery.display().to_string(), source }),
        }
        Ok(roads)
    }

    /// Reads a network from a text: OpenDRIVE or SUMO, by its root element. `name` is how errors call it.
    pub fn parse(text: &str, name: &str) -> Result<Self, RoadsError> {
        let root = xml::parse(text, name)?.root_element().tag_name().name().to_owned();
        match root.as_str() {
            "net" => Self::from_sumo(text, name),
            "OpenDRIVE" => Self::from_opendrive(text, name),
            _ => Err(RoadsError::UnknownFormat { file: name.to_owned(), root }),
        }
    }
}

/// A network's name by its file's: without folders and endings.
pub(crate) fn base_name(file: &str) -> String {
    let name = Path::new(file).file_name().map_or_else(|| file.into(), |name| name.to_string_lossy());
    let ends = [".net.xml", ".xodr", ".xml"];
    ends.iter().find_map(|end| name.strip_suffix(end)).unwrap_or(&name).to_owned()
}

/// Length of the line of a lane whose points all are one, metres (SUMO's shortest lane).
const SHORTEST_M: f64 = 0.1;

/// A line that runs somewhere, also where all points of a shape are one; `None` without any point.
pub(super) fn with_length(line: Polyline) -> Option<Polyline> {
    match *line.points() {
        [] => None,
        [only] => Some(Polyline::new([only, only + Vector3::new(SHORTEST_M, 0.0, 0.0)])),
        _ => Some(line),
    }
}
