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

/// Remembers what was read from which headers. Each set of headers has one slot, and the newest stays: a stranger
/// who sends a thousand made-up user agents costs readings, not memory, and nothing else.
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
        let hash = hash(texts);
        let Some(slot) = self.slots.get_mut(hash as usize % SLOTS) else { return read() };
        if let Some(known) = slot.as_ref().filter(|known| known.is_of(hash, texts)) {
            return (known.agent, known.witness);
        }
        let (agent, witness) = read();
        let mut text = slot.take().map(|old| old.text).unwrap_or_default();
        text.clear();
        let mut ends = [0; TEXTS];
        for (place, part) in texts.into_iter().enumerate() {
            text.push_str(part);
            if let Some(end) = ends.get_mut(place) {
                *end = text.len();
            }
        }
        *slot = Some(Slot { hash, text, ends, agent, witness });
        (agent, witness)
    }
}

impl Slot {
    fn is_of(&self, hash: u64, texts: [&str; TEXTS]) -> bool {
        let mut start = 0;
        self.hash == hash
            && self.ends.into_iter().zip(texts).all(|(end, text)| {
                let known = self.text.get(start..end);
                start = end;
                known == Some(text)
            })
    }
}

fn hash(texts: [&str; TEXTS]) -> u64 {
    let mut hasher = FixedState::default().build_hasher();
    for text in texts {
        hasher.write(text.as_bytes());
        hasher.write_u8(0xff); // in no text
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
