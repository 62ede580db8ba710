//! Sources of the speeds of `plan`: a stated speed, a probe of the same model, an assumption.

use architectures::DeviceName;
use experiment::device_kind::DeviceKind;
use experiment::memory_need::NumericFormat;
use experiment::plan::{Plan, Run};
use experiment::speed::Speed;
use experiment::sweep_file::Sweep;
use harness::probe::speeds::{Speeds, TrainedOn};
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
        device: "flex".to_owned(),
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
    let gathered =
        |stated, on: TrainedOn| Speeds::gather(&folders, DeviceName::Flex.open(), stated, on);
    let speeds = |stated| gathered(stated, TrainedOn::ThisMachine);
    assert_eq!(speeds(None).of(probed), Speed::Probed(4.0));
    assert!(matches!(speeds(None).of(other), Speed::Product(rate) if rate > 1e6));
    assert_eq!(speeds(Some(7.0)).of(probed), Speed::Stated(7.0));
    assert_eq!(speeds(Some(7.0)).of(other), Speed::Stated(7.0));
    // What this machine's processor does says nothing about another device, unless the records are said to be of it.
    let on = |recorded_as: Option<&str>| TrainedOn::Kind {
        kind: DeviceKind::named("h100").unwrap(),
        utilisation: 0.5,
        format: Some(NumericFormat::Bf16),
        recorded_as: recorded_as.map(str::to_owned),
    };
    let dense = gathered(None, on(None)).of(of("134m", "dense"));
    assert_eq!(dense, Speed::Datasheet(0.5 * 989.4e12));
    assert!(dense.is_rough());
    // Rows of tables take time beside the products.
    let with_table = gathered(None, on(None)).of(probed);
    let bytes = 8.0 * probed.cost.bytes_gathered as f64 / 3.35e12;
    let flops = probed.cost.training() as f64;
    let expected = flops / (flops / (0.5 * 989.4e12) + bytes);
    assert!(bytes > 0.0 && (with_table.rate() / expected - 1.0).abs() < 1e-12);
    assert_eq!(
        gathered(None, on(Some("flex"))).of(probed),
        Speed::Probed(4.0)
    );
    assert_eq!(
        gathered(None, on(Some("cuda"))).of(probed),
        Speed::Datasheet(with_table.rate())
    );
}
