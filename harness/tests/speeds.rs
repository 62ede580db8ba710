//! Sources of the speeds of `plan`: a stated speed, a probe of the same model, an assumption.

use architectures::DeviceName;
use experiment::plan::{Plan, Run};
use experiment::speed::Speed;
use experiment::sweep_file::Sweep;
use harness::probe::speeds::Speeds;
use harness::record::folders::Folders;
use results::{ProbeRow, Records};

fn probe(name: &str, of: &Run, basis: &str, started: &str, flop_per_s: f64) -> ProbeRow {
    ProbeRow {
        run: name.to_owned(),
        size: of.label.size.clone(),
        block: of.label.block.clone(),
        table_slots: 0,
        phase: "step".to_owned(),
        basis: basis.to_owned(),
        status: "finished".to_owned(),
        reason: String::new(),
        d_model: of.model.decoder.d_model as u64,
        tokens: 1,
        repeats: 1,
        seconds: 1.0,
        seconds_low: 1.0,
        seconds_high: 1.0,
        tokens_per_s: 1.0,
        flops: 1.0,
        bytes: 1.0,
        flop_per_s,
        bytes_per_s: 1.0,
        peak_flop_per_s: 1.0,
        peak_bytes_per_s: 1.0,
        peak_memory_bytes: 1,
        needed_memory_bytes: 1,
        params_dense: of.cost.params_dense,
        params_table: of.cost.params_table,
        numeric_format: Default::default(),
        flop_convention: String::new(),
        device: name.to_owned(),
        threads: 1,
        commit: String::new(),
        dirty: false,
        version: String::new(),
        started: started.to_owned(),
        command: String::new(),
    }
}

#[test]
fn a_stated_speed_precedes_a_probe_and_a_probe_precedes_an_assumption() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../sweeps/paper.toml");
    let plan = Plan::new(Sweep::load(file).unwrap()).unwrap();
    let of = |size: &str, block: &str| {
        let found = |run: &&Run| run.label.size == size && run.label.block == block;
        plan.runs.iter().find(found).unwrap()
    };
    let (probed, other) = (of("1.3b", "memory+4m"), of("373m", "memory+"));
    let output = tempfile::tempdir().unwrap();
    let records = Records::open(output.path().join("probes/records")).unwrap();
    let mut foreign = probe("foreign", other, "derived", "2026-01-01T00:00:00Z", 9.0);
    foreign.params_table += 1;
    for row in [
        probe("older", probed, "derived", "2026-01-01T00:00:00Z", 3.0),
        probe("newer", probed, "derived", "2026-01-02T00:00:00Z", 4.0),
        probe("layer", probed, "measured", "2026-01-03T00:00:00Z", 5.0),
        foreign,
    ] {
        records.write(&row.run.clone(), &[row]).unwrap();
    }
    let folders = Folders::new(output.path(), "paper");
    let speeds = |stated| Speeds::gather(&folders, DeviceName::Flex.open(), stated);
    assert_eq!(speeds(None).of(probed), Speed::Probed(4.0));
    assert!(matches!(speeds(None).of(other), Speed::Assumed(rate) if rate > 1e6));
    assert_eq!(speeds(Some(7.0)).of(probed), Speed::Stated(7.0));
    assert_eq!(speeds(Some(7.0)).of(other), Speed::Stated(7.0));
}
