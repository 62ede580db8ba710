//! The requirements of the paper's own sweep: derived, not run.

use maud::{Markup, html};
use results::planned::{ASSUMED, PlannedRow, planned};

use crate::table::Table;
use results::number::{NONE, bytes, prefixed, scientific};

pub fn body() -> Markup {
    let rows = planned();
    let hours: f64 = rows.iter().map(|row| row.device_hours).sum();
    html! {
        p {
            em { "Derived, not run. " }
            "The models of the paper as " code { "sweeps/paper.toml" } " has them, counted by formula; the plan is \
                what "
            code { "isoflop plan paper " (ASSUMED.join(" ")) } " prints. The throughput of a device is an \
                assumption, and device hours depend on "
            "it. State is weights, gradients and optimizer state of training in bf16, of the dense \
                parameters and of the tables separately; "
            "devices of 80 GiB are the fewest that hold both and a step, with one sequence at a time and every layer computed again; – \
             where no number is sufficient, since dense weights and gradients are whole on each. All \
                " (rows.len()) " runs together: " (prefixed(hours)) " device hours."
        }
        (table(rows))
    }
}

fn table(rows: &[PlannedRow]) -> Table {
    let mut table = Table::new("Plan of the paper's sweep")
        .text("Block")
        .text("Size")
        .number("Dense par.")
        .number("Table par.")
        .number("Total par.")
        .number("FLOPs/token, forward")
        .number("Gathered/token")
        .number("Tokens")
        .number("Training FLOPs")
        .number("State")
        .number("Table state")
        .number("Devices")
        .number("Device hours");
    for rows in rows.chunk_by(|a, b| a.size == b.size) {
        table.group();
        for row in rows {
            table.row([
                row.block.clone(),
                row.size.clone(),
                prefixed(row.params_dense as f64),
                prefixed(row.params_table as f64),
                prefixed(row.params_total as f64),
                scientific(row.forward_flops_per_token as f64),
                bytes(row.bytes_gathered_per_token as f64),
                prefixed(row.tokens as f64),
                scientific(row.train_flops),
                bytes((row.weights_bytes + row.gradients_bytes + row.optimizer_bytes) as f64),
                bytes(row.table_bytes as f64),
                row.devices
                    .map_or(NONE.into(), |devices| devices.to_string()),
                prefixed(row.device_hours),
            ]);
        }
    }
    table
}
