//! Identities of workflows: who made a plan in CI, by the word of the forge's issuer.
//!
//! A workflow asks for a token whose audience is the very plan. Token and keys are kept with the run, and count for
//! nothing by themselves: whoever can write to a store could put other keys there. When a plan is judged, the issuer that
//! the rules name is asked for its keys again, and the forge for the commit's author. What is kept is for those who look at
//! the run later, and ask nobody.

use std::collections::BTreeSet;

use terrace_plan::{Plan, PlanDigest};
use terrace_port::{Forge, Issuer, RunStore, StoreError};

use crate::approve::CLOCKS_APART;
use crate::calendar::{second_of, utc};
use crate::token::{self, Verified};
use crate::wire::{self, AuditWire, ClaimsWire, CommitAuthorWire};
use crate::{Finding, Rules, Run, WorkflowIdentity, audit, digest, runs, verify::finding};

/// The event whose workflows run with the rights of a branch and are started by whoever proposes something else.
const FOREIGN_EVENT: &str = "pull_request_target";
/// The particular of an audit entry that names what is kept of an identity, by its hash.
pub const IDENTITY_DETAIL: &str = "identity";
/// The particular of an audit entry that names the key by which an identity held, by its thumbprint.
pub const IDENTITY_KEY_DETAIL: &str = "identity_key";
/// The particular of an audit entry that names everybody who counts as an author.
pub const AUTHORS_DETAIL: &str = "authors";

/// The audience of a token that is about a plan, and about no other.
pub fn audience(plan: PlanDigest) -> String {
    format!("terrace:{plan}")
}

/// A workflow's identity that was just obtained for a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct IdentityProof {
    /// What is kept with the run.
    pub bytes: Vec<u8>,
    /// The login that has started the workflow.
    pub actor: String,
    /// Its hash, which the audit log names.
    pub digest: String,
    /// The thumbprint of the key by which it holds.
    pub key: String,
}

/// A workflow's identity that holds by what issuer and forge said just now. Only [`read_identity`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Identified {
    /// The plan that it is of.
    pub plan: PlanDigest,
    /// The listed person who counts as the author: of the commit, or else who has started the workflow.
    pub author: String,
    /// Every listed person who is one of the two.
    pub authors: BTreeSet<String>,
    /// The workflow's file and reference, as the issuer names them.
    pub workflow: String,
    /// The hash of what is kept of it, which the audit log names.
    pub digest: String,
    /// The thumbprint of the issuer's key by which it holds.
    pub key: String,
}

/// What a token must fit: a plan, its commit, and the times at which that was recorded.
struct Occasion<'a> {
    plan: PlanDigest,
    commit: Option<&'a str>,
    times: &'a [(&'a str, i64)],
}

fn name_of(run: &str) -> String {
    format!("runs/{run}/identity")
}

fn author_name(run: &str) -> String {
    format!("runs/{run}/identity-author")
}

/// Asks for a token about `plan`, which is made now, and for the keys that it holds by. `None` outside of a workflow.
///
/// # Errors
/// Why none could be had, or why it would not stand for the plan's author by these rules.
pub async fn obtain_identity(
    issuer: &dyn Issuer,
    rules: &Rules,
    plan: &Plan,
    digest: PlanDigest,
    now: i64,
) -> Result<Option<IdentityProof>, String> {
    let Some(token) = issuer.token(&audience(digest)).await? else {
        return Ok(None);
    };
    let keys = keys_of(issuer, &rules.identities, &token).await?;
    let occasion = Occasion {
        plan: digest,
        commit: plan.inputs.request.commit.as_deref(),
        times: &[("the plan is made at", now)],
    };
    let (found, _) = examine(&token, &keys, &rules.identities, &occasion)?;
    let bytes = wire::encode_proof(&token, &keys);
    Ok(Some(IdentityProof {
        digest: digest::hash(&bytes),
        actor: found.claims.actor,
        key: found.key,
        bytes,
    }))
}

/// Keeps a workflow's identity with a run.
pub async fn save_identity(
    store: &dyn RunStore,
    run: &str,
    proof: &IdentityProof,
) -> Result<(), StoreError> {
    store.put(&name_of(run), &proof.bytes).await
}

