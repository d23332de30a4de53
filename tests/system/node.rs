//! The node under test: where it is, what is known of its settings, and a client that talks to it.

use std::ffi::OsString;
use std::io::{Cursor, Read};
use std::time::Duration;

use antenna::settings::Settings;
use ureq::{Agent, SendBody};

use crate::storage::Storage;
use crate::support::crash::Crash;

/// Longer than a collector waits for its storage, and for 25 MiB over a line of 5 Mbit/s.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct Node {
    url: String,
    agent: Agent,
    /// A product that the node's rules accept.
    pub product: String,
    /// With it, a sender may choose crash ids.
    pub token: Option<String>,
    /// `BREAKPAD_MAX_PAYLOAD_BYTES`.
    pub max_payload_bytes: usize,
    /// Where the node keeps reports, if that is told.
    pub storage: Option<Storage>,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub content_type: String,
    pub body: String,
}

impl Node {
    /// A node whose settings, as far as they are known, are among `variables`.
    ///
    /// # Errors
    /// Settings that are wrong, storage that cannot be used.
    pub fn new(url: &str, variables: Vec<(OsString, OsString)>) -> Result<Self, String> {
        let named = |name: &str| {
            let mut found = variables.iter().filter(|(other, _)| other == name);
            found
                .next()
                .map(|(_, value)| value.to_string_lossy().into_owned())
        };
        let product = named("ANTENNA_PRODUCT").unwrap_or_else(|| "Thunderbird".to_owned());
        let is_storage_known = named("CRASHMOVER_CRASHSTORAGE_CLASS").is_some();
        let settings = Settings::load(variables, None);
        let (settings, _) = settings.map_err(|problems| problems.to_string())?;
        let storage = is_storage_known
            .then(|| Storage::of(&settings))
            .transpose()?;
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(PATIENCE))
            .user_agent("antenna-system-test")
            .build();
        let token = settings.http.stage_submitter_bearer_token.as_ref();
        Ok(Self {
            url: url.trim_end_matches('/').to_owned(),
            agent: config.new_agent(),
            product,
            token: token.map(|token| token.expose().to_owned()),
            max_payload_bytes: settings.body.payload_bytes as usize,
            storage,
        })
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    pub fn get(&self, path: &str) -> Result<Answer, String> {
        let sent = self.agent.get(self.at(path)).call();
        read(sent)
    }

    /// Posts `body` to `/submit`.
    pub fn post(&self, headers: &[(&str, &str)], body: &[u8]) -> Result<Answer, String> {
        let request = self.agent.post(self.at("/submit"));
        let request = headers.iter().fold(request, |request, (name, value)| {
            request.header(*name, *value)
        });
        read(request.send(body))
    }

    /// Posts a report as it says of itself; with `Transfer-Encoding: chunked` if `is_chunked`.
    pub fn submit(
        &self,
        crash: &Crash,
        headers: &[(&str, &str)],
        is_chunked: bool,
    ) -> Result<Answer, String> {
        let content_type = Crash::content_type();
        let mut all = vec![("Content-Type", content_type.as_str())];
        all.extend(headers);
        let body = crash.body();
        if !is_chunked {
            return self.post(&all, &body);
        }
        let request = self.agent.post(self.at("/submit"));
        let request = all.iter().fold(request, |request, (name, value)| {
            request.header(*name, *value)
        });
        read(request.send(SendBody::from_reader(&mut Cursor::new(body))))
    }

    fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }
}

fn read(sent: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Result<Answer, String> {
    let mut response = sent.map_err(|error| format!("no answer: {error}"))?;
    let content_type = response.headers().get("content-type");
    let content_type = content_type
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
        .to_owned();
    let mut body = Vec::new();
    let whole = response.body_mut().as_reader().read_to_end(&mut body);
    whole.map_err(|error| format!("the answer was cut: {error}"))?;
    Ok(Answer {
        status: response.status().as_u16(),
        content_type,
        body: String::from_utf8_lossy(&body).into_owned(),
    })
}
