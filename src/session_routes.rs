//! `/api/session`: signing in to the dashboard with a key, and out again.

use analytics::Reject;
use analytics::session::{SESSION_MS, Session};
use serde_json::{Value, json};
use worker::{Env, Method, Request, Response, web_sys};

use crate::answer::{json_response, no_content};
use crate::auth::{Scope, Who, identified, known, own_page};
use crate::body::bounded;
use crate::clock::now_ms;
use crate::edge::Edge;
use crate::problem::Problem;

/// The cookie's name. On https with a prefix by which browsers vouch that this very host has set it, and not a neighbour
/// under the same domain; without https they let nobody have it.
pub(crate) fn cookie_name(secure: bool) -> &'static str {
    if secure { "__Host-clicktrail" } else { "clicktrail" }
}

/// Whether a URL is https.
pub(crate) fn is_secure(url: &str) -> bool {
    url.starts_with("https:")
}

/// `/api/session`
pub(crate) async fn route(request: &mut Request, env: &Env) -> Result<Response, Problem> {
    let edge = Edge::of(env)?;
    match request.method() {
        Method::Get => {
            // A page asks to find out; that nobody is signed in is an answer, and no error for a browser to complain of.
            let nobody = request.headers().get("authorization")?.is_none();
            match identified(request, &edge).await {
                Ok((who, expires_ms)) => Ok(json_response(&describe(&who, expires_ms))?),
                Err(Problem::Unauthenticated) if nobody => {
                    Ok(json_response(&json!({ "name": null, "scopes": [], "expires_at": null }))?)
                }
                Err(problem) => Err(problem),
            }
        }
        Method::Post => sign_in(request, &edge).await,
        Method::Delete => {
            own_page(request, false)?;
            with_cookie(no_content()?, request, "", 0)
        }
        _ => Err(Problem::MethodNotAllowed("GET, POST, DELETE")),
    }
}

async fn sign_in(request: &mut Request, edge: &Edge) -> Result<Response, Problem> {
    // Another site could sign its visitor in as somebody else, and read what they then write.
    own_page(request, false)?;
    let body =
        bounded(request, 4_096).await?.ok_or(Problem::TooLarge("the body is larger than 4 KiB".into()))?;
    let body: Value =
        serde_json::from_slice(&body).map_err(|error| Reject::new("", format!("is no JSON: {error}")))?;
    let key = match &body {
        Value::Object(fields) if fields.len() == 1 => fields.get("key").and_then(Value::as_str),
        _ => None,
    };
    let key = key.ok_or_else(|| Reject::new("/key", "has to be a text, and all there is"))?;
    let session = Session::of(key.trim(), now_ms());
    let who = known(request, edge, &session.key).await?;
    let answer = json_response(&describe(&who, Some(session.expires_ms)))?;
    with_cookie(answer, request, &session.encode(&edge.signer), SESSION_MS / 1_000)
}

fn describe(who: &Who, expires_ms: Option<i64>) -> Value {
    let scopes: Vec<&str> = Scope::ALL.into_iter().filter(|&scope| who.may(scope)).map(Scope::name).collect();
    json!({
        "name": who.name,
        "scopes": scopes,
        "expires_at": expires_ms.map(analytics::time::rfc3339),
    })
}

/// Not readable by scripts, not sent by other sites, not even when they link here.
fn with_cookie(
    response: Response,
    request: &Request,
    value: &str,
    max_age: i64,
) -> Result<Response, Problem> {
    let url = web_sys::Request::url(request.inner());
    let (name, secure) = (cookie_name(is_secure(&url)), if is_secure(&url) { "; Secure" } else { "" });
    let cookie = format!("{name}={value}; Path=/; Max-Age={max_age}; HttpOnly; SameSite=Strict{secure}");
    response.headers().set("set-cookie", &cookie)?;
    Ok(response)
}
