//! Files in and out. What is written appears whole or not at all.

use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use quanfu::fx::{RateReading, RateTable};
use quanfu::recon::kernel::Scratch;
use quanfu::settlement::{DecisionLog, Limits};
use quanfu::{Profile, ResultDoc, Rules};

use crate::failure::{Failure, UNTRUSTED, USAGE};

/// Opens an input file; `-` is standard input.
pub fn open(path: &Path) -> Result<Box<dyn Read + Send>, Failure> {
    if path.as_os_str() == "-" {
        return Ok(Box::new(std::io::stdin()));
    }
    let file = File::open(path).map_err(|error| Failure::io(path, &error))?;
    Ok(Box::new(file))
}

/// Reads a document (rules, profile, calendar, result) whole.
pub fn text(path: &Path) -> Result<String, Failure> {
    text_of(path, open(path)?)
}

/// Reads a document of this name whole.
pub fn text_of(path: &Path, reader: impl Read) -> Result<String, Failure> {
    let limit = Limits::default().document_bytes;
    let mut bytes = Vec::new();
    let mut reader = reader.take(limit.saturating_add(1));
    reader
        .read_to_end(&mut bytes)
        .map_err(|error| Failure::io(path, &error))?;
    if bytes.len() as u64 > limit {
        let message = format!("{}: more than {limit} bytes", path.display());
        return Err(Failure::new("file-limit", UNTRUSTED, message));
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let message = format!("{}: not UTF-8 text at byte {at}", path.display());
        Failure::new("file-encoding", USAGE, message)
    })
}

pub fn rules(path: &Path) -> Result<Rules, Failure> {
    Rules::parse(&text(path)?).map_err(|error| Failure::rules(path, &error))
}

pub fn profile(path: &Path) -> Result<Profile, Failure> {
    Profile::parse(&text(path)?).map_err(|error| Failure::profile(path, &error))
}

/// Reads a result and checks that it is as it was written.
pub fn result(path: &Path) -> Result<ResultDoc, Failure> {
    let text = text(path)?;
    let refuse = |why: String| {
        let message = format!("{}: {why}", path.display());
        Failure::new("result-document", UNTRUSTED, message)
    };
    let doc = ResultDoc::from_json(&text).map_err(|error| refuse(error.to_string()))?;
    if doc.to_json() != text || doc.body_digest() != doc.certificate.body {
        return Err(refuse(
            "the document was changed after it was written".to_owned(),
        ));
    }
    Ok(doc)
}

pub fn decisions(path: &Path) -> Result<DecisionLog, Failure> {
    DecisionLog::parse(&text(path)?).map_err(|error| Failure::decisions(path, &error))
}

/// The rates of a file (our own CSV, or ChinaMoney's JSON), of which every row must be one.
pub fn rates(path: &Path, text: &str) -> Result<RateTable, Failure> {
    let refuse = |code, error: &dyn std::error::Error| {
        Failure::new(code, USAGE, format!("{}: {error}", path.display()))
    };
    let read = RateReading::any(text.as_bytes());
    let read = read.map_err(|error| refuse(error.code(), &error))?;
    if let Some(error) = read.rejected.first() {
        return Err(refuse(error.code(), error));
    }
    RateTable::new(read.rates).map_err(|error| refuse(error.code(), &error))
}

/// A log that is only ever appended to, held by one process at a time.
#[derive(Debug)]
pub struct LogFile {
    file: File,
    path: PathBuf,
    is_new: bool,
}

impl LogFile {
    /// Opens or makes the log and reads all of it.
    pub fn open(path: &Path) -> Result<(Self, DecisionLog), Failure> {
        let output = |error: &io::Error| Failure::output(path, error);
        let is_new = !path.exists();
        let mut options = File::options();
        let opened = options.read(true).append(true).create(true).open(path);
        let file = opened.map_err(|error| output(&error))?;
        // each holds it for the time of one line
        file.lock().map_err(|error| output(&error))?;
        let log = DecisionLog::parse(&text_of(path, &file)?);
        let log = log.map_err(|error| Failure::decisions(path, &error))?;
        let path = path.to_owned();
        Ok((Self { file, path, is_new }, log))
    }

    /// Adds a line, in one write, and waits until it is on the disk.
    pub fn append(mut self, line: &str) -> Result<(), Failure> {
        let written = self.file.write_all(line.as_bytes());
        let written = written.and_then(|()| self.file.sync_all());
        written.map_err(|error| Failure::output(&self.path, &error))?;
        #[cfg(unix)]
        if self.is_new {
            let folder = match self.path.parent() {
                Some(folder) if !folder.as_os_str().is_empty() => folder,
                _ => Path::new("."),
            };
            let synced = File::open(folder).and_then(|folder| folder.sync_all());
            synced.map_err(|error| Failure::output(folder, &error))?;
        }
        Ok(())
    }
}

/// Files that are written beside their final place and moved there together.
#[derive(Debug, Default)]
pub struct Outputs {
    written: Vec<(PathBuf, PathBuf)>,
}

impl Outputs {
    /// Begins a file; it is in its place only after [`Outputs::commit`].
    pub fn begin(&mut self, path: &Path) -> Result<BufWriter<File>, Failure> {
        let name = path.file_name().ok_or_else(|| {
            Failure::usage(format!(
                "-o {}: the name of a file would be right",
                path.display()
            ))
        })?;
        let mut hidden = std::ffi::OsString::from(".");
        hidden.push(name);
        hidden.push(format!(".{}.part", std::process::id()));
        let part = path.with_file_name(hidden);
        let file = File::create(&part).map_err(|error| Failure::output(path, &error))?;
        self.written.push((part, path.to_owned()));
        Ok(BufWriter::with_capacity(1 << 20, file))
    }

