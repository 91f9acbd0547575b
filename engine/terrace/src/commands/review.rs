//! `terrace review`: what an emergency owes afterwards.

use terrace_config::Config;
use terrace_gate::{
    REVIEW_NAMESPACE, Statement, fingerprint_of, load_owed, open_reviews, save_review,
    sign_statement,
};
use terrace_port::Clock as _;

use crate::args::ReviewArgs;
use crate::command_error::{CommandError, Outcome, REFUSED, SUCCESS};
use crate::outside::SystemClock;
use crate::session::Session;
use crate::signing::unusable;
use crate::view::plan as plan_view;

pub(crate) async fn run(session: &Session, args: &ReviewArgs, config: Option<&Config>) -> Outcome {
    let place = session.place(args.place.env.as_deref(), config)?;
    session.sign_with(args.key.as_deref());
    let Some(rules) = super::gate::rules(&place).await? else {
        return Err(super::approve::no_environment());
    };
    let run = super::runs::named(&place, &args.run).await?;
    let store = place.store.runs(&place.workspace);
    let Some(owed) = load_owed(&*store, &run.id).await? else {
        let detail = format!(
            "Run {} owes no review: it was not applied as an emergency.",
            run.id
        );
        return Err(CommandError::one("nothing-owed", "No review owed", detail));
    };
    let signer = session.signer(args.key.as_deref())?;
    let fingerprint = fingerprint_of(&signer.public_key()).map_err(unusable)?;
    let person = rules.person_of(&fingerprint);
    let refused = match person {
        None => Some(format!(
            "The key {fingerprint} belongs to nobody that the project file lists."
        )),
        Some(person) if owed.is_author(person) => Some(format!(
            "{person} is the author of the plan, and nobody reviews what they made themselves."
        )),
        Some(_) => None,
    };
    if let Some(why) = refused {
        let details = [
            ("operation", "review".to_owned()),
            ("key", fingerprint),
            ("reason", why.clone()),
        ];
        session
            .audit(&place, "refuse", Some(&run.id), &details)
            .await?;
        let detail = format!("{why} Nothing was signed.");
        let mut error = CommandError::one("approval-refused", "Review would not count", detail);
        error.code = REFUSED;
        return Err(error);
    }
    let (plan, digest) = super::gate::plan_of(&place, &run.id).await?;
    if !args.style.json {
        session.view.output(plan_view::render(&plan, &session.view));
    }
    let statement = Statement {
        plan: digest,
        environment: owed.environment.clone(),
        change: "emergency".to_owned(),
        signed_at: SystemClock.now().0,
        expires_at: None,
        comment: args.comment.clone(),
    };
    let envelope = sign_statement(&*signer, REVIEW_NAMESPACE, &statement).map_err(unusable)?;
    save_review(&*store, &run.id, &envelope).await?;
    let person = person.unwrap_or_default().to_owned();
    let details = [
        ("key", fingerprint.clone()),
        ("person", person.clone()),
        ("plan", digest.to_string()),
        ("comment", args.comment.clone()),
    ];
    session
        .audit(&place, "review", Some(&run.id), &details)
        .await?;
    session.view.line(format!(
        "\nReviewed run {} for {:?} as {person} ({fingerprint}).",
        run.id, owed.environment
    ));
    let open = open_reviews(&*store, &rules, SystemClock.now().0).await?;
    if open.iter().any(|open| open.owed.run == run.id) {
        super::gate::tell_owed(session, &place).await?;
    } else {
        session
            .view
            .line(format!("The review of run {} is given.", run.id));
    }
    Ok(SUCCESS)
}
