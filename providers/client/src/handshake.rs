//! What host and plugin say to each other before the first call: the environment given, the line answered.

use base64::Engine as _;

/// The variable by which a plugin knows that it was started as one, and its value.
pub(crate) const MAGIC_COOKIE: (&str, &str) = (
    "TF_PLUGIN_MAGIC_COOKIE",
    "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2",
);

/// The protocol versions that the engine speaks, as the plugin is told them.
pub(crate) const PROTOCOL_VERSIONS: &str = "5,6";

/// Where a plugin listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Endpoint {
    /// A socket in the file system.
    Unix(String),
    /// A host and port.
    Tcp(String),
}

/// A protocol version that the engine speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProtocolVersion {
    /// 5
    V5,
    /// 6
    V6,
}

/// What a plugin answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Handshake {
    /// The protocol version that it chose.
    pub(crate) version: ProtocolVersion,
    /// Where it listens.
    pub(crate) endpoint: Endpoint,
    /// Its certificate (DER), where it speaks TLS.
    pub(crate) certificate: Option<Vec<u8>>,
}

impl Handshake {
    /// Reads the plugin's first line: `CORE|VERSION|NETWORK|ADDRESS|gRPC|CERTIFICATE`. The error says what is wrong with it.
    pub(crate) fn parse(line: &str) -> Result<Self, String> {
        let fields: Vec<&str> = line.trim().split('|').collect();
        let [core, version, network, address, ..] = fields[..] else {
            return Err("its first line is not a plugin's handshake".into());
        };
        if core != "1" {
            return Err(format!(
                "it speaks version {core:?} of the plugin handshake, not 1"
            ));
        }
        let version = match version {
            "5" => ProtocolVersion::V5,
            "6" => ProtocolVersion::V6,
            other => {
                return Err(format!(
                    "it speaks version {other:?} of the provider protocol, not 5 or 6"
                ));
            }
        };
        let endpoint = match network {
            "unix" => Endpoint::Unix(address.into()),
            "tcp" => Endpoint::Tcp(address.into()),
            other => {
                return Err(format!(
                    "it listens on a network of an unknown kind: {other:?}"
                ));
            }
        };
        if let Some(protocol) = fields.get(4)
            && *protocol != "grpc"
        {
            return Err(format!("it speaks {protocol:?}, not gRPC"));
        }
        let certificate = match fields.get(5) {
            None | Some(&"") => None,
            Some(text) => Some(
                base64::engine::general_purpose::STANDARD_NO_PAD
                    .decode(text.trim_end_matches('='))
                    .map_err(|error| format!("its certificate cannot be read: {error}"))?,
            ),
        };
        Ok(Self {
            version,
            endpoint,
            certificate,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read() {
        let handshake = Handshake::parse("1|6|unix|/run/plugin1|grpc|AQID\n").unwrap();
        assert_eq!(handshake.version, ProtocolVersion::V6);
        assert_eq!(handshake.endpoint, Endpoint::Unix("/run/plugin1".into()));
        assert_eq!(handshake.certificate.as_deref(), Some(&[1, 2, 3][..]));
        let handshake = Handshake::parse("1|5|tcp|127.0.0.1:1234|grpc").unwrap();
        assert_eq!(
            (handshake.version, handshake.certificate),
            (ProtocolVersion::V5, None)
        );
    }

    #[test]
    fn nonsense_is_told_apart() {
        for (line, what) in [
            ("hello", "not a plugin's handshake"),
            ("2|5|unix|x|grpc|", "version \"2\" of the plugin handshake"),
            ("1|4|unix|x|grpc|", "version \"4\" of the provider protocol"),
            ("1|5|pipe|x|grpc|", "unknown kind"),
            ("1|5|unix|x|netrpc|", "not gRPC"),
            ("1|5|unix|x|grpc|!!", "certificate cannot be read"),
        ] {
            let error = Handshake::parse(line).unwrap_err();
            assert!(error.contains(what), "{line}: {error}");
        }
    }
}