/// Asks issuer and forge about the identity that is kept with a plan's run, if there is one. What kept it from counting is
/// told; who the forge says has made the commit is kept with the run.
pub async fn read_identity(
    store: &dyn RunStore,
    (issuer, forge): (&dyn Issuer, &dyn Forge),
    rules: &Rules,
    plan: &Plan,
    digest: PlanDigest,
) -> Result<(Option<Identified>, Vec<String>), StoreError> {
    let id = digest.short();
    let Some(bytes) = store.get(&name_of(&id)).await? else {
        return Ok((None, Vec::new()));
    };
    let told = |why: String| Ok((None, vec![format!("the workflow's identity: {why}")]));
    let kept = digest::hash(&bytes);
    let times = match recorded(store, &id, &kept).await? {
        Ok(times) => times,
        Err(why) => return told(why),
    };
    let occasion = Occasion {
        plan: digest,
        commit: plan.inputs.request.commit.as_deref(),
        times: &times,
    };
    let asked = async {
        let proof = wire::decode_proof(&bytes)?;
        let keys = keys_of(issuer, &rules.identities, &proof.token).await?;
        let (found, identity) = examine(&proof.token, &keys, &rules.identities, &occasion)?;
        let author = commit_author(forge, identity, &found.claims).await?;
        Ok::<_, String>((found, author))
    };
    let (found, author) = match asked.await {
        Ok(found) => found,
        Err(why) => return told(why),
    };
    let (first, authors) = match people(rules, &author.login, &found.claims.actor) {
        Ok(people) => people,
        Err(why) => return told(why),
    };
    store
        .put(&author_name(&id), &wire::encode_commit_author(&author))
        .await?;
    let identified = Identified {
        plan: digest,
        author: first,
        authors,
        workflow: found.claims.workflow_ref,
        digest: kept,
        key: found.key,
    };
    Ok((Some(identified), Vec::new()))
}

/// The keys of the issuer that a token names, if the rules name it too. They are asked of nobody else.
async fn keys_of(
    issuer: &dyn Issuer,
    identities: &[WorkflowIdentity],
    token: &str,
) -> Result<String, String> {
    let stated = token::stated_issuer(token)?;
    let known = identities
        .iter()
        .find(|identity| identity.issuer == stated)
        .ok_or_else(|| foreign_issuer(identities, &stated))?;
    issuer
        .keys(&known.issuer)
        .await
        .map_err(|why| format!("the keys of {} cannot be read: {why}", known.issuer))
}

fn foreign_issuer(identities: &[WorkflowIdentity], stated: &str) -> String {
    let named: BTreeSet<&str> = identities
        .iter()
        .map(|identity| identity.issuer.as_str())
        .collect();
    if named.is_empty() {
        return "the rules in force name no workflow that may stand for a plan's author".to_owned();
    }
    let named: Vec<&str> = named.into_iter().collect();
    format!(
        "the token is by the issuer {stated:?}, and the rules in force name {}",
        named.join(", ")
    )
}

/// What a token says, if its signature holds by these keys, if it is of this plan and time, and if one of the identities
/// is what it tells of.
fn examine<'a>(
    token: &str,
    keys: &str,
    identities: &'a [WorkflowIdentity],
    occasion: &Occasion<'_>,
) -> Result<(Verified, &'a WorkflowIdentity), String> {
    let found = token::verify(token, keys)?;
    let claims = &found.claims;
    if claims.aud != audience(occasion.plan) {
        return Err(format!(
            "the token is for {:?}, and not for this plan",
            claims.aud
        ));
    }
    check_times(claims, occasion.times)?;
    if occasion.commit != Some(claims.sha.as_str()) {
        return Err(format!(
            "the workflow ran for commit {}, and the plan is of {}",
            claims.sha,
            occasion.commit.unwrap_or("none")
        ));
    }
    if claims.event_name == FOREIGN_EVENT {
        return Err(format!(
            "the workflow was started by {FOREIGN_EVENT}, by which a stranger's proposal runs as if it were of the branch"
        ));
    }
    let mut misfits = Vec::new();
    for identity in identities {
        match misfit(identity, claims) {
            None => return Ok((found, identity)),
            Some(why) => misfits.push(why),
        }
    }
    misfits.dedup();
    if misfits.is_empty() {
        misfits.push(foreign_issuer(identities, &claims.iss));
    }
    Err(misfits.join("; "))
}

/// A token lives for minutes. Whether it lived when the plan was recorded is what counts, whenever that is asked.
fn check_times(claims: &ClaimsWire, times: &[(&str, i64)]) -> Result<(), String> {
    let begins = claims.nbf.max(claims.iat);
    if claims.exp <= begins {
        return Err("the token was never valid: it ends before it begins".to_owned());
    }
    for (what, time) in times {
        if time.saturating_add(CLOCKS_APART) < begins {
            return Err(format!(
                "the token holds from {}, and {what} {}",
                utc(begins),
                utc(*time)
            ));
        }
        if claims.exp.saturating_add(CLOCKS_APART) <= *time {
            return Err(format!(
                "the token has expired at {}, and {what} {}",
                utc(claims.exp),
                utc(*time)
            ));
        }
    }
    Ok(())
}

