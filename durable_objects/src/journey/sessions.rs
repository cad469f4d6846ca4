//! Sessions: which footprints belong to one visit.

use analytics::{Dimension, Footprint, Kind};

use super::Terms;
use super::attribution::own_click;
use super::fact::{Place, Visit};

/// A session on its way.
#[derive(Debug, Default)]
pub(crate) struct Sitting {
    pub(crate) visit: Visit,
    /// Its footprints.
    pub(crate) places: Vec<Place>,
    start_ms: i64,
    last_ms: i64,
    ended: bool,
}

impl Sitting {
    /// Whether an event at this time may still be of it.
    fn open(&self, at_ms: i64, terms: &Terms) -> bool {
        !self.ended && at_ms < self.last_ms.saturating_add(terms.session_gap_ms) && self.within(at_ms, terms)
    }

    fn within(&self, at_ms: i64, terms: &Terms) -> bool {
        at_ms < self.start_ms.saturating_add(terms.session_max_ms)
    }

    /// When it will be over if nothing else comes; at once if its end was told.
    pub(crate) fn over_ms(&self, terms: &Terms) -> i64 {
        if self.ended {
            i64::MIN
        } else {
            self.last_ms.saturating_add(terms.session_gap_ms).saturating_add(terms.late_ms)
        }
    }

    fn join(&mut self, place: Place, event: &Footprint<'_>) {
        let visit = &mut self.visit;
        if self.places.is_empty() {
            (self.start_ms, visit.first) = (event.at_ms, place);
        }
        (self.last_ms, visit.last) = (event.at_ms, place);
        self.places.push(place);
        visit.events = visit.events.saturating_add(1);
        visit.pages = visit.pages.saturating_add(u16::from(event.kind == Kind::Page));
        if !event.page.is_empty() {
            visit.entry = visit.entry.or(Some(place));
            visit.exit = Some(place);
        }
        if !event.session_id.is_empty() {
            visit.id = visit.id.or(Some(place));
        }
        if !event.traits.get(Dimension::Campaign).is_empty() && (arrives(event) || place == visit.first) {
            visit.campaign = visit.campaign.or(Some(place));
        }
    }
}

/// Whether somebody comes by it: an advertisement that is shown on a page takes nobody anywhere.
fn arrives(event: &Footprint<'_>) -> bool {
    matches!(event.kind, Kind::Click | Kind::Page)
}

/// Whether it is something done in a session. A server's postback is not: it comes when the server likes. Nor is a view
/// of which neither page nor session is known: a mail was opened, and nobody came.
pub(crate) fn visits(event: &Footprint<'_>) -> bool {
    match event.kind {
        Kind::Conversion => event.click_ms.is_none() || !event.session_id.is_empty(),
        Kind::Impression => !event.page.is_empty() || !event.session_id.is_empty(),
        _ => true,
    }
}

/// The sessions of a journey, and of which one each footprint is.
///
/// An event belongs to the session that its id names; without an id, to the one that was last active and is open at its
/// time. A session without an id takes the first that comes: the click on a link knows no session, and the page that
/// it leads to does. A click or page of another campaign begins a session, which takes over the id.
///
/// Remains are of none, and none reaches across the cut.
pub(crate) fn sessions(
    trail: &[Footprint<'_>],
    remains: usize,
    cut: usize,
    terms: &Terms,
) -> (Vec<Sitting>, Vec<Option<usize>>) {
    let mut all: Vec<Sitting> = Vec::new();
    let mut of: Vec<Option<usize>> = Vec::with_capacity(trail.len());
    // Sessions that may still be open, the last active at the end.
    let mut open: Vec<usize> = Vec::new();
    let mut parted = false;
    let id_of = |sitting: &Sitting| {
        sitting
            .visit
            .id
            .and_then(|place| trail.get(usize::from(place)))
            .map_or("", |named| named.session_id.as_str())
    };
    for (place, event) in (0..).zip(trail) {
        if usize::from(place) < remains || !visits(event) {
            of.push(None);
            continue;
        }
        if usize::from(place) >= cut && !parted {
            parted = true;
            open.clear();
        }
        let id = event.session_id.as_str();
        let is = |index: &&usize, want: &str| all.get(**index).is_some_and(|sitting| id_of(sitting) == want);
        let lasts = |index: &&usize| all.get(**index).is_some_and(|sitting| sitting.open(event.at_ms, terms));
        let found = if id.is_empty() {
            open.iter().rev().find(lasts)
        } else {
            // The client says whether it is the same, however long it was silent. But if somebody came anew meanwhile,
            // it is that visit which goes on.
            let within =
                |index: &&usize| all.get(**index).is_some_and(|sitting| sitting.within(event.at_ms, terms));
            let joins = event.kind != Kind::SessionEnd;
            let last = open.iter().rev();
            let named = last.clone().find(|index| is(index, id) && lasts(index));
            named
                .or_else(|| last.clone().find(|index| joins && is(index, "") && lasts(index)))
                .or_else(|| last.clone().find(|index| is(index, id) && within(index)))
        };
        let mut found = found.copied();
        if event.kind == Kind::SessionEnd {
            if let Some(index) = found
                && let Some(sitting) = all.get_mut(index)
            {
                if sitting.open(event.at_ms, terms) {
                    sitting.visit.last = place;
                }
                sitting.ended = true;
                open.retain(|other| *other != index);
            }
            of.push(found);
            continue;
        }
        let mut heir = None;
        if let Some(sitting) = found.and_then(|index| all.get(index)) {
            let campaign = event.traits.get(Dimension::Campaign);
            let before = sitting.visit.campaign.and_then(|place| trail.get(usize::from(place)));
            let changed = terms.session_on_campaign_change
                && arrives(event)
                && !campaign.is_empty()
                && before.is_some_and(|before| before.traits.get(Dimension::Campaign) != campaign);
            if changed {
                // What names an id needs no other to know it by.
                heir = sitting.visit.id.filter(|_| id.is_empty());
                open.retain(|other| Some(*other) != found);
                found = None;
            }
        }
        let index = found.unwrap_or(all.len());
        if found.is_none() {
            let mut sitting = Sitting::default();
            sitting.visit.id = heir;
            all.push(sitting);
        }
        if let Some(sitting) = all.get_mut(index) {
            sitting.join(place, event);
        }
        open.retain(|other| *other != index);
        open.push(index);
        of.push(Some(index));
    }
    (all, of)
}

/// The session that a conversion is told of: its own, or that of the click which its postback names. It is the visit
/// that earned it; whatever visit is under way when a server gets round to telling is not.
pub(crate) fn session_of(trail: &[Footprint<'_>], of: &[Option<usize>], place: Place) -> Option<usize> {
    let conversion = trail.get(usize::from(place))?;
    if visits(conversion) {
        return of.get(usize::from(place)).copied().flatten();
    }
    of.get(own_click(trail, conversion)?).copied().flatten()
}
