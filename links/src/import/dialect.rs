//! Whose export it is.

use super::words;

/// What a body holds. The first three are forms, in which our own fields are written or those of everybody;
/// the others are a service's words, in any form.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Format {
    /// Whatever it turns out to be.
    #[default]
    Auto,
    /// Separated values with a header: our export, or a spreadsheet.
    Csv,
    /// A JSON object in each line.
    Ndjson,
    /// A JSON document: one link, a list, or an object that holds a list.
    Json,
    /// `GET /v4/groups/{guid}/bitlinks` (`created_at, id, link, custom_bitlinks, long_url, title, archived, tags,
    /// deeplinks`, as [shlink-importer's BitlyApiImporter.php] and [dub's import/bitly/utils.ts] read it), and
    /// the dashboard's CSV of the same columns.
    ///
    /// [shlink-importer's BitlyApiImporter.php]: https://github.com/shlinkio/shlink-importer
    /// [dub's import/bitly/utils.ts]: https://github.com/dubinc/dub
    Bitly,
    /// `GET /links` and the CSV of the dashboard: `LinkSchema` and `exportLinksColumns` in dub's
    /// `apps/web/lib/zod/schemas/links.ts`.
    Dub,
    /// The CSV of shlink-web-component (`ExportShortUrlsBtn.tsx`: `createdAt, domain, shortCode, shortUrl,
    /// longUrl, title, tags, visits`), and `GET /rest/v3/short-urls` (shlink's `docs/swagger/definitions/
    /// ShortUrl.json`), its links with their `redirectRules` where somebody has put them in.
    Shlink,
    /// `GET /api/v2/links`: `Link` in kutt's `docs/api/api.js`, `sanitize.link` in `server/utils/utils.js`.
    Kutt,
    /// The columns of the table `yourls_url` (`keyword, url, title, timestamp, ip, clicks`; YOURLS'
    /// `functions-install.php`) as CSV or in a plugin's `result`, and `action=stats` (`functions.php`).
    Yourls,
    /// `GET /api/link/export`: `ExportData` in Sink's `shared/schemas/link.ts`.
    Sink,
    /// `GET /api/links` of Short.io, as its reference names the fields.
    ShortIo,
    /// `GET /v1/links` of Rebrandly and the CSV of its dashboard (`slashtag, destination, domainName, title,
    /// description, tags`).
    Rebrandly,
}

impl Format {
    const ALL: [(&str, Self); 12] = [
        ("auto", Self::Auto),
        ("csv", Self::Csv),
        ("ndjson", Self::Ndjson),
        ("json", Self::Json),
        ("bitly", Self::Bitly),
        ("dub", Self::Dub),
        ("shlink", Self::Shlink),
        ("kutt", Self::Kutt),
        ("yourls", Self::Yourls),
        ("sink", Self::Sink),
        ("shortio", Self::ShortIo),
        ("rebrandly", Self::Rebrandly),
    ];

    /// The format of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, format)| *format)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, format)| *format == self).map_or("", |(name, _)| name)
    }

    /// Whether it tells the form and not whose words they are.
    pub(super) fn is_shape(self) -> bool {
        matches!(self, Self::Auto | Self::Csv | Self::Ndjson | Self::Json)
    }
}

/// The form of a body, one of CSV, NDJSON and JSON.
pub(super) fn shape(body: &[u8], content_type: &str, format: Format) -> Format {
    if matches!(format, Format::Csv | Format::Ndjson | Format::Json) {
        return format;
    }
    let said = |what: &str| content_type.contains(what);
    let text = body.trim_ascii();
    if !text.starts_with(b"{") && !text.starts_with(b"[") || said("csv") {
        return Format::Csv;
    }
    let (first, rest) = text.split_at(text.iter().position(|byte| *byte == b'\n').unwrap_or(text.len()));
    let is_whole = |text| serde_json::from_slice::<&serde_json::value::RawValue>(text).is_ok();
    let lines = text.starts_with(b"{") && !rest.is_empty() && is_whole(first.trim_ascii());
    if said("ndjson") || said("jsonl") || lines { Format::Ndjson } else { Format::Json }
}

/// Whose words these names are; `None` if anybody's. `json` tells that they are of an API.
pub(super) fn of(names: &[&str], json: bool) -> Option<Format> {
    let has = |all: &[&str]| all.iter().all(|bare| names.iter().any(|name| words::same(name, bare)));
    let table: [(Format, &[&[&str]]); 8] = [
        (Format::Bitly, &[&["longurl", "link"], &["longurl", "custombitlink"], &["longurl", "bitlink"]]),
        (Format::Shlink, &[&["longurl", "shortcode"], &["longurl", "shorturl"]]),
        (Format::Kutt, &[&["target", "address"]]),
        (Format::Yourls, &[&["url", "keyword"], &["url", "shorturl", "timestamp"]]),
        (Format::Dub, &[&["destinationurl", "shortlink"], &["url", "key", "domain"]]),
        (Format::ShortIo, &[&["originalurl"]]),
        (Format::Rebrandly, &[&["destination", "slashtag"]]),
        (Format::Sink, &[&["url", "slug", "createdat"]]),
    ];
    if has(&["token"]) {
        return None;
    }
    let spoken = |(format, signs): &(Format, &[&[&str]])| {
        (json || *format != Format::Sink) && signs.iter().any(|sign| has(sign))
    };
    table.iter().find(|entry| spoken(entry)).map(|(format, _)| *format)
}
