use super::*;
use crate::ModelConfig;
use burn::tensor::Device;

fn model(tied: bool) -> ModelConfig {
    serde_json::from_str(&format!(
        r#"{{"decoder": {{"vocab_size": 50, "d_model": 16, "n_layers": 3, "n_heads": 2, "seq_len": 8,
                          "tie_embeddings": {tied}}},
             "blocks": [{{"block": {{"kind": "peer", "keys": {{"n_keys": 8, "top_k": 4}}}},
                          "placement": "middle"}}]}}"#
    ))
    .unwrap()
}

#[test]
fn costs_of_parts_sum_to_that_of_the_decoder() {
    for tied in [false, true] {
        let model = model(tied);
        let parts = Part::of(&model.decoder, &model.layers().unwrap());
        assert_eq!(parts.len(), if tied { 4 } else { 5 });
        let costs = parts
            .iter()
            .map(|(part, count)| part.cost(&model.decoder).times(*count));
        let sum = costs.reduce(|sum, cost| sum + cost).unwrap();
        assert_eq!(sum, model.cost().unwrap());
    }
}

#[test]
fn each_part_has_its_shape_and_the_parameters_of_its_cost() {
    let device = Device::flex();
    for tied in [false, true] {
        let model = model(tied);
        for (part, _) in Part::of(&model.decoder, &model.layers().unwrap()) {
            let built = part.build(&mut Builder::new(&model.decoder, 0, &device).rough());
            let cost = part.cost(&model.decoder);
            assert_eq!(built.num_params() as u64, cost.params_dense, "{part:?}");
            let x = Tensor::ones([2, 8, 16], &device);
            let tokens = Tensor::<2, Int>::ones([2, 8], &device);
            let y = built.forward(x, tokens, &mut Pass::evaluation());
            assert_eq!(y.dims(), [2, 8, part.output_width(&model.decoder)]);
            assert!(y.abs().sum().into_scalar::<f32>().is_finite());
        }
    }
}
