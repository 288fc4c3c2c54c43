//! The optional Rust half of `ReplayStack` for Python.
//!
//! Modules beside this file are plain Rust and carry the logic with its unit tests; the `python`
//! module only translates between them and Python.

// The hot paths: positions are cut to fit their words on purpose, and what is inlined was measured.
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    clippy::inline_always,
    clippy::struct_excessive_bools,
    clippy::unnecessary_box_returns
)]

pub mod addresses;
pub mod assignments;
pub mod bodies;
pub mod cards;
pub mod contract;
pub mod documents;
pub mod event;
pub mod event_fields;
pub mod fit;
pub mod forms;
pub mod headers;
pub mod inflate;
pub mod json;
pub mod keys;
pub mod lexer;
pub mod limits;
pub mod marks;
pub mod markup;
pub mod messages;
pub mod multipart;
pub mod names;
pub mod object;
pub mod options;
pub mod outline;
pub mod pairs;
pub mod personal;
pub mod places;
pub mod policy;
pub mod rules;
pub mod scan;
pub mod screen;
pub mod spans;
pub mod spelling;
pub mod surrogates;
pub mod text;
pub mod tokens;
pub mod tree;
pub mod urls;
pub mod values;
pub mod verdicts;
pub mod walk;

#[cfg(feature = "python")]
mod python;
