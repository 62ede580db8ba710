//! The suite `functions`: small Python functions, composed of documented operations and scored by executing them.

mod arguments;
mod catalog;
mod composition;
mod config;
mod integers;
mod lists;
mod operation;
mod program_check;
mod selection;
mod strings;
mod suite;
mod value;

pub use config::FunctionsConfig;
pub use program_check::ProgramCheck;
pub use suite::Functions;
pub use value::PythonValue;
