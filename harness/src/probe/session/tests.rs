//! The loop over parts: rows, failures and interruption.

use super::*;
use crate::probe::grid;
use crate::record::provenance::Provenance;
use crate::run::progress::Quiet;
use architectures::Part;
use experiment::plan::Plan;
use experiment::sweep_file::Sweep;

#[test]
fn a_part_or_a_device_that_panics_is_a_failed_row_and_the_next_is_measured() {
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
        measure_peaks: |_, _, _| panic!("no device"),
        memory: DeviceMemory::of(architectures::DeviceName::Flex, Some(64 << 20)).unwrap(),
        budget: Duration::from_secs(600),
        begun: Instant::now(),
        again: false,
        training: &plan.runs[0].training,
        interrupt: &Interrupt::default(),
    };
    let mut progress = Quiet;
    let states = |rows: &[ProbeRow]| {
        rows.iter()
            .map(|row| row.status.clone())
            .collect::<Vec<_>>()
    };
    // A device that fails in the measurement of its peak rates is a row of every part.
    let (conclusion, rows) = session
        .run(&parts[..2], (&[], &all), &mut progress)
        .unwrap();
    assert_eq!(conclusion, Conclusion::SomeFailed);
    assert_eq!(states(&rows), [FAILED; 4]);
    let reason = "peak rates of the device: panicked: no device";
    assert!(rows.iter().all(|row| row.reason == reason), "{rows:?}");
    assert_eq!(records.read::<ProbeRow>().unwrap().len(), 4);

    let session = Session {
        measure_peaks: Peaks::measure,
        ..session
    };
    let (conclusion, rows) = session
        .run(&parts[..2], (&[], &all), &mut progress)
        .unwrap();
    assert_eq!(conclusion, Conclusion::SomeFailed);
    assert_eq!(states(&rows), [FAILED, FAILED, FINISHED, FINISHED]);
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
    assert_eq!(states(&rows), [SKIPPED, SKIPPED, FINISHED, FINISHED]);
}
