//! A communicator of NCCL and its stream.

use std::ffi::c_void;
use std::fmt;
use std::mem::MaybeUninit;
use std::sync::{Arc, Mutex, PoisonError};

use cudarc::driver::{CudaContext, CudaStream};
use cudarc::nccl::{result, sys};

use super::id::BYTES;
use crate::Operation;

/// An error of NCCL or of CUDA.
#[derive(Debug)]
pub struct NcclError {
    action: &'static str,
    problem: String,
}

impl NcclError {
    pub(super) fn text(action: &'static str, problem: &str) -> Self {
        Self {
            action,
            problem: problem.to_owned(),
        }
    }

    pub(super) fn of(action: &'static str, error: impl fmt::Debug) -> Self {
        Self::text(action, &format!("{error:?}"))
    }
}

impl fmt::Display for NcclError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "NCCL cannot {}: {}; check that each rank sees a device of its own, and set NCCL_DEBUG=INFO for its messages",
            self.action, self.problem
        )
    }
}

impl std::error::Error for NcclError {}

/// Memory of a device.
#[derive(Clone, Copy)]
pub struct DeviceMemory {
    /// Its address on the device.
    pub address: u64,
    /// Its length.
    pub bytes: usize,
}

/// A communicator of NCCL, used by one thread at a time.
pub struct Communicator {
    /// The number of this rank, from zero.
    pub rank: usize,
    /// The number of ranks.
    pub ranks: usize,
    handle: Mutex<Handle>,
    stream: Arc<CudaStream>,
}

struct Handle(sys::ncclComm_t);

// SAFETY: NCCL's communicators belong to no thread; the mutex of `Communicator` lets one thread use it at a time.
unsafe impl Send for Handle {}

impl fmt::Debug for Communicator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Communicator({} of {})", self.rank, self.ranks)
    }
}

impl Communicator {
    /// The communicator of `id`, which all ranks make together, on the device `ordinal`.
    ///
    /// # Errors
    /// If the device or the communicator cannot be initialised.
    pub fn new(
        id: [u8; BYTES],
        rank: usize,
        ranks: usize,
        ordinal: usize,
    ) -> Result<Self, NcclError> {
        let failed = |error| NcclError::of("open the device", error);
        // The primary context, which is CubeCL's too.
        let context = CudaContext::new(ordinal).map_err(failed)?;
        let stream = context.new_stream().map_err(failed)?;
        let id = sys::ncclUniqueId {
            internal: id.map(|byte| byte as std::ffi::c_char),
        };
        let (count, number) = (ranks as i32, rank as i32);
        let mut handle = MaybeUninit::uninit();
        // SAFETY: `handle` is written if the call succeeds, and read only then.
        let handle = unsafe {
            result::comm_init_rank(handle.as_mut_ptr(), count, id, number)
                .map_err(|error| NcclError::of("make a communicator", error))?;
            handle.assume_init()
        };
        Ok(Self {
            rank,
            ranks,
            handle: Mutex::new(Handle(handle)),
            stream,
        })
    }

    /// Exchanges `from` with the other ranks into `to` and waits until that is done.
    ///
    /// # Errors
    /// If NCCL fails, as when another rank has ended.
    ///
    /// # Safety
    /// Both are memory of the communicator's device, of the lengths that they state: `to` of all ranks' `from` in a gather, and of equal length
    /// in an exchange of parts. No kernel uses them meanwhile.
    pub unsafe fn exchange(
        &self,
        operation: Operation,
        from: DeviceMemory,
        to: DeviceMemory,
    ) -> Result<(), NcclError> {
        let handle = self.handle.lock().unwrap_or_else(PoisonError::into_inner);
        let stream = self.stream.cu_stream() as sys::cudaStream_t;
        let kind = sys::ncclDataType_t::ncclUint8;
        let failed = |error| NcclError::of(operation.name(), error);
        // The calls use the context of the thread.
        let bound = self.stream.context().bind_to_thread();
        bound.map_err(|error| NcclError::of("use the device", error))?;
        match operation {
            Operation::AllGather => {
                let (source, target) = (from.address as *const c_void, to.address as *mut c_void);
                // SAFETY: as the caller promises.
                unsafe { result::all_gather(source, target, from.bytes, kind, handle.0, stream) }
                    .map_err(failed)?;
            }
            Operation::AllToAll => {
                let len = from.bytes / self.ranks;
                result::group_start().map_err(failed)?;
                for peer in 0..self.ranks {
                    let offset = (peer * len) as u64;
                    let source = (from.address + offset) as *const c_void;
                    let target = (to.address + offset) as *mut c_void;
                    // SAFETY: as the caller promises; the parts lie one after the other.
                    unsafe {
                        result::send(source, len, kind, peer as i32, handle.0, stream)
                            .map_err(failed)?;
                        result::recv(target, len, kind, peer as i32, handle.0, stream)
                            .map_err(failed)?;
                    }
                }
                result::group_end().map_err(failed)?;
            }
        }
        let done = self.stream.synchronize();
        done.map_err(|error| NcclError::of("wait for an exchange", error))
    }
}

impl Drop for Communicator {
    fn drop(&mut self) {
        let handle = self
            .handle
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner);
        // SAFETY: the communicator was made in `new`, and nothing uses it any more. An error cannot be reported here.
        let _ = unsafe { result::comm_destroy(handle.0) };
    }
}
