//! Planted rows as text: through a profile, back into the file that it reads, or as a plain list.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use quanfu_calendar::{Date, Datelike as _};
use quanfu_money::lexer::DecimalMark;
use quanfu_money::{Amount, Currency, Money};
use quanfu_settlement::profile::{
    AmountColumns, Column, Measured, Sign, TimeFormat, TimePart, TimePiece, Words,
};
use quanfu_settlement::{Entry, Moment, Profile, RefRole, Rules, Side};

use super::pattern::Shape;
use super::{Challenge, ChallengeDay};
use crate::random::Random;

/// What a cell is to hold.
#[derive(Clone, Debug, Default)]
struct Cell {
    /// All of it.
    whole: Option<String>,
    /// What it begins with.
    begins: Option<String>,
    /// What stands in it.
    parts: Vec<String>,
}

impl Cell {
    fn text(&self) -> String {
        match &self.whole {
            Some(text) => text.clone(),
            None => {
                let begins = self.begins.iter();
                let all: Vec<&str> = begins.chain(&self.parts).map(String::as_str).collect();
                all.join(" ")
            }
        }
    }
}

/// One record's cells, by the word of their column.
type Cells<'p> = BTreeMap<&'p str, Cell>;

fn cell<'c, 'p>(cells: &'c mut Cells<'p>, column: &'p Column) -> &'c mut Cell {
    cells.entry(header(column)).or_default()
}

/// The word that a column gets in the header.
fn header(column: &Column) -> &str {
    column.names.first().map_or("", String::as_str)
}

/// The file that a profile reads as these entries; `None`: it cannot be written (a kind, sign or
/// time that the profile has no words for, lines of a footer that tell sums in words, a mark at its end).
///
/// Whoever uses the text reads it back and compares: what a profile means is only known by its reader.
pub(crate) fn file(profile: &Profile, entries: &[Entry<'static>], seed: u64) -> Option<String> {
    if !profile.footer_lines.is_empty() || profile.end_marker.is_some() {
        return None;
    }
    let mut random = Random::new(seed);
    let mut words: Vec<&str> = Vec::new();
    for column in profile.columns() {
        if !words.contains(&header(column)) {
            words.push(header(column));
        }
    }
    let delimiter = char::from(profile.delimiter);
    let prefix = profile.cell_prefix.as_deref().unwrap_or_default();
    let line = |cells: &[String], prefix: &str| -> Option<String> {
        let quoted = |text: &String| {
            let is_bare = !text.contains([delimiter, '"', '\n', '\r']);
            match (is_bare, profile.quoted && prefix.is_empty()) {
                (true, _) => Some(format!("{prefix}{text}")),
                (false, true) => Some(format!("\"{}\"", text.replace('"', "\"\""))),
                (false, false) => None,
            }
        };
        let cells: Option<Vec<String>> = cells.iter().map(quoted).collect();
        Some(cells?.join(&delimiter.to_string()))
    };
    let owned: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    let mut text = line(&owned, "")?;
    text.push('\n');
    let mut sums: Vec<Option<Amount>> = vec![None; profile.totals.len()];
    for entry in entries {
        let cells = record(profile, entry, &mut random)?;
        let of = |word: &&str| cells.get(word).map(Cell::text).unwrap_or_default();
        let all: Vec<String> = words.iter().map(of).collect();
        text.push_str(&line(&all, prefix)?);
        text.push('\n');
        for (total, sum) in profile.totals.iter().zip(&mut sums) {
            let Some(column) = &total.of else { continue };
            let word = of(&header(column));
            if let Ok(value) = word.parse::<quanfu_money::Decimal>() {
                // the summary adds up figures as written, whatever their currency
                let value = Amount::exact(value, Currency::CNY);
                *sum = Some(match sum {
                    Some(sum) => sum.checked_add(value).ok()?,
                    None => value,
                });
            }
        }
    }
    if !profile.totals.is_empty() {
        let owned: Vec<String> = profile
            .totals
            .iter()
            .map(|total| header(&total.column).to_owned())
            .collect();
        let values: Vec<String> = profile
            .totals
            .iter()
            .zip(&sums)
            .map(|(total, sum)| match total.measured {
                Measured::Count => entries.len().to_string(),
                Measured::Sum => sum.map_or("0.00".to_owned(), |sum| sum.value().to_string()),
            })
            .collect();
        let _ = writeln!(text, "{}\n{}", line(&owned, "")?, line(&values, prefix)?);
    }
    Some(text)
}

fn record<'p>(
    profile: &'p Profile,
    entry: &Entry<'static>,
    random: &mut Random,
) -> Option<Cells<'p>> {
    let mut cells = Cells::new();
    let money = entry.money()?;
    word(&profile.kind, entry.kind, &mut cells)?;
    word(&profile.status, entry.status, &mut cells)?;
    if let Some(column) = &profile.currency_column {
        cell(&mut cells, column).whole = Some(money.currency().code().to_owned());
    }
    if let Some(column) = &profile.time {
        let text = written(column.formats.first()?, entry.time?)?;
        cell(&mut cells, column).whole = Some(text);
    }
    for (column, day) in [
        (&profile.value_date, entry.value_date),
        (&profile.booking_date, entry.booking_date),
    ] {
        if let (Some(column), Some(day)) = (column, day) {
            let moment = Moment {
                date: day,
                second: 0,
                offset_minutes: None,
            };
            let text = written(column.formats.first()?, moment)?;
            cell(&mut cells, column).whole = Some(text);
        }
    }
    for (role, column) in &profile.references {
        if let Some(text) = entry.references.get(*role) {
            cell(&mut cells, column).whole = Some(text.to_owned());
        }
    }
    for (column, text) in [
        (&profile.counterparty_name, &entry.counterparty.name),
        (&profile.counterparty_account, &entry.counterparty.account),
    ] {
        if let (Some(column), Some(text)) = (column, text) {
            cell(&mut cells, column).whole = Some(text.to_string());
        }
    }
    for (column, text) in profile.remittance.iter().zip(&entry.remittance) {
        cell(&mut cells, column).parts.push(text.to_string());
    }
    for token in &profile.tokens {
        let has_column = |role: RefRole| profile.references.iter().any(|(known, _)| *known == role);
        if let (Some(held), false) = (entry.references.get(token.role), has_column(token.role)) {
            let shape = Shape::parse(token.pattern.as_str())?;
            let around = shape.text(random, Some(held))?;
            cell(&mut cells, &token.column).parts.push(around);
        }
    }
    amount(profile, entry, money, &mut cells)?;
    if let (Some((column, sign)), Some(fee)) = (&profile.fee, entry.fee) {
        let value = fee.value();
        let value = match sign {
            Sign::AsWritten | Sign::Plus => value,
            Sign::Negated => -value,
            Sign::Minus => return None,
        };
        let mut text = value.to_string();
        if profile.style.minor_units {
            let factor = 10i64.pow(u32::from(money.currency().minor_digits()));
            text = value.checked_mul(factor.into())?.normalize().to_string();
        }
        cell(&mut cells, column).whole = Some(marked(profile, &text));
    }
    Some(cells)
}

