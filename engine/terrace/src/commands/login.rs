//! `terrace login` and `terrace logout`

use std::sync::Arc;

use terrace_port::Entropy as _;
use terrace_registry_client::{Discovery, Host, Http, Login};

use crate::args::{LoginArgs, LogoutArgs};
use crate::command_error::{CommandError, Outcome, SUCCESS};
use crate::installation::{discovery, http};
use crate::outside::SystemEntropy;
use crate::session::Session;
use crate::wiring::{read_cli_config, user_directories};

pub(crate) async fn run(session: &Arc<Session>, args: &LoginArgs) -> Outcome {
    if !args.input {
        return Err(CommandError::one(
            "login-not-interactive",
            "Login is an interactive command",
            "The \"terrace login\" command uses interactive prompts to obtain and record credentials, so it can't be run with input disabled.\n\nTo configure credentials in a non-interactive context, write existing credentials directly to a CLI configuration file, or give them by an environment variable such as TF_TOKEN_app_example_com.",
        ));
    }
    let host = host(&args.host)?;
    refuse_configured(session, &host, "log in", "To log in, first revoke")?;
    let http = http(session);
    let discovery = discovery(session, &http)?;
    let work = {
        let session = session.clone();
        // Waiting for a person blocks, and is no work for the threads of the runtime.
        tokio::task::spawn_blocking(move || log_in(&session, &http, &discovery, &host))
    };
    work.await.map_err(|error| {
        CommandError::one(
            "internal",
            "Login broke off",
            format!("The login broke off: {error}. This is a bug in Terrace."),
        )
    })?
}

fn host(text: &str) -> Result<Host, CommandError> {
    Host::parse(text).map_err(|error| {
        CommandError::one(
            "invalid-hostname",
            "Invalid hostname",
            format!("The given hostname {text:?} is not valid: {error}."),
        )
    })
}

/// Where someone wrote credentials down, nobody else changes them.
fn refuse_configured(
    session: &Session,
    host: &Host,
    what: &str,
    advice: &str,
) -> Result<(), CommandError> {
    let config = read_cli_config(session, &user_directories(session))?.config;
    if !config.services.tokens.contains_key(host) {
        return Ok(());
    }
    let detail = format!(
        "The \"terrace {}\" command cannot {what} because credentials for this host are already configured in a CLI configuration file.\n\n{advice} the existing credentials and remove that block from the CLI configuration.",
        what.replace(' ', "")
    );
    Err(CommandError::one(
        "credentials-configured",
        format!("Credentials for {host} are manually configured"),
        detail,
    ))
}

fn log_in(session: &Session, http: &Http, discovery: &Discovery, host: &Host) -> Outcome {
    let view = session.view;
    let failed = |error: &dyn std::fmt::Display| {
        CommandError::one(
            "login-failed",
            "Failed to log in",
            format!("No token of {host} was obtained: {error}."),
        )
    };
    let login = Login::at(discovery, host).map_err(|error| failed(&error))?;
    let by_token = discovery
        .description(host, "tfe.v2.1")
        .and_then(|found| Ok(found.or(discovery.description(host, "tfe.v2")?)))
        .map_err(|error| failed(&error))?;
    if login.is_none() && by_token.is_none() {
        return Err(CommandError::one(
            "login-unsupported",
            "Host does not support Terraform login",
            format!(
                "The given hostname {host:?} does not allow creating authorization tokens: it offers no login.v1 service.",
                host = host.as_str()
            ),
        ));
    }
    let how = if login.is_some() {
        "OAuth"
    } else {
        "your browser"
    };
    view.output(format!(
        "Terrace will request an API token for {host} using {how}.\n\nThis will work only if you are able to use a web browser on this computer to\ncomplete a login process. If not, you must obtain an API token by another\nmeans and configure it in the CLI configuration manually.\n\nIf login is successful, Terrace will store the token in plain text in\nthe following file for use by subsequent commands:\n    {}\n",
        discovery.credentials().place()
    ));
    if !view.confirm("Do you want to proceed?\n  Only 'yes' will be accepted to confirm.\n") {
        return Err(CommandError::one(
            "login-cancelled",
            "Login cancelled",
            "Nothing was requested and nothing was stored.",
        ));
    }
    let token = match login {
        Some(login) => by_browser(session, http, login, host).map_err(|error| failed(&error))?,
        None => pasted(session, host)?,
    };
    discovery
        .credentials()
        .store(host, &token)
        .map_err(|error| {
            CommandError::one(
                "login-not-stored",
                "Failed to save API token",
                format!("The given host returned an API token, but Terrace was unable to save it: {error}."),
            )
        })?;
    view.output(format!(
        "\nSuccess! Terrace has obtained and saved an API token.\n\nThe new API token will be used for any future Terrace command that must make\nauthenticated requests to {host}.\n"
    ));
    Ok(SUCCESS)
}

fn by_browser(
    session: &Session,
    http: &Http,
    login: Login,
    host: &Host,
) -> Result<String, terrace_registry_client::LoginError> {
    let mut secret = [0; 48];
    SystemEntropy.fill(&mut secret);
    let pending = login.begin(&secret)?;
    let opened = session.view.asks() && open_browser(session, pending.address());
    let lead = if opened {
        format!(
            "Terrace must now open a web browser to the login page for {host}.\n\nIf a browser does not open this automatically, open the following URL to proceed:"
        )
    } else {
        format!("Open the following URL to access the login page for {host}:")
    };
    session.view.output(format!(
        "\n{lead}\n    {}\n\nTerrace will now wait for the host to signal that login was successful.\n",
        pending.address()
    ));
    pending.wait(http)
}

/// Whether a program was started that shows an address.
fn open_browser(session: &Session, address: &str) -> bool {
    let program = session
        .environment
        .get("BROWSER")
        .unwrap_or(if cfg!(target_os = "macos") {
            "open"
        } else {
            "xdg-open"
        });
    crate::outside::start_aside(program, &[address])
}

/// A token that a person made elsewhere.
fn pasted(session: &Session, host: &Host) -> Result<String, CommandError> {
    session.view.output(format!(
        "\nGenerate a token using your browser, and copy-paste it into this prompt:\n    https://{host}/app/settings/tokens?source=terraform-login\n\nToken for {host}:"
    ));
    let token = session.view.typed_lines().next().unwrap_or_default();
    let token = token.trim().to_owned();
    if token.is_empty() || token.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err(CommandError::one(
            "login-cancelled",
            "Login cancelled",
            "No token was given, and nothing was stored.",
        ));
    }
    Ok(token)
}

pub(crate) fn log_out(session: &Session, args: &LogoutArgs) -> Outcome {
    let host = host(&args.host)?;
    refuse_configured(session, &host, "log out", "To log out, revoke")?;
    let discovery = discovery(session, &http(session))?;
    let credentials = discovery.credentials();
    let failed = |error: terrace_registry_client::ClientError| {
        CommandError::one(
            "logout-failed",
            "Failed to remove API token",
            format!("Unable to remove the stored API token: {error}."),
        )
    };
    if !credentials.is_stored(&host).map_err(failed)? {
        session
            .view
            .output(format!("No credentials for {host} are stored.\n"));
        return Ok(SUCCESS);
    }
    session.view.output(format!(
        "Removing the stored credentials for {host} from the following file:\n    {}\n",
        credentials.place()
    ));
    credentials.forget(&host).map_err(failed)?;
    session.view.output(format!(
        "Success! Terrace has removed the stored API token for {host}.\n"
    ));
    Ok(SUCCESS)
}
