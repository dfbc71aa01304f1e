//! What a source can hold, and how a row of it is written down.

use std::collections::BTreeMap;

use quanfu_calendar::{Date, Datelike as _};
use quanfu_money::{Amount, Currency, Decimal, Money};
use quanfu_settlement::profile::{AmountColumns, Sign, TimePart, TimePiece, Words};
use quanfu_settlement::rules::{Field, Normaliser, SourceRole, SourceRules, TokenFrom};
use quanfu_settlement::{Entry, EntryKind, EntryStatus, Moment, Profile, RefRole, Rules};

use super::pattern::Shape;
use crate::random::Random;

/// A row as it is meant, before a source writes it down.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub references: BTreeMap<RefRole, String>,
    /// Signed by effect, in minor units.
    pub minor: i64,
    pub currency: Currency,
    /// In millionths of a minor unit.
    pub fee: Option<i64>,
    pub kind: EntryKind,
    pub status: EntryStatus,
    /// In the zone of the source.
    pub date: Date,
    pub second: u32,
}

/// One source: its rules and, if a profile reads it, the profile.
#[derive(Debug)]
pub(crate) struct Pen<'r> {
    pub rules: &'r SourceRules,
    pub profile: Option<&'r Profile>,
    /// Where a row's own number stands, which no rule looks at.
    pub serial: Option<RefRole>,
    shapes: Vec<Option<Shape>>,
    profile_shapes: Vec<Option<Shape>>,
}

impl<'r> Pen<'r> {
    pub(crate) fn new(rules: &'r Rules, source: usize, profile: Option<&'r Profile>) -> Self {
        let own = &rules.sources[source];
        let tokens = own.tokens.iter();
        let in_profile = profile.into_iter().flat_map(|profile| &profile.tokens);
        let mut pen = Self {
            rules: own,
            profile,
            serial: None,
            shapes: tokens
                .map(|token| Shape::parse(token.pattern.as_str()))
                .collect(),
            profile_shapes: in_profile
                .map(|token| Shape::parse(token.pattern.as_str()))
                .collect(),
        };
        let mut taken: Vec<&Field> = own.identity.iter().collect();
        for edge in &rules.edges {
            for on in edge.rules.iter().flat_map(|rule| &rule.on) {
                taken.extend((edge.left == source).then_some(&on.left));
                taken.extend((edge.right == source).then_some(&on.right));
            }
        }
        let first = match own.role {
            SourceRole::Bank => RefRole::Bank,
            SourceRole::Institution | SourceRole::Order => RefRole::Institution,
        };
        pen.serial = [first, RefRole::Transaction, RefRole::Instruction]
            .into_iter()
            .find(|role| {
                let is_text = own
                    .tokens
                    .iter()
                    .any(|token| token.role == *role || field_of(token.from) == Some(*role));
                !taken.contains(&&Field::Reference(*role)) && !is_text && pen.holds(*role)
            });
        pen
    }

    /// Whether a row can have this reference.
    pub(crate) fn holds(&self, role: RefRole) -> bool {
        let token = self.rules.tokens.iter().position(|t| t.role == role);
        if let Some(index) = token {
            return self.shapes[index].is_some() && self.has_text(self.rules.tokens[index].from);
        }
        let Some(profile) = self.profile else {
            return true;
        };
        let mut tokens = profile.tokens.iter().zip(&self.profile_shapes);
        self.has_column(role) || tokens.any(|(token, shape)| token.role == role && shape.is_some())
    }

    fn has_column(&self, role: RefRole) -> bool {
        let mut columns = self.profile.into_iter().flat_map(|p| &p.references);
        columns.any(|(known, _)| *known == role)
    }

    fn has_text(&self, from: TokenFrom) -> bool {
        let Some(profile) = self.profile else {
            return true;
        };
        match from {
            TokenFrom::Remittance => !profile.remittance.is_empty(),
            TokenFrom::CounterpartyName => profile.counterparty_name.is_some(),
            // the words of a kind are the profile's
            TokenFrom::KindWritten => false,
            TokenFrom::Owner | TokenFrom::Bank | TokenFrom::EndToEnd => {
                field_of(from).is_some_and(|role| self.has_column(role))
            }
        }
    }

