//! From runs to scaling laws.
//!
//! [`points`] turns the finished runs of a block into `(N, D, C, loss)` under one [`Reading`] of N; [`isoflop`] finds the
//! best size of each budget and how it grows; [`parametric`] fits one law to all points at once. Every function is pure,
//! with the resampling seed among its arguments, and its result is independent of the number of threads. What cannot be
//! fitted is an error with its reason; nothing is extrapolated beyond the sizes that were trained.
//!
//! | question | function | interval |
//! |---|---|---|
//! | which size is best at a budget? | [`isoflop`] | residual bootstrap of the parabola, scaled to Student's t |
//! | how do the best N and D grow with compute? | [`isoflop`] | Student's t of the regression's slope |
//! | what loss do N parameters and D tokens reach? | [`parametric`] | bootstrap over points |
//! | does the fit reproduce a published one? | [`chinchilla`] | |

mod budget;
mod chinchilla;
mod isoflop;
mod law;
mod minimize;
mod parabola;
mod parametric;
mod points;
mod power;
#[cfg(test)]
mod tests;
mod warning;

pub use budget::{IsoflopCurve, LEAST_SIZES, Minimum, NoMinimum, SweepEnd};
pub use chinchilla::{CHINCHILLA, PublishedFit, chinchilla};
pub use isoflop::{BUDGET_TOLERANCE, IsoflopFit, isoflop};
pub use law::{DELTA, Law};
pub use parabola::Parabola;
pub use parametric::{LEAST_POINTS, NoLaw, Parametric, RESAMPLES, parametric};
pub use points::{LossPoint, Reading, points};
pub use power::{NoPower, Power, power};
pub use warning::FitWarning;
