//! Deep trees without deep stacks.

/// Runs `work` with at least 128 KiB of stack left, on a fresh piece of stack where there is less.
///
/// Whoever walks expressions recursively calls this once a level: the parser accepts trees thousands of levels deep.
pub fn with_stack<T>(work: impl FnOnce() -> T) -> T {
    stacker::maybe_grow(128 * 1024, 4 * 1024 * 1024, work)
}
