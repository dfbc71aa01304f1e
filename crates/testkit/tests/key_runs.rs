//! Key runs against a slow twin that reads every file with the reader of all files and groups with maps.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::Mutex;

use quanfu::formats::{Options, read_all};
use quanfu::recon::kernel::Scratch;
use quanfu::settlement::RefRole;
use quanfu::settlement::groups::GroupsDoc;
use quanfu::{KeyRun, Profile, Rules};

fn repo(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(path);
    match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) => panic!("{}: {error}", path.display()),
    }
}

fn profile(name: &str) -> Profile {
    let text = repo(&format!("benches/profiles/base-{name}.toml"));
    Profile::parse(&text).expect("a profile of ours")
}

/// Scratch space in memory.
#[derive(Default)]
struct Heap(Mutex<Vec<u8>>);

impl Scratch for Heap {
    fn reserve(&self, bytes: u64) -> io::Result<u64> {
        let mut heap = self.0.lock().expect("no thread panics");
        let at = heap.len();
        heap.resize(at + bytes as usize, 0);
        Ok(at as u64)
    }
    fn write(&self, at: u64, bytes: &[u8]) -> io::Result<()> {
        let mut heap = self.0.lock().expect("no thread panics");
        heap[at as usize..][..bytes.len()].copy_from_slice(bytes);
        Ok(())
    }
    fn read(&self, at: u64, out: &mut [u8]) -> io::Result<()> {
        let heap = self.0.lock().expect("no thread panics");
        out.copy_from_slice(&heap[at as usize..][..out.len()]);
        Ok(())
    }
}

/// How a run is made; nothing of it may show.
#[derive(Clone, Copy, Debug)]
struct How {
    threads: usize,
    memory: Option<u64>,
    expecting: u64,
}

const PLAIN: How = How {
    threads: 1,
    memory: None,
    expecting: 0,
};

fn run(institution: &[&[u8]], bank: &[&[u8]], how: How) -> (String, GroupsDoc) {
    let heap = Heap::default();
    let rules = Rules::parse(&repo("benches/base-pass.toml")).expect("rules of ours");
    let mut run = KeyRun::new(rules)
        .profile(profile("institution"))
        .profile(profile("bank"))
        .threads(how.threads)
        .expecting(how.expecting);
    if let Some(bytes) = how.memory {
        run = run.memory(bytes, &heap);
    }
    for (source, files) in [("inst", institution), ("bank", bank)] {
        for (index, file) in files.iter().enumerate() {
            run = run.file(source, &format!("{source}-{index}.csv"), *file);
        }
    }
    let mut list = Vec::new();
    let done = run.run(&mut |lines| {
        list.extend_from_slice(lines);
        Ok(())
    });
    let doc = done.expect("the files can be read").doc;
    if how.memory.is_some() && how.threads == 1 && list.len() > 4_000_000 {
        assert!(!heap.0.into_inner().expect("no thread panics").is_empty());
    }
    (String::from_utf8(list).expect("the list is text"), doc)
}

fn key(text: &str, prefix: &str) -> String {
    let text = text
        .strip_prefix(prefix)
        .unwrap_or(text)
        .to_ascii_uppercase();
    let rest = text.trim_start_matches('0');
    match rest {
        "" if !text.is_empty() => "0".to_owned(),
        rest => rest.to_owned(),
    }
}

#[derive(Default)]
struct Group {
    rows: [u64; 2],
    sums: [i128; 2],
    names: [Option<String>; 2],
}

