//! A visitor's journey: footprints, and what was told of them.

use analytics::outcome::{Moved, Outcome};
use analytics::{EventId, Footprint, Kind, VisitorKey};
use serde::{Deserialize, Serialize};

use super::Terms;
use super::fact::{Fact, Place};
use super::facts::{Bar, Before, Facts, facts};

/// How many footprints a journey keeps. A visitor has three; who has more than this in thirty days pays with the oldest.
pub const FOOTPRINTS_MAX: usize = 256;

/// Version of a journey's bytes.
pub const JOURNEY_VERSION: u8 = 1;

/// Where a footprint belongs: by time, and an end behind what it ends, for clients stamp both alike.
type Moment = (i64, bool, EventId);

/// A footprint's bytes, and where they belong.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Print {
    moment: Moment,
    body: Box<[u8]>,
}

/// What is known of a visitor.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Visitor {
    /// By moment.
    prints: Vec<Print>,
    /// What was told and could be taken back, in order.
    told: Vec<Fact>,
    /// Whose journey it is by a stronger name.
    bond: Option<VisitorKey>,
    /// Nothing before it is looked at any more, it included: what followed from that stands as it was told.
    past: Option<Moment>,
    bars: Vec<Bar>,
    due_ms: Option<i64>,
    last_ms: i64,
    /// Until when a transaction may go on.
    settled_ms: i64,
}

/// As it is stored.
#[derive(Serialize, Deserialize)]
struct Stored<'a> {
    #[serde(borrow)]
    prints: Vec<&'a [u8]>,
    told: Vec<Fact>,
    bond: Option<VisitorKey>,
    past: Option<Moment>,
    bars: Vec<Bar>,
    due_ms: Option<i64>,
    last_ms: i64,
    /// Until when a transaction may go on.
    settled_ms: i64,
}

fn moment(footprint: &Footprint<'_>) -> Moment {
    (footprint.at_ms, footprint.kind == Kind::SessionEnd, footprint.id)
}

impl Visitor {
    /// Adds a footprint. `false`: it is known, or so old that nothing follows from it any more; or more came at once than
    /// can be counted, which no batch holds.
    pub fn add(&mut self, footprint: &Footprint<'_>) -> bool {
        let moment = moment(footprint);
        let known = |print: &Print| print.moment.2 == footprint.id;
        let full = self.prints.len() >= usize::from(Place::MAX);
        if full || self.past.is_some_and(|past| moment <= past) || self.prints.iter().any(known) {
            return false;
        }
        let mut body = Vec::with_capacity(256);
        footprint.encode(&mut body);
        let at = self.prints.partition_point(|print| print.moment < moment);
        self.prints.insert(at, Print { moment, body: body.into_boxed_slice() });
        for fact in &mut self.told {
            fact.places(&mut |place| *place += Place::from(usize::from(*place) >= at));
        }
        self.last_ms = self.last_ms.max(footprint.at_ms);
        true
    }

    /// Says that the visitor `own` is known by a better name. `false`: by one no better than that of before, which stands.
    /// As bonds only ever lead to a higher rank, footprints arrive after three of them at most.
    pub fn bond(&mut self, own: VisitorKey, to: VisitorKey) -> bool {
        let better = to.rank() > self.bond.map_or(own.rank(), |bond| bond.rank());
        if better {
            self.bond = Some(to);
        }
        better
    }

    /// One that was erased: nothing from before a moment is looked at.
    pub fn forgotten(before_ms: i64) -> Self {
        Self { past: Some((before_ms, true, EventId::from_bytes([u8::MAX; 16]))), ..Self::default() }
    }

    /// Whether nothing is known from before a moment, and nothing will be.
    pub fn is_forgotten(&self, before_ms: i64) -> bool {
        self.prints.first().is_none_or(|print| print.moment.0 > before_ms)
            && self.bond.is_none()
            && self.past.is_some_and(|(past_ms, ..)| past_ms >= before_ms)
    }

    /// By which better name it is known.
    pub fn bonded_to(&self) -> Option<VisitorKey> {
        self.bond
    }

    /// Shows the footprints in their order, and what was told of them.
    pub fn show(&self, print: &mut dyn FnMut(&Footprint<'_>), told: &mut dyn FnMut(&Outcome<'_>)) {
        let trail: Vec<Footprint<'_>> =
            self.prints.iter().filter_map(|print| Footprint::decode(&print.body)).collect();
        trail.iter().for_each(print);
        let mut outcomes = Vec::new();
        for fact in &self.told {
            fact.tell(&trail, &mut outcomes);
        }
        outcomes.iter().for_each(told);
    }

