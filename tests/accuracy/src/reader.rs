//! Those who read user agents.

use analytics::{EventId, Kind, RawEvent, Source, Verdict, enrich};

use crate::fixtures::Fixtures;
use crate::truth::class;

/// What was made of a user agent, in uap-core's words or ours.
pub(crate) struct Reading {
    pub(crate) browser: String,
    /// Whether it is taken for no person's.
    pub(crate) program: bool,
    pub(crate) os: String,
    /// The class of the device, in ours.
    pub(crate) device: &'static str,
}

pub(crate) trait Reader {
    fn name(&self) -> &'static str;
    fn read(&self, user_agent: &str) -> Reading;
    /// Reads for the stopwatch: no more than the library's own work.
    fn touch(&self, user_agent: &str);
}

type New = fn(&Fixtures) -> Box<dyn Reader>;

pub(crate) const ALL: [New; 4] = [
    |_| ours(),
    |uap| theirs(uap),
    |uap| {
        let rules = uap.rules.as_bytes();
        Box::new(Uaparser(uaparser::UserAgentParser::from_bytes(rules).expect("uap-core's rules")))
    },
    |_| Box::new(Woothee(woothee::parser::Parser::new())),
];

pub(crate) fn ours() -> Box<dyn Reader> {
    Ours.touch("Mozilla/5.0"); // builds the tables, which is our start
    Box::new(Ours)
}

pub(crate) fn theirs(uap: &Fixtures) -> Box<dyn Reader> {
    Box::new(UaParser::new(&uap.rules))
}

struct Ours;

impl Reader for Ours {
    fn name(&self) -> &'static str {
        "ours"
    }

    fn read(&self, user_agent: &str) -> Reading {
        let id = EventId::from_bytes([1; 16]);
        let raw = RawEvent {
            user_agent: user_agent.into(),
            ..RawEvent::new(id, Kind::Click, Source::Redirect, 1_790_000_000_000)
        };
        let event = enrich(raw);
        Reading {
            browser: event.agent.browser.into(),
            program: event.bot.verdict == Verdict::Bot,
            os: event.agent.os.into(),
            device: event.agent.device.name(),
        }
    }

    fn touch(&self, user_agent: &str) {
        let headers = analytics::agent::Headers { user_agent, ..Default::default() };
        std::hint::black_box(analytics::Agent::read(headers));
    }
}

struct UaParser {
    browser: ua_parser::user_agent::Extractor<'static>,
    os: ua_parser::os::Extractor<'static>,
    device: ua_parser::device::Extractor<'static>,
}

impl UaParser {
    fn new(rules: &str) -> Self {
        let rules: ua_parser::Regexes<'static> = serde_yaml::from_str(rules).expect("uap-core's rules");
        let built = ua_parser::Extractor::try_from(rules).expect("uap-core's rules");
        Self { browser: built.ua, os: built.os, device: built.dev }
    }
}

impl Reader for UaParser {
    fn name(&self) -> &'static str {
        "ua-parser 0.2"
    }

    fn read(&self, user_agent: &str) -> Reading {
        let other = || "Other".to_owned();
        let os = self.os.extract(user_agent).map_or_else(other, |os| os.os.into_owned());
        let device = self.device.extract(user_agent);
        let device = device.map_or("other", |it| {
            class(&it.device, &it.brand.unwrap_or_default(), &it.model.unwrap_or_default())
        });
        let browser = self.browser.extract(user_agent).map_or_else(other, |it| it.family.into_owned());
        Reading { browser, program: device == "bot", os, device }
    }

    fn touch(&self, user_agent: &str) {
        std::hint::black_box((
            self.browser.extract(user_agent),
            self.os.extract(user_agent),
            self.device.extract(user_agent),
        ));
    }
}

struct Uaparser(uaparser::UserAgentParser);

impl Reader for Uaparser {
    fn name(&self) -> &'static str {
        "uaparser 0.6"
    }

    fn read(&self, user_agent: &str) -> Reading {
        use uaparser::Parser;
        let client = self.0.parse(user_agent);
        let device = client.device;
        let (brand, model) = (device.brand.unwrap_or_default(), device.model.unwrap_or_default());
        let device = class(&device.family, &brand, &model);
        Reading {
            browser: client.user_agent.family.into_owned(),
            program: device == "bot",
            os: client.os.family.into_owned(),
            device,
        }
    }

    fn touch(&self, user_agent: &str) {
        use uaparser::Parser;
        std::hint::black_box(self.0.parse(user_agent));
    }
}

struct Woothee(woothee::parser::Parser);

impl Reader for Woothee {
    fn name(&self) -> &'static str {
        "woothee 0.13"
    }

    fn read(&self, user_agent: &str) -> Reading {
        let it = self.0.parse(user_agent).unwrap_or_default();
        let known = |text: &str| if text == "UNKNOWN" { String::new() } else { text.to_owned() };
        let device = match it.category {
            "crawler" => "bot",
            "pc" => "desktop",
            "smartphone" | "mobilephone" => "smartphone",
            "appliance" if it.os.contains("TV") => "tv",
            "appliance" => "console",
            _ if it.name == "HTTP Library" => "bot",
            _ => "other",
        };
        Reading { browser: known(it.name), program: device == "bot", os: known(it.os), device }
    }

    fn touch(&self, user_agent: &str) {
        std::hint::black_box(self.0.parse(user_agent));
    }
}
