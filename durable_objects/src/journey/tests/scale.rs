//! What journeys cost. `cargo test --release -p durable_objects -- --ignored --nocapture million`

use super::*;

#[test]
#[ignore = "takes its time, and says how long"]
#[expect(clippy::disallowed_methods, reason = "it is time that is measured")]
fn a_million_visitors() {
    let traits: Traits<'static> = [
        (Dimension::Link, "summer-24"),
        (Dimension::Campaign, "cmp_8f2k1"),
        (Dimension::Publisher, "pub_17"),
        (Dimension::Country, "DE"),
        (Dimension::Region, "DE-BE"),
        (Dimension::City, "Berlin (DE)"),
        (Dimension::Continent, "EU"),
        (Dimension::Device, "phone"),
        (Dimension::Browser, "Chrome"),
        (Dimension::Os, "Android"),
        (Dimension::Language, "de"),
        (Dimension::Referrer, "news.example"),
        (Dimension::Channel, "referral"),
        (Dimension::UtmSource, "newsletter"),
        (Dimension::UtmMedium, "email"),
        (Dimension::UtmCampaign, "summer"),
    ]
    .into_iter()
    .collect();
    let with = |footprint| Footprint { traits: traits.clone(), ..footprint };
    let click = with(Footprint { cost_nanos: 20, ..click(1, 0, "c") });
    let mut story = vec![click.clone(), with(in_session("sess-1", page(2, 900, "/A")))];
    story.extend((3..8).map(|n| with(in_session("sess-1", page(n, i64::from(n) * MINUTE, "/B")))));
    story.push(with(sale(8, 9 * MINUTE, "order-1", Status::Sale, 5_000_000)));
    let terms = Terms { funnels: vec![funnel("AB", Order::Ordered)], ..Terms::default() };
    for (name, story, visitors) in
        [("one click", &story[..1], 1_000_000), ("eight events", &story[..], 100_000)]
    {
        let begun = std::time::Instant::now();
        let (mut weight, mut stored, mut outcomes, mut bytes) = (0, 0, 0, Vec::new());
        for n in 0..visitors {
            let mut visitor = Visitor::default();
            for (place, footprint) in (0..).zip(story) {
                let footprint = Footprint { id: id(n * 8 + place), ..footprint.clone() };
                visitor.add(&footprint);
                visitor.advance(&terms, footprint.at_ms, &mut |_| outcomes += 1);
            }
            weight += visitor.weight_bytes();
            bytes.clear();
            visitor.encode(&mut bytes);
            stored += bytes.len();
            let mut visitor = Visitor::decode(&bytes).unwrap();
            visitor.advance(&terms, LATER, &mut |_| outcomes += 1);
        }
        let events = f64::from(visitors) * story.len() as f64;
        println!(
            "{name}: {visitors} visitors in {:.2} s, {:.2} us an event; {} bytes in memory, {} stored, {:.1} outcomes each",
            begun.elapsed().as_secs_f64(),
            begun.elapsed().as_secs_f64() * 1e6 / events,
            weight / visitors as usize,
            stored / visitors as usize,
            f64::from(outcomes) / f64::from(visitors),
        );
    }
}
