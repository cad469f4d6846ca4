//! Request bodies, up to a bound.

use futures_util::StreamExt;
use worker::Request;

use crate::problem::Problem;

/// Reads the body; `None` if it is larger than `most`, which is found out without reading more than that. Whoever says
/// how much is coming is not waited for.
pub(crate) async fn bounded(request: &mut Request, most: usize) -> Result<Option<Vec<u8>>, Problem> {
    if request.inner().body().is_none() {
        return Ok(Some(Vec::new()));
    }
    let length = request.headers().get("content-length")?.and_then(|length| length.parse::<usize>().ok());
    match length {
        Some(length) if length > most => Ok(None),
        // The runtime holds a body to the length it came with; one read is a tenth of the price of a stream.
        Some(_) => Ok(Some(request.bytes().await?)),
        None => {
            let mut bytes = Vec::new();
            let mut stream = request.stream()?;
            while let Some(chunk) = stream.next().await {
                bytes.extend_from_slice(&chunk?);
                if bytes.len() > most {
                    return Ok(None);
                }
            }
            Ok(Some(bytes))
        }
    }
}
