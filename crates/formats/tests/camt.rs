//! camt statements: what is read from the sample, and what becomes of it when it is broken in one place.

use std::fmt::Write as _;

use encoding_rs::{GB18030, WINDOWS_1252};
use quanfu_formats::{FileError, Options, read_all};
use quanfu_settlement::{
    EntryKind, EntryStatus, FileReading, FindingCode, Limits, ProofKind, RefRole, Verdict,
};

const DAY: &str = include_str!("../testdata/camt/day.xml");

fn read(bytes: &[u8]) -> Result<FileReading, FileError> {
    read_with(bytes, &Options::default())
}

fn read_with(bytes: &[u8], options: &Options<'_>) -> Result<FileReading, FileError> {
    read_all("day.xml", bytes, options)
        .map(|reading| reading.files.into_iter().next().expect("a file"))
}

/// The sample with one text changed at its first place.
fn changed(from: &str, to: &str) -> String {
    assert!(DAY.contains(from), "the sample has {from}");
    DAY.replacen(from, to, 1)
}

/// The sample without its n-th `Ntry` replaced by `to`.
fn with_entry(n: usize, to: &str) -> String {
    let start = DAY.match_indices("<Ntry>").nth(n).expect("an entry").0;
    let end = start + DAY[start..].find("</Ntry>").expect("its end") + "</Ntry>".len();
    format!("{}{to}{}", &DAY[..start], &DAY[end..])
}

fn proofs(file: &FileReading) -> String {
    let mut text = String::new();
    for proof in file.proofs() {
        let difference = proof
            .difference
            .as_ref()
            .map_or(String::new(), |d| format!(" by {d}"));
        let scope = if proof.scope.is_empty() { "" } else { " of " };
        writeln!(
            text,
            "{}{scope}{}: {}{difference}",
            proof.kind, proof.scope, proof.verdict
        )
        .expect("text");
    }
    text
}

fn verdict(file: &FileReading, kind: ProofKind) -> Verdict {
    file.proofs()
        .find(|proof| proof.kind == kind)
        .expect("a proof of this kind")
        .verdict
}

#[test]
fn the_sample_is_read_with_everything_that_it_says() {
    let file = read(DAY.as_bytes()).expect("reads");
    assert_eq!(file.file.format, "camt.053.001.08");
    assert_eq!(file.file.encoding, "utf-8");
    assert_eq!(file.file.identity, "camt.053:6100200300400:61:2026-03-02");
    assert_eq!(
        (file.file.records, file.file.entries, file.file.rejected),
        (6, 6, 0)
    );
    assert_eq!(file.findings, []);
    assert_eq!(
        proofs(&file),
        "page_sequence: holds\n\
         end_marker: holds\n\
         balance: holds by 0.00 CNY\n\
         control_count of all entries: holds by 0\n\
         control_sum of all entries: holds by 0.00 CNY\n\
         control_count of credit entries: holds by 0\n\
         control_sum of credit entries: holds by 0.00 CNY\n\
         control_count of debit entries: holds by 0\n\
         control_sum of debit entries: holds by 0.00 CNY\n\
         control_sum of net: holds by 0.00 CNY\n"
    );
    let statement = &file.statements[0];
    assert_eq!(statement.head.id.as_deref(), Some("STMT-61"));
    assert_eq!(statement.head.account.as_deref(), Some("6100200300400"));
    assert_eq!(statement.head.sequence.number.as_deref(), Some("61"));
    assert_eq!(
        (statement.head.sequence.page, statement.head.sequence.last),
        (Some(1), Some(true))
    );
    assert_eq!(statement.head.line, 9);
    let (from, to) = statement.head.period.expect("a period");
    assert_eq!(
        (from.to_string(), to.to_string()),
        ("2026-03-02".into(), "2026-03-02".into())
    );
    assert_eq!(
        statement.opening().expect("opening").amount.to_string(),
        "10000.00 CNY"
    );
    assert_eq!(
        statement.tail.closing.expect("closing").amount.to_string(),
        "17262.50 CNY"
    );
    assert_eq!(
        statement.tail.available[0].amount.to_string(),
        "17000.00 CNY"
    );
    assert_eq!(statement.tail.notes, ["End of day"]);

    let brief: Vec<String> = statement
        .entries
        .iter()
        .map(|entry| {
            let day =
                |day: Option<quanfu_calendar::Date>| day.map_or("-".into(), |day| day.to_string());
            format!(
                "{} {} {} {} {} {} {}",
                day(entry.value_date),
                day(entry.booking_date),
                entry.money().expect("money"),
                entry.kind,
                entry.kind_written.as_deref().unwrap_or("-"),
                entry.status,
                entry.is_reversal
            )
        })
        .collect();
    assert_eq!(
        brief,
        [
            "2026-03-02 2026-03-02 1999.00 CNY payment PMNT/RCDT/DMCT booked false",
            "2026-03-03 2026-03-02 350.50 CNY other NET booked false",
            "- 2026-03-02 -88.00 CNY fee PMNT/MDOP/CHRG booked false",
            "2026-03-02 2026-03-02 -1999.00 CNY reversal PMNT/RCDT/DMCT booked true",
            "2026-03-02 2026-03-02 7000.00 CNY payment PMNT/RCDT/XBCT booked false",
            "2026-03-04 - 5.00 CNY other NET pending false",
        ]
    );
}