    /// A text that a pattern in front of this reference lets through; the outer `None`: there is none, the inner one:
    /// any will do.
    pub(crate) fn content(&self, role: RefRole, random: &mut Random) -> Option<Option<String>> {
        let own = self.rules.tokens.iter().zip(&self.shapes);
        let own = own.map(|(token, shape)| (token.role, &token.pattern, shape));
        let in_profile = self.profile.into_iter().flat_map(|profile| &profile.tokens);
        let in_profile = in_profile.zip(&self.profile_shapes);
        let in_profile = in_profile.map(|(token, shape)| (token.role, &token.pattern, shape));
        let Some((_, pattern, shape)) = own.chain(in_profile).find(|(known, ..)| *known == role)
        else {
            return Some(None);
        };
        let text = shape.as_ref()?.text(random, None)?;
        Some(Some(pattern.find(&text)?.to_owned()))
    }

    /// Whether a row can be of this kind and sign.
    pub(crate) fn takes(&self, kind: EntryKind, is_negative: bool) -> bool {
        let Some(profile) = self.profile else {
            return true;
        };
        let sign = match &profile.amount {
            AmountColumns::Signed { sign, .. } => *sign,
            AmountColumns::Directed { plus, minus, .. } => {
                let words = if is_negative { minus } else { plus };
                return means(&profile.kind, kind) && !words.is_empty();
            }
            AmountColumns::Split { .. } => Sign::AsWritten,
            AmountColumns::ByKind(kinds) => match kinds.iter().find(|(known, ..)| *known == kind) {
                Some((_, _, sign)) => *sign,
                None => return false,
            },
        };
        means(&profile.kind, kind)
            && match sign {
                Sign::AsWritten | Sign::Negated => true,
                Sign::Plus => !is_negative,
                Sign::Minus => is_negative,
            }
    }

    /// Whether a row can be of this kind at all.
    pub(crate) fn knows(&self, kind: EntryKind) -> bool {
        self.takes(kind, false) || self.takes(kind, true)
    }

    pub(crate) fn has_status(&self, status: EntryStatus) -> bool {
        self.profile
            .is_none_or(|profile| means(&profile.status, status))
    }

    pub(crate) fn has_currency(&self, currency: Currency) -> bool {
        match self.profile {
            Some(profile) => {
                profile.currency_column.is_some() || profile.currency_default == Some(currency)
            }
            None => self.rules.currency.is_none_or(|known| known == currency),
        }
    }

    /// Whether rows have a fee of their own.
    pub(crate) fn has_fee(&self) -> bool {
        let in_profile = |profile: &Profile| {
            let sign = profile.fee.as_ref().map(|(_, sign)| *sign);
            sign.is_some_and(|sign| sign != Sign::Minus)
        };
        self.rules.role == SourceRole::Institution && self.profile.is_none_or(in_profile)
    }

    fn has_time(&self) -> bool {
        match self.profile {
            Some(profile) => profile.time.is_some(),
            None => self.rules.role != SourceRole::Bank,
        }
    }

    /// Whether rows have a time of day.
    pub(crate) fn has_clock(&self) -> bool {
        let Some(profile) = self.profile else {
            return self.has_time();
        };
        let format = profile.time.as_ref().and_then(|time| time.formats.first());
        let has = |part| {
            let is_part =
                |piece: &TimePiece| matches!(piece, TimePiece::Number(known, ..) if *known == part);
            format.is_some_and(|format| format.pieces.iter().any(is_part))
        };
        has(TimePart::Hour) && has(TimePart::Minute) && has(TimePart::Second)
    }

    /// A date and second that count for this accounting day, away from its ends.
    pub(crate) fn within(&self, day: Date, random: &mut Random) -> (Date, u32) {
        let cutoff = self.rules.cutoff_second.filter(|_| self.has_clock());
        match cutoff {
            Some(0) => (day.pred_opt().unwrap_or(day), 43_200),
            Some(cutoff) if cutoff < 72_000 => (day, random.below(cutoff.into()) as u32),
            _ => (day, random.between(28_800, 71_999) as u32),
        }
    }

    /// The first moment that does not count for this accounting day any more.
    pub(crate) fn end_of(&self, day: Date) -> (Date, u32) {
        match self.rules.cutoff_second {
            Some(cutoff) => (day, cutoff),
            None => (day.succ_opt().unwrap_or(day), 0),
        }
    }

