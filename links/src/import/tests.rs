use super::*;
use proptest::prelude::*;
use serde_json::json;

/// 2026-03-01
const NOW_MS: i64 = 1_772_323_200_000;

/// A small export in each format, its columns and members named as the service names them, its data invented.
const FIXTURES: [(&str, &str, Format); 14] = [
    ("bitly.csv", include_str!("fixtures/bitly.csv"), Format::Bitly),
    ("bitly.json", include_str!("fixtures/bitly.json"), Format::Bitly),
    ("dub.csv", include_str!("fixtures/dub.csv"), Format::Dub),
    ("dub.json", include_str!("fixtures/dub.json"), Format::Dub),
    ("kutt.json", include_str!("fixtures/kutt.json"), Format::Kutt),
    ("own.csv", include_str!("fixtures/own.csv"), Format::Csv),
    ("own.ndjson", include_str!("fixtures/own.ndjson"), Format::Ndjson),
    ("rebrandly.csv", include_str!("fixtures/rebrandly.csv"), Format::Rebrandly),
    ("shlink.csv", include_str!("fixtures/shlink.csv"), Format::Shlink),
    ("shlink.json", include_str!("fixtures/shlink.json"), Format::Shlink),
    ("shortio.json", include_str!("fixtures/shortio.json"), Format::ShortIo),
    ("sink.json", include_str!("fixtures/sink.json"), Format::Sink),
    ("yourls.csv", include_str!("fixtures/yourls.csv"), Format::Yourls),
    ("yourls.json", include_str!("fixtures/yourls.json"), Format::Yourls),
];

/// What comes of each fixture, by its name.
const GOLDEN: &str = include_str!("fixtures/golden.json");

fn shown(found: Line) -> Value {
    let told = |reject: Reject| format!("{} {}", reject.pointer, reject.detail);
    match found.result {
        Ok(link) => json!({"line": found.number, "link": link, "warnings": found.warnings}),
        Err(rejects) => {
            let rejects: Vec<String> = rejects.into_iter().map(told).collect();
            json!({"line": found.number, "rejects": rejects, "warnings": found.warnings})
        }
    }
}

fn lines(text: &str, format: Format) -> Vec<Value> {
    read(text.as_bytes(), "", format, NOW_MS).unwrap().map(shown).collect()
}

fn refused(body: &[u8]) -> String {
    read(body, "", Format::Auto, NOW_MS).unwrap_err().detail.into_owned()
}

#[test]
fn every_format_is_known_by_itself_and_read() {
    let golden: Value = serde_json::from_str(GOLDEN).unwrap();
    for (name, text, format) in FIXTURES {
        assert_eq!(read(text.as_bytes(), "", Format::Auto, NOW_MS).unwrap().format(), format, "{name}");
        let found = Value::from(lines(text, Format::Auto));
        assert_eq!(found, golden[name], "{name}: {found:#}");
        assert_eq!(found, Value::from(lines(text, format)), "{name}");
        assert_eq!(Format::parse(format.name()), Some(format));
    }
}

#[test]
fn line_ends_marks_and_delimiters_of_spreadsheets_make_no_difference() {
    let expected = ["https://e.com/", "https://e.com/b"].map(|url| json!({"url": url, "token": "a"}));
    for text in [
        "\u{feff}URL,Slug\r\nhttps://e.com/,a\r\nhttps://e.com/b,a",
        "slug;url\ra;https://e.com/\ra;https://e.com/b\r",
        "url\tslug\nhttps://e.com/\ta\nhttps://e.com/b\ta\n\n",
        "\"url\",\"slug\"\n\"https://e.com/\",\"a\"\n,\n\nhttps://e.com/b,a\n ,\n",
    ] {
        let found = lines(text, Format::Auto);
        let links: Vec<&Value> = found.iter().map(|line| &line["link"]).collect();
        assert_eq!(links, expected.iter().collect::<Vec<_>>(), "{text:?}");
    }
    let marked = lines("sep=;\nurl;slug\nhttps://e.com/,1;a\n", Format::Auto);
    assert_eq!(
        marked,
        [json!({"line": 3, "link": {"token": "a", "url": "https://e.com/,1"}, "warnings": []})]
    );
}