#[test]
fn the_one_detail_of_an_entry_is_the_entry_itself() {
    let file = read(DAY.as_bytes()).expect("reads");
    let entry = &file.statements[0].entries[0];
    let references: Vec<_> = entry.references.iter().collect();
    assert_eq!(
        references,
        [
            (RefRole::Bank, "BK-0001"),
            (RefRole::EndToEnd, "ORDER-A1001"),
            (RefRole::Instruction, "INS-9"),
            (RefRole::Transaction, "CNAPS-77"),
            (RefRole::Mandate, "M-1"),
            (RefRole::Token, "1"),
        ]
    );
    assert_eq!(entry.counterparty.name.as_deref(), Some("Shop & Sons 中"));
    assert_eq!(entry.counterparty.account.as_deref(), Some("990011"));
    assert_eq!(entry.counterparty.agent.as_deref(), Some("OTHRCNB0XXX"));
    assert_eq!(
        entry.remittance,
        ["goods of March <2>", "RF18", "Credit transfer"]
    );
    assert!(entry.details.is_empty());
    let time = entry.time.expect("a time");
    assert_eq!(
        (time.second, time.offset_minutes),
        (9 * 3600 + 15 * 60 + 30, Some(480))
    );
    // The bytes are found again by position.
    let (from, len) = (entry.at.byte as usize, entry.at.len as usize);
    assert!(DAY[from..].starts_with("<Ntry>") && DAY[..from + len].ends_with("</Ntry>"));
    assert_eq!(
        DAY[..from].matches('\n').count() + 1,
        entry.at.line as usize
    );
}

#[test]
fn a_batch_keeps_its_details_and_gives_its_total_to_none_of_them() {
    let file = read(DAY.as_bytes()).expect("reads");
    let entry = &file.statements[0].entries[1];
    assert_eq!(entry.references.get(RefRole::Batch), Some("SETTLE-0302"));
    assert_eq!(entry.references.get(RefRole::EndToEnd), None);
    let details: Vec<_> = entry
        .details
        .iter()
        .map(|detail| {
            (
                detail.references.get(RefRole::EndToEnd),
                detail.amount.map(|amount| amount.to_string()),
            )
        })
        .collect();
    assert_eq!(
        details,
        [
            (Some("P-1"), Some("400.00 CNY".to_owned())),
            (Some("P-2"), Some("-49.50 CNY".to_owned())),
            (Some("P-3"), None),
        ]
    );
}

#[test]
fn details_that_do_not_add_up_are_noticed() {
    let text = DAY.replacen(
        "<EndToEndId>P-3</EndToEndId></Refs>",
        "<EndToEndId>P-3</EndToEndId></Refs><Amt Ccy=\"CNY\">0.01</Amt>",
        1,
    );
    let file = read(text.as_bytes()).expect("reads");
    assert_eq!(file.findings[0].code, FindingCode::DetailSum);
    assert_eq!(
        file.findings[0].message,
        "the details add up to 350.51 CNY, the entry to 350.50 CNY"
    );
}

