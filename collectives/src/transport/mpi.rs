//! Ranks as processes of an MPI (feature `mpi`).
//!
//! Before an exchange the ranks compare what they are about to do, so that a program whose ranks call different operations ends
//! with a message and not with wrong numbers. They wait for each other in that comparison, by polling with growing pauses: a
//! blocking call of MPI keeps a processor busy, and a rank may wait for as long as another evaluates a model.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use mpi::environment::{Universe, initialize_with_threading};
use mpi::request;
use mpi::topology::SimpleCommunicator;
use mpi::traits::{Communicator, CommunicatorCollectives};
use mpi::{Count, Threading};

use super::{Operation, Transport};

/// Most bytes that a rank receives in one call: counts are of the C type `int`.
const MOST_RECEIVED: usize = 1 << 30;
/// Attempts to complete a comparison before the first pause.
const ATTEMPTS: usize = 2_000;
/// Attempts before the first pause that has a length: until then the processor is left to other ranks of the machine.
const ATTEMPTS_AND_YIELDS: usize = 4_000;
/// Length of further pauses.
const PAUSE: Duration = Duration::from_micros(200);

/// The exchanges of one process of an MPI.
pub struct MpiTransport {
    rank: usize,
    ranks: usize,
    /// MPI is initialised for calls of one thread at a time.
    universe: Mutex<Universe>,
}

impl std::fmt::Debug for MpiTransport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "MpiTransport({} of {})", self.rank, self.ranks)
    }
}

impl MpiTransport {
    /// Initialises MPI, which is finalised when the transport is dropped. `None` if it has been initialised before, or if it does
    /// not allow calls of different threads, one at a time.
    pub fn initialize() -> Option<Self> {
        let (universe, provided) = initialize_with_threading(Threading::Serialized)?;
        let world = universe.world();
        let (rank, ranks) = (world.rank() as usize, world.size() as usize);
        (provided >= Threading::Serialized).then_some(Self {
            rank,
            ranks,
            universe: Mutex::new(universe),
        })
    }

    fn lock(&self) -> MutexGuard<'_, Universe> {
        // The universe has no state of its own.
        self.universe.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until all ranks are about to exchange, and compares operations and lengths.
    fn meet(&self, world: &SimpleCommunicator, operation: Operation, len: usize) {
        let own = [operation as u64, len as u64];
        let mut all = vec![0; own.len() * self.ranks];
        request::scope(|scope| {
            let mut request = world.immediate_all_gather_into(scope, &own[..], &mut all[..]);
            let mut attempts = 0;
            while let Err(incomplete) = request.test() {
                request = incomplete;
                attempts += 1;
                match attempts {
                    0..ATTEMPTS => {}
                    ATTEMPTS..ATTEMPTS_AND_YIELDS => thread::yield_now(),
                    _ => thread::sleep(PAUSE),
                }
            }
        });
        for (other, given) in all.chunks_exact(own.len()).enumerate() {
            assert!(
                given == own,
                "rank {} calls {} with {len} bytes, rank {other} {} with {}",
                self.rank,
                operation.name(),
                Operation::of_number(given[0]).map_or("another operation", Operation::name),
                given[1]
            );
        }
    }

    /// Most bytes of one rank in one call.
    fn piece(&self) -> usize {
        (MOST_RECEIVED / self.ranks).max(1)
    }
}

impl Transport for MpiTransport {
    fn rank(&self) -> usize {
        self.rank
    }

    fn ranks(&self) -> usize {
        self.ranks
    }

    fn all_gather(&self, own: &[u8]) -> Vec<u8> {
        let universe = self.lock();
        let world = universe.world();
        let len = own.len();
        self.meet(&world, Operation::AllGather, len);
        let mut all = vec![0; len * self.ranks];
        if len <= self.piece() {
            if len > 0 {
                world.all_gather_into(own, &mut all[..]);
            }
            return all;
        }
        let mut received = vec![0; self.piece() * self.ranks];
        for start in (0..len).step_by(self.piece()) {
            let piece = &own[start..len.min(start + self.piece())];
            let received = &mut received[..piece.len() * self.ranks];
            world.all_gather_into(piece, received);
            for (rank, piece) in received.chunks_exact(piece.len()).enumerate() {
                all[rank * len + start..][..piece.len()].copy_from_slice(piece);
            }
        }
        all
    }

    fn all_to_all(&self, parts: &[u8]) -> Vec<u8> {
        let universe = self.lock();
        let world = universe.world();
        let len = parts.len() / self.ranks;
        self.meet(&world, Operation::AllToAll, parts.len());
        let mut all = vec![0; parts.len()];
        if len <= self.piece() {
            if len > 0 {
                world.all_to_all_into(parts, &mut all[..]);
            }
            return all;
        }
        let mut sent = vec![0; self.piece() * self.ranks];
        let mut received = sent.clone();
        for start in (0..len).step_by(self.piece()) {
            let piece = self.piece().min(len - start);
            let (sent, received) = (
                &mut sent[..piece * self.ranks],
                &mut received[..piece * self.ranks],
            );
            for (part, piece) in parts.chunks_exact(len).zip(sent.chunks_exact_mut(piece)) {
                piece.copy_from_slice(&part[start..start + piece.len()]);
            }
            world.all_to_all_into(&sent[..], received);
            for (piece, part) in received.chunks_exact(piece).zip(all.chunks_exact_mut(len)) {
                part[start..start + piece.len()].copy_from_slice(piece);
            }
        }
        all
    }

    fn abort(&self) -> ! {
        // Without the lock, which this thread may hold: MPI_Abort ends the process, whatever its other threads do.
        SimpleCommunicator::world().abort(1 as Count)
    }
}
