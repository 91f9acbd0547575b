//! From the definitions to the code, without protoc.

use std::io;
use std::path::{Path, PathBuf};

/// Where this crate is.
pub(crate) fn crate_root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_path_buf()
}

/// Writes the code of every definition in `proto/` into the directory `out`.
pub(crate) fn generate(out: &Path) -> io::Result<()> {
    std::fs::create_dir_all(out)?;
    let proto = crate_root().join("proto");
    let files = [
        "grpc_controller.proto",
        "tfplugin5.proto",
        "tfplugin6.proto",
    ];
    let descriptors = protox::compile(files, [proto]).map_err(io::Error::other)?;
    tonic_prost_build::configure()
        .build_transport(false)
        .generate_default_stubs(true)
        .server_mod_attribute(".", "#[cfg(feature = \"server\")]")
        .out_dir(out)
        .compile_fds(descriptors)
}
