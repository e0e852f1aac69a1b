//! OpenSCENARIO expressions, the inside of `${…}`: numbers, `+ - * / %`, brackets and the standard's functions.
//!
//! Parameters are put in before; what is left is arithmetic. Booleans are the numbers 0 and 1 here.

/// What an expression without parameters is worth; `None` if it is none.
pub(crate) fn evaluate(text: &str) -> Option<f64> {
    let mut reader = Reader { rest: text.trim(), depth: 0 };
    let value = reader.sum()?;
    (reader.rest.is_empty() && value.is_finite()).then_some(value)
}

/// Brackets within brackets beyond which an expression is none: the reader calls itself once for each.
const MAX_DEPTH: u32 = 32;

struct Reader<'a> {
    rest: &'a str,
    depth: u32,
}

impl Reader<'_> {
    fn eat(&mut self, token: char) -> bool {
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest.trim_start();
                true
            }
            None => false,
        }
    }

    fn sum(&mut self) -> Option<f64> {
        let mut value = self.product()?;
        loop {
            if self.eat('+') {
                value += self.product()?;
            } else if self.eat('-') {
                value -= self.product()?;
            } else {
                return Some(value);
            }
        }
    }

    fn product(&mut self) -> Option<f64> {
        let mut value = self.factor()?;
        loop {
            if self.eat('*') {
                value *= self.factor()?;
            } else if self.eat('/') {
                value /= self.factor()?;
            } else if self.eat('%') {
                value %= self.factor()?;
            } else {
                return Some(value);
            }
        }
    }

    fn factor(&mut self) -> Option<f64> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return None;
        }
        let value = self.unary();
        self.depth -= 1;
        value
    }

    fn unary(&mut self) -> Option<f64> {
        if self.eat('-') {
            return Some(-self.factor()?);
        }
        if self.eat('(') {
            let value = self.sum()?;
            return self.eat(')').then_some(value);
        }
        let end = self.rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '.').unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        // The sign of an exponent belongs to the number.
        let number = word.starts_with(|c: char| c.is_ascii_digit() || c == '.');
        if number && word.ends_with(['e', 'E']) && rest.starts_with(['-', '+']) {
            let digits = rest[1..].find(|c: char| !c.is_ascii_digit()).map_or(rest.len(), |at| at + 1);
            let (word, rest) = self.rest.split_at(end + digits);
            self.rest = rest.trim_start();
            return word.parse().ok();
        }
        self.rest = rest.trim_start();
        match word {
            "true" => return Some(1.0),
            "false" => return Some(0.0),
            _ if number => return word.parse().ok(),
            _ => {}
        }
        if !self.eat('(') {
            return None;
        }
        let first = self.sum()?;
        let second = if self.eat(',') { Some(self.sum()?) } else { None };
        if !self.eat(')') {
            return None;
        }
        match (word, second) {
            ("round", None) => Some(first.round()),
            ("floor", None) => Some(first.floor()),
            ("ceil", None) => Some(first.ceil()),
            ("sqrt", None) => Some(first.sqrt()),
            ("abs", None) => Some(first.abs()),
            ("sign", None) => Some(if first == 0.0 { 0.0 } else { first.signum() }),
            ("pow", Some(second)) => Some(first.powf(second)),
            ("max", Some(second)) => Some(first.max(second)),
            ("min", Some(second)) => Some(first.min(second)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::evaluate;

    #[test]
    fn arithmetic_has_its_usual_order() {
        for (text, value) in [
            ("250/3.6", 250.0 / 3.6),
            ("0.25 * 120 / 3.6", 0.25 * 120.0 / 3.6),
            ("2 - 3 - 4", -5.0),
            ("-(1 + 2) * 3", -9.0),
            ("pow(2, 3) + max(1, 4) - round(2.6)", 9.0),
            ("1e-3 * 2E3", 2.0),
            ("7 % 4", 3.0),
        ] {
            assert_eq!(evaluate(text), Some(value), "{text}");
        }
    }

    #[test]
    fn what_is_no_expression_has_no_value() {
        for text in ["", "1 +", "_", "1 / 0", "pow(2)", "foo(1)", "1 2", &"(".repeat(100_000), &"-".repeat(100_000)] {
            assert_eq!(evaluate(text), None, "{:.20}", text);
        }
    }
}