#[test]
fn exchange_and_charges_are_kept_as_written() {
    let file = read(DAY.as_bytes()).expect("reads");
    let entry = &file.statements[0].entries[4];
    assert_eq!(entry.original.expect("original").to_string(), "1000.00 USD");
    let rate = entry.rate.expect("a rate");
    assert_eq!(
        (rate.base.code(), rate.unit, rate.quote.code()),
        ("USD", 1, "CNY")
    );
    assert_eq!(rate.value.to_string(), "7.0125");
    assert_eq!(entry.fee.expect("a fee").to_string(), "12.50 CNY");
    assert_eq!(
        entry.time, None,
        "midnight as an ornament of a date is no time"
    );
}

#[test]
fn a_statement_that_is_cut_anywhere_is_an_error_and_never_a_whole_file() {
    let bytes = DAY.as_bytes();
    let whole = DAY.find("</Document>").expect("an end") + "</Document>".len();
    for cut in 0..bytes.len() {
        match read(&bytes[..cut]) {
            Ok(_) => assert!(cut >= whole, "cut at byte {cut} was read as whole"),
            Err(error) => {
                assert!(cut < whole, "cut at byte {cut}: {error}");
                if cut > 200 {
                    assert_eq!(error.code(), "file-structure", "cut at byte {cut}: {error}");
                    assert!(error.to_string().contains("line"), "{error}");
                }
            }
        }
    }
}

#[test]
fn a_record_that_cannot_be_read_is_rejected_with_its_field_and_the_others_stay() {
    let entry = "<Ntry>\n<Amt Ccy=\"CNY\">88.00</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts>BOOK</Sts>\
                 <BookgDt><Dt>2026-03-02</Dt></BookgDt></Ntry>";
    let five = "amount-too-fine Amt: \"88.00001\" is finer than the minor unit (2 decimals)";
    for (from, to, want) in [
        (">88.00<", ">88.00001<", five),
        (
            "<Amt Ccy=\"CNY\">88.00</Amt>",
            "",
            "amount-missing Amt: there is no Amt",
        ),
        (
            ">88.00<",
            ">-88.00<",
            "amount-malformed Amt: \"-88.00\" is negative; the amount has no sign, CdtDbtInd tells the side",
        ),
        (">88.00<", "></", "amount-missing Amt: there is no Amt"),
        (
            ">88.00<",
            ">8.8e1<",
            "amount-malformed Amt: \"8.8e1\" is no amount at character 4: right is digits with a decimal point, such as 1234.50",
        ),
        (
            ">88.00<",
            ">99999999999999999999<",
            "amount-overflow Amt: \"99999999999999999999\" is more than an amount can hold",
        ),
        (
            "\"CNY\"",
            "\"XYZ\"",
            "currency-unknown Amt/@Ccy: \"XYZ\" is no currency code of ISO 4217 (three upper-case letters, such as CNY)",
        ),
        (
            " Ccy=\"CNY\"",
            "",
            "currency-missing Amt/@Ccy: Amt names no currency",
        ),
        (
            "DBIT",
            "DEBIT",
            "side-unknown CdtDbtInd: \"DEBIT\" is no side; CRDT or DBIT is right",
        ),
        (
            "<CdtDbtInd>DBIT</CdtDbtInd>",
            "",
            "side-unknown CdtDbtInd: there is no CdtDbtInd; CRDT or DBIT is right",
        ),
        (
            "BOOK",
            "DONE",
            "status-unknown Sts: \"DONE\" is no status; BOOK, PDNG, INFO or FUTR is right",
        ),
        (
            "2026-03-02",
            "2026-02-30",
            "date-impossible BookgDt: there is no day 2026-02-30",
        ),
        (
            "2026-03-02",
            "02.03.2026",
            "date-malformed BookgDt: \"02.03.2026\" is no date; such as 2026-03-02 is right",
        ),
    ] {
        // An emptied Amt needs its own end tag.
        let to = if to == "></" { "><" } else { to };
        let text = with_entry(2, &entry.replacen(from, to, 1));
        let file = read(text.as_bytes()).expect(want);
        assert_eq!(
            (file.file.records, file.file.entries, file.file.rejected),
            (6, 5, 1),
            "{want}"
        );
        let rejected = &file.rejected[0];
        assert_eq!(
            format!("{} {}: {}", rejected.code, rejected.field, rejected.message),
            want
        );
        assert_eq!(
            rejected.at.line as usize,
            DAY[..DAY.match_indices("<Ntry>").nth(2).expect("third").0]
                .matches('\n')
                .count()
                + 1
        );
        let balance = file
            .proofs()
            .find(|proof| proof.kind == ProofKind::Balance)
            .expect("a balance");
        let difference = balance
            .difference
            .as_ref()
            .expect("a difference")
            .to_string();
        assert_eq!(
            difference, "88.00 CNY",
            "{want}: the balance tells what is missing"
        );
    }
}

