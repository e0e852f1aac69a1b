//! What the elements say about themselves: the model from which `.proto` files and the documentation are made.

use crate::protobuf::envelope;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

/// A type of a component.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Type {
    Bool,
    /// A number; signed when its range goes below zero.
    Number(Note),
    String(Note),
    Bytes(Note),
    Enum(Name),
    Message(Name),
    List {
        element: Box<Type>,
        min: usize,
        max: usize,
    },
}

/// Package and name of a message or an enum.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Name {
    pub(crate) module: &'static str,
    pub(crate) name: Cow<'static, str>,
}

/// What the codes of a number mean, or how long a string may be.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Note {
    pub(crate) min: i64,
    pub(crate) max: i64,
    /// Units in one step, where that is not 1.
    pub(crate) step: Option<f64>,
    pub(crate) below: Option<i64>,
    pub(crate) above: Option<i64>,
    pub(crate) unavailable: Option<i64>,
    /// The enum whose values are the numbers of the bits.
    pub(crate) bits: Option<Name>,
}

impl Note {
    pub(crate) fn length(min: usize, max: usize) -> Self {
        Self { min: min as i64, max: max as i64, ..Self::default() }
    }
}

impl Type {
    /// A number of `min..=max` in steps of 1.
    pub(crate) fn number(min: i64, max: i64) -> Self {
        Self::Number(Note { min, max, ..Note::default() })
    }
}

/// Whether the standard makes a component mandatory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Presence {
    Mandatory,
    Optional,
    /// Absent means the code; `None` where the value has none.
    Default(Option<i64>),
}

/// A component of a message or an alternative of a CHOICE.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Field {
    /// The standard's name.
    pub(crate) name: &'static str,
    /// Name in Rust, which ends in the unit.
    pub(crate) rust: &'static str,
    pub(crate) tag: u32,
    pub(crate) presence: Presence,
    /// Whether a list of it may be empty and therefore stands in a message of its own.
    pub(crate) wrapped: bool,
    pub(crate) ty: Type,
    pub(crate) comment: &'static str,
}

/// How the fields of a message relate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Sequence,
    /// Exactly one is present.
    Choice,
}

/// A message or an enum.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Item {
    pub(crate) name: Cow<'static, str>,
    /// Where it is declared; two types of one package must not have one name.
    pub(crate) path: &'static str,
    pub(crate) comment: &'static str,
    pub(crate) body: Body,
}

/// Content of an [`Item`].
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Body {
    Message {
        form: Form,
        fields: Vec<Field>,
    },
    Enum(Vec<EnumValue>),
    /// A message that is being described.
    Open,
}

/// A value of an enum.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct EnumValue {
    pub(crate) name: &'static str,
    pub(crate) number: i64,
    pub(crate) comment: &'static str,
}

/// All types met so far, by package, in the order in which they were met.
#[derive(Clone, Debug, Default)]
pub(crate) struct Schema {
    pub(crate) packages: BTreeMap<&'static str, Vec<Item>>,
}

/// The module below the crate in which a type is declared, such as `cdd`; it gives the package.
pub(crate) fn package_of(module_path: &'static str) -> &'static str {
    let mut modules = module_path.split("::").skip(1);
    match (modules.next(), modules.next()) {
        // European extensions of other messages have nodes of a map: files of a schema cannot import each other.
        (Some("mapem"), Some("node")) => "dsrc",
        (Some(module), _) => module,
        (None, _) => module_path,
    }
}

impl Schema {
    /// A message, described once.
    pub(crate) fn message(
        &mut self,
        path: &'static str,
        name: impl Into<Cow<'static, str>>,
        comment: &'static str,
        form: Form,
        fields: impl FnOnce(&mut Self) -> Vec<Field>,
    ) -> Type {
        let name = name.into();
        if let Some((module, index)) = self.open(path, name.clone(), comment) {
            let fields = fields(self);
            if let Some(item) = self.packages.get_mut(module).and_then(|items| items.get_mut(index)) {
                item.body = Body::Message { form, fields };
            }
        }
        Type::Message(Name { module: package_of(path), name })
    }

    /// An enum, described once.
    pub(crate) fn enumeration(
        &mut self,
        path: &'static str,
        name: &'static str,
        comment: &'static str,
        values: impl IntoIterator<Item = (&'static str, i64, &'static str)>,
    ) -> Name {
        let name = Cow::Borrowed(name);
        if let Some((module, index)) = self.open(path, name.clone(), comment) {
            let value = |(name, number, comment)| EnumValue { name, number, comment };
            let values = values.into_iter().map(value).collect();
            if let Some(item) = self.packages.get_mut(module).and_then(|items| items.get_mut(index)) {
                item.body = Body::Enum(values);
            }
        }
        Name { module: package_of(path), name }
    }

    /// The place of a new item; `None` when it is there already.
    fn open(
        &mut self,
        path: &'static str,
        name: Cow<'static, str>,
        comment: &'static str,
    ) -> Option<(&'static str, usize)> {
        let module = package_of(path);
        let items = self.packages.entry(module).or_default();
        if items.iter().any(|item| item.name == name && item.path == path) {
            return None;
        }
        items.push(Item { name, path, comment, body: Body::Open });
        Some((module, items.len() - 1))
    }
}

/// The name of a message of the schema as it is in the code; `None` when there is none of this name.
pub(crate) fn sequence_named(name: &str) -> Option<&'static str> {
    static NAMES: OnceLock<BTreeSet<&'static str>> = OnceLock::new();
    let all = || {
        let schema = envelope::schema();
        let messages = schema.packages.into_values().flatten();
        let named = |item: Item| match (item.name, item.body) {
            (Cow::Borrowed(name), Body::Message { .. }) => Some(name),
            _ => None,
        };
        messages.filter_map(named).collect()
    };
    NAMES.get_or_init(all).get(name).copied()
}
