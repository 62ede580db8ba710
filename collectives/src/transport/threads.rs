//! Ranks as threads of one process, for tests: the same operations in the same order as between processes.

use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;

use super::{Operation, Transport};
use crate::{Collectives, OverHost};

/// Runs `body` on `ranks` threads, each with the operations of its rank; returns their results in the order of the ranks.
///
/// # Panics
///
/// If a thread panics; the other threads panic at their next operation.
pub fn thread_ranks<T: Send>(
    ranks: usize,
    body: impl Fn(Arc<dyn Collectives>) -> T + Sync,
) -> Vec<T> {
    let group = Arc::new(Group::new(ranks));
    thread::scope(|scope| {
        let (group, body) = (&group, &body);
        let threads: Vec<_> = (0..ranks)
            .map(|rank| {
                let transport = ThreadTransport {
                    rank,
                    group: group.clone(),
                };
                scope.spawn(move || body(Arc::new(OverHost::new(transport))))
            })
            .collect();
        let ended: Vec<_> = threads.into_iter().map(|thread| thread.join()).collect();
        let results = ended.into_iter().map(|result| match result {
            Ok(result) => result,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        results.collect()
    })
}

/// The exchanges of one of several threads.
#[derive(Debug)]
pub struct ThreadTransport {
    rank: usize,
    group: Arc<Group>,
}

#[derive(Debug)]
struct Group {
    round: Mutex<Round>,
    changed: Condvar,
}

/// One exchange: what each rank has given, until all ranks have taken it.
#[derive(Debug)]
struct Round {
    given: Vec<Option<Given>>,
    taken: usize,
    failed: Option<usize>,
}

/// An operation and its bytes.
type Given = (Operation, Arc<Vec<u8>>);

impl Group {
    fn new(ranks: usize) -> Self {
        Self {
            round: Mutex::new(Round {
                given: vec![None; ranks],
                taken: 0,
                failed: None,
            }),
            changed: Condvar::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Round> {
        // Only `failed` matters after a panic.
        self.round.lock().unwrap_or_else(|error| error.into_inner())
    }

    /// Waits until `done` holds.
    fn wait(&self, rank: usize, done: impl Fn(&Round) -> bool) -> MutexGuard<'_, Round> {
        let mut round = self.lock();
        while !done(&round) {
            if let Some(failed) = round.failed.filter(|failed| *failed != rank) {
                drop(round);
                panic!("rank {failed} has ended");
            }
            round = self
                .changed
                .wait(round)
                .unwrap_or_else(|error| error.into_inner());
        }
        round
    }
}

impl ThreadTransport {
    /// What all ranks gave to this operation.
    fn exchange(&self, operation: Operation, own: &[u8]) -> Vec<Arc<Vec<u8>>> {
        let (rank, group) = (self.rank, &self.group);
        let mut round = group.wait(rank, |round| round.given[rank].is_none());
        round.given[rank] = Some((operation, Arc::new(own.to_vec())));
        group.changed.notify_all();
        drop(round);
        let mut round = group.wait(rank, |round| round.given.iter().all(Option::is_some));
        let all: Vec<Given> = round.given.iter().flatten().cloned().collect();
        round.taken += 1;
        if round.taken == all.len() {
            round.taken = 0;
            round.given.fill(None);
            group.changed.notify_all();
        }
        drop(round);
        for (other, (given, bytes)) in all.iter().enumerate() {
            assert!(
                *given == operation && bytes.len() == own.len(),
                "rank {rank} calls {} with {} bytes, rank {other} {} with {}",
                operation.name(),
                own.len(),
                given.name(),
                bytes.len()
            );
        }
        all.into_iter().map(|(_, bytes)| bytes).collect()
    }
}

impl Drop for ThreadTransport {
    fn drop(&mut self) {
        if thread::panicking() {
            self.group.lock().failed.get_or_insert(self.rank);
            self.group.changed.notify_all();
        }
    }
}

impl Transport for ThreadTransport {
    fn rank(&self) -> usize {
        self.rank
    }

    fn ranks(&self) -> usize {
        self.group.lock().given.len()
    }

    fn all_gather(&self, own: &[u8]) -> Vec<u8> {
        let all = self.exchange(Operation::AllGather, own);
        let parts: Vec<&[u8]> = all.iter().map(|bytes| bytes.as_slice()).collect();
        parts.concat()
    }

    fn all_to_all(&self, parts: &[u8]) -> Vec<u8> {
        let all = self.exchange(Operation::AllToAll, parts);
        let len = parts.len() / all.len();
        let own = self.rank * len..(self.rank + 1) * len;
        let parts: Vec<&[u8]> = all.iter().map(|bytes| &bytes[own.clone()]).collect();
        parts.concat()
    }

    fn abort(&self) -> ! {
        panic!("rank {} ends all ranks", self.rank)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rank_that_panics_ends_the_others() {
        let panic = std::panic::catch_unwind(|| {
            thread_ranks(3, |ranks| {
                assert!(ranks.rank() != 1, "rank one fails");
                ranks.all_gather_bytes(&[0])
            })
        });
        assert!(panic.is_err());
    }

    #[test]
    fn ranks_that_call_different_operations_end_with_a_message() {
        let panic = std::panic::catch_unwind(|| {
            thread_ranks(2, |ranks| {
                ranks.all_gather_bytes(&[0]).len()
                    + match ranks.rank() {
                        0 => ranks.all_gather_bytes(&[]).len(),
                        _ => {
                            let device = burn::tensor::Device::flex();
                            let values = burn::tensor::Tensor::from_floats([1.0, 2.0], &device);
                            ranks.all_to_all(values).dims()[0]
                        }
                    }
            })
        });
        let panic = panic.unwrap_err();
        let message = panic.downcast_ref::<String>().unwrap();
        assert!(
            message.contains("all_to_all") && message.contains("all_gather"),
            "{message}"
        );
    }
}
