//! Exchanges between processes of `mpirun`, measured; the network that fits them; and steps of a sweep's models on it.
//!
//! ```text
//! cargo build --release --workspace --features harness/mpi --example communication
//! mpirun -n 4 target/release/examples/communication [SWEEP [FLOP_PER_S]]
//! ```
//!
//! The predictions are for devices of `FLOP_PER_S`, 4e14 unless given: 40 % of the 989e12 that the datasheet of an H100 states for
//! dense bf16 products.
#![allow(clippy::print_stdout, reason = "an example")]

use std::error::Error;
use std::time::Instant;

use burn::tensor::{Device, Tensor};
use collectives::{Collectives, ranks_of_environment};
use experiment::communication::{Exchanging, MeasuredExchange, Network, predictions};
use experiment::plan::Plan;
use experiment::sweep_file::Sweep;
use experiment::training::Division;

/// Bytes that a rank gives to each other rank in one exchange, and how often it is measured.
const EXCHANGES: [(usize, usize); 6] = [
    (64, 200),
    (4 << 10, 200),
    (64 << 10, 100),
    (1 << 20, 20),
    (4 << 20, 10),
    (16 << 20, 5),
];

fn main() -> Result<(), Box<dyn Error>> {
    let ranks = ranks_of_environment()?;
    let measured = measure(ranks.as_ref());
    if ranks.rank() > 0 {
        return Ok(());
    }
    println!("ranks  bytes sent  seconds     GB/s");
    for exchange in &measured {
        let MeasuredExchange {
            ranks,
            bytes,
            seconds,
        } = exchange;
        println!(
            "{ranks:>5}  {bytes:>10}  {seconds:.3e}  {:.3}",
            bytes / seconds / 1e9
        );
    }
    let Some(network) = Network::fit(&measured) else {
        return Err("no network fits these exchanges: start at least two ranks".into());
    };
    let mut arguments = std::env::args().skip(1);
    let sweep = arguments.next().unwrap_or_else(|| "paper".to_owned());
    let flop_per_s = arguments.next().map_or(Ok(4e14), |given| given.parse())?;
    let plan = Plan::new(Sweep::load(&sweep)?)?;
    let mut printed = Vec::new();
    for run in &plan.runs {
        let name = (&run.label.size, &run.label.block);
        if printed.contains(&name) {
            continue;
        }
        printed.push(name);
        let tokens = (run.training.batch_size * run.model.decoder.seq_len) as u64;
        println!(
            "\n{} {}, {tokens} tokens a step, devices of {flop_per_s:.2e} FLOP/s",
            name.0, name.1
        );
        let model = Exchanging {
            cost: &run.cost,
            layers: run.model.decoder.n_layers,
            division: Division::of(&run.training),
        };
        for line in predictions(&network, model, tokens, flop_per_s) {
            println!("  {line}");
        }
    }
    Ok(())
}

/// The shortest time of each exchange, of the slowest rank: other programs on the machine only add to it.
fn measure(ranks: &dyn Collectives) -> Vec<MeasuredExchange> {
    let count = ranks.ranks();
    let measured = EXCHANGES.map(|(bytes, repeats)| {
        let values = Tensor::<1>::ones([count * bytes / size_of::<f32>()], &Device::flex());
        ranks.all_to_all(values.clone());
        let shortest = (0..repeats)
            .map(|_| {
                let clock = Instant::now();
                ranks.all_to_all(values.clone());
                clock.elapsed().as_secs_f64()
            })
            .fold(f64::INFINITY, f64::min);
        let all = ranks.all_gather_bytes(&shortest.to_le_bytes()).into_iter();
        let all = all.filter_map(|bytes| bytes.try_into().ok().map(f64::from_le_bytes));
        MeasuredExchange {
            ranks: count,
            bytes: (bytes * (count - 1)) as f64,
            seconds: all.fold(0.0, f64::max),
        }
    });
    measured.to_vec()
}
