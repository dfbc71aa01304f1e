//! Key runs: every row read again, grouped in a map, and compared with the list and the totals.

use std::collections::{BTreeMap, HashMap};
use std::io::{BufReader, Read};
use std::ops::ControlFlow;

use quanfu_formats::Options;
use quanfu_money::{Currency, MoneySum};
use quanfu_settlement::groups::{GroupsDoc, RejectedRecord, SCHEMA};
use quanfu_settlement::result::{Input, SourceSummary, Total};
use quanfu_settlement::rules::{Field, MatchRule, SourceRole};
use quanfu_settlement::{
    Digest, DigestAlg, Entry, FileHead, Finding, Hasher, Limits, PassKind, Profile, RefRole,
    Rejected, Rules, Side, Sink, SourceFile, StatementHead, StatementTail,
};

use crate::key::normalised;
use crate::{Candidate, Checked, Fault, Missing, Stop, VerifyError};

/// How the document of a key run begins.
pub(crate) const BEGINS: &str = "{\n  \"schema\": \"quanfu.groups/";

/// How a list of groups begins.
const LIST: &[u8] = b"class,key,currency,";

/// The longest reference that a key run takes.
const LONGEST: usize = 1024;

#[derive(Default)]
struct Group {
    rows: [u64; 2],
    sums: [i128; 2],
    names: [Option<String>; 2],
}

/// All rows, grouped.
#[derive(Default)]
struct Grouped {
    groups: BTreeMap<(String, Currency), Group>,
    /// Rows without a key: side, name, currency, amount; and how many there are.
    keyless: BTreeMap<(usize, String, Currency, i64), u64>,
}

/// Takes the rows of one file.
struct Intake<'g> {
    grouped: &'g mut Grouped,
    rule: &'g MatchRule,
    side: Side,
    name: RefRole,
    totals: &'g mut BTreeMap<Currency, (u64, i128)>,
    rejected: Vec<Rejected>,
    failed_proofs: usize,
    /// Each file or archive member with its rejected records.
    files: Vec<(SourceFile, Vec<Rejected>)>,
}

impl Intake<'_> {
    /// The key's texts joined by a blank; `None` if a part is missing. The error names a reference that is too long.
    fn key(&self, entry: &Entry<'_>) -> Result<Option<String>, (RefRole, usize)> {
        let mut key = Some(String::new());
        for on in &self.rule.on {
            let (field, steps) = match self.side {
                Side::Left => (&on.left, &on.left_normalise),
                Side::Right => (&on.right, &on.right_normalise),
            };
            let Field::Reference(role) = field else {
                continue;
            };
            let text = entry.references.get(*role).unwrap_or_default();
            if text.len() > LONGEST {
                return Err((*role, text.len()));
            }
            let part = normalised(text.to_owned(), steps);
            key = match (key, part) {
                (Some(key), Some(part)) if key.is_empty() => Some(part),
                (Some(key), Some(part)) => Some(format!("{key} {part}")),
                _ => None,
            };
        }
        match entry.references.get(self.name) {
            Some(name) if name.len() > LONGEST => Err((self.name, name.len())),
            _ => Ok(key),
        }
    }
}

