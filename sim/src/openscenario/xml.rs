//! Elements of a scenario file: attributes with their parameters put in, and nothing left unread.
//!
//! A parser names the attributes and children that it reads ([`Element::only`]); any other is an error with file and line,
//! unless it stands in the short list of what has no effect here ([`WITHOUT_EFFECT`]).

use super::error::{Error, Place};
use super::expression;
use roxmltree::Node;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::str::FromStr;

type Result<T> = std::result::Result<T, Error>;

/// What the importer reads over, with the reason: element, and its child or attribute (`@`).
pub const WITHOUT_EFFECT: &[(&str, &str, &str)] = &[
    ("OpenSCENARIO", "@noNamespaceSchemaLocation", "a hint for editors"),
    ("RoadNetwork", "SceneGraphFile", "pictures are made from the roads"),
    ("CatalogReference", "@name", "only a label"),
    ("Vehicle", "@model3d", "meshes are made from kind and size"),
    ("Vehicle", "@mass", "motion is kinematic"),
    ("Vehicle", "Performance", "motion follows the actions exactly"),
    ("Vehicle", "Axles", "motion is kinematic"),
    ("Vehicle", "Properties", "settings of one simulator's pictures and controllers"),
    ("Vehicle", "TrailerHitch", "has an effect only with a trailer"),
    ("Vehicle", "TrailerCoupler", "has an effect only with a trailer"),
    ("Pedestrian", "@model3d", "meshes are made from kind and size"),
    ("Pedestrian", "@model", "meshes are made from kind and size"),
    ("Pedestrian", "@mass", "motion is kinematic"),
    ("Pedestrian", "Properties", "settings of one simulator's pictures"),
    ("MiscObject", "@model3d", "meshes are made from kind and size"),
    ("MiscObject", "@mass", "motion is kinematic"),
    ("MiscObject", "Properties", "settings of one simulator's pictures"),
    ("Controller", "Properties", "settings of the controller, see the list of controllers"),
    ("Route", "ParameterDeclarations", "routes use none of their own"),
    ("ParameterDeclaration", "ConstraintGroup", "limits what may be passed in; the declared value is used"),
];

/// A file that was read.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) file: PathBuf,
    pub(crate) text: String,
}

impl Source {
    /// Longest file that is read, bytes.
    const MAX_BYTES: u64 = 16 << 20;

    pub(crate) fn read(file: &Path) -> Result<Self> {
        let failed = |reason: String| Error::File { file: file.to_path_buf(), reason };
        let length = std::fs::metadata(file).map_err(|error| failed(error.to_string()))?.len();
        if length > Self::MAX_BYTES {
            return Err(failed(format!("{length} bytes are more than {}", Self::MAX_BYTES)));
        }
        let text = std::fs::read_to_string(file).map_err(|error| failed(error.to_string()))?;
        Ok(Self { file: file.to_path_buf(), text })
    }

    pub(crate) fn parse(&self) -> Result<roxmltree::Document<'_>> {
        roxmltree::Document::parse(&self.text)
            .map_err(|error| Error::File { file: self.file.clone(), reason: error.to_string() })
    }
}

/// Parameters that hold in a part of a file, those outside behind them.
#[derive(Debug, Default)]
pub(crate) struct Scope<'a> {
    pub(crate) values: BTreeMap<String, String>,
    pub(crate) outer: Option<&'a Scope<'a>>,
}

impl Scope<'_> {
    fn get(&self, name: &str) -> Option<&str> {
        match self.values.get(name) {
            Some(value) => Some(value),
            None => self.outer?.get(name),
        }
    }
}

/// An element with what its attributes need.
#[derive(Clone, Copy)]
pub(crate) struct Element<'a> {
    node: Node<'a, 'a>,
    source: &'a Source,
    scope: &'a Scope<'a>,
}

impl<'a> Element<'a> {
    pub(crate) fn new(node: Node<'a, 'a>, source: &'a Source, scope: &'a Scope<'a>) -> Self {
        Self { node, source, scope }
    }

    /// The same element, where other parameters hold.
    pub(crate) fn within<'b>(&self, scope: &'b Scope<'b>) -> Element<'b>
    where
        'a: 'b,
    {
        Element { node: self.node, source: self.source, scope }
    }

    pub(crate) fn scope(&self) -> &'a Scope<'a> {
        self.scope
    }

