use super::*;
use crate::cluster::resources::Resources;

const LOGS: &str = "/data/100% \"it's\"/logs";

fn group(devices: u64, runs: &[&str]) -> Group {
    Group {
        resources: Resources {
            devices,
            nodes: 2,
            devices_per_node: 8,
            memory_gib: 96,
            minutes: 1560,
        },
        runs: runs.iter().map(|run| (*run).to_owned()).collect(),
    }
}

fn variables<F>(of_format: F) -> Variables<'static, F> {
    Variables {
        name: "my_Sweep",
        folder: "/data/my folder",
        command: "isoflop sweep 'a b.toml'",
        report_command: "isoflop report 'a b.toml'",
        threads: 4,
        uses_gpus: true,
        grace_seconds: 120,
        at_once: 3,
        of_format,
    }
}

fn slurm(template: &str, group: Option<&Group>) -> Result<String, Error> {
    let options = ["partition=long".to_owned()];
    let of_format = OfSlurm {
        group,
        logs: LOGS,
        options: &options,
        claim_seconds: 190,
    };
    render("t.sh", template, &variables(of_format))
}

#[test]
fn a_job_of_slurm_states_its_requirements() {
    let group = group(16, &["s/dense/0", "it's/$x `y`/1"]);
    let script = slurm(SLURM, Some(&group)).unwrap();
    for line in [
        "#SBATCH --array=0-1%3",
        "#SBATCH --nodes=2",
        "#SBATCH --ntasks=16",
        "#SBATCH --ntasks-per-node=8",
        "#SBATCH --gpus-per-node=8",
        "#SBATCH --mem=96G",
        "#SBATCH --time=1-02:00:00",
        "#SBATCH --signal=B:TERM@120",
        "#SBATCH --partition=long",
        "cd '/data/my folder' || exit 1",
        "#SBATCH --output=\"/data/100%% \\\"it's\\\"/logs/%A_%a.log\"",
    ] {
        let found = script.lines().any(|found| found == line);
        assert!(found, "{line} is not in:\n{script}");
    }
    assert!(script.starts_with("#!/bin/bash\n#SBATCH"), "{script}");
    // Options behind the first command are not read.
    let (options, commands) = script.split_at(script.rfind("#SBATCH").unwrap());
    assert!(options.lines().all(|line| line.starts_with('#')));
    assert!(commands.contains("execute srun --mpi=pmix --ntasks=16 \"${container[@]}\""));
    assert!(commands.contains("    isoflop sweep 'a b.toml' --run \"$run\""));
    let report = slurm(SLURM, None).unwrap();
    assert!(report.contains("isoflop report 'a b.toml'") && !report.contains("--array"));
}

#[test]
#[cfg(unix)]
fn a_script_is_valid_and_a_shell_reads_the_runs_as_they_are() {
    use std::process::Command;
    let group = group(1, &["s/dense/0", "it's/$x `y`/1"]);
    for script in [slurm(SLURM, Some(&group)), slurm(SLURM, None)] {
        let mut check = Command::new("bash");
        let checked = check.args(["-n", "-c", &script.unwrap()]).output().unwrap();
        assert!(checked.status.success(), "{checked:?}");
    }
    let script = slurm(SLURM, Some(&group)).unwrap();
    let start = script.find("runs=(").unwrap();
    let end = start + script[start..].find("\n)").unwrap() + 2;
    let print = format!("{}\nprintf %s \"${{runs[1]}}\"", &script[start..end]);
    let printed = Command::new("bash").args(["-c", &print]).output().unwrap();
    assert_eq!(String::from_utf8(printed.stdout).unwrap(), group.runs[1]);
}

#[test]
fn jobs_of_kubernetes_are_yaml() {
    let groups = [
        group(8, &["s/dense/0", "it's: #1\t/\"m+\"/1"]),
        group(1, &["l/dense/0"]),
    ];
    let of_format = OfKubernetes {
        groups: &groups,
        image: "registry.example/isoflop:1",
        volume_claim: "runs",
    };
    let text = render("t.yaml", KUBERNETES, &variables(of_format)).unwrap();
    let documents = yaml_rust2::YamlLoader::load_from_str(&text).unwrap();
    // The report is the last.
    assert_eq!(documents.len(), 3);
    for (job, group) in documents.iter().zip(&groups) {
        assert_eq!(job["kind"].as_str(), Some("Job"));
        let spec = &job["spec"];
        assert_eq!(spec["completionMode"].as_str(), Some("Indexed"));
        let runs = group.runs.len() as i64;
        assert_eq!(spec["completions"].as_i64(), Some(runs));
        assert_eq!(spec["parallelism"].as_i64(), Some(runs));
        let pod = &spec["template"]["spec"];
        assert_eq!(pod["restartPolicy"].as_str(), Some("Never"));
        let container = &pod["containers"][0];
        let image = container["image"].as_str();
        assert_eq!(image, Some("registry.example/isoflop:1"));
        assert_eq!(container["workingDir"].as_str(), Some("/data/my folder"));
        let gpus = container["resources"]["limits"]["nvidia.com/gpu"].as_i64();
        assert_eq!(gpus, Some(group.resources.devices as i64));
        let script = container["args"][0].as_str().unwrap();
        for run in &group.runs {
            assert!(script.contains(&quoted(run)), "{script}");
        }
    }
    assert_eq!(
        documents[1]["metadata"]["name"].as_str(),
        Some("my-sweep-2")
    );
    assert_eq!(documents[2]["spec"]["suspend"].as_bool(), Some(true));
}

#[test]
fn errors_of_a_template_name_its_line() {
    let message = |template| slurm(template, None).unwrap_err().to_string();
    let unknown = message("a\n{{ nodes_ }}\n");
    assert!(
        unknown.starts_with("t.sh:2 uses an unknown variable"),
        "{unknown}"
    );
    let invalid = message("{% if %}");
    assert!(invalid.starts_with("t.sh:1 is invalid"), "{invalid}");
    let filter = message("{{ name | rot13 }}");
    assert!(
        filter.contains("is invalid") && filter.contains("rot13"),
        "{filter}"
    );
}

#[test]
fn names_and_times_are_written_as_schedulers_read_them() {
    assert_eq!(clock(30), "0-00:30:00");
    assert_eq!(clock(1560), "1-02:00:00");
    assert_eq!(
        (dns("My_Sweep"), dns("__")),
        ("my-sweep".into(), "sweep".into())
    );
    assert_eq!(pattern("/a/b", "/%j"), "/a/b/%j");
}
