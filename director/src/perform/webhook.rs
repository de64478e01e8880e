//! Webhooks: one event goes out as a POST of JSON, within limits.
//!
//! | header | what it is |
//! |---|---|
//! | `Idempotency-Key` | the same each time this is posted again, and never used for anything else |
//! | `X-Director-Event` | the event's name, such as `qa_handoff_ready` |
//! | `X-Director-Signature` | `sha256=` and the HMAC-SHA256 of the body in hex, where the file names a secret's variable |
//!
//! Any status from 200 to 299 is taken as received; the body of the answer may then say what the other side makes of it
//! ([`Said`]). Redirects are not followed: what is signed goes where the file says. When it is posted again, and how often, the
//! engine decides.
//!
//! Invariant: the secret is read here, when it is used, and goes into nothing but the signature.

use std::time::Duration;

use director_protocols::digest;
use director_protocols::ways::Webhook;
use serde::Deserialize;
use ureq::Agent;
use ureq::tls::{RootCerts, TlsConfig};

/// The longest that one attempt may take.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The most of an answer that is read, in bytes.
const ANSWER_MAX: u64 = 64 * 1024;
/// Kept of an answer that is an error, in characters.
const TAIL_MAX: usize = 200;

/// What the other side says in its answer; everything else in it is passed over.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Said {
    /// Whether a package is taken or given back; a question is answered with yes or no.
    #[serde(default)]
    pub accepted: Option<bool>,
    /// The answer, or the reason.
    #[serde(default, alias = "answer", alias = "reason")]
    pub text: String,
}

/// The client of one director; its connections are kept.
#[derive(Clone, Debug)]
pub struct Poster(Agent);

impl Default for Poster {
    fn default() -> Self {
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::PlatformVerifier)
            .build();
        let config = Agent::config_builder()
            .timeout_global(Some(TIMEOUT))
            .max_redirects(0)
            .http_status_as_error(false)
            .tls_config(tls)
            .user_agent(concat!("director/", env!("CARGO_PKG_VERSION")))
            .build();
        Self(config.into())
    }
}

impl Poster {
    /// Posts `body`. Waits; for a thread that may.
    ///
    /// # Errors
    /// What went wrong, in words, without the secret.
    pub fn post(&self, to: &Webhook, key: &str, event: &str, body: &str) -> Result<Said, String> {
        let mut request = self
            .0
            .post(&to.url)
            .header("Content-Type", "application/json")
            .header("Idempotency-Key", key)
            .header("X-Director-Event", event);
        if let Some(name) = &to.secret_env {
            let secret = std::env::var(name).map_err(|_| {
                format!("the variable `{name}` with the webhook's secret is not set; set it where the director runs")
            })?;
            let signature = digest::hmac(secret.as_bytes(), body.as_bytes());
            request = request.header("X-Director-Signature", format!("sha256={signature}"));
        }
        let mut answer = request
            .send(body)
            .map_err(|error| format!("{}: {error}", to.url))?;
        let status = answer.status();
        let text = answer
            .body_mut()
            .with_config()
            .limit(ANSWER_MAX)
            .lossy_utf8(true)
            .read_to_string();
        if !status.is_success() {
            let tail: String = text.unwrap_or_default().chars().take(TAIL_MAX).collect();
            let text = format!("{} answered {status}: {}", to.url, tail.trim());
            return Err(text.trim_end_matches(": ").to_owned());
        }
        // It was received; an answer that cannot be read says nothing.
        Ok(text
            .ok()
            .and_then(|text| serde_json::from_str(&text).ok())
            .unwrap_or_default())
    }
}
