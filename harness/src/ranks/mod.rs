//! Several processes (ranks) that train one model together.
//!
//! Rank 0 leads: it alone claims runs, reads and writes records and checkpoints, prints and evaluates. The others follow its
//! orders, and take part in the collective operations of training. All ranks read the cached data and the checkpoints.
//!
//! ```text
//! rank 0     Train ─ steps ─ agree ─ .. ─ agree: save ─ Moments of each parameter ─ Continue ─ .. ─ end of run ─ Train ..  End
//! the others   └──── steps ─ agree ─ .. ─ agree ─────── answer ───────────────────── └─────── .. ─── wait
//! ```
//!
//! | module | contents |
//! |---|---|
//! | [`order`] | what rank 0 tells the others |
//! | [`step_end`] | what all ranks agree on after each step: stop, save |
//! | [`follow`] | the other ranks |
//! | [`gathered`] | moments for a checkpoint, gathered parameter by parameter |
//! | [`table_files`] | tables for a checkpoint, of which each rank writes its columns |
//! | [`served_decoder`] | a trained decoder that rank 0 evaluates, while the others serve its lookups in split tables |
//! | [`exchanged`] | the exchanges of a run in one line |
//! | [`ending`] | the end of all ranks after an error of one |
//! | [`launch`] | the ranks that this process was started with |

pub mod ending;
pub mod exchanged;
pub mod follow;
pub mod gathered;
pub mod launch;
pub mod order;
pub mod served_decoder;
pub mod step_end;
pub mod table_files;
