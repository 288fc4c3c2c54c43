//! The optional Rust half of `ReplayStack` for Python.
//!
//! Modules beside this file are plain Rust and carry the logic with its unit tests; the `python`
//! module only translates between them and Python.

pub mod contract;

#[cfg(feature = "python")]
mod python;