#[test]
fn spellings_that_the_schema_allows_are_read() {
    for (written, want) in [
        ("88.00000", "-88.00 CNY"),
        ("88", "-88.00 CNY"),
        ("88.", "-88.00 CNY"),
        ("+88.0", "-88.00 CNY"),
        (".5", "-0.50 CNY"),
        (" \n 88.00 \t", "-88.00 CNY"),
        ("0", "0.00 CNY"),
        ("0.00", "0.00 CNY"),
        ("8<!-- x -->8.00", "-88.00 CNY"),
        ("8<![CDATA[8]]>.&#48;0", "-88.00 CNY"),
    ] {
        let text = DAY.replacen(">88.00<", &format!(">{written}<"), 1);
        let file = read(text.as_bytes()).expect(written);
        assert_eq!(file.rejected, [], "{written}");
        assert_eq!(
            file.statements[0].entries[2]
                .money()
                .expect("money")
                .to_string(),
            want,
            "{written}"
        );
    }
}

#[test]
fn a_day_that_does_not_exist_is_left_out_where_the_other_day_stands() {
    let file = read(changed("<ValDt><Dt>2026-03-03<", "<ValDt><Dt>2026-02-30<").as_bytes())
        .expect("reads");
    let entry = &file.statements[0].entries[1];
    assert_eq!(
        (entry.value_date, entry.booking_date.is_some()),
        (None, true)
    );
    assert_eq!(file.findings[0].code, FindingCode::DateImpossible);
    assert_eq!(
        file.findings[0].message,
        "ValDt: there is no day 2026-02-30; it was left out"
    );
}

#[test]
fn any_prefix_and_an_envelope_read_the_same() {
    let plain = read(DAY.as_bytes()).expect("reads");
    let prefixed = DAY
        .replace("</", "</ns2:")
        .replace('<', "<ns2:")
        .replace("<ns2:/ns2:", "</ns2:");
    let prefixed = prefixed
        .replace("<ns2:?xml", "<?xml")
        .replace("<ns2:![CDATA[", "<![CDATA[")
        .replace("March <ns2:2>", "March <2>")
        .replace("xmlns=", "xmlns:ns2=");
    let enveloped = DAY
        .replace(
            "<Document",
            "<e:Envelope xmlns:e='urn:e'><e:Head><Ntry>no entry</Ntry></e:Head><Document",
        )
        .replace("</Document>", "</Document></e:Envelope>");
    for (name, text) in [("prefix", prefixed), ("envelope", enveloped)] {
        let file = read(text.as_bytes()).expect(name);
        assert_eq!(file.file.format, plain.file.format, "{name}");
        assert_eq!(file.statements[0].tail, plain.statements[0].tail, "{name}");
        let without_places = |file: &FileReading| -> Vec<_> {
            let entries = file.statements[0].entries.iter().cloned();
            entries
                .map(|mut entry| {
                    entry.at = Default::default();
                    entry
                })
                .collect()
        };
        assert_eq!(without_places(&file), without_places(&plain), "{name}");
    }
}

