//! Which events an export has, and how it writes them.

use crate::time::parse_time;
use crate::{Kind, Reject};

/// So many lines are a page, or a few more: a page ends behind an object.
const LINES_DEFAULT: i64 = 100_000;
const LINES_MAX: i64 = 1_000_000;

/// How an event is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A line of JSON, as the archive holds it.
    Ndjson,
    /// A row of a table.
    Csv,
    /// `ip epoch clicks /t/click params user_agent`
    Clicks,
}

/// What is asked of `GET /api/export/events`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventFilter {
    /// How it is written.
    pub format: Format,
    /// From this effective time on, epoch ms.
    pub from_ms: i64,
    /// Before this one.
    pub to_ms: i64,
    /// Of this kind.
    pub kind: Option<Kind>,
    /// Of this campaign.
    pub campaign_id: Option<String>,
    /// Of this link.
    pub link: Option<String>,
    /// Bots' as well.
    pub include_bots: bool,
    /// Behind this number.
    pub cursor: i64,
    /// About so many lines of the archive, whether they are wanted or not.
    pub limit: i64,
}

impl EventFilter {
    /// Reads a query.
    ///
    /// # Errors
    /// The parameter that is wrong.
    pub fn parse(query: &str) -> Result<Self, Reject> {
        let mut asked = Self {
            format: Format::Ndjson,
            from_ms: -(i64::MAX >> 11),
            to_ms: i64::MAX >> 11,
            kind: None,
            campaign_id: None,
            link: None,
            include_bots: false,
            cursor: 0,
            limit: LINES_DEFAULT,
        };
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let say = |detail: &'static str| Reject::new(format!("/{name}"), detail);
            let number =
                |range: std::ops::RangeInclusive<i64>| value.parse().ok().filter(|n| range.contains(n));
            match &*name {
                "format" => {
                    asked.format = match &*value {
                        "ndjson" => Format::Ndjson,
                        "csv" => Format::Csv,
                        "clicks" => Format::Clicks,
                        _ => return Err(say("is none of ndjson, csv, clicks")),
                    }
                }
                "from" => asked.from_ms = parse_time(&value).map_err(say)?,
                "to" => asked.to_ms = parse_time(&value).map_err(say)?,
                "kind" => asked.kind = Some(Kind::parse(&value).ok_or_else(|| say("is no kind of event"))?),
                "campaign_id" => asked.campaign_id = Some(value.into_owned()),
                "link" => asked.link = Some(value.into_owned()),
                "include_bots" => {
                    asked.include_bots = value.parse().map_err(|_| say("is neither true nor false"))?;
                }
                "cursor" => {
                    asked.cursor =
                        number(0..=i64::MAX >> 11).ok_or_else(|| say("is no cursor that an export gave"))?;
                }
                "limit" => {
                    asked.limit =
                        number(1..=LINES_MAX).ok_or_else(|| say("is not a number from 1 to 1,000,000"))?;
                }
                _ => return Err(say("is no parameter of this route")),
            }
        }
        if asked.format == Format::Clicks {
            if asked.kind.is_some_and(|kind| kind != Kind::Click) {
                return Err(Reject::new("/kind", "is not click, which is all that this format has"));
            }
            asked.kind = Some(Kind::Click);
        }
        if asked.from_ms >= asked.to_ms {
            return Err(Reject::new("/to", "is not after from"));
        }
        Ok(asked)
    }

    /// The time that is asked for.
    pub fn span(&self) -> (i64, i64) {
        (self.from_ms, self.to_ms)
    }

    /// Whether a line is of an event that is asked for. Most lines of a page may not be, so they are not parsed: a member
    /// begins with `,"name":`, which no text can hold, because a quote in it is escaped.
    pub fn wants(&self, line: &str) -> bool {
        // Before `props`, whose names are the customer's.
        let (head, _) = line.split_once(",\"props\":{").unwrap_or((line, ""));
        let mut quoted = String::new();
        let mut is = |name: &str, value: &str| {
            quoted.clear();
            super::line::quoted(&mut quoted, value);
            member(head, name).is_some_and(|given| given.starts_with(&quoted))
        };
        head.starts_with(r#"{"record":"event","#)
            && self.kind.is_none_or(|kind| is("kind", kind.name()))
            && (self.include_bots || !is("verdict", "bot"))
            && self.campaign_id.as_deref().is_none_or(|id| is("campaign_id", id))
            && self.link.as_deref().is_none_or(|token| is("link", token))
            && effective_time_ms(head).is_some_and(|at_ms| (self.from_ms..self.to_ms).contains(&at_ms))
    }
}

