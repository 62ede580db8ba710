//! Free knobs in a sweep file: solutions and errors.

use experiment::plan::Plan;
use experiment::sweep_file::Sweep;

const PAPER: &str = include_str!("../../sweeps/paper.toml");

const SMALL: &str = r#"
seeds = [0]
match = { mode = "flops" }
[decoder]
n_layers = 6
seq_len = 32
d_ff_multiple = 16
[sizes.xs]
d_model = 16
n_heads = 2
tokens = 2048
[sizes.s]
d_model = 32
n_heads = 2
tokens = 4096
[blocks.moe]
kind = "mixture_of_experts"
solve = { equal = "params_total", reference = "memory", tolerance = 0.2, knobs = { n_experts = {} } }
[blocks.memory]
kind = "memory"
placement = "middle"
keys = { n_keys = 64, top_k = 4 }
[suites]
vocab_size = 400
[suites.biographies]
[training]
batch_size = 4
learning_rate = 1e-3
table_learning_rate = 1e-3
"#;

const SOLVE: &str = r#"solve = { equal = "params_total", reference = "memory", tolerance = 0.2, knobs = { n_experts = {} } }"#;

fn plan(text: &str) -> Plan {
    Plan::new(Sweep::parse("f.toml", text).unwrap()).unwrap()
}

/// The error of [`SMALL`] with `solve` in place of [`SOLVE`].
fn error_message(solve: &str) -> String {
    assert!(SMALL.contains(SOLVE));
    let text = SMALL.replace(SOLVE, solve);
    Sweep::parse("f.toml", &text).unwrap_err().to_string()
}

#[test]
fn a_block_is_solved_at_each_size() {
    let plan = plan(SMALL);
    for size in plan.runs.chunks(2) {
        let (moe, memory) = (&size[0], &size[1]);
        let matched = moe.solved().unwrap();
        assert_eq!(matched.wanted, memory.cost.params() as f64);
        assert_eq!(matched.reached, moe.cost.params() as f64);
        assert!(matched.deviation().abs() <= 0.2);
        assert_eq!(matched.reference, format!("memory at {}", moe.label.size));
        assert!(memory.solved().is_none());
        // Training FLOPs are matched as well, by tokens.
        assert_eq!(moe.matches.len(), 2);
        assert_eq!(moe.matches[0].target, "train_flops");
        assert_eq!(moe.matches[0].reached, moe.budget.train_flops);
    }
}

#[test]
fn solving_reproduces_the_numbers_of_experts_of_the_paper() {
    let fixed = "n_experts = 4 # overridden at each size; the lowest even number at which the total exceeds that of Memory";
    assert!(PAPER.contains(fixed));
    let rule = r#"solve = { equal = "params_total", reference = "memory", side = "above", tolerance = 0.3, knobs = { n_experts = { multiple_of = 2 } } }"#;
    let mut text = PAPER.replace(fixed, rule);
    for experts in [16, 8, 6, 4] {
        let own = format!("blocks.moe.n_experts = {experts}\n");
        assert!(text.contains(&own));
        text = text.replace(&own, "");
    }
    let plan = plan(&text);
    let moe = plan.runs.iter().filter(|run| run.label.block == "moe");
    let found: Vec<_> = moe
        .map(|run| {
            (
                run.label.size.as_str(),
                run.solved().unwrap().knobs.as_str(),
            )
        })
        .collect();
    assert_eq!(
        found,
        [
            ("134m", "n_experts = 16"),
            ("373m", "n_experts = 8"),
            ("720m", "n_experts = 6"),
            ("1.3b", "n_experts = 4"),
        ]
    );
}

#[test]
fn a_reference_may_be_dense_at_another_size() {
    let text = SMALL.replace(
        SOLVE,
        r#"sizes = ["xs"]
solve = { equal = "flops_per_token", reference_size = "s", tolerance = 0.05, knobs = { d_ff = {} } }
n_experts = 4"#,
    );
    let plan = plan(&text);
    let matched = plan.runs[0].solved().unwrap();
    assert_eq!(matched.reference, "dense at s");
    assert!(matched.deviation().abs() <= 0.05, "{matched:?}");
    assert!(matched.reached > 2.0 * plan.runs[1].cost.training() as f64);
}

