//! A small tree of XML elements, written as UTF-8 with a declaration.
//!
//! Names are ours and known to be good; text and attribute values may be anything and are escaped, and characters that XML
//! 1.0 cannot carry become U+FFFD.

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};
use std::io;

/// An element with its attributes and content.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Element {
    name: &'static str,
    attributes: Vec<(&'static str, String)>,
    text: Option<String>,
    children: Vec<Element>,
}

impl Element {
    /// An element without content.
    pub(super) fn new(name: &'static str) -> Self {
        Self { name, attributes: Vec::new(), text: None, children: Vec::new() }
    }

    /// An element with text.
    pub(super) fn text(name: &'static str, text: impl std::fmt::Display) -> Self {
        Self { text: Some(clean(&text.to_string())), ..Self::new(name) }
    }

    /// With an attribute.
    #[must_use]
    pub(super) fn attribute(mut self, name: &'static str, value: impl std::fmt::Display) -> Self {
        self.attributes.push((name, clean(&value.to_string())));
        self
    }

    /// With a child.
    #[must_use]
    pub(super) fn child(mut self, child: Self) -> Self {
        self.children.push(child);
        self
    }

    /// With children.
    #[must_use]
    pub(super) fn children(mut self, children: impl IntoIterator<Item = Self>) -> Self {
        self.children.extend(children);
        self
    }

    /// The document whose root this is.
    pub(super) fn to_document(&self) -> String {
        let mut writer = Writer::new(Vec::new());
        let written = writer
            .write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))
            .and_then(|()| self.write(&mut writer));
        // A vector takes every write, and what is written to it here is UTF-8.
        written.expect("a vector takes every write");
        String::from_utf8(writer.into_inner()).expect("names and cleaned text are UTF-8")
    }

    fn write(&self, writer: &mut Writer<Vec<u8>>) -> io::Result<()> {
        let attributes = self.attributes.iter().map(|(name, value)| (*name, value.as_str()));
        let start = BytesStart::new(self.name).with_attributes(attributes);
        if self.text.is_none() && self.children.is_empty() {
            return writer.write_event(Event::Empty(start));
        }
        writer.write_event(Event::Start(start))?;
        if let Some(text) = &self.text {
            writer.write_event(Event::Text(BytesText::new(text)))?;
        }
        for child in &self.children {
            child.write(writer)?;
        }
        writer.write_event(Event::End(BytesEnd::new(self.name)))
    }
}

/// Without the characters that XML 1.0 excludes (section 2.2, production 2).
fn clean(text: &str) -> String {
    let is_char =
        |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..);
    text.chars().map(|c| if is_char(c) { c } else { '\u{FFFD}' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_in_it_stays_text() {
        let nasty = "</a><b x=\"1\">&amp;\u{0}]]>'";
        let document = Element::new("a").attribute("x", nasty).child(Element::text("b", nasty)).to_document();
        let read = roxmltree::Document::parse(&document).unwrap();
        let root = read.root_element();
        let expected = nasty.replace('\0', "\u{FFFD}");
        assert_eq!(root.attribute("x"), Some(expected.as_str()));
        assert_eq!(root.first_element_child().unwrap().text(), Some(expected.as_str()));
        assert_eq!(root.descendants().filter(|node| node.is_element()).count(), 2);
    }
}
