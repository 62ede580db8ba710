//! What rank 0 asks of the ranks that serve its lookups, as bytes.

use std::sync::{Arc, Mutex};

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
    pub number: usize,
    pub turn: Arc<Mutex<()>>,
}

/// What rank 0 asks of the other ranks.
#[derive(Debug, PartialEq)]
pub(super) enum Request {
    Lookup(Lookup),
    /// No lookup follows.
    End,
}

#[derive(Debug, PartialEq)]
pub(super) struct Lookup {
    pub kind: LookupKind,
    /// Number of the table.
    pub table: usize,
    /// Tokens, ids of a token, columns of the operand.
    pub shape: [usize; 3],
    /// `[tokens, per_token]`
    pub ids: Vec<i64>,
    /// `[tokens, columns]`: weights of a bag, inputs of a dot product.
    pub operand: Vec<f32>,
}

impl Request {
    /// Five words of 64 bits (kind, table, shape), ids of 64 bits, operand of 32 bits.
    pub fn bytes(&self) -> Vec<u8> {
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
    pub fn parse(bytes: &[u8]) -> Option<Self> {
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
