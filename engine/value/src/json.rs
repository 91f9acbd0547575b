//! JSON codec: values of a known type, as states and plans hold them, and types.