/// The lines of the list in no order, and the rejected records as `source:line:column:code`.
fn twin(files: [&[&[u8]]; 2]) -> (Vec<String>, Vec<String>) {
    let (mut groups, mut lines, mut rejected) = (BTreeMap::new(), Vec::new(), Vec::new());
    let quoted = |cell: &str| {
        if cell.contains([',', '"', '\n', '\r']) {
            format!("\"{}\"", cell.replace('"', "\"\""))
        } else {
            cell.to_owned()
        }
    };
    for (side, (source, prefix, role)) in [
        ("institution", "qf", RefRole::Transaction),
        ("bank", "ICBC/", RefRole::Bank),
    ]
    .into_iter()
    .enumerate()
    {
        let profile = profile(source);
        let options = Options {
            profile: Some(&profile),
            ..Options::default()
        };
        for file in files[side] {
            let reading = read_all(source, *file, &options).expect("the files can be read");
            for file in reading.files {
                for why in &file.rejected {
                    rejected.push(format!("{side}:{}:{}:{}", why.line, why.column, why.code));
                }
                for entry in file
                    .statements
                    .iter()
                    .flat_map(|statement| &statement.entries)
                {
                    let money = entry.money().expect("CSV entries have money");
                    let own = |role| entry.references.get(role).unwrap_or_default();
                    let long = [own(role), own(RefRole::Institution)];
                    if long.iter().any(|text| text.len() > 1024) {
                        rejected.push(format!("{side}:{}:0:field-too-long", entry.at.line));
                        continue;
                    }
                    let key = key(own(RefRole::Institution), prefix);
                    let amount = money.amount_text();
                    if key.is_empty() {
                        let name = quoted(own(role));
                        let (names, counts, amounts) = if side == 0 {
                            (format!("{name},"), "1,0", format!("{amount},"))
                        } else {
                            (format!(",{name}"), "0,1", format!(",{amount}"))
                        };
                        lines.push(format!(
                            "no_ref,,{},{names},{counts},{amounts}",
                            money.currency()
                        ));
                        continue;
                    }
                    let group: &mut Group = groups.entry((key, money.currency())).or_default();
                    group.rows[side] += 1;
                    group.sums[side] += i128::from(money.minor());
                    let name = &mut group.names[side];
                    if name.as_deref().is_none_or(|least| own(role) < least) {
                        *name = Some(own(role).to_owned());
                    }
                }
            }
        }
    }
    for ((key, currency), group) in groups {
        let class = match group.rows {
            [left, right] if left > 1 || right > 1 => "duplicate",
            [_, 0] => "inst_only",
            [0, _] => "bank_only",
            _ if group.sums[0] == group.sums[1] => "matched",
            _ => "amount_diff",
        };
        let amounts = [0, 1].map(|side| {
            let sum = quanfu::money::MoneySum::from_minor(group.sums[side], currency);
            if group.rows[side] == 0 {
                String::new()
            } else {
                sum.amount_text()
            }
        });
        let [left, right] = group.names.map(|name| quoted(&name.unwrap_or_default()));
        lines.push(format!(
            "{class},{},{currency},{left},{right},{},{},{},{}",
            quoted(&key),
            group.rows[0],
            group.rows[1],
            amounts[0],
            amounts[1]
        ));
    }
    lines.sort();
    (lines, rejected)
}

fn check(institution: &[&[u8]], bank: &[&[u8]], hows: &[How]) {
    let (list, doc) = run(institution, bank, PLAIN);
    let (header, body) = list.split_once('\n').expect("a list has a header");
    assert_eq!(
        header,
        "class,key,currency,payment_id,bank_serial,ni,nb,inst_amount,bank_amount"
    );
    let mut lines: Vec<String> = records(body);
    lines.sort();
    let (want, want_rejected) = twin([institution, bank]);
    for (index, (line, want)) in lines.iter().zip(&want).enumerate() {
        assert_eq!(line, want, "line {index} in order of text");
    }
    assert_eq!(lines.len(), want.len());
    let rejected: Vec<String> = doc
        .rejected
        .iter()
        .map(|why| {
            format!(
                "{}:{}:{}:{}",
                usize::from(why.source == "bank"),
                why.line,
                why.column,
                why.code
            )
        })
        .collect();
    let (mut found, mut wanted) = (rejected.clone(), want_rejected);
    found.sort();
    wanted.sort();
    let mut pairs = found.iter().zip(&wanted);
    assert_eq!(pairs.find(|(found, wanted)| found != wanted), None);
    assert_eq!(
        found.len(),
        wanted.len(),
        "{:?} {:?}",
        found.last(),
        wanted.last()
    );
    let rows: u64 = doc
        .certificate
        .buckets
        .iter()
        .flat_map(|bucket| bucket.rows)
        .sum();
    let records: u64 = doc
        .certificate
        .inputs
        .iter()
        .map(|input| input.records)
        .sum();
    assert_eq!(rows + rejected.len() as u64, records, "no row is lost");
    let bytes: u64 = doc
        .certificate
        .buckets
        .iter()
        .map(|bucket| bucket.bytes)
        .sum();
    assert_eq!(bytes, body.len() as u64);
    for &how in hows {
        let (again, other) = run(institution, bank, how);
        assert!(again == list, "{how:?} changed the list");
        assert_eq!(other.to_json(), doc.to_json(), "{how:?}");
    }
}

