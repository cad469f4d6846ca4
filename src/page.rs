//! Pages for people: where a link needs a word with its visitor before, or instead of, leading on.

use analytics::moment;
use links::{Closed, Link, Social, Way};
use worker::wasm_bindgen;
use worker::wasm_bindgen::prelude::*;
use worker::web_sys::Response;

use crate::random::random_bits;

#[wasm_bindgen(module = "/src/redirect.js")]
extern "C" {
    /// A page that no search engine lists and nobody keeps.
    fn page(status: u16, html: &str, policy: &str) -> Response;
}

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:34rem;margin:15vh auto 0;padding:0 1rem;\
color:#1c2024;background:#fff}h1{font-size:1.4rem}a{color:#0a58ca;overflow-wrap:anywhere}dt{color:#60646c}\
dd{margin:0 0 .75rem}input,button{font:inherit;padding:.5rem .75rem;border:1px solid #8b8d98;border-radius:.4rem}\
button{background:#1c2024;color:#fff;cursor:pointer}.wrong{color:#b42318}\
@media(prefers-color-scheme:dark){body{color:#edeef0;background:#111113}a{color:#70b8ff}dt{color:#b0b4ba}\
input{background:#18191b;color:#edeef0}button{background:#edeef0;color:#111113}.wrong{color:#ff9592}}";

/// Text as it stands in HTML, quoted attributes included.
struct Html<'a>(&'a str);

impl std::fmt::Display for Html<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut rest = self.0;
        while let Some(at) = rest.find(['&', '<', '>', '"', '\'']) {
            let (before, behind) = rest.split_at(at);
            f.write_str(before)?;
            f.write_str(match behind.as_bytes().first() {
                Some(b'&') => "&amp;",
                Some(b'<') => "&lt;",
                Some(b'>') => "&gt;",
                Some(b'"') => "&quot;",
                _ => "&#39;",
            })?;
            rest = behind.get(1..).unwrap_or_default();
        }
        f.write_str(rest)
    }
}

fn document(status: u16, title: &str, head: &str, body: &str, script: &str) -> Response {
    let title = Html(title);
    let html = format!(
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content=\"width=device-width\">\
         <meta name=robots content=noindex><title>{title}</title>{head}<style>{STYLE}</style>{body}{script}"
    );
    let policy = "default-src 'none'; style-src 'unsafe-inline'; img-src https:; base-uri 'none'; frame-ancestors 'none'";
    match script.split_once("nonce=\"").and_then(|(_, rest)| rest.split_once('"')) {
        Some((nonce, _)) => page(status, &html, &format!("{policy}; script-src 'nonce-{nonce}'")),
        None => page(status, &html, policy),
    }
}

/// An error as a page.
pub(crate) fn problem(status: u16, title: &str, detail: &str) -> Response {
    let body = format!("<h1>{}</h1><p>{}.", Html(title), Html(detail));
    document(status, title, "", &body, "")
}

/// Asks for the password; the form is sent to where it came from.
pub(crate) fn ask(status: u16, wrong: bool) -> Response {
    let said = if wrong { "<p class=wrong role=alert>That was not it." } else { "" };
    let body = format!(
        "<h1>This link asks for a password</h1>{said}<form method=post><label>Password <input type=password name=password \
         autocomplete=off required autofocus></label> <button>Go on</button></form>"
    );
    document(status, "Password", "", &body, "")
}

/// Confirms an opt-out, or that it was taken back; with the way to the other.
pub(crate) fn opted(out: bool) -> Response {
    let (title, body) = if out {
        (
            "You have opted out",
            "<p>Links lead on as ever, and nothing of it is recorded for this browser. A cookie remembers that; without it, \
             or in another browser, you are not known to have opted out.<p><a href=\"/opt-in\">Take it back</a>",
        )
    } else {
        (
            "You have not opted out",
            "<p>What you follow from here is counted.<p><a href=\"/opt-out\">Opt out</a>",
        )
    };
    document(200, title, "", &format!("<h1>{title}</h1>{body}"), "")
}

/// What programs get at a link of which only so many may be had.
pub(crate) fn withheld() -> Response {
    let body =
        "<h1>For people</h1><p>This link can be followed a limited number of times, and not by programs.";
    document(200, "A link for people", "", body, "")
}

/// The card that its author wrote for where it is shared.
pub(crate) fn card(card: &Social) -> Response {
    let mut head = String::new();
    let mut meta = |property: &str, content: &str| {
        if !content.is_empty() {
            head.extend(["<meta property=\"", property, "\" content=\"", &Html(content).to_string(), "\">"]);
        }
    };
    let image = card.image.as_ref().map_or("", |url| url.as_str());
    meta("og:title", &card.title);
    meta("og:description", &card.description);
    meta("og:image", image);
    meta("twitter:card", if image.is_empty() { "summary" } else { "summary_large_image" });
    let body = format!("<h1>{}</h1><p>{}", Html(&card.title), Html(&card.description));
    document(200, &card.title, &head, &body, "")
}

/// Opens the app, and where it is not there the page in its place: a redirect to an app that is missing is an error
/// page of the browser's, and nothing tells the server.
pub(crate) fn open_app(app: &str, fallback: &str) -> Response {
    let nonce = format!("{:032x}", random_bits());
    let body = format!(
        "<h1>Opening the app</h1><p><a id=app href=\"{}\">Open the app</a><p><a id=page href=\"{}\">Go on in the browser</a>",
        Html(app),
        Html(fallback),
    );
    // An app that opens hides the page; the links' own addresses are read back, so that no text becomes a script.
    let script = format!(
        "<script nonce=\"{nonce}\">const to=(id)=>location.replace(document.getElementById(id).href);\
         const late=setTimeout(()=>document.hidden||to('page'),1500);\
         document.addEventListener('visibilitychange',()=>document.hidden&&clearTimeout(late));to('app')</script>"
    );
    document(200, "Opening the app", "", &body, &script)
}

/// Where a link leads, for those who would rather know before: `way` is where it would lead this visitor.
pub(crate) fn inspect(
    link: &Link,
    short_url: &str,
    way: &Way<'_>,
    closed: Option<Closed>,
    now_ms: i64,
) -> Response {
    let secret = !link.password.is_empty() || link.max_clicks.is_some();
    let mut body = format!("<h1>{}</h1><dl><dt>Link<dd>{}", Html(title_of(link)), Html(short_url));
    let mut entry = |name: &str, text: &str| {
        body.extend(["<dt>", name, "<dd>", &Html(text).to_string()]);
    };
    if closed.is_some() {
        entry("State", link.state(now_ms));
    }
    if secret {
        entry("Leads to", "What is behind it is shown only to those who follow it");
    } else {
        entry("Leads you to", way.url.as_str());
        if !link.rules.is_empty() || !link.variants.is_empty() {
            entry("Others", "may be led elsewhere, by where they are, what they use, or by chance");
        }
    }
    if let Some(end) = link.expires_at_ms.and_then(moment::format) {
        entry("Expires", &end);
    }
    if let Some(created) = moment::format(link.created_at_ms) {
        entry("Created", &created);
    }
    body.push_str("</dl>");
    if !secret && closed.is_none() && !way.url.is_app() {
        let url = Html(way.url.as_str()).to_string();
        body.extend([
            "<p><a rel=\"noreferrer nofollow\" href=\"",
            &url,
            "\">Go there</a>, without being counted.",
        ]);
    }
    document(200, title_of(link), "", &body, "")
}

fn title_of(link: &Link) -> &str {
    if link.title.is_empty() { "Where this link leads" } else { &link.title }
}

#[cfg(test)]
mod tests {
    use super::Html;

    #[test]
    fn nothing_that_a_customer_writes_becomes_markup() {
        assert_eq!(Html("<b a=\"x\" c='y'>&é").to_string(), "&lt;b a=&quot;x&quot; c=&#39;y&#39;&gt;&amp;é");
        assert_eq!(Html("").to_string(), "");
    }
}
