//! Rules and variants out of the peers' targets.

use serde_json::{Map, Value, json};

use super::reading::moment;

/// A rule with one condition.
pub(super) fn rule(subject: &str, values: &[&str], url: &str) -> Value {
    json!({"when": {subject: values}, "url": url})
}

/// Dub's and Sink's `{"DE": url}`: one rule for all countries of one destination.
pub(super) fn geo(value: &Value) -> Option<Vec<Value>> {
    let mut routes: Vec<(&str, Vec<String>)> = Vec::new();
    for (country, url) in value.as_object()? {
        let (url, country) = (url.as_str()?, country.trim().to_ascii_uppercase());
        match routes.iter_mut().find(|(known, _)| *known == url) {
            Some((_, countries)) => countries.push(country),
            None => routes.push((url, vec![country])),
        }
    }
    let rule = |(url, countries)| json!({"when": {"country": countries}, "url": url});
    Some(routes.into_iter().map(rule).collect())
}

/// The systems that Shlink's devices are (its `DeviceType.php`); `ios` is iPads too.
fn systems(device: &str) -> Option<&'static [&'static str]> {
    Some(match device {
        "android" => &["android"],
        "ios" => &["ios"],
        "windows" => &["windows"],
        "macos" => &["macos"],
        "linux" => &["linux"],
        "chromeos" => &["chromeos"],
        "mobile" => &["ios", "android"],
        "desktop" => &["windows", "macos", "linux", "chromeos"],
        _ => return None,
    })
}

/// Shlink's `deviceLongUrls`.
pub(super) fn devices(value: &Value) -> Option<Vec<Value>> {
    let given = value.as_object()?.iter().filter_map(|(device, url)| Some((device, url.as_str()?)));
    given.map(|(device, url)| Some(rule("os", systems(device)?, url))).collect()
}

/// Shlink's `redirectRules` in the order of their priority, and the conditions for whose sake others of them
/// cannot be kept: a rule that lost a condition would send more people there than it was made for.
pub(super) fn shlink(value: &Value) -> Option<(Vec<Value>, Vec<&str>)> {
    let priority = |rule: &Value| rule.get("priority").and_then(Value::as_i64);
    // By hand: the library's sort is 10 KB of wasm.
    let mut ordered: Vec<&Value> = Vec::new();
    for rule in value.as_array()? {
        ordered.insert(ordered.partition_point(|before| priority(before) <= priority(rule)), rule);
    }
    let (mut rules, mut lost) = (Vec::new(), Vec::new());
    for rule in ordered {
        let url = rule.get("longUrl")?.as_str()?;
        match conditions(rule.get("conditions")?.as_array()?) {
            Ok(when) => rules.push(json!({"when": when, "url": url})),
            Err(kind) => lost.push(kind),
        }
    }
    Some((rules, lost))
}

fn conditions(all: &[Value]) -> Result<Map<String, Value>, &str> {
    let mut when = Map::new();
    for condition in all {
        let part = |name| condition.get(name).and_then(Value::as_str).unwrap_or_default();
        let (kind, key, value) = (part("type"), part("matchKey"), part("matchValue"));
        let parameter = |with: Value| ("query", json!({key: with}));
        let (name, asked) = match kind {
            "device" => ("os", json!(systems(value).ok_or(kind)?)),
            "language" => ("language", json!([value.to_ascii_lowercase().replace('_', "-")])),
            "browser" if value != "android_browser" => ("browser", json!([value])),
            "geolocation-country-code" => ("country", json!([value])),
            "geolocation-city-name" => ("city", json!([value])),
            "before-date" => ("before", moment(&json!(value))),
            "after-date" => ("after", moment(&json!(value))),
            "query-param" => parameter(json!(value)),
            "any-value-query-param" => parameter(Value::Null),
            "valueless-query-param" => parameter(json!("")),
            _ => return Err(kind),
        };
        match (when.get_mut(name), asked) {
            (None, asked) => drop(when.insert(name.to_owned(), asked)),
            (Some(Value::Object(before)), Value::Object(asked)) if !before.contains_key(key) => {
                before.extend(asked);
            }
            _ => return Err(kind), // ours has no second list for one subject
        }
    }
    Ok(when)
}