/// Lines of a list; a cell may hold a line end.
fn records(body: &str) -> Vec<String> {
    let mut records: Vec<String> = Vec::new();
    let mut open = false;
    for line in body.lines() {
        match records.last_mut() {
            Some(last) if open => {
                last.push('\n');
                last.push_str(line);
            }
            _ => records.push(line.to_owned()),
        }
        open ^= line.matches('"').count() % 2 == 1;
    }
    records
}

/// Numbers from a seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % below
    }

    fn pick<'t>(&mut self, of: &[&'t str]) -> &'t str {
        of[self.roll(of.len())]
    }
}

const LONG: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// A file with common and uncommon records; `odd` out of a hundred are uncommon.
fn file(dice: &mut Dice, is_bank: bool, rows: usize, keys: usize, odd: usize) -> Vec<u8> {
    let end = dice.pick(&["\n", "\n", "\r\n", "\r"]);
    let mut text = if is_bank {
        "bank_serial,channel_ref,value_date,currency,amount,direction,remark".to_owned()
    } else {
        "payment_id,merchant_order_id,channel_ref,completed_at,currency,gross_amount,fee,net_amount,status,merchant_id"
            .to_owned()
    };
    text.push_str(end);
    let mut bytes = Vec::new();
    for row in 0..rows {
        let is_odd = dice.roll(100) < odd;
        let odd = |dice: &mut Dice, common: String, of: &[&str]| {
            if is_odd && dice.roll(3) == 0 {
                dice.pick(of).to_owned()
            } else {
                common
            }
        };
        let number = dice.roll(keys) * 7_919;
        let key = if dice.roll(40) == 0 {
            String::new()
        } else {
            format!("{number:x}")
        };
        let long = LONG.repeat(dice.roll(40));
        let prefix = if is_bank { "ICBC/000" } else { "qf" };
        let key = odd(
            dice,
            format!("{prefix}{key}"),
            &[
                "",
                "qf",
                "ICBC/000",
                "0",
                "\"a,b\"",
                "\"x\"\"y\"",
                " pad ",
                "é中",
                &long,
            ],
        );
        let currency = odd(
            dice,
            dice_currency(number).to_owned(),
            &["CNH", "XXX", "", "usd", "\"CNY\"", "DEM"],
        );
        let amount = format!("{}.{:02}", dice.roll(5_000), dice.roll(100));
        let amount = if currency == "JPY" {
            dice.roll(9_999).to_string()
        } else {
            amount
        };
        let amount = odd(
            dice,
            amount,
            &[
                "",
                "1.234",
                "-5.00",
                "+5",
                "99999999999999999999",
                "1,5",
                "5.00000",
                "007.10",
                "0",
                "x",
            ],
        );
        let serial = format!("{}{row:07}", if is_bank { "B" } else { "P" });
        let serial = odd(
            dice,
            serial,
            &["", "\"S,1\"", "P1", &long, "\"two\nlines\""],
        );
        let line = if is_bank {
            let day = format!("2026-03-{:02}", 1 + dice.roll(28));
            let day = odd(dice, day, &["2026-02-30", "", "26-3-1", " 2026-03-01"]);
            let way = odd(
                dice,
                dice_way(dice_number(number)).to_owned(),
                &["c", "", "\"D\""],
            );
            let remark = odd(
                dice,
                "跨境收款 M0000001".to_owned(),
                &["\"a, b\"", "\"open", "5\" pipe", ",,", "\"x\r\ny\"", ""],
            );
            format!("{serial},{key},{day},{currency},{amount},{way},{remark}")
        } else {
            let time = format!(
                "2026-03-{:02}T{:02}:{:02}:59+08:00",
                1 + dice.roll(28),
                dice.roll(24),
                dice.roll(60)
            );
            let time = odd(
                dice,
                time,
                &[
                    "2026-03-02T24:00:00+08:00",
                    "2026-13-01T00:00:00Z",
                    "",
                    "2026-03-02",
                    "2026-03-02T10:00:00Z",
                ],
            );
            let status = odd(
                dice,
                if dice_number(number).is_multiple_of(50) {
                    "REFUND"
                } else {
                    "SUCCESS"
                }
                .to_owned(),
                &["FAILED", "", "\"SUCCESS\""],
            );
            format!("{serial},O{row},{key},{time},{currency},{amount},0.10,1.00,{status},M0000001")
        };
        text.push_str(&odd(
            dice,
            line,
            &["", "  ", ",,,", "a,b", "\"", "1,2,3,4,5,6,7,8,9,10,11,12"],
        ));
        text.push_str(if is_odd && dice.roll(30) == 0 {
            "\r"
        } else {
            end
        });
        bytes.extend_from_slice(text.as_bytes());
        text.clear();
        if is_odd && dice.roll(200) == 0 {
            bytes.extend_from_slice(b"\xFF\xFE,bad");
            bytes.extend_from_slice(end.as_bytes());
        }
    }
    if dice.roll(2) == 0 {
        bytes.truncate(bytes.len() - dice.roll(end.len() + 1));
    }
    bytes
}

