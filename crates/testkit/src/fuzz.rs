//! Properties that hold for any bytes. Fuzz targets call them, and ordinary tests replay the files in `fuzz/corpus`.

use std::io::Read;
use std::ops::ControlFlow;

use quanfu::calendar::BusinessCalendar;
use quanfu::codes::{CodeTable, Parameters};
use quanfu::credit::{Programme, application};
use quanfu::filing::declaration::{Declarant, Evidence, Review, UserList};
use quanfu::filing::{Declaration, Filing, Restored, netting_rules};
use quanfu::formats::csv::blocks::{BlockBuffer, BlockReader, BlockRow, Opened};
use quanfu::formats::{FileError, Options, read_all, shipped_profiles};
use quanfu::fx::{Board, RateFileError, RateReading, RateTable, Terms, to_csv};
use quanfu::money::lexer::{AmountStyle, DecimalMark, Thousands, parse_decimal, parse_minor};
use quanfu::pricing::{Basis, Item, PriceList, PriceRules, reprice, write_list};
use quanfu::report::{Look, declaration, outcomes, reading};
use quanfu::settlement::{FileReading, Limits, Reading, RefRole, Rejected};
use quanfu::verify::verify;
use quanfu::{Profile, ResultDoc, Rules};

/// A property over bytes.
pub type Property = fn(&[u8]);

/// All properties, by the name of their fuzz target.
pub const ALL: &[(&str, Property)] = &[
    ("amount", amount),
    ("calendar_csv", calendar_csv),
    ("rules_toml", rules_toml),
    ("profile_toml", profile_toml),
    ("result_json", result_json),
    ("outcomes_csv", outcomes_csv),
    ("restored_json", restored_json),
    ("declaration_json", declaration_json),
    ("declarant_toml", declarant_toml),
    ("evidence_csv", evidence_csv),
    ("party_list_csv", party_list_csv),
    ("mt940", mt940),
    ("camt", camt),
    ("csv", csv),
    ("csv_blocks", csv_blocks),
    ("container", container),
    ("rates_csv", rates_csv),
    ("rates_chinamoney", rates_chinamoney),
    ("rates_board", rates_board),
    ("pricing_toml", pricing_toml),
    ("price_list_csv", price_list_csv),
    ("programme_toml", programme_toml),
    ("applications_csv", applications_csv),
    ("code_table_csv", code_table_csv),
    ("parameters_csv", parameters_csv),
    ("filing_json", filing_json),
];

/// What an error says names its place: a line, a record, a column.
fn placed(error: &dyn std::error::Error) {
    let text = error.to_string();
    let places = [
        "line ",
        "records[",
        "the answer",
        "the list of pairs",
        "the shape",
        "head",
        "data",
        "event ",
        "not a record",
    ];
    assert!(
        places.iter().any(|place| text.contains(place)),
        "no place: {text}"
    );
}

/// Rates that were read are written and read as the same again.
fn rates(read: Result<RateReading, RateFileError>) {
    match read {
        Err(error) => placed(&error),
        Ok(read) => {
            read.rejected.iter().for_each(|error| placed(error));
            let again = RateReading::csv(to_csv(&read.rates).as_bytes());
            let again = again.expect("our own form");
            assert_eq!((again.rates, again.rejected), (read.rates, Vec::new()));
        }
    }
}

/// Rates in our own form.
pub fn rates_csv(data: &[u8]) {
    rates(RateReading::csv(data));
    rates(RateReading::csv(
        &[quanfu::fx::HEADER.as_bytes(), b"\n", data].concat(),
    ));
}

/// Rates as ChinaMoney answers them.
pub fn rates_chinamoney(data: &[u8]) {
    rates(RateReading::chinamoney(data));
    rates(RateReading::any(data));
}

