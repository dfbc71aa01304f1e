//! The paved path for very many rows: key groups of two sources, in the memory that is given.

use std::io::{self, Read};
use std::ops::ControlFlow;
use std::sync::{Mutex, MutexGuard, PoisonError};

use quanfu_formats::csv::blocks::{BlockBuffer, BlockReader, BlockRow, Opened};
use quanfu_formats::{FileError, Options};
use quanfu_money::{Currency, MoneySum};
use quanfu_recon::kernel::{Kernel, KernelRow, LONGEST, Scratch, Settled, Shelf};
use quanfu_settlement::groups::{ClassTotal, GroupsCertificate, GroupsDoc, RejectedRecord, SCHEMA};
use quanfu_settlement::result::{Embedded, Input, SourceSummary, Total};
use quanfu_settlement::rules::SourceRole;
use quanfu_settlement::{
    Digest, DigestAlg, Entry, FileHead, Finding, Limits, Profile, RefRole, Rejected, Rules, Side,
    Sink, SourceFile, StatementHead, StatementTail,
};

use crate::day::{DayError, find_profile};

/// A run over key groups only: for every key and currency, how many rows each side has, what they sum to, and whether
/// that agrees.
///
/// It takes rules with one edge whose first `unique_key` rule compares references and the currency; CSV files whose
/// profile asks for nothing that needs their order are read by all threads at once, other files by one thread each.
///
/// ```
/// use quanfu::{KeyRun, Rules};
///
/// let rules = Rules::parse(r#"
/// schema = "quanfu.rules/1"
/// name = "keys"
/// calendar = "CN"
/// [source.shop]
/// role = "order"
/// profile = "quanfu-orders"
/// [source.bank]
/// role = "bank"
/// [[edge]]
/// left = "shop"
/// right = "bank"
/// [[edge.rule]]
/// id = "K1"
/// pass = "unique_key"
/// on = [{ left = "order", right = "owner" }, "currency"]
/// "#)?;
/// let orders = "order_id,paid_at,amount,currency,status\nA-1001,2026-03-02 10:00:00,19.90,CNY,paid\n";
/// let bank = ":20:DAY1\n:25:12345678\n:28C:1/1\n:60F:C260302CNY100,00\n\
///             :61:2603020302C19,90NTRFA-1001//B77\n:62F:C260302CNY119,90\n-\n";
/// let mut list = Vec::new();
/// let done = KeyRun::new(rules)
///     .file("shop", "orders.csv", orders.as_bytes())
///     .file("bank", "bank.sta", bank.as_bytes())
///     .run(&mut |lines| { list.extend_from_slice(lines); Ok(()) })?;
/// assert_eq!(done.doc.totals[0].class, "matched");
/// assert!(list.ends_with(b"matched,A-1001,CNY,A-1001,B77,1,1,19.90,19.90\n"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "nothing happens before `run`"]
pub struct KeyRun<'a> {
    rules: Rules,
    profiles: Vec<Profile>,
    files: Vec<(String, String, Box<dyn Read + Send + 'a>)>,
    threads: usize,
    limits: Limits,
    digest: DigestAlg,
    scratch: Option<(&'a dyn Scratch, u64)>,
    expected: u64,
}

/// What came of a key run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyGroups {
    /// The document that binds the list to its inputs.
    pub doc: GroupsDoc,
    /// What readers noticed, with the name of the file.
    pub findings: Vec<(String, Finding)>,
}

/// What takes in rows: the shelf of the thread that reads.
struct Intake<'k, 's> {
    shelf: Shelf<'k>,
    side: Side,
    keys: usize,
    failed: Option<io::Error>,
    roles: &'s [RefRole],
    rejected: Vec<Rejected>,
    findings: Vec<Finding>,
    failed_proofs: usize,
    files: Vec<FileRead>,
}

impl Intake<'_, '_> {
    #[inline]
    fn put(&mut self, references: &[&[u8]], currency: Currency, minor: i64) -> ControlFlow<()> {
        let row = KernelRow {
            side: self.side,
            references: &references[..self.keys],
            name: references[self.keys],
            currency,
            minor,
        };
        match self.shelf.put(&row) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                self.failed = Some(error);
                ControlFlow::Break(())
            }
        }
    }
}

