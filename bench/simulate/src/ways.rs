//! Where visitors are, and how far the gates are from there.

use crate::chance::Chance;

/// Where gates may stand. Objects of `sam` stand in `enam`, those of `afr` in `weur` and those of `me` in `eeur`, and are as far.
pub const REGIONS: [&str; 7] = ["wnam", "enam", "weur", "eeur", "apac-ne", "apac-se", "oc"];

/// How long the creation of an object takes from a city in each of [`REGIONS`], ms: where.durableobjects.live, by way of the
/// crate `cf-colo-hint` 0.1.1166 (2026-10).
type City = (&'static str, [f64; 7]);

/// Where visitors are, with their share of the traffic, the regions in the order in which they are used there, and some of
/// the largest cities, each of which has as many visitors. The continents' shares are those of `bench/traffic.mjs`; how they are divided up is an
/// assumption.
pub struct Place {
    pub share: f64,
    pub nearest: &'static [&'static str],
    pub cities: &'static [City],
}

pub const PLACES: [Place; 10] = [
    Place {
        share: 0.15,
        nearest: &["wnam", "enam"],
        cities: &[
            ("Los Angeles", [65.0, 231.0, 445.0, 499.0, 346.0, 502.0, 487.0]),
            ("Seattle", [130.0, 268.0, 478.0, 506.0, 320.0, 461.0, 518.0]),
            ("Dallas", [48.0, 152.0, 396.0, 432.0, 413.0, 597.0, 542.0]),
            ("Denver", [33.0, 183.0, 391.0, 410.0, 390.0, 574.0, 598.0]),
            ("Vancouver", [55.0, 233.0, 442.0, 471.0, 336.0, 478.0, 482.0]),
            ("Querétaro", [48.0, 215.0, 455.0, 491.0, 483.0, 632.0, 607.0]),
        ],
    },
    Place {
        share: 0.25,
        nearest: &["enam", "wnam"],
        cities: &[
            ("Newark", [229.0, 48.0, 298.0, 316.0, 490.0, 639.0, 638.0]),
            ("Ashburn", [235.0, 59.0, 311.0, 333.0, 497.0, 638.0, 637.0]),
            ("Chicago", [178.0, 39.0, 337.0, 351.0, 427.0, 583.0, 597.0]),
            ("Miami", [231.0, 52.0, 358.0, 394.0, 528.0, 707.0, 662.0]),
            ("Atlanta", [199.0, 44.0, 323.0, 353.0, 480.0, 633.0, 627.0]),
            ("Toronto", [207.0, 39.0, 307.0, 355.0, 488.0, 627.0, 607.0]),
        ],
    },
    Place {
        share: 0.08,
        nearest: &["sam", "enam"],
        cities: &[
            ("São Paulo", [516.0, 100.0, 535.0, 560.0, 786.0, 908.0, 922.0]),
            ("Buenos Aires", [550.0, 104.0, 643.0, 672.0, 834.0, 951.0, 1042.0]),
            ("Bogotá", [358.0, 61.0, 499.0, 503.0, 628.0, 838.0, 795.0]),
            ("Santiago", [485.0, 89.0, 595.0, 649.0, 790.0, 985.0, 1011.0]),
        ],
    },
    Place {
        share: 0.15,
        nearest: &["weur", "eeur", "enam"],
        cities: &[
            ("London", [424.0, 292.0, 57.0, 144.0, 677.0, 529.0, 898.0]),
            ("Paris", [421.0, 364.0, 45.0, 123.0, 645.0, 478.0, 873.0]),
            ("Frankfurt", [439.0, 326.0, 83.0, 75.0, 708.0, 513.0, 1034.0]),
            ("Madrid", [468.0, 359.0, 39.0, 204.0, 686.0, 522.0, 886.0]),
            ("Düsseldorf", [423.0, 327.0, 45.0, 85.0, 688.0, 522.0, 864.0]),
        ],
    },
    Place {
        share: 0.10,
        nearest: &["eeur", "weur", "enam"],
        cities: &[
            ("Warsaw", [456.0, 358.0, 151.0, 34.0, 743.0, 577.0, 1011.0]),
            ("Bucharest", [514.0, 384.0, 196.0, 38.0, 691.0, 582.0, 988.0]),
            ("Rome", [506.0, 336.0, 127.0, 31.0, 667.0, 502.0, 962.0]),
            ("Stockholm", [454.0, 337.0, 173.0, 37.0, 699.0, 614.0, 956.0]),
            ("Vienna", [470.0, 352.0, 143.0, 38.0, 656.0, 575.0, 1059.0]),
        ],
    },
    Place {
        share: 0.02,
        nearest: &["eeur", "weur", "apac"],
        cities: &[
            ("Istanbul", [592.0, 417.0, 224.0, 66.0, 779.0, 634.0, 991.0]),
            ("Tel Aviv", [556.0, 454.0, 211.0, 139.0, 810.0, 719.0, 1024.0]),
            ("Riyadh", [619.0, 526.0, 146.0, 220.0, 938.0, 647.0, 1015.0]),
            ("Baghdad", [631.0, 491.0, 287.0, 73.0, 824.0, 688.0, 1120.0]),
        ],
    },
    Place {
        share: 0.06,
        nearest: &["apac-ne", "apac", "apac-se"],
        cities: &[
            ("Tokyo", [369.0, 484.0, 653.0, 648.0, 24.0, 237.0, 351.0]),
            ("Osaka", [397.0, 482.0, 657.0, 667.0, 22.0, 234.0, 354.0]),
            ("Seoul", [456.0, 548.0, 781.0, 794.0, 45.0, 298.0, 445.0]),
        ],
    },
    Place {
        share: 0.12,
        nearest: &["apac-se", "apac", "apac-ne"],
        cities: &[
            ("Singapore", [695.0, 636.0, 503.0, 512.0, 245.0, 25.0, 586.0]),
            ("Mumbai", [786.0, 741.0, 565.0, 577.0, 487.0, 61.0, 717.0]),
            ("Delhi", [843.0, 858.0, 685.0, 714.0, 539.0, 87.0, 806.0]),
            ("Bangalore", [668.0, 719.0, 558.0, 568.0, 392.0, 73.0, 726.0]),
            ("Jakarta", [575.0, 657.0, 493.0, 537.0, 282.0, 33.0, 599.0]),
            ("Hong Kong", [544.0, 665.0, 961.0, 607.0, 213.0, 57.0, 556.0]),
        ],
    },
    Place {
        share: 0.035,
        nearest: &["oc", "apac"],
        cities: &[
            ("Sydney", [501.0, 596.0, 941.0, 951.0, 352.0, 531.0, 35.0]),
            ("Melbourne", [549.0, 602.0, 963.0, 941.0, 343.0, 550.0, 30.0]),
            ("Auckland", [600.0, 677.0, 953.0, 939.0, 486.0, 669.0, 154.0]),
        ],
    },
    Place {
        share: 0.035,
        nearest: &["afr", "weur"],
        cities: &[
            ("Johannesburg", [826.0, 709.0, 125.0, 554.0, 1079.0, 892.0, 1324.0]),
            ("Lagos", [765.0, 611.0, 119.0, 490.0, 1056.0, 843.0, 1306.0]),
            ("Cairo", [512.0, 425.0, 61.0, 266.0, 787.0, 700.0, 955.0]),
        ],
    },
];

