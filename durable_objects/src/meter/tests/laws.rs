//! What holds however people, crashes and lost answers fall together.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

/// What happens next.
#[derive(Debug, Clone)]
enum Happens {
    /// People of a link ask, all before the next commit.
    Ask { link: usize, people: std::ops::Range<u32> },
    /// The commit; `heard` is whether its answers reach those who asked.
    Commit { fails_at: usize, heard: bool },
    /// The object loses its memory, and what was not committed with it.
    Evict,
    /// Time goes by, or the clock is set back.
    Wait(i64),
}

const LINKS: [(&str, u64); 3] = [("once", 1), ("few", 7), ("many", 150)];
const PEOPLE: u32 = 200;

fn anything(most_wait_ms: i64) -> impl Strategy<Value = Vec<Happens>> {
    let ask = (0..LINKS.len(), 0..PEOPLE, 1u32..70)
        .prop_map(|(link, from, many)| Happens::Ask { link, people: from..(from + many).min(PEOPLE) });
    let fails_at = prop_oneof![5 => Just(usize::MAX), 1 => 0usize..5];
    let commit = (fails_at, prop::bool::weighted(0.8))
        .prop_map(|(fails_at, heard)| Happens::Commit { fails_at, heard });
    let one = prop_oneof![
        4 => ask,
        4 => commit,
        1 => Just(Happens::Evict),
        1 => (-most_wait_ms / 4..most_wait_ms).prop_map(Happens::Wait),
    ];
    prop::collection::vec(one, 1..60)
}

/// A meter, the people who ask it, and what they heard.
struct World {
    object: Object,
    waiting: BTreeMap<(usize, u32), Decision>,
    heard: BTreeMap<(usize, u32), bool>,
}

impl World {
    fn new() -> Self {
        let mut object = Object::new();
        object.meter.held_max = 50; // so that links are put out of memory too
        Self { object, waiting: BTreeMap::new(), heard: BTreeMap::new() }
    }

    fn ask(&mut self, link: usize, person: u32) {
        let (name, max) = LINKS[link];
        let decision = self.object.ask(name, person, max);
        if decision.pending {
            self.waiting.insert((link, person), decision);
        } else {
            self.hear(link, person, decision.taken);
        }
    }

    fn hear(&mut self, link: usize, person: u32, taken: Taken) {
        let before = self.heard.insert((link, person), taken.granted);
        assert!(before.is_none_or(|before| before == taken.granted), "the same id, the same answer");
        assert!(taken.granted || taken.used == LINKS[link].1, "refused while there is room");
    }

    fn commit(&mut self, fails_at: usize, heard: bool) {
        let written = self.object.commit(fails_at);
        for ((link, person), decision) in std::mem::take(&mut self.waiting) {
            if written && heard {
                self.hear(link, person, decision.taken);
            }
        }
    }

    fn happens(&mut self, happens: Happens) {
        match happens {
            Happens::Ask { link, people } => people.for_each(|person| self.ask(link, person)),
            Happens::Commit { fails_at, heard } => self.commit(fails_at, heard),
            Happens::Evict => {
                self.object.evict();
                self.waiting.clear();
            }
            Happens::Wait(ms) => self.object.now_ms += ms,
        }
    }

    fn granted(&self, link: usize) -> u64 {
        self.heard.iter().filter(|((of, _), granted)| *of == link && **granted).count() as u64
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Those who did not hear ask again, and in the end of each link exactly as many were granted as may be, or as
    /// came, if they were fewer.
    #[test]
    fn exactly_as_many_are_granted_as_may_be(story in anything(REMEMBERED_MS / 100)) {
        let mut world = World::new();
        let mut asked = BTreeSet::new();
        for happens in story {
            if let Happens::Ask { link, people } = &happens {
                asked.extend(people.clone().map(|person| (*link, person)));
            }
            world.happens(happens);
        }
        // Those first of whom a grant may be in storage that they never heard of.
        for &(link, person) in &asked {
            world.ask(link, person);
        }
        world.commit(usize::MAX, true);
        for (link, (name, max)) in LINKS.into_iter().enumerate() {
            let came = asked.iter().filter(|(of, _)| *of == link).count() as u64;
            prop_assert_eq!(world.granted(link), max.min(came));
            prop_assert_eq!(world.object.used(name), max.min(came));
        }
    }

    /// Over hours, with ids forgotten and parts begun afresh: never more than may be, and whoever asks again within five
    /// minutes uses nothing up.
    #[test]
    fn never_more_are_granted_than_may_be(story in anything(2 * REMEMBERED_MS)) {
        let mut object = Object::new();
        let mut granted_ms = BTreeMap::new();
        for happens in story {
            match happens {
                Happens::Ask { link, people } => for person in people {
                    let (name, max) = LINKS[link];
                    let before = object.used(name);
                    let (granted, used) = object.take(name, person, max);
                    prop_assert_eq!(used, object.used(name));
                    prop_assert!(used <= max && (granted || used == max));
                    let times = granted_ms.get(&(link, person));
                    if times.is_some_and(|(first_ms, latest_ms)| latest_ms - first_ms <= REMEMBERED_MS) {
                        prop_assert_eq!((granted, used), (true, before));
                    } else if granted && used == before {
                        prop_assert!(times.is_some(), "granted without being counted");
                    } else if granted {
                        prop_assert_eq!(used, before + 1);
                        granted_ms.insert((link, person), (object.now_ms, object.now_ms));
                    }
                },
                Happens::Commit { .. } => {}
                Happens::Evict => object.evict(),
                Happens::Wait(ms) => {
                    object.now_ms += ms;
                    // Once forgotten is forgotten, though the clock be set back.
                    for (_, latest_ms) in granted_ms.values_mut() {
                        *latest_ms = object.now_ms.max(*latest_ms);
                    }
                }
            }
        }
        let longest = object.number("SELECT coalesce(max(length(ids)), 0) FROM grants");
        prop_assert!(longest as usize <= PART_MAX_BYTES);
    }
}
