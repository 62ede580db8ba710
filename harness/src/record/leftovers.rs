//! Temporary files that killed processes left.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

/// Prefix of files that are being written.
const PREFIX: &str = ".writing-";
/// Age from which no process still writes a file: each is written in one go, and renamed or deleted.
const ABANDONED_AFTER: Duration = Duration::from_secs(3600);

/// Removes the abandoned temporary files in `folder` and the folders in it. Errors are ignored: such files do no harm, and are
/// found again the next time.
pub fn remove(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let path = entry.path();
        let Ok(metadata) = entry.metadata() else {
            continue;
        };
        if metadata.is_dir() {
            remove(&path);
        } else if entry.file_name().to_string_lossy().starts_with(PREFIX) {
            let age = metadata
                .modified()
                .map(|modified| SystemTime::now().duration_since(modified));
            if age.is_ok_and(|age| age.is_ok_and(|age| age > ABANDONED_AFTER)) {
                let _ = fs::remove_file(path);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_old_temporary_files_are_removed() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("steps");
        fs::create_dir(&inner).unwrap();
        let make = |name: &str, age: Duration| {
            let path = inner.join(name);
            let file = fs::File::create(&path).unwrap();
            file.set_modified(SystemTime::now() - age).unwrap();
            path
        };
        let old = make(".writing-a", 2 * ABANDONED_AFTER);
        let kept = [
            make(".writing-b", Duration::ZERO),
            make("a.parquet", 2 * ABANDONED_AFTER),
        ];
        remove(folder.path());
        assert!(!old.exists() && kept.iter().all(|path| path.exists()));
        remove(&folder.path().join("absent"));
    }
}
