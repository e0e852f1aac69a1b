//! The query language of NGSI-LD (GS CIM 009 clause 4.9): `speed>50;category=="traffic"|severity=="high"`.
//!
//! In: text from outside. Out: an expression that is evaluated against entities. Invariants: the text never reaches a store;
//! length, terms and depth are bounded; patterns run in linear time.

use crate::entity::{Entity, from_rfc3339};
use regex::{Regex, RegexBuilder};
use serde_json::Value;
use std::cmp::Ordering;

const MAX_BYTES: usize = 2_048;
const MAX_TERMS: usize = 32;
const MAX_DEPTH: usize = 8;
/// Size of a compiled pattern, bytes.
const MAX_PATTERN: usize = 64 << 10;

/// A query.
#[derive(Clone, Debug)]
pub(crate) enum Expression {
    All(Vec<Expression>),
    Any(Vec<Expression>),
    /// The attribute exists.
    Exists(Path),
    Compare(Path, Operator, Vec<Operand>),
    Matches(Path, Regex, bool),
}

/// An attribute, and the way into its value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Path(Vec<String>);

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Operator {
    Equal,
    Unequal,
    Greater,
    GreaterEqual,
    Less,
    LessEqual,
}

/// What is compared with: a value, or a range for (un)equality.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Operand {
    Value(Value),
    Range(Value, Value),
}

/// Compiles a pattern from outside, of bounded size.
pub(crate) fn pattern(text: &str) -> Result<Regex, String> {
    RegexBuilder::new(text).size_limit(MAX_PATTERN).build().map_err(|_| format!("`{text}` is no pattern"))
}

impl Expression {
    /// Reads a query.
    ///
    /// # Errors
    /// What is wrong with it and where.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if text.len() > MAX_BYTES {
            return Err(format!("q has more than {MAX_BYTES} bytes"));
        }
        let mut parser = Parser { text, at: 0, terms: 0 };
        let expression = parser.all(0)?;
        match parser.rest() {
            "" => Ok(expression),
            _ => Err(parser.expected("`;`, `|` or the end")),
        }
    }

    /// Whether an entity is what it asks for.
    pub(crate) fn matches(&self, entity: &Entity) -> bool {
        match self {
            Self::All(all) => all.iter().all(|one| one.matches(entity)),
            Self::Any(any) => any.iter().any(|one| one.matches(entity)),
            Self::Exists(path) => path.value(entity).is_some(),
            Self::Compare(path, operator, operands) => path.value(entity).is_some_and(|value| {
                let equal = operands.iter().any(|operand| operand.equals(&value));
                match operator {
                    Operator::Equal => equal,
                    Operator::Unequal => !equal,
                    ordered => operands.iter().any(|operand| operand.orders(&value, *ordered)),
                }
            }),
            Self::Matches(path, regex, wanted) => path
                .value(entity)
                .is_some_and(|value| value.as_str().is_some_and(|text| regex.is_match(text) == *wanted)),
        }
    }
}

impl Path {
    fn value(&self, entity: &Entity) -> Option<Value> {
        let (attribute, inner) = self.0.split_first()?;
        let value = entity.value_of(attribute)?;
        inner.iter().try_fold(value, |value, key| value.get(key).cloned()).filter(|value| !value.is_null())
    }
}

impl Operand {
    fn equals(&self, value: &Value) -> bool {
        // Of a list one element suffices (clause 4.9).
        if let Value::Array(list) = value {
            return list.iter().any(|one| self.equals(one));
        }
        match self {
            Self::Value(operand) => order(value, operand) == Some(Ordering::Equal),
            Self::Range(least, most) => {
                order(value, least).is_some_and(Ordering::is_ge) && order(value, most).is_some_and(Ordering::is_le)
            }
        }
    }

    fn orders(&self, value: &Value, operator: Operator) -> bool {
        let Self::Value(operand) = self else { return false };
        order(value, operand).is_some_and(|order| match operator {
            Operator::Greater => order.is_gt(),
            Operator::GreaterEqual => order.is_ge(),
            Operator::Less => order.is_lt(),
            Operator::LessEqual => order.is_le(),
            Operator::Equal | Operator::Unequal => false,
        })
    }
}

