//! Collective operations on copies of the tensors in host memory.

use std::sync::Mutex;
use std::time::Instant;

use burn::tensor::{Device, Int, Tensor, TensorData};

use crate::{Collectives, Traffic, Transport};

/// Collective operations over a transport between hosts.
#[derive(Debug)]
pub struct OverHost<T> {
    transport: T,
    traffic: Mutex<Traffic>,
}

impl<T: Transport> OverHost<T> {
    /// The operations of the rank of `transport`.
    pub fn new(transport: T) -> Self {
        Self {
            transport,
            traffic: Mutex::default(),
        }
    }

    /// Counts an exchange in which this rank sends `bytes` to each of the others.
    fn count(&self, bytes: usize, exchange: impl FnOnce(&T) -> Vec<u8>) -> Vec<u8> {
        let clock = Instant::now();
        let received = exchange(&self.transport);
        let mut traffic = self
            .traffic
            .lock()
            .unwrap_or_else(|error| error.into_inner());
        traffic.exchanges += 1;
        traffic.bytes_sent += (bytes * (self.ranks() - 1)) as u64;
        traffic.time += clock.elapsed();
        received
    }

    fn gather(&self, own: &[u8]) -> Vec<u8> {
        self.count(own.len(), |transport| transport.all_gather(own))
    }

    fn exchange(&self, parts: &[u8]) -> Vec<u8> {
        let ranks = self.ranks();
        assert!(
            parts.len().is_multiple_of(ranks),
            "{} bytes cannot be divided among {ranks} ranks",
            parts.len()
        );
        self.count(parts.len() / ranks, |transport| transport.all_to_all(parts))
    }

    /// The part of this rank of the sum over ranks.
    fn sum_of_part(&self, values: TensorData) -> Vec<f32> {
        let parts = self.exchange(values.as_bytes());
        let len = parts.len() / size_of::<f32>() / self.ranks();
        let value = |bytes: &[u8]| f32::from_ne_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        let mut sum = vec![0f32; len];
        let of_rank = (len * size_of::<f32>()).max(1);
        for (rank, part) in parts.chunks_exact(of_rank).enumerate() {
            for (sum, bytes) in sum.iter_mut().zip(part.chunks_exact(size_of::<f32>())) {
                // The first is taken as it is: adding it to zero would lose the sign of -0.
                *sum = if rank == 0 {
                    value(bytes)
                } else {
                    *sum + value(bytes)
                };
            }
        }
        sum
    }
}

/// The bytes of `values` in f32.
fn f32_data(values: Tensor<1>) -> TensorData {
    values.into_data().convert::<f32>()
}

/// The bytes of f32 values.
fn bytes_of(values: &[f32]) -> Vec<u8> {
    values
        .iter()
        .flat_map(|value| value.to_ne_bytes())
        .collect()
}

fn tensor(values: Vec<f32>, device: &Device) -> Tensor<1> {
    let len = values.len();
    Tensor::from_data(TensorData::new(values, [len]), device)
}

impl<T: Transport> Collectives for OverHost<T> {
    fn rank(&self) -> usize {
        self.transport.rank()
    }

    fn ranks(&self) -> usize {
        self.transport.ranks()
    }

    fn all_reduce(&self, values: Tensor<1>) -> Tensor<1> {
        let (device, [len]) = (values.device(), values.dims());
        let mut padded = f32_data(values).iter::<f32>().collect::<Vec<f32>>();
        padded.resize(len.next_multiple_of(self.ranks()), 0.0);
        let padded_len = padded.len();
        let part = self.sum_of_part(TensorData::new(padded, [padded_len]));
        let sum = self.gather(&bytes_of(&part));
        let sum = TensorData::from_bytes_vec(sum, [padded_len], burn::tensor::DType::F32);
        Tensor::from_data(sum, &device).narrow(0, 0, len)
    }

    fn reduce_scatter(&self, values: Tensor<1>) -> Tensor<1> {
        let device = values.device();
        tensor(self.sum_of_part(f32_data(values)), &device)
    }

    fn all_gather(&self, values: Tensor<1>) -> Tensor<1> {
        let (device, [len]) = (values.device(), values.dims());
        let data = values.into_data();
        let dtype = data.dtype();
        let all = self.gather(data.as_bytes());
        let all = TensorData::from_bytes_vec(all, [len * self.ranks()], dtype);
        Tensor::from_data(all, (&device, dtype))
    }

