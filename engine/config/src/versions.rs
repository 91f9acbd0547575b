//! Which versions of the language a module wants to be read by.

use terrace_addr::version::{ConstraintOp, Version};
use terrace_diag::{Diagnostic, Diagnostics};

use crate::parts::RequiredVersion;

/// Complains about versions of the language that a module does not want to be read by. `subject` is how the sentence
/// begins: `This configuration`, or the module with its source.
pub(crate) fn judge_versions(required: &[RequiredVersion], subject: &str) -> Diagnostics {
    let mut diagnostics = Diagnostics::new();
    for required in required {
        if let Some(prerelease) = required.constraints.0.iter().find(|constraint| {
            constraint.version.is_prerelease() && constraint.op != ConstraintOp::NotEqual
        }) {
            diagnostics.push(
                Diagnostic::error(
                    "prerelease-constraint",
                    "Invalid required_version constraint",
                    format!(
                        "Prerelease version constraints are not supported: {prerelease}. Remove the prerelease information from the constraint. Prerelease versions of terrace will match constraints using their version core only."
                    ),
                )
                .at(required.span),
            );
            continue;
        }
        let version = if required.is_tofu {
            Version::new(1, 12, 6)
        } else {
            Version::new(1, 11, 4)
        };
        if required.constraints.allows(&version) {
            continue;
        }
        diagnostics.push(
            Diagnostic::error(
                "unsupported-version",
                "Unsupported Terrace Core version",
                format!(
                    "{subject} does not support Terrace version {version}. To proceed, either choose another supported Terrace version or update this version constraint. Version constraints are normally set for good reason, so updating the constraint may lead to other errors or unexpected behavior."
                ),
            )
            .at(required.span)
            .hint(format!("Terrace reads this file as version {version} of the language, whatever its own version is.")),
        );
    }
    diagnostics
}
