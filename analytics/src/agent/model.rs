//! The model of a device, as it stands in the user agent.

/// A model's place in a user agent: what is remembered of an agent then has no text of its own, whoever sends what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Span {
    start: u16,
    end: u16,
}

/// No maker names a model by more; but people write what they like.
const MODEL_MAX_BYTES: usize = 48;

impl Span {
    /// The model that this user agent names.
    pub(super) fn of(user_agent: &str) -> Self {
        let found = apples(user_agent).or_else(|| androids(user_agent)).unwrap_or_default();
        let start = found.as_ptr().addr().wrapping_sub(user_agent.as_ptr().addr());
        match (u16::try_from(start), u16::try_from(start.wrapping_add(found.len()))) {
            (Ok(start), Ok(end)) if (1..=MODEL_MAX_BYTES).contains(&found.len()) => Self { start, end },
            _ => Self::default(),
        }
    }

    /// The text there, but for what stands there to say nothing.
    pub(crate) fn within(self, user_agent: &str) -> &str {
        if self.is_withheld() {
            return "";
        }
        user_agent.get(usize::from(self.start)..usize::from(self.end)).unwrap_or_default()
    }

    /// Chrome's `K`, in place of every model; no device has a name of one letter.
    pub(super) fn is_withheld(self) -> bool {
        self.end - self.start == 1
    }
}

/// `iPhone15,2` of an app, else the family.
fn apples(text: &str) -> Option<&str> {
    let families = ["iPhone", "iPad", "iPod"];
    let mut family = None;
    for (at, name) in families.iter().flat_map(|name| text.match_indices(name)) {
        let rest = text.get(at + name.len()..).unwrap_or_default();
        let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
        let major = digits(rest);
        let minor = rest.get(major..).and_then(|rest| rest.strip_prefix(',')).map_or(0, digits);
        if major > 0 && minor > 0 {
            return text.get(at..at + name.len() + major + 1 + minor);
        }
        if family.is_none() && rest.starts_with([';', ' ', ')']) && text.get(..at)?.ends_with('(') {
            family = text.get(at..at + name.len());
        }
    }
    family
}

/// `Android 13; SM-A135F Build/TP1A`: what follows the version, up to the build.
fn androids(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once("Android")?;
    let (aside, _) = rest.split_once(')').unwrap_or((rest, ""));
    aside.split(';').skip(1).map(named).find(|name| !name.is_empty())
}

/// The model in one part of the parenthesis; empty if the part says something else.
fn named(part: &str) -> &str {
    let name = part.split(" Build/").next().unwrap_or_default().trim();
    let name = name.strip_prefix("SAMSUNG ").unwrap_or(name);
    let locale = |name: &str| {
        let mut letters = name.split(['-', '_']);
        let two = |part: Option<&str>| part.is_some_and(|part| part.len() == 2 && part.is_ascii());
        two(letters.next())
            && letters.next().is_none_or(|part| part.len() == 2)
            && !name.bytes().any(|byte| byte.is_ascii_digit())
    };
    let says_else = ["Mobile", "Tablet", "TV", "wv", "U", "Linux", "Android"].contains(&name)
        || ["rv:", "Build/", "Android ", "http"].iter().any(|start| name.starts_with(start));
    if says_else || locale(name) { "" } else { name }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_model_is_found_where_browsers_and_apps_put_it() {
        for (user_agent, model) in [
            ("Mozilla/5.0 (Linux; Android 13; SM-A135F; wv) AppleWebKit/537.36", "SM-A135F"),
            (
                "Mozilla/5.0 (Linux; U; Android 4.3; es-es; GT-I9300 Build/JSS15J) AppleWebKit/534.30",
                "GT-I9300",
            ),
            ("Mozilla/5.0 (Linux; Android 13; SAMSUNG SM-S901B) AppleWebKit/537.36", "SM-S901B"),
            ("Mozilla/5.0 (Linux; Android 14; Pixel 8 Pro Build/UQ1A; wv) AppleWebKit/537.36", "Pixel 8 Pro"),
            ("Dalvik/1.6.0 (Linux; U; Android 4.1.2; GT-I8190 Build/JZO54K)", "GT-I8190"),
            ("Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 Chrome/120.0.0.0 Mobile", ""),
            ("Mozilla/5.0 (Android 13; Mobile; rv:109.0) Gecko/114.0 Firefox/114.0", ""),
            ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) Version/17.4 Mobile/15E148", "iPhone"),
            ("Mozilla/5.0 (iPad; CPU OS 7_0_4 like Mac OS X) Version/7.0 Mobile/11B554a", "iPad"),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4) Instagram 330.0.3 (iPhone15,2; iOS 17_4; en_US)",
                "iPhone15,2",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4) [FBAN/FBIOS;FBDV/iPhone14,5;FBMD/iPhone]",
                "iPhone14,5",
            ),
            ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/120.0.0.0", ""),
            ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/17.4 Safari/605.1.15", ""),
            ("", ""),
        ] {
            assert_eq!(Span::of(user_agent).within(user_agent), model, "{user_agent}");
        }
        let long = format!("Mozilla/5.0 (Linux; Android 13; {})", "x".repeat(49));
        assert_eq!(Span::of(&long), Span::default());
    }

    proptest! {
        #[test]
        fn any_text_names_a_part_of_itself(text in "(Android|iPhone|[0-9,;() ]|Build/|é|.){0,60}") {
            let model = Span::of(&text);
            prop_assert!(text.contains(model.within(&text)));
        }
    }
}
