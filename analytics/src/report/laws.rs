use proptest::prelude::*;
use serde_json::Value;

use super::tests::{Store, live};
use crate::Kind;
use crate::counters::Hit;
use crate::world::{self, Happening, count, sums};

const QUERIES: [&str; 19] = [
    "",
    "from=2026-09-18",
    "interval=hour&from=2026-09-18&tz=Asia/Kolkata",
    "interval=day&from=2026-09-18&tz=America/New_York&include_bots=true",
    "interval=minute&from=1789996400000",
    "from=2026-09-18&campaign_id=spring&group_by=link",
    "from=2026-09-18&link=a&group_by=campaign_id",
    "from=2026-09-18&link=%5C-c%5C,d&group_by=device",
    "from=2026-09-18&country=US,&group_by=country",
    "from=2026-09-18&referrer=-google.com&group_by=referrer",
    "from=2026-09-18&country=-US&device=-desktop&group_by=channel",
    "from=2026-09-18&campaign_id=spring,&group_by=country",
    "from=2026-09-18&group_by=currency",
    "from=2026-09-18&group_by=verdict",
    "from=2026-09-18&group_by=kind",
    "from=2026-09-18&group_by=utm_source",
    "from=2026-09-18&variant=-A&group_by=variant",
    "from=2026-09-18&variant=,B&country=-US&group_by=device",
    "from=2026-09-18&trigger=qr&group_by=trigger",
];

fn sum(lines: &Value, field: &str) -> u64 {
    lines.as_array().unwrap().iter().map(|line| line[field].as_u64().unwrap()).sum()
}

proptest! {
    // Each case asks many questions.
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn an_answer_is_the_same_wherever_the_sums_lie(a in world::happenings(), b in world::happenings()) {
        let both: Vec<_> = a.iter().chain(&b).cloned().collect();
        let whole = live(&both);
        let elsewhere = [
            ("two segments", live(&a).add(&sums(&b))),
            ("half folded", Store::default().fold(&sums(&a)).add(&sums(&b))),
            ("folded", Store::default().fold(&sums(&b)).fold(&sums(&a))),
        ];
        for text in QUERIES {
            let answer = whole.answer(text);
            for (place, store) in &elsewhere {
                prop_assert_eq!(&store.answer(text), &answer, "{}: {}", place, text);
            }
        }
    }

    #[test]
    fn parts_add_up(happenings in world::happenings()) {
        let store = live(&happenings);
        for text in QUERIES {
            let answer = store.answer(text);
            let totals = &answer["totals"];
            for field in ["clicks", "raw", "bots", "duplicates", "impressions", "pages", "conversions", "failed"] {
                let total = totals[field].as_u64().unwrap();
                prop_assert_eq!(sum(&answer["series"], field), total, "{} of the series of {}", field, text);
                if answer["groups"].is_array() && answer["group_by"] != "kind" {
                    prop_assert_eq!(sum(&answer["groups"], field), total, "{} of the groups of {}", field, text);
                }
            }
            for line in answer["series"].as_array().unwrap().iter().chain([totals]) {
                let number = |field: &str| line[field].as_u64();
                if let (Some(uniques), Some(raw), Some(bots), Some(copies)) =
                    (number("uniques"), number("raw"), number("bots"), number("duplicates"))
                {
                    let humans = raw - bots - copies;
                    prop_assert!(uniques <= humans && (uniques > 0) == (humans > 0), "{}: {}", text, line);
                }
            }
        }
    }

    #[test]
    fn what_is_included_and_what_is_excluded_is_everything(happenings in world::happenings()) {
        let store = live(&happenings);
        for (filter, others) in [
            ("country", "US"),
            ("country", ""),
            ("country", "US,DE"),
            ("campaign_id", "spring"),
            ("link", "a"),
            ("device", "desktop"),
            ("channel", "search,direct"),
            ("verdict", "human"),
            ("bot_reason", "ua_list"),
            ("currency", "EUR"),
            ("variant", "A"),
            ("variant", ""),
            ("trigger", "qr"),
        ] {
            for with in ["", "&country=-DE", "&country=-DE&device=-smartphone"] {
                let combinable = ["country", "campaign_id", "device", "channel", "variant"].contains(&filter);
                if !with.is_empty() && (!combinable || with.contains(filter)) {
                    continue;
                }
                let kinds = |query: &str| {
                    store.answer(&format!("from=2026-09-18{query}{with}"))["totals"]["kinds"].clone()
                };
                let excluded: Vec<_> = others.split(',').map(|value| format!("-{value}")).collect();
                let inside = kinds(&format!("&{filter}={others}"));
                let outside = kinds(&format!("&{filter}={}", excluded.join(",")));
                let all = kinds("");
                for kind in Kind::ALL.map(Kind::name) {
                    for field in ["events", "humans", "bots", "duplicates"] {
                        let of = |kinds: &Value| kinds[kind][field].as_u64().unwrap();
                        prop_assert_eq!(
                            of(&inside) + of(&outside), of(&all),
                            "{} {} of {}={}{}", kind, field, filter, others, with
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn totals_are_what_happened(happenings in world::happenings()) {
        let store = live(&happenings);
        for campaign in ["spring", "autumn"] {
            let wanted = |happening: &Happening| match happening {
                Happening::Event(raw) => raw.campaign_id == campaign,
                Happening::Copies(copies) => copies.campaign == campaign,
            };
            let answer = store.answer(&format!("from=2026-09-18&campaign_id={campaign}"));
            let kinds = &answer["totals"]["kinds"];
            for kind in Kind::ALL {
                let hits = [(Hit::Human, "humans"), (Hit::Bot, "bots"), (Hit::Duplicate, "duplicates")];
                for (hit, field) in hits {
                    let counted = count(&happenings, wanted, kind, hit);
                    prop_assert_eq!(kinds[kind.name()][field].as_u64(), Some(counted));
                }
            }
        }
    }
}
