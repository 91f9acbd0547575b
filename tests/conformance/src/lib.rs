//! Corpora of what the reference implementation answers. The tests of this crate read them, print how many cases
//! Terrace answers alike, and hold the count as a floor.
