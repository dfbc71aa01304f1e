//! MT940 and MT942 of a made-up account: dialects, proofs, and everything that may be wrong.

use std::io::Read;

use proptest::prelude::*;
use quanfu_formats::{FileError, Options, read_all};
use quanfu_settlement::{
    Entry, EntryAmount, FileReading, FindingCode, Proof, ProofKind, RefRole, Verdict,
};

fn read(text: &[u8]) -> Result<FileReading, FileError> {
    Ok(read_all("f.sta", text, &Options::default())?
        .files
        .remove(0))
}

fn statement(lines: &str) -> String {
    format!(
        ":20:DAY1\r\n:25:6222020200112233445\r\n:28C:5/1\r\n:60F:C260302CNY100,00\r\n{lines}\r\n:62F:C260302CNY119,90\r\n-\r\n"
    )
}

/// The statement with this field 61 in it.
fn one(line: &str) -> Entry<'static> {
    let file = read(statement(&format!(":61:{line}")).as_bytes()).expect(line);
    assert!(file.rejected.is_empty(), "{line}: {:?}", file.rejected);
    file.statements[0].entries[0].clone()
}

fn amount(entry: &Entry<'_>) -> String {
    match &entry.amount {
        EntryAmount::Money(money) => money.to_string(),
        EntryAmount::Written(text) => text.to_string(),
    }
}

fn proof(file: &FileReading, kind: ProofKind) -> Vec<String> {
    let proofs = file.proofs().filter(|proof| proof.kind == kind);
    proofs
        .map(|proof| {
            let figure = |m: &Option<quanfu_settlement::Measure>| {
                m.as_ref().map_or("-".to_owned(), ToString::to_string)
            };
            format!(
                "{} {} {} {}",
                proof.scope,
                proof.verdict,
                figure(&proof.expected),
                figure(&proof.found)
            )
            .trim_start()
            .to_owned()
        })
        .collect()
}

#[test]
fn the_year_of_an_entry_date_is_the_one_nearest_to_the_value_date() {
    for (line, value, booked) in [
        ("2601011230C19,90NTRFA", "2026-01-01", "2025-12-30"),
        ("1412310105C19,90NTRFA", "2014-12-31", "2015-01-05"),
        ("2603020302C19,90NTRFA", "2026-03-02", "2026-03-02"),
    ] {
        let entry = one(line);
        assert_eq!(
            entry.value_date.map(|day| day.to_string()).as_deref(),
            Some(value),
            "{line}"
        );
        assert_eq!(
            entry.booking_date.map(|day| day.to_string()).as_deref(),
            Some(booked),
            "{line}"
        );
    }
}

#[test]
fn an_entry_date_that_does_not_exist_is_a_finding_and_costs_no_entry() {
    let file = read(statement(":61:2602280230C19,90NTRFA").as_bytes()).expect("read");
    assert_eq!(file.statements[0].entries.len(), 1);
    assert_eq!(file.statements[0].entries[0].booking_date, None);
    assert!(
        file.findings
            .iter()
            .any(|finding| finding.code == FindingCode::DateImpossible)
    );
}

#[test]
fn a_reversed_credit_lowers_and_a_reversed_debit_raises_the_account() {
    for (mark, want, reversal) in [
        ("C", "19.90 CNY", false),
        ("D", "-19.90 CNY", false),
        ("RC", "-19.90 CNY", true),
        ("RD", "19.90 CNY", true),
    ] {
        let entry = one(&format!("2603020302{mark}19,90NTRFA"));
        assert_eq!(
            (amount(&entry).as_str(), entry.is_reversal),
            (want, reversal),
            "{mark}"
        );
    }
}

#[test]
fn amounts_are_read_in_the_spellings_of_banks_and_no_others() {
    for (text, want) in [
        ("C19,90NTRFA", "19.90 CNY"),
        ("C0,NTRFA", "0.00 CNY"),
        ("C1234,NTRFA", "1234.00 CNY"),
        ("C000000002145,00NTRFA", "2145.00 CNY"),
        ("CY19,90NTRFA", "19.90 CNY"),
        ("C19.90NTRFA", "19.90 CNY"),
    ] {
        assert_eq!(amount(&one(&format!("2603020302{text}"))), want, "{text}");
    }
    for (text, code) in [
        ("C19,905NTRFA", "amount-too-fine"),
        ("C99999999999999999999,00NTRFA", "amount-overflow"),
        ("C1E5,00NTRFA", "amount-malformed"),
        ("X19,90NTRFA", "side-unknown"),
    ] {
        let text = statement(&format!(
            ":61:2603020302{text}\r\n:86:bad\r\n:61:2603020302C19,90NTRFB\r\n:86:good"
        ));
        let file = read(text.as_bytes()).expect("read");
        assert_eq!(
            file.rejected.len(),
            1,
            "{code}: {:?}",
            file.statements[0].entries[0].amount
        );
        let rejected = &file.rejected[0];
        assert_eq!((rejected.code, rejected.line), (code, 5), "{text}");
        assert!(
            rejected.column > 0 && !rejected.field.is_empty(),
            "{rejected:?}"
        );
        let kept: Vec<&str> = file.statements[0]
            .entries
            .iter()
            .filter_map(|e| e.references.get(RefRole::Owner))
            .collect();
        assert_eq!(kept, ["B"], "the other entry stays");
    }
}