/// Why a workflow is not the one that an identity names.
fn misfit(identity: &WorkflowIdentity, claims: &ClaimsWire) -> Option<String> {
    if claims.iss != identity.issuer {
        return Some(format!(
            "the token is by the issuer {:?}, and not by {}",
            claims.iss, identity.issuer
        ));
    }
    if claims.repository != identity.repository {
        return Some(format!(
            "the workflow is of repository {:?}, and not of {}",
            claims.repository, identity.repository
        ));
    }
    let file = format!("{}/{}@", identity.repository, identity.workflow);
    let Some(of) = claims.workflow_ref.strip_prefix(&file) else {
        return Some(format!(
            "the workflow is {:?}, and not {}",
            claims.workflow_ref, identity.workflow
        ));
    };
    if let Some(reference) = &identity.reference {
        if claims.reference != *reference {
            return Some(format!(
                "the workflow ran for {:?}, and not for {reference}",
                claims.reference
            ));
        }
        if of != reference {
            return Some(format!(
                "the workflow's file is that of {of:?}, and not of {reference}"
            ));
        }
    }
    if let Some(environment) = &identity.environment
        && claims.environment.as_ref() != Some(environment)
    {
        return Some(match &claims.environment {
            Some(other) => format!(
                "the workflow's job is in environment {other:?} at GitHub, and not in {environment:?}"
            ),
            None => format!(
                "the workflow's job is in no environment at GitHub, and not in {environment:?}"
            ),
        });
    }
    None
}

