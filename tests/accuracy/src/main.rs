//! How well user agents are read: the share of uap-core's fixtures that each library and ours get right, the time of
//! one reading, and the time to start. `npm run accuracy`.
//!
//! The fixtures and the rules they test are those that the crate `ua-parser` ships; they are found with
//! `cargo metadata` where cargo keeps it. `-- --misses browser|os|device` lists what ours gets wrong among the cases
//! that may be looked at: every fifth is held out, and only counted.

mod fixtures;
mod reader;
mod stopwatch;
mod truth;

use fixtures::{Case, Fixtures};
use reader::Reading;
use truth::{PROGRAM, Truth};

/// What of a reading is compared.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Field {
    Browser,
    Os,
    Device,
}

impl Field {
    const ALL: [(Self, &'static str); 3] =
        [(Self::Browser, "browser"), (Self::Os, "os"), (Self::Device, "device")];

    fn cases(self, fixtures: &Fixtures) -> &[Case] {
        match self {
            Self::Browser => &fixtures.browsers,
            Self::Os => &fixtures.systems,
            Self::Device => &fixtures.devices,
        }
    }
}

/// How many cases were read as they should be.
#[derive(Default)]
struct Score {
    right: u32,
    all: u32,
}

impl Score {
    fn add(&mut self, right: bool) {
        self.right += u32::from(right);
        self.all += 1;
    }

    fn percent(&self) -> f64 {
        f64::from(self.right) * 100.0 / f64::from(self.all.max(1))
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let fixtures = Fixtures::load()?;
    let truth = Truth::new(&fixtures.rules)?;
    let mut arguments = std::env::args().skip(1);
    if arguments.next().as_deref() == Some("--misses") {
        let name = arguments.next().unwrap_or_default();
        for (field, _) in Field::ALL.iter().filter(|(_, known)| *known == name) {
            misses(&fixtures, &truth, *field);
        }
        return Ok(());
    }
    if std::env::args().any(|argument| argument == "--differ") {
        return differ(&fixtures, &truth);
    }
    let log = stopwatch::log()?;
    println!(
        "uap-core's fixtures: {} browsers, {} systems, {} devices; {} user agents of the log\n",
        fixtures.browsers.len(),
        fixtures.systems.len(),
        fixtures.devices.len(),
        log.len()
    );
    println!(
        "| | browser % | held out | system % | held out | device % | held out | start ms | ns, log | ns, fixtures |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|");
    let agents: Vec<&str> = fixtures.devices.iter().step_by(8).map(|case| case.user_agent.as_str()).collect();
    for new in reader::ALL {
        let (reader, start) = stopwatch::start(|| new(&fixtures));
        let mut line = format!("| {} |", reader.name());
        for (field, _) in Field::ALL {
            let (mut whole, mut held_out) = (Score::default(), Score::default());
            for (place, case) in field.cases(&fixtures).iter().enumerate() {
                let Some(right) = right(&truth, field, case, &reader.read(&case.user_agent)) else {
                    continue;
                };
                whole.add(right);
                if fixtures::held_out(place) {
                    held_out.add(right);
                }
            }
            line += &format!(" {:.2} | {:.2} |", whole.percent(), held_out.percent());
        }
        let log_ns = stopwatch::per_reading(&*reader, &log);
        let fixture_ns = stopwatch::per_reading(&*reader, &agents);
        println!("{line} {start:.1} | {log_ns:.0} | {fixture_ns:.0} |");
    }
    let (ours, mut people) = (reader::ours(), [Score::default(), Score::default()]);
    for (place, case) in fixtures.browsers.iter().enumerate() {
        if truth.wanted_browser(case) != PROGRAM {
            let right = right(&truth, Field::Browser, case, &ours.read(&case.user_agent));
            people[usize::from(fixtures::held_out(place))].add(right == Some(true));
        }
    }
    let [looked_at, held_out] = people;
    println!(
        "\nours, programs left out: {:.2} % of {} looked at, {:.2} % of {} held out",
        looked_at.percent(),
        looked_at.all,
        held_out.percent(),
        held_out.all
    );
    Ok(())
}

/// Whether the reading is what the case wants; `None` if the case has no answer.
fn right(truth: &Truth, field: Field, case: &Case, reading: &Reading) -> Option<bool> {
    match field {
        Field::Browser => {
            let wanted = truth.wanted_browser(case);
            let got = truth.browser(&reading.browser);
            let app = case.user_agent.contains("CFNetwork") && got.is_empty();
            Some(match &*wanted {
                PROGRAM => reading.program || got.is_empty() || got == PROGRAM,
                wanted => wanted.eq_ignore_ascii_case(got) || app,
            })
        }
        Field::Os => Some(truth.os(&case.family)? == truth.os(&reading.os).unwrap_or_default()),
        Field::Device => {
            let wanted = truth.device(case)?;
            Some(wanted == reading.device)
        }
    }
}

/// The user agents of standard input that ours reads otherwise than uap-core's rules do: what to look through when
/// those are renewed.
fn differ(fixtures: &Fixtures, truth: &Truth) -> Result<(), Box<dyn std::error::Error>> {
    let (ours, theirs) = (reader::ours(), reader::theirs(fixtures));
    for line in std::io::stdin().lines() {
        let user_agent = line?;
        let (got, wanted) = (ours.read(&user_agent), theirs.read(&user_agent));
        let browser = truth.browser(&wanted.browser);
        if !browser.eq_ignore_ascii_case(truth.browser(&got.browser)) {
            println!("browser\t{browser}\t{}\t{user_agent}", got.browser);
        }
        if let Some(os) = truth.os(&wanted.os).filter(|os| Some(*os) != truth.os(&got.os)) {
            println!("os\t{os}\t{}\t{user_agent}", got.os);
        }
    }
    Ok(())
}

fn misses(fixtures: &Fixtures, truth: &Truth, field: Field) {
    let ours = reader::ours();
    let mut groups = std::collections::BTreeMap::<String, Vec<String>>::new();
    for (place, case) in field.cases(fixtures).iter().enumerate() {
        let reading = ours.read(&case.user_agent);
        if fixtures::held_out(place) || right(truth, field, case, &reading) != Some(false) {
            continue;
        }
        let (wanted, got) = match field {
            Field::Browser => (truth.wanted_browser(case), reading.browser),
            Field::Os => (truth.os(&case.family).unwrap_or_default().to_owned(), reading.os),
            Field::Device => (truth.device(case).unwrap_or_default().to_owned(), reading.device.to_owned()),
        };
        let line = format!("{} / {} / {} <- {}", case.family, case.brand, case.model, case.user_agent);
        groups.entry(format!("{wanted} read as {got}")).or_default().push(line);
    }
    let mut groups: Vec<_> = groups.into_iter().collect();
    groups.sort_by_key(|(_, lines)| std::cmp::Reverse(lines.len()));
    for (group, lines) in groups {
        println!("{} x {group}", lines.len());
        for line in lines {
            println!("    {line}");
        }
    }
}
