//! Worlds in which applies are killed, interrupted and failed: see `tests/`.
