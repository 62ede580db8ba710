use super::*;

fn decoder() -> DecoderConfig {
    serde_json::from_str(
        r#"{"vocab_size": 9, "d_model": 16, "n_layers": 3, "n_heads": 4, "n_kv_heads": 2, "seq_len": 8}"#,
    )
    .unwrap()
}

#[test]
fn queries_keys_and_values_are_side_by_side() {
    let name = "layers.12.frame.attention.qkv.weight";
    let found = pieces(Layout::Llama, &decoder(), name, &[16, 32]).unwrap();
    let expected = [("q", 16, 0), ("k", 8, 16), ("v", 8, 24)].map(|(letter, width, first)| Piece {
        name: format!("model.layers.12.self_attn.{letter}_proj.weight"),
        shape: vec![width, 16],
        place: Place::Columns { matrix: 0, first },
    });
    assert_eq!(found, expected);
    let bias = "layers.0.frame.attention.qkv.bias";
    let found = pieces(Layout::Qwen2, &decoder(), bias, &[32]).unwrap();
    assert_eq!(found[2].shape, [8]);
}

#[test]
fn each_expert_has_tensors_of_its_own() {
    let name = "layers.1.block.MixtureOfExperts.experts.gate_up";
    let found = pieces(Layout::Mixtral, &decoder(), name, &[3, 16, 40]).unwrap();
    assert_eq!(found.len(), 6);
    assert_eq!(
        found[5],
        Piece {
            name: "model.layers.1.block_sparse_moe.experts.2.w3.weight".to_owned(),
            shape: vec![20, 16],
            place: Place::Columns {
                matrix: 2,
                first: 20
            },
        }
    );
}

#[test]
fn a_layout_has_no_place_for_other_blocks() {
    let name = "layers.1.block.Memory.keys.keys";
    assert_eq!(pieces(Layout::Llama, &decoder(), name, &[4, 5, 6]), None);
    let own = pieces(Layout::Isoflop, &decoder(), name, &[4, 5, 6]).unwrap();
    assert_eq!(own[0].name, "layers.1.block.keys.keys");
}
