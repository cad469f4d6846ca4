//! Templates of addresses: a closed set of macros in braces, each filled in with one value.
//!
//! A value comes from strangers: whoever clicks chooses its `sub1`. So everything in it but letters, digits and `-_.~` is
//! percent-encoded, which leaves it nothing to end its parameter with, and no macro stands where the address says whom
//! to call. Nothing is evaluated: a template is cut at its braces, and that is all the grammar there is.

use std::borrow::Cow;

use url::Url;

/// What can be told of a conversion.
pub const MACROS: [&str; 39] = [
    "click_id",
    "conversion_id",
    "txid",
    "status",
    "type",
    "name",
    "value",
    "currency",
    "payout",
    "payout_currency",
    "campaign_id",
    "publisher_id",
    "link",
    "variant",
    "medium",
    "ad_id",
    "sub1",
    "sub2",
    "sub3",
    "sub4",
    "sub5",
    "utm_source",
    "utm_medium",
    "utm_campaign",
    "utm_term",
    "utm_content",
    "event_time",
    "event_timestamp",
    "click_time",
    "click_timestamp",
    "country",
    "region",
    "city",
    "language",
    "device",
    "os",
    "browser",
    "referrer",
    "channel",
];

/// The longest template, in characters.
const MOST: usize = 2_048;

/// A part of a template.
enum Part<'a> {
    Literal(&'a str),
    Macro(&'a str),
}

/// Cuts a template at its braces. `None`: they do not pair.
fn parts(template: &str) -> Option<Vec<Part<'_>>> {
    let (mut parts, mut rest) = (Vec::new(), template);
    while let Some((literal, behind)) = rest.split_once('{') {
        let (name, after) = behind.split_once('}')?;
        parts.extend([Part::Literal(literal), Part::Macro(name)]);
        rest = after;
    }
    parts.push(Part::Literal(rest));
    let stray = |part: &Part<'_>| matches!(part, Part::Literal(text) if text.contains('}'));
    (!parts.iter().any(stray)).then_some(parts)
}

/// Judges a template: an address of a web server that is the same server whatever is filled in.
///
/// # Errors
/// The end of a sentence.
pub fn check(template: &str) -> Result<(), Cow<'static, str>> {
    if template.chars().count() > MOST {
        return Err("is longer than 2048 characters".into());
    }
    if template.contains([' ', '\\', '#']) {
        return Err("holds a space, a backslash or a fragment, which is never sent".into());
    }
    let parts = parts(template).ok_or("has a brace without its counterpart")?;
    for part in &parts {
        if let Part::Macro(name) = part
            && !MACROS.contains(name)
        {
            return Err(format!("names an unknown macro; there are {{{}}}", MACROS.join("}, {")).into());
        }
    }
    let with = |value: &str| Url::parse(&fill(template, |_| value.to_owned()));
    let (Ok(one), Ok(other), Ok(none)) = (with("0"), with("a.b"), with("")) else {
        return Err("is no absolute http or https URL whose host and port are fixed".into());
    };
    let server = |url: &Url| (url.origin(), url.username().to_owned(), url.password().map(str::to_owned));
    if !matches!(one.scheme(), "http" | "https")
        || server(&one) != server(&other)
        || server(&one) != server(&none)
    {
        return Err("is no absolute http or https URL whose host and port are fixed".into());
    }
    if !one.username().is_empty() || one.password().is_some() {
        return Err("holds a user's name or password".into());
    }
    Ok(())
}

/// Whether a template names a macro.
pub fn names(template: &str, name: &str) -> bool {
    parts(template)
        .is_some_and(|parts| parts.iter().any(|part| matches!(part, Part::Macro(it) if *it == name)))
}

/// The address, with each macro's value in its place.
///
/// A segment of the path that would be nothing but dots leads to another path, encoded or not: then it stays empty.
pub fn fill(template: &str, value: impl Fn(&str) -> String) -> String {
    let mut address = String::with_capacity(template.len() + 128);
    for part in parts(template).unwrap_or_default() {
        match part {
            Part::Literal(text) => address.push_str(text),
            Part::Macro(name) => encode(&value(name), &mut address),
        }
    }
    let (path, query) = match address.find('?') {
        Some(at) => address.split_at(at),
        None => (address.as_str(), ""),
    };
    let dots =
        |segment: &str| matches!(segment.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | "..");
    if !path.split('/').any(dots) {
        return address;
    }
    let segments: Vec<_> = path.split('/').map(|segment| if dots(segment) { "" } else { segment }).collect();
    segments.join("/") + query
}

