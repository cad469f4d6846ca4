//! The picture: panels one below the other, with the hour from left to right. It follows the reader's dark or light.

use std::fmt::Write;

const WIDTH: f64 = 860.0;
const LEFT: f64 = 78.0;
const RIGHT: f64 = 104.0;
const PANEL: f64 = 116.0;
const GAP: f64 = 48.0;

const STYLE: &str = "text{font:12px system-ui,sans-serif;fill:#24292f}.t{font-weight:600}.g{stroke:#d0d7de}.dead{fill:#cf222e;opacity:.13}\
path{fill:none;stroke-width:1.6}.c0{stroke:#0969da}.c1{stroke:#bf5600}.c2{stroke:#cf222e}.l0{fill:#0969da}.l1{fill:#bf5600}.l2{fill:#cf222e}\
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.g{stroke:#30363d}.c0{stroke:#58a6ff}.c1{stroke:#f0883e}.c2{stroke:#ff7b72}.l0{fill:#58a6ff}.l1{fill:#f0883e}.l2{fill:#ff7b72}}";

/// One panel: lines with names over the same time.
pub struct Panel {
    pub title: String,
    pub lines: Vec<(&'static str, Vec<f64>)>,
    pub logarithmic: bool,
    pub unit: &'static str,
}

/// The picture of all panels; `dead` is where a gate was away, as shares of the hour.
pub fn svg(title: &str, panels: &[Panel], dead: (f64, f64)) -> String {
    let height = 40.0 + panels.len() as f64 * (PANEL + GAP);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\"><title>{title}</title><style>{STYLE}</style>\n"
    );
    for (number, panel) in panels.iter().enumerate() {
        one(&mut out, panel, 34.0 + number as f64 * (PANEL + GAP), dead);
    }
    out.push_str("</svg>\n");
    out
}

fn one(out: &mut String, panel: &Panel, top: f64, dead: (f64, f64)) {
    let wide = WIDTH - LEFT - RIGHT;
    let values = || panel.lines.iter().flat_map(|(_, line)| line.iter().copied());
    let most = values().fold(f64::MIN_POSITIVE, f64::max);
    let least = values().filter(|value| *value > 0.0).fold(most, f64::min);
    let (low, high) =
        if panel.logarithmic { (least.log10().floor(), most.log10().ceil()) } else { (0.0, nice(most)) };
    let scale = |value: f64| if panel.logarithmic { value.max(1e-9).log10().max(low) } else { value };
    let y = |value: f64| top + PANEL * (1.0 - (scale(value) - low) / (high - low).max(1e-9));
    let x = |share: f64| LEFT + wide * share;
    let _ = writeln!(out, "<text class=\"t\" x=\"{LEFT}\" y=\"{}\">{}</text>", top - 10.0, panel.title);
    let marks: Vec<f64> = if panel.logarithmic {
        (low as i32..=high as i32).map(|power| 10f64.powi(power)).collect()
    } else {
        (0..=4).map(|part| high * f64::from(part) / 4.0).collect()
    };
    for mark in marks {
        let at = y(mark);
        let _ = writeln!(
            out,
            "<line class=\"g\" x1=\"{LEFT}\" x2=\"{}\" y1=\"{at:.1}\" y2=\"{at:.1}\"/><text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{}{}</text>",
            LEFT + wide,
            LEFT - 6.0,
            at + 4.0,
            short(mark),
            panel.unit
        );
    }
    for minute in (0..=60).step_by(10) {
        let at = x(f64::from(minute) / 60.0);
        let _ = writeln!(
            out,
            "<text x=\"{at:.1}\" y=\"{}\" text-anchor=\"middle\">{minute} min</text>",
            top + PANEL + 15.0
        );
    }
    let _ = writeln!(
        out,
        "<rect class=\"dead\" x=\"{:.1}\" width=\"{:.1}\" y=\"{top}\" height=\"{PANEL}\"/>",
        x(dead.0),
        wide * (dead.1 - dead.0)
    );
    let mut labels: Vec<f64> = Vec::new();
    for (place, (name, line)) in panel.lines.iter().enumerate() {
        let mut path = String::new();
        for (step, value) in line.iter().enumerate() {
            let at = x((step as f64 + 0.5) / line.len() as f64);
            let _ = write!(path, "{}{at:.1} {:.1}", if step == 0 { "M" } else { "L" }, y(*value));
        }
        let _ = writeln!(out, "<path class=\"c{place}\" d=\"{path}\"/>");
        let mut at = y(line.last().copied().unwrap_or(0.0)) + 4.0;
        while labels.iter().any(|other| (other - at).abs() < 13.0) {
            at -= 13.0;
        }
        labels.push(at);
        let _ =
            writeln!(out, "<text class=\"l{place}\" x=\"{}\" y=\"{at:.1}\">{name}</text>", LEFT + wide + 6.0);
    }
}

/// A round number above.
fn nice(value: f64) -> f64 {
    let power = 10f64.powf(value.log10().floor());
    [1.0, 1.2, 1.6, 2.0, 2.4, 3.2, 4.0, 6.0, 8.0, 10.0]
        .into_iter()
        .map(|step| step * power)
        .find(|top| *top >= value)
        .unwrap_or(value)
}

fn short(value: f64) -> String {
    match value {
        _ if value >= 1e6 => format!("{}M", value / 1e6),
        _ if value >= 1e3 => format!("{}k", value / 1e3),
        _ => format!("{}", (value * 1e4).round() / 1e4),
    }
}
