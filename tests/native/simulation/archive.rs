//! The archive: what consumers write, what two gatherers make of it, and what its readers find.

use analytics::archive::{
    Keeping, Lines, Run, Span, Waiting, gathered, keep, next, object_name, part, run, waiting, waiting_texts,
};
use analytics::campaign::Campaigns;
use analytics::rebuild::{self, Progress, Step};
use analytics::{Statement, archive};

use super::client::name;
use super::eraser::MARK;
use super::folder::page_row;
use super::world::{Broken, World};

const ANY_TIME: (i64, i64) = (-(i64::MAX >> 11), i64::MAX >> 11);

/// How far a gatherer is.
#[derive(Default)]
pub(crate) enum Gatherer {
    #[default]
    Idle,
    /// It knows what is to be gathered, and is about to read it.
    Begun { mark: i64, run: Run },
    /// It has written the object, and is about to name it.
    Written { mark: i64, run: Run, name: String, bytes: i64 },
}

impl World {
    /// A consumer's lines: into the bucket, or into the transaction. `false`: the bucket does not answer.
    pub(crate) fn stores(&mut self, lines: Lines, statements: &mut Vec<Statement>) -> bool {
        for chunk in lines.into_chunks() {
            let (span, bytes) = (Span::of(std::slice::from_ref(&chunk)), chunk.text.len() as i64);
            let keeping = if self.chance.once_in(3) {
                if self.fails(12) {
                    return false;
                }
                let name = self.object(chunk.text);
                Keeping::Object(name)
            } else {
                Keeping::Row(chunk.text)
            };
            statements.push(keep(self.now_ms, bytes, span, keeping));
        }
        true
    }

    fn object(&mut self, text: String) -> String {
        let again = self.broken == Some(Broken::ArchiveUsesNamesAgain);
        let random =
            if again { self.chance.below(4) as u128 } else { u128::from_ne_bytes(self.chance.bytes()) };
        let name = object_name(if again { 0 } else { self.now_ms }, random);
        self.bucket.insert(name.clone(), text);
        name
    }

    /// The next step of a gatherer.
    pub(crate) fn step_gatherer(&mut self, gatherer: usize) {
        if !self.readable() {
            self.gatherers[gatherer] = Gatherer::Idle;
            return;
        }
        self.gatherers[gatherer] = match std::mem::take(&mut self.gatherers[gatherer]) {
            Gatherer::Idle => {
                let [mark, rows] = waiting();
                let mark = self.d1.rows(&mark, |row| row.get(0))[0];
                let rows = self.d1.rows(&rows, |row| {
                    let [seq, at_ms, bytes, lines] = [row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?];
                    let [events, copies, first_ms, last_ms] =
                        [row.get(4)?, row.get(5)?, row.get(6)?, row.get(7)?];
                    Ok(Waiting { seq, at_ms, bytes, lines, events, copies, first_ms, last_ms })
                });
                // At once, unlike in life: schedules are short.
                run(&rows, self.now_ms + 600_000).map_or(Gatherer::Idle, |run| Gatherer::Begun { mark, run })
            }
            Gatherer::Begun { mark, run } => {
                let text: String = self.d1.rows(&waiting_texts(&run), |row| row.get::<_, String>(0)).concat();
                let bytes = text.len() as i64;
                let name = self.object(text);
                Gatherer::Written { mark, run, name, bytes }
            }
            Gatherer::Written { mark, run, name, bytes } => {
                let mut statements = gathered(&run, mark, &name, bytes).to_vec();
                if self.broken == Some(Broken::GathererClaimsNothing) {
                    statements.remove(0);
                }
                if self.write(&statements).is_ok() {
                    self.reached.insert("a run that was gathered");
                }
                Gatherer::Idle
            }
        };
    }

