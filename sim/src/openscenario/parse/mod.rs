//! Files to [`Scenario`].
//!
//! In: a scenario file and directories to look for what it names. Out: a [`Scenario`], or the first fault with its file and
//! line. An element, attribute or value that is not read is a fault: nothing is ignored save what
//! [`super::WITHOUT_EFFECT`] and [`super::DEFAULT_CONTROLLERS`] name.

mod actions;
mod catalogs;
mod conditions;
mod entities;
mod positions;
mod storyboard;

use super::error::Error;
use super::model::{EntityId, Scenario};
use super::xml::{Element, Scope, Source};
use catalogs::Catalogs;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

type Result<T> = std::result::Result<T, Error>;

/// Where to look for what a scenario names.
#[derive(Clone, Debug, Default)]
pub struct Files {
    /// The OpenDRIVE file, whatever the scenario names.
    pub roads: Option<PathBuf>,
    /// Directories below which named files and catalogs are looked for, after the place that the scenario says.
    pub directories: Vec<PathBuf>,
    /// Parameters that replace those of the file.
    pub parameters: BTreeMap<String, String>,
}

impl Files {
    /// The file or directory that `named` means in a scenario in `beside`: there, or below one of the directories, with as
    /// much of its path as exists.
    fn find(&self, beside: &Path, named: &str) -> Option<PathBuf> {
        let parts: Vec<&str> = named.split(['/', '\\']).filter(|part| !matches!(*part, "" | "." | "..")).collect();
        let tails = (0..parts.len()).map(|from| parts[from..].iter().collect::<PathBuf>());
        let below = |directory: &Path| tails.clone().map(|tail| directory.join(tail)).find(|path| path.exists());
        let direct = beside.join(named);
        if direct.exists() {
            return Some(direct);
        }
        self.directories.iter().find_map(|directory| below(directory)).or_else(|| below(beside))
    }
}

/// What every parser needs besides the element.
struct Context {
    entities: Vec<String>,
    catalogs: Catalogs,
}

impl Context {
    /// The entity that an attribute names.
    fn entity(&self, element: Element<'_>, attribute: &str) -> Result<EntityId> {
        let name = element.required(attribute)?;
        match self.entities.iter().position(|known| *known == name) {
            Some(at) => Ok(EntityId(at)),
            None => Err(element.invalid(format!("no entity is called {name:?}"))),
        }
    }
}

impl Scenario {
    /// Reads a scenario.
    ///
    /// # Errors
    /// [`Error`]: the first fault, with its file and line.
    pub fn load(file: &Path, files: &Files) -> Result<Self> {
        let source = Source::read(file)?;
        let document = source.parse()?;
        let nothing = Scope::default();
        let root = Element::new(document.root_element(), &source, &nothing);
        root.only(
            &[],
            &[
                "FileHeader",
                "ParameterDeclarations",
                "VariableDeclarations",
                "CatalogLocations",
                "RoadNetwork",
                "Entities",
                "Storyboard",
            ],
        )?;
        if root.tag() != "OpenSCENARIO" {
            return Err(root.invalid(format!("<{}> is no <OpenSCENARIO>", root.tag())));
        }
        if let Some(header) = root.maybe("FileHeader")
            && header.required("revMajor")? != "1"
        {
            return Err(header.unsupported(format!("OpenSCENARIO {}", header.required("revMajor")?)));
        }
        let mut scope = Scope { values: declarations(root, "ParameterDeclaration", &files.parameters)?, outer: None };
        scope.values.extend(declarations(root, "VariableDeclaration", &files.parameters)?);
        let root = root.within(&scope);

        let beside = file.parent().unwrap_or(Path::new(""));
        let roads = roads(root, beside, files)?;
        let catalogs = Catalogs::locate(root, beside, files)?;
        let list = root.child("Entities")?;
        list.only(&[], &["ScenarioObject"])?;
        let names = list.all("ScenarioObject").map(|object| object.required("name")).collect::<Result<_>>()?;
        let context = Context { entities: names, catalogs };
        let entities =
            list.all("ScenarioObject").map(|object| context.scenario_object(object)).collect::<Result<_>>()?;

        let storyboard = root.child("Storyboard")?;
        storyboard.only(&[], &["Init", "Story", "StopTrigger"])?;
        Ok(Self {
            file: file.to_path_buf(),
            roads,
            entities,
            init: context.init(storyboard.child("Init")?)?,
            stories: storyboard.all("Story").map(|story| context.story(story)).collect::<Result<_>>()?,
            stop: context.trigger(storyboard.maybe("StopTrigger"))?,
            parameters: scope.values,
        })
    }
}

/// Parameters that an element declares (`tag` is one declaration), `given` in place of their own values.
fn declarations(
    of: Element<'_>,
    tag: &'static str,
    given: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>> {
    let list = if tag == "ParameterDeclaration" { "ParameterDeclarations" } else { "VariableDeclarations" };
    let mut values = BTreeMap::new();
    for declaration in of.all(list).flat_map(|list| list.children()) {
        if declaration.tag() != tag {
            return declaration.refuse();
        }
        declaration.only(&["name", "parameterType", "variableType", "value"], &[])?;
        let name = declaration.required("name")?;
        // A declaration may use those before it.
        let before = Scope { values: std::mem::take(&mut values), outer: Some(of.scope()) };
        let value = match given.get(&name) {
            Some(value) => Ok(value.clone()),
            None => declaration.within(&before).required("value"),
        };
        values = before.values;
        values.insert(name, value?);
    }
    Ok(values)
}

fn roads(root: Element<'_>, beside: &Path, files: &Files) -> Result<Option<PathBuf>> {
    let Some(network) = root.maybe("RoadNetwork") else { return Ok(files.roads.clone()) };
    network.only(&[], &["LogicFile"])?;
    let Some(logic) = network.maybe("LogicFile") else { return Ok(files.roads.clone()) };
    logic.only(&["filepath"], &[])?;
    let named = logic.required("filepath")?;
    match files.roads.clone().or_else(|| files.find(beside, &named)) {
        Some(found) => Ok(Some(found)),
        None => Err(logic.invalid(format!("there is no road network {named}"))),
    }
}
