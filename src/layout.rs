//! `gate_shards`: how many gates there are, and where.

use durable_objects::{Layout, Maps, Region};
use serde_json::Value;

/// The maps of `gate_shards_before` and `gate_shards`. Without `regions` each is one set for the world.
///
/// # Errors
/// Something is no number of gates, or no region.
pub(crate) fn maps(before: &[Value], now: &Value, regions: bool) -> Result<Maps, String> {
    let of = |field: &str, value: &Value| {
        let layout = layout(field, value)?;
        Ok::<_, String>(if regions { layout } else { layout.gathered() })
    };
    let before = before
        .iter()
        .enumerate()
        .map(|(at, value)| of(&["gate_shards_before/", &at.to_string()].concat(), value));
    let before: Vec<_> = before.collect::<Result<_, _>>()?;
    Ok(Maps::new(before, of("gate_shards", now)?))
}

fn layout(field: &str, value: &Value) -> Result<Layout, String> {
    let number = |field: &str, value: &Value, least: u64| {
        let number = value.as_u64().filter(|number| *number >= least);
        number
            .and_then(|number| u16::try_from(number).ok())
            .ok_or_else(|| [field, " is no number of gates"].concat())
    };
    let Value::Object(table) = value else {
        return Ok(Layout::Continents(number(field, value, 1)?));
    };
    let mut numbers = Vec::new();
    for (name, value) in table {
        let field = [field, "/", name].concat();
        let Some(region) = Region::parse(name) else {
            return Err([&field, " is no region"].concat());
        };
        numbers.push((region, number(&field, value, 0)?));
    }
    if numbers.iter().all(|(_, number)| *number == 0) {
        return Err([field, " names no gates"].concat());
    }
    Ok(Layout::of(numbers))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_number_is_for_each_continent_and_a_table_for_those_it_names() {
        let two = || Layout::Continents(2);
        assert_eq!(maps(&[], &json!(2), true), Ok(Maps::new([], two())));
        let table = json!({ "wnam": 3, "weur": 1, "oc": 0 });
        let named = Layout::of([(Region::Wnam, 3), (Region::Weur, 1)]);
        assert_eq!(maps(&[json!(2)], &table, true), Ok(Maps::new([two()], named)));
        assert_eq!(maps(&[json!(2)], &table, false), Ok(Maps::new([Layout::world(2)], Layout::world(4))));
        assert_eq!(maps(&[], &json!({ "world": 2, "weur": 1 }), true), Ok(Maps::new([], Layout::world(2))));
    }

    #[test]
    fn what_is_no_layout_is_refused_by_name() {
        let why = |before: &[Value], now: Value| maps(before, &now, true).unwrap_err();
        for bad in [json!(0), json!(-1), json!(65_536), json!(1.5), json!("2"), json!(null)] {
            assert_eq!(why(&[], bad), "gate_shards is no number of gates");
        }
        assert_eq!(why(&[], json!({ "weur": -1 })), "gate_shards/weur is no number of gates");
        assert_eq!(why(&[], json!({ "mars": 1 })), "gate_shards/mars is no region");
        assert_eq!(why(&[], json!({ "weur": 0 })), "gate_shards names no gates");
        assert_eq!(why(&[json!(2), json!({ "x": 1 })], json!(2)), "gate_shards_before/1/x is no region");
    }
}
