//! Copies of objects in the cache folder, each with a record of the version and the content that it is a copy of.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::future::Future;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt, stream};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use tokio::runtime::Builder;
use tokio::time::timeout;

use super::address::Address;
use super::objects::{Object, Version, find};
use crate::cache::Unfinished;
use crate::progress::{Observer, Stage, StageReport};
use crate::{CacheLock, CorpusError, hashed_file};

/// Objects that are fetched at a time: one connection seldom has the whole bandwidth of a service.
const AT_ONCE: usize = 4;
/// Copies that are hashed between two reports.
const HASHED_AT_ONCE: usize = 64;
/// Time between two questions to the observer whether to go on.
const POLL: Duration = Duration::from_millis(100);

/// What a copy is a copy of: a file of the cache folder.
#[derive(Debug, Serialize, Deserialize)]
struct Record {
    url: String,
    version: Version,
    blake3: String,
}

/// An object with its copy.
struct Copy {
    object: Object,
    path: PathBuf,
    /// The path of its record.
    record: PathBuf,
}

/// Local copies of all objects that have documents, of URLs that are values of `corpus.LABEL.paths`, below `cache_dir`. Copies that are
/// complete and of the same version are checked, others are fetched.
///
/// # Errors
/// As [`super::fetch`].
pub fn copies_of(
    label: &str,
    urls: &[PathBuf],
    cache_dir: &Path,
    observer: &mut Observer,
) -> Result<Vec<PathBuf>, CorpusError> {
    let key = format!("corpus.{label}.paths");
    let addresses = urls.iter().map(|url| Address::parse(&key, url));
    let addresses: Vec<Address> = addresses.collect::<Result<_, _>>()?;
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(CorpusError::io("open connections for", cache_dir))?;
    let objects = {
        let mut report = StageReport::new(observer, label, Stage::Listing, 1);
        let found = watched(find(&key, &addresses), || report.tell(0, 0));
        let objects = runtime.block_on(found)?;
        report.tell(1, 0)?;
        objects
    };
    let folder = cache_dir.join("fetched");
    let _lock = CacheLock::acquire(&folder)?;
    remove_indices_without_object(&objects, &folder)?;
    let mut complete = Vec::new();
    let mut missing = Vec::new();
    for object in objects {
        let copy = Copy::new(object, &folder);
        match copy.read_record()? {
            Some(record) => complete.push((copy, record)),
            None => missing.push(copy),
        }
    }
    check(&complete, label, observer)?;
    runtime.block_on(fetch_all(&missing, &folder, label, observer))?;
    let copies = complete.into_iter().map(|(copy, _)| copy).chain(missing);
    let with_documents = copies.filter(|copy| copy.object.has_documents());
    Ok(with_documents.map(|copy| copy.path).collect())
}

/// The result of `work`; meanwhile `tell` is called again and again, and may end it by an error.
async fn watched<T>(
    work: impl Future<Output = Result<T, CorpusError>>,
    mut tell: impl FnMut() -> Result<(), CorpusError>,
) -> Result<T, CorpusError> {
    let mut work = pin!(work);
    loop {
        match timeout(POLL, &mut work).await {
            Ok(result) => return result,
            Err(_) => tell()?,
        }
    }
}

/// Tokens with an index beside them are of another format, so that none may stay of an earlier version.
fn remove_indices_without_object(objects: &[Object], folder: &Path) -> Result<(), CorpusError> {
    let urls: BTreeSet<String> = objects.iter().map(|object| object.address.url()).collect();
    for object in objects {
        let Some(index) = object.index().map(|key| object.address.at(key)) else {
            continue;
        };
        if !urls.contains(&index.url()) {
            remove(&index.path_below(folder))?;
        }
    }
    Ok(())
}

fn remove(path: &Path) -> Result<(), CorpusError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(CorpusError::io("remove", path)(error))
        }
        _ => Ok(()),
    }
}

