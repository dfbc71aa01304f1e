//! Field 86: what a movement is about, in the layouts of German, Dutch and other banks, or as plain text.
//!
//! Lines are cut at 65 characters wherever that falls, so structured text is joined before it is split; plain
//! text stays in its lines.

use std::ops::Range;

use quanfu_settlement::{Entry, RefRole};

use super::record::{Part, Text};

/// Width of a German purpose subfield; a shorter one ends a line of its own.
const SUBFIELD: usize = 27;

/// Buffers that the texts of one record live in.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    joined: String,
    purpose: String,
    name: String,
    subfields: Vec<Subfield>,
}

#[derive(Clone, Debug)]
struct Subfield {
    code: u8,
    range: Range<usize>,
}

/// Puts what the lines from `first` on say into the entry. The text lives as long as record and scratch.
pub(super) fn read<'a>(
    text: Text<'a>,
    first: usize,
    scratch: &'a mut Scratch,
    entry: &mut Entry<'a>,
) {
    let spans = text.spans.get(first..).unwrap_or_default();
    let details = spans.iter().filter(|span| span.part == Part::Details);
    for span in spans.iter().filter(|span| span.part == Part::Line) {
        push_line(entry, text.of(span));
    }
    let start = details
        .clone()
        .map(|span| text.of(span).trim_start())
        .find(|line| !line.is_empty());
    let layout = start.map_or(Layout::Plain, |start| {
        Layout::of(start, || details.clone().any(|span| has_key(text.of(span))))
    });
    match layout {
        Layout::Plain => {
            for span in details {
                push_line(entry, text.of(span));
            }
        }
        Layout::Subfields(separator) => {
            scratch.join(details.map(|span| text.of(span)));
            let Scratch {
                joined,
                purpose,
                name,
                subfields,
            } = scratch;
            split_subfields(joined, separator, subfields);
            subfields_to(joined, subfields, purpose, name, entry);
        }
        Layout::Slashes => {
            scratch.join(details.map(|span| text.of(span)));
            slashes_to(&scratch.joined, entry);
        }
        Layout::Keys => {
            let purpose = &mut scratch.purpose;
            purpose.clear();
            for span in details {
                let line = text.of(span);
                purpose.push_str(line);
                if line.chars().count() < 65 {
                    purpose.push('\n');
                }
            }
            keys_to(purpose, entry);
        }
    }
    for span in spans.iter().filter(|span| span.part == Part::NonSwift) {
        push_line(entry, text.of(span));
    }
}

impl Scratch {
    fn join<'t>(&mut self, lines: impl Iterator<Item = &'t str>) {
        self.joined.clear();
        for line in lines {
            self.joined.push_str(line);
        }
    }
}

/// How a field 86 is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Layout {
    /// Lines of text.
    Plain,
    /// `166?00GUTSCHRIFT?20EREF+...?32NAME`, with the byte that leads each subfield.
    Subfields(u8),
    /// `/TRTP/SEPA OVERBOEKING/IBAN/.../REMI/...`
    Slashes,
    /// `EREF+...SVWZ+...` without subfields.
    Keys,
}

impl Layout {
    fn of(start: &str, has_key: impl FnOnce() -> bool) -> Self {
        let bytes = start.as_bytes();
        let code = if bytes.len() >= 3 && bytes[..3].iter().all(u8::is_ascii_digit) {
            3
        } else {
            0
        };
        if let Some(&[separator, tens, ones]) = bytes.get(code..code + 3)
            && b"?>@~|<^&#".contains(&separator)
            && subfield_code(tens, ones).is_some()
        {
            return Self::Subfields(separator);
        }
        // The first line may hold the code alone.
        if code == 3
            && bytes.len() <= 4
            && bytes.get(3).is_some_and(|byte| b"?>@~|<^&#".contains(byte))
        {
            return Self::Subfields(bytes[3]);
        }
        if next_word(start, 0).is_some() {
            return Self::Slashes;
        }
        if has_key() { Self::Keys } else { Self::Plain }
    }
}

