//! The state of a git checkout. The build script includes this file for the checkout that is compiled; the program uses
//! it for the one in which it runs.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Variables that git sets for hooks and aliases, which would select another repository than that of the folder.
const REPOSITORY_VARIABLES: [&str; 4] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_COMMON_DIR",
    "GIT_INDEX_FILE",
];

/// A checkout of a git repository: its main working tree or a linked worktree.
#[derive(Debug)]
pub struct Checkout {
    root: PathBuf,
}

impl Checkout {
    /// The checkout that contains `folder`; `None` without a repository or without git.
    pub fn containing(folder: &Path) -> Option<Self> {
        let root = PathBuf::from(git(folder, &["rev-parse", "--show-toplevel"])?);
        Some(Self { root })
    }

    /// The checkout whose root is `folder`; `None` for an unpacked archive, even inside another repository.
    pub fn rooted_at(folder: &Path) -> Option<Self> {
        let checkout = Self::containing(folder)?;
        let same = checkout.root.canonicalize().ok()? == folder.canonicalize().ok()?;
        same.then_some(checkout)
    }

    /// The first 12 digits of the commit that is checked out; `None` before the first commit.
    pub fn commit(&self) -> Option<String> {
        git(&self.root, &["rev-parse", "--short=12", "HEAD"])
    }

    /// Whether tracked files differ from the commit.
    pub fn dirty(&self) -> bool {
        git(
            &self.root,
            &["status", "--porcelain", "--untracked-files=no"],
        )
        .is_some_and(|changes| !changes.is_empty())
    }

    /// Files and folders of the repository, at least one of which changes whenever another commit is checked out.
    ///
    /// The index is not included: git also rewrites it without a change, and staging does not change [`Self::dirty`].
    pub fn commit_files(&self) -> Vec<PathBuf> {
        let existing = |names: &[&str]| {
            let paths = names
                .iter()
                .filter_map(|name| git(&self.root, &["rev-parse", "--git-path", name]));
            let paths = paths.map(|path| self.root.join(path));
            paths.filter(|path| path.exists()).collect::<Vec<_>>()
        };
        let mut files = existing(&["logs/HEAD"]);
        if files.is_empty() {
            // Without a reflog of HEAD: the files that may store the commit of the branch.
            files = existing(&["refs/heads", "packed-refs", "reftable"]);
        }
        files.extend(existing(&["HEAD"]));
        files
    }
}

/// The standard output of a git command; `None` if it fails.
fn git(folder: &Path, arguments: &[&str]) -> Option<String> {
    let mut command = Command::new("git");
    for name in REPOSITORY_VARIABLES {
        command.env_remove(name);
    }
    let output = command
        .arg("-C")
        .arg(folder)
        .arg("--no-optional-locks") // Do not refresh the index.
        .args(arguments)
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::TempDir;

    use super::*;

    fn run(folder: &Path, arguments: &[&str]) {
        git(folder, arguments).unwrap_or_else(|| panic!("git {arguments:?}"));
    }

    fn commit(folder: &Path, text: &str) -> String {
        fs::write(folder.join("file"), text).unwrap();
        run(folder, &["add", "file"]);
        let author = ["-c", "user.name=a", "-c", "user.email=a@example.org"];
        run(
            folder,
            &[&author[..], &["commit", "-q", "-m", text]].concat(),
        );
        git(folder, &["rev-parse", "--short=12", "HEAD"]).unwrap()
    }

    /// A temporary folder with the repository `main`, and its commit; `None` if git is not installed.
    fn repository() -> Option<(TempDir, PathBuf, String)> {
        let folder = TempDir::new().unwrap();
        let main = folder.path().join("main");
        fs::create_dir(&main).unwrap();
        let Some(_) = git(&main, &["init", "-q", "-b", "main"]) else {
            eprintln!("skipped: git is not installed");
            return None;
        };
        let first = commit(&main, "first");
        Some((folder, main, first))
    }

    /// The contents of files, and those of the files directly in folders.
    fn content(files: &[PathBuf]) -> Vec<String> {
        let of = |path: &PathBuf| match fs::read_dir(path) {
            Ok(entries) => entries
                .map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap_or_default())
                .collect(),
            Err(_) => fs::read_to_string(path).unwrap(),
        };
        files.iter().map(of).collect()
    }

    #[test]
    fn a_linked_worktree_has_its_own_commit_and_files() {
        let Some((folder, main, first)) = repository() else {
            return;
        };
        let linked = folder.path().join("linked");
        run(&main, &["worktree", "add", "-q", "../linked"]);
        assert!(linked.join(".git").is_file());
        let checkout = Checkout::rooted_at(&linked).unwrap();
        let before = content(&checkout.commit_files());
        assert_eq!(before.len(), 2);
        let second = commit(&linked, "second");
        assert_eq!(checkout.commit(), Some(second));
        assert_ne!(content(&checkout.commit_files()), before);
        let main = Checkout::rooted_at(&main).unwrap();
        assert_eq!(main.commit(), Some(first));
    }

    #[test]
    fn an_archive_inside_another_repository_has_no_commit() {
        let Some((_folder, main, _)) = repository() else {
            return;
        };
        let archive = main.join("archive");
        fs::create_dir(&archive).unwrap();
        assert!(Checkout::rooted_at(&archive).is_none());
        assert!(Checkout::containing(&archive).is_some());
        assert!(Checkout::rooted_at(&main).is_some());
    }

    #[test]
    fn a_changed_tracked_file_is_dirty_and_the_index_is_unchanged() {
        let Some((_folder, main, _)) = repository() else {
            return;
        };
        let checkout = Checkout::rooted_at(&main).unwrap();
        assert!(!checkout.dirty());
        fs::write(main.join("untracked"), "").unwrap();
        assert!(!checkout.dirty());
        let index = fs::read(main.join(".git/index")).unwrap();
        fs::write(main.join("file"), "changed").unwrap();
        assert!(checkout.dirty());
        assert_eq!(fs::read(main.join(".git/index")).unwrap(), index);
    }

    #[test]
    fn a_commit_changes_the_branch_files_without_a_reflog() {
        let Some((_folder, main, _)) = repository() else {
            return;
        };
        run(&main, &["config", "core.logAllRefUpdates", "false"]);
        fs::remove_file(main.join(".git/logs/HEAD")).unwrap();
        let checkout = Checkout::rooted_at(&main).unwrap();
        let before = content(&checkout.commit_files());
        commit(&main, "second");
        assert!(!main.join(".git/logs/HEAD").exists());
        assert_ne!(content(&checkout.commit_files()), before);
    }
}
