//! Judges clicks by their user agents: one on each line of the input, `verdict reason,reason` on each line of the
//! output. What it is asked, and what the answers are worth, is accuracy.mjs's.

use std::io::{Read, Write};

use analytics::{EventId, Kind, RawEvent, Source, enrich};

fn main() -> std::io::Result<()> {
    let mut text = Vec::new();
    std::io::stdin().read_to_end(&mut text)?;
    let text = String::from_utf8_lossy(&text);
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for user_agent in text.lines() {
        let id = EventId::from_bytes([1; 16]);
        let click = RawEvent {
            user_agent: user_agent.into(),
            ..RawEvent::new(id, Kind::Click, Source::Redirect, 1_790_000_000_000)
        };
        let bot = enrich(click).bot;
        let reasons: Vec<_> = bot.reasons.iter().collect();
        writeln!(out, "{} {}", bot.verdict.name(), reasons.join(","))?;
    }
    out.flush()
}
