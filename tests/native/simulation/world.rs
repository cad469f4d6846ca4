//! The world of one schedule: clients, gates, the queue, consumers, folders and the sums, and what happens to them.

use std::collections::{BTreeMap, BTreeSet};

use analytics::homes::Homes;
use analytics::segment::PARTITIONS;
use analytics::{EventId, Statement};
use durable_objects::{GateName, Layout, Maps, Region, Settings};
use queues::Bonds;

use super::archive::Gatherer;
use super::chance::Chance;
use super::client::Event;
use super::consumer::Consumer;
use super::eraser::Eraser;
use super::folder::Folder;
use super::gate::Host;
use super::homes::{self, Reader};
use super::journey;
use super::queue::Queue;
use crate::database::{Database, is_unique};

/// Sunday, 2026-09-20 13:33:20 UTC.
pub(crate) const START_MS: i64 = 1_789_911_200_000;
pub(crate) const WINDOW_MS: i64 = 300_000;
/// How many gates a region may have, and how often that changes.
const MOST_SHARDS: usize = 3;
const MOST_CHANGES: usize = 3;
/// Where visitors are, and where gates may be.
const PLACES: [Region; 3] = [Region::Weur, Region::Eeur, Region::ApacNe];
const REGIONS: [Region; 4] = [Region::Weur, Region::Eeur, Region::Apac, Region::World];

/// A part that does not do what it should: then the checker must object, or it proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Broken {
    /// The consumer adds sums without the ledger's key.
    ConsumerSkipsLedger,
    /// The consumer counts what no gate has admitted.
    ConsumerTrustsTheEdge,
    /// The consumer counts before it hands over, and forgets what failed.
    ConsumerCountsFirst,
    /// The journal answers before it has written.
    JournalAnswersEarly,
    /// The gate answers before the row is written.
    GateAnswersEarly,
    /// The gate does not read its ids from the log.
    GateForgetsIds,
    /// The gate lets a message go while another row joins it.
    GateSendsAnotherCut,
    /// The gate prunes what the ledger has not confirmed.
    GatePrunesTooMuch,
    /// The gate never asks the ledger.
    GateTrustsTheQueue,
    /// A gate admits what a new map gives it without asking who had it.
    GateAsksNobody,
    /// A gate hands over, and goes on admitting.
    GateGivesAndKeeps,
    /// A gate hands over what may yet fail to be written.
    GateHandsOverHopes,
    /// A gate that lost its memory forgets what it was handed.
    GateForgetsHandovers,
    /// The folder does not claim its generation.
    FolderClaimsNothing,
    /// The folder reads the generation last.
    FolderReadsGenerationLast,
    /// The folder takes segments away before the pages hold them.
    FolderTakesAwayFirst,
    /// The folder does not note what it folded.
    FolderNotesNothing,
    /// The folder forgets its notes at once.
    FolderForgetsAtOnce,
    /// The reader does not know which segments the pages hold.
    ReaderKnowsNoNotes,
    /// The consumer gives its object a name that it may have given before.
    ArchiveUsesNamesAgain,
    /// The gatherer does not say from which mark it began.
    GathererClaimsNothing,
}

/// Why a transaction is not known to be through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failure {
    /// It failed as a whole: a key was there already.
    Unique,
    /// No answer. It may be through all the same.
    Silence,
}

pub(crate) struct World {
    pub(crate) chance: Chance,
    pub(crate) broken: Option<Broken>,
    /// The true time, which is also the edge's and the consumer's.
    pub(crate) now_ms: i64,
    /// Whether things still go wrong.
    pub(crate) faults: bool,
    pub(crate) settings: Settings,
    pub(crate) d1: Database,
    /// Databases that are added on the way.
    pub(crate) away: Vec<Database>,
    pub(crate) homes: Homes,
    pub(crate) databases: u8,
    pub(crate) reader: Option<Reader>,
    pub(crate) d1_down: bool,
    pub(crate) queue: Queue,
    pub(crate) hosts: Vec<Host>,
    /// Of how many places there are visitors.
    places: usize,
    /// Layouts that were in force, the newest last.
    layouts: Vec<Layout>,
    pub(crate) consumers: Vec<Consumer>,
    /// What each of them knows to have told the journals.
    pub(crate) bonds: Vec<Bonds>,
    pub(crate) journals: Vec<journey::Host>,
    pub(crate) folders: Vec<Folder>,
    pub(crate) gatherers: Vec<Gatherer>,
    pub(crate) eraser: Eraser,
    /// Its own, so that it changes nobody else's schedule.
    pub(crate) eraser_chance: Chance,
    /// Events whose visitors were erased.
    pub(crate) erased: BTreeSet<String>,
    /// The archive's objects.
    pub(crate) bucket: BTreeMap<String, String>,
    /// What a reader of the archive has, and up to where.
    pub(crate) exported: (i64, String),
    /// What this schedule came across: a fault that never happens proves nothing.
    pub(crate) reached: BTreeSet<&'static str>,
    /// Everything that clients ever wanted counted.
    pub(crate) events: Vec<Event>,
}