fn push_line<'a>(entry: &mut Entry<'a>, line: &'a str) {
    let line = line.trim();
    if !line.is_empty() {
        entry.remittance.push(line.into());
    }
}

fn set<'a>(entry: &mut Entry<'a>, role: RefRole, value: &'a str) {
    let value = value.trim();
    if !matches!(value, "" | "NOTPROVIDED" | "NONREF") && entry.references.get(role).is_none() {
        entry.references.set(role, value);
    }
}

/// The codes that subfields have; other digits behind the separator are text.
fn subfield_code(tens: u8, ones: u8) -> Option<u8> {
    let code = match (tens, ones) {
        (b'0', b'0') => 0,
        (b'1'..=b'3' | b'6', b'0'..=b'9') | (b'7', b'0' | b'1') => {
            (tens - b'0') * 10 + (ones - b'0')
        }
        _ => return None,
    };
    Some(code)
}

fn split_subfields(joined: &str, separator: u8, subfields: &mut Vec<Subfield>) {
    subfields.clear();
    let bytes = joined.as_bytes();
    for at in memchr::memchr_iter(separator, bytes) {
        let Some(&[tens, ones]) = bytes.get(at + 1..at + 3) else {
            continue;
        };
        let Some(code) = subfield_code(tens, ones) else {
            continue;
        };
        if let Some(last) = subfields.last_mut() {
            // `??20` and `?2?20` leave a separator that begins nothing; ranges never run backwards.
            last.range.end = at.max(last.range.start);
        }
        subfields.push(Subfield {
            code,
            range: at + 3..joined.len(),
        });
    }
}

fn subfields_to<'a>(
    joined: &'a str,
    subfields: &[Subfield],
    purpose: &'a mut String,
    name: &'a mut String,
    entry: &mut Entry<'a>,
) {
    let text = |subfield: &Subfield| joined.get(subfield.range.clone()).unwrap_or_default();
    purpose.clear();
    name.clear();
    let is_purpose = |code: u8| matches!(code, 20..=29 | 60..=63);
    let width = subfields
        .iter()
        .filter(|subfield| is_purpose(subfield.code))
        .map(|subfield| text(subfield).chars().count())
        .fold(SUBFIELD, usize::max);
    let mut before = 0;
    for subfield in subfields {
        let part = text(subfield);
        match subfield.code {
            // Posting text.
            0 => push_line(entry, part),
            20..=29 | 60..=63 => {
                if subfield.code == 60
                    && before != 29
                    && !purpose.is_empty()
                    && !purpose.ends_with('\n')
                {
                    purpose.push('\n');
                }
                purpose.push_str(part);
                if part.chars().count() < width {
                    purpose.push('\n');
                }
            }
            30 => {
                let agent = part.trim();
                entry.counterparty.agent = (!agent.is_empty()).then(|| agent.into());
            }
            31 if entry.counterparty.account.is_none() => {
                let account = part.trim();
                entry.counterparty.account = (!account.is_empty()).then(|| account.into());
            }
            // Polish banks write the whole IBAN here.
            38 => {
                let account = part.trim();
                if !account.is_empty() {
                    entry.counterparty.account = Some(account.into());
                }
            }
            32 | 33 => name.push_str(part),
            // The bank's own numbers: primanota and text key.
            10..=19 | 34 => {}
            _ => {
                push_line(entry, part);
            }
        }
        before = subfield.code;
    }
    let name: &'a str = name.trim();
    entry.counterparty.name = (!name.is_empty()).then(|| name.into());
    keys_to(purpose, entry);
}

/// Keys of the German SEPA layout, each followed by `+`.
const KEYS: [&[u8]; 14] = [
    b"EREF", b"KREF", b"MREF", b"CRED", b"DEBT", b"SVWZ", b"ABWA", b"ABWE", b"COAM", b"OAMT",
    b"IBAN", b"BIC", b"BREF", b"RREF",
];

/// Whether a text without subfields has one of the keys that tell references and purpose.
fn has_key(text: &str) -> bool {
    let bytes = text.as_bytes();
    memchr::memchr_iter(b'+', bytes).any(|at| {
        let before = bytes.get(..at).unwrap_or_default();
        KEYS.iter().take(6).any(|key| before.ends_with(key))
    })
}