#[test]
fn a_body_that_cannot_be_read_at_all_is_refused_as_a_whole() {
    assert_eq!(refused(b" \r\n"), "is empty");
    assert_eq!(refused(&vec![b' '; BODY_MAX_BYTES + 1]), "is larger than 8 MiB");
    assert_eq!(refused(b"\xff\xfeu\0r\0l\0"), "is UTF-16; save it as UTF-8");
    assert!(refused(b"https://example.com/,a").contains("does not name its columns"));
    assert!(refused(b"{\"links\":[{]}").contains("is not JSON"));
    let many = "url\n".to_owned() + &"https://e.com/\n".repeat(LINES_MAX);
    assert_eq!(read(many.as_bytes(), "", Format::Auto, 0).unwrap().count(), LINES_MAX);
    assert_eq!(refused((many + "https://e.com/").as_bytes()), "holds more than 10,000 links");
    assert!(refused(format!("[{}1]", "1,".repeat(LINES_MAX)).as_bytes()).contains("at most 10,000"));
}

#[test]
fn bytes_that_are_no_text_are_the_fault_of_their_line() {
    let body = b"url,title\nhttps://e.com/1,\xff\nhttps://e.com/2,b\n";
    let found: Vec<Value> = read(body, "", Format::Auto, 0).unwrap().map(shown).collect();
    assert_eq!(found[0]["rejects"], json!([" is not UTF-8"]));
    assert_eq!(found[1]["link"]["url"], "https://e.com/2");
}

#[test]
fn a_line_is_bounded_and_its_neighbours_are_not_harmed() {
    let long = "x".repeat(LINE_MAX_BYTES);
    for text in [
        format!("url,title\nhttps://e.com/1,{long}\nhttps://e.com/2,b\n"),
        format!("url,title\nhttps://e.com/1,\"{long}\"\nhttps://e.com/2,b\n"),
        format!("{{\"url\":\"{long}\"}}\n{{\"url\":\"https://e.com/2\"}}"),
        format!("[{{\"url\":\"{long}\"}},{{\"url\":\"https://e.com/2\"}}]"),
    ] {
        let found = lines(&text, if text.starts_with('{') { Format::Ndjson } else { Format::Auto });
        assert_eq!(found.len(), 2);
        assert!(found[0]["rejects"][0].as_str().unwrap().contains("128 KiB"), "{}", found[0]["rejects"]);
        assert_eq!(found[1]["link"]["url"], "https://e.com/2");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_answered(body: Vec<u8>, header in "(url|slug,longUrl|\\[\\{|\\{\"url\":)?", what in 0usize..12) {
        let formats = ["auto", "csv", "ndjson", "json", "bitly", "dub", "shlink", "kutt", "yourls", "sink", "shortio",
            "rebrandly"];
        let body = [header.as_bytes(), b"\n", &body].concat();
        if let Ok(lines) = read(&body, "", Format::parse(formats[what]).unwrap(), NOW_MS) {
            prop_assert!(lines.count() <= LINES_MAX);
        }
    }

    #[test]
    fn any_value_under_any_known_name_is_answered(
        name in "(url|slug|geo|ios|tags|meta|domain|password|testVariants|redirectRules|splitPercent|splitURL|image|\
            proxy|title|custom_bitlinks|deviceLongUrls|expire_in|expiration|shortUrl|link|rules|forwardQuery)",
        text: String, number: i64, float: f64, what in 0usize..12,
    ) {
        let formats = [Format::Auto, Format::Bitly, Format::Dub, Format::Shlink, Format::Kutt, Format::Sink];
        for value in [json!(text), json!(number), json!(float), json!([text]), json!({"a": text}), json!([{"url": text}])] {
            let body = json!([{name.clone(): value, "splitPercent": number, "splitURL": text, "url": text}]).to_string();
            for line in read(body.as_bytes(), "", formats[what % 6], NOW_MS).unwrap() {
                let _ = line;
            }
        }
    }

    #[test]
    fn what_the_library_writes_is_read_as_the_library_reads_it(
        rows in proptest::collection::vec(proptest::collection::vec("[a,;\"\r\n\t 'é]{0,6}", 3), 1..6),
    ) {
        let mut writer = ::csv::Writer::from_writer(Vec::new());
        writer.write_record(["url,", "b", "c"]).unwrap();
        for row in &rows {
            writer.write_record(row).unwrap();
        }
        let text = writer.into_inner().unwrap();
        let found: Vec<_> = Records::new(&text).skip(1).map(|record| record.cells.unwrap()).collect();
        prop_assert_eq!(&found, &rows);
    }

    /// Where no quote stands inside a cell, the library and this reader see the same cells in any bytes.
    #[test]
    fn any_text_without_stray_quotes_is_read_as_the_library_reads_it(text in "[ab,\r\n ]{0,60}") {
        let mut reader = ::csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
        let theirs: Vec<Vec<String>> =
            reader.records().map(|record| record.unwrap().iter().map(str::to_owned).collect()).collect();
        let ours: Vec<_> = Records::new(text.as_bytes()).map(|record| record.cells.unwrap()).collect();
        prop_assert_eq!(ours, theirs);
    }
}