#[test]
fn an_impossible_value_date_rejects_its_entry_unless_the_entry_date_holds_it() {
    let text = statement(":61:2602300302C19,90NTRFA");
    let file = read(text.as_bytes()).expect("read");
    let entry = &file.statements[0].entries[0];
    assert_eq!(
        entry.booking_date.map(|day| day.to_string()).as_deref(),
        Some("2026-03-02")
    );
    assert!(
        file.findings
            .iter()
            .any(|finding| finding.code == FindingCode::DateImpossible)
    );
    let text = statement(":61:260230C1,00NTRFA\r\n:61:2603020302C19,90NTRFB");
    let file = read(text.as_bytes()).expect("read");
    assert_eq!(file.rejected[0].code, "date-impossible");
    assert_eq!(
        (file.file.records, file.file.entries, file.file.rejected),
        (2, 1, 1)
    );
}

#[test]
fn the_balance_is_proved_to_the_fen() {
    let file = read(statement(":61:2603020302C19,90NTRFA").as_bytes()).expect("read");
    assert_eq!(
        proof(&file, ProofKind::Balance),
        ["holds 119.90 CNY 119.90 CNY"]
    );
    let file = read(statement(":61:2603020302C19,89NTRFA").as_bytes()).expect("read");
    assert_eq!(
        proof(&file, ProofKind::Balance),
        ["fails 119.90 CNY 119.89 CNY"]
    );
}

#[test]
fn an_overdrawn_closing_balance_is_negative() {
    let text = statement(":61:2603020302D119,90NTRFA")
        .replace(":62F:C260302CNY119,90", ":62F:D260302CNY19,90");
    let file = read(text.as_bytes()).expect("read");
    let closing = file.statements[0].tail.closing.expect("a balance");
    assert_eq!(closing.amount.to_string(), "-19.90 CNY");
    assert_eq!(
        proof(&file, ProofKind::Balance),
        ["holds -19.90 CNY -19.90 CNY"]
    );
}

#[test]
fn several_statements_stay_several_with_their_own_balances() {
    let one = statement(":61:2603020302C19,90NTRFA");
    let two = one
        .replace(":20:DAY1", ":20:DAY2")
        .replace(":28C:5/1", ":28C:6/1");
    let two = two
        .replace("60F:C260302CNY100,00", "60F:C260302CNY119,90")
        .replace("62F:C260302CNY119,90", "62F:C260302CNY139,80");
    let file = read(format!("{one}{two}").as_bytes()).expect("read");
    assert_eq!(file.statements.len(), 2);
    assert_eq!(
        proof(&file, ProofKind::Balance),
        ["holds 119.90 CNY 119.90 CNY", "holds 139.80 CNY 139.80 CNY"]
    );
    assert!(!file.proofs().any(Proof::fails));
}

fn pages(numbers: &[(&str, &str, &str)]) -> String {
    let mut text = String::new();
    for (page, opening, closing) in numbers {
        text.push_str(&format!(
            ":20:P\r\n:25:12345678\r\n:28C:7/{page}\r\n:60{opening}\r\n:61:2603020302C10,00NTRFA{page}\r\n:62{closing}\r\n-\r\n"
        ));
    }
    text
}

#[test]
fn pages_chain_and_a_missing_or_repeated_one_is_told() {
    let first = ("1", "F:C260302CNY0,00", "M:C260302CNY10,00");
    let second = ("2", "M:C260302CNY10,00", "M:C260302CNY20,00");
    let third = ("3", "M:C260302CNY20,00", "F:C260302CNY30,00");
    let whole = read(pages(&[first, second, third]).as_bytes()).expect("read");
    assert!(
        !whole.proofs().any(Proof::fails),
        "{:?}",
        whole.proofs().collect::<Vec<_>>()
    );
    let gap = read(pages(&[first, third]).as_bytes()).expect("read");
    assert!(
        gap.proofs()
            .any(|p| p.kind == ProofKind::PageSequence && p.fails())
    );
    assert!(gap.findings.iter().any(|f| f.code == FindingCode::PageGap));
    let twice = read(pages(&[first, second, second, third]).as_bytes()).expect("read");
    assert!(
        twice
            .findings
            .iter()
            .any(|f| f.code == FindingCode::PageRepeated),
        "{:?}",
        twice.findings
    );
}