/// The next key from `from` on: its name, where it begins and where its value begins. A key may be cut by a
/// subfield's end, which is a line feed here.
fn next_key(text: &str, from: usize) -> Option<(&'static [u8], usize, usize)> {
    let bytes = text.as_bytes();
    memchr::memchr_iter(b'+', bytes.get(from..)?).find_map(|found| {
        let plus = from + found;
        KEYS.iter().find_map(|key| {
            let mut start = plus;
            for &letter in key.iter().rev() {
                loop {
                    start = start.checked_sub(1).filter(|&start| start >= from)?;
                    match bytes.get(start) {
                        Some(b'\n') => {}
                        Some(&byte) if byte == letter => break,
                        _ => return None,
                    }
                }
            }
            Some((*key, start, plus + 1))
        })
    })
}

fn keys_to<'a>(purpose: &'a str, entry: &mut Entry<'a>) {
    let mut key: &[u8] = b"";
    let mut key_start = 0;
    let mut start = 0;
    loop {
        let next = next_key(purpose, start);
        let end = next.map_or(purpose.len(), |(_, start, _)| start);
        let value = purpose.get(start..end).unwrap_or_default();
        match key {
            b"" | b"SVWZ" => value.split('\n').for_each(|line| push_line(entry, line)),
            b"EREF" => reference(entry, RefRole::EndToEnd, value),
            b"KREF" => reference(entry, RefRole::Instruction, value),
            b"MREF" => reference(entry, RefRole::Mandate, value),
            b"IBAN" if entry.counterparty.account.is_none() => {
                party(&mut entry.counterparty.account, value)
            }
            b"BIC" if entry.counterparty.agent.is_none() => {
                party(&mut entry.counterparty.agent, value)
            }
            _ => {
                let whole = purpose.get(key_start..end).unwrap_or_default();
                whole.split('\n').for_each(|line| push_line(entry, line));
            }
        }
        let Some((next, next_start, value_start)) = next else {
            return;
        };
        (key, key_start, start) = (next, next_start, value_start);
    }
}

/// A reference ends with its line; what follows is text.
fn reference<'a>(entry: &mut Entry<'a>, role: RefRole, value: &'a str) {
    let (value, text) = value.split_once('\n').unwrap_or((value, ""));
    set(entry, role, value);
    text.split('\n').for_each(|line| push_line(entry, line));
}

fn party<'a>(slot: &mut Option<quanfu_settlement::Text<'a>>, value: &'a str) {
    let value = value.trim();
    if !value.is_empty() {
        *slot = Some(value.into());
    }
}

/// Words of the Dutch layout and of SWIFT's, each between slashes.
const WORDS: [&str; 26] = [
    "TRTP", "IBAN", "BIC", "NAME", "REMI", "EREF", "CNTP", "BENM", "ORDP", "MARF", "CSID", "PREF",
    "IREF", "RTRN", "ISDT", "ULTD", "ULTB", "PURP", "TRCD", "ADDR", "ID", "SVCL", "UETR", "OCMT",
    "EXCH", "CHGS",
];

/// The next `/WORD/` from `from` on: the word, where it begins and where its value begins.
fn next_word(text: &str, from: usize) -> Option<(&'static str, usize, usize)> {
    let bytes = text.as_bytes();
    let first_word = from == 0;
    let mut slashes = memchr::memchr_iter(b'/', bytes.get(from..)?).map(|at| from + at);
    slashes.find_map(|slash| {
        // A text in this layout begins with a word.
        if first_word && slash > 0 {
            return None;
        }
        let rest = text.get(slash + 1..)?;
        let length = rest.bytes().take(8).position(|byte| byte == b'/')?;
        let word = rest.get(..length)?;
        let word = WORDS.iter().find(|known| **known == word)?;
        Some((*word, slash, slash + length + 2))
    })
}

