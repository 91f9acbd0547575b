//! Policies beside `opa` and `conftest`, and OPA's own cases.
