//! Funnels: how far a visitor came.
//!
//! A visitor has one attempt in a window, which begins with the first event that is the first step and ends when the
//! last step is reached, something excluded comes, or the window is over. What comes after that within the window begins
//! no other: reports count visitors, and who tries ten times a day is still one who entered. So a second first step does
//! not reset the clock either (Mixpanel's rule).
//!
//! What happened in the same millisecond happened in the order that leads furthest in it: clients stamp a batch with one
//! time.

use analytics::Footprint;
use analytics::funnel::{Funnel, Matcher, Order, STEPS_MAX, WINDOW_MAX_SECONDS};

use super::fact::Place;

/// What an event is to a funnel.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mark {
    pub(crate) at_ms: i64,
    pub(crate) place: Place,
    /// The steps that it could be, one bit each.
    pub(crate) steps: u32,
    /// Whether it must not happen: it is none of the steps then.
    pub(crate) excluded: bool,
}

/// The attempts at a funnel by whoever left these footprints: of each, what was its steps. What is barred belongs to an
/// attempt of which no more is known.
pub(crate) fn attempts(
    trail: &[Footprint<'_>],
    places: impl Iterator<Item = Place>,
    funnel: &Funnel,
    barred: impl Fn(i64) -> bool,
) -> Vec<Vec<Place>> {
    let admits = |matcher: &Matcher, event: &Footprint<'_>| matcher.admits(event);
    let count = funnel.steps.len().min(STEPS_MAX);
    let marks: Vec<Mark> = places
        .filter_map(|place| {
            let event = trail.get(usize::from(place)).filter(|event| !barred(event.at_ms))?;
            let steps = funnel
                .steps
                .iter()
                .take(count)
                .rev()
                .fold(0, |bits, step| bits << 1 | u32::from(admits(step, event)));
            // What is a step is none of what must not come between steps.
            let excluded =
                steps == 0 && funnel.exclude.iter().take(STEPS_MAX).any(|matcher| admits(matcher, event));
            (steps != 0 || excluded).then_some(Mark { at_ms: event.at_ms, place, steps, excluded })
        })
        .collect();
    walk(&marks, count, funnel.order, window_ms(funnel))
}

/// How long after the first step the last one may come.
pub(crate) fn window_ms(funnel: &Funnel) -> i64 {
    funnel.window_seconds.clamp(0, WINDOW_MAX_SECONDS) * 1_000
}

/// The attempts in these marks, which are in the order of time.
pub(crate) fn walk(marks: &[Mark], count: usize, order: Order, window_ms: i64) -> Vec<Vec<Place>> {
    let opens = if order == Order::Any { u32::MAX } else { 1 };
    let mut attempts = Vec::new();
    let mut rest = marks;
    while let Some(first) = rest.iter().find(|mark| mark.steps & opens != 0) {
        // From the beginning of its millisecond.
        let begin = rest.partition_point(|mark| mark.at_ms < first.at_ms);
        let end = rest.partition_point(|mark| mark.at_ms <= first.at_ms.saturating_add(window_ms));
        let (window, later) = (rest.get(begin..end).unwrap_or_default(), rest.get(end..).unwrap_or_default());
        attempts.push(match order {
            Order::Any => any(window, count),
            Order::Ordered => ordered(window, count),
            Order::Strict => strict(window, count),
        });
        rest = later;
    }
    attempts
}

/// One step after the other. The earliest event that can be a step is it: that leaves the most for what follows.
fn ordered(window: &[Mark], count: usize) -> Vec<Place> {
    let mut reached: Vec<Place> = Vec::new();
    for (number, moment) in window.chunk_by(|a, b| a.at_ms == b.at_ms).enumerate() {
        let mut pairing = Pairing::new(moment, count);
        let mut step = reached.len();
        while step < count && pairing.serve(step) {
            step += 1;
        }
        let steps = reached.len()..step;
        reached.extend(steps.filter_map(|step| pairing.event_of(step)));
        // In the first millisecond, what is in the way came before.
        if step == count || number > 0 && pairing.idle().any(|mark| mark.excluded) {
            break;
        }
    }
    reached
}

/// The same if no other step may come between. An event that could be the next step may be the last one once more, so
/// that its successors are not in the way: every count of steps that is possible so far is gone on from. Each step is the
/// event by which it could be made first.
fn strict(window: &[Mark], count: usize) -> Vec<Place> {
    let mut reached: Vec<Place> = Vec::new();
    // The most first: whoever has made more gets at least as far in a moment.
    let mut possible = vec![0];
    for (number, moment) in window.chunk_by(|a, b| a.at_ms == b.at_ms).enumerate() {
        let mut next = Vec::new();
        for made in possible {
            let mut pairing = Pairing::new(moment, count);
            let mut step = made;
            loop {
                let in_the_way = number > 0 && pairing.idle().any(|mark| mark.excluded || strays(mark, step));
                if step > 0 && !in_the_way {
                    next.push(step);
                }
                if step == count || !pairing.serve(step) {
                    break;
                }
                step += 1;
            }
            let steps = reached.len()..step;
            reached.extend(steps.filter_map(|step| pairing.event_of(step)));
        }
        next.sort_unstable_by(|one, other| other.cmp(one));
        next.dedup();
        possible = next;
        if possible.is_empty() || reached.len() == count {
            break;
        }
    }
    reached
}

/// Whether an event is a step of the funnel, but not the one that was reached last. (The next it cannot be, for it is idle.)
fn strays(mark: &Mark, reached: usize) -> bool {
    mark.steps != 0 && mark.steps & (1 << reached >> 1) == 0
}

/// All steps, each by an event of its own, as they come.
fn any(window: &[Mark], count: usize) -> Vec<Place> {
    let mut reached = Vec::new();
    let mut pairing = Pairing::new(window, count);
    let mut from = 0;
    for (number, moment) in window.chunk_by(|a, b| a.at_ms == b.at_ms).enumerate() {
        let mut excluded = false;
        for (event, mark) in (from..).zip(moment) {
            // One that finds no place now finds none later: places are only ever passed on.
            if pairing.place(event) {
                reached.push(mark.place);
            } else {
                excluded |= mark.excluded;
            }
        }
        from += moment.len();
        if reached.len() == count || number > 0 && excluded {
            break;
        }
    }
    reached
}

/// Which event is which step, where one may be several: a matching in a bipartite graph, grown by augmenting paths. An
/// event is one step only, so that the same step twice needs two events.
#[derive(Debug)]
struct Pairing<'a> {
    events: &'a [Mark],
    /// By step.
    event_of: Vec<Option<usize>>,
    /// By event.
    step_of: Vec<Option<usize>>,
}

