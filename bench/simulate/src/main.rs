//! `npm run simulate`: an hour of a flash sale at 100,000 events/s.
//!
//! What one machine can measure (how long a part takes for a thing) goes in; what it cannot (a hundred thousand
//! requests a second on six continents) comes out: latencies, what is on its way, and the bill. Every assumption is
//! in `model.rs` with its source.

mod chance;
mod consumer;
mod gate;
mod model;
mod plot;
mod series;
mod ways;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};

use model::{GATED, HOUR, Model, serves};
use plot::Panel;
use series::{Latencies, STEP};
use ways::{PLACES, Place, Ways};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let bench = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let results: Value = serde_json::from_slice(&std::fs::read(bench.join("results.json"))?)?;
    let prices: Value = serde_json::from_slice(&std::fs::read(bench.join("prices.json"))?)?;
    let mut model = Model::new(&results);
    let mut out = PathBuf::from("docs/images/flash-sale.svg");
    let mut json_out = bench.join("simulation.json");
    let (mut regions, mut calls, mut each) = (GATED.to_owned(), 450.0, None);
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        let value = args.next().ok_or_else(|| format!("{arg} wants a value"))?;
        match arg.as_str() {
            "--peak" => model.peak = value.parse()?,
            "--regions" => regions = value,
            "--calls" => calls = value.parse::<f64>()?,
            "--each" => each = Some(value.parse::<usize>()?.max(1)),
            "--databases" => model.databases = value.parse::<usize>()?.max(1),
            "--commit-ms" => model.commit_interval = value.parse::<f64>()? / 1e3,
            "--ship-ms" => model.ship_interval = value.parse::<f64>()? / 1e3,
            "--svg" => out = value.into(),
            "--json" => json_out = value.into(),
            _ => return Err(format!("no option is called {arg}; there are --peak, --regions, --calls, --each, --databases, --commit-ms, --ship-ms, --svg, --json").into()),
        }
    }
    let regions: Vec<_> = regions.split(',').map(str::to_owned).collect();
    if PLACES.iter().any(|place| serves(place, &regions).is_none()) {
        return Err("--regions leaves somebody without gates".into());
    }
    let wanted = model.calls(&regions).into_iter().map(|rate| each.unwrap_or((rate / calls).ceil() as usize));
    model.gates = regions.iter().cloned().zip(wanted.collect::<Vec<_>>()).collect();
    let ran = run(&model);
    let summary = summary(&model, &ran, &prices);
    print(&summary);
    std::fs::write(&json_out, format!("{}\n", serde_json::to_string_pretty(&summary)?))?;
    if let Some(folder) = out.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(&out, picture(&model, &ran))?;
    println!("\n{} and {}", out.display(), json_out.display());
    Ok(())
}

fn gates_of(model: &Model) -> usize {
    model.gates.iter().map(|(_, count)| count).sum()
}

/// What came of the hour.
struct Ran {
    ingest: Latencies,
    events: u64,
    commits: u64,
    messages: usize,
    round: usize,
    arrived: Vec<f64>,
    downstream: consumer::Outcome,
}

fn run(model: &Model) -> Ran {
    let regions: Vec<_> = model.gates.iter().map(|(region, _)| region.clone()).collect();
    let largest =
        regions.iter().zip(model.calls(&regions)).max_by(|a, b| a.1.total_cmp(&b.1)).map(|most| most.0);
    let mut gates = Vec::new();
    for (region, count) in &model.gates {
        let places: Vec<&Place> =
            PLACES.iter().filter(|place| serves(place, &regions) == Some(region)).collect();
        let share = places.iter().map(|place| place.share).sum::<f64>() / *count as f64;
        let dies = |shard| Some(region) == largest && shard == 0;
        gates.extend((0..*count).map(|shard| (Ways::to(region, shard, &places), share, dies(shard))));
    }
    let next = AtomicUsize::new(0);
    let sum = Mutex::new((Latencies::new(HOUR), 0u64, 0u64, Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    let Some((ways, share, dies)) = gates.get(seed) else { return };
                    // Ids are hashed: half of all clicks on one link are spread like all others.
                    let out = gate::Gate::new(model, seed as u64 + 1, ways.clone()).run(*share, *dies);
                    let mut sum = sum.lock().unwrap_or_else(PoisonError::into_inner);
                    sum.0.merge(&out.latencies);
                    sum.1 += out.events;
                    sum.2 += out.commits;
                    sum.3.extend(out.messages);
                }
            });
        }
    });
    let (ingest, events, commits, messages) = sum.into_inner().unwrap_or_else(PoisonError::into_inner);
    let arrived = ingest.counts();
    let (count, round) = (messages.len(), messages.iter().filter(|message| message.round).count());
    let downstream = consumer::run(model, messages, &arrived);
    Ran { ingest, events, commits, messages: count, round, arrived, downstream }
}

