//! A document that is changed in place: held by one process at a time, and whole at every moment.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::failure::Failure;
use crate::files;

/// A file that is held until it is replaced or let go.
#[derive(Debug)]
pub struct RecordFile {
    path: PathBuf,
    /// Its lock keeps others out.
    _held: File,
}

impl RecordFile {
    /// Takes hold of a file and reads it.
    pub fn open(path: &Path) -> Result<(Self, String), Failure> {
        // a link stays a link to the new file
        let real = fs::canonicalize(path).map_err(|error| Failure::io(path, &error))?;
        loop {
            let held = File::open(&real).map_err(|error| Failure::io(path, &error))?;
            held.lock().map_err(|error| Failure::io(path, &error))?;
            let text = files::text_of(path, &held)?;
            // who waited may hold what another has replaced meanwhile
            if files::text(&real)? == text {
                let path = real;
                return Ok((Self { path, _held: held }, text));
            }
        }
    }

    /// Puts a text in the place of what was read, and waits until it is on the disk.
    pub fn replace(self, text: &str) -> Result<(), Failure> {
        let failed = |error: io::Error| Failure::output(&self.path, &error);
        let part = written(&self.path, text).map_err(failed)?;
        let moved = fs::rename(&part, &self.path).and_then(|()| sync_folder(&self.path));
        moved.map_err(|error| {
            let _ = fs::remove_file(&part);
            failed(error)
        })
    }

    /// Makes a file that is not there yet.
    pub fn create(path: &Path, text: &str) -> Result<(), Failure> {
        let failed = |error: io::Error| Failure::output(path, &error);
        let part = written(path, text).map_err(failed)?;
        // unlike a rename, a link never takes the place of a file
        let made = fs::hard_link(&part, path).and_then(|()| sync_folder(path));
        let _ = fs::remove_file(&part);
        made.map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => {
                let path = path.display();
                Failure::usage(format!(
                    "{path}: it is there already; a new file would be right"
                ))
            }
            _ => failed(error),
        })
    }
}

/// A text beside the place where it will stand.
fn written(path: &Path, text: &str) -> io::Result<PathBuf> {
    let mut hidden = std::ffi::OsString::from(".");
    hidden.push(path.file_name().ok_or(io::ErrorKind::InvalidInput)?);
    hidden.push(format!(".{}.part", std::process::id()));
    let part = path.with_file_name(hidden);
    let mut file = File::create(&part)?;
    let done = file
        .write_all(text.as_bytes())
        .and_then(|()| file.sync_all());
    if done.is_err() {
        let _ = fs::remove_file(&part);
    }
    done.map(|()| part)
}

#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    File::open(folder).and_then(|folder| folder.sync_all())
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}
