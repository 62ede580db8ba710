//! Forecasts at a budget that was not trained yet, sealed before it is, and their scores once it was.
//!
//! | module | contents |
//! |---|---|
//! | [`predict`] | the law over the budgets done so far, and its predictive distribution |
//! | [`make`] | the forecasts of a sweep from its budgets |
//! | [`sealed`] | [`Sealed`]: the forecasts of a sweep with everything they rest on, and a hash |
//! | [`score`] | forecast beside measurement, and coverage over all forecasts |

pub mod make;
pub mod predict;
pub mod score;
pub mod sealed;

pub use make::forecasts;
pub use predict::{Distribution, NoForecast, Scale};
pub use sealed::{Forecast, Quantity, Sealed};
