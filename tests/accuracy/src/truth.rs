//! What an answer of uap-core is in our words.
//!
//! - Browsers: builds of one browser for several systems are one (`Chrome Mobile iOS` is Chrome), as listed in
//!   `browsers.txt`. What uap-core itself calls a spider, and the HTTP libraries listed there, are programs, which
//!   have no browser: there it is right to know that it is no person's, and to name none. The names that uap-core copies out of what
//!   an Apple app's network stack says (`PlayTube/1.0 CFNetwork/485`) are no browsers: there none is right as well.
//! - Systems: likewise by `systems.txt`; the distributions of Linux are Linux. Where uap-core names the maker of a
//!   television in place of its system, there is no answer and the case is left out.
//! - Devices: uap-core has no classes. They follow from its brand and model by `classes.txt`; who is not listed there
//!   made telephones. So the libraries that use its rules are nearly right by construction.

use std::collections::HashMap;

use crate::fixtures::Case;

/// The browser of what is no person's.
pub(crate) const PROGRAM: &str = "(program)";

pub(crate) struct Truth {
    browsers: HashMap<&'static str, &'static str>,
    systems: HashMap<&'static str, &'static str>,
    spiders: ua_parser::device::Extractor<'static>,
}

impl Truth {
    pub(crate) fn new(rules: &str) -> Result<Self, Box<dyn std::error::Error>> {
        let rules: ua_parser::Regexes<'static> = serde_yaml::from_str(rules)?;
        let spiders = ua_parser::device::Builder::new().push_all(rules.device_parsers)?.build()?;
        Ok(Self {
            browsers: pairs(include_str!("../browsers.txt")).collect(),
            systems: pairs(include_str!("../systems.txt")).collect(),
            spiders,
        })
    }

    /// The browser that a case wants.
    pub(crate) fn wanted_browser(&self, case: &Case) -> String {
        let spider = || {
            let device = self.spiders.extract(&case.user_agent);
            device.is_some_and(|device| device.device == "Spider")
        };
        if spider() { PROGRAM.into() } else { self.browser(&case.family).into() }
    }

    /// A browser's name among ours.
    pub(crate) fn browser<'a>(&self, family: &'a str) -> &'a str {
        self.browsers.get(family).copied().unwrap_or(family)
    }

    /// A system's name among ours; `None` if it is none.
    pub(crate) fn os<'a>(&self, family: &'a str) -> Option<&'a str> {
        let name = self.systems.get(family).copied().unwrap_or(family);
        (name != "-").then_some(name)
    }

    /// The class of the device that a case wants; `None` if nobody could tell.
    pub(crate) fn device(&self, case: &Case) -> Option<&'static str> {
        match class(&case.family, &case.brand, &case.model) {
            "" => None,
            class => Some(class),
        }
    }
}

/// The class of a device by its family, brand and model: the first line of `classes.txt` that fits.
pub(crate) fn class(family: &str, brand: &str, model: &str) -> &'static str {
    static LINES: std::sync::OnceLock<Vec<[&str; 3]>> = std::sync::OnceLock::new();
    let lines = LINES.get_or_init(|| {
        lines(include_str!("../classes.txt"))
            .map(|line| {
                let mut parts = line.split('\t');
                [(); 3].map(|()| parts.next().unwrap_or_default())
            })
            .collect()
    });
    let (brand, both) = (brand.to_lowercase(), format!("{family}\n{model}").to_lowercase());
    let fits = |pattern: &str| {
        both.split('\n').any(|text| match pattern.strip_prefix('~') {
            Some(part) => text.contains(part),
            None => match pattern.strip_suffix('*') {
                Some(head) => text.starts_with(head),
                None => text == pattern,
            },
        })
    };
    lines
        .iter()
        .find(|[_, of, pattern]| (*of == "*" || *of == brand) && fits(pattern))
        .map_or("smartphone", |[class, ..]| if *class == "-" { "" } else { class })
}

fn lines(text: &'static str) -> impl Iterator<Item = &'static str> {
    text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'))
}

fn pairs(text: &'static str) -> impl Iterator<Item = (&'static str, &'static str)> {
    lines(text).map(|line| line.split_once('\t').unwrap_or((line, "")))
}
