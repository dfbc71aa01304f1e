//! The printed text of an award can be checked with nothing but the text: each formula is read and computed again here,
//! with a reader and fractions of this test's own.

use std::collections::BTreeMap;

use quanfu::calendar::BusinessCalendar;
use quanfu::credit::{
    Assessment, Context, Programme, ReferenceRates, SHIPPED, application, assess, shipped,
};
use quanfu::fx::{RateReading, RateTable};
use quanfu::report::{Lang, Look, award};

/// A whole number of any size, of digits to base 10,000, the lowest first.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Big(Vec<u32>);

const BASE: u32 = 10_000;

impl Big {
    fn new(text: &str) -> Self {
        let bytes = text.as_bytes();
        let digits = bytes.rchunks(4).map(|four| {
            std::str::from_utf8(four)
                .expect("digits")
                .parse()
                .expect("digits")
        });
        Self(digits.collect()).plain()
    }

    fn plain(mut self) -> Self {
        while self.0.last() == Some(&0) {
            self.0.pop();
        }
        self
    }

    fn add(&self, other: &Self) -> Self {
        let (mut out, mut carry) = (Vec::new(), 0);
        for place in 0..self.0.len().max(other.0.len()) {
            let sum = self.0.get(place).unwrap_or(&0) + other.0.get(place).unwrap_or(&0) + carry;
            out.push(sum % BASE);
            carry = sum / BASE;
        }
        out.push(carry);
        Self(out).plain()
    }

    /// The difference, which must not be below zero.
    fn sub(&self, other: &Self) -> Self {
        let (mut out, mut borrow) = (Vec::new(), 0);
        for (place, digit) in self.0.iter().enumerate() {
            let less = other.0.get(place).unwrap_or(&0) + borrow;
            borrow = u32::from(*digit < less);
            out.push(digit + borrow * BASE - less);
        }
        assert_eq!(borrow, 0);
        Self(out).plain()
    }

    fn mul(&self, other: &Self) -> Self {
        let mut out = vec![0_u32; self.0.len() + other.0.len() + 1];
        for (i, a) in self.0.iter().enumerate() {
            let mut carry = 0;
            for (j, b) in other.0.iter().enumerate() {
                let sum = out[i + j] + a * b + carry;
                out[i + j] = sum % BASE;
                carry = sum / BASE;
            }
            out[i + other.0.len()] += carry;
        }
        Self(out).plain()
    }

    fn less(&self, other: &Self) -> bool {
        (self.0.len(), self.0.iter().rev().collect::<Vec<_>>())
            < (other.0.len(), other.0.iter().rev().collect())
    }
}

/// A fraction: whether it is below zero, numerator, denominator; never reduced.
#[derive(Clone, Debug)]
struct Fraction(bool, Big, Big);

impl Fraction {
    fn new(text: &str) -> Self {
        let (negative, text) = text
            .strip_prefix('-')
            .map_or((false, text), |rest| (true, rest));
        if let Some((num, den)) = text.split_once('/') {
            return Self(negative, Big::new(num), Big::new(den));
        }
        let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
        let den = format!("1{}", "0".repeat(decimals.len()));
        Self(
            negative,
            Big::new(&format!("{whole}{decimals}")),
            Big::new(&den),
        )
    }

    fn add(&self, other: &Self) -> Self {
        let (a, b, den) = (
            self.1.mul(&other.2),
            other.1.mul(&self.2),
            self.2.mul(&other.2),
        );
        match (self.0 == other.0, a.less(&b)) {
            (true, _) => Self(self.0, a.add(&b), den),
            (false, true) => Self(other.0, b.sub(&a), den),
            (false, false) => Self(self.0, a.sub(&b), den),
        }
    }

    fn minus(&self, other: &Self) -> Self {
        self.add(&Self(!other.0, other.1.clone(), other.2.clone()))
    }

    /// Below zero, zero, or above.
    fn sign(&self) -> i8 {
        match (self.1.0.is_empty(), self.0) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        }
    }
}