#[test]
fn encodings_are_read_as_declared_with_positions_in_the_delivered_bytes() {
    let text = changed("Shop &amp; Sons &#x4E2D;", "Müller");
    let latin = text.replacen("UTF-8", "ISO-8859-1", 1);
    let (latin, _, _) = WINDOWS_1252.encode(&latin);
    let text = changed("Shop &amp; Sons &#x4E2D;", "北京测试商店");
    let gb = text.replacen("UTF-8", "GBK", 1);
    let (gb, _, _) = GB18030.encode(&gb);
    let bom = [b"\xEF\xBB\xBF", DAY.as_bytes()].concat();
    for (name, bytes, encoding, party) in [
        ("latin 1", &latin[..], "windows-1252", "Müller"),
        ("GBK", &gb[..], "gbk", "北京测试商店"),
        ("BOM", &bom[..], "utf-8", "Shop & Sons 中"),
    ] {
        let file = read(bytes).expect(name);
        assert_eq!(file.file.encoding, encoding, "{name}");
        let entries = &file.statements[0].entries;
        assert_eq!(
            entries[0].counterparty.name.as_deref(),
            Some(party),
            "{name}"
        );
        for entry in entries {
            let from = entry.at.byte as usize;
            let raw = &bytes[from..from + entry.at.len as usize];
            assert!(
                raw.starts_with(b"<Ntry>") && raw.ends_with(b"</Ntry>"),
                "{name}"
            );
        }
    }
    // Bytes of another encoding in one entry cost that entry only.
    let (wrong, _, _) = WINDOWS_1252.encode("Müller");
    let at = DAY.find("Shop").expect("a name");
    let bytes = [&DAY.as_bytes()[..at], &wrong, &DAY.as_bytes()[at..]].concat();
    let file = read(&bytes).expect("reads");
    assert_eq!((file.file.entries, file.file.rejected), (5, 1));
    assert_eq!(file.rejected[0].code, "text-undecodable");
    assert_eq!(
        file.rejected[0].message,
        format!("byte {} of the file is no utf-8 text", at + 1)
    );
    // UTF-16 is refused in so many words.
    let utf16: Vec<u8> = DAY.encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(read(&utf16).expect_err("refused").code(), "file-utf16");
}

#[test]
fn documents_that_are_no_statement_are_refused_with_one_clear_error() {
    let nested = |levels: usize| {
        changed(
            "<Ustrd>goods",
            &format!(
                "{}x{}<Ustrd>goods",
                "<a>".repeat(levels),
                "</a>".repeat(levels)
            ),
        )
    };
    // The Ntry of the sample is the 4th level, RmtInf the 7th.
    let bomb = "<?xml version=\"1.0\"?><!DOCTYPE lolz [<!ENTITY lol \"lol\"><!ENTITY lol2 \"&lol;&lol;\">]>\
                <Document><BkToCstmrStmt>&lol2;</BkToCstmrStmt></Document>";
    for (name, text, code, message) in [
        ("an entity bomb", bomb.to_owned(), "file-doctype", "line 1: the document has a DOCTYPE"),
        ("an external entity", changed("<Document", "<!DOCTYPE a SYSTEM 'file:///etc/passwd'>\n<Document"), "file-doctype", "line 2: the document has a DOCTYPE"),
        ("an unknown entity", changed("&amp;", "&lol;"), "file-structure", "&lol; is no reference"),
        ("65 levels", nested(58), "file-limit", "more levels of nesting than the limit of 64"),
        ("a long head field", changed("MSG-2026", &"M".repeat(70_000)), "file-limit", "more bytes in one field than the limit of 65536"),
        ("a wrong end tag", changed("</Acct>", "</Account>"), "file-structure", "</Account> stands where </Acct> is missing"),
        ("a wrong end tag in an entry", changed("</CdtDbtInd>\n        <RvslInd>", "</Cdt>\n        <RvslInd>"), "file-structure", "</Cdt> closes what is not open"),
        ("a second document", format!("{DAY}<Document/>"), "file-structure", "stands after the end of the document"),
        ("text after the end", format!("{DAY}and more"), "file-structure", "text outside of the document"),
        ("an entry in an entry", changed("<AddtlNtryInf>", "<Ntry></Ntry><AddtlNtryInf>"), "file-structure", "an Ntry stands inside an Ntry"),
        ("no statement", "<Document xmlns='urn:iso:std:iso:20022:tech:xsd:camt.053.001.02'><BkToCstmrStmt><GrpHdr/></BkToCstmrStmt></Document>".to_owned(), "file-structure", "holds no statement"),
        ("another message", DAY.replace("BkToCstmrStmt", "FIToFICstmrCdtTrf"), "file-unknown", "no known format fits"),
        ("an unknown encoding", changed("UTF-8", "KOI-99"), "file-encoding", "not known (the XML declaration says \"KOI-99\") text"),
    ] {
        let error = read(text.as_bytes()).expect_err(name);
        assert_eq!(error.code(), code, "{name}: {error}");
        assert!(error.to_string().contains(message), "{name}: {error}");
    }
    assert!(read(nested(57).as_bytes()).is_ok(), "64 levels are read");
}

