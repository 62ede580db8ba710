//! The tables of `docs/findings.md` are those of the recorded sweeps.

use std::fs;
use std::path::Path;

use reports::plain_table::{against, comparison, comparison_in_markdown};
use results::Records;

/// What is between `<!-- begin NAME -->` and `<!-- end -->` of the document is what the records of sweep NAME give, and after
/// `<!-- begin NAME TABLE -->` one table of them, such as `differences` or `against SIZE/BLOCK`. To write it again: `isoflop report NAME --output results/measured --markdown FILE`
/// or `--tables DIR`.
#[test]
fn the_tables_of_the_findings_are_those_of_the_records() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let text = fs::read_to_string(root.join("docs/findings.md")).unwrap();
    let mut tables = 0;
    for part in text.split("<!-- begin ").skip(1) {
        let (name, rest) = part.split_once(" -->\n").expect("a name");
        let (written, _) = rest.split_once("<!-- end -->").expect("an end");
        let (name, table) = name.split_once(' ').unwrap_or((name, ""));
        let records = root.join("results/measured").join(name).join("records");
        let frames = Records::open(records).unwrap().read_for_reports().unwrap();
        let reference = table
            .strip_prefix("against ")
            .and_then(|at| at.split_once('/'));
        let given = match reference {
            Some((size, block)) => against(&frames, size, block).unwrap().markdown(),
            None if table.is_empty() => comparison_in_markdown(&frames),
            _ => comparison(&frames)
                .iter()
                .find(|other| other.name == table)
                .unwrap_or_else(|| panic!("{name} has no table {table}"))
                .markdown(),
        };
        assert_eq!(written.trim(), given.trim(), "{name} {table}");
        tables += 1;
    }
    assert!(tables >= 2);
}
