//! How deep and how long a look may go: the numbers that the walk and the span masker share.
//!
//! The twin of the constants of `_limits.py`; what is cut, and where, stays in Python.

/// Containers nested deeper become `"[Depth]"`: far beyond real data, far below any stack's end.
pub const DEPTH_MAX: usize = 64;

/// Parts of a `loc` that are looked at; no value is walked deeper.
pub const PATH_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use super::{DEPTH_MAX, PATH_MAX};

    /// Both are numbers of the contract: another one gives other bytes.
    #[test]
    fn the_bounds_are_those_of_the_contract() {
        assert_eq!((DEPTH_MAX, PATH_MAX), (64, 64));
    }
}
