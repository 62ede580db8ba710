use super::*;

fn written(folder: &Path) -> FileEntry {
    let spec = |name: &str, shape: &[usize]| TensorSpec {
        name: name.to_owned(),
        shape: shape.to_vec(),
    };
    let tensors = [spec("b", &[2, 2]), spec("a", &[3]), spec("empty", &[0])];
    write(
        folder,
        "x.safetensors".to_owned(),
        &tensors,
        &mut |number, sink| match number {
            0 => sink(&[1.0, 2.0]).and_then(|()| sink(&[f32::NAN, -0.0])),
            1 => sink(&[5.0, 6.0, 7.0]),
            _ => Ok(()),
        },
    )
    .unwrap()
}

#[test]
fn values_are_bit_for_bit_those_written() {
    let folder = tempfile::tempdir().unwrap();
    let entry = written(folder.path());
    verify(folder.path(), &entry).unwrap();
    let mut file = TensorFile::open(folder.path(), "x.safetensors").unwrap();
    let names: Vec<String> = file.tensors().into_iter().map(|spec| spec.name).collect();
    assert_eq!(names, ["b", "a", "empty"]);
    let bits = |values: Vec<f32>| -> Vec<u32> { values.iter().map(|v| v.to_bits()).collect() };
    assert_eq!(
        bits(file.values("b").unwrap()),
        bits(vec![1.0, 2.0, f32::NAN, -0.0])
    );
    assert_eq!(file.values("a").unwrap(), [5.0, 6.0, 7.0]);
    let error = file.values("c").unwrap_err().to_string();
    assert!(
        error.contains("x.safetensors is damaged: it has no tensor c"),
        "{error}"
    );
}

#[test]
fn every_flipped_bit_and_every_truncation_is_an_error_that_names_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let entry = written(folder.path());
    let path = folder.path().join(&entry.name);
    let whole = std::fs::read(&path).unwrap();
    for bit in 0..8 * whole.len() {
        let mut flipped = whole.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        std::fs::write(&path, flipped).unwrap();
        let error = verify(folder.path(), &entry).unwrap_err().to_string();
        assert!(error.contains("x.safetensors is damaged"), "{error}");
        // Without the hash it must still neither panic nor allocate what the header claims.
        if let Ok(mut file) = TensorFile::open(folder.path(), &entry.name) {
            for spec in file.tensors() {
                file.values(&spec.name).unwrap();
            }
        }
    }
    for length in 0..whole.len() {
        std::fs::write(&path, &whole[..length]).unwrap();
        assert!(verify(folder.path(), &entry).is_err());
        assert!(TensorFile::open(folder.path(), &entry.name).is_err());
    }
}

#[test]
fn the_safetensors_crate_reads_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let entry = written(folder.path());
    let bytes = std::fs::read(folder.path().join(entry.name)).unwrap();
    let read = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    assert_eq!(read.tensor("b").unwrap().shape(), [2, 2]);
    assert_eq!(read.tensor("a").unwrap().data()[..4], 5f32.to_le_bytes());
}