#[test]
fn solved_and_given_values_give_equal_configurations() {
    let solved = plan(SMALL);
    let knobs = |plan: &Plan, at: usize| plan.runs[at].solved().unwrap().knobs.clone();
    let text = SMALL
        .replace(SOLVE, &knobs(&solved, 0))
        .replace("[sizes.s]", "[sizes.s]\nblocks.moe.n_experts = 9");
    let given = plan(&text);
    let configuration = |plan: &Plan| harness::run::identity::configuration(&plan.runs[0]).unwrap();
    assert_eq!(configuration(&solved), configuration(&given));
}

#[test]
fn errors_of_the_solver_have_the_line_and_the_nearest_solution() {
    let message = error_message(&SOLVE.replace("tolerance = 0.2, ", "tolerance = 1e-6, "));
    assert!(
        message
            .starts_with("f.toml:18: `blocks.moe.solve` at size xs: cannot bring params_total to "),
        "{message}"
    );
    assert!(
        message.contains("(memory at xs) within 0.0001 %: the nearest is ")
            && message.contains("with n_experts = "),
        "{message}"
    );
    let message = error_message(
        &SOLVE
            .replace("params_total", "bytes_per_token")
            .replace("memory", "dense"),
    );
    assert!(
        message.contains("which is 0 for dense at xs; choose another reference"),
        "{message}"
    );
}

#[test]
fn invalid_requests_are_errors() {
    for (from, to, parts) in [
        (
            "\"memory\"",
            "\"memry\"",
            vec![
                "`blocks.moe.solve.reference` = \"memry\" is not a block at size xs",
                "did you mean `memory`?",
            ],
        ),
        ("\"memory\"", "\"moe\"", vec!["is itself solved for"]),
        (
            "\"memory\"",
            "\"memory\", reference_size = \"xl\"",
            vec!["`blocks.moe.solve.reference_size` = \"xl\" is not a size"],
        ),
        (
            "params_total",
            "params",
            vec![
                "`blocks.moe.solve.equal` = \"params\" is not a valid value",
                "params_total",
            ],
        ),
        (
            "n_experts = {}",
            "n_expert = {}",
            vec![
                "n_expert` is not a knob of the kind",
                "did you mean `n_experts`?",
            ],
        ),
        (
            "n_experts = {}",
            "n_experts = { most = 3 }",
            vec!["most` is not a known key", "at_most"],
        ),
        (
            "n_experts = {}",
            "n_experts = { multiple_of = 0 }",
            vec!["multiple_of` is integer `0`"],
        ),
        (
            "n_experts = {}",
            "layers = {}",
            vec!["requires a centred placement"],
        ),
        (
            "n_experts = {}",
            "n_keys = {}",
            vec![
                "f.toml:18",
                "is not a knob of the kind \"mixture_of_experts\"",
                "n_experts, d_ff, top_k, layers",
            ],
        ),
        (
            "knobs = { n_experts = {} }",
            "knobs = {}",
            vec!["has no free knob"],
        ),
        (
            "tolerance = 0.2",
            "tolerance = -0.2",
            vec!["`blocks.moe.solve.tolerance` = -0.2"],
        ),
        (
            "solve = {",
            "n_experts = 3\nsolve = {",
            vec![
                "f.toml:18: `blocks.moe.n_experts` is given, but `blocks.moe.solve.knobs.n_experts` solves for it",
            ],
        ),
    ] {
        let base = if to == "layers = {}" || to == "n_keys = {}" || to == "knobs = {}" {
            format!("n_experts = 3\n{SOLVE}")
        } else {
            SOLVE.to_owned()
        };
        assert!(base.contains(from), "{from}");
        let message = error_message(&base.replacen(from, to, 1));
        for part in parts {
            let part = if base != SOLVE {
                part.replace(":18", ":19")
            } else {
                part.to_owned()
            };
            assert!(message.contains(&part), "`{part}` is not in: {message}");
        }
    }
}
