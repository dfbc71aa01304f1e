//! Formulas: `+ - * /`, parentheses and four choices over named inputs, with exact fractions.

use crate::{Rational, TrailError};
use std::cmp::Ordering;

/// The value of a formula such as `amount * unit / rate`.
///
/// Names are lower-case letters, digits and underscores, and must be among the inputs. An input's text is a
/// number that may be followed by a space and its unit: `1000000.00 MYR`. Four functions of two values choose:
/// `min(a, b)` and `max(a, b)`; `above(a, b)` is `a` where it is above `b` and else zero, `at_least(a, b)` likewise.
///
/// # Errors
///
/// [`TrailError::Formula`] with the place of what cannot be read, [`TrailError::UnknownInput`],
/// [`TrailError::Number`], [`TrailError::DivideByZero`], [`TrailError::Overflow`].
///
/// ```
/// use quanfu_trail::evaluate;
/// let inputs = [("price".into(), "19.90 CNY".into()), ("share".into(), "0.5".into())];
/// assert_eq!(evaluate("price * (1 - share)", &inputs)?.to_string(), "9.95");
/// # Ok::<(), quanfu_trail::TrailError>(())
/// ```
pub fn evaluate(formula: &str, inputs: &[(String, String)]) -> Result<Rational, TrailError> {
    let mut parser = Parser {
        formula,
        at: 0,
        depth: 0,
        inputs,
    };
    let value = parser.sum()?;
    match parser.peek() {
        None => Ok(value),
        Some(_) => Err(parser.wrong()),
    }
}

/// A parser by recursive descent: a sum of products of factors.
struct Parser<'a> {
    formula: &'a str,
    at: usize,
    depth: usize,
    inputs: &'a [(String, String)],
}

impl<'a> Parser<'a> {
    /// Parentheses and signs within each other; more are refused, so that no formula exhausts the stack.
    const MAX_DEPTH: usize = 64;

    fn sum(&mut self) -> Result<Rational, TrailError> {
        let mut value = self.product()?;
        loop {
            if self.takes(b'+') {
                value = value.checked_add(self.product()?)?;
            } else if self.takes(b'-') {
                value = value.checked_sub(self.product()?)?;
            } else {
                return Ok(value);
            }
        }
    }

    fn product(&mut self) -> Result<Rational, TrailError> {
        let mut value = self.factor()?;
        loop {
            if self.takes(b'*') {
                value = value.checked_mul(self.factor()?)?;
            } else if self.takes(b'/') {
                value = value.checked_div(self.factor()?)?;
            } else {
                return Ok(value);
            }
        }
    }

