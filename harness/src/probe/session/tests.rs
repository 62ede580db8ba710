//! The loop over parts: rows, failures and interruption.

use super::*;
use crate::probe::grid;
use crate::record::provenance::Provenance;
use crate::run::progress::Quiet;
use architectures::Part;
use experiment::plan::Plan;
use experiment::sweep_file::Sweep;

#[test]
fn a_part_that_panics_is_a_failed_row_and_the_next_is_measured() {
    let plan = Plan::new(Sweep::parse("f.toml", experiment::testing::SWEEP).unwrap()).unwrap();
    let all = grid::targets(&plan, 8).unwrap();
    let mut parts = grid::parts_to_time(&all[..1], &all, &|_| false);
    // An odd key_dim, which the checks of a sweep file reject.
    let invalid = r#"{"kind": "memory", "keys": {"n_keys": 4, "top_k": 4, "key_dim": 3}}"#;
    parts[0].kind = Part::Block(serde_json::from_str(invalid).unwrap());
    let folder = tempfile::tempdir().unwrap();
    let records = Records::open(folder.path()).unwrap();
    let session = Session {
        records: &records,
        row_context: ProbeRowContext {
            sweep: "f".to_owned(),
            labels: Vec::new(),
            tokens: 8,
            provenance: Provenance::gather(),
            device: "flex".to_owned(),
            threads: 1,
        },
        device: &Device::flex(),
        memory: DeviceMemory::of(architectures::DeviceName::Flex, Some(64 << 20)).unwrap(),
        budget: Duration::from_secs(600),
        begun: Instant::now(),
        again: false,
        training: &plan.runs[0].training,
        interrupt: &Interrupt::default(),
    };
    let mut progress = Quiet;
    let (conclusion, rows) = session
        .run(&parts[..2], (&[], &all), &mut progress)
        .unwrap();
    assert_eq!(conclusion, Conclusion::SomeFailed);
    let states: Vec<_> = rows.iter().map(|row| row.status.as_str()).collect();
    assert_eq!(states, [FAILED, FAILED, FINISHED, FINISHED]);
    assert!(rows[0].reason.starts_with("panicked: "), "{:?}", rows[0]);
    assert_eq!(records.read::<ProbeRow>().unwrap().len(), 4);

    let without_time = Session {
        budget: Duration::ZERO,
        again: true,
        ..session
    };
    let (_, rows) = without_time
        .run(&parts[..2], (&[], &all), &mut progress)
        .unwrap();
    let states: Vec<_> = rows.iter().map(|row| row.status.as_str()).collect();
    assert_eq!(states, [SKIPPED, SKIPPED, FINISHED, FINISHED]);
}