/// A bank's board by a shape: up to the first empty line the shape, then the table.
pub fn rates_board(data: &[u8]) {
    let at = data.windows(2).position(|two| two == b"\n\n");
    let (shape, table) = data.split_at(at.unwrap_or(data.len()));
    let Ok(shape) = serde_json::from_slice::<Board>(shape) else {
        return;
    };
    let written = serde_json::to_vec(&shape).expect("a shape has text keys only");
    assert_eq!(
        serde_json::from_slice::<Board>(&written).ok(),
        Some(shape.clone())
    );
    rates(shape.read(table.get(2..).unwrap_or_default()));
}

/// Pricing rules: they are read, or the place is told; and they price what there is or refuse.
pub fn pricing_toml(data: &[u8]) {
    let Some(text) = text(data) else { return };
    match PriceRules::parse(text) {
        Err(error) => placed(&error),
        Ok(rules) => {
            assert_eq!(PriceRules::parse(text).ok(), Some(rules.clone()));
            let item = "199.00 CNY"
                .parse()
                .ok()
                .and_then(|list| Item::new(list).ok());
            let rates = RateTable::default();
            if let Some(item) = item {
                let _ = rules.offer(&item, quanfu::Currency::USD, &rates, day());
            }
        }
    }
}

/// A price list: what is priced and written is read as the same rows again.
pub fn price_list_csv(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let read = match PriceList::read(text) {
        Err(error) => return placed(&error),
        Ok(read) => read,
    };
    read.rejected.iter().for_each(|error| placed(error));
    let rules = PriceRules::parse(
        "schema = \"quanfu.pricing/1\"\nname = \"t\"\n[buyer.USD]\npays = \"CNY\"\n[buyer.EUR]\nmarkup_bps = 1\n",
    )
    .expect("rules of ours");
    let rates = RateTable::default();
    let basis = Basis {
        rules: &rules,
        rates: &rates,
        on: day(),
    };
    let priced = reprice(&read.rows, None, basis);
    let again = PriceList::read(&write_list(&priced)).expect("our own form");
    assert_eq!(again.rejected, []);
    assert_eq!(again.rows.len(), priced.len());
    for (row, priced) in again.rows.iter().zip(&priced) {
        assert_eq!(
            (&row.sku, row.item, row.buyer),
            (&priced.sku, priced.item, Some(priced.buyer))
        );
        let price = priced.new.as_ref().ok().map(|new| new.price);
        assert_eq!(row.price, price.or(priced.old));
    }
}

/// A support programme.
pub fn programme_toml(data: &[u8]) {
    let Some(text) = text(data) else { return };
    if let Err(error) = Programme::parse(text) {
        placed(&error);
    }
}

/// Applications: every row is in one, or among the rejected with its line.
pub fn applications_csv(data: &[u8]) {
    let Some(text) = text(data) else { return };
    match application::from_csv(text) {
        Err(error) => placed(&error),
        Ok(read) => {
            read.rejected.iter().for_each(|error| placed(error));
            let mut ids: Vec<&str> = read
                .applications
                .iter()
                .map(|one| one.id.as_str())
                .collect();
            ids.dedup();
            assert_eq!(ids.len(), read.applications.len(), "each once");
        }
    }
    if let Err(error) = application::from_toml(text) {
        placed(&error);
    }
}

/// A table of codes: a row of it holds on its days, and over an empty one it is itself.
pub fn code_table_csv(data: &[u8]) {
    let Some(text) = text(data) else { return };
    match CodeTable::parse("t", text) {
        Err(error @ quanfu::codes::TableError::Line { .. }) => placed(&error),
        Err(error) => assert!(error.to_string().contains("code \""), "{error}"),
        Ok(table) => {
            for row in table.rows() {
                if let Some(day) = row.from.or(row.until) {
                    assert_eq!(table.at(&row.code, day), Ok(row));
                }
            }
            assert_eq!(table.clone().overlaid_with(&table), table);
        }
    }
}

/// Dated parameters of rules.
pub fn parameters_csv(data: &[u8]) {
    let Some(text) = text(data) else { return };
    match Parameters::parse(text) {
        Err(error @ quanfu::codes::ParameterError::Line { .. }) => placed(&error),
        Err(error) => assert!(error.to_string().contains("parameter "), "{error}"),
        Ok(read) => assert_eq!(read.overlaid_with(&read), Ok(read)),
    }
}

