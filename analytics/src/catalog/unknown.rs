//! Ids that were counted and that no campaign has, where sums lie in several databases.
//!
//! Only the first knows which campaigns there are. The others list every id that they counted; what is known is taken
//! out of it afterwards.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Sort;
use super::statements::List;
use crate::Statement;

/// What several databases listed, put together.
#[derive(Debug, PartialEq, Eq)]
pub struct United {
    /// Each id once, by id, with its record as the one database wrote it that counted it last.
    pub records: BTreeMap<String, String>,
    /// There may be more behind this id.
    pub upto: Option<String>,
}

impl List {
    /// Whether so many records are a page, and show that another follows.
    pub fn has_enough(&self, records: usize) -> bool {
        records > self.limit()
    }

    /// Whether several databases have to be asked, if there are several.
    pub fn is_of_unknown(&self) -> bool {
        self.of_unknown()
    }

    /// Puts together what each database answered to [`List::page`].
    pub fn united(&self, answers: &[Vec<&str>]) -> United {
        let mut upto: Option<String> = None;
        let mut records: BTreeMap<String, String> = BTreeMap::new();
        for answer in answers {
            let ids = answer.iter().filter_map(|record| Some((named(record)?, (*record).to_owned())));
            let mut last = None;
            for (id, record) in ids {
                last = Some(id.clone());
                let kept = records.entry(id).or_insert_with(|| record.clone());
                if day(&record) > day(kept) {
                    *kept = record;
                }
            }
            // Whoever has more to say has said nothing of what is behind its last.
            if answer.len() > self.limit()
                && let Some(last) = last
            {
                upto = Some(upto.map_or(last.clone(), |upto| upto.min(last)));
            }
        }
        if let Some(upto) = &upto {
            records.retain(|id, _| id <= upto);
        }
        United { records, upto }
    }
}

/// Which of these ids a campaign has that is not deleted: `record`.
pub fn known(ids: impl Iterator<Item = impl AsRef<str>>) -> Statement {
    let ids: Vec<Value> = ids.map(|id| id.as_ref().into()).collect();
    Statement::new(
        "SELECT json_object('id', catalog.id) AS record FROM json_each(?2) CROSS JOIN catalog \
         ON sort = ?1 AND catalog.id = value AND state <> 'deleted'",
        [Sort::Campaign.name().into(), json!(ids).to_string().into()],
    )
}

/// The id in a record of the list.
pub fn named(record: &str) -> Option<String> {
    let record: Value = serde_json::from_str(record).ok()?;
    Some(record.get("id")?.as_str()?.to_owned())
}

fn day(record: &str) -> Option<i64> {
    serde_json::from_str::<Value>(record).ok()?.get("last_day")?.as_i64()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(id: &str, day: i64) -> String {
        json!({ "id": id, "last_day": day }).to_string()
    }

    fn two() -> List {
        let mut list = List::new(Sort::Campaign);
        list.set("status", "unknown").unwrap();
        list.set("limit", "2").unwrap();
        list
    }

    #[test]
    fn an_id_that_two_databases_have_is_told_once_with_its_last_day() {
        let (a, b, c) = (record("a", 1), record("a", 2), record("b", 1));
        let united = two().united(&[vec![&a], vec![&b, &c]]);
        assert_eq!(united.records.into_iter().collect::<Vec<_>>(), [("a".into(), b), ("b".into(), c)]);
        assert_eq!(united.upto, None);
    }

    #[test]
    fn nothing_is_told_that_a_database_may_have_left_out() {
        let [one, other] = [&["a", "c", "e"][..], &["b", "z"]]
            .map(|ids| ids.iter().map(|id| record(id, 1)).collect::<Vec<_>>());
        let united = two().united(&[&one, &other].map(|all| all.iter().map(String::as_str).collect()));
        assert_eq!(united.records.into_keys().collect::<Vec<_>>(), ["a", "b", "c", "e"]);
        assert_eq!(united.upto.as_deref(), Some("e"));
    }
}
