//! What a request asks of the picture.

use std::fmt;
use std::ops::RangeInclusive;

use analytics::Reject;
use qrcodegen::QrCodeEcc;

/// From a favicon to a poster: 4,096 pixels are 35 cm at 300 dpi, and two MiB once unpacked.
const SIZES: RangeInclusive<u32> = 64..=4096;

/// The standard asks for 4 modules around a code; fewer are for those who have white around the picture anyway.
const MARGINS: RangeInclusive<u32> = 0..=16;

/// How much darker than the ground the modules have to be, of 255 shades of grey: the 40 % from which
/// ISO/IEC 15415 grades the contrast of a symbol as fair (C).
const CONTRAST: u32 = 102;

/// The kind of picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Scales to any size.
    Svg,
    /// Two colours.
    Png,
}

impl Format {
    /// The ending of a file's name.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Svg => "svg",
            Self::Png => "png",
        }
    }

    /// The media type.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Svg => "image/svg+xml",
            Self::Png => "image/png",
        }
    }
}

/// Red, green, blue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Colour(pub(super) [u8; 3]);

impl Colour {
    pub(super) const BLACK: Self = Self([0; 3]);
    pub(super) const WHITE: Self = Self([255; 3]);

    /// `rgb` or `rrggbb`, with `#` or without.
    fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('#').unwrap_or(text);
        // Anything longer would push digits out.
        let short = match digits.len() {
            3 => true,
            6 => false,
            _ => return None,
        };
        let number = digits.chars().try_fold(0, |number, digit| Some(number << 4 | digit.to_digit(16)?))?;
        let [_, red, green, blue] = u32::to_be_bytes(number);
        Some(Self(if short {
            [green & 15, blue >> 4, blue & 15].map(|digit| digit * 17)
        } else {
            [red, green, blue]
        }))
    }

    /// How light it is to a reader, which sees no colours: 0 to 255, weighed as television does.
    fn grey(self) -> u32 {
        let [red, green, blue] = self.0.map(u32::from);
        (299 * red + 587 * green + 114 * blue) / 1_000
    }
}

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [red, green, blue] = self.0;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

/// How a code is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// The kind of picture.
    pub format: Format,
    /// Its width and height, pixels.
    pub(super) size: u32,
    /// Modules around the code.
    pub(super) margin: u32,
    /// How much of the code may be damaged, at least: 7, 15, 25, 30 %.
    pub(super) ec: QrCodeEcc,
    /// The modules.
    pub(super) fg: Colour,
    /// The ground; `None` lets what is behind the picture through.
    pub(super) bg: Option<Colour>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            format: Format::Svg,
            size: 512,
            margin: 4,
            ec: QrCodeEcc::Medium,
            fg: Colour::BLACK,
            bg: Some(Colour::WHITE),
        }
    }
}