/// Percent-encodes all but what RFC 3986 calls unreserved.
fn encode(value: &str, out: &mut String) {
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push('%');
            for half in [byte >> 4, byte & 15] {
                out.extend(char::from_digit(u32::from(half), 16).map(|digit| digit.to_ascii_uppercase()));
            }
        }
    }
}

/// The template as it may stand in a log: who is called, and with which macros. What else is in it may be a password.
pub fn masked(template: &str) -> String {
    let server = Url::parse(&fill(template, |_| String::new())).map(|url| url.origin().ascii_serialization());
    let mut masked = server.unwrap_or_default() + "/…";
    for part in parts(template).unwrap_or_default() {
        if let Part::Macro(name) = part {
            masked.extend([" {", name, "}"]);
        }
    }
    masked
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_template_names_known_macros_and_always_the_same_server() {
        for good in [
            "https://a.example/p?cid={click_id}&s={status}",
            "http://a.example:8080/{sub1}/{txid}?x",
            "https://a.example?c={click_id}",
        ] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        let why = |template: &str| check(template).unwrap_err().into_owned();
        for fixed in [
            "https://{sub1}/",
            "https://a{sub1}.example/",
            "https://a.example{sub1}/",
            "https://a.example:{sub1}/",
            "{sub1}://a.example/",
            "ftp://a.example/{sub1}",
            "/p?{sub1}",
            "https://a.example:80{sub1}/",
            "",
        ] {
            assert!(why(fixed).contains("host and port are fixed"), "{fixed}");
        }
        for user in ["https://u@a.example/", "https://u:p@a.example/", "https://{sub1}@a.example/"] {
            assert!(check(user).is_err(), "{user}");
        }
        assert!(why("https://a.example/?c={clickid}").contains("there are {click_id}, {conversion_id}"));
        for brace in
            ["https://a.example/?c={click_id", "https://a.example/?c=}", "https://a.example/?c={{click_id}}"]
        {
            assert!(check(brace).is_err(), "{brace}");
        }
        assert!(why("https://a.example/#{sub1}").contains("fragment"));
        assert!(why(&format!("https://a.example/{}", "x".repeat(2_048))).contains("2048"));
    }

    #[test]
    fn a_log_does_not_tell_what_the_template_keeps() {
        let template = "https://a.example/s3cret/{sub1}?key=s3cret&c={click_id}";
        assert_eq!(masked(template), "https://a.example/… {sub1} {click_id}");
        assert_eq!(masked("http://a.example:81?key=s3cret"), "http://a.example:81/…");
    }

    #[test]
    fn a_value_of_dots_leads_to_no_other_path() {
        let fill = |template: &str, value: &str| fill(template, |_| value.to_owned());
        assert_eq!(fill("https://a.example/x/{sub1}/y?z={sub1}", ".."), "https://a.example/x//y?z=..");
        assert_eq!(fill("https://a.example/x/%2E{sub1}", "."), "https://a.example/x/");
        assert_eq!(fill("https://a.example/x/{sub1}", "1.5"), "https://a.example/x/1.5");
    }

    proptest! {
        /// Whoever chooses a value chooses nothing else.
        #[test]
        fn a_value_arrives_as_it_is_and_changes_nothing_else(value in any::<String>(), other in "[ -~]{0,12}") {
            let template = "https://a.example/in/{sub1}/p?k=1&a={sub1}&b={sub2}&z=2";
            let given = |name: &str| if name == "sub1" { value.clone() } else { other.clone() };
            let url = Url::parse(&fill(template, given)).unwrap();
            prop_assert_eq!((url.scheme(), url.host_str(), url.port()), ("https", Some("a.example"), None));
            let pairs: Vec<_> = url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
            let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
            prop_assert_eq!(pairs, vec![pair("k", "1"), pair("a", &value), pair("b", &other), pair("z", "2")]);
            let path: Vec<_> = url.path_segments().unwrap().collect();
            prop_assert_eq!((path.len(), path[0], path[2], url.fragment()), (3, "in", "p", None));
        }

        #[test]
        fn any_template_is_answered(template in any::<String>(), value in any::<String>()) {
            let _ = masked(&template);
            if check(&template).is_ok() {
                let of = |text: &str| Url::parse(text).unwrap().origin();
                prop_assert_eq!(of(&fill(&template, |_| value.clone())), of(&fill(&template, |_| String::new())));
            }
        }
    }
}