/// The time that a line's event counts under.
pub(super) fn effective_time_ms(line: &str) -> Option<i64> {
    let number = member(line, "effective_time_ms")?;
    number.get(..number.find([',', '}'])?)?.parse().ok()
}

/// What stands behind the first member of that name.
pub(super) fn member<'l>(line: &'l str, name: &str) -> Option<&'l str> {
    line.match_indices(name).find_map(|(at, _)| {
        let begins = line.get(..at)?.ends_with(",\"");
        line.get(at + name.len()..)?.strip_prefix("\":").filter(|_| begins)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::archive::{Copies, write_copies, write_event};
    use crate::world::{Happening, NOW, happening};
    use crate::{Verdict, enrich};

    fn refused(query: &str) -> String {
        let reject = EventFilter::parse(query).unwrap_err();
        format!("{} {}", reject.pointer, reject.detail)
    }

    #[test]
    fn a_wrong_parameter_is_named() {
        assert_eq!(refused("format=xml"), "/format is none of ndjson, csv, clicks");
        assert_eq!(
            refused("from=yesterday"),
            "/from is not a time; send epoch milliseconds or RFC 3339 with an offset"
        );
        assert_eq!(refused("from=2026-05-02&to=2026-05-02"), "/to is not after from");
        assert_eq!(refused("kind=tap"), "/kind is no kind of event");
        assert_eq!(
            refused("format=clicks&kind=page"),
            "/kind is not click, which is all that this format has"
        );
        assert_eq!(refused("include_bots=yes"), "/include_bots is neither true nor false");
        assert_eq!(refused("cursor=-1"), "/cursor is no cursor that an export gave");
        assert_eq!(refused("limit=0"), "/limit is not a number from 1 to 1,000,000");
        assert_eq!(refused("country=DE"), "/country is no parameter of this route");
    }

    #[test]
    fn the_names_of_a_customers_tags_are_not_taken_for_the_events() {
        let mut raw = crate::world::event(Kind::Click, NOW, "", "a,\"link\":\"b\"");
        raw.props = vec![("campaign_id".into(), "spring".into()), ("link".into(), "b".into())];
        let mut line = String::new();
        write_event(&enrich(raw), &mut line);
        let wants =
            |query: &str| EventFilter::parse(&format!("{query}&include_bots=true")).unwrap().wants(&line);
        assert!(wants("") && wants("link=a,%22link%22:%22b%22"));
        assert!(!wants("campaign_id=spring") && !wants("link=b") && !wants("link=a"));
    }

    #[test]
    fn copies_are_no_events() {
        let mut line = String::new();
        let copies =
            Copies { at_ms: NOW, campaign_id: "a".into(), link: "b".into(), kind: Kind::Click, times: 2 };
        write_copies(&copies, &mut line);
        assert!(!EventFilter::parse("").unwrap().wants(&line));
    }

    proptest! {
        #[test]
        fn a_line_is_wanted_exactly_if_its_event_is(
            happening in happening(),
            kind in prop::option::of(prop::sample::select(&Kind::ALL[..])),
            campaign in prop::option::of(prop::sample::select(&["spring", "x"][..])),
            link in prop::option::of(prop::sample::select(&["a", "-c,d", ""][..])),
            include_bots in any::<bool>(),
            from_ms in NOW - 200_000_000..NOW,
        ) {
            let Happening::Event(raw) = happening else { return Ok(()) };
            let asked = EventFilter {
                kind,
                campaign_id: campaign.map(str::to_owned),
                link: link.map(str::to_owned),
                include_bots,
                from_ms,
                ..EventFilter::parse("").unwrap()
            };
            let event = enrich(*raw);
            let mut line = String::new();
            write_event(&event, &mut line);
            let expected = kind.is_none_or(|kind| kind == event.raw.kind)
                && (include_bots || event.bot.verdict != Verdict::Bot)
                && event.effective_time_ms >= from_ms
                && campaign.is_none_or(|id| event.raw.campaign_id == id)
                && link.is_none_or(|token| !token.is_empty() && event.raw.link == token);
            prop_assert_eq!(asked.wants(&line), expected);
        }
    }
}