    /// Writes a row down; `None` if the source cannot hold it.
    pub(crate) fn write(&self, draft: &Draft, random: &mut Random) -> Option<Entry<'static>> {
        let mut entry = Entry::new(Money::from_minor(draft.minor, draft.currency))
            .with_kind(draft.kind)
            .with_status(draft.status);
        entry.is_reversal = draft.kind == EntryKind::Reversal;
        self.date(draft, &mut entry);
        if let Some(grains) = draft.fee {
            let scale = u32::from(draft.currency.minor_digits()) + 6;
            let value = Decimal::from_i128_with_scale(grains.into(), scale).normalize();
            entry.fee = Some(Amount::exact(value, draft.currency));
        }
        let mut texts: BTreeMap<TokenFrom, Vec<String>> = BTreeMap::new();
        for (&role, text) in &draft.references {
            if !self.holds(role) {
                return None;
            }
            let token = self.rules.tokens.iter().position(|t| t.role == role);
            match token {
                Some(index) => {
                    let around = self.shapes[index].as_ref()?.text(random, Some(text))?;
                    let from = self.rules.tokens[index].from;
                    texts.entry(from).or_default().push(around);
                }
                None => {
                    self.fits_profile(role, text, random)?;
                    entry.references.set(role, text.clone());
                }
            }
        }
        for (from, pieces) in texts {
            let text = pieces.join(" ");
            match (from, field_of(from)) {
                (TokenFrom::CounterpartyName, _) => entry.counterparty.name = Some(text.into()),
                (TokenFrom::KindWritten, _) => entry.kind_written = Some(text.into()),
                (_, Some(role)) => {
                    if entry.references.get(role).is_some() {
                        return None;
                    }
                    entry.references.set(role, text);
                }
                (_, None) => entry.remittance.push(text.into()),
            }
        }
        self.tokens_are(&draft.references, &entry).then_some(entry)
    }

    fn date(&self, draft: &Draft, entry: &mut Entry<'static>) {
        entry.value_date = Some(draft.date);
        let booking = self
            .profile
            .is_some_and(|profile| profile.booking_date.is_some());
        entry.booking_date = booking.then_some(draft.date);
        if !self.has_time() {
            return;
        }
        let second = if self.has_clock() { draft.second } else { 0 };
        let mut moment = Moment {
            date: draft.date,
            second,
            offset_minutes: None,
        };
        if let Some(profile) = self.profile {
            let format = profile.time.as_ref().and_then(|time| time.formats.first());
            let has_offset = format.is_some_and(|f| f.pieces.contains(&TimePiece::Offset));
            if has_offset {
                moment.offset_minutes = Some(self.rules.zone_minutes);
            } else if let Some(zone) = profile.zone_minutes {
                let east = i64::from(zone) - i64::from(self.rules.zone_minutes);
                let at = i64::from(draft.date.num_days_from_ce()) * 86_400
                    + i64::from(second)
                    + east * 60;
                let day = i32::try_from(at.div_euclid(86_400)).ok();
                if let Some(date) = day.and_then(Date::from_num_days_from_ce_opt) {
                    moment.date = date;
                    moment.second = at.rem_euclid(86_400) as u32;
                }
                moment.offset_minutes = Some(zone);
            }
            if profile.value_date.is_none() {
                entry.value_date = Some(moment.date);
            }
        }
        entry.time = Some(moment);
    }

    /// Whether a profile that takes this reference from a text would find it there.
    fn fits_profile(&self, role: RefRole, text: &str, random: &mut Random) -> Option<()> {
        let Some(profile) = self.profile.filter(|_| !self.has_column(role)) else {
            return Some(());
        };
        let mut tokens = profile.tokens.iter().zip(&self.profile_shapes);
        let (token, shape) = tokens.find(|(token, _)| token.role == role)?;
        let around = shape.as_ref()?.text(random, Some(text))?;
        (token.pattern.find(&around) == Some(text)).then_some(())
    }

    /// Whether the rules find in the texts what was meant, once, and nothing else.
    fn tokens_are(&self, wanted: &BTreeMap<RefRole, String>, entry: &Entry<'_>) -> bool {
        let mut found: BTreeMap<RefRole, Vec<&str>> = BTreeMap::new();
        for token in &self.rules.tokens {
            let text = match (token.from, field_of(token.from)) {
                (TokenFrom::CounterpartyName, _) => entry.counterparty.name.as_deref(),
                (TokenFrom::KindWritten, _) => entry.kind_written.as_deref(),
                (_, Some(role)) => entry.references.get(role),
                (_, None) => entry.remittance.first().map(AsRef::as_ref),
            };
            let hit = text.and_then(|text| token.pattern.find(text));
            found.entry(token.role).or_default().extend(hit);
        }
        found.into_iter().all(|(role, hits)| {
            let wanted: Vec<&str> = wanted.get(&role).map(String::as_str).into_iter().collect();
            hits == wanted
        })
    }
}