impl World {
    pub(crate) fn new(seed: u64, broken: Option<Broken>) -> Self {
        let mut chance = Chance::new(seed);
        let (places, shards) = [(1, 1), (1, 2), (3, 2)][chance.below(3)];
        let layouts = vec![Layout::Continents(shards)];
        let consumers = 1 + chance.below(3);
        Self {
            broken,
            now_ms: START_MS,
            faults: true,
            settings: Settings { window_ms: WINDOW_MS, ..Settings::default() },
            d1: Database::d1(),
            away: vec![Database::d1(), Database::d1()],
            homes: homes::one(),
            databases: 1,
            reader: None,
            d1_down: false,
            queue: Queue::default(),
            hosts: hosts(&layouts).collect(),
            places,
            layouts,
            consumers: (0..consumers).map(|_| Consumer::default()).collect(),
            bonds: vec![Bonds::default(); consumers],
            journals: journey::Host::all(),
            folders: vec![Folder::default(), Folder::default()],
            gatherers: vec![Gatherer::default(), Gatherer::default()],
            eraser: Eraser::default(),
            erased: BTreeSet::new(),
            bucket: BTreeMap::new(),
            exported: (0, String::new()),
            reached: BTreeSet::new(),
            events: Vec::new(),
            eraser_chance: Chance::new(!seed),
            chance,
        }
    }

    /// The maps that somebody at the edge holds: now and then those of before the last change, or of long before.
    pub(crate) fn maps(&mut self) -> Maps {
        let newest = self.layouts.len() - 1;
        let held = if self.fails(4) { self.chance.below(newest + 1) } else { newest };
        Maps::new(self.layouts[..held].to_vec(), self.layouts[held].clone())
    }

    /// The gate of an event.
    pub(crate) fn gate_of(&self, place: Region, id: EventId, maps: &Maps) -> usize {
        self.host(maps.gate(place, id))
    }

    pub(crate) fn host(&self, name: GateName) -> usize {
        self.hosts.iter().position(|host| host.name == name).unwrap()
    }

    /// The operator sets another number of gates, here or there.
    fn reshard(&mut self) {
        let shards = 1 + self.chance.below(MOST_SHARDS) as u16;
        let layout = if self.places == 1 || self.chance.once_in(4) {
            Layout::Continents(shards)
        } else {
            // Half of the regions have none.
            let numbers = REGIONS.map(|region| (region, self.chance.below(2 * MOST_SHARDS)));
            let least = |number: usize| number.saturating_sub(MOST_SHARDS - 1) as u16;
            let world = self.chance.once_in(4);
            let numbers = numbers.into_iter().filter(|(region, _)| world || *region != Region::World);
            Layout::of(numbers.map(|(region, number)| (region, least(number))))
        };
        if self.layouts.len() > MOST_CHANGES || self.layouts.last() == Some(&layout) {
            return;
        }
        if !matches!(layout, Layout::Continents(_)) {
            self.reached.insert("gates in other places");
        }
        self.layouts.push(layout);
        for host in hosts(&self.layouts) {
            if self.hosts.iter().all(|known| known.name != host.name) {
                self.hosts.push(host);
            }
        }
    }

    /// Where a visitor is.
    pub(crate) fn any_place(&mut self) -> Region {
        PLACES[self.chance.below(self.places)]
    }

    /// Whether something goes wrong that does so once in `times`.
    pub(crate) fn fails(&mut self, times: usize) -> bool {
        self.faults && self.chance.once_in(times)
    }

    /// A transaction in D1.
    pub(crate) fn write(&mut self, statements: &[Statement]) -> Result<(), Failure> {
        self.write_to(0, statements)
    }

    /// A transaction in one of the databases.
    pub(crate) fn write_to(&mut self, home: usize, statements: &[Statement]) -> Result<(), Failure> {
        if self.d1_down || self.fails(12) {
            return Err(Failure::Silence);
        }
        match self.database(home).transact(statements) {
            Ok(()) if self.fails(12) => Err(Failure::Silence),
            Ok(()) => Ok(()),
            Err(error) if is_unique(&error) => {
                self.reached.insert("a key that was there");
                Err(Failure::Unique)
            }
            // A mark without a name: somebody else gathered.
            Err(error) if error.to_string().contains("archive_marks.name") => Err(Failure::Unique),
            Err(error) => panic!("{error}"),
        }
    }