    pub(crate) fn tag(&self) -> &'a str {
        self.node.tag_name().name()
    }

    pub(crate) fn place(&self) -> Place {
        let line = self.source.text[..self.node.range().start.min(self.source.text.len())]
            .bytes()
            .filter(|byte| *byte == b'\n')
            .count();
        Place { file: self.source.file.clone(), line: line as u32 + 1 }
    }

    pub(crate) fn unsupported(&self, what: impl Into<String>) -> Error {
        Error::Unsupported { place: self.place(), what: what.into() }
    }

    pub(crate) fn invalid(&self, what: impl Into<String>) -> Error {
        Error::Invalid { place: self.place(), what: what.into() }
    }

    /// This element as a whole is not supported.
    pub(crate) fn refuse<T>(&self) -> Result<T> {
        Err(self.unsupported(format!("<{}>", self.tag())))
    }

    /// An error for each attribute and child besides these.
    pub(crate) fn only(&self, attributes: &[&str], children: &[&str]) -> Result<()> {
        let harmless = |part: &str| WITHOUT_EFFECT.iter().any(|(tag, known, _)| *tag == self.tag() && *known == part);
        for attribute in self.node.attributes() {
            let name = attribute.name();
            if !attributes.contains(&name) && !harmless(&format!("@{name}")) {
                return Err(self.unsupported(format!("attribute {name} of <{}>", self.tag())));
            }
        }
        for child in self.children() {
            if !children.contains(&child.tag()) && !harmless(child.tag()) {
                return Err(child.unsupported(format!("<{}> in <{}>", child.tag(), self.tag())));
            }
        }
        Ok(())
    }

    pub(crate) fn children(&self) -> impl Iterator<Item = Element<'a>> + use<'a> {
        let (source, scope) = (self.source, self.scope);
        self.node.children().filter(Node::is_element).map(move |node| Element { node, source, scope })
    }

    pub(crate) fn all(&self, tag: &'static str) -> impl Iterator<Item = Element<'a>> + use<'a> {
        self.children().filter(move |child| child.tag() == tag)
    }

    pub(crate) fn maybe(&self, tag: &'static str) -> Option<Element<'a>> {
        self.all(tag).next()
    }

    pub(crate) fn child(&self, tag: &'static str) -> Result<Element<'a>> {
        self.maybe(tag).ok_or_else(|| self.invalid(format!("<{}> has no <{tag}>", self.tag())))
    }

    /// The only child of an element that offers a choice.
    pub(crate) fn choice(&self) -> Result<Element<'a>> {
        self.only(&[], &self.children().map(|child| child.tag()).collect::<Vec<_>>())?;
        self.choice_among_children()
    }

    /// The only child, where the element has attributes of its own.
    pub(crate) fn choice_among_children(&self) -> Result<Element<'a>> {
        let mut children = self.children();
        let first = children.next().ok_or_else(|| self.invalid(format!("<{}> is empty", self.tag())))?;
        match children.next() {
            Some(second) => Err(second.invalid(format!("<{}> may hold one element only", self.tag()))),
            None => Ok(first),
        }
    }

    /// An attribute, its parameters and expressions put in.
    pub(crate) fn text(&self, name: &str) -> Result<Option<String>> {
        self.node.attribute(name).map(|raw| self.put_in(name, raw)).transpose()
    }

    /// A label: where it is no expression it stays as it is written.
    pub(crate) fn name(&self) -> String {
        let raw = self.node.attribute("name").unwrap_or_default();
        self.put_in("name", raw).unwrap_or_else(|_| raw.to_owned())
    }

    /// An attribute as it is written.
    pub(crate) fn literal(&self, name: &str) -> &'a str {
        self.node.attribute(name).unwrap_or_default()
    }

    pub(crate) fn required(&self, name: &str) -> Result<String> {
        self.text(name)?.ok_or_else(|| self.invalid(format!("<{}> has no attribute {name}", self.tag())))
    }

    /// A value of a type that its text tells.
    pub(crate) fn parsed<T: FromStr>(&self, name: &str) -> Result<Option<T>> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        match text.trim().parse() {
            Ok(value) => Ok(Some(value)),
            Err(_) => Err(self.invalid(format!("{name} of <{}> cannot be {text:?}", self.tag()))),
        }
    }

    /// A finite number; the standard's `INF` is an absent one.
    pub(crate) fn number(&self, name: &str) -> Result<Option<f64>> {
        match self.parsed::<f64>(name)? {
            Some(value) if value.is_nan() => Err(self.invalid(format!("{name} of <{}> is no number", self.tag()))),
            value => Ok(value.filter(|value| value.is_finite())),
        }
    }

    pub(crate) fn required_number(&self, name: &str) -> Result<f64> {
        self.number(name)?.ok_or_else(|| self.invalid(format!("<{}> has no attribute {name}", self.tag())))
    }

    pub(crate) fn flag(&self, name: &str) -> Result<Option<bool>> {
        match self.text(name)?.as_deref() {
            None => Ok(None),
            Some("true" | "1") => Ok(Some(true)),
            Some("false" | "0") => Ok(Some(false)),
            Some(other) => Err(self.invalid(format!("{name} of <{}> cannot be {other:?}", self.tag()))),
        }
    }

    /// One of the values that a table names.
    pub(crate) fn one_of<T: Copy>(&self, name: &str, table: &[(&str, T)]) -> Result<Option<T>> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        match table.iter().find(|(word, _)| *word == text) {
            Some((_, value)) => Ok(Some(*value)),
            None => Err(self.unsupported(format!("{name}={text:?} of <{}>", self.tag()))),
        }
    }

    fn put_in(&self, attribute: &str, raw: &str) -> Result<String> {
        let fault = |what: String| self.invalid(format!("{attribute} of <{}>: {what}", self.tag()));
        if let Some(expression) = raw.trim().strip_prefix("${").and_then(|text| text.strip_suffix('}')) {
            let text = self.with_parameters(expression).map_err(fault)?;
            return match expression::evaluate(&text) {
                Some(value) => Ok(value.to_string()),
                None => Err(fault(format!("{expression:?} is no expression"))),
            };
        }
        match raw.strip_prefix('$') {
            Some(name) => match self.scope.get(name) {
                Some(value) => Ok(value.to_owned()),
                None => Err(fault(format!("no parameter is called {name:?}"))),
            },
            None => Ok(raw.to_owned()),
        }
    }

    fn with_parameters(&self, expression: &str) -> std::result::Result<String, String> {
        let mut text = String::new();
        let mut rest = expression;
        while let Some(at) = rest.find('$') {
            text.push_str(&rest[..at]);
            let name = &rest[at + 1..];
            let end = name.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(name.len());
            let value = self.scope.get(&name[..end]);
            text.push_str(value.ok_or_else(|| format!("no parameter is called {:?}", &name[..end]))?);
            rest = &name[end..];
        }
        text.push_str(rest);
        Ok(text)
    }
}
