//! Files as delivered: plain, gzip, zip; bombs, lies, odd names. Members are MT or camt text made up here.

use std::io::{self, Cursor, Read, Write as _};
use std::ops::ControlFlow;

use encoding_rs::GB18030;
use flate2::Compression;
use flate2::write::GzEncoder;
use quanfu_formats::{FileError, Options, read, read_all};
use quanfu_settlement::{
    Digest, DigestAlg, Entry, FileHead, Finding, FindingCode, Limits, Reading, Rejected, Severity,
    Sink, SourceFile, StatementHead, StatementTail,
};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

const DAY: &str = include_str!("../testdata/camt/day.xml");

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).expect("in memory");
    encoder.finish().expect("in memory")
}

fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    for (name, bytes) in members {
        if let Some(folder) = name.strip_suffix('/') {
            writer.add_directory(folder, options).expect("in memory");
        } else {
            writer.start_file(*name, options).expect("in memory");
            writer.write_all(bytes).expect("in memory");
        }
    }
    writer.finish().expect("in memory").into_inner()
}

/// Replaces every occurrence of a text of the same length.
fn patched(mut bytes: Vec<u8>, from: &[u8], to: &[u8]) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let places: Vec<usize> = memchr::memmem::find_iter(&bytes, from).collect();
    assert!(!places.is_empty(), "there is something to patch");
    for place in places {
        bytes[place..place + to.len()].copy_from_slice(to);
    }
    bytes
}

fn open(bytes: &[u8]) -> Result<Reading, FileError> {
    read_all("bank.zip", bytes, &Options::default())
}

fn refusal(bytes: &[u8]) -> String {
    let error = open(bytes).expect_err("refused");
    format!("{}: {error}", error.code())
}

#[test]
fn a_file_is_read_the_same_plain_packed_or_in_an_archive() {
    let plain = open(DAY.as_bytes()).expect("plain");
    let two_members = [gzip(&DAY.as_bytes()[..1000]), gzip(&DAY.as_bytes()[1000..])].concat();
    for (name, bytes, label) in [
        ("gzip", gzip(DAY.as_bytes()), "bank.zip"),
        ("gzip of two members", two_members, "bank.zip"),
        (
            "zip",
            zip(&[("folder/", b""), ("folder/day.txt", DAY.as_bytes())]),
            "bank.zip/folder/day.txt",
        ),
    ] {
        let packed = open(&bytes).expect(name);
        assert_eq!(packed.files.len(), 1, "{name}");
        let (got, want) = (&packed.files[0], &plain.files[0]);
        assert_eq!(got.statements, want.statements, "{name}");
        assert_eq!(got.findings, [], "{name}");
        assert_eq!(got.file.name, label, "{name}");
        assert_eq!(
            got.file.digest,
            Digest::of(DigestAlg::Blake3, &bytes),
            "{name}: as delivered"
        );
        assert_eq!(got.file.bytes, bytes.len() as u64, "{name}: as delivered");
        assert_eq!(got.file.identity, want.file.identity, "{name}");
    }
    assert_eq!(
        plain.files[0].file.digest,
        Digest::of(DigestAlg::Blake3, DAY.as_bytes())
    );
    let sha = Options {
        digest: DigestAlg::Sha256,
        ..Options::default()
    };
    let sha = read_all("day", DAY.as_bytes(), &sha).expect("reads");
    assert_eq!(
        sha.files[0].file.digest,
        Digest::of(DigestAlg::Sha256, DAY.as_bytes())
    );
}

#[test]
fn a_member_that_no_format_fits_is_told_and_passed_over() {
    let bytes = zip(&[
        ("summary.txt", b"totals of the day"),
        ("day.xml", DAY.as_bytes()),
        ("empty", b""),
    ]);
    let reading = read_all(
        "a.zip",
        bytes.as_slice(),
        &Options {
            strict: true,
            ..Options::default()
        },
    );
    let files = reading.expect("strict reading passes over it too").files;
    assert_eq!(files.len(), 1);
    let told: Vec<_> = files[0]
        .findings
        .iter()
        .map(|f| (f.severity, f.code, f.message.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            (
                Severity::Info,
                FindingCode::MemberSkipped,
                "summary.txt in the archive was not read: no known format fits; it begins \"totals of the day\""
            ),
            (
                Severity::Info,
                FindingCode::MemberSkipped,
                "empty in the archive was not read: it is empty"
            ),
        ]
    );
    assert_eq!(
        refusal(&zip(&[("a.txt", b"nothing known"), ("b.txt", b" ")])),
        "file-archive: bank.zip: no known format fits a file in the archive: a.txt (no known format fits; it begins \
         \"nothing known\"), b.txt (it is empty)"
    );
    assert_eq!(
        refusal(&zip(&[])),
        "file-archive: bank.zip: no known format fits a file in the archive: it is empty"
    );
}

