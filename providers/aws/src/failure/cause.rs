//! Why AWS refuses, and what helps.

/// Why a call failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// The credentials may not do it.
    Denied,
    /// The credentials were good once.
    Expired,
    /// The credentials are none that AWS knows.
    NotAccepted,
    /// The machine's clock is wrong.
    Clock,
    /// Too many calls.
    Throttled,
    /// A quota is used up.
    Quota,
    /// Something is not there.
    Gone,
    /// Something of this name is there.
    Exists,
    /// No answer came.
    Unreachable,
    /// What AWS says must do.
    Other,
}

impl Cause {
    /// What a code of AWS means. Each service has its own for the same.
    pub(super) fn of_code(code: &str) -> Self {
        match code {
            "AccessDenied"
            | "AccessDeniedException"
            | "UnauthorizedOperation"
            | "AuthorizationError"
            | "Forbidden"
            | "403" => Self::Denied,
            "ExpiredToken"
            | "ExpiredTokenException"
            | "RequestExpired"
            | "TokenRefreshRequired" => Self::Expired,
            "UnrecognizedClientException"
            | "InvalidClientTokenId"
            | "InvalidAccessKeyId"
            | "InvalidToken"
            | "SignatureDoesNotMatch"
            | "InvalidSignatureException"
            | "AuthFailure" => Self::NotAccepted,
            "RequestTimeTooSkewed" => Self::Clock,
            "Throttling"
            | "ThrottlingException"
            | "ThrottledException"
            | "RequestThrottledException"
            | "RequestLimitExceeded"
            | "TooManyRequestsException"
            | "TooManyUpdates"
            | "SlowDown"
            | "ProvisionedThroughputExceededException"
            | "RequestThrottled" => Self::Throttled,
            _ if code.contains("LimitExceeded") || code.contains("QuotaExceeded") => Self::Quota,
            _ if code.starts_with("NoSuch")
                || code.contains("NotFound")
                || code.contains("NonExistent")
                || code.contains("DoesNotExist") =>
            {
                Self::Gone
            }
            _ if code.contains("AlreadyExists")
                || matches!(code, "BucketAlreadyOwnedByYou" | "QueueNameExists") =>
            {
                Self::Exists
            }
            _ => Self::Other,
        }
    }

    /// In a few words; nothing where AWS has to say it.
    pub(super) const fn why(self) -> Option<&'static str> {
        match self {
            Self::Denied => Some("Permission denied"),
            Self::Expired => Some("Credentials expired"),
            Self::NotAccepted => Some("Credentials not accepted"),
            Self::Clock => Some("Wrong time"),
            Self::Throttled => Some("Too many requests"),
            Self::Quota => Some("Quota used up"),
            Self::Gone => Some("Not found"),
            Self::Exists => Some("Already there"),
            Self::Unreachable => Some("AWS cannot be reached"),
            Self::Other => None,
        }
    }

    /// What helps. `permission` is what the call takes, for services that do not name it.
    pub(super) fn advice(self, told: &str, permission: &str) -> Option<String> {
        let advice = match self {
            Self::Denied => return Some(denied(told, permission)),
            Self::Expired => {
                "The session that this run signed in with is over. Sign in again (for a profile of AWS SSO: aws sso login) and run the command again: what was finished before is in the state."
            }
            Self::NotAccepted => {
                "AWS does not know the key that signed the request, or the secret is not the key's. Look at which credentials are in use (aws sts get-caller-identity says it): the provider's arguments count most, then AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, then the profile. A temporary key needs its AWS_SESSION_TOKEN too; a key of another partition (China, GovCloud) is none here."
            }
            Self::Clock => {
                "AWS takes requests whose time is its own to within minutes. Set this machine's clock (by NTP) and run the command again."
            }
            Self::Throttled => {
                "AWS throttled the call, also after the retries that the provider's max_retries allows. Wait a little, lower -parallelism, or raise max_retries."
            }
            Self::Quota => {
                "The account has as many of these as it may have in this region, or AWS works on too many at once. Delete what is not needed, or ask for more in Service Quotas, and run the command again."
            }
            Self::Gone => {
                "It was deleted outside of this configuration, or what the call refers to was never there. Run plan again: what is gone is planned to be made anew. What must be there before is to be referred to, or named in depends_on."
            }
            Self::Exists => {
                "Something of this name is there, and the state does not have it. Import it (terrace import, or an import block) if this configuration is to manage it, or choose another name."
            }
            Self::Unreachable => {
                "Nothing was answered. Look at the network, at the proxy settings (HTTPS_PROXY, NO_PROXY), and at the provider's region and endpoints: a service is only where its region is spelled right. Then run the command again."
            }
            Self::Other => return None,
        };
        Some(advice.to_owned())
    }
}

/// Which permission is missing, and where it is to be given.
fn denied(told: &str, permission: &str) -> String {
    let named = after(told, "to perform: ");
    let missing = named
        .filter(|action| !action.eq_ignore_ascii_case(permission))
        .unwrap_or(permission);
    let on = after(told, "on resource: ")
        .map(|resource| format!(" on {}", resource.trim_matches('"')))
        .unwrap_or_default();
    let what = format!("The credentials lack the permission {missing}{on}.");
    if let Some(place) = place(told, "with an explicit deny in ") {
        return format!(
            "{what} It is denied by {place}, which counts more than any policy that allows it: change the deny, or sign in as somebody whom it does not concern."
        );
    }
    match place(told, "because no ") {
        Some("identity-based policy") => {
            format!("{what} Allow it in a policy of the role or user that this run signs in as.")
        }
        Some(place) => format!("{what} No {place} allows it: allow it there."),
        None => format!(
            "{what} AWS does not say why. Allow it in a policy of the role or user that this run signs in as; where that is done, look for a deny in the object's own policy, in permissions boundaries and in service control policies."
        ),
    }
}

/// The word behind a text.
fn after<'t>(told: &'t str, text: &str) -> Option<&'t str> {
    let (_, rest) = told.split_once(text)?;
    rest.split_whitespace().next()
}

/// The kind of policy that a refusal names behind a text: `a service control policy`.
fn place<'t>(told: &'t str, text: &str) -> Option<&'t str> {
    let (_, rest) = told.split_once(text)?;
    let end = [" policy", " boundary"]
        .into_iter()
        .filter_map(|kind| Some(rest.find(kind)? + kind.len()))
        .min()?;
    let place = &rest[..end];
    (place.split(' ').count() <= 5).then_some(place)
}