impl Sink for Intake<'_, '_> {
    fn begin_file(&mut self, _: &FileHead) {}
    fn begin_statement(&mut self, _: &StatementHead) {}
    fn entry(&mut self, entry: Entry<'_>, raw: &[u8]) -> ControlFlow<()> {
        let refuse = |code, field: &str, message: String| Rejected {
            code,
            at: entry.at,
            line: entry.at.line,
            column: 0,
            field: field.to_owned().into(),
            message,
        };
        let Some(money) = entry.money() else {
            let why = "the record tells no currency, so its amount cannot be summed".to_owned();
            return self.rejected(refuse("currency-missing", "currency", why), raw);
        };
        let text = |role: &RefRole| entry.references.get(*role).unwrap_or_default();
        let references: Vec<&[u8]> = self
            .roles
            .iter()
            .map(|role| text(role).as_bytes())
            .collect();
        if let Some(role) = self.roles.iter().find(|role| text(role).len() > LONGEST) {
            let why = format!("{} bytes; the limit is {LONGEST}", text(role).len());
            return self.rejected(refuse("field-too-long", role.code(), why), raw);
        }
        self.put(&references, money.currency(), money.minor())
    }
    fn rejected(&mut self, rejected: Rejected, _: &[u8]) -> ControlFlow<()> {
        self.rejected.push(rejected);
        ControlFlow::Continue(())
    }
    fn finding(&mut self, finding: Finding) {
        self.findings.push(finding);
    }
    fn end_statement(&mut self, tail: &StatementTail) {
        self.failed_proofs += tail.proofs.iter().filter(|proof| proof.fails()).count();
    }
    fn end_file(&mut self, file: &SourceFile) {
        let rejected = std::mem::take(&mut self.rejected);
        let failed = file.proofs.iter().filter(|proof| proof.fails()).count();
        let mut file = file.clone();
        // A record that no key can be made of was an entry to its reader.
        file.rejected = rejected.len() as u64;
        file.entries = file.records - file.rejected;
        self.files.push(FileRead {
            given: 0,
            side: self.side,
            file,
            rejected,
            findings: std::mem::take(&mut self.findings),
            failed_proofs: failed + std::mem::take(&mut self.failed_proofs),
        });
    }
}

/// A file that was opened.
enum Work<'a> {
    Blocks(Box<BlockReader<'a>>),
    /// One thread takes it and reads it whole.
    Whole(Mutex<Option<Box<dyn Read + Send + 'a>>>),
}

struct Opening<'a> {
    side: Side,
    name: String,
    work: Work<'a>,
    /// What came of it if it was read whole.
    read: Mutex<Vec<FileRead>>,
}

/// What came of one file or archive member.
struct FileRead {
    /// Which of the files given.
    given: usize,
    side: Side,
    file: SourceFile,
    rejected: Vec<Rejected>,
    findings: Vec<Finding>,
    failed_proofs: usize,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<'a> KeyRun<'a> {
    /// A run under these rules, without files: two threads, all in memory, BLAKE3 digests.
    pub fn new(rules: Rules) -> Self {
        Self {
            rules,
            profiles: Vec::new(),
            files: Vec::new(),
            threads: 2,
            limits: Limits::default(),
            digest: DigestAlg::Blake3,
            scratch: None,
            expected: 64 << 20,
        }
    }

    /// Adds a file of a source.
    pub fn file(mut self, source: &str, name: &str, bytes: impl Read + Send + 'a) -> Self {
        let file = (source.to_owned(), name.to_owned(), Box::new(bytes) as _);
        self.files.push(file);
        self
    }

    /// Adds a CSV profile that the rules may name.
    pub fn profile(mut self, profile: Profile) -> Self {
        self.profiles.push(profile);
        self
    }

    /// On so many threads. The result is the same for any number.
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads.max(1);
        self
    }

    /// With other bounds.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// With digests of this algorithm.
    pub fn digest(mut self, alg: DigestAlg) -> Self {
        self.digest = alg;
        self
    }

    /// For about so many bytes of input in all. It changes how fast the run is, never what comes of it.
    pub fn expecting(mut self, bytes: u64) -> Self {
        self.expected = bytes;
        self
    }

    /// In so many bytes of memory, with scratch space for what is more. The result is the same.
    pub fn memory(mut self, bytes: u64, scratch: &'a dyn Scratch) -> Self {
        self.scratch = Some((scratch, bytes));
        self
    }

