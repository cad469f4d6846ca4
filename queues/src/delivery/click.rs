//! A tracked event as receivers and sinks get it.

use analytics::TrackedEvent;
use analytics::archive::write_event;

const VISITOR: &str = r#","visitor":""#;

/// The event as the archive has it, without the visitor's hash: it names no visitor but by the ids that the customer gave.
pub fn line(event: &TrackedEvent<'_>) -> String {
    let mut line = String::with_capacity(1024);
    write_event(event, &mut line);
    line.truncate(line.trim_end().len());
    // Within a text there would be a backslash before the quotes; and what the customer calls so comes later.
    if event.raw.visitor != 0
        && let Some((before, (_, after))) =
            line.split_once(VISITOR).and_then(|(before, rest)| Some((before, rest.split_once('"')?)))
    {
        return [before, after].concat();
    }
    line
}

#[cfg(test)]
mod tests {
    use analytics::{EventId, Kind, RawEvent, Source, enrich};
    use serde_json::Value;

    use super::*;

    #[test]
    fn a_line_is_the_archives_without_the_visitor() {
        let mut raw =
            RawEvent::new(EventId::from_bytes([7; 16]), Kind::Click, Source::Redirect, 1_790_000_000_000);
        raw.name = r#"a,"visitor":"b""#.into();
        raw.props = vec![("k".into(), "v".into()), ("visitor".into(), "mine".into())];
        for visitor in [0, 77] {
            raw.visitor = visitor;
            let line = line(&enrich(raw.clone()));
            assert!(!line.contains('\n'));
            let told: Value = serde_json::from_str(&line).unwrap();
            let of = |name: &str| told.get(name).cloned();
            assert_eq!((of("visitor"), of("name")), (None, Some(r#"a,"visitor":"b""#.into())));
            assert_eq!(told.pointer("/props/visitor"), Some(&"mine".into()));
            assert!(of("rules_version").is_some(), "what comes behind it is there");
        }
    }
}
