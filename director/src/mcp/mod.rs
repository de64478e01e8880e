//! MCP: the same calls as tools, for a person's own assistant.
//!
//! ```text
//! assistant ─▶ `director mcp` on stdio ─▶ the socket, or the journal ─┐
//!          ─▶ `/mcp` of `director serve` ─▶ the director ─────────────┴─▶ front ─▶ tools ─▶ the table of calls
//! ```
//!
//! A tool is a row of [`tools`]: which call of `http::table` it is, and what a model has to know of it beside that. What it
//! may be given, and what is wrong with it, is said by the call; so tools, HTTP and the command line answer the same.
//!
//! Invariants: what a tool does not do is a result with `isError` in the command line's words; an answer is never longer than
//! [`answer::TEXT_BYTES_MAX`] and [`answer::JSON_BYTES_MAX`].
//! Elsewhere: who may come in over HTTP is `http::guard`; this folder is the home of rmcp.

pub mod answer;
pub mod call;
pub mod front;
pub mod tools;

/// Serves one client on standard input and output until it hangs up.
///
/// # Errors
/// Why the conversation did not come about or broke down.
pub async fn on_stdio<D: crate::control::desk::Desk>(front: front::Front<D>) -> Result<(), String> {
    use rmcp::ServiceExt;
    use rmcp::service::ServerInitializeError;

    let served = match front.serve(rmcp::transport::stdio()).await {
        Ok(served) => served,
        // Whoever hangs up without a word has nothing to complain about.
        Err(ServerInitializeError::ConnectionClosed(_)) => return Ok(()),
        Err(error) => return Err(error.to_string()),
    };
    served
        .waiting()
        .await
        .map(drop)
        .map_err(|error| error.to_string())
}