impl<'a> Pairing<'a> {
    fn new(events: &'a [Mark], count: usize) -> Self {
        Self { events, event_of: vec![None; count], step_of: vec![None; events.len()] }
    }

    /// Finds an event for a step, moving others among the events if need be.
    fn serve(&mut self, step: usize) -> bool {
        let mut tried = vec![false; self.events.len()];
        self.serve_by(step, &mut tried)
    }

    fn serve_by(&mut self, step: usize, tried: &mut [bool]) -> bool {
        for (event, mark) in self.events.iter().enumerate() {
            if mark.steps >> step & 1 == 0 || tried.get(event).copied().unwrap_or(true) {
                continue;
            }
            if let Some(tried) = tried.get_mut(event) {
                *tried = true;
            }
            let holder = self.step_of.get(event).copied().flatten();
            if holder.is_none_or(|holder| self.serve_by(holder, tried)) {
                self.pair(event, step);
                return true;
            }
        }
        false
    }

    /// Finds a step for an event, moving others among the steps if need be.
    fn place(&mut self, event: usize) -> bool {
        self.place_by(event, &mut 0)
    }

    fn place_by(&mut self, event: usize, tried: &mut u32) -> bool {
        let steps = self.events.get(event).map_or(0, |mark| mark.steps);
        for step in 0..self.event_of.len() {
            if steps >> step & 1 == 0 || *tried >> step & 1 == 1 {
                continue;
            }
            *tried |= 1 << step;
            let holder = self.event_of.get(step).copied().flatten();
            if holder.is_none_or(|holder| self.place_by(holder, tried)) {
                self.pair(event, step);
                return true;
            }
        }
        false
    }

    fn pair(&mut self, event: usize, step: usize) {
        if let (Some(of_event), Some(of_step)) = (self.step_of.get_mut(event), self.event_of.get_mut(step)) {
            (*of_event, *of_step) = (Some(step), Some(event));
        }
    }

    fn event_of(&self, step: usize) -> Option<Place> {
        let event = self.event_of.get(step).copied().flatten()?;
        Some(self.events.get(event)?.place)
    }

    /// The events that are no step.
    fn idle(&self) -> impl Iterator<Item = &Mark> {
        self.events.iter().zip(&self.step_of).filter(|(_, step)| step.is_none()).map(|(mark, _)| mark)
    }
}

#[cfg(test)]
mod tests;
