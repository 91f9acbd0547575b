//! Waiting for what AWS does in its own time.

use std::time::Duration;

use terrace_provider_sdk::{Diagnostic, Outcome, Stop};

use crate::failure::Subject;

/// The first pause between two looks; each further one is half as long again.
const FIRST: Duration = Duration::from_millis(50);
/// The longest pause.
const LONGEST: Duration = Duration::from_secs(5);

/// How long something may take, and who may end the wait.
#[derive(Clone)]
pub(crate) struct Patience {
    pub(crate) longest: Duration,
    pub(crate) stop: Stop,
}

impl Patience {
    /// Looks until there is an answer; none when it takes too long or the user wants to stop.
    pub(crate) async fn look<T, F>(&self, mut look: impl FnMut() -> F + Send) -> Outcome<Option<T>>
    where
        F: Future<Output = Outcome<Option<T>>> + Send,
    {
        let start = tokio::time::Instant::now();
        let mut pause = FIRST;
        loop {
            if let Some(found) = look().await? {
                return Ok(Some(found));
            }
            if start.elapsed() + pause > self.longest || self.stop.is_wanted() {
                return Ok(None);
            }
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.stop.wanted() => {}
            }
            pause = (pause * 3 / 2).min(LONGEST);
        }
    }

    /// Looks until there is an answer, and says what was waited for where there is none.
    pub(crate) async fn until<T, F>(
        &self,
        subject: &Subject,
        awaited: &str,
        look: impl FnMut() -> F + Send,
    ) -> Outcome<T>
    where
        F: Future<Output = Outcome<Option<T>>> + Send,
    {
        match self.look(look).await? {
            Some(found) => Ok(found),
            None if self.stop.is_wanted() => Err(Self::interrupted(subject, awaited).into()),
            None => Err(Diagnostic::error(
                "AWS took too long",
                format!("{subject}: it was not {awaited} within {} s. Run plan again to see what became of it; a timeouts block in the configuration, where the type has one, allows for more.", self.longest.as_secs()),
            )
            .into()),
        }
    }

    /// What is said when the user wanted to stop before the end of a wait.
    pub(crate) fn interrupted(subject: &Subject, awaited: &str) -> Diagnostic {
        Diagnostic::error(
            "Interrupted while AWS was still working",
            format!(
                "{subject}: the run was asked to stop before it was {awaited}. Run plan again to see what became of it."
            ),
        )
    }
}
