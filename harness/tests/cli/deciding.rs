//! `isoflop sweep --until-decided`.

use results::Records;

use crate::scratch::{Scratch, TINY};

fn seeds(scratch: &Scratch) -> Vec<(String, u64)> {
    let records = Records::open(scratch.path("runs/tiny/records")).unwrap();
    let frames = records.read_all().unwrap();
    let runs = frames.runs().iter();
    runs.map(|run| (run.block.clone(), run.seed)).collect()
}

#[test]
fn seeds_are_added_until_the_limit_and_belong_to_the_report() {
    // A difference of nothing can be within, so that only a limit ends it.
    let section = "[decide]\nquantity = \"validation_loss\"\nmax_seeds = 4\nequal_within = 1e-9\n";
    let scratch = Scratch::new(&format!("{TINY}\n{section}"));
    let arguments = ["sweep", "sweep.toml", "--until-decided", "--threads", "1"];
    let first = scratch.isoflop(&arguments);
    assert_eq!(first.code, Some(0), "{first:?}");
    let all = |block: &'static str| (0..4).map(move |seed| (block.to_owned(), seed));
    assert_eq!(
        seeds(&scratch),
        all("dense").chain(all("memory")).collect::<Vec<_>>()
    );
    assert!(first.out.contains("open after all seeds"), "{first:?}");
    let page = std::fs::read_to_string(scratch.path("runs/tiny/report.html")).unwrap();
    assert!(page.contains("Verdicts over seeds") && page.contains("any number"));

    let again = scratch.isoflop(&arguments);
    assert_eq!(again.code, Some(0), "{again:?}");
    assert_eq!(seeds(&scratch).len(), 8);
    assert!(!again.err.contains(": step "), "{again:?}");
    // The same command without the option executes the seeds of the file alone.
    let status = scratch.isoflop(&["status", "sweep.toml"]);
    assert!(status.out.contains("2 of 2 runs finished"), "{status:?}");
}

#[test]
fn added_seeds_stop_at_their_budget() {
    let section = "[decide]\nquantity = \"validation_loss\"\nmax_seeds = 9\nmax_flops = 1.0\n";
    let scratch = Scratch::new(&format!("{TINY}\n{section}"));
    let ended = scratch.isoflop(&["sweep", "sweep.toml", "--until-decided", "--threads", "1"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(seeds(&scratch).len(), 4, "one further seed spends it");
    assert!(ended.err.contains("decide.max_flops"), "{ended:?}");
}

#[test]
fn without_a_section_the_option_is_an_error_that_names_it() {
    let scratch = Scratch::new(TINY);
    let ended = scratch.isoflop(&["sweep", "sweep.toml", "--until-decided"]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.err.contains("has no section [decide]"), "{ended:?}");
}