    /// Tells what follows from the footprints by these terms at this time, as far as it was not told before, and takes
    /// back what was told and does not follow any more.
    pub fn advance(&mut self, terms: &Terms, now_ms: i64, tell: &mut dyn FnMut(Outcome<'_>)) {
        // Each can be read: it was written by this code, or read when the journey was.
        let trail: Vec<Footprint<'_>> =
            self.prints.iter().filter_map(|print| Footprint::decode(&print.body)).collect();
        let remains = self.past.map_or(0, |past| self.prints.partition_point(|print| print.moment <= past));
        let follows = match self.bond {
            Some(_) => self.left(remains),
            None => facts(&trail, Before { remains, bars: &self.bars }, terms, now_ms, FOOTPRINTS_MAX),
        };
        differ(&self.told, &follows.all, &trail, tell);
        if let Some(to) = self.bond {
            for footprint in trail.into_iter().skip(remains) {
                tell(Outcome::Moved(Moved { to, footprint }));
            }
            self.prints.truncate(remains);
        }
        self.settle(follows);
    }

    /// What still follows when everything but the remains has moved on: those stay with what was told of them.
    fn left(&self, remains: usize) -> Facts {
        let mut all = self.told.clone();
        all.retain_mut(|fact| {
            let mut stays = true;
            fact.places(&mut |place| stays &= usize::from(*place) < remains);
            stays
        });
        Facts { all, settled_ms: self.settled_ms, bars: self.bars.clone(), ..Facts::default() }
    }

    /// Remembers what was told, and lets the oldest footprints go, with what can be taken back no more: all but what is
    /// of a transaction that may go on.
    fn settle(&mut self, told: Facts) {
        let Facts { all, due_ms, past, remains, settled_ms, bars } = told;
        (self.told, self.due_ms, self.settled_ms, self.bars) = (all, due_ms, settled_ms, bars);
        let Some(last) = past.checked_sub(1).and_then(|last| self.prints.get(last)) else { return };
        self.past = self.past.max(Some(last.moment));
        let stays = |place: usize| place >= past || remains.contains(&(place as Place));
        let gone: Vec<usize> = (0..past).filter(|place| !stays(*place)).collect();
        self.told.retain_mut(|fact| {
            let (of_transaction, mut kept) = (fact.goes_on(), true);
            fact.places(&mut |place| {
                let old = usize::from(*place);
                kept &= stays(old) && (old >= past || of_transaction);
                *place -= gone.partition_point(|other| *other < old) as Place;
            });
            kept
        });
        let mut place = 0;
        self.prints.retain(|_| {
            place += 1;
            stays(place - 1)
        });
    }

    /// When something will follow even if nothing comes: a session is over.
    pub fn due_ms(&self) -> Option<i64> {
        self.due_ms
    }

    /// When it may be forgotten as a whole.
    pub fn expires_ms(&self, terms: &Terms) -> i64 {
        self.last_ms.saturating_add(terms.keep_ms).max(self.settled_ms)
    }

    /// How many footprints it has.
    pub fn footprints(&self) -> usize {
        self.prints.len()
    }

    /// What it takes in memory, nearly: 16 bytes for what the allocator adds to each block.
    pub fn weight_bytes(&self) -> usize {
        let prints: usize = self.prints.iter().map(|print| size_of::<Print>() + print.body.len() + 16).sum();
        let told: usize = self.told.iter().map(|fact| size_of::<Fact>() + fact.heap_bytes()).sum();
        size_of::<Self>() + prints + told
    }

    /// Appends the journey: a version byte and postcard's wire format.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.push(JOURNEY_VERSION);
        let stored = Stored {
            prints: self.prints.iter().map(|print| &*print.body).collect(),
            told: self.told.clone(),
            bond: self.bond,
            past: self.past,
            bars: self.bars.clone(),
            due_ms: self.due_ms,
            last_ms: self.last_ms,
            settled_ms: self.settled_ms,
        };
        // `to_extend` into a Vec has no failing path for these types.
        if let Ok(written) = postcard::to_extend(&stored, std::mem::take(out)) {
            *out = written;
        }
    }

    /// Reads a journey. `None`: it is none, or of a later version.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (&JOURNEY_VERSION, fields) = bytes.split_first()? else { return None };
        let stored: Stored<'_> = postcard::from_bytes(fields).ok()?;
        let trail: Option<Vec<_>> = stored.prints.iter().map(|body| Footprint::decode(body)).collect();
        let trail = trail?;
        let mut told: Vec<Fact> = stored.told.into_iter().map(|fact| fact.of_now(&trail)).collect();
        told.sort_unstable();
        let prints = trail.iter().zip(&stored.prints);
        Some(Self {
            prints: prints
                .map(|(print, body)| Print { moment: moment(print), body: (*body).into() })
                .collect(),
            told,
            bond: stored.bond,
            past: stored.past,
            bars: stored.bars,
            due_ms: stored.due_ms,
            last_ms: stored.last_ms,
            settled_ms: stored.settled_ms,
        })
    }
}

/// Tells the difference between what was told and what follows.
fn differ(told: &[Fact], follows: &[Fact], trail: &[Footprint<'_>], tell: &mut dyn FnMut(Outcome<'_>)) {
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