/// Dub's `testVariants`: `[{"url", "percentage"}]`.
pub(super) fn test(value: &Value) -> Option<Vec<Value>> {
    let named = |(at, variant): (usize, &Value)| {
        let (url, weight) = (variant.get("url")?.as_str()?, variant.get("percentage")?);
        Some(json!({"name": name(at)?, "url": url, "weight": weight}))
    };
    value.as_array()?.iter().enumerate().map(named).collect()
}

/// Short.io's `splitURL`, which gets `percent` of the visitors of `url`.
pub(super) fn split(url: &str, other: &str, percent: i64) -> Option<Vec<Value>> {
    let rest = 100_i64.checked_sub(percent).filter(|rest| (0..=100).contains(rest))?;
    let variants = [(url, rest), (other, percent)];
    let named = |(at, (url, weight))| Some(json!({"name": name(at)?, "url": url, "weight": weight}));
    variants.into_iter().enumerate().map(named).collect()
}

/// A, B, C.
fn name(at: usize) -> Option<String> {
    let letter = u8::try_from(at).ok().filter(|at| *at < 26)?;
    Some(char::from(b'A' + letter).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn countries_of_one_destination_are_one_rule() {
        let rules =
            geo(&json!({"at": "https://e.com/de", "DE": "https://e.com/de", "FR": "https://e.com/fr"}));
        let mut rules = rules.unwrap();
        let countries = rules[0]["when"]["country"].as_array_mut().unwrap();
        countries.sort_by_key(Value::to_string);
        assert_eq!(rules.len(), 2);
        assert_eq!(rules[0], rule("country", &["AT", "DE"], "https://e.com/de"));
        assert_eq!(geo(&json!({"DE": 1})), None);
    }

    #[test]
    fn a_rule_of_which_one_condition_cannot_be_kept_is_not_kept_at_all() {
        let given = json!([
            {"priority": 2, "longUrl": "https://e.com/2", "conditions": [
                {"type": "query-param", "matchKey": "a", "matchValue": "1"},
                {"type": "any-value-query-param", "matchKey": "b", "matchValue": null},
                {"type": "device", "matchKey": null, "matchValue": "mobile"},
            ]},
            {"priority": 1, "longUrl": "https://e.com/1", "conditions": [
                {"type": "language", "matchKey": null, "matchValue": "en_GB"},
            ]},
            {"priority": 3, "longUrl": "https://e.com/3", "conditions": [
                {"type": "geolocation-country-code", "matchKey": null, "matchValue": "DE"},
                {"type": "ip-address", "matchKey": null, "matchValue": "192.0.2.0/24"},
            ]},
            {"priority": 4, "longUrl": "https://e.com/4", "conditions": [
                {"type": "language", "matchKey": null, "matchValue": "en"},
                {"type": "language", "matchKey": null, "matchValue": "de"},
            ]},
        ]);
        let (rules, lost) = shlink(&given).unwrap();
        assert_eq!(lost, ["ip-address", "language"]);
        assert_eq!(
            rules,
            [
                json!({"when": {"language": ["en-gb"]}, "url": "https://e.com/1"}),
                json!({"when": {"query": {"a": "1", "b": null}, "os": ["ios", "android"]}, "url": "https://e.com/2"}),
            ]
        );
    }

    #[test]
    fn the_second_half_of_a_split_gets_its_percent() {
        let variants = split("https://e.com/a", "https://e.com/b", 30).unwrap();
        assert_eq!(variants[0], json!({"name": "A", "url": "https://e.com/a", "weight": 70}));
        assert_eq!(variants[1], json!({"name": "B", "url": "https://e.com/b", "weight": 30}));
        assert_eq!(split("a", "b", 101), None);
        assert_eq!(split("a", "b", i64::MIN), None);
    }
}