fn slashes_to<'a>(joined: &'a str, entry: &mut Entry<'a>) {
    let joined = joined.trim_start();
    let mut current = next_word(joined, 0);
    while let Some((word, word_start, start)) = current {
        // The closing slash of a word may be the opening one of the next.
        let next = next_word(joined, start.saturating_sub(1).max(1));
        let end = next.map_or(joined.len(), |(_, start, _)| start);
        let value = joined.get(start..end).unwrap_or_default();
        match word {
            "BENM" | "ORDP" if value.trim().is_empty() => {}
            "IBAN" if entry.counterparty.account.is_none() => {
                party(&mut entry.counterparty.account, value)
            }
            "BIC" if entry.counterparty.agent.is_none() => {
                party(&mut entry.counterparty.agent, value)
            }
            "NAME" if entry.counterparty.name.is_none() => {
                party(&mut entry.counterparty.name, value)
            }
            "CNTP" => {
                let mut parts = value.split('/');
                for slot in [
                    &mut entry.counterparty.account,
                    &mut entry.counterparty.agent,
                    &mut entry.counterparty.name,
                ] {
                    party(slot, parts.next().unwrap_or_default());
                }
                parts.for_each(|part| push_line(entry, part));
            }
            "EREF" => set(entry, RefRole::EndToEnd, without_slash(value)),
            "PREF" | "IREF" => set(entry, RefRole::Instruction, without_slash(value)),
            "MARF" => set(entry, RefRole::Mandate, without_slash(value)),
            "UETR" => set(entry, RefRole::Transaction, without_slash(value)),
            "REMI" => {
                let value = value.strip_prefix("USTD//").unwrap_or(value);
                push_line(entry, without_slash(value));
            }
            _ => {
                if !without_slash(value).trim().is_empty() {
                    push_line(entry, joined.get(word_start..end).unwrap_or_default());
                }
            }
        }
        current = next;
    }
}