/// When a run was made and recorded with what is kept of an identity: by its record, and by the audit log.
async fn recorded(
    store: &dyn RunStore,
    id: &str,
    kept: &str,
) -> Result<Result<[(&'static str, i64); 2], String>, StoreError> {
    let Some(run) = runs::load(store, id).await? else {
        return Ok(Err("the run's record is not there".to_owned()));
    };
    let Some(created) = second_of(&run.created) else {
        return Ok(Err(
            "the run's record does not say when it was made".to_owned()
        ));
    };
    let fits = |entry: &AuditWire| {
        entry.event == "plan"
            && entry.run.as_deref() == Some(id)
            && entry.details.get(IDENTITY_DETAIL).map(String::as_str) == Some(kept)
    };
    Ok(match audit::time_of(store, &fits).await? {
        Some(logged) => Ok([
            ("the run was made at", created),
            ("the audit log tells of it at", logged),
        ]),
        None => Err("the audit log says nothing of it".to_owned()),
    })
}

/// Who the forge says has made the commit that a workflow ran for. One that has no login there could be anybody, one of
/// those who approve included.
async fn commit_author(
    forge: &dyn Forge,
    identity: &WorkflowIdentity,
    claims: &ClaimsWire,
) -> Result<CommitAuthorWire, String> {
    let told = forge
        .commit_author(&identity.api, &identity.repository, &claims.sha)
        .await
        .map_err(|why| format!("the commit's author cannot be read: {why}"))?;
    let login = told.ok_or_else(|| {
        format!(
            "the author of commit {} has no login at GitHub, and could be anybody",
            claims.sha
        )
    })?;
    Ok(CommitAuthorWire {
        format: 1,
        repository: identity.repository.clone(),
        commit: claims.sha.clone(),
        login,
    })
}

/// Who counts as an author: the first of them, and all.
fn people(rules: &Rules, author: &str, actor: &str) -> Result<(String, BTreeSet<String>), String> {
    let listed: Vec<&str> = [author, actor]
        .into_iter()
        .filter_map(|login| rules.person_of_login(login))
        .collect();
    let Some(first) = listed.first() else {
        return Err(format!(
            "neither the login {author:?} of the commit's author nor {actor:?}, who has started the workflow, is listed in the rules in force"
        ));
    };
    let all = listed.iter().map(|person| (*person).to_owned()).collect();
    Ok(((*first).to_owned(), all))
}

/// What holds of the identity that is kept with a run, as far as that can be said without asking anybody; with those who
/// count as authors by it.
pub(crate) async fn verify_identity(
    store: &dyn RunStore,
    (run, plan): (&Run, &Plan),
    rules: Option<&Rules>,
) -> Result<(BTreeSet<String>, Vec<Finding>), StoreError> {
    let Some(bytes) = store.get(&name_of(&run.id)).await? else {
        return Ok((BTreeSet::new(), Vec::new()));
    };
    let kept = digest::hash(&bytes);
    let times = recorded(store, &run.id, &kept).await?;
    let author = store.get(&author_name(&run.id)).await?;
    let applied = applied_by(store, run).await?;
    if applied
        .as_ref()
        .is_some_and(|applied| applied.kept.is_none())
    {
        let what =
            "the identity of a workflow is kept with it, and was not relied on when it was applied";
        return Ok((BTreeSet::new(), vec![finding(true, what)]));
    }
    let looked = || {
        let rules = rules.ok_or("there are no rules that name a workflow")?;
        let times = times?;
        let proof = wire::decode_proof(&bytes)?;
        let occasion = Occasion {
            plan: plan.digest(),
            commit: plan.inputs.request.commit.as_deref(),
            times: &times,
        };
        let (found, identity) = examine(&proof.token, &proof.keys, &rules.identities, &occasion)?;
        let author = author
            .as_deref()
            .map(wire::decode_commit_author)
            .transpose()?;
        let author = author.filter(|author| {
            author.commit == found.claims.sha && author.repository == identity.repository
        });
        let (mut authors, commit) = told_authors(rules, author.as_ref(), &found, applied.as_ref())?;
        if let Some(applied) = &applied {
            authors = relied_on(applied, &kept, &found.key, &authors)?;
        }
        let asked = if applied.is_some() {
            "The log says that the issuer published that key when it was applied too"
        } else {
            "Whether it is the issuer's key is asked when the plan is judged; here nobody was"
        };
        let what = format!(
            "made by the workflow {} of commit {}, started by {:?}, {commit}: the token of {} for this plan holds by the key {} that was stored with it, as the audit log says. {asked}",
            found.claims.workflow_ref,
            found.claims.sha,
            found.claims.actor,
            found.claims.iss,
            found.key,
        );
        Ok::<_, String>((authors, what))
    };
    Ok(match looked() {
        Ok((authors, what)) => (authors, vec![finding(true, what)]),
        Err(why) => {
            let what = format!("the identity of the workflow that made it: {why}");
            (BTreeSet::new(), vec![finding(false, what)])
        }
    })
}

/// Who counts as an author by what the forge has told, which is told with it. Before a plan is judged, nobody has asked.
fn told_authors(
    rules: &Rules,
    author: Option<&CommitAuthorWire>,
    found: &Verified,
    applied: Option<&Applied>,
) -> Result<(BTreeSet<String>, String), String> {
    let actor = &found.claims.actor;
    match (author, applied) {
        (Some(author), _) => {
            let (_, authors) = people(rules, &author.login, actor)?;
            let told = format!("the commit by {:?} as GitHub told", author.login);
            Ok((authors, told))
        }
        (None, None) => {
            let person = rules.person_of_login(actor).map(str::to_owned);
            let told = "and GitHub has not been asked for the commit's author yet";
            Ok((person.into_iter().collect(), told.to_owned()))
        }
        (None, Some(_)) => {
            Err("what GitHub told of the commit's author is not there any more".to_owned())
        }
    }
}

/// What the audit log says of the identity by which a run was let through.
struct Applied {
    kept: Option<String>,
    key: Option<String>,
    authors: Option<String>,
}

async fn applied_by(store: &dyn RunStore, run: &Run) -> Result<Option<Applied>, StoreError> {
    let entries = audit::entries(store).await?;
    let entry = entries.into_iter().rev().find(|entry| {
        entry.event.event == "apply-start" && entry.event.run.as_ref() == Some(&run.id)
    });
    Ok(entry.map(|entry| {
        let mut details = entry.event.details;
        Applied {
            kept: details.remove(IDENTITY_DETAIL),
            key: details.remove(IDENTITY_KEY_DETAIL),
            authors: details.remove(AUTHORS_DETAIL),
        }
    }))
}

/// Everybody who counted as an author when a run was let through, if that was by the identity that is kept with it, by the
/// same key, and if those whom it names now are among them.
fn relied_on(
    applied: &Applied,
    kept: &str,
    key: &str,
    authors: &BTreeSet<String>,
) -> Result<BTreeSet<String>, String> {
    if applied.kept.as_deref() != Some(kept) || applied.key.as_deref() != Some(key) {
        return Err("it is not the one by which the audit log says that it was applied".to_owned());
    }
    let logged = applied.authors.as_deref().unwrap_or_default();
    let logged: BTreeSet<String> = logged.split(',').map(str::to_owned).collect();
    if !authors.is_subset(&logged) {
        return Err("its authors are not all among those that the audit log names".to_owned());
    }
    Ok(logged)
}
