//! A directed acyclic graph, cycles with their path, a readiness queue. The only crate that sees petgraph; it knows nothing of infrastructure.