/// A record of a filing: what lets itself happen again is written and read as the same.
pub fn filing_json(data: &[u8]) {
    let Some(text) = text(data) else { return };
    if let Ok(read) = Filing::from_json(text) {
        let written = read.to_json();
        let again = Filing::from_json(&written).expect("what was read can be read again");
        assert_eq!(again.to_json(), written);
        assert_eq!((again.head(), again.events()), (read.head(), read.events()));
    }
}

fn day() -> quanfu::calendar::Date {
    quanfu::calendar::Date::from_ymd_opt(2025, 7, 16).expect("a day")
}

/// A file read by blocks, of whatever size, has the entries and rejected records that the reader of all files finds.
pub fn csv_blocks(data: &[u8]) {
    const HEADER: &str = "serial,reference,day,time,currency,amount,way,kind\n";
    let Some((&how, body)) = data.split_first() else {
        return;
    };
    let amount = match how >> 1 & 3 {
        0 => "[amount]\ncolumn = \"amount\"\n",
        1 => "[amount]\ncolumn = \"amount\"\nsign = \"negated\"\n",
        2 => {
            "[amount]\ncolumn = \"amount\"\ndirection = \"way\"\nplus_words = [\"C\"]\nminus_words = [\"D\"]\n"
        }
        _ => {
            "[kind]\ncolumn = \"kind\"\nwords = { payment = [\"PAY\"], refund = [\"a longer word\"] }\n\
             [amount.by_kind]\npayment = { column = \"amount\", sign = \"plus\" }\n\
             refund = { column = \"amount\", sign = \"minus\" }\n"
        }
    };
    let file = match how >> 3 & 3 {
        0 => "quoted = false",
        1 => "multiline = false",
        2 => "final_line_end = true",
        _ => "",
    };
    let profile = format!(
        "schema = \"quanfu.profile/1\"\nname = \"t\"\n[file]\n{file}\n[columns]\n\
         time = {{ name = \"time\", format = [\"%Y-%m-%dT%H:%M:%S%z\", \"%Y/%-m/%-d %H:%M\"] }}\n\
         value_date = {{ name = \"day\", format = [\"%Y-%m-%d\"] }}\nbank = \"serial\"\norder = \"reference\"\n\
         [currency]\ncolumn = \"currency\"\n{amount}"
    );
    let profile = Profile::parse(&profile).expect("a profile of ours");
    let options = Options {
        profile: Some(&profile),
        limits: Limits {
            field_bytes: 40,
            key_bytes: 24,
            record_bytes: 200,
            ..Limits::default()
        },
        ..Options::default()
    };
    let file = [HEADER.as_bytes(), body].concat();
    let roles = [RefRole::Order, RefRole::Bank];
    let opened = BlockReader::open("f", Box::new(file.as_slice()), &options, &roles);
    let reader = match opened {
        Ok(Opened::Blocks(reader)) => reader.with_block_bytes(usize::from(how >> 5) * 37 + 1),
        Ok(Opened::Other(_)) | Err(_) => return,
    };
    let mut found = Vec::new();
    let mut buffer = BlockBuffer::default();
    let read = loop {
        let taken = reader.next_block(&mut buffer, &mut |row: &BlockRow<'_>| {
            let text = |index: usize| String::from_utf8_lossy(row.references[index]).into_owned();
            found.push((text(0), text(1), row.currency.code().to_owned(), row.minor));
            ControlFlow::Continue(())
        });
        match taken {
            Ok(true) => {}
            Ok(false) => break Ok(()),
            Err(error) => break Err(error),
        }
    };
    let whole = read_all("f", file.as_slice(), &options);
    let (Ok(()), Ok(whole)) = (read, whole) else {
        // A record beyond the limit may be seen by one of them as a shorter one that goes on.
        return;
    };
    let (source, rejected, _) = reader.finish().expect("no limit of counts is near");
    let whole = &whole.files[0];
    let mut wanted = Vec::new();
    let mut refused: Vec<_> = whole.rejected.clone();
    for entry in whole
        .statements
        .iter()
        .flat_map(|statement| &statement.entries)
    {
        let text = |role| entry.references.get(role).unwrap_or_default().to_owned();
        let (order, bank) = (text(RefRole::Order), text(RefRole::Bank));
        let money = entry.money().expect("CSV entries have money");
        if order.len() > 24 || bank.len() > 24 {
            refused.push(Rejected {
                code: "field-too-long",
                at: entry.at,
                line: entry.at.line,
                column: 0,
                field: "".into(),
                message: String::new(),
            });
        } else {
            wanted.push((
                order,
                bank,
                money.currency().code().to_owned(),
                money.minor(),
            ));
        }
    }
    found.sort();
    wanted.sort();
    assert_eq!(found, wanted);
    let places = |rejected: &[Rejected]| {
        let mut places: Vec<_> = rejected
            .iter()
            .map(|why| (why.at.byte, why.at.line, why.line, why.column, why.code))
            .collect();
        places.sort_unstable();
        places
    };
    assert_eq!(places(&rejected), places(&refused));
    assert_eq!(source.digest, whole.file.digest);
    assert_eq!(source.records, whole.file.records);
}

