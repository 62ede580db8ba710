//! Facts as statements and questions, the common part of the suites `biographies` and `world`.

mod fact_set;
mod relation;
mod tasks;

pub(crate) use fact_set::{Fact, FactProtocol, FactSet};
pub(crate) use relation::Relation;
#[cfg(test)]
pub(crate) use relation::check_wording;
