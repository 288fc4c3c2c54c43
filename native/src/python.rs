//! The translation layer: what Python sees as `replaystack_native._native`. No logic lives here.

use pyo3::prelude::*;

use crate::contract;

/// Return the contract that this build speaks; `replaystack` compares it with its own.
#[pyfunction]
fn contract_version() -> u32 {
    contract::VERSION
}

#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", contract::DISTRIBUTION_VERSION)?;
    module.add_function(wrap_pyfunction!(contract_version, module)?)
}
