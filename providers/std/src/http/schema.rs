//! Schema of http.

use terrace_provider_sdk::{Attribute, Block, Schema, Type, validate};

/// The schema of the data source `http`.
pub(super) fn http_data() -> Schema {
    let schema = Schema::new()
        .describe("What a server answers to one HTTP request.")
        .plain()
        .attribute("id", text("The URL of the request."))
        .block("retry", Block::single(retry()));
    answer(request(schema))
}

fn text(description: &str) -> Attribute {
    Attribute::string().computed().describe_plain(description)
}

/// What is sent, and how.
fn request(schema: Schema) -> Schema {
    let pem = |description| Attribute::string().optional().describe_plain(description);
    schema
        .attribute(
            "ca_cert_pem",
            pem("The authorities to trust in place of the system's, as certificates in PEM.")
                .validate(validate::conflicts_with(["insecure"])),
        )
        .attribute(
            "client_cert_pem",
            pem("The certificate to show to the server, in PEM.")
                .validate(validate::also_requires(["client_key_pem"])),
        )
        .attribute(
            "client_key_pem",
            pem("The private key of the certificate to show, in PEM.")
                .validate(validate::also_requires(["client_cert_pem"])),
        )
        .attribute(
            "insecure",
            Attribute::bool()
                .optional()
                .validate(validate::conflicts_with(["ca_cert_pem"]))
                .describe_plain("Whether to trust any server, whoever it is; false by default."),
        )
        .attribute(
            "method",
            Attribute::string()
                .optional()
                .validate(validate::one_of(["GET", "POST", "HEAD"]))
                .describe_plain(
                    "`GET`, `HEAD` or `POST`; `GET` by default. Reading happens often: \
                     choose what changes nothing on the server.",
                ),
        )
        .attribute(
            "request_body",
            Attribute::string()
                .optional()
                .describe_plain("What to send as the body; nothing by default."),
        )
        .attribute(
            "request_headers",
            Attribute::map(Type::String)
                .optional()
                .describe_plain("The header fields to send, by name."),
        )
        .attribute(
            "request_timeout_ms",
            Attribute::number()
                .optional()
                .validate(validate::at_least(1))
                .describe_plain("How many milliseconds to wait for an answer."),
        )
        .attribute(
            "url",
            Attribute::string()
                .required()
                .describe_plain("Where to send the request: a URL of `http` or `https`."),
        )
}

/// What comes back.
fn answer(schema: Schema) -> Schema {
    schema
        .attribute(
            "body",
            text("The older name of `response_body`, which is to be used instead.").deprecated(),
        )
        .attribute("response_body", text("The body of the answer as text."))
        .attribute(
            "response_body_base64",
            text("The body of the answer in base64, for what is no text."),
        )
        .attribute(
            "response_headers",
            Attribute::map(Type::String).computed().describe_plain(
                "The header fields of the answer, by name; \
                     several of one name are joined by commas.",
            ),
        )
        .attribute(
            "status_code",
            Attribute::number()
                .computed()
                .describe_plain("The status of the answer, such as 200."),
        )
}

fn retry() -> Schema {
    let whole = |description| {
        Attribute::number()
            .optional()
            .validate(validate::at_least(0))
            .describe_plain(description)
    };
    Schema::new()
        .describe("Asks again after no answer, or one of status 429 or from 500 on (but not 501).")
        .plain()
        .attribute(
            "attempts",
            whole("How often to ask again after the first time."),
        )
        .attribute(
            "max_delay_ms",
            whole("How many milliseconds to wait at most before asking again; 30000 by default."),
        )
        .attribute(
            "min_delay_ms",
            whole(
                "How many milliseconds to wait at first, twice as many each time; 1000 by default.",
            ),
        )
}
