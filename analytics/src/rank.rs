//! One sort for everything that is put in order now and then: every type that has a sort of its own is 5 KB of wasm,
//! 2 gzipped.

/// What an item is sorted by: two numbers, then a text.
pub(crate) type Key<'a> = (u64, u64, &'a str);

/// The places of the items, by their keys; of equal ones the first comes first.
pub(crate) fn order<'a>(keys: impl Iterator<Item = Key<'a>>) -> Vec<usize> {
    let mut sorted: Vec<(Key<'a>, usize)> = keys.zip(0..).collect();
    sort(&mut sorted);
    sorted.into_iter().map(|(_, place)| place).collect()
}

/// The items with the largest numbers first; by name where they are equal.
pub(crate) fn busiest<T>(items: Vec<(&str, T)>, size: impl Fn(&T) -> (u64, u64)) -> Vec<(&str, T)> {
    let keys = items.iter().map(|(name, item)| {
        let (first, second) = size(item);
        (!first, !second, *name)
    });
    let order = order(keys);
    let mut items: Vec<_> = items.into_iter().map(Some).collect();
    order.into_iter().filter_map(|place| items.get_mut(place)?.take()).collect()
}

#[inline(never)]
fn sort(keys: &mut [(Key<'_>, usize)]) {
    keys.sort_unstable();
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_busiest_come_first() {
        let items = vec![("b", 1), ("c", 2), ("a", 1)];
        assert_eq!(busiest(items, |&size| (size, 0)), [("c", 2), ("a", 1), ("b", 1)]);
    }

    proptest! {
        #[test]
        fn equal_ones_stay_in_order(keys in proptest::collection::vec((0u64..4, 0u64..4, "[ab]?"), 0..50)) {
            let mut wanted: Vec<usize> = (0..keys.len()).collect();
            wanted.sort_by_key(|&place| &keys[place]);
            prop_assert_eq!(order(keys.iter().map(|(a, b, name)| (*a, *b, &**name))), wanted);
        }
    }
}
