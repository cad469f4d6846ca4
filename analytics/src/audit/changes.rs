//! What differs between two states of a record, as far as anybody may see it.

use serde_json::{Map, Value};

/// Fields whose values nobody may read here.
const SECRETS: [&str; 3] = ["password", "key", "secret"];

/// Said of every change by the entry's own time.
const TIMES: [&str; 2] = ["created_at", "updated_at"];

/// The fields that differ, as `{"field": [before, after]}`. A field that is absent is null, and so is everything
/// before the creation and after the deletion.
pub fn changes(before: Option<&Value>, after: Option<&Value>) -> Value {
    // By reading and inserting alone: taking members out of a map is code that nothing else here needs.
    let mut changed = Map::new();
    let names = [before, after].into_iter().flatten().filter_map(Value::as_object).flat_map(Map::keys);
    for name in names {
        let of = |record: Option<&'_ Value>| {
            record.and_then(|record| record.get(name)).map(|value| shown(name, value))
        };
        let same = before.and_then(|record| record.get(name)) == after.and_then(|record| record.get(name));
        let (was, is) = (of(before).unwrap_or_default(), of(after).unwrap_or_default());
        let absent = was.is_null() && is.is_null();
        if !same && !absent && !TIMES.contains(&name.as_str()) {
            changed.insert(name.clone(), Value::Array(vec![was, is]));
        }
    }
    Value::Object(changed)
}

/// A member as anybody may see it.
fn shown(name: &str, value: &Value) -> Value {
    match value {
        Value::Null => Value::Null,
        _ if SECRETS.contains(&name) => "***".into(),
        Value::Bool(flag) => (*flag).into(),
        Value::Number(number) => Value::Number(number.clone()),
        Value::String(text) => text.as_str().into(),
        Value::Array(items) => Value::Array(items.iter().map(|item| shown("", item)).collect()),
        Value::Object(members) => {
            let mut copy = Map::new();
            for (name, member) in members {
                copy.insert(name.clone(), shown(name, member));
            }
            Value::Object(copy)
        }
    }
}