/// How many ways there and back a creation takes. An assumption, from ways that are known: Los Angeles to Ashburn 62 ms,
/// Tokyo to Los Angeles 100, Sydney to Los Angeles 145, London to Newark 72.
const WAYS: f64 = 3.7;
/// A way at its 99th percentile, of its median. An assumption.
const SLOW: f64 = 2.0;

/// The ways to one gate from those who call it: each with its share of the calls, and its median, s.
#[derive(Clone, Default)]
pub struct Ways(Vec<(f64, f64)>);

impl Ways {
    /// To the gate of that number. One of `apac` stands in the north-east or in the south-east, where its first caller was: an
    /// assumption, every third in the north-east, which has a third of the visitors.
    pub fn to(region: &str, shard: usize, places: &[&Place]) -> Self {
        let stands = match region {
            "sam" => "enam",
            "afr" => "weur",
            "me" => "eeur",
            "apac" if shard.is_multiple_of(3) => "apac-ne",
            "apac" => "apac-se",
            other => other,
        };
        let column = REGIONS.iter().position(|name| *name == stands).unwrap_or(0);
        let all: f64 = places.iter().map(|place| place.share).sum();
        let mut ways = Vec::new();
        for place in places {
            let share = place.share / all / place.cities.len() as f64;
            ways.extend(place.cities.iter().map(|(_, creation)| (share, creation[column] / WAYS / 1e3)));
        }
        Self(ways)
    }

    /// Where a call is from.
    pub fn city(&self, chance: &mut Chance) -> f64 {
        let mut left = chance.share();
        for &(share, way) in &self.0 {
            left -= share;
            if left <= 0.0 {
                return way;
            }
        }
        self.0.last().map_or(0.0, |last| last.1)
    }

    /// The way there and back from it.
    pub fn way(median: f64, chance: &mut Chance) -> f64 {
        chance.time(median, median * SLOW)
    }
}
