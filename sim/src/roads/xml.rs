//! XML elements that can say where they are wrong.

use super::error::RoadsError;
use roxmltree::{Document, Node};
use std::str::FromStr;

/// What an element may carry: its name and the names of its attributes.
pub(crate) type Known = &'static [(&'static str, &'static [&'static str])];

/// Reads a document; `file` is how errors call it.
pub(crate) fn parse<'t>(text: &'t str, file: &str) -> Result<Document<'t>, RoadsError> {
    Document::parse(text).map_err(|source| {
        // The reader has no place for what is missing at the end.
        let at_end = matches!(source, roxmltree::Error::UnclosedRootNode | roxmltree::Error::UnexpectedEndOfStream);
        let line = if at_end { text.lines().count().max(1) as u32 } else { source.pos().row };
        RoadsError::NotXml { file: file.to_owned(), line, source }
    })
}

/// An element of a file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Element<'a, 't> {
    node: Node<'a, 't>,
    file: &'a str,
}

impl<'a, 't> Element<'a, 't> {
    /// The root element of a document.
    pub(crate) fn root(document: &'a Document<'t>, file: &'a str) -> Self {
        Self { node: document.root_element(), file }
    }

    /// Its name.
    pub(crate) fn name(self) -> &'a str {
        self.node.tag_name().name()
    }

    /// Its child elements.
    pub(crate) fn children(self) -> impl Iterator<Item = Self> {
        self.node.children().filter(Node::is_element).map(move |node| Self { node, ..self })
    }

    /// Itself and all elements below.
    pub(crate) fn descendants(self) -> impl Iterator<Item = Self> {
        self.node.descendants().filter(Node::is_element).map(move |node| Self { node, ..self })
    }

    /// Its child elements of this name.
    pub(crate) fn all(self, name: &'static str) -> impl Iterator<Item = Self> {
        self.children().filter(move |child| child.name() == name)
    }

    /// Its first child element of this name.
    pub(crate) fn first(self, name: &'static str) -> Option<Self> {
        self.all(name).next()
    }

    /// The error that this element has `problem`.
    pub(crate) fn fail(self, problem: impl Into<String>) -> RoadsError {
        let line = self.node.document().text_pos_at(self.node.range().start).row;
        let element = match self.node.attribute("id") {
            Some(id) => format!("{} id=\"{id}\"", self.name()),
            None => self.name().to_owned(),
        };
        RoadsError::Element { file: self.file.to_owned(), line, element, problem: problem.into() }
    }

    /// An attribute, if there.
    pub(crate) fn text(self, attribute: &str) -> Option<&'a str> {
        self.node.attribute(attribute)
    }

    /// An attribute that must be there.
    pub(crate) fn required(self, attribute: &str) -> Result<&'a str, RoadsError> {
        self.text(attribute).ok_or_else(|| self.fail(format!("attribute `{attribute}` is missing")))
    }

    /// An attribute as a value, if there.
    pub(crate) fn optional<T: FromStr>(self, attribute: &str) -> Result<Option<T>, RoadsError> {
        let Some(text) = self.text(attribute) else { return Ok(None) };
        let wrong = || self.fail(format!("{attribute}=\"{text}\" is no {}", std::any::type_name::<T>()));
        text.trim().parse().map(Some).map_err(|_| wrong())
    }

    /// A number that must be there.
    pub(crate) fn number(self, attribute: &str) -> Result<f64, RoadsError> {
        self.number_or_none(attribute)?.ok_or_else(|| self.fail(format!("attribute `{attribute}` is missing")))
    }

    /// A finite number, if there.
    pub(crate) fn number_or_none(self, attribute: &str) -> Result<Option<f64>, RoadsError> {
        let number: Option<f64> = self.optional(attribute)?;
        match number {
            Some(number) if number.is_nan() || number.abs() > 1e9 => {
                Err(self.fail(format!("{attribute}=\"{number}\" is not within ±1e9")))
            }
            number => Ok(number),
        }
    }

    /// A number that must be there and above zero.
    pub(crate) fn positive(self, attribute: &str) -> Result<f64, RoadsError> {
        let number = self.number(attribute)?;
        if number > 0.0 { Ok(number) } else { Err(self.fail(format!("{attribute}=\"{number}\" is not above 0"))) }
    }

    /// Whether an attribute says yes; `false` if it is not there.
    pub(crate) fn flag(self, attribute: &str) -> Result<bool, RoadsError> {
        match self.text(attribute) {
            None | Some("0" | "false" | "no" | "off" | "") => Ok(false),
            Some("1" | "true" | "yes" | "on" | "x") => Ok(true),
            Some(text) => Err(self.fail(format!("{attribute}=\"{text}\" is neither true nor false"))),
        }
    }

    /// Refuses elements below (and including) this one that `known` lacks, and attributes that it lacks. Attributes of
    /// another namespace (`xsi:…`) say nothing about the network.
    pub(crate) fn check_known(self, known: Known) -> Result<(), RoadsError> {
        for element in self.descendants() {
            let Some((_, attributes)) = known.iter().find(|(name, _)| *name == element.name()) else {
                return Err(element.fail("an element of this name is not known here"));
            };
            let unknown =
                element.node.attributes().find(|a| a.namespace().is_none() && !attributes.contains(&a.name()));
            if let Some(attribute) = unknown {
                return Err(element.fail(format!("attribute `{}` is not known", attribute.name())));
            }
        }
        Ok(())
    }
}
