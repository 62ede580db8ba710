//! Product-key search.

use burn::backend::Flex;
use burn::backend::TensorMetadata;
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::tensor::{DType, TensorData};

use super::{floats, id_slice, ids, rounded, rounding, singles, tensor};
use crate::kernels::cpu::product_key_search::{self, SearchShape};
use crate::kernels::product_key_search::SearchOps;

impl SearchOps for Flex {
    fn product_key_search(
        queries: FloatTensor<Self>,
        keys: FloatTensor<Self>,
        top_k: usize,
    ) -> (FloatTensor<Self>, IntTensor<Self>) {
        let (tokens, shape) = search_shape(&queries, &keys, top_k);
        let round = rounding(queries.dtype());
        let (queries, keys) = (singles(&queries), singles(&keys));
        let dims = [tokens, shape.heads, top_k];
        let mut found = vec![0i64; dims.iter().product()];
        let mut scores = vec![0.0; dims.iter().product()];
        product_key_search::search(
            floats(&queries),
            floats(&keys),
            shape,
            round,
            &mut found,
            &mut scores,
        );
        let found = FlexTensor::from_data(TensorData::new(found, dims));
        (tensor(scores, dims), found)
    }

    fn product_key_search_backward(
        grad: FloatTensor<Self>,
        indices: IntTensor<Self>,
        queries: FloatTensor<Self>,
        keys: FloatTensor<Self>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let (tokens, shape) = search_shape(&queries, &keys, indices.shape()[2]);
        let dtype = queries.dtype();
        let mut grad = grad.to_contiguous();
        if dtype == DType::BF16 {
            // It is an operand of both products.
            rounding(dtype)(grad.storage_mut());
        }
        let indices = ids(indices);
        let (queries, keys) = (singles(&queries), singles(&keys));
        let mut dqueries = vec![0.0; floats(&queries).len()];
        let mut dkeys = vec![0.0; floats(&keys).len()];
        product_key_search::search_backward(
            floats(&grad),
            id_slice(&indices),
            (floats(&queries), floats(&keys)),
            shape,
            &mut dqueries,
            &mut dkeys,
        );
        let sets = 2 * shape.heads;
        (
            rounded(dqueries, [tokens, sets, shape.half], dtype),
            rounded(dkeys, [sets, shape.n_keys, shape.half], dtype),
        )
    }
}

fn search_shape(queries: &FlexTensor, keys: &FlexTensor, top_k: usize) -> (usize, SearchShape) {
    let (queries, keys) = (queries.shape(), keys.shape());
    let shape = SearchShape {
        heads: queries[1] / 2,
        n_keys: keys[1],
        half: keys[2],
        top_k,
    };
    (queries[0], shape)
}