    /// Writes a whole text.
    pub fn write(&mut self, path: &Path, text: &str) -> Result<(), Failure> {
        let mut file = self.begin(path)?;
        let done = file.write_all(text.as_bytes()).and_then(|()| file.flush());
        done.map_err(|error| Failure::output(path, &error))
    }

    /// Moves everything into its place.
    pub fn commit(mut self) -> Result<(), Failure> {
        for (part, path) in &self.written {
            replace(part, path).map_err(|error| Failure::output(path, &error))?;
        }
        self.written.clear();
        Ok(())
    }
}

/// Moves a file to its place. One that stands there is put aside first: file systems that make a rename over a file
/// wait for the new one's bytes would make a run wait for gigabytes.
fn replace(part: &Path, path: &Path) -> io::Result<()> {
    if !path.is_file() || path.is_symlink() {
        return fs::rename(part, path);
    }
    let aside = part.with_extension("old");
    fs::rename(path, &aside)?;
    if let Err(error) = fs::rename(part, path) {
        fs::rename(&aside, path)?;
        return Err(error);
    }
    fs::remove_file(&aside)
}

impl Drop for Outputs {
    fn drop(&mut self) {
        for (part, _) in &self.written {
            let _ = fs::remove_file(part);
        }
    }
}

/// Refuses to write over a file that is read.
pub fn keep_apart<'p>(
    outputs: &[PathBuf],
    inputs: impl Iterator<Item = &'p Path>,
) -> Result<(), Failure> {
    let real = |path: &Path| fs::canonicalize(path).ok();
    let inputs: Vec<PathBuf> = inputs.filter_map(real).collect();
    for (index, output) in outputs.iter().enumerate() {
        if outputs[..index].contains(output) {
            let message = format!("-o {}: given twice", output.display());
            return Err(Failure::usage(message));
        }
        if real(output).is_some_and(|path| inputs.contains(&path)) {
            let message = format!("-o {}: this file is also read", output.display());
            return Err(Failure::usage(message));
        }
    }
    Ok(())
}

/// Refuses a folder that has something in it.
pub fn new_folder(folder: &Path) -> Result<(), Failure> {
    match fs::read_dir(folder) {
        Ok(mut entries) => {
            if entries.next().is_some() {
                let message = format!(
                    "{}: not empty; a new folder would be right",
                    folder.display()
                );
                return Err(Failure::usage(message));
            }
            Ok(())
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(Failure::output(folder, &error)),
    }
}

/// Writes a file below a folder, making the folders that it stands in.
pub fn write_below(folder: &Path, name: &str, bytes: &[u8]) -> Result<(), Failure> {
    let path = folder.join(name);
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(|error| Failure::output(parent, &error))?;
    }
    fs::write(&path, bytes).map_err(|error| Failure::output(&path, &error))
}

/// Scratch space in a file that is gone when the run is over.
#[derive(Debug)]
pub struct ScratchFile {
    file: File,
    path: PathBuf,
    reserved: AtomicU64,
}

impl ScratchFile {
    /// In the folder of an output.
    pub fn beside(output: &Path) -> Result<Self, Failure> {
        let mut hidden = std::ffi::OsString::from(".");
        hidden.push(output.file_name().unwrap_or_default());
        hidden.push(format!(".{}.scratch", std::process::id()));
        let path = output.with_file_name(hidden);
        let opened = File::options()
            .read(true)
            .write(true)
            .create_new(true)
            .open(&path);
        let file = opened.map_err(|error| Failure::output(&path, &error))?;
        // Where a file may be removed while it is open, a run that is killed leaves nothing behind.
        #[cfg(unix)]
        fs::remove_file(&path).map_err(|error| Failure::output(&path, &error))?;
        Ok(Self {
            file,
            path,
            reserved: AtomicU64::new(0),
        })
    }
}

impl Drop for ScratchFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

impl Scratch for ScratchFile {
    fn reserve(&self, bytes: u64) -> io::Result<u64> {
        Ok(self.reserved.fetch_add(bytes, Ordering::Relaxed))
    }

    #[cfg(unix)]
    fn write(&self, at: u64, bytes: &[u8]) -> io::Result<()> {
        std::os::unix::fs::FileExt::write_all_at(&self.file, bytes, at)
    }

    #[cfg(unix)]
    fn read(&self, at: u64, out: &mut [u8]) -> io::Result<()> {
        std::os::unix::fs::FileExt::read_exact_at(&self.file, out, at)
    }

    #[cfg(windows)]
    fn write(&self, mut at: u64, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let count = std::os::windows::fs::FileExt::seek_write(&self.file, bytes, at)?;
            bytes = &bytes[count..];
            at += count as u64;
        }
        Ok(())
    }

    #[cfg(windows)]
    fn read(&self, mut at: u64, mut out: &mut [u8]) -> io::Result<()> {
        while !out.is_empty() {
            match std::os::windows::fs::FileExt::seek_read(&self.file, out, at)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                count => {
                    out = &mut out[count..];
                    at += count as u64;
                }
            }
        }
        Ok(())
    }
}