/// The reference that a text is.
fn field_of(from: TokenFrom) -> Option<RefRole> {
    match from {
        TokenFrom::Owner => Some(RefRole::Owner),
        TokenFrom::Bank => Some(RefRole::Bank),
        TokenFrom::EndToEnd => Some(RefRole::EndToEnd),
        TokenFrom::Remittance | TokenFrom::CounterpartyName | TokenFrom::KindWritten => None,
    }
}

fn means<T: Copy + PartialEq>(words: &Words<T>, value: T) -> bool {
    let whole = words.words.values().copied();
    let begins = words.begins.iter().map(|(_, value)| *value);
    let mut known = whole.chain(begins);
    words.default == value || (words.column.is_some() && known.any(|known| known == value))
}

/// A key text in its compared form.
pub(crate) fn normalised(text: &str, steps: &[Normaliser]) -> Option<String> {
    let mut text = text.to_owned();
    for step in steps {
        text = match step {
            Normaliser::Trim => text.trim().to_owned(),
            Normaliser::Upper => text.to_ascii_uppercase(),
            Normaliser::StripLeadingZeros => match text.trim_start_matches('0') {
                "" if !text.is_empty() => "0".to_owned(),
                rest => rest.to_owned(),
            },
            Normaliser::StripMarks => text
                .chars()
                .filter(|c| !c.is_whitespace() && !"-_./".contains(*c))
                .collect(),
            Normaliser::StripPrefix(prefix) => match text.strip_prefix(prefix.as_str()) {
                Some(rest) => rest.to_owned(),
                None => text,
            },
            Normaliser::StripSuffix(suffix) => match text.strip_suffix(suffix.as_str()) {
                Some(rest) => rest.to_owned(),
                None => text,
            },
            // planted keys are of plain letters and digits, which have no other composed form
            Normaliser::Nfkc => text,
            Normaliser::UpperUnicode => text.to_uppercase(),
            Normaliser::LettersAndDigits => text.chars().filter(|c| c.is_alphanumeric()).collect(),
            Normaliser::PadZeros(chars) => {
                let lacking = usize::from(*chars).saturating_sub(text.chars().count());
                "0".repeat(lacking) + &text
            }
            Normaliser::DropWords(words) => words
                .iter()
                .fold(text, |text, word| text.replace(word.as_str(), "")),
            Normaliser::Pattern(pattern) => pattern.find(&text)?.to_owned(),
        };
    }
    (!text.is_empty()).then_some(text)
}

/// A text whose compared form is `core`, dressed up as the steps allow.
pub(crate) fn dressed(core: &str, steps: &[Normaliser], random: &mut Random) -> Option<String> {
    for is_plain in [false, true] {
        let mut text = core.to_owned();
        for step in steps.iter().rev() {
            text = match step {
                Normaliser::StripPrefix(prefix) => format!("{prefix}{text}"),
                Normaliser::Pattern(pattern) => {
                    Shape::parse(pattern.as_str())?.text(random, Some(&text))?
                }
                Normaliser::StripSuffix(suffix) => format!("{text}{suffix}"),
                Normaliser::Upper | Normaliser::UpperUnicode if !is_plain => {
                    text.to_ascii_lowercase()
                }
                Normaliser::PadZeros(_) if !is_plain => text.trim_start_matches('0').to_owned(),
                Normaliser::StripLeadingZeros if !is_plain => {
                    format!("{}{text}", "0".repeat(random.below(6) as usize))
                }
                Normaliser::StripMarks | Normaliser::LettersAndDigits
                    if !is_plain && text.is_ascii() && text.len() > 4 =>
                {
                    let (head, tail) = text.split_at(3);
                    format!("{head}-{tail}")
                }
                Normaliser::Trim
                | Normaliser::Upper
                | Normaliser::StripLeadingZeros
                | Normaliser::StripMarks
                | Normaliser::Nfkc
                | Normaliser::UpperUnicode
                | Normaliser::LettersAndDigits
                | Normaliser::PadZeros(_)
                | Normaliser::DropWords(_) => text,
            };
        }
        if normalised(&text, steps).as_deref() == Some(core) {
            return Some(text);
        }
    }
    None
}
