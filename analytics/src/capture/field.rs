//! The fields a client may send, their names and their bounds.

/// The longest identifier, in characters.
pub const ID_MAX_CHARS: usize = crate::EVENT_ID_MAX_CHARS;
/// The longest name, medium or `sub` tag, in characters.
pub const NAME_MAX_CHARS: usize = 200;
/// How many free tags an event may carry.
pub const PROPS_MAX: usize = 16;
/// The longest key of a free tag, in characters.
pub const PROP_KEY_MAX_CHARS: usize = 64;
/// The longest value of a free tag, in characters.
pub const PROP_VALUE_MAX_CHARS: usize = 512;

/// A field of an event that is the client's to say. What the edge sees for itself (address, country, user
/// agent) is not among them: it would be a client's claim about the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    EventId,
    EventTime,
    SentAt,
    Kind,
    Name,
    PageUrl,
    Referrer,
    CampaignId,
    PublisherId,
    Medium,
    AdId,
    ElementId,
    Link,
    UserId,
    SessionId,
    AnonymousId,
    Sub1,
    Sub2,
    Sub3,
    Sub4,
    Sub5,
    Value,
    Currency,
    Props,
    ClickId,
    Txid,
    Status,
    Consent,
    OptOut,
}

impl Field {
    /// The field of that name in JSON, and the pointer to it.
    pub(super) fn of_json(name: &str) -> Option<(Self, &'static str)> {
        Some(match name {
            "event_id" => (Self::EventId, "/event_id"),
            "event_time" => (Self::EventTime, "/event_time"),
            "sent_at" => (Self::SentAt, "/sent_at"),
            "kind" => (Self::Kind, "/kind"),
            "name" => (Self::Name, "/name"),
            "page_url" => (Self::PageUrl, "/page_url"),
            "referrer" => (Self::Referrer, "/referrer"),
            "campaign_id" => (Self::CampaignId, "/campaign_id"),
            "publisher_id" => (Self::PublisherId, "/publisher_id"),
            "medium" => (Self::Medium, "/medium"),
            "ad_id" => (Self::AdId, "/ad_id"),
            "element_id" => (Self::ElementId, "/element_id"),
            "link" => (Self::Link, "/link"),
            "user_id" => (Self::UserId, "/user_id"),
            "session_id" => (Self::SessionId, "/session_id"),
            "anonymous_id" => (Self::AnonymousId, "/anonymous_id"),
            "sub1" => (Self::Sub1, "/sub1"),
            "sub2" => (Self::Sub2, "/sub2"),
            "sub3" => (Self::Sub3, "/sub3"),
            "sub4" => (Self::Sub4, "/sub4"),
            "sub5" => (Self::Sub5, "/sub5"),
            "value" => (Self::Value, "/value"),
            "currency" => (Self::Currency, "/currency"),
            "props" => (Self::Props, "/props"),
            "click_id" => (Self::ClickId, "/click_id"),
            "txid" => (Self::Txid, "/txid"),
            "status" => (Self::Status, "/status"),
            "consent" => (Self::Consent, "/consent"),
            "optout" => (Self::OptOut, "/optout"),
            _ => return None,
        })
    }

    /// The field of that query parameter: the short name of a pixel, or the one in JSON.
    pub(super) fn of_query(name: &str) -> Option<(Self, &'static str)> {
        Some(match name {
            "eid" => (Self::EventId, "/eid"),
            "t" => (Self::EventTime, "/t"),
            "et" => (Self::Kind, "/et"),
            "u" => (Self::PageUrl, "/u"),
            "r" => (Self::Referrer, "/r"),
            "cid" => (Self::CampaignId, "/cid"),
            "pub" => (Self::PublisherId, "/pub"),
            "med" => (Self::Medium, "/med"),
            "ad" => (Self::AdId, "/ad"),
            "el" => (Self::ElementId, "/el"),
            "uid" => (Self::UserId, "/uid"),
            "sid" => (Self::SessionId, "/sid"),
            "aid" => (Self::AnonymousId, "/aid"),
            "v" => (Self::Value, "/v"),
            "cur" => (Self::Currency, "/cur"),
            // A query has no objects.
            "props" => return None,
            _ => return Self::of_json(name),
        })
    }

    /// The field of that parameter of a short link. Few, because the others may be the destination's.
    pub(super) fn of_redirect(name: &str) -> Option<(Self, &'static str)> {
        match name {
            "eid" | "sid" | "uid" | "aid" | "sub1" | "sub2" | "sub3" | "sub4" | "sub5" | "consent"
            | "optout" => Self::of_query(name),
            _ => None,
        }
    }

    /// The field's place in a set of fields.
    pub(super) fn bit(self) -> u32 {
        1 << self as u32
    }
}