    /// Whether D1 can be read.
    pub(crate) fn readable(&mut self) -> bool {
        !self.d1_down && !self.fails(12)
    }

    /// One thing happens.
    pub(crate) fn step(&mut self) -> Result<(), String> {
        match self.chance.below(100) {
            0..22 => self.send_something(),
            22..28 => self.retry_something(),
            28..33 => {
                let journal = self.chance.below(self.journals.len());
                self.run_journal(journal);
            }
            33..50 => {
                let gate = self.chance.below(self.hosts.len());
                self.run_timers(gate);
            }
            50..72 => {
                let consumer = self.chance.below(self.consumers.len());
                self.step_consumer(consumer);
            }
            72..80 => {
                let folder = self.chance.below(self.folders.len());
                // Most often the same partition, and now and then one folder is done while the other stands still.
                let part = self
                    .chance
                    .below(4 * usize::from(PARTITIONS))
                    .saturating_sub(3 * usize::from(PARTITIONS));
                for _ in 0..=self.chance.below(5) {
                    self.step_folder(folder, part as u8);
                }
            }
            80 => {
                let journal = self.chance.below(self.journals.len());
                self.crash_journal(journal);
            }
            81..83 => {
                let gate = self.chance.below(self.hosts.len());
                self.crash(gate);
            }
            83..85 => {
                let gate = self.chance.below(self.hosts.len());
                // Never so far that the clocks of edge and gate lie a window apart.
                self.hosts[gate].offset_ms = self.chance.ms(-WINDOW_MS / 8, WINDOW_MS / 8);
            }
            85 => self.d1_down = !self.d1_down,
            86..89 => {
                let gatherer = self.chance.below(self.gatherers.len());
                for _ in 0..=self.chance.below(3) {
                    self.step_gatherer(gatherer);
                }
            }
            89 => {
                self.export();
                for _ in 0..self.eraser_chance.below(6) {
                    self.step_eraser();
                }
            }
            90..92 => self.queue.haunt(&mut self.chance, self.now_ms),
            92 => self.reshard(),
            93 if self.chance.once_in(4) => self.add_database(),
            94 | 95 => self.step_reader()?,
            _ => {
                self.now_ms += match self.chance.below(40) {
                    0 => self.chance.ms(600_000, 2_400_000),
                    1..8 => self.chance.ms(1_000, 60_000),
                    _ => self.chance.ms(1, 300),
                }
            }
        }
        self.now_ms += self.chance.ms(0, 3);
        Ok(())
    }

    /// Nothing goes wrong any more, and time passes until there is nothing left to do.
    pub(crate) fn settle(&mut self) -> Result<(), String> {
        self.faults = false;
        self.d1_down = false;
        for _ in 0..2_000 {
            self.retry_all();
            for gate in 0..self.hosts.len() {
                self.run_timers(gate);
            }
            for journal in 0..self.journals.len() {
                self.run_journal(journal);
            }
            for consumer in 0..self.consumers.len() {
                while self.step_consumer(consumer) {}
            }
            match self.next_ms() {
                Some(next_ms) => self.now_ms = next_ms.max(self.now_ms + 1),
                None => return Ok(()),
            }
        }
        let bag = self.queue.bag.len();
        Err(format!("it never becomes quiet: {bag} messages, alarms {:?}", self.alarms()))
    }

    fn alarms(&self) -> Vec<Option<i64>> {
        self.hosts.iter().map(|host| host.alarm_ms.map(|at_ms| at_ms - self.now_ms)).collect()
    }

    /// When something is to be done; `None` if never again.
    fn next_ms(&self) -> Option<i64> {
        let parcels = self.queue.bag.iter().map(|parcel| parcel.from_ms);
        let clients = self.events.iter().filter(|event| event.waits()).map(|_| self.now_ms + 1_000);
        let gates = self.hosts.iter().filter_map(|host| host.next_ms(self.now_ms));
        let journals = self.journals.iter().filter_map(|host| host.next_ms(self.now_ms));
        parcels.chain(clients).chain(gates).chain(journals).min()
    }

    /// Folds everything there is.
    pub(crate) fn fold_all(&mut self) {
        for part in 0..PARTITIONS {
            self.folders[0] = Folder::default();
            let steps = (0..1_000).take_while(|_| self.step_folder(0, part)).count();
            assert!(steps < 1_000, "the folder of {part} comes to no end");
        }
    }
}

/// The gates of these layouts.
fn hosts(layouts: &[Layout]) -> impl Iterator<Item = Host> {
    let (now, before) = layouts.split_last().unwrap();
    let gates = Maps::new(before.to_vec(), now.clone()).gates();
    gates.into_iter().filter(|gate| REGIONS.contains(&gate.region)).map(Host::new)
}