#[test]
fn members_come_in_the_order_of_the_archive_and_all_carry_its_digest() {
    let second = DAY.replace(">61<", ">62<");
    let bytes = zip(&[("2.xml", second.as_bytes()), ("1.xml", DAY.as_bytes())]);
    let reading = open(&bytes).expect("reads");
    let names: Vec<_> = reading
        .files
        .iter()
        .map(|file| file.file.name.as_str())
        .collect();
    assert_eq!(names, ["bank.zip/2.xml", "bank.zip/1.xml"]);
    assert_eq!(reading.files[0].file.digest, reading.files[1].file.digest);
}

#[test]
fn names_are_labels_and_cannot_do_anything() {
    let day = DAY.as_bytes();
    let before: Vec<_> = std::fs::read_dir(".")
        .expect("here")
        .map(|e| e.expect("entry").path())
        .collect();
    for (name, shown) in [
        ("../../etc/passwd", "bank.zip/../../etc/passwd"),
        ("/abs.xml", "bank.zip//abs.xml"),
        ("C:\\w.xml", "bank.zip/C:\\w.xml"),
        ("a\u{202E}lmx.xml", "bank.zip/a\\u{202e}lmx.xml"),
        ("a\n\u{1B}[31mred", "bank.zip/a\\u{a}\\u{1b}[31mred"),
        ("账单.xml", "bank.zip/账单.xml"),
    ] {
        let reading = open(&zip(&[(name, day)])).expect(name);
        assert_eq!(reading.files[0].file.name, shown);
    }
    // Archives made in China have names in GBK without saying so.
    let (gbk, _, _) = GB18030.encode("账单明细.csv");
    let placeholder = "X".repeat(gbk.len());
    let bytes = patched(zip(&[(&placeholder, day)]), placeholder.as_bytes(), &gbk);
    assert_eq!(
        open(&bytes).expect("reads").files[0].file.name,
        "bank.zip/账单明细.csv"
    );
    let after: Vec<_> = std::fs::read_dir(".")
        .expect("here")
        .map(|e| e.expect("entry").path())
        .collect();
    assert_eq!(before, after, "nothing was written");
}

#[test]
fn archives_that_are_no_honest_delivery_are_refused() {
    let day = DAY.as_bytes();
    let good = zip(&[("day.xml", day)]);
    let inner = zip(&[("inner.xml", day)]);
    let mut encrypted = good.clone();
    let central = memchr::memmem::rfind(&encrypted, b"PK\x01\x02").expect("a directory");
    encrypted[6] |= 1;
    encrypted[central + 8] |= 1;
    let twins = patched(
        zip(&[("day1.xml", day), ("day2.xml", day)]),
        b"day2.xml",
        b"day1.xml",
    );
    let data = 30 + "day.xml".len();
    let mut wrong_bytes = good.clone();
    wrong_bytes[data + 200] ^= 0x55;
    for (name, bytes, want) in [
        (
            "an archive inside",
            zip(&[("a.zip", &inner)]),
            "file-archive: bank.zip/a.zip: an archive inside an archive",
        ),
        (
            "gzip inside",
            zip(&[("a.gz", &gzip(day))]),
            "file-archive: bank.zip/a.gz: an archive inside an archive",
        ),
        (
            "zip in gzip",
            gzip(&inner),
            "file-archive: bank.zip: an archive inside an archive",
        ),
        (
            "encrypted",
            encrypted,
            "file-archive: bank.zip: day.xml is encrypted",
        ),
        (
            "two of one name",
            twins,
            "file-archive: bank.zip: two members have the same name",
        ),
        (
            "cut",
            good[..good.len() / 2].to_vec(),
            "file-archive: bank.zip: the archive is damaged",
        ),
        (
            "only a beginning",
            b"PK\x03\x04".to_vec(),
            "file-archive: bank.zip: the archive is damaged",
        ),
        ("a wrong byte", wrong_bytes, "file-archive: bank.zip"),
        (
            "cut gzip",
            gzip(day)[..500].to_vec(),
            "file-archive: bank.zip: the packed bytes are damaged or cut",
        ),
        (
            "gzip and more",
            [gzip(day), b"garbage".to_vec()].concat(),
            "file-archive: bank.zip: the packed bytes are damaged or cut",
        ),
        (
            "an empty gzip",
            gzip(b""),
            "file-empty: bank.zip: the file is empty",
        ),
    ] {
        let got = refusal(&bytes);
        assert!(got.starts_with(want), "{name}: {got}");
    }
}

