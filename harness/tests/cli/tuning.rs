//! `[tune]`, `match.split`, facts of their own for each seed, and `isoflop forecast`, end to end.

use results::Records;

use crate::scratch::{Scratch, TINY};

const TUNE: &str = "[tune]\nseed = 9\nlearning_rate = [1e-3, 3e-3, 9e-3]\ntable_ratio = [1, 3, 9]\nextensions = 0\n";

#[test]
fn settings_are_searched_once_and_the_runs_carry_their_trials() {
    let scratch = Scratch::new(&format!("{TINY}\n{TUNE}"));
    let plan = scratch.isoflop(&["plan", "sweep.toml"]);
    assert!(
        plan.out
            .contains("search of training settings: 9 trials of"),
        "{plan:?}"
    );
    let ended = scratch.isoflop(&["sweep", "sweep.toml", "--threads", "1"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let frames = Records::open(scratch.path("runs/tiny/records"))
        .unwrap()
        .read_all()
        .unwrap();
    assert_eq!(frames.runs().len(), 2);
    // Three rates for each block, and three ratios for the one with a table.
    assert_eq!(frames.trials().len(), 3 + 3 + 3);
    for run in frames.runs() {
        let own = frames.trials().iter().filter(|trial| trial.run == run.run);
        let picked = own
            .clone()
            .find(|trial| trial.setting == "learning_rate")
            .unwrap()
            .picked;
        assert!(
            run.config.contains(&format!("\nlearning_rate = {picked}")),
            "{}",
            run.config
        );
        assert!(
            run.config
                .contains("tuned = [\"learning_rate\", \"table_learning_rate\"]")
        );
        assert!(own.clone().all(|trial| trial.trial != run.run));
    }
    let trials = Records::open(scratch.path("runs/tiny-tuning/records"))
        .unwrap()
        .read_all()
        .unwrap();
    assert_eq!(trials.runs().len(), 9);
    assert!(trials.runs().iter().all(|run| run.seed == 9));
    let page = std::fs::read_to_string(scratch.path("runs/tiny/report.html")).unwrap();
    assert!(page.contains("figure-tuning") && page.contains("Charge, %"));
    // Searched settings may differ between blocks; the comparison is one nevertheless.
    assert!(!page.contains("Left out, as"));

    let again = scratch.isoflop(&["tune", "sweep.toml", "--threads", "1"]);
    assert_eq!(again.code, Some(0), "{again:?}");
    assert!(
        again.out.contains("learning_rate") && !again.err.contains("trials"),
        "{again:?}"
    );
    let status = scratch.isoflop(&["status", "sweep.toml"]);
    assert!(status.out.contains("2 of 2 runs finished"), "{status:?}");
    let compared = scratch.isoflop(&["compare", "tiny", "--json"]);
    assert!(compared.out.contains("\"metric\""), "{compared:?}");

    // Published records are read like those of the runs, trials included.
    let merged = scratch.isoflop(&["report", "sweep.toml", "--merged", "published"]);
    assert_eq!(merged.code, Some(0), "{merged:?}");
    let report = scratch.isoflop(&["report", "sweep.toml", "--output", "published"]);
    assert!(
        report.out.contains("dense") && report.out.contains("memory"),
        "{report:?}"
    );
}

#[test]
fn workers_share_a_search() {
    let scratch = Scratch::new(&format!("{TINY}\n{TUNE}"));
    let ended = scratch.isoflop(&["sweep", "sweep.toml", "--jobs", "2", "--threads", "2"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let status = scratch.isoflop(&["status", "sweep.toml"]);
    assert!(status.out.contains("2 of 2 runs finished"), "{status:?}");
}

#[test]
fn a_lead_is_divided_and_each_seed_has_its_own_facts() {
    let text = TINY
        .replace("mode = \"flops\"", "mode = \"flops\", split = true")
        .replace("seeds = [0]", "seeds = [0, 1]")
        .replace("vocab_size = 320", "vocab_size = 320\nseed = \"run\"");
    let scratch = Scratch::new(&text);
    let ended = scratch.isoflop(&["sweep", "sweep.toml", "--threads", "1"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let frames = Records::open(scratch.path("runs/tiny/records"))
        .unwrap()
        .read_all()
        .unwrap();
    assert_eq!(frames.runs().len(), 8);
    assert_eq!(
        frames
            .runs()
            .iter()
            .filter(|run| run.matching == "split")
            .count(),
        4
    );
    let data = |seed: u64| {
        let own = frames.runs().iter().filter(move |run| run.seed == seed);
        let mut data: Vec<&str> = own.map(|run| run.data_fingerprint.as_str()).collect();
        data.dedup();
        data
    };
    assert!(data(0).len() == 1 && data(1).len() == 1 && data(0) != data(1));
    let page = std::fs::read_to_string(scratch.path("runs/tiny/report.html")).unwrap();
    assert!(page.contains("Leads divided") && page.contains("Better per token"));
    assert!(
        !page.contains("Left out, as"),
        "seeds are compared within their facts"
    );
}

#[test]
fn a_forecast_is_sealed_before_its_budget_and_scored_after() {
    let sizes = "[sizes.xs]\nd_model = 16\nn_heads = 2\nflops = [2e8, 4e8, 8e8]\n";
    let start = TINY.find("[sizes.xs]").unwrap();
    let end = TINY.find("[blocks.dense]").unwrap();
    let of = |sizes: &str| {
        format!("{}{sizes}\n{}", &TINY[..start], &TINY[end..]).replace("[0]", "[0, 1]")
    };
    let scratch = Scratch::new(&of(sizes));
    let early = scratch.isoflop(&["forecast", "sweep.toml", "--at", "1.6e9"]);
    assert_eq!(early.code, Some(1), "nothing is recorded: {early:?}");
    let swept = scratch.isoflop(&["sweep", "sweep.toml", "--threads", "1"]);
    assert_eq!(swept.code, Some(0), "{swept:?}");
    let far = scratch.isoflop(&["forecast", "sweep.toml", "--at", "1e12"]);
    assert!(
        far.code == Some(2) && far.err.contains("8 times the largest budget"),
        "{far:?}"
    );
    let done = scratch.isoflop(&["forecast", "sweep.toml", "--at", "8e8"]);
    assert!(
        done.err.contains("is not above the largest budget done"),
        "{done:?}"
    );
    let made = scratch.isoflop(&["forecast", "sweep.toml", "--at", "1.6e9", "--seeds", "2"]);
    assert_eq!(made.code, Some(0), "{made:?}");
    assert!(
        made.out.contains("validation loss, block − dense"),
        "{made:?}"
    );
    let file = scratch.path("runs/tiny/forecasts/0001.json");
    let page = || std::fs::read_to_string(scratch.path("runs/tiny/report.html")).unwrap();
    scratch.isoflop(&["report", "sweep.toml"]);
    assert!(page().contains("not trained yet"));

    std::fs::write(
        scratch.path("sweep.toml"),
        of(&sizes.replace("8e8]", "8e8, 1.6e9]")),
    )
    .unwrap();
    let after = scratch.isoflop(&["sweep", "sweep.toml", "--threads", "1"]);
    assert_eq!(after.code, Some(0), "{after:?}");
    assert!(page().contains("Coverage of all forecasts") && !page().contains("not trained yet"));

    scratch.isoflop(&["report", "sweep.toml", "--merged", "published"]);
    let published = scratch.path("published/tiny/forecasts/0001.json");
    assert_eq!(
        std::fs::read(published).unwrap(),
        std::fs::read(&file).unwrap()
    );

    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replacen("\"seeds\": 2", "\"seeds\": 3", 1)).unwrap();
    let changed = scratch.isoflop(&["report", "sweep.toml"]);
    assert!(
        changed
            .err
            .contains("0001.json was changed after it was sealed"),
        "{changed:?}"
    );
}
