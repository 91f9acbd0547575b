//! Modules as packages.
//!
//! [`ModuleArchive`] is a module's directory as one archive whose bytes depend on nothing but the files. A
//! [`Provenance`] says which module and version it is and where it comes from; signed, it is an [`Attestation`], which
//! [`Attestation::open`] reads and holds to an archive. A [`Catalogue`] publishes archives with their attestations into
//! any store of objects, laid out so that whoever serves the objects over HTTP serves a module registry; [`publish_oci`]
//! publishes them to an OCI registry, and [`join_upload`] makes what a registry's server takes.
#![allow(clippy::disallowed_methods, reason = "this adapter's work is files")]

mod about;
mod archive;
mod attestation;
mod below;
mod catalogue;
mod error;
mod folder;
mod name;
mod oci;
mod upload;
mod wire;

pub use about::{About, Input, Output};
pub use archive::{ArchiveError, ModuleArchive};
pub use attestation::{Attestation, MODULE_NAMESPACE, Provenance, STATEMENT_TYPE};
pub use below::Below;
pub use catalogue::{Catalogue, Publication, Published};
pub use error::CatalogueError;
pub use folder::Folder;
pub use name::{InvalidName, ModuleAddress, ProviderAddress};
pub use oci::{OciPublication, OciPublishError, publish_oci};
pub use terrace_registry_client::{Deprecation, Listed, Listing, Yanked};
pub use upload::{join_upload, split_upload};