#[test]
fn an_archive_cut_anywhere_is_refused() {
    for bytes in [zip(&[("day.xml", DAY.as_bytes())]), gzip(DAY.as_bytes())] {
        for cut in 0..bytes.len() {
            assert!(
                open(&bytes[..cut]).is_err(),
                "cut at {cut} of {}",
                bytes.len()
            );
        }
    }
}

/// Blanks that a statement may end with, so that only a bound can stop them.
fn long_day(bytes: usize) -> Vec<u8> {
    let mut text = DAY.as_bytes().to_vec();
    text.resize(text.len() + bytes, b'\n');
    text
}

#[test]
fn bombs_stop_at_the_limits_whatever_headers_say() {
    let bomb = long_day(20 << 20);
    let flat = zip(&[("day.xml", &bomb)]);
    // The sizes in both headers say 100 bytes.
    let size = u32::try_from(bomb.len()).expect("small").to_le_bytes();
    let lying = patched(flat.clone(), &size, &100u32.to_le_bytes());
    let ratio = "file-limit: bank.zip/day.xml, line 0: more inflated bytes for each packed byte than the limit of 200";
    assert_eq!(refusal(&flat), ratio);
    let lied = refusal(&lying);
    assert!(lied == ratio || lied.starts_with("file-archive"), "{lied}");
    assert!(
        refusal(&gzip(&bomb))
            .ends_with("more inflated bytes for each packed byte than the limit of 200")
    );
    let many: Vec<u8> = std::iter::repeat_n(gzip(&vec![b'\n'; 1 << 20]), 30)
        .flatten()
        .collect();
    let many = [gzip(DAY.as_bytes()), many].concat();
    assert!(
        refusal(&many).ends_with("more inflated bytes for each packed byte than the limit of 200")
    );

    let limits = Limits {
        inflated_bytes: 1 << 20,
        ..Limits::default()
    };
    let options = Options {
        limits,
        ..Options::default()
    };
    for (size, is_read) in [
        ((1 << 20) - DAY.len(), true),
        ((1 << 20) - DAY.len() + 1, false),
    ] {
        for bytes in [zip(&[("day.xml", &long_day(size))]), gzip(&long_day(size))] {
            assert_eq!(
                read_all("a", bytes.as_slice(), &options).is_ok(),
                is_read,
                "{size}"
            );
        }
    }
    // Members are counted together.
    let half = long_day(600 << 10);
    let two = zip(&[("1.xml", &half), ("2.xml", &half)]);
    let error = read_all("a.zip", two.as_slice(), &options).expect_err("refused");
    assert_eq!(
        error.to_string(),
        "a.zip/2.xml, line 0: more inflated bytes than the limit of 1048576"
    );
}