/// An amount that is read says the same when it is written again, and both ways to read it agree.
pub fn amount(data: &[u8]) {
    let Some((&how, text)) = data.split_first() else {
        return;
    };
    let style = AmountStyle {
        decimal: if how & 1 == 0 {
            DecimalMark::Point
        } else {
            DecimalMark::Comma
        },
        thousands: match how >> 1 & 7 {
            0 => Thousands::Space,
            1 => Thousands::Apostrophe,
            2 if how & 1 == 1 => Thousands::Point,
            3 if how & 1 == 0 => Thousands::Comma,
            _ => Thousands::None,
        },
        full_width_digits: how & 16 != 0,
        minor_units: how & 32 != 0,
        plus_sign: how & 64 != 0,
        ..AmountStyle::PLAIN
    };
    for digits in 0..=4 {
        let Ok(parsed) = parse_minor(text, style, digits) else {
            continue;
        };
        let plain = AmountStyle {
            minor_units: true,
            ..AmountStyle::PLAIN
        };
        let again = parse_minor(parsed.minor.to_string().as_bytes(), plain, digits);
        assert_eq!(
            again.map(|again| again.minor),
            Ok(parsed.minor),
            "{parsed:?}"
        );
        if let Ok(decimal) = parse_decimal(text, style) {
            let scale = if style.minor_units {
                0
            } else {
                u32::from(digits)
            };
            let unit = quanfu::Decimal::from(10u64.pow(scale));
            let minor = decimal.checked_mul(unit).map(|value| value.normalize());
            assert_eq!(
                minor,
                Some(quanfu::Decimal::from(parsed.minor).normalize()),
                "{parsed:?}"
            );
        }
    }
}

fn text(data: &[u8]) -> Option<&str> {
    std::str::from_utf8(data).ok()
}

/// A calendar that is read is written as the same calendar.
pub fn calendar_csv(data: &[u8]) {
    let Some(text) = text(data) else { return };
    if let Ok(calendar) = BusinessCalendar::parse("fuzz", text) {
        let written = calendar.to_csv();
        let again = BusinessCalendar::parse("fuzz", &written).map(|again| again.to_csv());
        assert_eq!(again.as_deref(), Ok(written.as_str()));
        let (from, until) = calendar.covers();
        assert!(from <= until);
        assert!(calendar.is_business_day(from).is_ok() && calendar.is_business_day(until).is_ok());
    }
}