/// Reads and computes a formula; what stands after it is given back.
fn sum<'t>(text: &'t str, names: &BTreeMap<String, Fraction>) -> (Fraction, &'t str) {
    let (mut value, mut rest) = product(text, names);
    loop {
        rest = rest.trim_start();
        let (op, after) = rest.split_at(rest.len().min(1));
        match op {
            "+" => {
                let (other, after) = product(after, names);
                (value, rest) = (value.add(&other), after);
            }
            "-" => {
                let (other, after) = product(after, names);
                (value, rest) = (value.minus(&other), after);
            }
            _ => return (value, rest),
        }
    }
}

fn product<'t>(text: &'t str, names: &BTreeMap<String, Fraction>) -> (Fraction, &'t str) {
    let (mut value, mut rest) = factor(text, names);
    loop {
        rest = rest.trim_start();
        let (op, after) = rest.split_at(rest.len().min(1));
        if !["*", "/"].contains(&op) {
            return (value, rest);
        }
        let (mut other, after) = factor(after, names);
        if op == "/" {
            other = Fraction(other.0, other.2, other.1);
        }
        value = Fraction(
            value.0 != other.0,
            value.1.mul(&other.1),
            value.2.mul(&other.2),
        );
        rest = after;
    }
}

fn factor<'t>(text: &'t str, names: &BTreeMap<String, Fraction>) -> (Fraction, &'t str) {
    let text = text.trim_start();
    if let Some(inner) = text.strip_prefix('(') {
        let (value, rest) = sum(inner, names);
        return (
            value,
            rest.trim_start().strip_prefix(')').expect("a parenthesis"),
        );
    }
    let length = text
        .find(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '.')
        .unwrap_or(text.len());
    let (word, rest) = text.split_at(length);
    if word.starts_with(|c: char| c.is_ascii_digit()) {
        return (Fraction::new(word), rest);
    }
    if let Some(inner) = rest.strip_prefix('(') {
        let (a, rest) = sum(inner, names);
        let (b, rest) = sum(rest.trim_start().strip_prefix(',').expect("a comma"), names);
        let sign = a.minus(&b).sign();
        let value = match (word, sign) {
            ("min", -1 | 0) | ("max" | "at_least", 0 | 1) | ("above", 1) => a,
            ("min" | "max", _) => b,
            ("above" | "at_least", _) => Fraction::new("0"),
            _ => panic!("{word} is no function"),
        };
        return (
            value,
            rest.trim_start().strip_prefix(')').expect("a parenthesis"),
        );
    }
    (
        names
            .get(word)
            .unwrap_or_else(|| panic!("{word} is no input"))
            .clone(),
        rest,
    )
}

fn number(text: &str) -> Fraction {
    Fraction::new(text.trim().split(' ').next().expect("a number"))
}

/// Checks each step of a printed award; gives how many there were.
fn check(text: &str, [inputs, formula, exact, rounded]: [&str; 4]) -> usize {
    let (mut names, mut expression, mut value, mut steps) =
        (BTreeMap::new(), String::new(), None::<Fraction>, 0);
    let mut in_inputs = false;
    for line in text.lines() {
        let trimmed = line.trim_start();
        if let Some(rest) = trimmed.strip_prefix(formula) {
            (expression, in_inputs) = (rest.trim().to_owned(), false);
        } else if let Some(rest) = trimmed.strip_prefix(exact) {
            let (found, after) = sum(&expression, &names);
            assert_eq!(after.trim(), "", "{expression}");
            assert_eq!(
                found.minus(&number(rest)).sign(),
                0,
                "{expression} = {rest} with {names:?}"
            );
            (value, names) = (Some(found), BTreeMap::new());
            steps += 1;
        } else if let Some(rest) = trimmed.strip_prefix(rounded) {
            // Less than one unit of the last decimal away, and for half up at most a half.
            let figure = rest.trim().split(' ').next().expect("a number");
            let decimals = figure
                .split_once('.')
                .map_or(0, |(_, decimals)| decimals.len());
            let away = value.take().expect("an exact figure").minus(&number(rest));
            let twice = Fraction(false, away.1.add(&away.1), away.2);
            let units = Fraction::new(&format!("1/1{}", "0".repeat(decimals)));
            let most = if rest.contains("half up") || rest.contains("四舍五入") {
                units
            } else {
                units.add(&units)
            };
            assert!(twice.minus(&most).sign() <= 0, "{rest}");
        } else {
            let pair = match trimmed.strip_prefix(inputs) {
                Some(rest) => {
                    in_inputs = true;
                    rest.trim()
                }
                None => trimmed,
            };
            if let Some((name, value)) = pair.split_once(" = ").filter(|_| in_inputs) {
                names.insert(name.to_owned(), number(value));
            }
        }
    }
    steps
}