fn dice_currency(number: usize) -> &'static str {
    ["CNY", "USD", "JPY", "KWD", "EUR"][number % 5]
}

fn dice_number(number: usize) -> usize {
    number / 7
}

fn dice_way(number: usize) -> &'static str {
    if number.is_multiple_of(50) { "D" } else { "C" }
}

const HOWS: &[How] = &[
    How {
        threads: 2,
        memory: None,
        expecting: 1 << 40,
    },
    How {
        threads: 8,
        memory: Some(400_000),
        expecting: 0,
    },
    How {
        threads: 1,
        memory: Some(400_000),
        expecting: 0,
    },
];

#[test]
fn small_files_of_any_shape_agree_with_the_slow_twin() {
    for seed in 1..=300 {
        let mut dice = Dice(0x9E37_79B9_7F4A_7C15u64.wrapping_mul(seed));
        let (rows, keys, odd) = (1 + dice.roll(40), 1 + dice.roll(30), dice.roll(100));
        let institution = file(&mut dice, false, rows, keys, odd);
        let bank = file(&mut dice, true, rows + 2, keys, odd);
        check(&[&institution], &[&bank], HOWS);
    }
}

#[test]
fn files_of_many_blocks_agree_with_the_slow_twin_on_any_threads_and_memory() {
    for (seed, odd) in [(1, 0), (2, 1), (3, 20)] {
        let mut dice = Dice(0x2545_F491_4F6C_DD1Du64.wrapping_mul(seed));
        let first = file(&mut dice, false, 9_000, 30_000, odd);
        let second = file(&mut dice, false, 9_000, 30_000, odd);
        let bank = file(&mut dice, true, 18_000, 30_000, odd);
        check(&[&first, &second], &[&bank], HOWS);
    }
}

/// Institution's and bank's rows whose keys and amounts somebody chose to be a burden.
fn burden(rows: usize, key: impl Fn(usize) -> String) -> [Vec<u8>; 2] {
    let mut institution =
        "payment_id,channel_ref,completed_at,currency,gross_amount,status\n".to_owned();
    let mut bank = "bank_serial,channel_ref,value_date,currency,amount,direction\n".to_owned();
    for row in 0..rows {
        let key = key(row);
        institution += &format!("P{row},qf{key},2026-03-02T10:00:00+08:00,CNY,5.00,SUCCESS\n");
        bank += &format!("B{row},ICBC/{key},2026-03-02,CNY,5.00,C\n");
    }
    [institution.into_bytes(), bank.into_bytes()]
}

#[test]
fn drawers_too_big_for_memory_are_settled_in_parts() {
    let same = burden(30_000, |_| "1A2B3C4D5E6F".to_owned());
    let few = burden(30_000, |row| format!("{:X}", 0xABCD_EF01 + row % 7));
    let none = burden(20_000, |_| String::new());
    let some = burden(40_000, |row| {
        format!("{:X}", 0x1234_5678_u64 + row as u64 * 3)
    });
    let twice = burden(30_000, |row| format!("{:X}", 0x9999_0000 + row / 2));
    for [institution, bank] in [same, few, none, some, twice] {
        check(&[&institution], &[&bank], HOWS);
    }
}

#[test]
fn the_bench_files_agree_with_the_slow_twin() {
    let Some(folder) = std::env::var_os("QUANFU_BENCH_DIR") else {
        println!("skipped: QUANFU_BENCH_DIR names no folder of the bench generator");
        return;
    };
    let read =
        |name: &str| std::fs::read(Path::new(&folder).join(name)).expect("a file of the generator");
    check(&[&read("institution.csv")], &[&read("bank.csv")], HOWS);
}