    /// Reads the files, settles the groups and hands their list to `write`, some lines at a time, header first.
    ///
    /// # Errors
    ///
    /// [`DayError`]; what `write` or the scratch space says is [`DayError::Io`].
    pub fn run(
        self,
        write: &mut (dyn FnMut(&[u8]) -> io::Result<()> + Send),
    ) -> Result<KeyGroups, DayError> {
        let Self {
            rules,
            profiles,
            files,
            threads,
            limits,
            digest,
            scratch,
            expected,
        } = self;
        let limits = Limits {
            key_bytes: limits.key_bytes.min(LONGEST),
            ..limits
        };
        let kernel = Kernel::new(&rules, digest)?.expecting(expected);
        let sides = [Side::Left, Side::Right];
        let source_of = |side: Side| &rules.sources[kernel.source(side)];
        let roles = sides.map(|side| {
            let mut roles = kernel.roles(side);
            roles.push(name_role(source_of(side).role));
            roles
        });
        let mut options = Vec::new();
        for side in sides {
            let source = source_of(side);
            let profile = match &source.profile {
                Some(name) => Some(find_profile(name, &source.name, &profiles)?),
                None => None,
            };
            options.push(Options {
                strict: false,
                profile,
                profiles: &profiles,
                limits: limits.clone(),
                digest,
            });
        }
        let mut openings = Vec::new();
        for (source, name, bytes) in files {
            let side = sides
                .into_iter()
                .find(|side| source_of(*side).name == source);
            let Some(side) = side else {
                return Err(DayError::UnknownSource {
                    name: source,
                    known: kernel.sources().to_vec(),
                });
            };
            let (options, roles) = (&options[side as usize], &roles[side as usize]);
            let work = match BlockReader::open(&name, bytes, options, roles)? {
                Opened::Blocks(reader) => Work::Blocks(reader),
                Opened::Other(bytes) => Work::Whole(Mutex::new(Some(bytes))),
            };
            openings.push(Opening {
                side,
                name,
                work,
                read: Mutex::new(Vec::new()),
            });
        }
        let columns = sides.map(|side| name_column(&openings, side, &roles[side as usize]));
        // Three quarters of the memory hold rows, the rest is for reading them and for settling buckets.
        let share = scratch.map(|(scratch, bytes)| (scratch, (bytes / 4 * 3) as usize / threads));
        let (shelves, scan_failed) = scan(&openings, &options, &roles, &kernel, share, threads);
        if let Some(error) = scan_failed {
            return Err(error);
        }
        let sums = sides.map(|side| summed(&shelves, side));
        let mut read = Vec::new();
        for (given, opening) in openings.into_iter().enumerate() {
            if let Work::Blocks(reader) = opening.work {
                let (file, rejected, findings) = reader.finish()?;
                read.push(FileRead {
                    given,
                    side: opening.side,
                    file,
                    rejected,
                    findings,
                    failed_proofs: 0,
                });
            }
            let whole = opening.read.into_inner();
            let whole = whole.unwrap_or_else(PoisonError::into_inner);
            read.extend(whole.into_iter().map(|read| FileRead { given, ..read }));
        }
        check_twins(&read)?;
        let header = header_line(&kernel, &columns);
        write(header.as_bytes()).map_err(DayError::Io)?;
        let settled = kernel
            .settle(shelves, threads, write)
            .map_err(DayError::Io)?;
        check_sums(&settled, &sums)?;
        let findings = read
            .iter_mut()
            .flat_map(|read| {
                let name = &read.file.name;
                let findings = std::mem::take(&mut read.findings);
                findings.into_iter().map(|finding| (name.clone(), finding))
            })
            .collect();
        let doc = document(&rules, &kernel, &profiles, read, &sums, (header, settled));
        Ok(KeyGroups { doc, findings })
    }
}

/// The role under which a source names its own records.
fn name_role(role: SourceRole) -> RefRole {
    match role {
        SourceRole::Order => RefRole::Order,
        SourceRole::Institution => RefRole::Transaction,
        SourceRole::Bank => RefRole::Bank,
    }
}

