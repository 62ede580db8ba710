use super::*;
use std::io::Write;

fn source(names: &[&str]) -> Source {
    Source {
        files: names.iter().map(|name| (*name).to_owned()).collect(),
        ..Source::default()
    }
}

#[test]
fn a_broken_line_is_an_error_that_names_it_or_is_left_out_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.jsonl");
    std::fs::write(&file, "{\"q\": 1}\n{\"q\": \n\n[1]\n{\"q\": 2}\n").unwrap();
    let files = find("t", &source(&["a.jsonl"]), &[folder.path().to_owned()]).unwrap();
    let error = read(&files, &source(&[]), false).unwrap_err().to_string();
    assert!(
        error.contains("a.jsonl:2: is not JSON") && error.contains("--skip-bad"),
        "{error}"
    );
    let found = read(&files, &source(&[]), true).unwrap();
    assert_eq!((found.records.len(), found.skipped.len()), (4, 2));
    let kept: Vec<&Json> = found
        .records
        .iter()
        .filter(|record| !record.is_null())
        .collect();
    assert_eq!(kept.len(), 2);
    assert!(found.skipped[1].contains("a.jsonl:4: is not an object"));
    assert_eq!(kept[1]["file"], "a.jsonl");
}

#[test]
fn gzip_columns_and_labels_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let mut gz = flate2::write::GzEncoder::new(
        File::create(path("b.jsonl.gz")).unwrap(),
        flate2::Compression::fast(),
    );
    gz.write_all(b"{\"q\": \"x\"}\n").unwrap();
    gz.finish().unwrap();
    std::fs::write(path("b.lst"), "1\n").unwrap();
    let labelled = Source {
        labels: Some("b.lst".to_owned()),
        ..source(&["b.jsonl"])
    };
    let files = find("t", &labelled, &[folder.path().to_owned()]).unwrap();
    let found = read(&files, &labelled, false).unwrap();
    assert_eq!(
        (&found.records[0]["q"], &found.records[0]["label"]),
        (&"x".into(), &"1".into())
    );
    std::fs::write(path("c.csv"), "\"a, \"\"b\"\"\",2\r\nonly\r\n").unwrap();
    let columns = Source {
        columns: vec!["q".to_owned(), "n".to_owned()],
        ..source(&["c.csv"])
    };
    let error = read(&[path("c.csv")], &columns, false)
        .unwrap_err()
        .to_string();
    assert!(error.contains("c.csv:2: has 1 columns, not 2"), "{error}");
    let found = read(&[path("c.csv")], &columns, true).unwrap();
    assert_eq!(found.records[0]["q"], "a, \"b\"");
    std::fs::write(path("b.lst"), "1\n2\n").unwrap();
    assert!(
        read(&files, &labelled, false)
            .unwrap_err()
            .to_string()
            .contains("2 labels for 1")
    );
}

#[test]
fn files_are_found_by_name_and_ambiguity_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["x", "y"] {
        std::fs::create_dir(folder.path().join(name)).unwrap();
        std::fs::write(folder.path().join(name).join("t.jsonl"), "").unwrap();
    }
    let at = |path: PathBuf| find("t", &source(&["t.jsonl"]), &[path]);
    assert!(
        at(folder.path().to_owned())
            .unwrap_err()
            .to_string()
            .contains("both match")
    );
    assert_eq!(at(folder.path().join("x")).unwrap().len(), 1);
    assert!(
        at(folder.path().join("none"))
            .unwrap_err()
            .to_string()
            .contains("does not exist")
    );
    let other = find("t", &source(&["u.jsonl"]), &[folder.path().to_owned()]);
    assert!(other.unwrap_err().to_string().contains("no file u.jsonl"));
}
