//! A disk that is full while a sweep runs.

#![cfg(target_os = "linux")]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use results::{Records, RunRow};

use crate::scratch::{Scratch, TINY};

/// A small file system in memory, as long as the value lives; `None` where this process may not mount one.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(folder: &Path, bytes: &str) -> Option<Self> {
        std::fs::create_dir_all(folder).unwrap();
        let options = format!("size={bytes}");
        let mut mount = Command::new("mount");
        mount
            .args(["-t", "tmpfs", "-o", &options, "tmpfs"])
            .arg(folder);
        let mounted = mount.stderr(Stdio::null()).status();
        mounted
            .is_ok_and(|status| status.success())
            .then(|| Self(folder.to_owned()))
    }

    /// Fills the disk but for `free` bytes.
    fn fill(&self, free: u64) -> PathBuf {
        let filler = self.0.join("filler");
        let space = harness::process::disk_space::free_bytes(&self.0).unwrap();
        std::fs::write(&filler, vec![1; space.saturating_sub(free) as usize]).unwrap();
        filler
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

#[test]
fn a_full_disk_pauses_a_sweep_which_then_ends_as_if_nothing_had_happened() {
    let text = TINY.replace("tokens = 2_000", "tokens = 60_000")
        + "\n[training.checkpoint]\nevery_steps = 5\n";
    let scratch = Scratch::new(&text);
    let Some(disk) = SmallDisk::mount(&scratch.path("disk"), "64M") else {
        eprintln!("skipped: this user may not mount a file system");
        return;
    };
    let whole = scratch.isoflop(&["sweep", "sweep.toml", "--output", "whole", "--quiet"]);
    assert_eq!(whole.code, Some(0), "{whole:?}");

    // Space for the corpus, the claims and the first rows, but not for a checkpoint.
    let prepared = scratch.isoflop(&[
        "sweep",
        "sweep.toml",
        "--output",
        "disk",
        "--quiet",
        "--only",
        "memory",
    ]);
    assert_eq!(prepared.code, Some(0), "{prepared:?}");
    std::fs::remove_dir_all(scratch.path("disk/tiny")).unwrap();
    let filler = disk.fill(3 << 20);
    let log = scratch.path("log");
    let mut sweep = scratch
        .command(&["sweep", "sweep.toml", "--output", "disk"])
        .stdout(Stdio::null())
        .stderr(std::fs::File::create(&log).unwrap())
        .spawn()
        .unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    let message = "training waits, nothing is lost: free some space";
    while !std::fs::read_to_string(&log).unwrap().contains(message) {
        assert!(
            Instant::now() < deadline,
            "{}",
            std::fs::read_to_string(&log).unwrap()
        );
        assert!(
            sweep.try_wait().unwrap().is_none(),
            "{}",
            std::fs::read_to_string(&log).unwrap()
        );
        std::thread::sleep(Duration::from_millis(100));
    }
    std::fs::remove_file(filler).unwrap();
    let ended = sweep.wait().unwrap();
    let log = std::fs::read_to_string(&log).unwrap();
    assert_eq!(ended.code(), Some(0), "{log}");
    assert!(log.contains("there is space on the disk again"), "{log}");
    let rows = |output: &str| -> Vec<(String, u64, String)> {
        let records = Records::open(scratch.path(output).join("tiny/records")).unwrap();
        let rows = records.read::<RunRow>().unwrap().into_iter();
        rows.map(|row| (row.run, row.val_loss.to_bits(), row.weights_hash))
            .collect()
    };
    assert_eq!(rows("disk"), rows("whole"));
    assert_eq!(rows("disk").len(), 2);
}