impl Sink for Intake<'_> {
    fn begin_file(&mut self, _: &FileHead) {}
    fn begin_statement(&mut self, _: &StatementHead) {}
    fn entry(&mut self, entry: Entry<'_>, raw: &[u8]) -> ControlFlow<()> {
        let refused = |code, field: &'static str, message: String| Rejected {
            code,
            at: entry.at,
            line: entry.at.line,
            column: 0,
            field: field.into(),
            message,
        };
        let Some(money) = entry.money() else {
            let why = "the record tells no currency, so its amount cannot be summed".to_owned();
            return self.rejected(refused("currency-missing", "currency", why), raw);
        };
        let key = match self.key(&entry) {
            Ok(key) => key,
            Err((role, length)) => {
                let why = format!("{length} bytes; the limit is {LONGEST}");
                return self.rejected(refused("field-too-long", role.code(), why), raw);
            }
        };
        let name = entry.references.get(self.name).unwrap_or_default();
        let (side, currency) = (self.side as usize, money.currency());
        match key {
            None => {
                let row = (side, name.to_owned(), currency, money.minor());
                *self.grouped.keyless.entry(row).or_default() += 1;
            }
            Some(key) => {
                let group = self.grouped.groups.entry((key, currency)).or_default();
                group.rows[side] += 1;
                group.sums[side] += i128::from(money.minor());
                let least = &mut group.names[side];
                if least.as_deref().is_none_or(|least| name < least) {
                    *least = Some(name.to_owned());
                }
            }
        }
        let total = self.totals.entry(currency).or_default();
        total.0 += 1;
        total.1 += i128::from(money.minor());
        ControlFlow::Continue(())
    }
    fn rejected(&mut self, rejected: Rejected, _: &[u8]) -> ControlFlow<()> {
        self.rejected.push(rejected);
        ControlFlow::Continue(())
    }
    fn finding(&mut self, _: Finding) {}
    fn end_statement(&mut self, tail: &StatementTail) {
        self.failed_proofs += tail.proofs.iter().filter(|proof| proof.fails()).count();
    }
    fn end_file(&mut self, file: &SourceFile) {
        self.failed_proofs += file.proofs.iter().filter(|proof| proof.fails()).count();
        let mut refused = std::mem::take(&mut self.rejected);
        refused.sort_by_key(|why| why.at.byte);
        self.files.push((file.clone(), refused));
    }
}

