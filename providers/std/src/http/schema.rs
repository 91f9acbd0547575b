//! Schema of http.

use terrace_provider_sdk::{Attribute, Block, Schema, Type, validate};

/// The schema of the data source `http`.
pub(super) fn http_data() -> Schema {
    Schema::new().describe(r#"
The `http` data source makes an HTTP GET request to the given URL and exports
information about the response.

The given URL may be either an `http` or `https` URL. This resource
will issue a warning if the result is not UTF-8 encoded.

~> **Important** Although `https` URLs can be used, there is currently no
mechanism to authenticate the remote server except for general verification of
the server certificate's chain of trust. Data retrieved from servers not under
your control should be treated as untrustworthy.

By default, there are no retries. Configuring the retry block will result in
retries if an error is returned by the client (e.g., connection errors) or if 
a 5xx-range (except 501) status code is received. For further details see 
[go-retryablehttp](https://pkg.go.dev/github.com/hashicorp/go-retryablehttp).
"#).plain().attribute("body", Attribute::string().computed().deprecated().describe_plain("The response body returned as a string. **NOTE**: This is deprecated, use `response_body` instead.")).attribute("ca_cert_pem", Attribute::string().optional().validate(validate::conflicts_with(["insecure"])).describe_plain("Certificate Authority (CA) in [PEM (RFC 1421)](https://datatracker.ietf.org/doc/html/rfc1421) format.")).attribute("client_cert_pem", Attribute::string().optional().validate(validate::also_requires(["client_key_pem"])).describe_plain("Client certificate in [PEM (RFC 1421)](https://datatracker.ietf.org/doc/html/rfc1421) format.")).attribute("client_key_pem", Attribute::string().optional().validate(validate::also_requires(["client_cert_pem"])).describe_plain("Client key in [PEM (RFC 1421)](https://datatracker.ietf.org/doc/html/rfc1421) format.")).attribute("id", Attribute::string().computed().describe_plain("The URL used for the request.")).attribute("insecure", Attribute::bool().optional().validate(validate::conflicts_with(["ca_cert_pem"])).describe_plain("Disables verification of the server's certificate chain and hostname. Defaults to `false`")).attribute("method", Attribute::string().optional().validate(validate::one_of(["GET", "POST", "HEAD"])).describe_plain("The HTTP Method for the request. Allowed methods are a subset of methods defined in [RFC7231](https://datatracker.ietf.org/doc/html/rfc7231#section-4.3) namely, `GET`, `HEAD`, and `POST`. `POST` support is only intended for read-only URLs, such as submitting a search.")).attribute("request_body", Attribute::string().optional().describe_plain("The request body as a string.")).attribute("request_headers", Attribute::map(Type::String).optional().describe_plain("A map of request header field names and values.")).attribute("request_timeout_ms", Attribute::number().optional().validate(validate::at_least(1)).describe_plain("The request timeout in milliseconds.")).attribute("response_body", Attribute::string().computed().describe_plain("The response body returned as a string.")).attribute("response_body_base64", Attribute::string().computed().describe_plain("The response body encoded as base64 (standard) as defined in [RFC 4648](https://datatracker.ietf.org/doc/html/rfc4648#section-4).")).attribute("response_headers", Attribute::map(Type::String).computed().describe_plain("A map of response header field names and values. Duplicate headers are concatenated according to [RFC2616](https://www.w3.org/Protocols/rfc2616/rfc2616-sec4.html#sec4.2).")).attribute("status_code", Attribute::number().computed().describe_plain("The HTTP response status code.")).attribute("url", Attribute::string().required().describe_plain("The URL for the request. Supported schemes are `http` and `https`.")).block("retry", Block::single(Schema::new().describe("Retry request configuration. By default there are no retries. Configuring this block will result in retries if an error is returned by the client (e.g., connection errors) or if a 5xx-range (except 501) status code is received. For further details see [go-retryablehttp](https://pkg.go.dev/github.com/hashicorp/go-retryablehttp).").plain().attribute("attempts", Attribute::number().optional().validate(validate::at_least(0)).describe_plain("The number of times the request is to be retried. For example, if 2 is specified, the request will be tried a maximum of 3 times.")).attribute("max_delay_ms", Attribute::number().optional().validate(validate::at_least(0)).describe_plain("The maximum delay between retry requests in milliseconds.")).attribute("min_delay_ms", Attribute::number().optional().validate(validate::at_least(0)).describe_plain("The minimum delay between retry requests in milliseconds."))))
}