/// Checks the content of complete copies.
///
/// # Errors
/// If one cannot be read or is not what was fetched, or the observer ends the preparation.
fn check(
    copies: &[(Copy, Record)],
    label: &str,
    observer: &mut Observer,
) -> Result<(), CorpusError> {
    if copies.is_empty() {
        return Ok(());
    }
    let total = copies.iter().map(|(copy, _)| copy.object.size()).sum();
    let mut report = StageReport::new(observer, label, Stage::Hashing, total);
    let mut done = 0;
    for copies in copies.chunks(HASHED_AT_ONCE) {
        let check = |(copy, record): &(Copy, Record)| copy.check(record);
        copies.par_iter().try_for_each(check)?;
        done += copies
            .iter()
            .map(|(copy, _)| copy.object.size())
            .sum::<u64>();
        report.tell(done, 0)?;
    }
    Ok(())
}

async fn fetch_all(
    copies: &[Copy],
    folder: &Path,
    label: &str,
    observer: &mut Observer<'_>,
) -> Result<(), CorpusError> {
    if copies.is_empty() {
        return Ok(());
    }
    let total = copies.iter().map(|copy| copy.object.size()).sum();
    let mut report = StageReport::new(observer, label, Stage::Fetching, total);
    let received = Cell::new(0);
    let fetches = copies.iter().map(|copy| copy.fetch(folder, &received));
    let all = stream::iter(fetches)
        .buffer_unordered(AT_ONCE)
        .try_collect::<()>();
    // The whole is told once, at the end.
    let told = || received.get().min(total.saturating_sub(1));
    watched(all, || report.tell(told(), 0)).await?;
    report.tell(total, 0)
}

impl Copy {
    fn new(object: Object, folder: &Path) -> Self {
        let name = blake3::hash(object.address.url().as_bytes()).to_hex();
        Self {
            path: object.address.path_below(folder),
            record: folder.join(format!("{}.json", &name[..32])),
            object,
        }
    }

    /// The record, if there is a copy of this version of the object.
    ///
    /// # Errors
    /// If the record cannot be read or is damaged.
    fn read_record(&self) -> Result<Option<Record>, CorpusError> {
        let path = &self.record;
        if !path.exists() || !self.path.exists() {
            return Ok(None);
        }
        let record: Record = serde_json::from_slice(&hashed_file::read(path)?)
            .map_err(|error| CorpusError::damaged(path, error.to_string()))?;
        let is_current =
            record.url == self.object.address.url() && record.version.is(&self.object.version);
        Ok(is_current.then_some(record))
    }

    /// # Errors
    /// If the copy cannot be read or has other content than its record.
    fn check(&self, record: &Record) -> Result<(), CorpusError> {
        let failed = || CorpusError::io("read", &self.path);
        let mut hasher = blake3::Hasher::new();
        hasher
            .update_reader(File::open(&self.path).map_err(failed())?)
            .map_err(failed())?;
        if hasher.finalize().to_hex().as_str() == record.blake3 {
            return Ok(());
        }
        let reason = format!("it is not what was fetched from {}", record.url);
        Err(CorpusError::damaged(&self.path, reason))
    }

    /// Fetches the object by way of an unfinished file in `folder`, whose lock removes what a killed process left there.
    async fn fetch(&self, folder: &Path, received: &Cell<u64>) -> Result<(), CorpusError> {
        let unfinished = Unfinished::new(folder)?;
        let count = |bytes| received.set(received.get() + bytes);
        let hash = self
            .object
            .download(unfinished.file(), &self.path, count)
            .await?;
        // No moment has a record of other content.
        remove(&self.record)?;
        unfinished.finish(&self.path)?;
        let record = Record {
            url: self.object.address.url(),
            version: self.object.version.clone(),
            blake3: hash.to_hex().to_string(),
        };
        let record = serde_json::to_vec(&record).map_err(|error| CorpusError::Io {
            action: "write",
            path: self.record.clone(),
            source: error.into(),
        })?;
        hashed_file::write(&self.record, &record)
    }
}
