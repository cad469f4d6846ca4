//! How long it takes.

use std::collections::BTreeSet;
use std::io::Read;
use std::time::Instant;

use crate::reader::Reader;

/// What `build` makes, and the milliseconds it took.
pub(crate) fn start<T>(build: impl FnOnce() -> T) -> (T, f64) {
    let began = Instant::now();
    let built = build();
    (built, began.elapsed().as_secs_f64() * 1e3)
}

/// Nanoseconds for one user agent: the fastest of a few passes, as whatever else runs only ever adds.
pub(crate) fn per_reading<S: AsRef<str>>(reader: &dyn Reader, agents: &[S]) -> f64 {
    let pass = || {
        let began = Instant::now();
        for agent in agents {
            reader.touch(std::hint::black_box(agent.as_ref()));
        }
        began.elapsed().as_secs_f64()
    };
    let began = Instant::now();
    let mut fastest = pass();
    while began.elapsed().as_secs_f64() < 1.0 {
        fastest = fastest.min(pass());
    }
    fastest * 1e9 / agents.len().max(1) as f64
}

/// The user agents of the web server's log named by `ACCESS_LOG` (gzip, combined format), each once; none without it.
pub(crate) fn log() -> std::io::Result<Vec<String>> {
    let Some(path) = std::env::var_os("ACCESS_LOG") else { return Ok(Vec::new()) };
    let mut text = String::new();
    flate2::read::GzDecoder::new(std::fs::File::open(path)?).read_to_string(&mut text)?;
    let agents: BTreeSet<&str> = text.lines().filter_map(|line| line.split('"').nth(5)).collect();
    Ok(agents.into_iter().map(str::to_owned).collect())
}