#[test]
fn limits_hold_at_their_edges() {
    let longest = DAY
        .match_indices("<Ntry>")
        .map(|(start, _)| DAY[start..].find("</Ntry>").expect("end") + 7)
        .max()
        .expect("entries");
    for (limit, is_read) in [(longest, true), (longest - 1, false)] {
        let limits = Limits {
            xml_entry_bytes: limit,
            ..Limits::default()
        };
        let read = read_with(
            DAY.as_bytes(),
            &Options {
                limits,
                ..Options::default()
            },
        );
        assert_eq!(read.is_ok(), is_read, "{limit}");
    }
    for (length, rejected) in [(64 * 1024, 0), (64 * 1024 + 1, 1)] {
        let text = changed("Credit transfer", &"x".repeat(length));
        assert_eq!(
            read(text.as_bytes()).expect("reads").file.rejected,
            rejected,
            "{length}"
        );
    }
}

#[test]
fn a_namespace_that_says_something_else_is_noticed() {
    for (from, to, format, message) in [
        (
            "camt.053.001.08",
            "camt.052.001.08",
            "camt.053",
            "the namespace says camt.052.001.08, the message is camt.053",
        ),
        (
            " xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001.08\"",
            "",
            "camt.053",
            "no namespace of camt.053 is declared",
        ),
        (
            "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08",
            "urn:other",
            "camt.053",
            "no namespace of camt.053 is declared",
        ),
    ] {
        let file = read(changed(from, to).as_bytes()).expect(message);
        assert_eq!(file.file.format, format);
        assert_eq!(file.findings[0].message, message);
        assert_eq!(file.file.entries, 6);
    }
}

#[test]
fn what_the_statement_says_of_itself_is_proved() {
    for (from, to, kind, scope, difference) in [
        (
            ">17262.50<",
            ">17262.51<",
            ProofKind::Balance,
            "",
            Some("-0.01 CNY"),
        ),
        (
            ">10000.00</Amt><CdtDbtInd>CRDT",
            ">10000.00</Amt><CdtDbtInd>DBIT",
            ProofKind::Balance,
            "",
            Some("-20000.00 CNY"),
        ),
        (
            "<NbOfNtries>6<",
            "<NbOfNtries>7<",
            ProofKind::ControlCount,
            "all entries",
            Some("-1"),
        ),
        (
            "<Sum>11441.5<",
            "<Sum>11441.6<",
            ProofKind::ControlSum,
            "all entries",
            Some("-0.10 CNY"),
        ),
        (
            "<NbOfNtries>4<",
            "<NbOfNtries>3<",
            ProofKind::ControlCount,
            "credit entries",
            Some("1"),
        ),
        (
            "<Sum>2087.00<",
            "<Sum>2087<",
            ProofKind::ControlSum,
            "",
            None,
        ),
        (
            "<Amt>7267.50</Amt><CdtDbtInd>CRDT",
            "<Amt>7267.50</Amt><CdtDbtInd>DBIT",
            ProofKind::ControlSum,
            "net",
            Some("14535.00 CNY"),
        ),
    ] {
        let file = read(changed(from, to).as_bytes()).expect(to);
        let failing: Vec<_> = file.proofs().filter(|proof| proof.fails()).collect();
        let Some(difference) = difference else {
            assert_eq!(failing.len(), 0, "{to}");
            continue;
        };
        assert_eq!(failing.len(), 1, "{to}");
        assert_eq!(
            (failing[0].kind, failing[0].scope.as_str()),
            (kind, scope),
            "{to}"
        );
        assert_eq!(
            failing[0].difference.as_ref().expect("figures").to_string(),
            difference,
            "{to}"
        );
    }
    let unreadable = read(changed("<Sum>11441.5<", "<Sum>many<").as_bytes()).expect("reads");
    assert_eq!(
        unreadable.findings[0].message,
        "the declared sum of all entries cannot be read: \"many\""
    );
    let unreadable = read(changed(">17262.50<", ">x<").as_bytes()).expect("reads");
    assert_eq!(verdict(&unreadable, ProofKind::Balance), Verdict::Absent);
    assert!(
        unreadable.findings[0]
            .message
            .starts_with("the balance CLBD cannot be read"),
        "{:?}",
        unreadable.findings
    );
}

