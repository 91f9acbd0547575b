//! MessagePack codec of the plugin protocol, unknowns and refinements included.