fn assessment() -> Assessment {
    let files = |name: &str| quanfu_testkit::house::text(format!("crates/credit/testdata/{name}"));
    let text = shipped("jinan-illustrative")
        .expect("shipped")
        .replace("total = \"1500000.00\"", "total = \"500000.01\"");
    let mut applications = application::from_csv(&files("claims.csv"))
        .expect("a table")
        .applications;
    applications.push(application::from_toml(&files("loan.toml")).expect("an application"));
    let done = assess(
        &Programme::parse(&text).expect("a programme"),
        &applications,
        &Context {
            day: "2025-04-01".parse().expect("a day"),
            rates: &RateTable::new(
                RateReading::csv(files("parity.csv").as_bytes())
                    .expect("rates")
                    .rates,
            )
            .expect("a table"),
            reference: &ReferenceRates::shipped(),
            calendar: &BusinessCalendar::china(),
            earlier: &[],
            policies: &[],
            files: &[],
            unread: &[],
            receipts: None,
        },
    );
    done.expect("amounts are small")
}

/// Steps of all awards of an assessment, printed in both languages, as text and as Markdown.
fn checked(done: &Assessment) -> usize {
    let mut steps = 0;
    for (lang, labels) in [
        (Lang::En, ["inputs", "formula", "exact", "rounded"]),
        (Lang::Zh, ["输入", "公式", "精确值", "舍入"]),
    ] {
        for found in &done.awards {
            for markdown in [false, true] {
                let look = Look {
                    lang,
                    ..Look::default()
                };
                let text = award::explain(done, found, &look, markdown);
                steps += check(&text, labels);
            }
        }
    }
    steps
}

#[test]
fn the_printed_text_of_an_award_gives_its_figures_again() {
    let steps = checked(&assessment());
    assert!(steps > 100, "{steps} steps were read");
}

#[test]
fn so_does_that_of_every_worked_case_of_every_shipped_programme() {
    let (rates, reference, calendar) = (
        RateTable::default(),
        ReferenceRates::shipped(),
        BusinessCalendar::china(),
    );
    let context = Context {
        day: "2025-06-30".parse().expect("a day"),
        rates: &rates,
        reference: &reference,
        calendar: &calendar,
        earlier: &[],
        policies: &[],
        files: &[],
        unread: &[],
        receipts: None,
    };
    let mut without = Vec::new();
    for (name, text) in SHIPPED {
        let programme = Programme::parse(text).expect("a programme of ours");
        let results = programme.run_tests(&context);
        let assessed = results.iter().filter_map(|result| result.assessed.as_ref());
        if assessed.map(checked).sum::<usize>() == 0 {
            without.push(*name);
        }
    }
    // no source that we saw says at what rate these pay: they give nothing, and say why
    assert_eq!(
        without,
        [
            "anhui",
            "cixi-2015",
            "guangdong-2022",
            "guangdong-2024",
            "guangzhou-2023",
            "huizhou-2024",
            "qingdao-2019",
            "zhuhai-2020"
        ]
    );
}

#[test]
#[should_panic(expected = "amount * 2 = ")]
fn a_changed_figure_is_seen() {
    check(
        "   inputs   amount = 1.00 CNY\n   formula  amount * 2\n   exact    3 CNY\n",
        ["inputs", "formula", "exact", "rounded"],
    );
}
