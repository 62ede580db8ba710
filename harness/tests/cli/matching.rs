//! `isoflop match`, and solved knobs in `isoflop plan`.

use crate::scratch::{Scratch, TINY};

#[test]
fn match_prints_the_solution_and_its_deviation() {
    let scratch = Scratch::new("");
    let arguments = [
        "match",
        "paper",
        "--block",
        "moe",
        "--equal",
        "params_total",
    ];
    let to_memory = [
        &arguments[..],
        &[
            "--reference",
            "memory",
            "--side",
            "above",
            "--knob",
            "n_experts:multiple_of=2",
        ],
    ]
    .concat();
    let ended = scratch.isoflop(&[&to_memory[..], &["--tolerance", "0.3"]].concat());
    assert_eq!(ended.code, Some(0), "{ended:?}");
    for part in [
        "n_experts = 16",
        "n_experts = 8",
        "n_experts = 6",
        "n_experts = 4",
        "memory at 1.3b",
        "+26.81 %",
    ] {
        assert!(
            ended.out.contains(part),
            "`{part}` is not in: {}",
            ended.out
        );
    }
    let ended = scratch.isoflop(&[&to_memory[..], &["--size", "373m"]].concat());
    assert_eq!(ended.code, Some(2), "{ended:?}");
    for part in [
        "--block moe at size 373m",
        "1.44 G",
        "within 1 %",
        "nearest is 1.83 G (+26.81 %) with n_experts = 8",
    ] {
        assert!(
            ended.err.contains(part),
            "`{part}` is not in: {}",
            ended.err
        );
    }
    for (invalid, message) in [
        (
            vec!["--knob", "n_expert"],
            "n_expert is not a knob of this block; choose from: n_experts",
        ),
        (
            vec!["--knob", "n_experts", "--reference", "memry"],
            "did you mean `memory`?",
        ),
        (
            vec!["--knob", "n_experts", "--size", "373M"],
            "did you mean `373m`?",
        ),
        (
            vec!["--knob", "n_keys"],
            "n_keys is not a knob of this block",
        ),
        (
            vec!["--knob", "n_experts", "--tolerance", "nan"],
            "0.01 for one percent",
        ),
    ] {
        let ended = scratch.isoflop(&[&arguments[..], &invalid].concat());
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert!(
            ended.err.contains(message),
            "`{message}` is not in: {}",
            ended.err
        );
    }
}

#[test]
fn the_plan_has_solved_knobs() {
    let text = TINY.replace("n_keys = 8, ", "").replace(
        "[blocks.memory]",
        "[blocks.memory]\nsolve = { equal = \"params_total\", reference = \"wide\", tolerance = 0.05, knobs = { n_keys = {} } }",
    ) + "\n[blocks.wide]\nkind = \"mixture_of_experts\"\nn_experts = 8\n";
    let scratch = Scratch::new(&text);
    let ended = scratch.isoflop(&["plan", "sweep.toml"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(
        ended.out.contains("wide at xs") && ended.out.contains("n_keys = "),
        "{}",
        ended.out
    );
    let out = scratch
        .isoflop(&["plan", "sweep.toml", "--json", "--only", "memory"])
        .out;
    let rows: Vec<serde_json::Value> = serde_json::from_str(&out).unwrap();
    assert_eq!(rows[0]["solved_target"], "params_total");
    assert_eq!(
        rows[0]["solved_reached"].as_f64(),
        rows[0]["params_total"].as_f64()
    );
}
