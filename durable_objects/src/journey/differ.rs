//! What is told of a journey: the difference between what was told of it and what follows now.

use analytics::{Footprint, Outcome};

use super::fact::Fact;

/// Tells the difference between what was told and what follows.
pub(super) fn differ(
    told: &[Fact],
    follows: &[Fact],
    trail: &[Footprint<'_>],
    tell: &mut dyn FnMut(Outcome<'_>),
) {
    let without = |facts: &[Fact], others: &[Fact], out: &mut Vec<Fact>| {
        out.extend(facts.iter().filter(|fact| others.binary_search(fact).is_err()).cloned());
    };
    let (mut gone, mut new) = (Vec::new(), Vec::new());
    without(told, follows, &mut gone);
    without(follows, told, &mut new);
    let mut outcomes = Vec::new();
    for fact in &gone {
        fact.tell(trail, &mut outcomes);
    }
    let taken_back = outcomes.len();
    for fact in &new {
        fact.tell(trail, &mut outcomes);
    }
    if taken_back == 0 {
        return outcomes.into_iter().for_each(tell);
    }
    // What is taken back and told again in the same words cancels out: of an attempt that went on, only the last step
    // is new.
    let mut words: Vec<(Vec<u8>, i64, usize)> = Vec::with_capacity(outcomes.len());
    for (index, outcome) in outcomes.iter().enumerate() {
        let mut bytes = Vec::new();
        match outcome {
            // Who was called for it is not called again because it is worth something else now.
            Outcome::Converted(it) => {
                bytes.extend(it.about.to_le_bytes().into_iter().chain([u8::MAX, it.status as u8]));
            }
            _ => outcome.encode(&mut bytes),
        }
        words.push((bytes, if index < taken_back { -1 } else { 1 }, index));
    }
    words.sort_unstable();
    let mut outcomes: Vec<Option<Outcome<'_>>> = outcomes.into_iter().map(Some).collect();
    for same in words.chunk_by(|(one, ..), (other, ..)| one == other) {
        let sum: i64 = same.iter().map(|(_, times, _)| times).sum();
        let left = same.iter().filter(|(_, times, _)| *times == sum.signum());
        for (_, _, index) in left.take(sum.unsigned_abs() as usize) {
            if let Some(mut outcome) = outcomes.get_mut(*index).and_then(Option::take) {
                if sum < 0 {
                    outcome.negate();
                }
                tell(outcome);
            }
        }
    }
}
