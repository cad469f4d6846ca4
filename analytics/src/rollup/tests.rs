use proptest::prelude::*;

use super::*;
use crate::world::{CRAWLER, Copies, Happening, NOW, PHONE, event, happenings, sums};

const EXPECTED: &str = r#"2026-09-21T14:13:00.000Z * .. 2 click, 1 click by bots, 2 click again; ~1 visitors
  link a .. 2 click, 2 click again
  link b .. 1 click by bots
  campaign_id spring .. 2 click, 1 click by bots, 2 click again
  country DE .. 2 click
  region DE-BE .. 2 click
  city Berlin (DE) .. 2 click
  device bot .. 1 click by bots
  device smartphone .. 2 click
  browser Safari .. 2 click
  os iOS .. 2 click
  language en .. 2 click, 1 click by bots
  channel direct .. 1 click by bots
  channel email .. 2 click
  utm_source news .. 2 click
  utm_medium email .. 2 click
  verdict bot .. 1 click by bots
  verdict human .. 2 click
  bot_reason ua_list .. 1 click by bots
  source redirect .. 2 click, 1 click by bots
  cube spring|||||| .. 2 click again
  cube spring|||bot|||direct .. 1 click by bots
  cube spring||DE|smartphone|iOS|Safari|email .. 2 click
  trigger link .. 2 click, 1 click by bots
  brand Apple .. 2 click
  device_model iPhone .. 2 click
2026-09-21T14:13:00.000Z c/spring .. 2 click, 1 click by bots, 2 click again; ~1 visitors
  link a .. 2 click, 2 click again
  link b .. 1 click by bots
  country DE .. 2 click
  region DE-BE .. 2 click
  city Berlin (DE) .. 2 click
  device bot .. 1 click by bots
  device smartphone .. 2 click
  browser Safari .. 2 click
  os iOS .. 2 click
  language en .. 2 click, 1 click by bots
  channel direct .. 1 click by bots
  channel email .. 2 click
  utm_source news .. 2 click
  utm_medium email .. 2 click
  verdict bot .. 1 click by bots
  verdict human .. 2 click
  bot_reason ua_list .. 1 click by bots
  source redirect .. 2 click, 1 click by bots
  cube |a||||| .. 2 click again
  cube |a|DE|smartphone|iOS|Safari|email .. 2 click
  cube |b||bot|||direct .. 1 click by bots
  trigger link .. 2 click, 1 click by bots
  brand Apple .. 2 click
  device_model iPhone .. 2 click
2026-09-21T14:13:00.000Z l/a .. 2 click, 2 click again; ~1 visitors
  campaign_id spring .. 2 click, 2 click again
  country DE .. 2 click
  region DE-BE .. 2 click
  city Berlin (DE) .. 2 click
  device smartphone .. 2 click
  browser Safari .. 2 click
  os iOS .. 2 click
  language en .. 2 click
  channel email .. 2 click
  utm_source news .. 2 click
  utm_medium email .. 2 click
  verdict human .. 2 click
  source redirect .. 2 click
  cube spring|||||| .. 2 click again
  cube spring||DE|smartphone|iOS|Safari|email .. 2 click
  trigger link .. 2 click
  brand Apple .. 2 click
  device_model iPhone .. 2 click
2026-09-21T14:13:00.000Z l/b .. 1 click by bots; ~0 visitors
  campaign_id spring .. 1 click by bots
  device bot .. 1 click by bots
  language en .. 1 click by bots
  channel direct .. 1 click by bots
  verdict bot .. 1 click by bots
  bot_reason ua_list .. 1 click by bots
  source redirect .. 1 click by bots
  cube spring|||bot|||direct .. 1 click by bots
  trigger link .. 1 click by bots
2026-09-21T14:14:00.000Z * .. 1 conversion, 19990000 micros; ~0 visitors
  19990000 micros of "EUR"
  link a .. 1 conversion, 19990000 micros
  device smartphone .. 1 conversion, 19990000 micros
  browser Safari .. 1 conversion, 19990000 micros
  os iOS .. 1 conversion, 19990000 micros
  language en .. 1 conversion, 19990000 micros
  channel direct .. 1 conversion, 19990000 micros
  verdict human .. 1 conversion, 19990000 micros
  source redirect .. 1 conversion, 19990000 micros
  currency EUR .. 1 conversion, 19990000 micros
  cube |||smartphone|iOS|Safari|direct .. 1 conversion, 19990000 micros
  trigger link .. 1 conversion, 19990000 micros
  brand Apple .. 1 conversion, 19990000 micros
  device_model iPhone .. 1 conversion, 19990000 micros
2026-09-21T14:14:00.000Z l/a .. 1 conversion, 19990000 micros; ~0 visitors
  19990000 micros of "EUR"
  device smartphone .. 1 conversion, 19990000 micros
  browser Safari .. 1 conversion, 19990000 micros
  os iOS .. 1 conversion, 19990000 micros
  language en .. 1 conversion, 19990000 micros
  channel direct .. 1 conversion, 19990000 micros
  verdict human .. 1 conversion, 19990000 micros
  source redirect .. 1 conversion, 19990000 micros
  currency EUR .. 1 conversion, 19990000 micros
  cube |||smartphone|iOS|Safari|direct .. 1 conversion, 19990000 micros
  trigger link .. 1 conversion, 19990000 micros
  brand Apple .. 1 conversion, 19990000 micros
  device_model iPhone .. 1 conversion, 19990000 micros
"#;

#[test]
fn golden_three_clicks_a_sale_and_a_copy() {
    let mut click = event(Kind::Click, NOW, "spring", "a");
    (click.country, click.region, click.city) = ("DE".into(), "BE".into(), "Berlin".into());
    (click.user_agent, click.query) = (PHONE.into(), "utm_source=News&utm_medium=email".into());
    let again = RawEvent { received_at_ms: NOW + 1_000, event_time_ms: NOW + 1_000, ..click.clone() };
    let crawled = RawEvent { user_agent: CRAWLER.into(), ..event(Kind::Click, NOW, "spring", "b") };
    let sale = RawEvent {
        value_micros: Some(19_990_000),
        currency: "EUR".into(),
        user_agent: PHONE.into(),
        ..event(Kind::Conversion, NOW + 60_000, "", "a")
    };
    let copies = Copies { at_ms: NOW, campaign: "spring", link: "a", kind: Kind::Click, times: 2 };
    let mut all = vec![Happening::Copies(copies)];
    all.extend([click, again, crawled, sale].map(|raw| Happening::Event(Box::new(raw))));
    let report = format!("{:?}", sums(&all));
    assert_eq!(report, EXPECTED);
}

proptest! {
    #[test]
    fn adding_up_is_a_homomorphism(a in happenings(), b in happenings()) {
        let both: Vec<_> = a.iter().chain(&b).cloned().collect();
        let (mut ab, mut ba) = (sums(&a), sums(&b));
        ab.merge(&sums(&b));
        ba.merge(&sums(&a));
        prop_assert_eq!(&ab, &ba);
        prop_assert_eq!(&ab, &sums(&both));
    }

    #[test]
    fn the_order_of_events_does_not_matter(mut events in happenings()) {
        let sum = sums(&events);
        events.reverse();
        prop_assert_eq!(sums(&events), sum);
    }
}
