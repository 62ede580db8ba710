//! `isoflop slurm`: jobs of Slurm, lines, and Jobs of Kubernetes.

use std::process::Command;

use results::{Records, RunRow};

use crate::scratch::{Ended, Scratch, TINY};

/// Twelve runs of two sizes and two blocks.
fn twelve() -> String {
    TINY.replace("seeds = [0]", "seeds = [0, 1, 2]").replace(
        "[blocks.dense]",
        "[sizes.s]\nd_model = 32\nn_heads = 2\ntokens = 2_000\n\n[blocks.dense]",
    )
}

#[test]
fn arrays_have_the_missing_runs_and_are_limited() {
    let scratch = Scratch::new(&twelve());
    let write = |arguments: &[&str]| {
        let ended =
            scratch.isoflop(&[&["slurm", "sweep.toml", "--throughput", "1T"], arguments].concat());
        assert_eq!(ended.code, Some(0), "{ended:?}");
        ended
    };
    let ended = write(&[
        "--array-size",
        "5",
        "--account",
        "a1",
        "--sbatch-option",
        "qos=low",
        "--set",
        "training.batch_size=2",
    ]);
    assert!(
        ended.out.contains("12 of 12 runs are not finished"),
        "{ended:?}"
    );
    let jobs = scratch.path("runs/tiny/jobs");
    let read = |name: &str| std::fs::read_to_string(jobs.join(name)).unwrap();
    assert!(read("array-1.sh").contains("#SBATCH --array=0-4\n"));
    let last = read("array-3.sh");
    for part in [
        "#SBATCH --array=0-1\n",
        "#SBATCH --account=a1\n#SBATCH --qos=low\n",
        "  s/memory/2\n)",
        "sweep sweep.toml --set 'training.batch_size=2' --output runs --device flex --threads 4 --no-report --quiet --no-wait --run \"$run\"",
    ] {
        assert!(last.contains(part), "{part} is not in:\n{last}");
    }
    assert!(read("submit.sh").contains("for script in array-1.sh array-2.sh array-3.sh; do"));
    assert!(jobs.join("logs").is_dir());

    // What is finished is no longer in the list, and neither is an array of the earlier one.
    let ended = scratch.isoflop(&[
        "sweep",
        "sweep.toml",
        "--quiet",
        "--no-report",
        "--seed",
        "0,1",
    ]);
    assert_eq!((ended.code, ended.out.as_str()), (Some(0), ""), "{ended:?}");
    write(&[]);
    assert!(
        read("array-1.sh")
            .contains("runs=(\n  xs/dense/2\n  xs/memory/2\n  s/dense/2\n  s/memory/2\n)")
    );
    assert!(!jobs.join("array-2.sh").exists());
}

#[test]
fn lines_execute_one_run_each() {
    let scratch = Scratch::new(TINY);
    let ended = scratch.isoflop(&[
        "slurm",
        "sweep.toml",
        "--format",
        "lines",
        "--throughput",
        "1T",
    ]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(
        ended.err.contains("report sweep.toml --output runs"),
        "{ended:?}"
    );
    assert!(!scratch.path("runs/tiny/jobs").exists());
    let lines: Vec<&str> = ended.out.lines().collect();
    assert_eq!(lines.len(), 2);
    let mut shell = Command::new("sh");
    shell.current_dir(scratch.path("")).args(["-c", lines[1]]);
    let executed = Ended::new(shell.output().unwrap());
    assert_eq!(executed.code, Some(0), "{executed:?}");
    let records = Records::open(scratch.path("runs/tiny/records")).unwrap();
    let rows = records.read::<RunRow>().unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].block, "memory");
    assert!(!scratch.path("runs/tiny/report.html").exists());
}

#[test]
fn a_template_of_ones_own_is_used() {
    let scratch = Scratch::new(TINY);
    let built_in = scratch.isoflop(&["slurm", "--print-template"]).out;
    let edited = built_in.replace("container=()", "container=(apptainer exec --nv image.sif)");
    assert_ne!(edited, built_in);
    std::fs::write(scratch.path("mine.sh"), edited).unwrap();
    let write = |arguments: &[&str]| {
        scratch.isoflop(&[&["slurm", "sweep.toml", "--throughput", "1T"], arguments].concat())
    };
    assert_eq!(write(&["--template", "mine.sh"]).code, Some(0));
    for script in ["array-1.sh", "report.sh"] {
        let text = std::fs::read_to_string(scratch.path("runs/tiny/jobs").join(script)).unwrap();
        assert!(
            text.contains("\ncontainer=(apptainer exec --nv image.sif)\n"),
            "{text}"
        );
    }
    std::fs::write(scratch.path("wrong.sh"), "{{ nmae }}\n").unwrap();
    for (arguments, message) in [
        (
            &["--template", "wrong.sh"][..],
            "wrong.sh:1 uses an unknown variable",
        ),
        (&["--template", "none.sh"], "none.sh"),
        (&["--device", "cuda"], "add --device-kind"),
        (&["--sbatch-option", "a\nb"], "control character"),
        (&["--format", "lines", "--submit"], "--format is another"),
        (&["--format", "kubernetes"], "--image is required"),
        (
            &["--device-memory", "50kB"],
            "fits no number of these devices",
        ),
        (&["--run", "xs/dense/7"], "xs/dense/0"),
    ] {
        let ended = write(arguments);
        assert!(
            matches!(ended.code, Some(1 | 2)) && ended.out.is_empty(),
            "{ended:?}"
        );
        assert!(ended.err.contains(message), "{ended:?}");
    }
}

#[test]
fn kubernetes_has_a_job_for_each_group() {
    let scratch = Scratch::new(TINY);
    let ended = scratch.isoflop(&[
        "slurm",
        "sweep.toml",
        "--format",
        "kubernetes",
        "--image",
        "isoflop:1",
        "--volume-claim",
        "runs",
        "--device",
        "cuda",
        "--device-kind",
        "h100",
    ]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let jobs = yaml_rust2::YamlLoader::load_from_str(&ended.out).unwrap();
    assert_eq!(jobs.len(), 2);
    let container = &jobs[0]["spec"]["template"]["spec"]["containers"][0];
    assert_eq!(
        container["resources"]["limits"]["nvidia.com/gpu"].as_i64(),
        Some(1)
    );
    let script = container["args"][0].as_str().unwrap();
    assert!(
        script.contains("exec isoflop sweep sweep.toml --output runs --device cuda"),
        "{script}"
    );
}

#[test]
#[cfg(target_os = "linux")]
fn a_real_array_ends_after_a_request_to_stop_and_a_kill() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/slurm/array.sh");
    let mut test = Command::new("bash");
    let ended = Ended::new(
        test.args([script, env!("CARGO_BIN_EXE_isoflop")])
            .output()
            .unwrap(),
    );
    match ended.code {
        // The reason is in the output of `cargo test -- --nocapture`.
        Some(77) => eprintln!("skipped: {}", ended.err),
        code => assert_eq!(code, Some(0), "{}\n{}", ended.out, ended.err),
    }
}
