//! The binary: arguments to settings, settings to a command, a command to an exit code.

mod args;
mod backends;
mod command_error;
mod commands;
mod credentials;
mod early;
mod encryption;
mod installation;
mod modules;
mod native;
mod outside;
mod plugins;
mod session;
mod signals;
mod signing;
mod stacks;
mod test_modules;
mod view;
mod visit;
mod wiring;

use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser as _;
use terrace_provider_client::{Guard, LogLevel};

use args::{BootstrapCommand, Cli, Command, StateCommand};
use command_error::{FAILURE, Outcome};
use outside::Environment;
use session::Session;
use view::View;
use view::log::Log;

/// Plans are made of very many small objects, some of which live to the end: an allocator that keeps equal sizes
/// together takes a tenth off a large plan (measured on 100,000 resources, beside the system's).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    if std::env::args_os()
        .nth(1)
        .is_some_and(|argument| argument == Guard::ARGUMENT)
    {
        Guard::keep(std::io::stdin().lock());
        return ExitCode::SUCCESS;
    }
    let environment = Environment::read();
    let args = args::normalise(std::env::args());
    let args = args::with_environment(args, &environment);
    let cli = match Cli::try_parse_from(&args) {
        Ok(cli) => cli,
        Err(problem) => {
            // Help and version are answers; everything else is wrong usage.
            let is_answer = matches!(
                problem.kind(),
                clap::error::ErrorKind::DisplayHelp | clap::error::ErrorKind::DisplayVersion
            );
            problem.print().ok();
            return ExitCode::from(if is_answer { 0 } else { FAILURE });
        }
    };
    if let Some(directory) = &cli.chdir
        && let Err(error) = std::env::set_current_dir(directory)
    {
        View::plain().aside(format!("Error: -chdir={directory}: {error}"));
        return ExitCode::from(FAILURE);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            View::plain().aside(format!("Error: the runtime could not be started: {error}"));
            return ExitCode::from(FAILURE);
        }
    };
    let session = Arc::new(Session {
        view: view_of(&cli.command, &environment),
        log: Log::of(&environment),
        environment,
        variables: args::variable_arguments(&args),
        carrying_out: Arc::default(),
        root: root_of(&cli.command),
        loaded: std::sync::Mutex::default(),
        http: std::sync::OnceLock::new(),
        encryption: std::sync::Arc::default(),
        keys: signing::Keys::default(),
        base: ".".into(),
    });
    if let Some(log) = &session.log {
        let version = env!("CARGO_PKG_VERSION");
        log.engine_says(LogLevel::Info, &format!("Terrace version {version}"));
    }
    let code = runtime.block_on(async {
        let interrupted = signals::watch(session.carrying_out.clone());
        tokio::select! {
            outcome = run(&session, cli.command) => report(&session, outcome),
            () = interrupted.notified() => {
                session.view.aside("\nInterrupted.");
                FAILURE
            }
        }
    });
    runtime.shutdown_timeout(std::time::Duration::from_secs(2));
    ExitCode::from(code)
}

fn report(session: &Session, outcome: Outcome) -> u8 {
    match outcome {
        Ok(code) => code,
        Err(error) => {
            session.view.diagnostics(error.diagnostics, &error.sources);
            error.code
        }
    }
}

fn view_of(command: &Command, environment: &Environment) -> View {
    let (json, no_color, compact) = match command {
        Command::Plan(args) => (
            args.style.json,
            args.style.no_color,
            args.options.compact_warnings,
        ),
        Command::Apply(args) | Command::Destroy(args) | Command::Refresh(args) => (
            args.style.json,
            args.style.no_color,
            args.options.compact_warnings,
        ),
        Command::Init(args) => (args.style.json, args.style.no_color, false),
        Command::Get(args) => (false, args.no_color, false),
        Command::Modules(args) => (false, args.no_color, false),
        Command::Module(command) => (false, command.style().no_color, false),
        Command::Providers(args) => (false, args.no_color(), false),
        Command::Login(args) => (false, args.no_color, false),
        Command::Logout(args) => (false, args.no_color, false),
        Command::Validate(args) => (false, args.style.no_color, false),
        Command::Test(args) => (args.style.json, args.style.no_color, false),
        Command::Show(args) => (false, args.style.no_color, false),
        Command::Output(args) => (false, args.style.no_color, false),
        Command::Fmt(args) => (false, args.no_color, false),
        Command::Console(args) => (false, args.no_color, false),
        Command::Graph(args) => (false, args.no_color, false),
        Command::Import(args) => (args.style.json, args.style.no_color, false),
        Command::Recover(args) => (args.style.json, args.style.no_color, false),
        Command::State(
            StateCommand::History { style, .. }
            | StateCommand::Diff { style, .. }
            | StateCommand::Restore { style, .. }
            | StateCommand::Show { style, .. },
        ) => (false, style.no_color, false),
        Command::Approve(args) => (args.style.json, args.style.no_color, false),
        Command::Promote(args) => (args.style.json, args.style.no_color, false),
        Command::Review(args) => (args.style.json, args.style.no_color, false),
        Command::Drift(args) => (args.style.json, args.style.no_color, false),
        Command::Runs(args) => (false, args.style.no_color, false),
        // Logs of workflows are read in browsers.
        Command::Ci(_) => (false, true, false),
        Command::Bootstrap(BootstrapCommand::Aws(args)) => (false, args.no_color, false),
        Command::Policy(command) => {
            let no_color = command.style().is_some_and(|style| style.no_color);
            (false, no_color, false)
        }
        _ => (false, false, false),
    };
    let mut view = View::new(json, no_color, environment);
    view.compact_warnings = compact;
    view
}

