//! `GET /api/links/{name}/qr`: the code to print.

use links::Token;
use links::operation::Name;
use links::qr::{self, Image, Options};
use worker::{Env, Headers, Method, Request, Response, ResponseBuilder, Result};

use crate::auth::{Scope, allowed};
use crate::edge::Edge;
use crate::link_routes::{NO_LINK, find, origin};
use crate::problem::Problem;

/// Draws the code of a link.
pub(crate) async fn show(
    request: &Request,
    env: &Env,
    segment: &str,
    query: &str,
) -> Result<Response, Problem> {
    if !matches!(request.method(), Method::Get | Method::Head) {
        return Err(Problem::MethodNotAllowed("GET, HEAD"));
    }
    allowed(request, env, Scope::LinksRead).await?;
    // Whose link it is stands among what it is to look like.
    let (mut domain, mut look) = (String::new(), form_urlencoded::Serializer::new(String::new()));
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        match &*name {
            "domain" => domain = value.into_owned(),
            _ => drop(look.append_pair(&name, &value)),
        }
    }
    let options = Options::parse(&look.finish())?;
    let link = match Name::of_path(segment, &domain) {
        Some(name) => find(&*Edge::of(env)?, &name).await?,
        None => None,
    };
    let link = link.filter(|link| link.deleted_at_ms.is_none()).ok_or(NO_LINK)?;
    let image = qr::draw(&link.code_url(&origin(request)?), &options)?;
    let known = request.headers().get("if-none-match")?.unwrap_or_default();
    Ok(answer(image, &link.token, &known)?)
}

/// The picture, or nothing for whoever has it already.
fn answer(image: Image, token: &Token, known: &str) -> Result<Response> {
    let tag = image.tag();
    let disposition = disposition(token, image.format.extension());
    let headers = Headers::new();
    for (name, value) in [
        ("cache-control", "private, max-age=300"),
        ("etag", &tag),
        ("content-type", image.format.content_type()),
        ("content-disposition", &disposition),
    ] {
        headers.set(name, value)?;
    }
    let builder = ResponseBuilder::new().with_headers(headers);
    if known.contains(&tag) {
        return Ok(builder.with_status(304).empty());
    }
    Ok(builder.fixed(image.bytes))
}

/// A file is named after the link. A header is ASCII: other scripts come encoded (RFC 8187), for which a segment of a
/// path has the right form.
fn disposition(token: &Token, extension: &str) -> String {
    if token.as_str().is_ascii() {
        format!("inline; filename=\"{token}.{extension}\"")
    } else {
        format!("inline; filename=\"qr.{extension}\"; filename*=UTF-8''{}.{extension}", token.to_segment())
    }
}