fn summary(model: &Model, ran: &Ran, prices: &Value) -> Value {
    let price = |name: &str| prices[name].as_f64().unwrap_or(0.0);
    let down = &ran.downstream;
    let gates = gates_of(model) as f64;
    let events = ran.events as f64;
    let alarms = gates * HOUR as f64 / 30.0;
    let terms = [
        ("worker_requests", events + down.transactions as f64, price("worker_request")),
        ("worker_cpu_ms", events * model.cpu_ms, price("worker_cpu_ms")),
        ("object_requests", events + alarms, price("object_request")),
        ("object_gb_seconds", gates * HOUR as f64 * 0.125, price("object_gb_second")),
        ("object_rows", ran.commits as f64 + alarms, price("object_row_written")),
        ("queue_operations", down.operations, price("queue_operation")),
        ("database_rows", down.rows, price("database_row_written")),
    ];
    let bill: Vec<_> = terms
        .iter()
        .map(|(name, quantity, price)| {
            json!({ "name": name, "per_event": quantity / events, "usd_per_million": quantity * price / events * 1e6 })
        })
        .collect();
    let usd: f64 = terms.iter().map(|(_, quantity, price)| quantity * price).sum();
    let ms = |latencies: &Latencies| {
        let at = |share| (latencies.whole(share) * 1e4).round() / 10.0;
        json!({ "p50": at(0.5), "p99": at(0.99), "p999": at(0.999) })
    };
    json!({
        "events": ran.events,
        "gates": gates_of(model),
        "gate_shards": model.gates.iter().cloned().collect::<std::collections::BTreeMap<_, _>>(),
        "databases": model.databases,
        "commit_interval_ms": model.commit_interval * 1e3,
        "ship_interval_ms": model.ship_interval * 1e3,
        "ingest_ms": ms(&ran.ingest),
        "counted_after_ms": ms(&down.counted),
        "backlog_most": down.backlog.iter().copied().fold(0.0, f64::max).round(),
        "went_round": ran.round,
        "messages": ran.messages,
        "messages_per_second_most": down.messages_per_second,
        "transactions": down.transactions,
        "database_busiest": (down.busiest * 1e3).round() / 1e3,
        "all_counted_after_s": down.last.round(),
        "rows_per_event": (ran.commits as f64 + alarms + down.rows) / events,
        "usd": usd.round(),
        "usd_per_million": usd / events * 1e6,
        "bill": bill,
    })
}

fn print(summary: &Value) {
    for (name, value) in summary.as_object().into_iter().flatten() {
        match value {
            Value::Array(bill) => {
                for term in bill {
                    let number = |name: &str| term[name].as_f64().unwrap_or(0.0);
                    let (per_event, usd) = (number("per_event"), number("usd_per_million"));
                    println!(
                        "  {:<20} {per_event:>9.5} an event  {usd:>7.3} $/M",
                        term["name"].as_str().unwrap_or("")
                    );
                }
            }
            value => println!("{name:<26} {value}"),
        }
    }
}

fn picture(model: &Model, ran: &Ran) -> String {
    let ms = |latencies: &Latencies, share| {
        latencies.quantile(share).iter().map(|at| at * 1e3).collect::<Vec<_>>()
    };
    let down = &ran.downstream;
    let seconds = |share| down.counted.quantile(share);
    let per_second = ran.arrived.iter().map(|events| events / STEP as f64).collect();
    let lines =
        |of: &dyn Fn(f64) -> Vec<f64>| vec![("p50", of(0.5)), ("p99", of(0.99)), ("p99.9", of(0.999))];
    let panels = [
        Panel {
            title: "Events/s".into(),
            lines: vec![("arriving", per_second)],
            logarithmic: false,
            unit: "",
        },
        Panel {
            title: "Answer to an ingest, kept for good".into(),
            lines: lines(&|share| ms(&ran.ingest, share)),
            logarithmic: true,
            unit: " ms",
        },
        Panel {
            title: "From the click to the sums".into(),
            lines: lines(&seconds),
            logarithmic: false,
            unit: " s",
        },
        Panel {
            title: "Events on their way".into(),
            lines: vec![("backlog", down.backlog.clone())],
            logarithmic: false,
            unit: "",
        },
    ];
    let title = format!(
        "An hour of a flash sale at {:.0} events/s on {} gates in {} regions; shaded: a gate does not answer",
        model.peak,
        gates_of(model),
        model.gates.len()
    );
    plot::svg(&title, &panels, (model.dead.0 / HOUR as f64, model.dead.1 / HOUR as f64))
}
