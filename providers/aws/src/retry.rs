//! Calls that AWS refuses for reasons that pass.

use std::time::Duration;

use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use crate::wait::Patience;

/// The first pause between two calls; each further one is half as long again.
const FIRST: Duration = Duration::from_millis(250);
/// The longest pause.
const LONGEST: Duration = Duration::from_secs(5);

impl Patience {
    /// Calls until AWS refuses no more for reasons that pass. The last refusal is the answer when it takes too long, or the user
    /// wants to stop.
    pub(crate) async fn again<T, E, R, F>(
        &self,
        passes: impl Fn(&SdkError<E, R>) -> bool + Send,
        mut call: impl FnMut() -> F + Send,
    ) -> Result<T, SdkError<E, R>>
    where
        F: Future<Output = Result<T, SdkError<E, R>>> + Send,
    {
        let start = tokio::time::Instant::now();
        let mut pause = FIRST;
        loop {
            match call().await {
                Err(error)
                    if passes(&error)
                        && start.elapsed() + pause <= self.longest
                        && !self.stop.is_wanted() => {}
                answer => return answer,
            }
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.stop.wanted() => {}
            }
            pause = (pause * 3 / 2).min(LONGEST);
        }
    }
}

/// Whether AWS refused with this code, and a message that holds this.
pub(crate) fn says<E: ProvideErrorMetadata, R>(
    error: &SdkError<E, R>,
    code: &str,
    message: &str,
) -> bool {
    error.as_service_error().is_some_and(|error| {
        error.code() == Some(code) && error.message().is_some_and(|told| told.contains(message))
    })
}