/// What the list calls a side's names: the word of the first file's header, else the role.
fn name_column(openings: &[Opening<'_>], side: Side, roles: &[RefRole]) -> String {
    let role = roles.last().copied().unwrap_or(RefRole::Bank);
    let mut files = openings.iter().filter(|opening| opening.side == side);
    let word = files.find_map(|opening| match &opening.work {
        Work::Blocks(reader) => reader.column_of(role),
        Work::Whole(_) => None,
    });
    word.unwrap_or(role.code()).to_owned()
}

fn header_line(kernel: &Kernel, columns: &[String; 2]) -> String {
    let [left, right] = kernel.sources();
    let letter = |name: &str| name.chars().next().unwrap_or('n');
    let (n_left, n_right) = if letter(left) == letter(right) {
        (format!("n_{left}"), format!("n_{right}"))
    } else {
        (format!("n{}", letter(left)), format!("n{}", letter(right)))
    };
    format!(
        "class,key,currency,{},{},{n_left},{n_right},{left}_amount,{right}_amount\n",
        columns[0], columns[1]
    )
}

/// Reads all files on all threads; gives each thread's shelf.
fn scan<'k>(
    openings: &[Opening<'_>],
    options: &[Options<'_>],
    roles: &[Vec<RefRole>; 2],
    kernel: &Kernel,
    share: Option<(&'k dyn Scratch, usize)>,
    threads: usize,
) -> (Vec<Shelf<'k>>, Option<DayError>) {
    let failed: Mutex<Option<DayError>> = Mutex::new(None);
    let work = |worker: usize| {
        let mut intake = Intake {
            shelf: Shelf::new(kernel, share),
            side: Side::Left,
            keys: kernel.roles(Side::Left).len(),
            failed: None,
            roles: &[],
            rejected: Vec::new(),
            findings: Vec::new(),
            failed_proofs: 0,
            files: Vec::new(),
        };
        let mut buffer = BlockBuffer::default();
        for step in 0..openings.len() {
            // Threads begin with different files, so that they seldom wait for one another.
            let opening = &openings[(step + worker) % openings.len()];
            intake.side = opening.side;
            intake.roles = &roles[opening.side as usize];
            let done = match &opening.work {
                Work::Blocks(reader) => loop {
                    let taken = reader.next_block(&mut buffer, &mut |row: &BlockRow<'_>| {
                        intake.put(&row.references, row.currency, row.minor)
                    });
                    match taken {
                        Ok(true) if lock(&failed).is_some() => break Ok(()),
                        Ok(true) => {}
                        Ok(false) => break Ok(()),
                        Err(error) => break Err(error),
                    }
                },
                Work::Whole(bytes) => {
                    let bytes = lock(bytes).take();
                    match bytes {
                        None => Ok(()),
                        Some(bytes) => read_whole(opening, bytes, options, &mut intake),
                    }
                }
            };
            let error = match (intake.failed.take(), done) {
                (Some(error), _) => DayError::Io(error),
                (None, Err(error)) => DayError::File(error),
                (None, Ok(())) => continue,
            };
            lock(&failed).get_or_insert(error);
            break;
        }
        intake.shelf
    };
    let shelves = std::thread::scope(|scope| {
        let work = &work;
        let others: Vec<_> = (1..threads)
            .map(|worker| scope.spawn(move || work(worker)))
            .collect();
        let mut shelves = vec![work(0)];
        for other in others {
            let shelf = other.join();
            shelves.push(shelf.unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        shelves
    });
    (
        shelves,
        failed.into_inner().unwrap_or_else(PoisonError::into_inner),
    )
}

fn read_whole(
    opening: &Opening<'_>,
    bytes: Box<dyn Read + Send + '_>,
    options: &[Options<'_>],
    intake: &mut Intake<'_, '_>,
) -> Result<(), FileError> {
    let options = &options[opening.side as usize];
    let read = quanfu_formats::read(&opening.name, bytes, options, intake);
    let files = std::mem::take(&mut intake.files);
    read?;
    *lock(&opening.read) = files;
    Ok(())
}

/// Two files with the same bytes in one source would count every row twice.
fn check_twins(read: &[FileRead]) -> Result<(), DayError> {
    for (index, one) in read.iter().enumerate() {
        // Members of one archive carry the digest of the archive.
        let is_twin = |other: &&FileRead| {
            other.given != one.given
                && other.side == one.side
                && other.file.digest == one.file.digest
        };
        if let Some(first) = read[..index].iter().find(is_twin) {
            return Err(DayError::SameFile {
                file: one.file.name.clone(),
                first: first.file.name.clone(),
            });
        }
    }
    Ok(())
}

/// Rows and sums of a side by currency, ordered by code.
fn summed(shelves: &[Shelf<'_>], side: Side) -> Vec<(Currency, u64, i128)> {
    let mut sums: Vec<(Currency, u64, i128)> = Vec::new();
    for &(currency, count, sum) in shelves.iter().flat_map(|shelf| shelf.totals(side)) {
        match sums.iter_mut().find(|(known, ..)| *known == currency) {
            Some((_, all, total)) => {
                *all += count;
                *total += sum;
            }
            None => sums.push((currency, count, sum)),
        }
    }
    sums.sort_by(|a, b| a.0.code().cmp(b.0.code()));
    sums
}

/// What was read and what was grouped must be the same money.
fn check_sums(settled: &Settled, sums: &[Vec<(Currency, u64, i128)>; 2]) -> Result<(), DayError> {
    for (side, sums) in sums.iter().enumerate() {
        let rows: u64 = settled.buckets.iter().map(|bucket| bucket.rows[side]).sum();
        let is_whole = rows == sums.iter().map(|(_, count, _)| count).sum::<u64>();
        let ties = sums.iter().all(|(currency, _, sum)| {
            let groups = settled.totals.iter();
            let groups = groups.filter(|total| total.currency == *currency);
            groups.map(|total| total.sums[side]).sum::<i128>() == *sum
        });
        if !is_whole || !ties {
            let message = "rows were lost between reading and grouping: the scratch space gave back other bytes";
            return Err(DayError::Io(io::Error::other(message)));
        }
    }
    Ok(())
}

fn document(
    rules: &Rules,
    kernel: &Kernel,
    profiles: &[Profile],
    read: Vec<FileRead>,
    sums: &[Vec<(Currency, u64, i128)>; 2],
    (header, settled): (String, Settled),
) -> GroupsDoc {
    let money = |sum: i128, currency: Currency| MoneySum::from_minor(sum, currency).amount_text();
    let sources = [Side::Left, Side::Right].map(|side| {
        let source = &rules.sources[kernel.source(side)];
        let files = || {
            read.iter()
                .filter(|read| read.side == side)
                .map(|read| &read.file)
        };
        SourceSummary {
            name: source.name.clone(),
            role: source.role,
            records: files().map(|file| file.records).sum(),
            entries: files().map(|file| file.entries).sum(),
            rejected: files().map(|file| file.rejected).sum(),
            carried_in: 0,
            totals: sums[side as usize]
                .iter()
                .map(|&(currency, count, sum)| Total {
                    currency,
                    count,
                    sum: money(sum, currency),
                })
                .collect(),
        }
    });
    let mut totals: Vec<ClassTotal> = settled
        .totals
        .iter()
        .map(|total| ClassTotal {
            class: kernel.class_name(total.class),
            currency: total.currency,
            groups: total.groups,
            left: money(total.sums[0], total.currency),
            right: money(total.sums[1], total.currency),
        })
        .collect();
    totals.sort_by(|a, b| (&a.class, a.currency.code()).cmp(&(&b.class, b.currency.code())));
    let name = |side: Side| rules.sources[kernel.source(side)].name.clone();
    let mut rejected = Vec::new();
    let mut inputs = Vec::new();
    let mut trusted = true;
    for read in read {
        let (side, file) = (read.side, read.file);
        trusted &= read.rejected.is_empty() && read.failed_proofs == 0;
        rejected.extend(read.rejected.into_iter().map(|why| RejectedRecord {
            source: name(side),
            file: file.name.clone(),
            line: why.line,
            column: why.column,
            field: why.field.into_owned(),
            code: why.code.to_owned(),
            message: why.message,
        }));
        inputs.push(Input {
            source: name(side),
            file: file.name,
            format: file.format,
            encoding: file.encoding,
            bytes: file.bytes,
            digest: file.digest,
            identity: file.identity,
            records: file.records,
            entries: file.entries,
            rejected: file.rejected,
        });
    }
    GroupsDoc {
        schema: SCHEMA.to_owned(),
        engine: concat!("quanfu ", env!("CARGO_PKG_VERSION")).to_owned(),
        edge: kernel.edge().to_owned(),
        rule: kernel.rule().to_owned(),
        trusted,
        sources: sources.into(),
        totals,
        rejected,
        rules_document: Embedded::new(&rules.name, &rules.text),
        profiles: profiles
            .iter()
            .map(|profile| Embedded::new(&profile.name, &profile.text))
            .collect(),
        certificate: GroupsCertificate {
            inputs,
            header,
            buckets: settled.buckets,
            groups_digest: settled.digest,
            body: Digest {
                alg: DigestAlg::Sha256,
                bytes: [0; 32],
            },
        },
    }
    .sealed()
}
