//! Catalogs: entries of other files, with parameters of their own.

use super::{Files, Result, declarations};
use crate::openscenario::xml::{Element, Scope, Source};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Most catalog files that are read.
const MAX_FILES: usize = 256;

/// Deepest chain of entries that refer to entries.
const MAX_DEPTH: u32 = 8;

/// The catalog files of a scenario, by the name of the catalog that each holds.
pub(super) struct Catalogs {
    files: BTreeMap<String, Vec<Source>>,
    depth: std::cell::Cell<u32>,
}

impl Catalogs {
    /// Reads the files of every directory that `<CatalogLocations>` names.
    pub(super) fn locate(root: Element<'_>, beside: &Path, files: &Files) -> Result<Self> {
        let mut found: BTreeMap<String, Vec<Source>> = BTreeMap::new();
        let mut count = 0;
        let locations = root.maybe("CatalogLocations");
        for location in locations.iter().flat_map(|list| list.children()) {
            location.only(&[], &["Directory"])?;
            let directory = location.child("Directory")?;
            directory.only(&["path"], &[])?;
            let named = directory.required("path")?;
            let path = files
                .find(beside, &named)
                .ok_or_else(|| directory.invalid(format!("there is no directory {named}")))?;
            for file in xosc_files(&path).map_err(|error| directory.invalid(format!("{}: {error}", path.display())))? {
                count += 1;
                if count > MAX_FILES {
                    return Err(directory.invalid(format!("more than {MAX_FILES} catalog files")));
                }
                let source = Source::read(&file)?;
                let document = source.parse()?;
                let catalog = document.root_element().children().find(|child| child.has_tag_name("Catalog"));
                let name = catalog.and_then(|catalog| catalog.attribute("name")).map(str::to_owned);
                if let Some(name) = name {
                    drop(document);
                    found.entry(name).or_default().push(source);
                }
            }
        }
        Ok(Self { files: found, depth: 0.into() })
    }

    /// Reads the entry that a `<CatalogReference>` names: `read` gets it with its parameters in scope.
    pub(super) fn entry<T>(
        &self,
        reference: Element<'_>,
        kind: &str,
        read: impl FnOnce(Element<'_>) -> Result<T>,
    ) -> Result<T> {
        reference.only(&["catalogName", "entryName"], &["ParameterAssignments"])?;
        let (catalog, name) = (reference.required("catalogName")?, reference.required("entryName")?);
        let sources =
            self.files.get(&catalog).ok_or_else(|| reference.invalid(format!("no catalog is called {catalog:?}")))?;
        if self.depth.get() == MAX_DEPTH {
            return Err(reference.invalid("catalog entries refer to each other without end"));
        }
        let assigned = assignments(reference)?;
        let outside = Scope { values: BTreeMap::new(), outer: Some(reference.scope()) };
        let documents = sources.iter().map(|source| Ok((source, source.parse()?))).collect::<Result<Vec<_>>>()?;
        // Several files may hold parts of one catalog.
        let (source, entry) = documents
            .iter()
            .flat_map(|(source, document)| document.descendants().map(move |node| (*source, node)))
            .find(|(_, node)| {
                node.has_tag_name(kind)
                    && node.attribute("name") == Some(&name)
                    && node.parent().is_some_and(|parent| parent.has_tag_name("Catalog"))
            })
            .ok_or_else(|| reference.invalid(format!("catalog {catalog:?} has no {kind} {name:?}")))?;
        let entry = Element::new(entry, source, &outside);
        let inside = Scope { values: declarations(entry, "ParameterDeclaration", &assigned)?, outer: Some(&outside) };
        self.depth.set(self.depth.get() + 1);
        let result = read(entry.within(&inside));
        self.depth.set(self.depth.get() - 1);
        result
    }
}

/// `<ParameterAssignment>`s; a `$` before the name is allowed.
fn assignments(reference: Element<'_>) -> Result<BTreeMap<String, String>> {
    let mut assigned = BTreeMap::new();
    for assignment in reference.maybe("ParameterAssignments").iter().flat_map(|list| list.children()) {
        assignment.only(&["parameterRef", "value"], &[])?;
        let name = assignment.literal("parameterRef").trim_start_matches('$').to_owned();
        assigned.insert(name, assignment.required("value")?);
    }
    Ok(assigned)
}

/// The `.xosc` files of a directory, or the file itself, by name.
fn xosc_files(path: &Path) -> std::io::Result<Vec<PathBuf>> {
    if path.is_file() {
        return Ok(vec![path.to_path_buf()]);
    }
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "xosc") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
