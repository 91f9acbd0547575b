//! `http`: a data source that is the answer to a request.

mod request;
mod schema;

use crate::definition::Source;

pub(crate) fn data_sources() -> Vec<Source> {
    vec![Source::new("http", schema::http_data, request::read)]
}
