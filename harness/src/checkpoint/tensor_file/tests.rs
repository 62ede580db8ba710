use super::*;
use safetensors::Dtype;

fn written(folder: &Path) -> FileEntry {
    let spec = |name: &str, shape: &[usize]| TensorSpec::single(name.to_owned(), shape.to_vec());
    let half = TensorSpec {
        format: NumericFormat::Bf16,
        ..spec("half", &[3])
    };
    let tensors = [
        spec("b", &[2, 2]),
        spec("a", &[3]),
        spec("empty", &[0]),
        half,
    ];
    write(
        folder,
        "x.safetensors".to_owned(),
        &tensors,
        &mut |number, sink| match number {
            0 => sink(&[1.0, 2.0]).and_then(|()| sink(&[f32::NAN, -0.0])),
            1 => sink(&[5.0, 6.0, 7.0]),
            3 => sink(&[1.5, -0.0, f32::INFINITY]),
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
    assert_eq!(names, ["b", "a", "empty", "half"]);
    let specs = file.tensors();
    let format = |name: &str| specs.iter().find(|spec| spec.name == name).unwrap().format;
    assert_eq!(format("a"), NumericFormat::F32);
    assert_eq!(format("half"), NumericFormat::Bf16);
    let bits = |values: Vec<f32>| -> Vec<u32> { values.iter().map(|v| v.to_bits()).collect() };
    assert_eq!(
        bits(file.values("b").unwrap()),
        bits(vec![1.0, 2.0, f32::NAN, -0.0])
    );
    assert_eq!(file.values("a").unwrap(), [5.0, 6.0, 7.0]);
    assert_eq!(
        bits(file.values("half").unwrap()),
        bits(vec![1.5, -0.0, f32::INFINITY])
    );
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
    let half = read.tensor("half").unwrap();
    assert_eq!((half.dtype(), half.data().len()), (Dtype::BF16, 6));
    assert_eq!(read.tensor("a").unwrap().data()[..4], 5f32.to_le_bytes());
}

#[test]
fn a_value_that_bf16_does_not_hold_is_an_error_and_not_rounded() {
    let folder = tempfile::tempdir().unwrap();
    let half = TensorSpec {
        format: NumericFormat::Bf16,
        ..TensorSpec::single("x".to_owned(), vec![1])
    };
    let name = "x.safetensors".to_owned();
    let written = write(folder.path(), name, &[half], &mut |_, sink| sink(&[0.1]));
    let error = written.unwrap_err().to_string();
    assert!(error.contains("0.1 is no number of bf16"), "{error}");
}