    fn all_gather_int(&self, values: Tensor<1, Int>) -> Tensor<1, Int> {
        let (device, [len]) = (values.device(), values.dims());
        let data = values.into_data();
        let dtype = data.dtype();
        let all = self.gather(data.as_bytes());
        let all = TensorData::from_bytes_vec(all, [len * self.ranks()], dtype);
        Tensor::from_data(all, (&device, dtype))
    }

    fn all_to_all(&self, values: Tensor<1>) -> Tensor<1> {
        let (device, [len]) = (values.device(), values.dims());
        let data = values.into_data();
        let dtype = data.dtype();
        let received = self.exchange(data.as_bytes());
        let received = TensorData::from_bytes_vec(received, [len], dtype);
        Tensor::from_data(received, (&device, dtype))
    }

    fn all_gather_bytes(&self, bytes: &[u8]) -> Vec<Vec<u8>> {
        let lengths = self.gather(&(bytes.len() as u64).to_ne_bytes());
        let lengths: Vec<usize> = lengths
            .chunks_exact(8)
            .filter_map(|bytes| bytes.try_into().ok())
            .map(|bytes| u64::from_ne_bytes(bytes) as usize)
            .collect();
        let longest = lengths.iter().copied().max().unwrap_or(0);
        let mut own = bytes.to_vec();
        own.resize(longest, 0);
        let all = self.gather(&own);
        let parts = lengths.iter().enumerate();
        parts
            .map(|(rank, len)| all[rank * longest..][..*len].to_vec())
            .collect()
    }

    fn abort(&self) -> ! {
        self.transport.abort()
    }

    fn traffic(&self) -> Traffic {
        *self
            .traffic
            .lock()
            .unwrap_or_else(|error| error.into_inner())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::thread_ranks;

    fn values(tensor: Tensor<1>) -> Vec<f32> {
        tensor.into_data().iter::<f32>().collect()
    }

    #[test]
    fn operations_are_those_of_the_definition() {
        let device = Device::flex();
        let own = |rank: usize| (0..6).map(|i| (10 * rank + i) as f32).collect::<Vec<f32>>();
        let results = thread_ranks(3, |ranks| {
            let own = || tensor(own(ranks.rank()), &device);
            let ids = Tensor::<1, Int>::from_data([ranks.rank() as i64], &device);
            (
                values(ranks.all_reduce(own())),
                values(ranks.reduce_scatter(own())),
                values(ranks.all_gather(own().narrow(0, 0, 1))),
                values(ranks.all_to_all(own())),
                ranks
                    .all_gather_int(ids)
                    .into_data()
                    .iter::<i64>()
                    .collect::<Vec<_>>(),
                ranks.all_gather_bytes(&vec![7; ranks.rank()]),
                ranks.traffic().bytes_sent,
            )
        });
        for (rank, (sum, part, gathered, exchanged, ids, bytes, sent)) in
            results.into_iter().enumerate()
        {
            assert_eq!(sum, [30.0, 33.0, 36.0, 39.0, 42.0, 45.0]);
            assert_eq!(part, sum[2 * rank..2 * rank + 2]);
            assert_eq!(gathered, [0.0, 10.0, 20.0]);
            let of = |other: usize| [own(other)[2 * rank], own(other)[2 * rank + 1]];
            assert_eq!(exchanged, [of(0), of(1), of(2)].concat());
            assert_eq!(ids, [0, 1, 2]);
            assert_eq!(bytes, [vec![], vec![7], vec![7, 7]]);
            // All-reduce twice and the others once two values to each of two ranks; one value, one id, and two messages of bytes.
            assert_eq!(sent, 2 * (2 * 8 + 8 + 4 + 8 + 4 + 8 + 2));
        }
    }

    #[test]
    fn sums_are_in_the_order_of_the_ranks() {
        let device = Device::flex();
        // (1e8 + 1) - 1e8 is 0 in f32, and 1 + (1e8 - 1e8) is 1.
        let own = [1e8, 1.0, -1e8];
        let sums = thread_ranks(3, |ranks| {
            values(ranks.all_reduce(tensor(vec![own[ranks.rank()]], &device)))
        });
        assert_eq!(sums, [[0.0], [0.0], [0.0]]);
    }
}
