//! The agents read lately.

use std::hash::{BuildHasher, Hasher};

use foldhash::fast::FixedState;

use super::{Agent, Headers};
use crate::bots::Witness;

/// Power of two. A day's traffic of one site has some hundred user agents, and a batch repeats few of them often.
const SLOTS: usize = 512;
/// Longer headers are read each time: with it the cache holds 384 KB at most.
const MAX_BYTES: usize = 768;
/// How many headers there are.
const TEXTS: usize = 6;

/// Remembers what was read from which headers. Each set of headers has two slots, of which it takes one, and the newest
/// stays: a stranger who sends a thousand made-up user agents costs readings, not memory, and nothing else.
///
/// What it answers is what [`Agent::read`] answers, so its owner may drop it at any time.
#[derive(Debug)]
pub struct AgentCache {
    slots: Vec<Option<Slot>>,
}

#[derive(Debug)]
struct Slot {
    hash: u64,
    /// The texts behind one another.
    text: String,
    /// Where each ends.
    ends: [usize; TEXTS],
    agent: Agent<'static>,
    witness: Witness,
}

impl Default for AgentCache {
    fn default() -> Self {
        let mut slots = Vec::new();
        slots.resize_with(SLOTS, || None);
        Self { slots }
    }
}

impl AgentCache {
    /// The agent of these headers.
    pub fn read(&mut self, headers: Headers<'_>) -> Agent<'static> {
        self.hear(headers).0
    }

    /// The agent of these headers, and whether they are a person's.
    pub(crate) fn hear(&mut self, headers: Headers<'_>) -> (Agent<'static>, Witness) {
        let read = || {
            let agent = Agent::read(headers);
            (agent, Witness::of(&headers, &agent))
        };
        let Headers { user_agent, brands, mobile, platform, model, platform_version } = headers;
        let texts = [user_agent, brands, mobile, platform, model, platform_version];
        if texts.iter().map(|text| text.len()).sum::<usize>() > MAX_BYTES {
            return read();
        }
        let (hash, ends) = (hash(texts), ends(texts));
        let seats = [hash as usize % SLOTS, (hash >> 32) as usize % SLOTS];
        for slot in seats.iter().filter_map(|seat| self.slots.get(*seat)?.as_ref()) {
            if slot.hash == hash && slot.ends == ends && slot.is_of(texts) {
                return (slot.agent, slot.witness);
            }
        }
        // The second seat only if it alone is free: else it is the first's turn to make room.
        let taken = |seat: &usize| self.slots.get(*seat).is_some_and(Option::is_some);
        let [first, second] = seats;
        let seat = if taken(&first) && !taken(&second) { second } else { first };
        let Some(slot) = self.slots.get_mut(seat) else { return read() };
        let (agent, witness) = read();
        let mut text = slot.take().map(|old| old.text).unwrap_or_default();
        text.clear();
        text.extend(texts);
        *slot = Some(Slot { hash, text, ends, agent, witness });
        (agent, witness)
    }
}

impl Slot {
    /// Whether it is of these texts, which end where its own do.
    fn is_of(&self, texts: [&str; TEXTS]) -> bool {
        let mut rest = self.text.as_bytes();
        texts.into_iter().filter(|text| !text.is_empty()).all(|text| {
            let (known, behind) = rest.split_at_checked(text.len()).unwrap_or_default();
            rest = behind;
            known == text.as_bytes()
        })
    }
}

fn ends(texts: [&str; TEXTS]) -> [usize; TEXTS] {
    let mut end = 0;
    texts.map(|text| {
        end += text.len();
        end
    })
}

fn hash(texts: [&str; TEXTS]) -> u64 {
    let mut hasher = FixedState::default().build_hasher();
    for (place, text) in (0..).zip(texts).filter(|(_, text)| !text.is_empty()) {
        hasher.write_u8(place);
        hasher.write(text.as_bytes());
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Few letters, so that texts repeat and move from one header into the next.
        #[test]
        fn the_cache_answers_as_a_reading_does(
            sent in proptest::collection::vec(proptest::array::uniform6("(Chrome/1|Android|\\?1|\"|a){0,3}"), 0..60),
        ) {
            let mut cache = AgentCache::default();
            for [user_agent, brands, mobile, platform, model, platform_version] in &sent {
                let headers = Headers { user_agent, brands, mobile, platform, model, platform_version };
                prop_assert_eq!(cache.read(headers), Agent::read(headers));
            }
        }
    }

    #[test]
    fn what_a_stranger_sends_does_not_stay_in_memory() {
        let mut cache = AgentCache::default();
        for made_up in 0..10_000 {
            let user_agent = format!("Mozilla/5.0 {made_up} {}", "x".repeat(made_up % 2_000));
            cache.read(Headers { user_agent: &user_agent, ..Headers::default() });
        }
        let held: usize = cache.slots.iter().flatten().map(|slot| slot.text.capacity()).sum();
        assert!(held <= SLOTS * 2 * MAX_BYTES, "{held}");
    }
}