#[test]
fn pages_and_copies_are_noticed() {
    let copy =
        read(changed("<Acct>", "<CpyDplctInd>DUPL</CpyDplctInd><Acct>").as_bytes()).expect("reads");
    assert_eq!(copy.findings[0].code, FindingCode::DeclaredCopy);

    let statement = &DAY[DAY.find("<Stmt>").expect("start")..DAY.find("</Stmt>").expect("end") + 7];
    for (number, code, pages) in [
        ("62", None, Verdict::Holds),
        ("64", Some(FindingCode::PageGap), Verdict::Fails),
        ("61", Some(FindingCode::PageRepeated), Verdict::Fails),
    ] {
        let second = statement.replacen(">61<", &format!(">{number}<"), 1);
        let text = changed("</Stmt>", &format!("</Stmt>{second}"));
        let file = read(text.as_bytes()).expect(number);
        assert_eq!(file.statements.len(), 2);
        assert_eq!(file.file.entries, 12);
        assert_eq!(
            file.findings.first().map(|finding| finding.code),
            code,
            "{number}"
        );
        assert_eq!(verdict(&file, ProofKind::PageSequence), pages, "{number}");
        assert_eq!(
            file.file.identity,
            if number == "61" {
                "camt.053:6100200300400:61:2026-03-02".to_owned()
            } else {
                format!("camt.053:6100200300400:61..{number}:2026-03-02")
            }
        );
    }
    let page_one = read(changed("<LastPgInd>true", "<LastPgInd>false").as_bytes()).expect("reads");
    assert_eq!(verdict(&page_one, ProofKind::PageSequence), Verdict::Absent);
}

#[test]
fn statements_without_entries_and_with_interim_balances_are_proved_too() {
    let start = DAY.find("<TxsSummry>").expect("summary");
    let end = DAY.find("<AddtlStmtInf>").expect("notes");
    let empty = format!("{}{}", &DAY[..start], &DAY[end..]);
    let file = read(empty.as_bytes()).expect("reads");
    let balance = file
        .proofs()
        .find(|proof| proof.kind == ProofKind::Balance)
        .expect("a balance");
    assert_eq!(
        balance.difference.as_ref().expect("figures").to_string(),
        "-7262.50 CNY"
    );
    assert_eq!(file.statements.len(), 1);

    let page = changed("<Cd>OPBD</Cd>", "<Cd>ITBD</Cd>");
    let file = read(page.as_bytes()).expect("reads");
    assert!(file.statements[0].opening().expect("opening").is_interim);
    assert_eq!(verdict(&file, ProofKind::Balance), Verdict::Holds);
    let previous = read(changed("<Cd>OPBD</Cd>", "<Cd>PRCD</Cd>").as_bytes()).expect("reads");
    assert_eq!(verdict(&previous, ProofKind::Balance), Verdict::Holds);
}

#[test]
fn offshore_renminbi_is_read_as_renminbi_and_told_once() {
    let text = DAY
        .replace("<Amt Ccy=\"CNY\">88.00", "<Amt Ccy=\"CNH\">88.00")
        .replace("<Amt Ccy=\"CNY\">5<", "<Amt Ccy=\"CNH\">5<");
    let file = read(text.as_bytes()).expect("reads");
    assert_eq!(
        file.statements[0].entries[2]
            .money()
            .expect("money")
            .to_string(),
        "-88.00 CNY"
    );
    let told = file
        .findings
        .iter()
        .filter(|finding| finding.code == FindingCode::CurrencyAlias)
        .count();
    assert_eq!(told, 1);
}