/// A word that means this.
fn word<'p, T: Copy + PartialEq>(
    words: &'p Words<T>,
    value: T,
    cells: &mut Cells<'p>,
) -> Option<()> {
    let Some(column) = &words.column else {
        return (words.default == value).then_some(());
    };
    let whole = words.words.iter().find(|(_, known)| **known == value);
    let begins = words.begins.iter().find(|(_, known)| *known == value);
    match (whole, begins) {
        (Some((word, _)), _) => cell(cells, column).whole = Some(word.clone()),
        (None, Some((word, _))) => cell(cells, column).begins = Some(word.clone()),
        (None, None) if words.default == value => {}
        (None, None) => return None,
    }
    Some(())
}

fn amount<'p>(
    profile: &'p Profile,
    entry: &Entry<'_>,
    money: Money,
    cells: &mut Cells<'p>,
) -> Option<()> {
    let text = |minor: i64| {
        let text = if profile.style.minor_units {
            minor.to_string()
        } else {
            Money::from_minor(minor, money.currency()).amount_text()
        };
        marked(profile, &text)
    };
    let minor = money.minor();
    let signed = |sign: Sign| match sign {
        Sign::AsWritten => Some(minor),
        Sign::Negated => minor.checked_neg(),
        Sign::Plus | Sign::Minus => minor.checked_abs(),
    };
    match &profile.amount {
        AmountColumns::Signed { column, sign } => {
            cell(cells, column).whole = Some(text(signed(*sign)?));
        }
        AmountColumns::Directed {
            column,
            direction,
            plus,
            minus,
        } => {
            let words = if minor < 0 { minus } else { plus };
            cell(cells, direction).whole = Some(words.first()?.clone());
            cell(cells, column).whole = Some(text(minor.checked_abs()?));
        }
        AmountColumns::Split { plus, minus } => {
            let column = if minor < 0 { minus } else { plus };
            cell(cells, column).whole = Some(text(minor.checked_abs()?));
        }
        AmountColumns::ByKind(kinds) => {
            let (_, column, sign) = kinds.iter().find(|(kind, ..)| *kind == entry.kind)?;
            cell(cells, column).whole = Some(text(signed(*sign)?));
        }
    }
    Some(())
}

