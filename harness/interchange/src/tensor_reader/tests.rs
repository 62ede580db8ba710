use super::*;
use crate::tensor_writer::{PlannedTensor, TensorWriter};

fn plan() -> Vec<PlannedTensor> {
    let tensor = |name: &str, shape: &[usize], dtype| PlannedTensor {
        name: name.to_owned(),
        shape: shape.to_vec(),
        dtype,
    };
    vec![
        tensor("a", &[2, 3], Dtype::F32),
        tensor("b", &[4], Dtype::BF16),
        tensor("c", &[1, 2], Dtype::F32),
    ]
}

fn written(folder: &Path, file_bytes: usize) -> Vec<String> {
    let mut writer = TensorWriter::new(folder, plan(), file_bytes);
    let values: Vec<f32> = (0..12u8).map(f32::from).collect();
    // In pieces that end within tensors.
    for piece in values.chunks(5) {
        writer.append(piece).unwrap();
    }
    writer.finish().unwrap()
}

fn values(reader: &TensorReader, name: &str) -> Vec<f32> {
    let mut all = Vec::new();
    reader
        .read(name, &mut |position, piece| {
            assert_eq!(position, all.len());
            all.extend_from_slice(piece);
        })
        .unwrap();
    all
}

fn rejected(folder: &Path) -> String {
    TensorReader::open(folder).unwrap_err().to_string()
}

#[test]
fn one_file_and_several_have_the_same_tensors() {
    for (bytes, files) in [(1 << 20, 1), (16, 3), (8, 4)] {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(written(folder.path(), bytes).len(), files);
        let reader = TensorReader::open(folder.path()).unwrap();
        assert_eq!(reader.names().collect::<Vec<_>>(), ["a", "b", "c"]);
        assert_eq!(reader.values(), 12);
        assert_eq!(values(&reader, "a"), [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
        assert_eq!(values(&reader, "b"), [6.0, 7.0, 8.0, 9.0]);
        assert_eq!(reader.find("c").unwrap().0, [1, 2]);
        let message = reader.read("d", &mut |_, _| ()).unwrap_err().to_string();
        assert!(message.contains("has no tensor d"), "{message}");
    }
}

#[test]
fn missing_values_and_surplus_values_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = TensorWriter::new(folder.path(), plan(), 1 << 20);
    writer.append(&[0.0; 11]).unwrap();
    assert!(writer.finish().is_err());
    let mut writer = TensorWriter::new(folder.path(), plan(), 1 << 20);
    assert!(writer.append(&[0.0; 13]).is_err());
}

#[test]
fn every_truncation_is_an_error_that_names_the_file() {
    let folder = tempfile::tempdir().unwrap();
    written(folder.path(), 1 << 20);
    let path = folder.path().join(SINGLE);
    let whole = std::fs::read(&path).unwrap();
    for length in 0..whole.len() {
        std::fs::write(&path, &whole[..length]).unwrap();
        let message = rejected(folder.path());
        assert!(message.contains(SINGLE), "{length}: {message}");
    }
}

#[test]
fn hostile_headers_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(SINGLE);
    for (header, length, expected) in [
        ("{}", u64::MAX, "longer than the file"),
        ("[1]", 3, "invalid header"),
        (
            r#"{"a": {"dtype": "F32", "shape": [9223372036854775807, 4], "data_offsets": [0, 8]}}"#,
            0,
            "invalid header",
        ),
        (
            r#"{"a": {"dtype": "F32", "shape": [2], "data_offsets": [8, 16]}}"#,
            0,
            "invalid header",
        ),
        (
            r#"{"a": {"dtype": "F32", "shape": [200], "data_offsets": [0, 800]}}"#,
            0,
            "by its header",
        ),
        (
            r#"{"a": {"dtype": "I8", "shape": [8], "data_offsets": [0, 8]}}"#,
            0,
            "in I8; convert the weights",
        ),
    ] {
        let length = if length == 0 {
            header.len() as u64
        } else {
            length
        };
        let mut bytes = length.to_le_bytes().to_vec();
        bytes.extend(header.as_bytes());
        bytes.extend([0; 8]);
        std::fs::write(&path, bytes).unwrap();
        let message = rejected(folder.path());
        assert!(message.contains(expected), "{header}: {message}");
    }
}

#[test]
fn an_index_that_leaves_its_folder_or_differs_from_the_files_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    written(folder.path(), 32);
    let path = folder.path().join(INDEX);
    let index = std::fs::read_to_string(&path).unwrap();
    for (from, to, expected) in [
        (r#""a": "model"#, r#""a": "../model"#, "not in its folder"),
        (r#""a":"#, r#""z":"#, "says that z is in"),
        ("00001-of", "00009-of", "cannot open"),
    ] {
        assert!(index.contains(from), "{index}");
        std::fs::write(&path, index.replace(from, to)).unwrap();
        let message = rejected(folder.path());
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn a_folder_without_weights_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    assert!(rejected(folder.path()).contains("pickled weights are not read"));
}
