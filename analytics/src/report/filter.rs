//! Which values of a dimension count.

use crate::Dimension;
use crate::place::{EU, is_eu};

/// Values of one dimension that count, or that do not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// Of what.
    pub dimension: Dimension,
    /// If not empty: only these.
    pub include: Vec<String>,
    /// Not these.
    pub exclude: Vec<String>,
}

impl Filter {
    /// Whether a value counts. The empty value stands for events from which it is absent.
    pub fn admits(&self, value: &str) -> bool {
        (self.include.is_empty() || self.include.iter().any(|included| self.is(included, value)))
            && !self.exclude.iter().any(|excluded| self.is(excluded, value))
    }

    /// The European Union, which is no country, is all of its members.
    fn is(&self, named: &str, value: &str) -> bool {
        named == value || self.dimension == Dimension::Country && named == EU && is_eu(value)
    }

    /// The one value that it admits, if it admits one and that is not the absent one.
    pub(super) fn single(&self) -> Option<&str> {
        match (self.include.as_slice(), self.exclude.as_slice()) {
            ([value], []) if !value.is_empty() => Some(value),
            _ => None,
        }
    }

    /// An event can have several bot reasons: their cells overlap, and neither a sum of some nor what remains
    /// without some is a number of events.
    pub(super) fn check(&self) -> Result<(), String> {
        let values: Vec<_> = self.include.iter().chain(&self.exclude).collect();
        if self.dimension == Dimension::BotReason
            && !matches!(values.as_slice(), [value] if !value.is_empty())
        {
            return Err(
                "is asked for by one: events can have several; ask for verdict to have them all".to_owned()
            );
        }
        Ok(())
    }
}

/// The values of a list, and whether each is included: `US,BR` are two that are, `-tablet` is one that is not,
/// `-` is the absent one, excluded. After a backslash, a comma, a hyphen or a backslash is part of the value.
pub(super) fn values(list: &str) -> Vec<(bool, String)> {
    let mut values = Vec::new();
    let (mut included, mut value, mut begun) = (true, String::new(), false);
    let mut chars = list.chars();
    while let Some(char) = chars.next() {
        match char {
            ',' => {
                values.push((included, std::mem::take(&mut value)));
                (included, begun) = (true, false);
                continue;
            }
            '-' if !begun => included = false,
            '\\' => value.extend(chars.next()),
            _ => value.push(char),
        }
        begun = true;
    }
    values.push((included, value));
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_union_is_its_members() {
        let filter = |include: &[&str], exclude: &[&str]| Filter {
            dimension: Dimension::Country,
            include: include.iter().map(|&value| value.to_owned()).collect(),
            exclude: exclude.iter().map(|&value| value.to_owned()).collect(),
        };
        let admitted = |filter: Filter| ["DE", "US", "CH", ""].map(|country| filter.admits(country));
        assert_eq!(admitted(filter(&["EU"], &[])), [true, false, false, false]);
        assert_eq!(admitted(filter(&["EU", "CH"], &["DE"])), [false, false, true, false]);
        assert_eq!(admitted(filter(&[], &["EU"])), [false, true, true, true]);
    }

    #[test]
    fn a_list_includes_and_excludes() {
        let read = |list| {
            let marked = values(list)
                .into_iter()
                .map(|(included, value)| format!("{}{value}", if included { '+' } else { '!' }));
            marked.collect::<Vec<_>>().join(" ")
        };
        for (list, is) in [
            ("US,BR", "+US +BR"),
            ("-tablet", "!tablet"),
            ("US,-BR", "+US !BR"),
            ("-", "!"),
            ("", "+"),
            ("US,", "+US +"),
            ("a-b", "+a-b"),
            ("--x", "!-x"),
            (r"\-x", "+-x"),
            (r"a\,b,c\\", r"+a,b +c\"),
            (r"x\", "+x"),
        ] {
            assert_eq!(read(list), is, "{list}");
        }
    }

    #[test]
    fn what_is_included_and_excluded_is_excluded() {
        let filter =
            Filter { dimension: Dimension::Country, include: vec!["US".into()], exclude: vec!["US".into()] };
        assert!(!filter.admits("US"));
        assert!(!filter.admits("BR"));
        assert_eq!(filter.single(), None);
    }
}
