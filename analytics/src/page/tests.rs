use proptest::prelude::*;

use super::*;
use crate::world::{Copies, Happening, NOW, PHONE, event, happenings, sums};
use crate::{Kind, RawEvent};

fn sample() -> StatsAggregate {
    let raw = RawEvent {
        country: "DE".into(),
        user_agent: PHONE.into(),
        value_micros: Some(5_000_000),
        currency: "EUR".into(),
        visitor: 7,
        ..event(Kind::Click, NOW, "", "")
    };
    sums(&[Happening::Event(Box::new(raw))])
}

/// Pages are kept for years. If this fails, the past is misread: raise `SUMS_VERSION`, keep the reader of this
/// version, and pin the new texts beside these.
#[test]
fn the_texts_of_a_page_are_pinned() {
    let pages = pages(&sample());
    let texts: Vec<_> = pages
        .iter()
        // The levels between differ in nothing but the time.
        .filter(|(key, _)| matches!(key.level, Level::Minute | Level::Cube))
        .flat_map(|(key, page)| PageRow::of(key, page))
        .map(|row| format!("{} {} {} {}", row.key.level.code(), row.totals, row.detail, row.visitors))
        .collect();
    let pinned = [
        "m ",
        "AwHA94DFmGgDgoAEAoCt4gQBA0VVUoCt4gQ ",
        "AwHA94DFmGgMBQECREUDgoAEAoCt4gQJAQpzbWFydHBob25lA4KABAKAreIECgEGU2FmYXJpA4KABAKAreIECwEDaU9TA4KABAKA",
        "reIEDAECZW4DgoAEAoCt4gQOAQZkaXJlY3QDgoAEAoCt4gQUAQVodW1hbgOCgAQCgK3iBBgBCHJlZGlyZWN0A4KABAKAreIEGQED",
        "RVVSA4KABAKAreIEIgEEbGluawOCgAQCgK3iBCcBBUFwcGxlA4KABAKAreIEKAEGaVBob25lA4KABAKAreIE ",
        "AwHA94DFmGgDBWMB\n",
        "c ",
        "AwGAsJmUmGgDgoAEAoCt4gQBA0VVUoCt4gQ ",
        "AwGAsJmUmGgBIAEhHx9ERR9zbWFydHBob25lH2lPUx9TYWZhcmkfZGlyZWN0A4KABAKAreIE ",
        "AwGAsJmUmGgA",
    ];
    assert_eq!(texts.join("\n"), pinned.concat());
}

#[test]
fn a_page_of_version_1_is_read() {
    let minutes = [
        "AQHA94DFmGgJBQECREUDgoAEAoCt4gQJAQpzbWFydHBob25lA4KABAKAreIECgEGU2FmYXJpA4KABAKAreIECwEDaU9TA4KA",
        "BAKAreIEDAECZW4DgoAEAoCt4gQOAQZkaXJlY3QDgoAEAoCt4gQUAQVodW1hbgOCgAQCgK3iBBgBCHJlZGlyZWN0A4KABAKA",
        "reIEGQEDRVVSA4KABAKAreIE",
    ];
    let cube = "AQGAsJmUmGgBIAEhHx9ERR9zbWFydHBob25lH2lPUx9TYWZhcmkfZGlyZWN0A4KABAKAreIE";
    for (level, totals, detail, visitors) in [
        (Level::Minute, "AQHA94DFmGgDgoAEAoCt4gQBA0VVUoCt4gQ", &*minutes.concat(), "AQHA94DFmGgDBWMB"),
        (Level::Cube, "AQGAsJmUmGgDgoAEAoCt4gQBA0VVUoCt4gQ", cube, "AQGAsJmUmGgA"),
    ] {
        let (key, page) = pages_of(&sample(), level).pop_first().unwrap();
        let [totals, detail, visitors] = [totals, detail, visitors].map(str::to_owned);
        let mut read = Page::new();
        PageRow { key, chunk: 0, totals, detail, visitors }.add_to(&mut read).unwrap();
        // Dimensions that are younger than these texts.
        for sheet in read.values_mut().filter(|_| level != Level::Cube) {
            sheet.detail.add(Dimension::Trigger, "link", &sheet.totals);
            sheet.detail.add(Dimension::Brand, "Apple", &sheet.totals);
            sheet.detail.add(Dimension::Model, "iPhone", &sheet.totals);
        }
        assert_eq!(read, page);
    }
}

#[test]
fn a_minute_is_in_its_quarter_and_its_day() {
    let copies = Copies { at_ms: NOW, campaign: "", link: "", kind: Kind::Click, times: 1 };
    let pages = pages(&sums(&[Happening::Copies(copies)]));
    let places: Vec<_> = pages
        .iter()
        .flat_map(|(key, page)| page.keys().map(|at| (key.level.code(), key.start_ms, *at)))
        .map(|(level, page, at)| {
            format!("{level} {} {}", crate::time::rfc3339(page), crate::time::rfc3339(at))
        })
        .collect();
    assert_eq!(
        places,
        [
            "m 2026-09-21T14:00:00.000Z 2026-09-21T14:13:00.000Z",
            "h 2026-09-21T14:00:00.000Z 2026-09-21T14:00:00.000Z",
            "d 2026-09-21T00:00:00.000Z 2026-09-21T00:00:00.000Z",
            "c 2026-09-21T00:00:00.000Z 2026-09-21T00:00:00.000Z",
        ]
    );
}

#[test]
fn a_large_page_is_cut_into_rows_that_make_the_whole() {
    let many: Vec<_> = (0..6_000)
        .map(|n| {
            let mut raw = event(Kind::Click, NOW + n % 60 * 60_000, "", "");
            raw.sub = [n, n + 1, n + 2, n + 3, n + 4].map(|n| format!("{n}{}", "x".repeat(60)).into());
            Happening::Event(Box::new(raw))
        })
        .collect();
    let pages = pages_of(&sums(&many), Level::Minute);
    assert!(pages.iter().any(|(key, page)| PageRow::of(key, page).len() > 1));
    for (key, page) in &pages {
        let mut again = Page::new();
        for row in PageRow::of(key, page) {
            assert!(row.totals.len() + row.detail.len() + row.visitors.len() < 1_200_000);
            row.add_to(&mut again).unwrap();
        }
        let events = |page: &Page| page.values().map(|sheet| sheet.totals.events()).sum::<u64>();
        assert_eq!(events(&again), events(page), "{key:?}");
        let cells = |page: &Page| page.values().map(|sheet| sheet.detail.len()).sum::<usize>();
        assert_eq!(cells(&again), cells(page), "{key:?}");
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(happenings in happenings()) {
        for (key, page) in pages(&sums(&happenings)) {
            let mut again = Page::new();
            for row in PageRow::of(&key, &page) {
                row.add_to(&mut again).unwrap();
            }
            prop_assert_eq!(again, page);
        }
    }
}