/// Rules are read or refused with a place.
pub fn rules_toml(data: &[u8]) {
    let Some(text) = text(data) else { return };
    match Rules::parse(text) {
        Ok(rules) => assert_eq!(rules.text, text),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// A profile is read or refused with a place.
pub fn profile_toml(data: &[u8]) {
    let Some(text) = text(data) else { return };
    match Profile::parse(text) {
        Ok(profile) => assert!(profile.columns().count() > 0),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// A result that is read is written as the same result, and verifying it without files never holds.
pub fn result_json(data: &[u8]) {
    let Some(text) = text(data) else { return };
    if let Ok(doc) = ResultDoc::from_json(text) {
        let written = doc.to_json();
        assert_eq!(ResultDoc::from_json(&written).ok(), Some(doc.clone()));
        let _ = quanfu::report::result::table(&doc, &Look::default());
    }
    if let Ok(answer) = verify(text, &[], &Limits::default()) {
        let inputs = ResultDoc::from_json(text).map_or(0, |doc| doc.certificate.inputs.len());
        assert!(
            !answer.holds() || inputs == 0,
            "what was not seen cannot hold"
        );
    }
}

/// An outcomes table is read or refused with a line.
pub fn outcomes_csv(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let mut rows = 0;
    if let Err(error) = outcomes::for_each(text, |_| rows += 1) {
        assert!(error.line > 0);
    }
}

/// A restored declaration that is read is written as the same one; checking, showing and drafting from it end.
pub fn restored_json(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let Ok(read) = Restored::from_json(text) else {
        return;
    };
    assert_eq!(
        Restored::from_json(&read.to_json()).ok().as_ref(),
        Some(&read)
    );
    let netting = netting_rules(&Parameters::shipped());
    let faults = read.check(&netting);
    let _ = declaration::table(&read, &netting, &Look::default());
    let _ = declaration::faults(&faults, &[], &Look::default());
    assert!(!read.to_csv().is_empty());
    let declarant = "schema = \"quanfu.declarant/1\"\n[subject]\nkind = \"firm\"\n[counterparty]\nkind = \"firm\"\n";
    let declarant = Declarant::parse(declarant).expect("a declarant of ours");
    if let Ok(draft) = Declaration::draft(&read, &declarant, &Evidence::default()) {
        let originals: usize = read.batches.iter().map(|batch| batch.originals.len()).sum();
        assert_eq!(draft.details.len(), originals, "no original is lost");
        assert_eq!(draft.fits(&read), [], "a draft is as what it was made from");
    }
}

/// A declaration that is read is written as the same one, and reviewing and showing it end.
pub fn declaration_json(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let Ok(read) = Declaration::from_json(text) else {
        return;
    };
    assert_eq!(
        Declaration::from_json(&read.to_json()).ok().as_ref(),
        Some(&read)
    );
    let limits = [
        "fx_single_limit".to_owned(),
        "import_annual_limit".to_owned(),
    ];
    let reviewed = read.review(&Review {
        day: read.as_of,
        parameters: &Parameters::shipped(),
        codes: &CodeTable::bop(),
        grades: &CodeTable::credit_grades(),
        calendar: &BusinessCalendar::china(),
        rates: &RateTable::default(),
        terms: Terms::MID,
        single_limits: &limits,
        annual_limits: &limits,
        split_days: Some(2),
        lists: &[&UserList::default()],
        declarant: None,
        earlier: std::slice::from_ref(&read),
    });
    assert_eq!(
        reviewed.dues.len(),
        read.receipts_payments.len() + read.bop.len()
    );
    let _ = declaration::review(&reviewed, &Look::default());
    let _ = declaration::draft(&read, &Look::default());
    assert!(!(read.details_csv() + &read.records_csv()).is_empty());
}

/// A declarant is read, or refused with a place.
pub fn declarant_toml(data: &[u8]) {
    let Some(text) = text(data) else { return };
    if let Err(error) = Declarant::parse(text) {
        assert!(!error.place.is_empty());
    }
}

/// Each row of evidence is read or rejected with its line.
pub fn evidence_csv(data: &[u8]) {
    let Some(text) = text(data) else { return };
    match Evidence::parse(text) {
        Ok(read) => {
            let rows = text.lines().skip(1).filter(|line| !line.is_empty());
            assert_eq!(read.len() + read.rejected.len(), rows.count());
        }
        Err(error) => assert_eq!(error.line, 1),
    }
}

/// A list of parties is read whole, or refused with a line.
pub fn party_list_csv(data: &[u8]) {
    let Some(text) = text(data) else { return };
    if let Err(error) = UserList::parse(text) {
        assert!(error.line > 0);
    }
}

/// Hands out bytes a few at a time.
struct Slow<'b>(&'b [u8], usize);

impl Read for Slow<'_> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        self.1 = self.1 % 13 + 1;
        let count = self.1.min(self.0.len()).min(out.len());
        out[..count].copy_from_slice(&self.0[..count]);
        self.0 = &self.0[count..];
        Ok(count)
    }
}

/// Bounds that a fuzzer can reach.
fn limits() -> Limits {
    Limits {
        record_bytes: 4096,
        field_bytes: 512,
        fields: 64,
        inflated_bytes: 1 << 20,
        ..Limits::default()
    }
}

fn whole(file: &FileReading) {
    let listed: usize = file
        .statements
        .iter()
        .map(|statement| statement.entries.len())
        .sum();
    assert_eq!(
        file.file.entries, listed as u64,
        "every entry is handed over"
    );
    assert_eq!(
        file.file.rejected,
        file.rejected.len() as u64,
        "every rejected record is told"
    );
    assert_eq!(
        file.file.records,
        file.file.entries + file.file.rejected,
        "no record is lost"
    );
}

fn read(bytes: &[u8], options: &Options<'_>) -> Result<Reading, String> {
    let said = |error: FileError| error.to_string();
    let quick = read_all("f", bytes, options).map_err(said);
    let slow = read_all("f", Slow(bytes, 0), options).map_err(said);
    assert_eq!(quick, slow, "however the bytes arrive");
    if let Ok(reading) = &quick {
        reading.files.iter().for_each(whole);
    }
    quick
}

/// Whatever is read is read whole, the same however it arrives, and can be shown; strict reading refuses no less.
fn file(bytes: &[u8], options: &Options<'_>) {
    let lenient = read(bytes, options);
    let strict = Options {
        strict: true,
        ..options.clone()
    };
    let strict = read_all("f", bytes, &strict);
    match lenient {
        Ok(lenient) => {
            if let Ok(strict) = strict {
                assert_eq!(
                    strict, lenient,
                    "what strict reading takes, both read the same"
                );
            }
            let _ = reading::table(&lenient, &Look::default());
            let json = reading::json(&lenient);
            assert!(json.starts_with('{') && json.ends_with("}\n"));
        }
        Err(_) => assert!(
            strict.is_err(),
            "strict reading takes nothing that lenient reading refuses"
        ),
    }
}

/// MT940 and MT942.
pub fn mt940(data: &[u8]) {
    let options = Options {
        limits: limits(),
        ..Options::default()
    };
    file(data, &options);
    file(
        &[b":20:X\r\n:25:1\r\n:60F:C260302CNY1,00\r\n", data].concat(),
        &options,
    );
}

/// camt.052, .053 and .054.
pub fn camt(data: &[u8]) {
    let options = Options {
        limits: limits(),
        ..Options::default()
    };
    file(data, &options);
    file(
        &[b"<Document><BkToCstmrStmt><Stmt>", data].concat(),
        &options,
    );
}

/// CSV by each shipped profile, and by none.
pub fn csv(data: &[u8]) {
    let options = Options {
        limits: limits(),
        ..Options::default()
    };
    file(data, &options);
    for profile in shipped_profiles() {
        file(
            data,
            &Options {
                profile: Some(profile),
                ..options.clone()
            },
        );
    }
}

/// Archives and compressed files.
pub fn container(data: &[u8]) {
    let options = Options {
        limits: limits(),
        ..Options::default()
    };
    file(data, &options);
}
