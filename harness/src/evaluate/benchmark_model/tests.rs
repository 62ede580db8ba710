use architectures::{ModelConfig, Pass};

use super::*;

fn tokenizer() -> Tokenizer {
    let texts = vec!["the quick brown fox jumps over the lazy dog".to_owned(); 3];
    Tokenizer::train(&texts, 280).unwrap()
}

/// Decoders of which one has blocks with a decoding state.
fn decoders(vocab_size: usize) -> Vec<Decoder> {
    let blocks = [
        r#"[]"#,
        r#"[{"block": {"kind": "memory", "keys": {"n_keys": 8, "n_heads": 1, "top_k": 4}, "gate": true}, "placement": "all"}]"#,
        r#"[{"block": {"kind": "mixture_of_experts", "n_experts": 4, "top_k": 2}, "placement": "all"}]"#,
    ];
    let decoder = |blocks: &str| {
        let text = format!(
            r#"{{"decoder": {{"vocab_size": {vocab_size}, "d_model": 32, "n_layers": 2, "n_heads": 2, "seq_len": 64,
                "d_ff_multiple": 8}}, "blocks": {blocks}}}"#
        );
        let config: ModelConfig = serde_json::from_str(&text).unwrap();
        Decoder::new(&config, 5, &Device::flex()).unwrap()
    };
    blocks.map(decoder).into()
}

fn requests() -> Vec<Request> {
    let request = |context: &[u32], continuation: &[u32]| Request {
        context: context.to_vec(),
        continuation: continuation.to_vec(),
        bytes: 1,
        removed: 0,
    };
    let long: Vec<u32> = (0..40).map(|i| 70 + i % 9).collect();
    let mut all = Vec::new();
    for context in [
        &long,
        &[9, 70, 71][..],
        &[9, 72, 73],
        &[9, 72, 73, 74, 75],
        &[9],
    ] {
        for continuation in [&[80][..], &[81, 82, 83], &[84, 85], &[86, 87, 88, 89, 90]] {
            all.push(request(context, continuation));
        }
    }
    all
}

/// The likelihood of one request in a pass over its whole sequence.
fn naive(decoder: &Decoder, request: &Request) -> Likelihood {
    let mut all = request.context.clone();
    all.extend(&request.continuation);
    let device = Device::flex();
    let inputs = tokens(&[all[..all.len() - 1].to_vec()], &device);
    let logits = decoder.forward(inputs, &mut Pass::evaluation());
    let greedy: Vec<i64> = logits.clone().argmax(2).into_data().iter::<i64>().collect();
    let targets = tokens(&[all[1..].to_vec()], &device).on_device();
    let nats = loss::log_probabilities(logits, targets).into_data();
    let start = request.context.len() - 1;
    let nats: Vec<f32> = nats.iter::<f32>().skip(start).collect();
    Likelihood {
        ll: nats.iter().map(|&one| f64::from(one)).sum(),
        is_greedy: Some(
            greedy[start..]
                .iter()
                .zip(&request.continuation)
                .all(|(&best, &token)| best == i64::from(token)),
        ),
    }
}

fn model<'a>(
    decoder: &'a Decoder,
    tokenizer: &'a Tokenizer,
    device: &'a Device,
    interrupt: &'a Interrupt,
    sequences: usize,
) -> BenchmarkModel<'a> {
    BenchmarkModel {
        decoder,
        device,
        tokenizer,
        start: Some(tokenizer.end()),
        space: 64,
        sequences,
        interrupt,
    }
}

#[test]
fn likelihoods_are_those_of_whole_sequences_whatever_the_batch() {
    let (tokenizer, device, interrupt) = (tokenizer(), Device::flex(), Interrupt::default());
    let mut requests = requests();
    // Contexts of both kinds: read once, and in whole sequences.
    assert!(shares(40, &[1, 3, 2, 5]) && !shares(3, &[1, 3, 2, 5]));
    for decoder in decoders(tokenizer.vocab_size()) {
        // One continuation that is greedy.
        let prompt = Prompt {
            tokens: requests[0].context.clone(),
            removed: 0,
            max_tokens: 3,
            stream: String::new(),
        };
        let mut alone = model(&decoder, &tokenizer, &device, &interrupt, 1);
        requests[1].continuation = alone.generate(&[prompt], &[], None).unwrap().remove(0);
        for sequences in [1, 3, 64] {
            let mut model = model(&decoder, &tokenizer, &device, &interrupt, sequences);
            let found = model.likelihoods(&requests, true).unwrap();
            assert_eq!(found[1].is_greedy, Some(true));
            for (request, found) in requests.iter().zip(found) {
                let expected = naive(&decoder, request);
                // Sums of f32 over other shapes of products.
                assert!(
                    (found.ll - expected.ll).abs() < 2e-5,
                    "{found:?} {expected:?}"
                );
                assert_eq!(found.is_greedy, expected.is_greedy);
            }
        }
    }
}

#[test]
fn generated_texts_do_not_depend_on_the_batch_and_end_at_a_stop_text() {
    let (tokenizer, device, interrupt) = (tokenizer(), Device::flex(), Interrupt::default());
    let prompts: Vec<Prompt> = (0..9)
        .map(|number| Prompt {
            tokens: (0..3 + number % 2)
                .map(|i| 70 + (number * 7 + i) as u32)
                .collect(),
            removed: 0,
            max_tokens: 4 + number,
            stream: number.to_string(),
        })
        .collect();
    for decoder in decoders(tokenizer.vocab_size()) {
        let generate = |sequences: usize, stop: &[String]| {
            let mut model = model(&decoder, &tokenizer, &device, &interrupt, sequences);
            model.generate(&prompts, stop, None).unwrap()
        };
        let sampling = Some(Sampling {
            temperature: 0.8,
            top_p: 0.95,
        });
        let sampled = |sequences: usize| {
            let mut model = model(&decoder, &tokenizer, &device, &interrupt, sequences);
            model.generate(&prompts, &[], sampling).unwrap()
        };
        assert_eq!(sampled(1), sampled(64));
        assert_ne!(sampled(1), generate(1, &[]));
        let alone = generate(1, &[]);
        assert_eq!(alone, generate(64, &[]));
        assert!(alone.iter().zip(&prompts).all(|(own, prompt)| {
            own.len() == prompt.max_tokens || own.last() == Some(&tokenizer.end())
        }));
        let text = tokenizer.decode(&alone[8]).unwrap();
        let stop: String = text.chars().skip(2).take(2).collect();
        let stopped = generate(64, std::slice::from_ref(&stop)).remove(8);
        assert!(stopped.len() < alone[8].len() && alone[8].starts_with(&stopped));
        assert!(tokenizer.decode(&stopped).unwrap().contains(&stop));
    }
}

#[test]
fn an_interrupt_ends_the_evaluation() {
    let (tokenizer, device, interrupt) = (tokenizer(), Device::flex(), Interrupt::default());
    let decoder = decoders(tokenizer.vocab_size()).remove(0);
    interrupt.request();
    let mut model = model(&decoder, &tokenizer, &device, &interrupt, 4);
    assert_eq!(
        model.likelihoods(&requests(), false),
        Err(INTERRUPTED.to_owned())
    );
}
