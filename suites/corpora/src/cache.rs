//! Files of the cache folder: written beside and renamed, by one process at a time.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::path::Path;

use tempfile::NamedTempFile;

use crate::CorpusError;

/// Prefix of a file that is being written; a complete file has another name.
const WRITING: &str = ".writing-";
/// The file whose lock is held while the cache is prepared.
const LOCK: &str = ".lock";

/// The exclusive right to write into a cache folder, until dropped or until the process ends.
#[derive(Debug)]
pub struct CacheLock {
    _file: Option<File>,
}

impl CacheLock {
    /// Waits until no other process prepares the folder, which is created if it is missing, and removes the files that
    /// a killed process left unfinished. Where the file system has no locks, or the folder is read-only, this process
    /// goes on without one: files are renamed whole, so that two writers cost time but damage nothing.
    ///
    /// # Errors
    /// If the folder cannot be created, or an unfinished file cannot be removed.
    pub fn acquire(folder: &Path) -> Result<Self, CorpusError> {
        fs::create_dir_all(folder).map_err(CorpusError::io("create", folder))?;
        let path = folder.join(LOCK);
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path);
        let file = file.ok().filter(|file| lock(file, folder));
        if file.is_some() {
            remove_unfinished(folder)?;
        }
        Ok(Self { _file: file })
    }
}

/// Waits for the lock; whether this process then holds it.
fn lock(file: &File, folder: &Path) -> bool {
    match file.try_lock() {
        Ok(()) => true,
        Err(TryLockError::WouldBlock) => {
            tracing::info!(
                "another process prepares {}; waiting for it",
                folder.display()
            );
            file.lock().is_ok()
        }
        Err(TryLockError::Error(error)) => {
            tracing::debug!("no lock on {}: {error}", folder.display());
            false
        }
    }
}

fn remove_unfinished(folder: &Path) -> Result<(), CorpusError> {
    for entry in fs::read_dir(folder).map_err(CorpusError::io("list", folder))? {
        let entry = entry.map_err(CorpusError::io("list", folder))?;
        if entry.file_name().to_string_lossy().starts_with(WRITING) {
            fs::remove_file(entry.path()).map_err(CorpusError::io("remove", entry.path()))?;
        }
    }
    Ok(())
}

/// Writes to a temporary file in the folder of `path`, synchronises it with the disk and renames it: a reader sees the
/// earlier file or the new one, also after a loss of power, and whoever has the earlier one open keeps reading it.
///
/// # Errors
/// The first error of `fill`, or that of the operating system.
pub(crate) fn replace<E: From<CorpusError>>(
    path: &Path,
    fill: impl FnOnce(&File) -> Result<(), E>,
) -> Result<(), E> {
    let unfinished = Unfinished::new(path.parent().unwrap_or(Path::new(".")))?;
    fill(unfinished.file())?;
    unfinished.finish(path)?;
    Ok(())
}

/// A file that is being written, removed when dropped.
pub(crate) struct Unfinished(NamedTempFile);

impl Unfinished {
    /// An empty file in a folder, which is created if it is missing.
    ///
    /// # Errors
    /// That of the operating system.
    pub fn new(folder: &Path) -> Result<Self, CorpusError> {
        fs::create_dir_all(folder).map_err(CorpusError::io("create", folder))?;
        let file = tempfile::Builder::new()
            .prefix(WRITING)
            .tempfile_in(folder)
            .map_err(CorpusError::io("write in", folder))?;
        Ok(Self(file))
    }

    /// The file.
    pub fn file(&self) -> &File {
        self.0.as_file()
    }

    /// Synchronises the file with the disk and gives it its name, in this folder or in one below it.
    ///
    /// # Errors
    /// That of the operating system.
    pub fn finish(self, path: &Path) -> Result<(), CorpusError> {
        let folder = path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder).map_err(CorpusError::io("create", folder))?;
        self.file()
            .sync_all()
            .map_err(CorpusError::io("write", path))?;
        self.0
            .persist(path)
            .map_err(|error| CorpusError::io("write", path)(error.error))?;
        // Some file systems cannot synchronise a folder. The new name may then be missing after a loss of power, and the
        // file is prepared again.
        #[cfg(unix)]
        let _ = File::open(folder).and_then(|folder| folder.sync_all());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn unfinished_files_are_removed_and_others_remain() {
        let folder = tempfile::tempdir().expect("folder");
        for name in [".writing-abc", "a.tokens"] {
            fs::write(folder.path().join(name), "x").expect("writes");
        }
        drop(CacheLock::acquire(folder.path()).expect("locks"));
        assert!(!folder.path().join(".writing-abc").exists());
        assert!(folder.path().join("a.tokens").exists());
    }

    #[test]
    fn the_second_holder_waits_for_the_first() {
        let folder = tempfile::tempdir().expect("folder");
        let first = CacheLock::acquire(folder.path()).expect("locks");
        let released = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            let second = scope.spawn(|| {
                let lock = CacheLock::acquire(folder.path()).expect("locks");
                let seen = released.load(std::sync::atomic::Ordering::SeqCst);
                drop(lock);
                seen
            });
            std::thread::sleep(std::time::Duration::from_millis(100));
            released.store(true, std::sync::atomic::Ordering::SeqCst);
            drop(first);
            assert!(second.join().expect("no panic"));
        });
    }

    #[test]
    fn a_file_is_named_as_unfinished_until_it_is_complete_and_absent_after_an_error() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("a.tokens");
        let names = || -> Vec<String> {
            fs::read_dir(folder.path())
                .expect("lists")
                .map(|entry| {
                    entry
                        .expect("entry")
                        .file_name()
                        .to_string_lossy()
                        .into_owned()
                })
                .collect()
        };
        replace(&path, |mut file| {
            file.write_all(b"x")
                .map_err(CorpusError::io("write", &path))?;
            assert!(matches!(&names()[..], [name] if name.starts_with(WRITING)));
            Ok::<_, CorpusError>(())
        })
        .expect("writes");
        assert_eq!(names(), ["a.tokens"]);
        replace(&path, |_| {
            Err::<(), _>(CorpusError::Tokenizer("no".to_owned()))
        })
        .expect_err("fails");
        assert_eq!(names(), ["a.tokens"]);
        assert_eq!(fs::read(&path).expect("reads"), b"x");
    }
}
