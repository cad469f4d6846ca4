//! What the names of fields mean, ours and the peers'.

use super::Format;
use super::reading::Kind::{self, Flag, Forward, Integer, Json, Lifetime, Moment, Skip, Tags, Text};
use Meaning::{
    Bitlinks, Devices, Disabled, Domain, Field, Geo, HasRules, Nested, Os, Passing, Password, Preview, Proxy,
    Shlink, Short, SplitPercent, SplitUrl, Test, TestEnd,
};

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Meaning {
    /// A field of ours, whose value is read so.
    Field(&'static str, Kind),
    /// The title, which the preview shows too.
    TitleAndPreview,
    /// The host that answers: its name, or an object that holds it.
    Domain,
    /// The short URL, which is domain and token in one.
    Short,
    /// Bitly's names of the customer's own choice, as short URLs.
    Bitlinks,
    /// The destination on a system.
    Os(&'static str),
    /// Destinations by country.
    Geo,
    /// Destinations by device: `deviceLongUrls` of Shlink 3.5 to 4.
    Devices,
    /// Rules of Shlink.
    Shlink,
    /// Whether there are rules of Shlink, be they in the export or not.
    HasRules,
    /// Members that stand one level down.
    Nested,
    /// Variants of Dub.
    Test,
    /// When Dub's test ends.
    TestEnd,
    /// The second of two variants of Short.io.
    SplitUrl,
    /// Its share in percent.
    SplitPercent,
    /// Whether Dub shows a preview of the customer's own.
    Proxy,
    /// A part of the preview.
    Preview(&'static str),
    /// The secret itself, its hash, or whether there is one.
    Password,
    /// Kept out of sight, though it goes on leading to its destination.
    Hidden,
    /// Taken out of service.
    Disabled,
    /// Of use to the service where it comes from only: ids, who made it and when.
    Passing,
}

/// By name without case, spaces and punctuation: `Long URL`, `longUrl` and `long_url` are one. In order, for a
/// binary search.
#[rustfmt::skip]
const WORDS: [(&str, Meaning); 118] = [
    ("address", Field("token", Text)),
    ("adid", Field("ad_id", Text)),
    ("android", Os("android")),
    ("androidurl", Os("android")),
    ("appendclickid", Field("append_click_id", Text)),
    ("apple", Os("ios")),
    ("archived", Field("archived", Flag)),
    ("banned", Disabled),
    ("bitlink", Short),
    ("campaignid", Field("campaign_id", Text)),
    ("clickslimit", Field("max_clicks", Integer)),
    ("clientid", Passing),
    ("comment", Field("note", Text)),
    ("comments", Field("note", Text)),
    ("created", Passing),
    ("createdat", Passing),
    ("createdby", Passing),
    ("custombitlink", Bitlinks),
    ("custombitlinks", Bitlinks),
    ("customslug", Field("token", Text)),
    ("customurl", Field("token", Text)),
    ("datecreated", Passing),
    ("description", Field("note", Text)),
    ("destination", Field("url", Text)),
    ("destinationurl", Field("url", Text)),
    ("devicelongurls", Devices),
    ("disabledat", Disabled),
    ("domain", Domain),
    ("domainid", Passing),
    ("domainname", Domain),
    ("expiration", Field("expires_at", Moment)),
    ("expirationdate", Field("expires_at", Moment)),
    ("expiredurl", Field("expired_url", Text)),
    ("expirein", Field("expires_at", Lifetime)),
    ("expiresat", Field("expires_at", Moment)),
    ("externalid", Field("external_id", Text)),
    ("fallbackurl", Field("fallback_url", Text)),
    ("folder", Field("folder", Text)),
    ("folderid", Field("folder", Text)),
    ("forwardparameters", Field("query", Forward)),
    ("forwardquery", Field("query", Forward)),
    ("geo", Geo),
    ("google", Os("android")),
    ("guid", Passing),
    ("hasredirectrules", HasRules),
    ("honeypot", Field("honeypot", Flag)),
    ("id", Passing),
    ("idstring", Passing),
    ("image", Preview("image")),
    ("importerror", Passing),
    ("ios", Os("ios")),
    ("ip", Passing),
    ("iphoneurl", Os("ios")),
    ("key", Field("token", Text)),
    ("keyword", Field("token", Text)),
    ("lcpath", Passing),
    ("link", Short),
    ("linkid", Passing),
    ("longurl", Field("url", Text)),
    ("maxclicks", Field("max_clicks", Integer)),
    ("maxvisits", Field("max_clicks", Integer)),
    ("medium", Field("medium", Text)),
    ("meta", Nested),
    ("modified", Passing),
    ("note", Field("note", Text)),
    ("notes", Field("note", Text)),
    ("originalurl", Field("url", Text)),
    ("ownerid", Passing),
    ("password", Password),
    ("path", Field("token", Text)),
    ("projectid", Passing),
    ("proxy", Proxy),
    ("publisherid", Field("publisher_id", Text)),
    ("qrcode", Passing),
    ("query", Field("query", Text)),
    ("redirectrules", Shlink),
    ("redirecttype", Field("status", Integer)),
    ("redirectwithquery", Field("query", Forward)),
    ("references", Passing),
    ("relativecreatedat", Passing),
    ("relativeexpirein", Passing),
    ("rules", Field("rules", Json)),
    ("secureshorturl", Short),
    ("shortcode", Field("token", Text)),
    ("shortlink", Short),
    ("shorturl", Short),
    ("skipqs", Field("query", Skip)),
    ("slashtag", Field("token", Text)),
    ("slug", Field("token", Text)),
    ("social", Field("social", Json)),
    ("splitpercent", SplitPercent),
    ("spliturl", SplitUrl),
    ("startsat", Field("starts_at", Moment)),
    ("status", Field("status", Integer)),
    ("tagnames", Field("tags", Tags)),
    ("tags", Field("tags", Tags)),
    ("target", Field("url", Text)),
    ("targeturl", Field("url", Text)),
    ("testcompletedat", TestEnd),
    ("teststartedat", Passing),
    ("testvariants", Test),
    ("timestamp", Passing),
    ("title", Field("title", Text)),
    ("token", Field("token", Text)),
    ("updatedat", Passing),
    ("url", Field("url", Text)),
    ("user", Passing),
    ("userid", Passing),
    ("utmcampaign", Field("utm_campaign", Text)),
    ("utmcontent", Field("utm_content", Text)),
    ("utmmedium", Field("utm_medium", Text)),
    ("utmsource", Field("utm_source", Text)),
    ("utmterm", Field("utm_term", Text)),
    ("validsince", Field("starts_at", Moment)),
    ("validuntil", Field("expires_at", Moment)),
    ("variants", Field("variants", Json)),
    ("version", Passing),
    ("workspaceid", Passing),
];

/// A name is compared in this many bytes; none that is known is longer.
const NAME_MAX_BYTES: usize = 24;

/// What a name means in a format. `None`: nothing here.
pub(super) fn meaning(name: &str, format: Format) -> Option<Meaning> {
    let mut bare = [0; NAME_MAX_BYTES];
    let bare = bared(name, &mut bare)?;
    let at = WORDS.binary_search_by(|(word, _)| word.as_bytes().cmp(bare)).ok()?;
    let meaning = WORDS.get(at)?.1;
    Some(match (format, bare, meaning) {
        (Format::Sink | Format::Dub, b"title", _) => Meaning::TitleAndPreview,
        (Format::Sink | Format::Dub, b"description", _) => Preview("description"),
        (Format::Bitly, b"id", _) => Short,
        // Their archived links redirect as before; ours are out of service.
        (Format::Bitly | Format::Dub | Format::ShortIo, b"archived", _) => Meaning::Hidden,
        _ => meaning,
    })
}

/// Whether a column of this name can say where a link leads.
pub(super) fn leads_somewhere(name: &str) -> bool {
    matches!(meaning(name, Format::Csv), Some(Field("url", _)))
}

/// Whether two names are one.
pub(super) fn same(name: &str, bare: &str) -> bool {
    bared(name, &mut [0; NAME_MAX_BYTES]).is_some_and(|name| name == bare.as_bytes())
}

/// The letters and digits of a name in lower case. `None` if they are too many or not ASCII.
fn bared<'a>(name: &str, room: &'a mut [u8; NAME_MAX_BYTES]) -> Option<&'a [u8]> {
    let mut length = 0;
    for byte in name.bytes().filter(|byte| !matches!(byte, b' ' | b'_' | b'-' | b'.')) {
        *room.get_mut(length)? = byte.to_ascii_lowercase();
        length += 1;
    }
    room.get(..length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_are_in_order_and_short_enough() {
        assert!(WORDS.is_sorted_by(|(one, _), (other, _)| one < other));
        for (word, meaning) in WORDS {
            assert_eq!(super::meaning(word, Format::Csv), Some(meaning), "{word}");
        }
    }

    #[test]
    fn case_spaces_and_punctuation_do_not_matter() {
        for name in ["longUrl", "long_url", "Long URL", "LONG-URL"] {
            assert_eq!(meaning(name, Format::Csv), Some(Field("url", Text)), "{name}");
        }
        for name in ["", "x", "längeURL", "l\u{0}ongurl", &"url".repeat(100)] {
            assert_eq!(meaning(name, Format::Csv), None, "{name}");
        }
    }

    #[test]
    fn every_column_of_an_export_is_known() {
        for name in crate::export::columns() {
            let meaning = meaning(name, Format::Csv);
            let known = matches!(meaning, Some(Field(field, _)) if field == name)
                || matches!(meaning, Some(Domain | Short | Passing));
            assert!(known, "{name}: {meaning:?}");
        }
    }
}
