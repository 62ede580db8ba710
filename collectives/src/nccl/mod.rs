//! Collective operations on the memory of CUDA devices, by NCCL (feature `nccl`).
//!
//! Every operation is one all-gather or one exchange of parts by NCCL, of bytes, so that any numeric format is moved as it is. Sums are
//! computed on the device after an exchange, in the order of the ranks: NCCL's own sums depend on how it connects the ranks.
//!
//! # Streams
//!
//! CubeCL launches kernels on streams of its own, which NCCL does not know, and reuses memory in their order. Before an exchange the
//! kernels that write its input have to be done, and so have those that still read the memory that its output is given: the client is
//! synchronised. After it no kernel may read the output, nor overwrite the input, before NCCL is done: its stream is synchronised too.
//! Both waits cost a step some tens of microseconds an exchange; events between the streams would avoid them.
//!
//! Nothing of this has been run: it is type-checked. See docs/ranks.md.

mod communicator;
mod exchange;
mod id;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use burn::tensor::{DType, Device, Int, Tensor, TensorData};

pub use communicator::NcclError;
pub use id::{id_by_file, id_by_ranks};

use crate::{Collectives, Operation, Traffic};
use communicator::Communicator;

/// The operations of one rank on its CUDA device.
#[derive(Debug)]
pub struct NcclCollectives {
    communicator: Arc<Communicator>,
    device: Device,
    /// Ends all ranks; of a launcher that ends all processes with one, none.
    launcher: Option<Arc<dyn Collectives>>,
    traffic: Mutex<Traffic>,
}

impl NcclCollectives {
    /// The operations of the ranks of `launcher`, such as those of an MPI, which carries the id of the communicator.
    ///
    /// # Arguments
    /// * `device`: the CUDA device of this rank.
    /// * `ordinal`: its number among the visible devices of this process.
    ///
    /// # Errors
    /// If the communicator cannot be made.
    pub fn of_launcher(
        launcher: Arc<dyn Collectives>,
        device: &Device,
        ordinal: usize,
    ) -> Result<Self, NcclError> {
        let id = id_by_ranks(launcher.as_ref())?;
        let place = (launcher.rank(), launcher.ranks());
        let made = Self::new(id, place, device, ordinal)?;
        Ok(Self {
            launcher: Some(launcher),
            ..made
        })
    }

    /// The operations of rank `rank` of `ranks`, all of which give the same `id`.
    ///
    /// # Errors
    /// If the communicator cannot be made.
    pub fn new(
        id: [u8; id::BYTES],
        (rank, ranks): (usize, usize),
        device: &Device,
        ordinal: usize,
    ) -> Result<Self, NcclError> {
        Ok(Self {
            communicator: Arc::new(Communicator::new(id, rank, ranks, ordinal)?),
            device: device.clone(),
            launcher: None,
            traffic: Mutex::default(),
        })
    }

    /// Counts an exchange in which this rank sends `bytes` to each of the others.
    fn count<T>(&self, bytes: usize, exchange: impl FnOnce() -> T) -> T {
        let clock = Instant::now();
        let received = exchange();
        let mut traffic = self.traffic.lock().unwrap_or_else(PoisonError::into_inner);
        traffic.exchanges += 1;
        traffic.bytes_sent += (bytes * (self.ranks() - 1)) as u64;
        traffic.time += clock.elapsed();
        received
    }
}

impl Collectives for NcclCollectives {
    fn rank(&self) -> usize {
        self.communicator.rank
    }

    fn ranks(&self) -> usize {
        self.communicator.ranks
    }

    fn all_reduce(&self, values: Tensor<1>) -> Tensor<1> {
        let [len] = values.dims();
        let padding = len.next_multiple_of(self.ranks()) - len;
        let padded = match padding {
            0 => values,
            _ => {
                let zeros = Tensor::zeros([padding], (&values.device(), values.dtype()));
                Tensor::cat(vec![values, zeros], 0)
            }
        };
        let part = self.reduce_scatter(padded);
        self.all_gather(part).narrow(0, 0, len)
    }

    fn reduce_scatter(&self, values: Tensor<1>) -> Tensor<1> {
        let parts = self.all_to_all(values.cast(DType::F32));
        let [len] = parts.dims();
        let own = len / self.ranks();
        let mut parts = (0..self.ranks()).map(|rank| parts.clone().narrow(0, rank * own, own));
        let first = parts.next();
        let sum = parts.fold(first, |sum, part| sum.map(|sum| sum + part));
        match sum {
            Some(sum) => sum,
            None => unreachable!("there is at least one rank"),
        }
    }

    fn all_gather(&self, values: Tensor<1>) -> Tensor<1> {
        let bytes = values.dims()[0] * values.dtype().size();
        self.count(bytes, || {
            exchange::float(values, Operation::AllGather, &self.communicator)
        })
    }

    fn all_gather_int(&self, values: Tensor<1, Int>) -> Tensor<1, Int> {
        let bytes = values.dims()[0] * values.dtype().size();
        self.count(bytes, || exchange::gather_int(values, &self.communicator))
    }

    fn all_to_all(&self, values: Tensor<1>) -> Tensor<1> {
        let bytes = values.dims()[0] * values.dtype().size() / self.ranks();
        self.count(bytes, || {
            exchange::float(values, Operation::AllToAll, &self.communicator)
        })
    }

    fn all_gather_bytes(&self, bytes: &[u8]) -> Vec<Vec<u8>> {
        // As 32-bit integers on the device: one for each byte, since there are few.
        let gather = |values: Vec<i32>| -> Vec<i32> {
            let len = values.len();
            let values = TensorData::new(values, [len]);
            let values = Tensor::<1, Int>::from_data(values, (&self.device, DType::I32));
            let all = self.all_gather_int(values).into_data();
            all.iter::<i32>().collect()
        };
        let lengths = gather(vec![bytes.len() as i32]);
        let longest = lengths.iter().copied().max().unwrap_or(0) as usize;
        if longest == 0 {
            return vec![Vec::new(); self.ranks()];
        }
        let mut own: Vec<i32> = bytes.iter().map(|&byte| i32::from(byte)).collect();
        own.resize(longest, 0);
        let all = gather(own);
        let of = |(values, len): (&[i32], &i32)| {
            let values = values[..*len as usize].iter();
            values.map(|&value| value as u8).collect()
        };
        all.chunks_exact(longest).zip(&lengths).map(of).collect()
    }

    fn abort(&self) -> ! {
        match &self.launcher {
            Some(launcher) => launcher.abort(),
            None => std::process::abort(),
        }
    }

    fn traffic(&self) -> Traffic {
        *self.traffic.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