/// Without the slashes that close a value.
fn without_slash(value: &str) -> &str {
    value.trim().trim_end_matches('/')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::RawLine;
    use crate::mt940::record::Record;
    use quanfu_money::{Currency, Money};

    /// The entry that a field 86 makes, as lines of `what: text`.
    fn shown(details: &str) -> Vec<String> {
        let mut record = Record::default();
        let mut byte = 0;
        for (index, line) in details.split('\n').enumerate() {
            let raw = RawLine {
                bytes: line.as_bytes(),
                line: 1 + index as u32,
                byte,
                ended: true,
                cr: false,
            };
            byte += line.len() as u64 + 1;
            if index == 0 {
                record.begin(&raw, 0);
            } else {
                record.push(&raw, Part::Details, 0);
            }
        }
        record.decode();
        let mut scratch = Scratch::default();
        let mut entry = Entry::new(Money::zero(Currency::EUR));
        read(record.text(), 1, &mut scratch, &mut entry);
        let mut all: Vec<String> = entry
            .references
            .iter()
            .map(|(role, text)| format!("{role}: {text}"))
            .collect();
        let party = &entry.counterparty;
        for (what, text) in [
            ("name", &party.name),
            ("account", &party.account),
            ("agent", &party.agent),
        ] {
            all.extend(text.iter().map(|text| format!("{what}: {text}")));
        }
        all.extend(entry.remittance.iter().map(|line| format!("text: {line}")));
        all
    }

    #[test]
    fn german_subfields_are_joined_over_line_ends_and_split_by_their_codes() {
        let lines = "\n166?00GUTSCHRIFT?100399?20EREF+EndToEndId TFNR 22 004?21 00001?22\n\
                     SVWZ+Verw CTSc-01 BC-PPP TF?23Nr 22 004?30DRESDEFF508?31DE1450880\n\
                     0500194785000?32KARL?33        KAUFMANN?34000";
        assert_eq!(
            shown(lines),
            [
                "end_to_end: EndToEndId TFNR 22 004 00001",
                "name: KARL        KAUFMANN",
                "account: DE14508800500194785000",
                "agent: DRESDEFF508",
                "text: GUTSCHRIFT",
                "text: Verw CTSc-01 BC-PPP TFNr 22 004",
            ]
        );
    }

    #[test]
    fn sepa_keys_are_found_where_a_subfield_cuts_them() {
        let lines = "\n835?21SEPA-BASISLASTSCHRIFT?22EREF+ 1234567890123 SHOP12?23MREF+ 12AB234CD6E7F CRED+ A\
                     ?24B12CDE0000000000000000034 S?25VWZ+ . MUSIC, Ihr Einkauf?26bei MUSIC?32Shop S.A.";
        assert_eq!(
            shown(lines),
            [
                "end_to_end: 1234567890123 SHOP12",
                "mandate: 12AB234CD6E7F",
                "name: Shop S.A.",
                "text: SEPA-BASISLASTSCHRIFT",
                "text: CRED+ AB12CDE0000000000000000034",
                "text: . MUSIC, Ihr Einkauf",
                "text: bei MUSIC",
            ]
        );
    }

    #[test]
    fn further_layouts_of_field_86() {
        for (name, lines, want) in [
            (
                "plain lines",
                "\nfirst line  \n\n second",
                &["text: first line", "text: second"][..],
            ),
            (
                "another separator",
                "\n000>100987654321\n>20 HUUR>21 KANTOOR - FEB 2010>310390123456",
                &[
                    "account: 0390123456",
                    "text: HUUR",
                    "text: KANTOOR - FEB 2010",
                ],
            ),
            (
                "subfields on lines of their own",
                "\n020?00VIREMENT\n?20LINE1\n?21LINE2\n?38IBAN12\n?60MORE",
                &[
                    "account: IBAN12",
                    "text: VIREMENT",
                    "text: LINE1",
                    "text: LINE2",
                    "text: MORE",
                ],
            ),
            (
                "a question mark that leads no subfield",
                "\n166?20Was ist das?99 Nichts? ?2",
                &["text: Was ist das?99 Nichts? ?2"],
            ),
            ("three digits alone", "\n091", &["text: 091"]),
            (
                "Dutch words",
                "\n/TRTP/SEPA OVERBOEKING/IBAN/NL00TEST0123456789/BIC/TESTNL2A/NAME/CONTRA ACCOUN\n\
                 T HOLDER/REMI/Invoice 1/2 of May/EREF/NOTPROVIDED",
                &[
                    "name: CONTRA ACCOUNT HOLDER",
                    "account: NL00TEST0123456789",
                    "agent: TESTNL2A",
                    "text: /TRTP/SEPA OVERBOEKING",
                    "text: Invoice 1/2 of May",
                ],
            ),
            (
                "Dutch words with a counterparty in one",
                "\n/EREF/E-1//MARF/M-1//CNTP/NL00TEST0123456789/TESTNL2A/SHOP B.V.///REMI/USTD//May//UETR/u-1/",
                &[
                    "end_to_end: E-1",
                    "transaction: u-1",
                    "mandate: M-1",
                    "name: SHOP B.V.",
                    "account: NL00TEST0123456789",
                    "agent: TESTNL2A",
                    "text: May",
                ],
            ),
            (
                "empty words",
                "\n/BENM//NAME/JOHN/REMI//ISDT/2013-07-11",
                &["name: JOHN", "text: /ISDT/2013-07-11"],
            ),
            (
                "keys without subfields",
                "\nEREF+E1 KREF+K1\nSVWZ+Rent May ABWA+Other\nIBAN+DE00 BIC+TEST",
                &[
                    "end_to_end: E1",
                    "instruction: K1",
                    "account: DE00",
                    "agent: TEST",
                    "text: Rent May",
                    "text: ABWA+Other",
                ],
            ),
            (
                "no reference",
                "\n166?20EREF+NOTPROVIDED?21SVWZ+x",
                &["text: x"],
            ),
        ] {
            assert_eq!(shown(lines), want, "{name}");
        }
    }

    #[test]
    fn odd_separators_never_run_backwards() {
        for lines in [
            "\n166?20?2?20?",
            "\n166??20a?20",
            "\n?20ü?21",
            "\n166?",
            "\n/",
            "\n/NAME",
            "\n//",
            "\n+",
            "\nEREF+",
        ] {
            let _ = shown(lines);
        }
    }
}