#[test]
fn bounds_on_files_archives_and_members_hold_at_their_edges() {
    let day = DAY.as_bytes();
    let archive = zip(&[("1.xml", day), ("2.txt", b"?"), ("3.txt", b"?")]);
    let with = |limits: Limits, bytes: &[u8]| {
        read_all(
            "a",
            bytes,
            &Options {
                limits,
                ..Options::default()
            },
        )
        .map(|_| ())
        .map_err(|e| e.to_string())
    };
    let bytes = archive.len() as u64;
    assert_eq!(
        with(
            Limits {
                zip_members: 3,
                ..Limits::default()
            },
            &archive
        ),
        Ok(())
    );
    assert_eq!(
        with(
            Limits {
                zip_members: 2,
                ..Limits::default()
            },
            &archive
        ),
        Err("a, line 0: more members in an archive than the limit of 2".to_owned())
    );
    assert_eq!(
        with(
            Limits {
                zip_bytes: bytes,
                ..Limits::default()
            },
            &archive
        ),
        Ok(())
    );
    assert_eq!(
        with(
            Limits {
                zip_bytes: bytes - 1,
                ..Limits::default()
            },
            &archive
        ),
        Err(format!(
            "a, line 0: more bytes in an archive than the limit of {}",
            bytes - 1
        ))
    );
    assert_eq!(
        with(
            Limits {
                file_bytes: day.len() as u64,
                ..Limits::default()
            },
            day
        ),
        Ok(())
    );
    assert_eq!(
        with(
            Limits {
                file_bytes: day.len() as u64 - 1,
                ..Limits::default()
            },
            day
        ),
        Err(format!(
            "a, line 0: more bytes in a file than the limit of {}",
            day.len() - 1
        ))
    );
    assert_eq!(
        with(
            Limits {
                records: 6,
                ..Limits::default()
            },
            day
        ),
        Ok(())
    );
    assert!(
        with(
            Limits {
                records: 5,
                ..Limits::default()
            },
            day
        )
        .is_err()
    );
}

/// Fails after some bytes, and gives them one by one.
struct Failing<'a>(&'a [u8]);

impl Read for Failing<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match self.0.split_first() {
            None => Err(io::Error::other("the disk is gone")),
            Some((first, rest)) => {
                out[0] = *first;
                self.0 = rest;
                Ok(1)
            }
        }
    }
}

#[test]
fn bytes_that_cannot_be_had_are_told_from_bad_bytes() {
    for bytes in [
        DAY.as_bytes(),
        &gzip(DAY.as_bytes()),
        &zip(&[("day.xml", DAY.as_bytes())]),
    ] {
        for given in [0, 2, 700] {
            let error =
                read_all("a", Failing(&bytes[..given]), &Options::default()).expect_err("fails");
            assert_eq!(error.code(), "file-io", "{given}: {error}");
        }
    }
}

/// Stops after some entries and notes whether the file was ended.
#[derive(Default)]
struct Impatient {
    wanted: usize,
    seen: usize,
    ended: bool,
}

impl Sink for Impatient {
    fn begin_file(&mut self, _: &FileHead) {}
    fn begin_statement(&mut self, _: &StatementHead) {}
    fn entry(&mut self, _: Entry<'_>, _: &[u8]) -> ControlFlow<()> {
        self.seen += 1;
        if self.seen >= self.wanted {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }
    fn rejected(&mut self, _: Rejected, _: &[u8]) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
    fn finding(&mut self, _: Finding) {}
    fn end_statement(&mut self, _: &StatementTail) {}
    fn end_file(&mut self, _: &SourceFile) {
        self.ended = true;
    }
}

#[test]
fn a_sink_can_stop_the_reading() {
    let mut sink = Impatient {
        wanted: 2,
        ..Impatient::default()
    };
    let error =
        read("day.xml", DAY.as_bytes(), &Options::default(), &mut sink).expect_err("stopped");
    assert_eq!(
        (error.code(), sink.seen, sink.ended),
        ("file-stopped", 2, false)
    );
}

#[test]
fn empty_and_unknown_files_are_told_in_a_sentence() {
    for (bytes, want) in [
        (&b""[..], "file-empty: bank.zip: the file is empty"),
        (b" \r\n\t", "file-empty: bank.zip: the file is empty"),
        (b"\xEF\xBB\xBF\n", "file-empty: bank.zip: the file is empty"),
        (
            b"\x7FELF\x02",
            "file-unknown: bank.zip: no known format fits; it begins \"\\u{7f}ELF\\u{2}\". A profile (`quanfu.profile/1`) can describe any CSV file",
        ),
        (
            b"\xFF\xFE<\0?\0",
            "file-utf16: bank.zip: the text is UTF-16; saved as UTF-8 it can be read",
        ),
    ] {
        assert_eq!(refusal(bytes), want);
    }
}