#[test]
fn references_longer_than_the_standard_allows_are_kept_whole() {
    let entry = one("2603020302C19,90NTRFA-REFERENCE-OF-30-CHARACTERS//B77");
    assert_eq!(
        entry.references.get(RefRole::Owner),
        Some("A-REFERENCE-OF-30-CHARACTERS")
    );
    assert_eq!(entry.references.get(RefRole::Bank), Some("B77"));
    let entry = one("2603020302C19,90N123NL69INGB0123456789");
    assert_eq!(amount(&entry), "19.90 CNY");
}

#[test]
fn odd_statement_numbers_are_no_reason_to_refuse_a_statement() {
    for number in ["0000", " /1", "0", "00001/001"] {
        let text =
            statement(":61:2603020302C19,90NTRFA").replace(":28C:5/1", &format!(":28C:{number}"));
        let file = read(text.as_bytes()).expect(number);
        assert_eq!(file.file.entries, 1, "{number}");
        assert_eq!(
            proof(&file, ProofKind::Balance),
            ["holds 119.90 CNY 119.90 CNY"]
        );
    }
}

#[test]
fn text_in_latin_1_is_read_as_such_and_never_as_an_old_code_page() {
    let text = statement(":61:2603020302C19,90NTRFA\r\n:86:M\u{fc}ller");
    let latin: Vec<u8> = text
        .chars()
        .map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?'))
        .collect();
    let file = read(&latin).expect("read");
    let entry = &file.statements[0].entries[0];
    assert!(
        entry.remittance.iter().any(|line| line.contains("Müller")),
        "{entry:?}"
    );
    assert_eq!(file.file.encoding, "windows-1252");
    assert!(
        file.findings
            .iter()
            .any(|f| f.code == FindingCode::EncodingGuessed)
    );
}

#[test]
fn wrappers_line_ends_and_bare_ends_change_nothing() {
    let plain = statement(":61:2603020302C19,90NTRFA//B1\r\n:86:text");
    let want = read(plain.as_bytes()).expect("read").statements[0]
        .entries
        .clone();
    let body = plain.trim_end_matches("-\r\n").to_owned();
    for text in [
        plain.replace("\r\n", "\n"),
        plain.replace("\r\n", "\r"),
        format!("\u{feff}{plain}"),
        format!("{{1:F01BANKCNBJAXXX0000000000}}{{2:I940BANKCNBJXXXXN}}{{4:\r\n{body}-}}{{5:}}"),
        format!("\r\n\r\n{plain}\r\n\r\n"),
        plain.trim_end().to_owned(),
    ] {
        let file = read(text.as_bytes()).unwrap_or_else(|error| panic!("{error}: {text}"));
        let entries = &file.statements[0].entries;
        assert_eq!(entries.len(), 1, "{text}");
        assert_eq!(entries[0].references, want[0].references, "{text}");
        assert_eq!(entries[0].amount, want[0].amount);
        assert_eq!(entries[0].remittance, want[0].remittance);
    }
}

#[test]
fn a_tag_look_alike_inside_86_is_no_field() {
    let text = statement(":61:2603020302C19,90NTRFA\r\n:86:paid for\r\n :61: is no field\r\nmore");
    let file = read(text.as_bytes()).expect("read");
    assert_eq!((file.file.records, file.file.entries), (1, 1));
}

#[test]
fn an_86_behind_the_closing_balance_belongs_to_the_statement() {
    let text = statement(":61:2603020302C19,90NTRFA\r\n:86:own")
        .replace("\r\n-\r\n", "\r\n:86:of the statement\r\n-\r\n");
    let file = read(text.as_bytes()).expect("read");
    assert_eq!(file.statements[0].entries[0].remittance, ["own"]);
    assert_eq!(file.statements[0].tail.notes, ["of the statement"]);
}

#[test]
fn the_layouts_of_86_give_references_names_and_accounts() {
    for (text, role, want) in [
        (
            "166?00SEPA?20EREF+E2E-1?21SVWZ+thanks?32ALICE?31DE001",
            RefRole::EndToEnd,
            "E2E-1",
        ),
        (
            "/TRTP/SEPA/IBAN/NL69INGB0123456789/NAME/ALICE/REMI/thanks/EREF/E2E-1",
            RefRole::EndToEnd,
            "E2E-1",
        ),
    ] {
        let file = read(statement(&format!(":61:2603020302C19,90NTRFA\r\n:86:{text}")).as_bytes());
        let file = file.expect("read");
        let entry = &file.statements[0].entries[0];
        assert_eq!(entry.references.get(role), Some(want), "{text}");
        assert_eq!(entry.counterparty.name.as_deref(), Some("ALICE"), "{text}");
    }
}