/// An amount with the profile's decimal mark.
fn marked(profile: &Profile, text: &str) -> String {
    match profile.style.decimal {
        DecimalMark::Point => text.to_owned(),
        DecimalMark::Comma => text.replace('.', ","),
    }
}

/// A moment as a format writes it.
fn written(format: &TimeFormat, moment: Moment) -> Option<String> {
    let mut text = String::new();
    for piece in &format.pieces {
        match *piece {
            TimePiece::Literal(c) => text.push(c),
            TimePiece::Number(part, _, most) => {
                let value = match part {
                    TimePart::Year => u32::try_from(moment.date.year()).ok()?,
                    TimePart::Month => moment.date.month(),
                    TimePart::Day => moment.date.day(),
                    TimePart::Hour => moment.second / 3600,
                    TimePart::Minute => moment.second / 60 % 60,
                    TimePart::Second => moment.second % 60,
                };
                let _ = write!(text, "{value:0width$}", width = usize::from(most));
            }
            TimePiece::Offset => {
                let minutes = moment.offset_minutes?;
                let sign = if minutes < 0 { '-' } else { '+' };
                let minutes = minutes.unsigned_abs();
                let _ = write!(text, "{sign}{:02}:{:02}", minutes / 60, minutes % 60);
            }
        }
    }
    Some(text)
}

impl Challenge {
    /// The rows of a source on a day as the file that a profile reads; `None`: it cannot be written back.
    ///
    /// Whoever uses the text reads it back and compares: what a profile means is only known by its reader.
    #[must_use]
    pub fn file(&self, day: &ChallengeDay, source: usize, profile: &Profile) -> Option<String> {
        file(profile, day.rows.get(source)?, self.seed)
    }

    /// The rows of a source on a day as a plain list, for people and for sources whose files cannot be made up.
    #[must_use]
    pub fn listing(&self, day: &ChallengeDay, source: usize) -> String {
        let mut text = String::from(
            "kind,status,date,time,amount,currency,fee,references,counterparty,remittance\n",
        );
        for entry in day.rows.get(source).into_iter().flatten() {
            let references = entry.references.iter();
            let references: Vec<String> = references
                .map(|(role, text)| format!("{role}={text}"))
                .collect();
            let money = entry.money();
            let date = entry.value_date.as_ref().map(Date::to_string);
            let time = entry.time.map(|time| {
                let second = time.second;
                format!(
                    "{} {:02}:{:02}:{:02}",
                    time.date,
                    second / 3600,
                    second / 60 % 60,
                    second % 60
                )
            });
            let cells = [
                entry.kind.code().to_owned(),
                entry.status.code().to_owned(),
                date.unwrap_or_default(),
                time.unwrap_or_default(),
                money.map(|money| money.amount_text()).unwrap_or_default(),
                money
                    .map(|money| money.currency().code().to_owned())
                    .unwrap_or_default(),
                entry
                    .fee
                    .map(|fee| fee.value().to_string())
                    .unwrap_or_default(),
                references.join(" "),
                entry
                    .counterparty
                    .name
                    .as_deref()
                    .unwrap_or_default()
                    .to_owned(),
                entry.remittance.join(" "),
            ];
            text.push_str(&cells.map(quoted).join(","));
            text.push('\n');
        }
        text
    }

    /// The truth as CSV: every row by day, source and line (of a file with one header line), with its edge, side and
    /// group; rows of one group belong together, rows of different groups do not.
    #[must_use]
    pub fn truth_csv(&self, rules: &Rules) -> String {
        let mut text = String::from("day,source,line,edge,side,group,case,class,copy\n");
        for (index, day) in self.days.iter().enumerate() {
            for (source, numbers) in rules.sources.iter().zip(&day.numbers) {
                for (row, &number) in numbers.iter().enumerate() {
                    let truth = self.truth[number as usize];
                    let group = self.groups[truth.group as usize];
                    let side = match truth.side {
                        Side::Left => "left",
                        Side::Right => "right",
                    };
                    let _ = writeln!(
                        text,
                        "{},{},{},{},{side},{},{},{},{}",
                        index + 1,
                        source.name,
                        row + 2,
                        quoted(rules.edges[truth.edge].name.clone()),
                        truth.group,
                        group.case,
                        group.class,
                        if truth.is_spare { "copy" } else { "" },
                    );
                }
            }
        }
        text
    }
}

fn quoted(text: String) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}