/// The root module's directory: the working directory, unless the command names another.
fn root_of(command: &Command) -> String {
    let named = match command {
        Command::Import(args) => args.config.as_deref(),
        _ => None,
    };
    let named = named.map(|path| path.trim_end_matches('/'));
    match named {
        None | Some(".") => ".".to_owned(),
        Some("") => "/".to_owned(),
        Some(path) => path.strip_prefix("./").unwrap_or(path).to_owned(),
    }
}

async fn run(session: &Arc<Session>, command: Command) -> Outcome {
    let config = || wiring::load_config_for_backend(session);
    match command {
        Command::Init(args) => commands::init::run(session, &args).await,
        Command::Get(args) => commands::get::run(session, &args).await,
        Command::Modules(args) => commands::modules::run(session, &args),
        Command::Module(command) => commands::module::run(session, command).await,
        Command::Registry(command) => commands::registry::run(session, &command).await,
        Command::Providers(args) => commands::providers::run(session, args.command).await,
        Command::Login(args) => commands::login::run(session, &args).await,
        Command::Logout(args) => commands::login::log_out(session, &args),
        Command::Validate(args) => commands::validate::run(session, &args).await,
        Command::Test(args) => commands::test::run(session, &args).await,
        Command::Plan(args) => commands::plan::run(session, &args).await,
        Command::Apply(args) => commands::apply::run(session, args).await,
        Command::Destroy(mut args) => {
            args.options.destroy = true;
            args.destroys = true;
            commands::apply::run(session, args).await
        }
        Command::Refresh(mut args) => {
            args.options.refresh_only = true;
            args.auto_approve = true;
            commands::apply::run(session, args).await
        }
        Command::Show(args) => commands::show::run(session, &args, config()).await,
        Command::Output(args) => commands::state::output(session, &args, config().as_deref()).await,
        Command::Fmt(args) => commands::fmt::run(session, &args),
        Command::State(command) => {
            commands::state::run(session, &command, config().as_deref()).await
        }
        Command::Workspace(command) => {
            commands::workspace::run(session, &command, config().as_deref()).await
        }
        Command::Taint(args) => {
            commands::state::taint(session, &args, true, config().as_deref()).await
        }
        Command::Untaint(args) => {
            commands::state::taint(session, &args, false, config().as_deref()).await
        }
        Command::ForceUnlock(args) => {
            commands::state::force_unlock(session, &args, config().as_deref()).await
        }
        Command::Approve(args) => commands::approve::run(session, &args, config().as_deref()).await,
        Command::Review(args) => commands::review::run(session, &args, config().as_deref()).await,
        Command::Promote(args) => commands::promote::run(session, &args).await,
        Command::Drift(args) => commands::drift::run(session, &args).await,
        Command::Gate(command) => {
            commands::approve::gate(session, &command, config().as_deref()).await
        }
        Command::Policy(command) => commands::policy::run(session, &command).await,
        Command::Runs(args) => match commands::bundle::verify_file(session, &args).await {
            Some(outcome) => outcome,
            None => commands::runs::run(session, &args, config().as_deref()).await,
        },
        Command::View(args) => commands::view::run(session, &args, config().as_deref()).await,
        Command::Audit(command) => {
            commands::audit::run(session, &command, config().as_deref()).await
        }
        Command::Bootstrap(command) => commands::bootstrap::run(session, &command).await,
        Command::Ci(command) => commands::ci::run(session, &command).await,
        Command::InitCi(command) => commands::init_ci::run(session, &command).await,
        Command::Import(args) => commands::import::run(session, args).await,
        Command::Recover(args) => commands::recover::run(session, &args).await,
        Command::Console(args) => commands::console::run(session, &args).await,
        Command::Graph(args) => commands::graph::run(session, &args).await,
        Command::Metadata(command) => commands::metadata::run(session, &command),
        Command::Version(args) => commands::version::run(session, &args),
    }
}
