//! Exchanges of tensors: a Burn backend extension, which reaches the memory of a CUDA tensor.

use std::sync::Arc;

use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::backend::{Autodiff, Backend, Dispatch, Flex, backend_extension};
use burn::tensor::{Int, Shape, Tensor};
use burn_cubecl::CubeBackend;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::ops::numeric::empty_device_contiguous_dtype;
use burn_cubecl::tensor::CubeTensor;
use cubecl::cuda::CudaRuntime;
use cubecl_runtime::runtime::Runtime;

use super::communicator::{Communicator, DeviceMemory};
use crate::Operation;

/// Exchanges of tensors `[m]` without autodiff.
#[backend_extension(Autodiff, Flex, Cube)]
pub trait NcclOps: Backend {
    /// The exchange of floating-point values.
    fn exchange_float(
        values: FloatTensor<Self>,
        operation: Operation,
        communicator: Arc<Communicator>,
    ) -> FloatTensor<Self> {
        drop((values, operation, communicator));
        panic!("NCCL exchanges tensors of CUDA devices; start with --device cuda")
    }

    /// The exchange of integers.
    fn exchange_int(
        values: IntTensor<Self>,
        operation: Operation,
        communicator: Arc<Communicator>,
    ) -> IntTensor<Self> {
        drop((values, operation, communicator));
        panic!("NCCL exchanges tensors of CUDA devices; start with --device cuda")
    }
}

impl NcclOps for Flex {}

impl<B: NcclOps, C: CheckpointStrategy> NcclOps for Autodiff<B, C> {}

impl NcclOps for CubeBackend {
    fn exchange_float(
        values: FloatTensor<Self>,
        operation: Operation,
        communicator: Arc<Communicator>,
    ) -> FloatTensor<Self> {
        exchange(values, operation, &communicator)
    }

    fn exchange_int(
        values: IntTensor<Self>,
        operation: Operation,
        communicator: Arc<Communicator>,
    ) -> IntTensor<Self> {
        exchange(values, operation, &communicator)
    }
}

/// `values [m]` exchanged with the other ranks.
pub fn float(values: Tensor<1>, operation: Operation, with: &Arc<Communicator>) -> Tensor<1> {
    let values = values.into_dispatch();
    Tensor::from_dispatch(Dispatch::exchange_float(values, operation, with.clone()))
}

/// `values [m]` of all ranks.
pub fn gather_int(values: Tensor<1, Int>, with: &Arc<Communicator>) -> Tensor<1, Int> {
    let values = values.into_dispatch();
    Tensor::from_dispatch(Dispatch::exchange_int(
        values,
        Operation::AllGather,
        with.clone(),
    ))
}

fn exchange(values: CubeTensor, operation: Operation, communicator: &Communicator) -> CubeTensor {
    let values = into_contiguous(values);
    let (client, device) = (values.client.clone(), values.device.clone());
    let len: usize = values.meta.shape().iter().product();
    let received = match operation {
        Operation::AllGather => len * communicator.ranks,
        Operation::AllToAll => len,
    };
    let shape = Shape::from([received]);
    let out = empty_device_contiguous_dtype(client.clone(), device, shape, values.dtype);
    // Kernels that write `values`, or use the memory of `out` before it, are done.
    if let Err(error) = cubecl_environment::future::block_on(client.sync()) {
        panic!("the device cannot be synchronised before an exchange: {error:?}");
    }
    let memory = |tensor: &CubeTensor, values: usize| {
        let handle = tensor.handle.clone();
        match client.get_resource::<<CudaRuntime as Runtime>::Server>(handle) {
            Ok(managed) => DeviceMemory {
                address: managed.resource().ptr,
                bytes: values * tensor.dtype.size(),
            },
            Err(error) => panic!("NCCL cannot use the memory of a tensor: {error:?}"),
        }
    };
    let (from, to) = (memory(&values, len), memory(&out, received));
    // SAFETY: both tensors are contiguous, of these lengths, and alive until the exchange is done; no kernel was launched since the
    // device was synchronised.
    if let Err(error) = unsafe { communicator.exchange(operation, from, to) } {
        panic!("{error}");
    }
    out
}