impl Options {
    /// Reads a query string: `format, size, margin, ec, fg, bg`, each with a default.
    ///
    /// Light modules on a dark ground are refused as well as faint ones: the standard allows them, but many
    /// readers do not try. A transparent ground is taken for white, as most pages are.
    ///
    /// # Errors
    /// Every parameter that has to be corrected.
    pub fn parse(query: &str) -> Result<Self, Vec<Reject>> {
        let (mut options, mut rejects) = (Self::default(), Vec::new());
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            if let Err(detail) = options.take(&name, &value) {
                rejects.push(Reject::new(format!("/{name}"), detail));
            }
        }
        let ground = options.bg.unwrap_or(Colour::WHITE);
        if rejects.is_empty() && ground.grey() < options.fg.grey() + CONTRAST {
            rejects
                .push(Reject::new("/fg", "is not dark enough against bg: readers would not find the code"));
        }
        if rejects.is_empty() { Ok(options) } else { Err(rejects) }
    }

    /// Takes over one parameter, or says what is wrong with it.
    fn take(&mut self, name: &str, value: &str) -> Result<(), &'static str> {
        let number = |range: RangeInclusive<u32>| value.parse().ok().filter(|n| range.contains(n));
        match name {
            "format" => {
                self.format = match value {
                    "svg" => Format::Svg,
                    "png" => Format::Png,
                    _ => return Err("is neither svg nor png"),
                }
            }
            "size" => self.size = number(SIZES).ok_or("is not a number from 64 to 4096")?,
            "margin" => self.margin = number(MARGINS).ok_or("is not a number from 0 to 16")?,
            "ec" => {
                self.ec = match value {
                    "L" | "l" => QrCodeEcc::Low,
                    "M" | "m" => QrCodeEcc::Medium,
                    "Q" | "q" => QrCodeEcc::Quartile,
                    "H" | "h" => QrCodeEcc::High,
                    _ => return Err("is none of L, M, Q, H"),
                }
            }
            "bg" if value == "transparent" => self.bg = None,
            "fg" | "bg" => {
                let colour = Colour::parse(value).ok_or("is no colour of 3 or 6 hexadecimal digits")?;
                if name == "fg" { self.fg = colour } else { self.bg = Some(colour) }
            }
            _ => return Err("is no parameter of this route"),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn everything_has_a_default() {
        assert_eq!(Options::parse(""), Ok(Options::default()));
        assert_eq!(
            Options::parse("format=svg&size=512&margin=4&ec=m&fg=000&bg=FFFFFF&"),
            Ok(Options::default())
        );
    }

    #[test]
    fn a_query_says_it_all() {
        let wanted = Options {
            format: Format::Png,
            size: 64,
            margin: 0,
            ec: QrCodeEcc::High,
            fg: Colour([0x11, 0x22, 0x33]),
            bg: None,
        };
        assert_eq!(Options::parse("format=png&size=64&margin=0&ec=H&fg=%23123&bg=transparent"), Ok(wanted));
        assert_eq!(Options::parse("format=png&size=64&margin=0&ec=h&fg=112233&bg=transparent"), Ok(wanted));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (query, pointers) in [
            ("format=gif", &["/format"][..]),
            ("format=PNG&ec=", &["/format", "/ec"]),
            ("size=63", &["/size"]),
            ("size=4097&margin=17", &["/size", "/margin"]),
            ("size=1e3", &["/size"]),
            ("margin=-1", &["/margin"]),
            ("fg=red&bg=", &["/fg", "/bg"]),
            ("fg=transparent", &["/fg"]),
            ("fg=12345", &["/fg"]),
            ("fg=%2B12", &["/fg"]),
            ("fg=00000000&bg=%23%23fff", &["/fg", "/bg"]),
            ("colour=000&Size=100", &["/colour", "/Size"]),
        ] {
            let rejects = Options::parse(query).unwrap_err();
            let named: Vec<_> = rejects.iter().map(|reject| &*reject.pointer).collect();
            assert_eq!(named, pointers, "{query}");
        }
    }

    #[test]
    fn modules_are_darker_than_their_ground() {
        for good in
            ["fg=999", "fg=00f", "fg=f00", "fg=080", "fg=000&bg=666", "fg=06c&bg=transparent", "bg=ff0"]
        {
            assert!(Options::parse(good).is_ok(), "{good}");
        }
        for bad in
            ["fg=aaa", "fg=ff0", "fg=fff&bg=000", "bg=000", "bg=00f", "fg=3f3", "fg=ccc&bg=transparent"]
        {
            let rejects = Options::parse(bad).unwrap_err();
            assert_eq!((rejects.len(), &*rejects[0].pointer), (1, "/fg"), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn any_query_is_answered(query in prop_oneof![
            any::<String>(),
            "((format|size|margin|ec|fg|bg|x)=[0-9a-fA-FLMQH#%+-]{0,7}&?){0,4}",
        ]) {
            match Options::parse(&query) {
                Ok(options) => prop_assert!(SIZES.contains(&options.size) && MARGINS.contains(&options.margin)),
                Err(rejects) => prop_assert!(!rejects.is_empty()),
            }
        }

        #[test]
        fn a_colour_is_read_back(rgb: [u8; 3]) {
            prop_assert_eq!(Colour::parse(&Colour(rgb).to_string()), Some(Colour(rgb)));
        }
    }
}
