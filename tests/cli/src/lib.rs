//! The command line from outside: see `tests/`.