fn interim(control: &str) -> String {
    format!(
        ":20:I\r\n:25:12345678\r\n:28C:1/1\r\n:34F:CNYD0,00\r\n:34F:CNYC0,00\r\n:13D:2603021200+0800\r\n\
         :61:2603020302C10,00NTRFA\r\n:61:2603020302D3,00NTRFB\r\n:61:2603020302EC5,00NTRFC\r\n{control}-\r\n"
    )
}

#[test]
fn an_interim_report_proves_its_counts_and_sums() {
    let file = read(interim(":90D:1CNY3,00\r\n:90C:2CNY15,00\r\n").as_bytes()).expect("read");
    let entries: Vec<String> = file.statements[0]
        .entries
        .iter()
        .map(|entry| format!("{} {}", amount(entry), entry.status))
        .collect();
    assert_eq!(
        entries,
        ["10.00 CNY booked", "-3.00 CNY booked", "5.00 CNY expected"]
    );
    let controls = |file: &FileReading| {
        let mut all = proof(file, ProofKind::ControlCount);
        all.extend(proof(file, ProofKind::ControlSum));
        all
    };
    assert!(
        controls(&file).iter().all(|proof| proof.contains("holds")),
        "{:?}",
        controls(&file)
    );
    let file = read(interim(":90D:2CNY3,00\r\n:90C:2CNY16,00\r\n").as_bytes()).expect("read");
    assert_eq!(
        file.proofs().filter(|proof| proof.fails()).count(),
        2,
        "{:?}",
        controls(&file)
    );
}

#[test]
fn a_fragment_is_read_without_a_currency_and_says_so() {
    let file = read(b":61:2603020302C19,90NTRFA//B1\r\n:86:text\r\n").expect("read");
    let entry = &file.statements[0].entries[0];
    assert_eq!(entry.amount, EntryAmount::Written("19.90".into()));
    assert!(
        file.findings
            .iter()
            .any(|finding| finding.code == FindingCode::Fragment)
    );
    assert_eq!(proof(&file, ProofKind::Balance), ["absent - -"]);
}

#[test]
fn a_statement_cut_at_any_byte_never_passes_as_whole() {
    let lines =
        ":61:2603020302C9,90NTRFA//B1\r\n:86:one\r\n:61:2603020302C10,00NTRFB//B2\r\n:86:two";
    let text = statement(lines);
    let mut complete = Vec::new();
    for cut in 0..text.len() {
        let Ok(file) = read(&text.as_bytes()[..cut]) else {
            continue;
        };
        assert_eq!(
            file.file.entries + file.file.rejected,
            file.file.records,
            "cut at {cut}"
        );
        let balance = proof(&file, ProofKind::Balance);
        let holds = balance.iter().any(|proof| proof.starts_with("holds"));
        if holds {
            // Only what stands behind the last digit of the closing balance may be missing.
            assert_eq!(file.file.entries, 2, "cut at {cut}");
            complete.push(text.len() - cut);
        } else {
            let verdict = file
                .proofs()
                .find(|p| p.kind == ProofKind::EndMarker)
                .map(|p| p.verdict);
            assert_ne!(verdict, Some(Verdict::Holds), "cut at {cut}: {balance:?}");
        }
    }
    // The line end, `-`, and the zero that ends `119,90`.
    assert_eq!(complete, [6, 5, 4, 3, 2, 1], "bytes missing");
}

struct Slow<'b>(&'b [u8], usize);

impl Read for Slow<'_> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        self.1 = self.1 % 5 + 1;
        let count = self.1.min(self.0.len()).min(out.len());
        out[..count].copy_from_slice(&self.0[..count]);
        self.0 = &self.0[count..];
        Ok(count)
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..Default::default() })]

    #[test]
    fn a_damaged_statement_is_read_or_refused_the_same_however_it_arrives(
        edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3u8), 0..8),
    ) {
        let text = statement(":61:2603020302C9,90NTRFA//B1\r\n:86:?20one\r\n:61:2603020302RD10,00NTRFB//B2\r\nmore\r\n:86:two");
        let mut bytes = text.into_bytes();
        for (at, byte, how) in edits {
            let at = at.index(bytes.len());
            match how {
                0 => bytes[at] = byte,
                1 => { bytes.remove(at); }
                _ => bytes.insert(at, byte),
            }
        }
        let quick = read(&bytes).map_err(|error| error.to_string());
        let slow = read_all("f.sta", Slow(&bytes, 0), &Options::default());
        let slow = slow.map(|mut reading| reading.files.remove(0)).map_err(|error| error.to_string());
        if let Ok(file) = &quick {
            let listed: u64 = file.statements.iter().map(|s| s.entries.len() as u64).sum();
            prop_assert_eq!(file.file.records, listed + file.rejected.len() as u64);
        }
        prop_assert_eq!(quick, slow);
    }
}