    fn factor(&mut self) -> Result<Rational, TrailError> {
        if self.depth == Self::MAX_DEPTH {
            return Err(self.wrong());
        }
        self.depth += 1;
        let value = match self.peek() {
            Some(b'(') => {
                self.at += 1;
                let value = self.sum()?;
                if !self.takes(b')') {
                    return Err(self.wrong());
                }
                value
            }
            Some(b'-') => {
                self.at += 1;
                self.factor()?.checked_neg()?
            }
            Some(b'0'..=b'9') => self
                .word(|byte| byte.is_ascii_digit() || byte == b'.')
                .parse()?,
            Some(b'a'..=b'z') => {
                let name = self.word(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'));
                if self.peek() == Some(b'(') {
                    let value = self.choice(name)?;
                    self.depth -= 1;
                    return Ok(value);
                }
                let input = self.inputs.iter().find(|(input, _)| input == name);
                let (_, text) =
                    input.ok_or_else(|| TrailError::UnknownInput { name: name.into() })?;
                number_of(text).parse()?
            }
            _ => return Err(self.wrong()),
        };
        self.depth -= 1;
        Ok(value)
    }

    /// The value of one of the functions of two values, from its opening parenthesis on.
    fn choice(&mut self, name: &str) -> Result<Rational, TrailError> {
        let takes_first: fn(Ordering) -> bool = match name {
            "min" => Ordering::is_le,
            "max" | "at_least" => Ordering::is_ge,
            "above" => Ordering::is_gt,
            _ => return Err(self.wrong()),
        };
        self.at += 1;
        let a = self.sum()?;
        if !self.takes(b',') {
            return Err(self.wrong());
        }
        let b = self.sum()?;
        if !self.takes(b')') {
            return Err(self.wrong());
        }
        Ok(match (takes_first(a.checked_cmp(b)?), name) {
            (true, _) => a,
            (false, "min" | "max") => b,
            (false, _) => Rational::whole(0),
        })
    }

    /// The next byte that is not a blank.
    fn peek(&mut self) -> Option<u8> {
        let rest = self.formula.as_bytes().get(self.at..)?;
        let blanks = rest.iter().take_while(|&&byte| byte == b' ').count();
        self.at += blanks;
        rest.get(blanks).copied()
    }

    fn takes(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn word(&mut self, belongs: impl Fn(u8) -> bool) -> &'a str {
        let formula = self.formula;
        let rest = &formula[self.at..]; // only ASCII was passed, so this is no cut character
        let length = rest.bytes().take_while(|&byte| belongs(byte)).count();
        self.at += length;
        &rest[..length]
    }

    fn wrong(&self) -> TrailError {
        TrailError::Formula {
            formula: self.formula.into(),
            at: self
                .formula
                .char_indices()
                .filter(|&(at, _)| at < self.at)
                .count()
                + 1,
        }
    }
}

/// The number at the start of `1000000.00 MYR`.
pub(crate) fn number_of(text: &str) -> &str {
    text.split_once(' ').map_or(text, |(number, _unit)| number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inputs() -> Vec<(String, String)> {
        [
            ("amount", "1000000.00 MYR"),
            ("unit", "1"),
            ("rate", "0.59275"),
            ("n2_x", "3"),
        ]
        .map(|(name, text)| (name.into(), text.into()))
        .into()
    }

    #[test]
    fn formulas_follow_the_rules_of_arithmetic() {
        for (formula, want) in [
            ("1", "1"),
            (" 1.50 ", "1.5"),
            ("1 + 2 * 3", "7"),
            ("(1 + 2) * 3", "9"),
            ("10 - 4 - 3", "3"),
            ("100 / 10 / 5", "2"),
            ("-2 * -3", "6"),
            ("2 - -3", "5"),
            ("-(1 + 1)", "-2"),
            ("n2_x/9", "1/3"),
            ("amount*unit/rate", "4000000000/2371"),
            ("amount * (unit - rate)", "407250"),
            ("min(n2_x, 2) + max(n2_x, 2)", "5"),
            ("above(n2_x, 3) + at_least(n2_x, 3)", "3"),
            ("above(n2_x , 2.5) - at_least(n2_x, 3.5)", "3"),
            ("min(amount, max(0, 1 - n2_x * min(1, 2)))", "0"),
        ] {
            let found = evaluate(formula, &inputs()).map(|value| value.to_string());
            assert_eq!(found, Ok(want.into()), "{formula}");
        }
    }

    #[test]
    fn what_is_no_formula_is_refused_with_its_place() {
        for (formula, at) in [
            ("", 1),
            ("1 +", 4),
            ("1 2", 3),
            ("(1", 3),
            ("1)", 2),
            ("* 1", 1),
            ("1 ** 2", 4),
            ("1 ^ 2", 3),
            ("AMOUNT", 1),
            ("amount % 2", 8),
            ("1 + 元", 5),
            ("1 元", 3),
            ("min(1)", 6),
            ("min(1, 2", 9),
            ("mean(1, 2)", 5),
        ] {
            let formula_text = formula.to_string();
            let want = TrailError::Formula {
                formula: formula_text,
                at,
            };
            assert_eq!(evaluate(formula, &inputs()), Err(want), "{formula}");
        }
        let unknown = TrailError::UnknownInput { name: "fee".into() };
        assert_eq!(evaluate("fee", &inputs()), Err(unknown));
        assert_eq!(
            evaluate("1 / (1 - unit)", &inputs()),
            Err(TrailError::DivideByZero)
        );
        let deep = format!("{}1{}", "(".repeat(100_000), ")".repeat(100_000));
        assert_eq!(
            evaluate(&deep, &[]).map_err(|error| error.code()),
            Err("trail-formula")
        );
        let signs = "-".repeat(100_000);
        assert_eq!(
            evaluate(&signs, &[]).map_err(|error| error.code()),
            Err("trail-formula")
        );
    }
}
