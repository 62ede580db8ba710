//! `isoflop init`, `completions` and `man`.

use crate::scratch::Scratch;

#[test]
fn a_new_sweep_file_can_be_planned_and_is_never_replaced() {
    let scratch = Scratch::new("");
    let written = scratch.isoflop(&["init", "new.toml"]);
    assert_eq!(
        (written.code, written.out.trim()),
        (Some(0), "new.toml"),
        "{written:?}"
    );
    let plan = scratch.isoflop(&["plan", "new.toml"]);
    assert!(plan.out.starts_with("my-sweep: 6 runs"), "{plan:?}");
    std::fs::write(scratch.path("new.toml"), "mine").unwrap();
    let again = scratch.isoflop(&["init", "new.toml"]);
    assert_eq!(again.code, Some(2), "{again:?}");
    assert!(
        again.err.contains("new.toml exists; give another path"),
        "{again:?}"
    );
    assert_eq!(
        std::fs::read_to_string(scratch.path("new.toml")).unwrap(),
        "mine"
    );
    let nowhere = scratch.isoflop(&["init", "absent/new.toml"]);
    assert!(nowhere.err.contains("cannot be written"), "{nowhere:?}");
}

#[test]
fn the_command_line_is_described_for_shells_and_for_man() {
    let scratch = Scratch::new("");
    for shell in ["bash", "zsh", "fish"] {
        let script = scratch.isoflop(&["completions", shell]);
        assert!(script.out.contains("until-decided"), "{shell}");
    }
    let page = scratch.isoflop(&["man"]);
    assert!(
        page.out.contains(".TH isoflop") && page.out.contains("sweep"),
        "{}",
        page.out
    );
}
