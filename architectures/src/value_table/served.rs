//! Lookups of one rank that the other ranks serve, in tables whose columns are split over them.
//!
//! Rank 0 evaluates a trained model alone; the other ranks have no part in the evaluation but their columns. For each lookup rank 0 sends the
//! number of the table, the ids and the weights or inputs; all ranks look up their columns, which are then gathered or summed as in
//! other evaluation passes ([`super::split`]).

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use burn::tensor::{Device, Int, Tensor, TensorData};
use collectives::Collectives;

use super::ValueTable;
use super::request::{Lookup, LookupKind, Request, Served};

impl ValueTable {
    /// A lookup of an evaluation pass: of all ranks with the same tokens, or of this one alone while the others serve.
    pub(super) fn evaluate_split(
        &self,
        ranks: &Arc<dyn Collectives>,
        kind: LookupKind,
        ids: Tensor<2, Int>,
        operand: Tensor<2>,
    ) -> Tensor<2> {
        let served = self.lock().served.clone();
        let _turn = served.as_ref().map(|served| {
            let turn = lock_turn(&served.turn);
            let ([tokens, per_token], [_, columns]) = (ids.dims(), operand.dims());
            let request = Request::Lookup(Lookup {
                kind,
                table: served.number,
                shape: [tokens, per_token, columns],
                ids: ids.clone().into_data().iter::<i64>().collect(),
                operand: operand.clone().into_data().iter::<f32>().collect(),
            });
            ranks.all_gather_bytes(&request.bytes());
            turn
        });
        self.lookup_together(ranks, kind, ids, operand)
    }

    /// Whether the other ranks serve the lookups of evaluation passes.
    pub(crate) fn is_served(&self) -> bool {
        self.lock().served.is_some()
    }
}

/// A turn has no state that a panic could leave incomplete.
fn lock_turn(turn: &Mutex<()>) -> MutexGuard<'_, ()> {
    turn.lock().unwrap_or_else(PoisonError::into_inner)
}

/// From now on the other ranks serve the lookups of evaluation passes in `tables`.
pub(crate) fn begin(tables: &[ValueTable]) {
    let turn = Arc::new(Mutex::new(()));
    for (number, table) in tables.iter().enumerate() {
        let turn = turn.clone();
        table.lock().served = Some(Served { number, turn });
    }
}

/// The other ranks end to serve the lookups in `tables`.
pub(crate) fn end(tables: &[ValueTable], ranks: &Arc<dyn Collectives>) {
    ranks.all_gather_bytes(&Request::End.bytes());
    for table in tables {
        table.lock().served = None;
    }
}

/// Serves the lookups of rank 0 in `tables` until it ends them.
///
/// # Panics
///
/// If rank 0 sends anything else.
pub(crate) fn serve(tables: &[&ValueTable], ranks: &Arc<dyn Collectives>, device: &Device) {
    loop {
        let all = ranks.all_gather_bytes(&[]);
        let bytes = all.first().map_or(&[][..], Vec::as_slice);
        let lookup = match Request::parse(bytes) {
            Some(Request::Lookup(lookup)) if lookup.table < tables.len() => lookup,
            Some(Request::End) => return,
            _ => panic!(
                "rank {} serves lookups, and rank 0 sent {} bytes that are none",
                ranks.rank(),
                bytes.len()
            ),
        };
        let [tokens, per_token, columns] = lookup.shape;
        let ids = TensorData::new(lookup.ids, [tokens, per_token]);
        let operand = TensorData::new(lookup.operand, [tokens, columns]);
        tables[lookup.table].lookup_together(
            ranks,
            lookup.kind,
            Tensor::from_data(ids, device),
            Tensor::from_data(operand, device),
        );
    }
}
