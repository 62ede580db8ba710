//! The id by which the ranks of a communicator find each other: rank 0 makes it.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use cudarc::nccl::result::get_uniqueid;

use super::NcclError;
use crate::Collectives;

/// Bytes of an id.
pub const BYTES: usize = 128;
/// Time between two looks for the file.
const PAUSE: Duration = Duration::from_millis(50);

fn new_id() -> Result<[u8; BYTES], NcclError> {
    let id = get_uniqueid().map_err(|error| NcclError::of("make an id", error))?;
    Ok(id.internal.map(|byte| byte as u8))
}

/// The id that rank 0 of `ranks` makes.
///
/// # Errors
/// If it cannot be made.
pub fn id_by_ranks(ranks: &dyn Collectives) -> Result<[u8; BYTES], NcclError> {
    let own = match ranks.rank() {
        0 => new_id().map(|id| id.to_vec()),
        _ => Ok(Vec::new()),
    };
    // Also after an error, so that the other ranks do not wait.
    let all = ranks.all_gather_bytes(own.as_deref().unwrap_or_default());
    own?;
    let id = all.into_iter().next().unwrap_or_default();
    id.try_into()
        .map_err(|_| NcclError::text("receive the id", "rank 0 has none"))
}

/// The id that rank 0 writes to `file`, which the other ranks wait for. The file must not exist before the ranks start: give it a name
/// of this start, such as that of a Slurm job's step.
///
/// # Errors
/// If it cannot be made, written or read, or does not appear in `timeout`.
pub fn id_by_file(file: &Path, rank: usize, timeout: Duration) -> Result<[u8; BYTES], NcclError> {
    let failed = |action, error: std::io::Error| {
        NcclError::text(action, &format!("{}: {error}", file.display()))
    };
    if rank == 0 {
        let id = new_id()?;
        let beside = file.with_extension("writing");
        let write = || {
            let mut written = fs::File::create(&beside)?;
            written.write_all(&id)?;
            written.sync_all()?;
            fs::rename(&beside, file)
        };
        write().map_err(|error| failed("write the id", error))?;
        return Ok(id);
    }
    let begun = Instant::now();
    loop {
        match fs::read(file) {
            Ok(bytes) => {
                return bytes
                    .try_into()
                    .map_err(|_| NcclError::text("read the id", "the file has another length"));
            }
            Err(error) if begun.elapsed() > timeout => return Err(failed("read the id", error)),
            Err(_) => std::thread::sleep(PAUSE),
        }
    }
}
