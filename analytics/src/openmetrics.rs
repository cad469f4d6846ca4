//! The text that Prometheus and its kin read: `OpenMetrics` 1.0. Whole numbers only: what is measured here is counted.

use std::fmt::Write;

/// What a family of samples is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// Only ever grows; its samples end in `_total`.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Says something in its labels, and is 1; its samples end in `_info`.
    Info,
}

/// A text in the making. A family's samples follow it at once: the format wants them together.
#[derive(Debug, Default)]
pub struct Exposition {
    text: String,
    name: &'static str,
    suffix: &'static str,
}

/// Every name begins so.
const PREFIX: &str = "clicktrail_";

/// Families in bytes and seconds have names that end so, and say it once more.
const UNITS: [&str; 2] = ["bytes", "seconds"];

impl Exposition {
    /// Begins a family.
    pub fn family(&mut self, name: &'static str, sort: Sort, help: &str) {
        let (sort, suffix) = match sort {
            Sort::Counter => ("counter", "_total"),
            Sort::Gauge => ("gauge", ""),
            Sort::Info => ("info", "_info"),
        };
        (self.name, self.suffix) = (name, suffix);
        let unit = UNITS.iter().find(|unit| name.ends_with(**unit));
        for (word, said) in [("TYPE", Some(sort)), ("UNIT", unit.copied()), ("HELP", Some(help))] {
            if let Some(said) = said {
                for part in ["# ", word, " ", PREFIX, name, " ", said, "\n"] {
                    self.text.push_str(part);
                }
            }
        }
    }

    /// One sample of the family.
    pub fn sample(&mut self, labels: &[(&str, &str)], value: i64) {
        self.line(self.suffix, labels, value);
    }

    /// Since when a counter counts, in seconds: a later one says that it began anew.
    pub fn created(&mut self, labels: &[(&str, &str)], seconds: i64) {
        self.line("_created", labels, seconds);
    }

    fn line(&mut self, suffix: &str, labels: &[(&str, &str)], value: i64) {
        for part in [PREFIX, self.name, suffix] {
            self.text.push_str(part);
        }
        for (nth, (name, said)) in labels.iter().enumerate() {
            self.text.push(if nth == 0 { '{' } else { ',' });
            self.text.push_str(name);
            self.text.push_str("=\"");
            for char in said.chars() {
                match char {
                    '\\' | '"' => self.text.extend(['\\', char]),
                    '\n' => self.text.push_str("\\n"),
                    _ => self.text.push(char),
                }
            }
            self.text.push('"');
        }
        if !labels.is_empty() {
            self.text.push('}');
        }
        // Writing to a string cannot fail.
        let _ = writeln!(self.text, " {value}");
    }

    /// The whole text.
    pub fn end(mut self) -> String {
        self.text.push_str("# EOF\n");
        self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_says_what_it_is_before_its_samples() {
        let mut text = Exposition::default();
        text.family("events_admitted", Sort::Counter, "Events.");
        text.sample(&[("gate", "weur/0")], 7);
        text.created(&[("gate", "weur/0")], 1_790_000_000);
        text.family("database_size_bytes", Sort::Gauge, "Room.");
        text.sample(&[], -1);
        text.family("build", Sort::Info, "What runs.");
        text.sample(&[("version", "1.0.0"), ("rules", "1")], 1);
        assert_eq!(
            text.end(),
            "# TYPE clicktrail_events_admitted counter\n\
             # HELP clicktrail_events_admitted Events.\n\
             clicktrail_events_admitted_total{gate=\"weur/0\"} 7\n\
             clicktrail_events_admitted_created{gate=\"weur/0\"} 1790000000\n\
             # TYPE clicktrail_database_size_bytes gauge\n\
             # UNIT clicktrail_database_size_bytes bytes\n\
             # HELP clicktrail_database_size_bytes Room.\n\
             clicktrail_database_size_bytes -1\n\
             # TYPE clicktrail_build info\n\
             # HELP clicktrail_build What runs.\n\
             clicktrail_build_info{version=\"1.0.0\",rules=\"1\"} 1\n\
             # EOF\n"
        );
    }

    #[test]
    fn what_somebody_named_stays_in_its_quotes() {
        let mut text = Exposition::default();
        text.family("alert_firing", Sort::Gauge, "Alerts.");
        text.sample(&[("name", "a \"b\" \\ c\nd")], 1);
        assert!(text.end().contains("{name=\"a \\\"b\\\" \\\\ c\\nd\"} 1\n"));
    }
}