pub(crate) fn check(text: &str, files: &[Candidate<'_>], limits: &Limits) -> Result<Checked, Stop> {
    let doc = GroupsDoc::from_json(text)
        .map_err(|error| Fault::new("verify-document", "document", error.to_string()))?;
    let (rules, profiles) = check_document(text, &doc)?;
    let [edge] = rules.edges.as_slice() else {
        return Err(wrong(
            "rules_document",
            "the rules have one edge",
            "another number",
        )
        .into());
    };
    let mut keyed = edge.rules.iter();
    let rule = keyed.find(|rule| rule.pass == PassKind::UniqueKey);
    let Some(rule) = rule.filter(|rule| rule.id == doc.rule && edge.name == doc.edge) else {
        return Err(wrong(
            "rule",
            "the first rule with unique_key on the edge",
            &doc.rule,
        )
        .into());
    };
    let (inputs, list) = find(files, &doc)?;

    let mut grouped = Grouped::default();
    let mut sums = [BTreeMap::new(), BTreeMap::new()];
    let mut rejected = Vec::new();
    let mut trusted = true;
    let mut told = doc.certificate.inputs.iter();
    let mut read: Vec<(usize, &str)> = Vec::new();
    for (input, index) in doc.certificate.inputs.iter().zip(inputs) {
        // An archive has an input for each member and is read once.
        if read.contains(&(index, input.source.as_str())) {
            continue;
        }
        read.push((index, &input.source));
        let side = [(edge.left, Side::Left), (edge.right, Side::Right)];
        let side = side
            .into_iter()
            .find(|(source, _)| rules.sources[*source].name == input.source);
        let Some((source, side)) = side else {
            return Err(wrong("certificate.inputs", "a source of the edge", &input.source).into());
        };
        let source = &rules.sources[source];
        let profile =
            match &source.profile {
                None => None,
                Some(name) => {
                    let mut known = profiles.iter().chain(quanfu_formats::shipped_profiles());
                    let found = known.find(|profile| profile.name == *name);
                    Some(found.ok_or_else(|| {
                        wrong("profiles", "the profile is embedded or shipped", name)
                    })?)
                }
            };
        let options = Options {
            strict: false,
            profile,
            profiles: &profiles,
            limits: limits.clone(),
            digest: input.digest.alg,
        };
        let mut intake = Intake {
            grouped: &mut grouped,
            rule,
            side,
            name: name_role(source.role),
            totals: &mut sums[side as usize],
            rejected: Vec::new(),
            failed_proofs: 0,
            files: Vec::new(),
        };
        let opened = (files[index].open)().map_err(io(&files[index]))?;
        let place = format!("input {}", input.file);
        quanfu_formats::read(&input.file, opened, &options, &mut intake)
            .map_err(|error| Fault::new("verify-input", &place, error.to_string()))?;
        trusted &= intake.failed_proofs == 0;
        for (file, refused) in intake.files {
            trusted &= refused.is_empty();
            let Some(told) = told.next() else {
                let message = "the files hold more members than the document names";
                return Err(Fault::new("verify-input", place, message).into());
            };
            let must = Input {
                source: input.source.clone(),
                file: told.file.clone(),
                format: file.format,
                encoding: file.encoding,
                bytes: file.bytes,
                digest: input.digest,
                identity: file.identity,
                records: file.records,
                entries: file.records - refused.len() as u64,
                rejected: refused.len() as u64,
            };
            if *told != must {
                let message = format!("found {told:?}; the file gives {must:?}");
                return Err(Fault::new("verify-input", place, message).into());
            }
            rejected.extend(refused.into_iter().map(|why| RejectedRecord {
                source: input.source.clone(),
                file: told.file.clone(),
                line: why.line,
                column: why.column,
                field: why.field.into_owned(),
                code: why.code.to_owned(),
                message: why.message,
            }));
        }
    }
    if told.next().is_some() || doc.rejected != rejected {
        let message = "not the rejected records that the files give, in their order";
        return Err(Fault::new("verify-input", "rejected", message).into());
    }
    if doc.trusted != trusted {
        return Err(wrong("trusted", &trusted.to_string(), &doc.trusted.to_string()).into());
    }
    let names = [edge.left, edge.right].map(|source| rules.sources[source].name.as_str());
    check_header(
        &doc.certificate.header,
        &rules,
        [edge.left, edge.right],
        &profiles,
    )?;
    check_sources(&doc, &rules, [edge.left, edge.right], &sums)?;
    let (mut wanted, groups) = lines(&grouped, names);
    check_totals(&doc, &grouped, names)?;
    let records = doc
        .certificate
        .inputs
        .iter()
        .map(|input| input.records)
        .sum();
    let lines = check_list(&doc, &files[list], &mut wanted)?;
    Ok(Checked {
        files: doc.certificate.inputs.len() as u64,
        records,
        lines,
        groups,
        open_positions: 0,
    })
}

fn wrong(place: &str, must: &str, found: &str) -> Fault {
    Fault::new(
        "verify-document",
        place,
        format!("found {found}; must be: {must}"),
    )
}

fn io<'c>(file: &'c Candidate<'_>) -> impl Fn(std::io::Error) -> Stop + use<'c> {
    let name = file.name.clone();
    move |source| {
        Stop::Io(VerifyError {
            file: name.clone(),
            source,
        })
    }
}

/// What the document says of itself; its rules and profiles.
fn check_document(text: &str, doc: &GroupsDoc) -> Result<(Rules, Vec<Profile>), Fault> {
    if doc.schema != SCHEMA {
        return Err(wrong("schema", SCHEMA, &doc.schema));
    }
    if doc.to_json() != text {
        return Err(wrong("document", "bytes as a key run is written", "others"));
    }
    let body = doc.body_digest();
    if body != doc.certificate.body {
        let message = format!("found {}; the document gives {body}", doc.certificate.body);
        return Err(Fault::new("verify-body", "certificate.body", message));
    }
    for embedded in [&doc.rules_document].into_iter().chain(&doc.profiles) {
        let digest = Digest::of(DigestAlg::Sha256, embedded.text.as_bytes());
        if digest != embedded.digest {
            let message = format!("digest {}; the text gives {digest}", embedded.digest);
            return Err(Fault::new("verify-embedded", &embedded.name, message));
        }
    }
    let embedded = |place: &str, error: String| Fault::new("verify-embedded", place, error);
    let rules = Rules::parse(&doc.rules_document.text)
        .map_err(|error| embedded("rules_document", error.to_string()))?;
    let mut profiles = Vec::new();
    for document in &doc.profiles {
        let profile = Profile::parse(&document.text)
            .map_err(|error| embedded(&document.name, error.to_string()))?;
        if profile.name != document.name {
            return Err(wrong("profiles.name", &profile.name, &document.name));
        }
        profiles.push(profile);
    }
    if rules.name != doc.rules_document.name {
        return Err(wrong(
            "rules_document.name",
            &rules.name,
            &doc.rules_document.name,
        ));
    }
    let mut hasher = Hasher::new(doc.certificate.groups_digest.alg);
    for bucket in &doc.certificate.buckets {
        hasher.update(&bucket.digest.bytes);
    }
    let digest = hasher.finish();
    if digest != doc.certificate.groups_digest {
        return Err(wrong(
            "certificate.groups_digest",
            &digest.to_string(),
            &doc.certificate.groups_digest.to_string(),
        ));
    }
    Ok((rules, profiles))
}

/// For each input the index of its file, and the index of the list.
fn find(files: &[Candidate<'_>], doc: &GroupsDoc) -> Result<(Vec<usize>, usize), Stop> {
    let (mut digests, mut list) = (Vec::new(), None);
    for (index, file) in files.iter().enumerate() {
        for alg in [DigestAlg::Blake3, DigestAlg::Sha256] {
            if doc
                .certificate
                .inputs
                .iter()
                .any(|input| input.digest.alg == alg)
            {
                digests.push((file.digest(alg).map_err(io(file))?, index));
            }
        }
        let mut first = Vec::new();
        let opened = (file.open)().map_err(io(file))?;
        opened
            .take(LIST.len() as u64)
            .read_to_end(&mut first)
            .map_err(io(file))?;
        if first == LIST {
            list = Some(index);
        }
    }
    let (mut inputs, mut missing) = (Vec::new(), Vec::new());
    for input in &doc.certificate.inputs {
        match digests.iter().find(|(digest, _)| *digest == input.digest) {
            Some((_, index)) => inputs.push(*index),
            None => missing.push(Missing {
                what: "input",
                name: input.file.clone(),
                digest: Some(input.digest),
            }),
        }
    }
    match list {
        Some(list) if missing.is_empty() => Ok((inputs, list)),
        Some(_) => Err(Stop::Missing(missing)),
        None => {
            missing.push(Missing {
                what: "list of groups",
                name: String::new(),
                digest: None,
            });
            Err(Stop::Missing(missing))
        }
    }
}

fn class(group: &Group, names: [&str; 2]) -> String {
    match group.rows {
        [left, right] if left > 1 || right > 1 => "duplicate".to_owned(),
        [_, 0] => format!("{}_only", names[0]),
        [0, _] => format!("{}_only", names[1]),
        _ if group.sums[0] == group.sums[1] => "matched".to_owned(),
        _ => "amount_diff".to_owned(),
    }
}

fn cell(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

fn amount(sum: i128, currency: Currency) -> String {
    MoneySum::from_minor(sum, currency).amount_text()
}

/// Lines, how many of each there must be, and how many rows of each side one of them stands for.
type Wanted = HashMap<String, (u64, [u64; 2])>;

/// The lines that the list must have, with how many of each, and how many groups there are.
fn lines(grouped: &Grouped, names: [&str; 2]) -> (Wanted, u64) {
    let mut lines = Wanted::new();
    for ((key, currency), group) in &grouped.groups {
        let side = |side: usize| match group.rows[side] {
            0 => String::new(),
            _ => amount(group.sums[side], *currency),
        };
        let name = |side: usize| cell(group.names[side].as_deref().unwrap_or_default());
        let line = format!(
            "{},{},{currency},{},{},{},{},{},{}\n",
            class(group, names),
            cell(key),
            name(0),
            name(1),
            group.rows[0],
            group.rows[1],
            side(0),
            side(1)
        );
        lines.entry(line).or_insert((0, group.rows)).0 += 1;
    }
    let mut groups = grouped.groups.len() as u64;
    for ((side, name, currency, minor), count) in &grouped.keyless {
        let (name, amount) = (cell(name), amount(i128::from(*minor), *currency));
        let line = match side {
            0 => format!("no_ref,,{currency},{name},,1,0,{amount},\n"),
            _ => format!("no_ref,,{currency},,{name},0,1,,{amount}\n"),
        };
        let rows = if *side == 0 { [1, 0] } else { [0, 1] };
        lines.entry(line).or_insert((0, rows)).0 += count;
        groups += count;
    }
    (lines, groups)
}

/// The role under which a source names its own records.
fn name_role(role: SourceRole) -> RefRole {
    match role {
        SourceRole::Order => RefRole::Order,
        SourceRole::Institution => RefRole::Transaction,
        SourceRole::Bank => RefRole::Bank,
    }
}

/// The list's first line: the names of the records are called as the role or as a word of the profile.
fn check_header(
    header: &str,
    rules: &Rules,
    sources: [usize; 2],
    profiles: &[Profile],
) -> Result<(), Fault> {
    let cells: Vec<&str> = header.trim_end_matches('\n').split(',').collect();
    let names = sources.map(|source| rules.sources[source].name.as_str());
    let letters = names.map(|name| name.chars().next().unwrap_or('n').to_string());
    let counts = if letters[0] == letters[1] {
        names.map(|name| format!("n_{name}"))
    } else {
        letters.map(|letter| format!("n{letter}"))
    };
    let amounts = names.map(|name| format!("{name}_amount"));
    let is_called = |cell: &str, source: usize| {
        let source = &rules.sources[source];
        let role = name_role(source.role);
        let mut known = profiles.iter().chain(quanfu_formats::shipped_profiles());
        let profile = known.find(|profile| Some(&profile.name) == source.profile.as_ref());
        let columns = profile.into_iter().flat_map(|profile| &profile.references);
        let mut words = columns
            .filter(|(of, _)| *of == role)
            .flat_map(|(_, column)| &column.names);
        cell == role.code() || words.any(|word| word == cell)
    };
    let holds = match cells.as_slice() {
        [
            class,
            key,
            currency,
            left,
            right,
            n_left,
            n_right,
            a_left,
            a_right,
        ] => {
            [*class, *key, *currency] == ["class", "key", "currency"]
                && is_called(left, sources[0])
                && is_called(right, sources[1])
                && [*n_left, *n_right] == [counts[0].as_str(), &counts[1]]
                && [*a_left, *a_right] == [amounts[0].as_str(), &amounts[1]]
                && header.ends_with('\n')
        }
        _ => false,
    };
    if holds {
        Ok(())
    } else {
        Err(wrong(
            "certificate.header",
            "the columns of a list of these sources",
            header,
        ))
    }
}

fn check_sources(
    doc: &GroupsDoc,
    rules: &Rules,
    sources: [usize; 2],
    sums: &[BTreeMap<Currency, (u64, i128)>; 2],
) -> Result<(), Fault> {
    for (side, index) in sources.into_iter().enumerate() {
        let source = &rules.sources[index];
        let inputs = || {
            let inputs = doc.certificate.inputs.iter();
            inputs.filter(|input| input.source == source.name)
        };
        let mut totals: Vec<Total> = sums[side]
            .iter()
            .map(|(&currency, &(count, sum))| Total {
                currency,
                count,
                sum: amount(sum, currency),
            })
            .collect();
        totals.sort_by(|a, b| a.currency.code().cmp(b.currency.code()));
        let must = SourceSummary {
            name: source.name.clone(),
            role: source.role,
            records: inputs().map(|input| input.records).sum(),
            entries: inputs().map(|input| input.entries).sum(),
            rejected: inputs().map(|input| input.rejected).sum(),
            carried_in: 0,
            totals,
        };
        if doc.sources.get(side) != Some(&must) || doc.sources.len() != 2 {
            let message = "counts or sums are not those of the files";
            return Err(Fault::new(
                "verify-totals",
                format!("source {}", source.name),
                message,
            ));
        }
    }
    Ok(())
}

fn check_totals(doc: &GroupsDoc, grouped: &Grouped, names: [&str; 2]) -> Result<(), Fault> {
    let mut must: BTreeMap<(String, String), (u64, i128, i128, Currency)> = BTreeMap::new();
    let mut add = |class: String, currency: Currency, groups: u64, sums: [i128; 2]| {
        let total = must.entry((class, currency.code().to_owned()));
        let total = total.or_insert((0, 0, 0, currency));
        total.0 += groups;
        total.1 += sums[0];
        total.2 += sums[1];
    };
    for ((_, currency), group) in &grouped.groups {
        add(class(group, names), *currency, 1, group.sums);
    }
    for ((side, _, currency, minor), &count) in &grouped.keyless {
        let mut sums = [0; 2];
        sums[*side] = i128::from(*minor) * i128::from(count);
        add("no_ref".to_owned(), *currency, count, sums);
    }
    let must: Vec<_> = must
        .into_iter()
        .map(|((class, _), (groups, left, right, currency))| {
            (
                class,
                currency,
                groups,
                amount(left, currency),
                amount(right, currency),
            )
        })
        .collect();
    let told: Vec<_> = doc
        .totals
        .iter()
        .map(|total| {
            let (left, right) = (total.left.clone(), total.right.clone());
            (
                total.class.clone(),
                total.currency,
                total.groups,
                left,
                right,
            )
        })
        .collect();
    let first = told.iter().zip(&must).find(|(told, must)| told != must);
    match first {
        Some((told, must)) => {
            let message = format!("found {told:?}; the files give {must:?}");
            Err(Fault::new("verify-totals", "totals", message))
        }
        None if told.len() != must.len() => {
            let message = format!("found {} lines; the files give {}", told.len(), must.len());
            Err(Fault::new("verify-totals", "totals", message))
        }
        None => Ok(()),
    }
}

/// Reads the list bucket by bucket: digests, counts, and every line among those that must be.
fn check_list(doc: &GroupsDoc, list: &Candidate<'_>, wanted: &mut Wanted) -> Result<u64, Stop> {
    let mut reader = BufReader::new((list.open)().map_err(io(list))?);
    let mut header = Vec::new();
    std::io::BufRead::read_until(&mut reader, b'\n', &mut header).map_err(io(list))?;
    let fault =
        |place: String, message: String| Stop::Fault(Fault::new("verify-list", place, message));
    if header != doc.certificate.header.as_bytes() {
        let message = format!("found {:?}", String::from_utf8_lossy(&header));
        return Err(fault(format!("{}: line 1", list.name), message));
    }
    let (mut seen, mut text) = (0, Vec::new());
    for (index, bucket) in doc.certificate.buckets.iter().enumerate() {
        let place = format!("{}: bucket {index}", list.name);
        text.clear();
        (&mut reader)
            .take(bucket.bytes)
            .read_to_end(&mut text)
            .map_err(io(list))?;
        let digest = Digest::of(bucket.digest.alg, &text);
        if text.len() as u64 != bucket.bytes || digest != bucket.digest {
            let message = format!("digest {digest}; the document says {}", bucket.digest);
            return Err(fault(place, message));
        }
        let text =
            std::str::from_utf8(&text).map_err(|error| fault(place.clone(), error.to_string()))?;
        let (mut lines, mut rows, mut rest) = (0, [0; 2], text);
        while !rest.is_empty() {
            // A quoted cell may hold line ends: a line goes on until its quotes are even.
            let ends = rest.match_indices('\n').map(|(at, _)| at + 1);
            let mut ends = ends.filter(|&end| rest[..end].matches('"').count() % 2 == 0);
            let (line, after) = rest.split_at(ends.next().unwrap_or(rest.len()));
            match wanted.get_mut(line) {
                Some((count, of)) if *count > 0 => {
                    *count -= 1;
                    rows[0] += of[0];
                    rows[1] += of[1];
                }
                _ => {
                    return Err(fault(
                        place,
                        format!("the files do not give the line {line:?}"),
                    ));
                }
            }
            lines += 1;
            rest = after;
        }
        if (lines, rows) != (bucket.lines, bucket.rows) {
            let message = format!(
                "{lines} lines of {rows:?} rows; the document says {} of {:?}",
                bucket.lines, bucket.rows
            );
            return Err(fault(place, message));
        }
        seen += lines;
    }
    let mut after = [0];
    if reader.read(&mut after).map_err(io(list))? > 0 {
        return Err(fault(
            list.name.clone(),
            "there is more behind the last bucket".to_owned(),
        ));
    }
    if let Some((line, _)) = wanted.iter().filter(|(_, (count, _))| *count > 0).min() {
        return Err(fault(
            list.name.clone(),
            format!("the list lacks the line {line:?}"),
        ));
    }
    Ok(seen)
}
