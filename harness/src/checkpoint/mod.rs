//! Saved weights.
//!
//! | module | contents |
//! |---|---|
//! | [`weights`] | the weights of a finished run |

pub mod weights;