/// How two values of one type lie; times by what they mean.
fn order(a: &Value, b: &Value) -> Option<Ordering> {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.as_f64()?.partial_cmp(&b.as_f64()?),
        (Value::Bool(a), Value::Bool(b)) => Some(a.cmp(b)),
        (Value::String(a), Value::String(b)) => match (from_rfc3339(a), from_rfc3339(b)) {
            (Some(a), Some(b)) => Some(a.cmp(&b)),
            _ => Some(a.cmp(b)),
        },
        _ => None,
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    terms: usize,
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn expected(&self, what: &str) -> String {
        let found: String = self.rest().chars().take(12).collect();
        format!("q: expected {what} at byte {}, found `{found}`", self.at)
    }

    fn take(&mut self, token: &str) -> bool {
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    /// Terms with `;` between them: each must hold. `|` binds less tightly.
    fn all(&mut self, depth: usize) -> Result<Expression, String> {
        if depth > MAX_DEPTH {
            return Err(format!("q: more than {MAX_DEPTH} levels of parentheses"));
        }
        let mut any = Vec::new();
        loop {
            let mut all = vec![self.term(depth)?];
            while self.take(";") {
                all.push(self.term(depth)?);
            }
            any.push(Expression::All(all));
            if !self.take("|") {
                return Ok(Expression::Any(any));
            }
        }
    }

    fn term(&mut self, depth: usize) -> Result<Expression, String> {
        self.terms += 1;
        if self.terms > MAX_TERMS {
            return Err(format!("q: more than {MAX_TERMS} terms"));
        }
        if self.take("(") {
            let inner = self.all(depth + 1)?;
            return if self.take(")") { Ok(inner) } else { Err(self.expected("`)`")) };
        }
        let path = self.path()?;
        for (token, wanted) in [("!~=", false), ("~=", true)] {
            if self.take(token) {
                let text = self.value()?;
                let text = text.as_str().map_or_else(|| text.to_string(), str::to_owned);
                return Ok(Expression::Matches(path, pattern(&text)?, wanted));
            }
        }
        let operators = [
            ("==", Operator::Equal),
            ("!=", Operator::Unequal),
            (">=", Operator::GreaterEqual),
            ("<=", Operator::LessEqual),
            (">", Operator::Greater),
            ("<", Operator::Less),
        ];
        let Some((_, operator)) = operators.into_iter().find(|(token, _)| self.take(token)) else {
            return Ok(Expression::Exists(path));
        };
        let mut operands = vec![self.operand()?];
        while self.take(",") {
            operands.push(self.operand()?);
        }
        Ok(Expression::Compare(path, operator, operands))
    }

    fn path(&mut self) -> Result<Path, String> {
        let mut path = vec![self.name()?];
        loop {
            if self.take(".") {
                path.push(self.name()?);
            } else if self.take("[") {
                path.push(self.name()?);
                if !self.take("]") {
                    return Err(self.expected("`]`"));
                }
            } else {
                return Ok(Path(path));
            }
        }
    }

    fn name(&mut self) -> Result<String, String> {
        let rest = self.rest();
        let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
        if end == 0 {
            return Err(self.expected("the name of an attribute"));
        }
        self.at += end;
        Ok(rest[..end].to_owned())
    }

    fn operand(&mut self) -> Result<Operand, String> {
        let least = self.value()?;
        if self.take("..") { Ok(Operand::Range(least, self.value()?)) } else { Ok(Operand::Value(least)) }
    }

    /// A value: quoted text, or bare until a sign of the language; bare numbers and truth values are what they look like.
    fn value(&mut self) -> Result<Value, String> {
        let rest = self.rest();
        if let Some(quoted) = rest.strip_prefix('"') {
            let end = quoted.find('"').ok_or_else(|| self.expected("a closing quote"))?;
            self.at += end + 2;
            return Ok(quoted[..end].into());
        }
        let end = rest.find([';', '|', ')', ',', '(']).unwrap_or(rest.len());
        let bare = &rest[..end];
        let bare = bare.split_once("..").map_or(bare, |(least, _)| least);
        if bare.is_empty() {
            return Err(self.expected("a value"));
        }
        self.at += bare.len();
        Ok(match (bare, bare.parse::<f64>()) {
            ("true", _) => true.into(),
            ("false", _) => false.into(),
            (_, Ok(number)) if number.is_finite() => number.into(),
            _ => bare.into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entity::{EntityKind, Geometry, Origin, Position};
    use masa_v2x_proto::time::Timestamp;
    use proptest::prelude::*;
    use serde_json::json;

    fn vehicle() -> Entity {
        let at = Timestamp::from_unix_ms(1_700_000_000_000);
        let origin = Origin { site: "s".into(), station: 1, message: String::new(), received_at: at };
        let place = Geometry::Point(Position { lon_deg: 10.0, lat_deg: 44.0 });
        Entity::new("urn:v".into(), EntityKind::Vehicle, place, at, &origin)
            .with("speed", 42.5)
            .with("vehicleType", "car")
            .with("category", json!(["nonTracked", "private"]))
            .with("data", json!({ "causeCode": 2, "place": { "lane": 1 } }))
            .with("dateIssued", "2026-11-22T08:15:02Z")
            .with("isOver", false)
    }

    #[test]
    fn queries_take_what_they_say() {
        for (q, matches) in [
            ("speed", true),
            ("weight", false),
            ("speed>42", true),
            ("speed>=42.5;speed<=42.5", true),
            ("speed<42.5", false),
            ("speed==40..45", true),
            ("speed!=40..45", false),
            ("vehicleType==\"car\"", true),
            ("vehicleType==car", true),
            ("vehicleType!=\"car\"", false),
            ("weight!=\"car\"", false),
            ("vehicleType==\"bus\",\"car\"", true),
            ("category==\"private\"", true),
            ("data[causeCode]==2", true),
            ("data.place.lane==1", true),
            ("data.place.lane.x==1", false),
            ("isOver==false", true),
            ("speed>100|vehicleType==car", true),
            ("speed>100;vehicleType==car|isOver==true", false),
            ("(speed>100|vehicleType==car);isOver==false", true),
            ("vehicleType~=^c.r$", true),
            ("vehicleType!~=\"^c\"", false),
            ("dateIssued>\"2026-11-22T09:15:01+01:00\"", true),
            ("dateIssued>2026-11-22T08:15:03Z", false),
            ("speed>\"42\"", false),
        ] {
            assert_eq!(Expression::parse(q).unwrap().matches(&vehicle()), matches, "{q}");
        }
    }

    #[test]
    fn what_is_no_query_is_refused_with_its_place() {
        let deep = "(".repeat(MAX_DEPTH + 2);
        let many = vec!["a"; MAX_TERMS + 1].join(";");
        let long = "a".repeat(MAX_BYTES + 1);
        for (q, names) in [
            ("", "byte 0"),
            ("speed>", "byte 6"),
            ("speed>1;", "byte 8"),
            ("(speed>1", "`)`"),
            ("speed>1)", "byte 7"),
            ("speed==\"x", "quote"),
            ("data[x", "`]`"),
            ("'; DROP TABLE records; --", "byte 0"),
            ("speed=1", "byte 5"),
            ("vehicleType~=\"(\"", "pattern"),
            ("vehicleType~=\"(a{1000}){1000}\"", "pattern"),
            (deep.as_str(), "levels"),
            (many.as_str(), "terms"),
            (long.as_str(), "bytes"),
        ] {
            let error = Expression::parse(q).unwrap_err();
            assert!(error.contains(names), "{q}: {error}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_query_or_not(text in ".{0,60}") {
            if let Ok(query) = Expression::parse(&text) {
                query.matches(&vehicle());
            }
        }
    }
}
