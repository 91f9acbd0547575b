//! Operations that go on after their request was answered.

use reqwest::{Method, StatusCode};
use serde_json::Value as Json;
use tokio::time::Instant;

use super::{Answer, Failure, Request, Session};

/// How an operation stands.
enum Standing {
    Going,
    Done,
}

/// Where one looks.
enum Watched {
    /// A document about the operation, which says how it stands.
    Document(url::Url),
    /// An address that answers 202 until it is over.
    Location(url::Url),
    /// The object itself, by its provisioning state.
    Object(url::Url),
}

impl Session {
    /// Waits until what a request began is over.
    pub(crate) async fn settled(&self, answer: Answer) -> Result<(), Failure> {
        let Some(mut watched) = self.watched(&answer)? else {
            return Ok(());
        };
        let absent_until = Instant::now() + self.arm.pace.appearance;
        let is_end = answer.method == Method::DELETE;
        let mut wait = answer.wait();
        loop {
            self.pause(wait.unwrap_or(self.arm.pace.look)).await?;
            let (Watched::Document(url) | Watched::Location(url) | Watched::Object(url)) = &watched;
            let request = Request {
                method: Method::GET,
                url: url.clone(),
                body: None,
            };
            let answer = match self.send(&request).await {
                Ok(answer) => answer,
                // An operation of a moment ago may not be known everywhere; an object that is to go is gone.
                Err(failure) if failure.is_absence() => match watched {
                    Watched::Location(_) | Watched::Object(_) if is_end => return Ok(()),
                    _ if Instant::now() < absent_until => {
                        wait = None;
                        continue;
                    }
                    _ => return Err(failure),
                },
                Err(failure) => return Err(failure),
            };
            wait = answer.wait();
            let standing = match &watched {
                Watched::Document(_) => standing(&answer.json(), "/status")?,
                // One that is to go goes on until it is gone, whatever became of it before.
                Watched::Object(_) if is_end => Standing::Going,
                Watched::Object(_) => standing(&answer.json(), "/properties/provisioningState")?,
                Watched::Location(_) if answer.status == StatusCode::ACCEPTED => Standing::Going,
                Watched::Location(_) => Standing::Done,
            };
            match standing {
                Standing::Done => return Ok(()),
                Standing::Going => {
                    if let (Watched::Location(_), Some(next)) =
                        (&watched, answer.header("location"))
                    {
                        watched = Watched::Location(self.own(next)?);
                    }
                }
            }
        }
    }

    fn watched(&self, answer: &Answer) -> Result<Option<Watched>, Failure> {
        if let Some(address) = answer.header("azure-asyncoperation") {
            return Ok(Some(Watched::Document(self.own(address)?)));
        }
        let accepted = matches!(answer.status, StatusCode::ACCEPTED | StatusCode::CREATED);
        if let (true, Some(address)) = (accepted, answer.header("location")) {
            return Ok(Some(Watched::Location(self.own(address)?)));
        }
        let makes = matches!(answer.method, Method::PUT | Method::PATCH);
        let going = || standing(&answer.json(), "/properties/provisioningState");
        Ok(match (makes, answer.method == Method::DELETE) {
            (true, _) if matches!(going()?, Standing::Going) => {
                Some(Watched::Object(answer.url.clone()))
            }
            (_, true) if answer.status == StatusCode::ACCEPTED => {
                Some(Watched::Object(answer.url.clone()))
            }
            _ => None,
        })
    }
}

/// What a document says of an operation. Where it says nothing, it is over.
fn standing(document: &Json, place: &str) -> Result<Standing, Failure> {
    let Some(status) = document.pointer(place).and_then(Json::as_str) else {
        return Ok(Standing::Done);
    };
    match status.to_lowercase().as_str() {
        "succeeded" => Ok(Standing::Done),
        "failed" | "canceled" | "cancelled" => Err(Failure::of_operation(status, document)),
        _ => Ok(Standing::Going),
    }
}
