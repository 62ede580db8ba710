//! Lookups of one rank that the other ranks serve, in tables whose columns are split over them.
//!
//! Rank 0 evaluates a trained model alone; the other ranks have no part in the evaluation but their columns. For each lookup rank 0 sends the
//! number of the table, the ids and the weights or inputs; all ranks look up their columns, which are then gathered or summed as in
//! other evaluation passes ([`super::split`]).

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use burn::tensor::{Device, Int, Tensor, TensorData};
use collectives::Collectives;

use super::ValueTable;

/// Which lookup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LookupKind {
    /// [`ValueTable::bag`].
    Bag,
    /// [`ValueTable::dot`].
    Dot,
}

/// How the other ranks know a table, and the turn of the lookups that they serve: one at a time, also those of several threads.
#[derive(Clone)]
pub(super) struct Served {
    number: usize,
    turn: Arc<Mutex<()>>,
}

/// What rank 0 asks of the others.
#[derive(Debug, PartialEq)]
enum Request {
    Lookup(Lookup),
    /// No lookup follows.
    End,
}

#[derive(Debug, PartialEq)]
struct Lookup {
    kind: LookupKind,
    /// Number of the table.
    table: usize,
    /// Tokens, ids of a token, columns of the operand.
    shape: [usize; 3],
    /// `[tokens, per_token]`
    ids: Vec<i64>,
    /// `[tokens, columns]`: weights of a bag, inputs of a dot product.
    operand: Vec<f32>,
}

impl Request {
    /// Five words of 64 bits (kind, table, shape), ids of 64 bits, operand of 32 bits.
    fn bytes(&self) -> Vec<u8> {
        let Self::Lookup(lookup) = self else {
            return 0u64.to_le_bytes().to_vec();
        };
        let kind = match lookup.kind {
            LookupKind::Bag => 1,
            LookupKind::Dot => 2,
        };
        let [tokens, per_token, columns] = lookup.shape;
        let words = [kind, lookup.table, tokens, per_token, columns];
        let words = words
            .into_iter()
            .flat_map(|word| (word as u64).to_le_bytes());
        let ids = lookup.ids.iter().flat_map(|id| id.to_le_bytes());
        let operand = lookup.operand.iter().flat_map(|value| value.to_le_bytes());
        words.chain(ids).chain(operand).collect()
    }

    /// `None` if the bytes are not those of a request.
    fn parse(bytes: &[u8]) -> Option<Self> {
        if bytes == 0u64.to_le_bytes() {
            return Some(Self::End);
        }
        let (header, rest) = bytes.split_at_checked(5 * 8)?;
        let words = header.as_chunks::<8>().0.iter();
        let words: Vec<usize> = words
            .map(|word| u64::from_le_bytes(*word) as usize)
            .collect();
        let [kind, table, tokens, per_token, columns] = words.try_into().ok()?;
        let kind = match kind {
            1 => LookupKind::Bag,
            2 => LookupKind::Dot,
            _ => return None,
        };
        let reads = tokens.checked_mul(per_token)?;
        let (ids, operand) = rest.split_at_checked(reads.checked_mul(8)?)?;
        let ids = ids.as_chunks::<8>().0.iter();
        let (values, left) = operand.as_chunks::<4>();
        (left.is_empty() && Some(values.len()) == tokens.checked_mul(columns)).then(|| {
            Self::Lookup(Lookup {
                kind,
                table,
                shape: [tokens, per_token, columns],
                ids: ids.map(|id| i64::from_le_bytes(*id)).collect(),
                operand: values
                    .iter()
                    .map(|value| f32::from_le_bytes(*value))
                    .collect(),
            })
        })
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_parsed_as_written() {
        let lookup = Request::Lookup(Lookup {
            kind: LookupKind::Dot,
            table: 3,
            shape: [2, 1, 2],
            ids: vec![-1, 1 << 40],
            operand: vec![0.5, f32::MIN_POSITIVE, -0.0, 1e30],
        });
        for request in [lookup, Request::End] {
            let bytes = request.bytes();
            assert_eq!(Request::parse(&bytes), Some(request));
            for len in 0..bytes.len() {
                assert_eq!(Request::parse(&bytes[..len]), None, "{len}");
            }
        }
    }
}
