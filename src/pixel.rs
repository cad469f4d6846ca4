//! `GET /1x1.gif`: always an image, whatever becomes of the event.

use analytics::capture;
use worker::web_sys::Response;
use worker::{Env, Request, Result};

use crate::edge::Edge;
use crate::events::stray;
use crate::headers;
use crate::heed::heed;
use crate::notice;
use crate::problem::Problem;
use crate::record::{Verdict, record};
use crate::senders::admit;
use crate::visit::Visit;

/// A transparent GIF of one pixel, in 43 bytes.
const GIF: &[u8; 43] =
    b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff\x21\xf9\x04\x01\x00\x00\x00\x00\
\x2c\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02\x44\x01\x00\x3b";

/// Records an impression, or whatever `et` says, and answers with the image.
pub(crate) async fn show(request: &Request, env: &Env, query: &str) -> Response {
    let disposition = match keep(request, env, query).await {
        Ok(disposition) => disposition,
        Err(error) => {
            notice::error("pixel", "not_recorded", &"", &error);
            "rejected; reason=unavailable".to_owned()
        }
    };
    headers::answer(GIF, "image/gif", "no-store, no-cache, must-revalidate, private", &disposition)
}

/// What the `x-clicktrail` header says.
async fn keep(request: &Request, env: &Env, query: &str) -> Result<String> {
    let edge = Edge::of(env)?;
    let visit = Visit::of(request.inner(), &edge, None, query);
    if let Err(problem) = admit(request, &edge, &visit, false).await {
        let reason = match problem {
            Problem::TooMany(_) => "rate_limited",
            Problem::Stranger => "origin",
            _ => "key",
        };
        return Ok(format!("rejected; reason={reason}"));
    }
    let mut event = match capture::pixel(query, &visit.facts(), &edge.rules) {
        Ok(event) => event,
        Err(rejects) => {
            let fields: Vec<_> = rejects
                .iter()
                .map(|reject| reject.pointer.trim_start_matches('/'))
                .filter(|name| name.is_ascii())
                .collect();
            return Ok(format!("rejected; reason=invalid {}", fields.join(" ")));
        }
    };
    if stray(&edge, &event, false).await.is_some() {
        return Ok("rejected; reason=invalid cid".to_owned());
    }
    if let Some(why) = heed(&edge, &visit, &mut event) {
        return Ok(format!("rejected; reason={why}"));
    }
    Ok(match record(&edge, &event, None).await {
        Verdict::Accepted => "recorded".to_owned(),
        Verdict::Duplicate => "duplicate".to_owned(),
        Verdict::TooLarge => "rejected; reason=too large".to_owned(),
        Verdict::Full | Verdict::Malformed | Verdict::Lost => "rejected; reason=unavailable".to_owned(),
    })
}