#[test]
fn entries_in_another_currency_than_the_balances_are_never_added_to_them() {
    let file = read(changed("<Amt Ccy=\"CNY\">88.00", "<Amt Ccy=\"USD\">88.00").as_bytes())
        .expect("reads");
    let balance = file
        .proofs()
        .find(|proof| proof.kind == ProofKind::Balance)
        .expect("a balance");
    assert_eq!(
        (balance.verdict, balance.difference.is_none()),
        (Verdict::Fails, true)
    );
}

#[test]
fn strict_reading_passes_the_sample_and_stops_at_a_rejected_record() {
    let strict = Options {
        strict: true,
        ..Options::default()
    };
    assert!(read_with(DAY.as_bytes(), &strict).is_ok());
    let error = read_with(changed(">88.00<", ">88.001<").as_bytes(), &strict).expect_err("stops");
    assert_eq!(error.code(), "file-strict");
    assert!(error.to_string().contains("amount-too-fine"), "{error}");
}

#[test]
fn old_and_new_shapes_of_status_and_reversal_mean_the_same() {
    for (from, to) in [
        ("<Sts><Cd>PDNG</Cd></Sts>", "<Sts>PDNG</Sts>"),
        ("<Sts><Cd>PDNG</Cd></Sts>", "<Sts><Prtry>PDNG</Prtry></Sts>"),
    ] {
        let file = read(changed(from, to).as_bytes()).expect(to);
        assert_eq!(
            file.statements[0].entries[5].status,
            EntryStatus::Pending,
            "{to}"
        );
    }
    let file = read(changed("<RvslInd>true", "<RvslInd>1").as_bytes()).expect("reads");
    assert_eq!(file.statements[0].entries[3].kind, EntryKind::Reversal);
    let file = read(changed("<RvslInd>true", "<RvslInd>yes").as_bytes()).expect("reads");
    assert_eq!(file.rejected[0].code, "flag-malformed");
}

/// Gives a few bytes at a time, as a slow pipe would.
struct Drip<'a>(&'a [u8], usize);

impl std::io::Read for Drip<'_> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let count = out.len().min(self.0.len()).min(self.1);
        out[..count].copy_from_slice(&self.0[..count]);
        self.0 = &self.0[count..];
        Ok(count)
    }
}

#[test]
fn how_the_bytes_arrive_changes_nothing() {
    let whole = read(DAY.as_bytes()).expect("reads");
    for size in [1, 2, 3, 7, 64, 1000] {
        let reading = read_all("day.xml", Drip(DAY.as_bytes(), size), &Options::default());
        assert_eq!(
            reading.expect("reads").files[0],
            whole,
            "{size} bytes at a time"
        );
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 400, failure_persistence: None, ..Default::default() })]

    /// Whatever happens to the bytes, there is a reading that counts every record or an error; never a panic.
    #[test]
    fn a_damaged_statement_is_read_or_refused(
        damages in proptest::collection::vec((0..DAY.len(), 0..4u8, proptest::prelude::any::<u8>()), 1..6),
    ) {
        let mut bytes = DAY.as_bytes().to_vec();
        for (place, how, byte) in damages {
            let place = place.min(bytes.len() - 1);
            match how {
                0 => bytes[place] = byte,
                1 => bytes.insert(place, b"<>&\"'/"[usize::from(byte) % 6]),
                2 => { bytes.remove(place); }
                _ => bytes.drain(place..(place + usize::from(byte)).min(bytes.len())).for_each(drop),
            }
            if bytes.is_empty() { bytes.push(byte); }
        }
        match read(&bytes) {
            Ok(file) => proptest::prop_assert_eq!(file.file.records, file.file.entries + file.file.rejected),
            Err(error) => proptest::prop_assert!(FileError::CODES.contains(&error.code())),
        }
    }
}