    /// The lines of the first row behind a number, and its number.
    fn lines_behind(&self, after: i64, upto: i64) -> Option<(String, i64)> {
        type Row = (i64, Option<String>, Option<String>, Option<String>);
        let rows: Vec<Row> = self
            .d1
            .rows(&next(after, ANY_TIME), |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)));
        let (seq, name, body, parts) = rows.into_iter().next()?;
        let text = name.map_or_else(|| body.unwrap(), |name| self.bucket[&name].clone());
        Some((part(&text, seq, parts.as_deref(), (after, upto)).to_owned(), seq.min(upto)))
    }

    /// A reader goes on where it was, by one row, or by the first rows of one that was gathered.
    pub(crate) fn export(&mut self) {
        let (after, mut text) = std::mem::take(&mut self.exported);
        let upto =
            if self.chance.once_in(2) { after + 1 + self.chance.below(4) as i64 } else { i64::MAX >> 11 };
        let newest = self.d1.number("SELECT coalesce(max(seq), 0) FROM archive");
        let (lines, after) = self.lines_behind(after, upto.min(newest)).unwrap_or((String::new(), after));
        text.push_str(&lines);
        self.exported = (after, text);
    }

    /// Each event that was counted has one line, for one who reads all at once and for one who read now and then; and sums from
    /// the lines alone say what the kept ones say.
    pub(crate) fn check_archive(&mut self, counts: &[i64]) -> Result<(), String> {
        let (mut whole, mut after) = (String::new(), 0);
        while let Some((lines, upto)) = self.lines_behind(after, i64::MAX >> 11) {
            whole.push_str(&lines);
            after = upto;
        }
        while self.exported.0 < after {
            self.export();
        }
        for (who, text) in [("at once", &whole), ("now and then", &self.exported.1)] {
            let mut archived = vec![0; counts.len()];
            for line in text.lines() {
                if let archive::Line::Event { raw, .. } =
                    archive::read(line).map_err(|error| error.to_string())?
                {
                    if line.contains(MARK) && who == "at once" && self.erased.contains(raw.sub[0].as_str()) {
                        return Err(format!("{} is there again after it was erased", &*raw.sub[0]));
                    }
                    archived[raw.sub[0].strip_prefix('e').unwrap().parse::<usize>().unwrap()] += 1;
                }
            }
            if let Some(event) = (0..counts.len()).find(|&event| archived[event] != counts[event]) {
                let (is, should) = (archived[event], counts[event]);
                return Err(format!(
                    "{} is archived {is} times and counted {should} times, read {who}",
                    name(event)
                ));
            }
        }
        if self.bucket.len() as i64 > self.d1.number("SELECT count(name) FROM archive") {
            self.reached.insert("an object that no row names");
        }
        self.check_sums(&whole)?;
        // It takes as long as everything else together.
        if !self.chance.once_in(4) {
            return Ok(());
        }
        self.check_rebuild()?;
        self.check_sums(&whole).map_err(|wrong| format!("rebuilt: {wrong}"))
    }

    fn check_rebuild(&mut self) -> Result<(), String> {
        let queries = ["", "group_by=link", "campaign_id=c0&group_by=country", "group_by=sub1&limit=1000"];
        let before = queries.map(|query| self.report(query).to_string());
        let mut progress = Progress::default();
        self.d1.run(&rebuild::begin()).unwrap();
        while let Some((lines, seq)) = self.lines_behind(progress.seq, i64::MAX >> 11) {
            let mut step = Step::default();
            step.add(&lines, &Campaigns::default())?;
            let (mut merge, next) = step.finish(progress, seq);
            for statement in merge.read() {
                self.d1.rows(&statement, page_row).iter().for_each(|row| merge.add(row).unwrap());
            }
            let statements = rebuild::write(&merge, next);
            self.d1.transact(&statements).map_err(|error| error.to_string())?;
            if self.d1.transact(&statements).is_ok() {
                return Err("a step was taken twice".to_owned());
            }
            progress = next;
        }
        self.d1.transact(&rebuild::swap(progress)).map_err(|error| format!("the swap: {error}"))?;
        let after = queries.map(|query| self.report(query).to_string());
        if let Some((before, after)) = before.iter().zip(&after).find(|(before, after)| before != after) {
            return Err(format!("rebuilt sums say {after} and kept ones said {before}"));
        }
        self.reached.insert("sums that were rebuilt");
        Ok(())
    }
}
