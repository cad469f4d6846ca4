//! Why an event was not taken for a person's.

/// Why. A closed vocabulary: reports and filters name these and no others. The order is the bit's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// The user agent says that it is a crawler, a monitor, a feed fetcher.
    UaList,
    /// The user agent is a programming library's default.
    UaGenericLibrary,
    /// A browser without a window, or one driven by a program.
    Headless,
    /// No user agent, or one that names nothing. Browsers and the privacy tools in them always name one.
    EmptyUa,
    /// The method was HEAD. No browser follows a link so; link checkers, previews and mail gateways do.
    HeadRequest,
    /// The browser fetched it in case the person goes there. If the person does, that is another request.
    Prefetch,
    /// A messenger or network draws its preview of the link.
    LinkPreview,
    /// A mail gateway looks for malware behind the link.
    EmailScanner,
    /// A mail provider fetches images on its reader's behalf.
    ImageProxy,
    /// The network is a hosting company's.
    DatacenterAsn,
    /// The platform knows the crawler by its address.
    VerifiedBot,
    /// It followed a link that no person sees, or the same visitor did so before.
    Honeypot,
    /// The visitor follows more links at once than a person can.
    Burst,
    /// Its headers contradict each other.
    ImpossibleHints,
}

impl Reason {
    /// Every reason, in the order of its bit.
    pub const ALL: [Self; 14] = [
        Self::UaList,
        Self::UaGenericLibrary,
        Self::Headless,
        Self::EmptyUa,
        Self::HeadRequest,
        Self::Prefetch,
        Self::LinkPreview,
        Self::EmailScanner,
        Self::ImageProxy,
        Self::DatacenterAsn,
        Self::VerifiedBot,
        Self::Honeypot,
        Self::Burst,
        Self::ImpossibleHints,
    ];

    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::UaList => "ua_list",
            Self::UaGenericLibrary => "ua_generic_library",
            Self::Headless => "headless",
            Self::EmptyUa => "empty_ua",
            Self::HeadRequest => "head_request",
            Self::Prefetch => "prefetch",
            Self::LinkPreview => "link_preview",
            Self::EmailScanner => "email_scanner",
            Self::ImageProxy => "image_proxy",
            Self::DatacenterAsn => "datacenter_asn",
            Self::VerifiedBot => "verified_bot",
            Self::Honeypot => "honeypot",
            Self::Burst => "burst",
            Self::ImpossibleHints => "impossible_hints",
        }
    }
}

/// A set of reasons.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Reasons(u32);

impl Reasons {
    /// These reasons and that one.
    #[must_use]
    pub fn with(self, reason: Reason) -> Self {
        Self(self.0 | 1 << reason as u32)
    }

    /// Whether the reason is among them.
    pub fn has(self, reason: Reason) -> bool {
        self.0 & 1 << reason as u32 != 0
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The set as a number; the bits are those of [`Reason::ALL`].
    pub fn bits(self) -> u32 {
        self.0
    }

    /// Their names, in the order of [`Reason::ALL`].
    pub fn iter(self) -> impl Iterator<Item = &'static str> {
        Reason::ALL.into_iter().filter(move |reason| self.has(*reason)).map(Reason::name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Stored numbers: a bit that moved would change what old events were marked for.
    #[test]
    fn bits_are_pinned() {
        for (bit, reason) in Reason::ALL.into_iter().enumerate() {
            assert_eq!(Reasons::default().with(reason).bits(), 1 << bit);
        }
        let names: Vec<_> = Reasons(u32::MAX).iter().collect();
        assert_eq!(names.len(), 14);
        assert_eq!((names[0], names[13]), ("ua_list", "impossible_hints"));
    }
}
