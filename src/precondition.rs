//! Lost updates: a change that was made for one version of a record is not made to another.

use worker::{Request, Response, Result};

use crate::problem::Problem;

/// What a request asks of the record as it is now (RFC 9110, 13.1). The tag of a record is its version.
pub(crate) struct Precondition {
    if_match: Option<String>,
    if_none_match: Option<String>,
}

impl Precondition {
    /// Reads the headers.
    pub(crate) fn of(request: &Request) -> Result<Self> {
        let headers = request.headers();
        Ok(Self { if_match: headers.get("if-match")?, if_none_match: headers.get("if-none-match")? })
    }

    /// Judges the version that there is, if there is a record.
    ///
    /// # Errors
    /// It is not the one that the request is for.
    pub(crate) fn check(&self, version: Option<u32>) -> Result<(), Problem> {
        let matches = self.if_match.as_deref().is_none_or(|tags| names(tags, version));
        let differs = self.if_none_match.as_deref().is_none_or(|tags| !names(tags, version));
        if matches && differs { Ok(()) } else { Err(Problem::PreconditionFailed) }
    }

    /// Whether whoever reads has this version already.
    pub(crate) fn has(&self, version: u32) -> bool {
        self.if_none_match.as_deref().is_some_and(|tags| names(tags, Some(version)))
    }

    /// What went wrong when the record changed between the reading and the writing.
    pub(crate) fn lost(&self) -> Problem {
        match self {
            Self { if_match: None, if_none_match: None } => {
                Problem::Conflict("Somebody else changed or deleted this record meanwhile")
            }
            _ => Problem::PreconditionFailed,
        }
    }
}

/// Whether the list of tags names the version. Weak tags count as strong ones: a proxy that compresses an answer
/// weakens its tag, and the version is the same.
fn names(tags: &str, version: Option<u32>) -> bool {
    let Some(version) = version else { return false };
    tags.split(',').map(str::trim).any(|tag| {
        let tag = tag.strip_prefix("W/").unwrap_or(tag);
        tag == "*" || tag.trim_matches('"').parse() == Ok(version)
    })
}

/// The answer with the record's tag.
pub(crate) fn tagged(mut response: Response, version: u32) -> Result<Response> {
    response.headers_mut().set("etag", &format!("\"{version}\""))?;
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(if_match: Option<&str>, if_none_match: Option<&str>, version: Option<u32>) -> bool {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        let asked = Precondition { if_match: owned(if_match), if_none_match: owned(if_none_match) };
        asked.check(version).is_ok()
    }

    #[test]
    fn a_version_is_the_one_that_is_asked_for() {
        assert!(check(None, None, None) && check(None, None, Some(1)));
        for tags in ["\"2\"", "*", "\"1\", \"2\"", "W/\"2\"", "2"] {
            assert!(check(Some(tags), None, Some(2)), "{tags}");
            assert!(!check(Some(tags), None, None), "{tags}: there is none");
            assert!(!check(None, Some(tags), Some(2)), "{tags}");
            assert!(check(None, Some(tags), None), "{tags}");
        }
        for tags in ["\"3\"", "", "\"\"", "\"2", "\"2x\"", "-2"] {
            assert_eq!(check(Some(tags), None, Some(2)), tags == "\"2", "{tags}");
        }
    }
}
