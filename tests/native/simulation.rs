//! The promise: every event that somebody was told of is counted once, whatever goes wrong on the way.
//!
//! A schedule is a seed. It decides what clients send, what is lost, delayed, repeated, reordered or cut short,
//! who crashes between which two writes, and how clocks run. Then everything works again, and when nothing is left
//! to do, the sums, the ledger and the gates' logs have to agree with what the clients know.

mod archive;
mod chance;
mod check;
mod client;
mod consumer;
mod eraser;
pub(crate) mod folder;
mod gate;
mod handover;
mod homes;
mod journey;
mod queue;
mod sums;
mod visitor;
mod world;

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use world::{Broken, World};

/// Runs one schedule, and says what is wrong.
fn run(seed: u64, broken: Option<Broken>) -> Result<BTreeSet<&'static str>, String> {
    let schedule = || {
        let mut world = World::new(seed, broken);
        for _ in 0..60 + world.chance.below(200) {
            world.step()?;
        }
        world.settle()?;
        if world.chance.once_in(2) {
            world.fold_all();
        }
        world.check()?;
        Ok(world.reached)
    };
    catch_unwind(AssertUnwindSafe(schedule))
        .unwrap_or_else(|_| Err("it panicked; the message is above".to_owned()))
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.replace('_', "").parse().unwrap())
}

/// `SCHEDULES` of them, the first being `FROM`; or the one of `SEED`.
#[test]
fn every_event_counts_once() {
    if let Some(seed) = number("SEED") {
        run(seed, None).unwrap();
        return;
    }
    let (first, schedules) = (number("FROM").unwrap_or(0), number("SCHEDULES").unwrap_or(2_000));
    let end = first + schedules;
    let (next, done) = (AtomicU64::new(first), AtomicU64::new(0));
    let worker = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= end {
                return;
            }
            if let Err(wrong) = run(seed, None) {
                next.store(end, Ordering::Relaxed);
                panic!(
                    "schedule {seed}: {wrong}\nagain: SEED={seed} cargo test -p native every_event_counts_once"
                );
            }
            let done = done.fetch_add(1, Ordering::Relaxed) + 1;
            if schedules >= 20_000 && done % (schedules / 100) == 0 {
                eprintln!("{done} of {schedules} schedules");
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(worker);
        }
    });
}

/// Schedules in which nothing happens prove nothing.
#[test]
fn schedules_come_across_everything() {
    let reached: BTreeSet<_> = (0..150).flat_map(|seed| run(seed, None).unwrap()).collect();
    let all = [
        "a call that a journal did not take",
        "a commit that was taken back",
        "a conversion that somebody was called for",
        "a conversion that was corrected",
        "a copy after the window",
        "a copy within the window",
        "a database that was added",
        "a fold",
        "a footprint that moved",
        "a handover",
        "a handover of an id",
        "a handover of an id to another region",
        "gates in other places",
        "a hit that belongs elsewhere",
        "a hit that was too late",
        "a key that was there",
        "a late hit that no gate had",
        "a late hit that the gate had",
        "a ledger that did not answer",
        "a log that was pruned",
        "a message that was sent again",
        "a row of whom somebody was erased",
        "a row that nobody was told of",
        "a row that was emptied",
        "a row that was written over",
        "a run that was gathered",
        "an object that no row names",
        "an outcome that was taken back",
        "an outcome that was told again",
        "pages in another database than their segments",
        "segments that were left where they lay",
        "sums that were rebuilt",
    ];
    assert_eq!(reached, BTreeSet::from(all));
}

/// A checker that never objects proves nothing: each of these is a mistake that it has to find.
fn is_found(broken: Broken) {
    let found = (0..500).find_map(|seed| run(seed, Some(broken)).err().map(|wrong| (seed, wrong)));
    let (seed, wrong) = found.unwrap_or_else(|| panic!("500 schedules, and nobody noticed: {broken:?}"));
    eprintln!("{broken:?}: schedule {seed}: {wrong}");
}

#[test]
fn a_consumer_skips_ledger() {
    is_found(Broken::ConsumerSkipsLedger);
}

#[test]
fn a_consumer_trusts_the_edge() {
    is_found(Broken::ConsumerTrustsTheEdge);
}

#[test]
fn a_consumer_counts_first() {
    is_found(Broken::ConsumerCountsFirst);
}

#[test]
fn a_journal_answers_early() {
    is_found(Broken::JournalAnswersEarly);
}

#[test]
fn a_gate_answers_early() {
    is_found(Broken::GateAnswersEarly);
}

#[test]
fn a_gate_forgets_ids() {
    is_found(Broken::GateForgetsIds);
}

#[test]
fn a_gate_sends_another_cut() {
    is_found(Broken::GateSendsAnotherCut);
}

#[test]
fn a_gate_prunes_too_much() {
    is_found(Broken::GatePrunesTooMuch);
}

#[test]
fn a_gate_trusts_the_queue() {
    is_found(Broken::GateTrustsTheQueue);
}

#[test]
fn a_gate_asks_nobody() {
    is_found(Broken::GateAsksNobody);
}

#[test]
fn a_gate_gives_and_keeps() {
    is_found(Broken::GateGivesAndKeeps);
}

#[test]
fn a_gate_hands_over_hopes() {
    is_found(Broken::GateHandsOverHopes);
}

#[test]
fn a_gate_forgets_handovers() {
    is_found(Broken::GateForgetsHandovers);
}

#[test]
fn a_folder_claims_nothing() {
    is_found(Broken::FolderClaimsNothing);
}

#[test]
fn an_archive_uses_names_again() {
    is_found(Broken::ArchiveUsesNamesAgain);
}

#[test]
fn a_gatherer_claims_nothing() {
    is_found(Broken::GathererClaimsNothing);
}

#[test]
fn a_folder_reads_generation_last() {
    is_found(Broken::FolderReadsGenerationLast);
}

#[test]
fn a_folder_takes_away_first() {
    is_found(Broken::FolderTakesAwayFirst);
}

#[test]
fn a_folder_notes_nothing() {
    is_found(Broken::FolderNotesNothing);
}

#[test]
fn a_folder_forgets_at_once() {
    is_found(Broken::FolderForgetsAtOnce);
}

#[test]
fn a_reader_knows_no_notes() {
    is_found(Broken::ReaderKnowsNoNotes);
}
