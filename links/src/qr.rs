//! QR codes of short links. The code is a library's, the pictures are ours.

mod crc;
mod options;
mod png;
mod svg;

use analytics::Reject;
use qrcodegen::QrCode;

pub use options::{Format, Options};

use crate::Link;

/// What a scan says of itself, in the query of the address that the code holds: typed or clicked, the link does not
/// have it.
const SCANNED: &str = "src=qr";

impl Link {
    /// The address that the link's code holds. `base_url` is where the service is reached.
    ///
    /// With the longest token in the longest script and a host name of 253 characters it has 1,045 bytes; a code at
    /// the highest level of correction holds 1,273.
    pub fn code_url(&self, base_url: &str) -> String {
        format!("{}?{SCANNED}", self.short_url(base_url))
    }
}

/// A picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// Its kind.
    pub format: Format,
    /// The file.
    pub bytes: Vec<u8>,
}

impl Image {
    /// An entity tag: the same for the same bytes. 32 bits are enough for the versions of one address.
    pub fn tag(&self) -> String {
        format!("\"{:08x}\"", crc::crc(&[&self.bytes]))
    }
}

/// The picture of a code that holds the text. The same text and options give the same bytes.
///
/// The level of correction is raised where that takes no larger code.
///
/// # Errors
/// The text does not fit into any code, or the code not into the picture.
pub fn draw(text: &str, options: &Options) -> Result<Image, Reject> {
    let Ok(code) = QrCode::encode_binary(text.as_bytes(), options.ec) else {
        return Err(Reject::new("/ec", "leaves no room for an address of this length"));
    };
    let modules = Modules { code, margin: options.margin };
    if options.size < modules.side() {
        let detail = format!("is too small: the code and its margin take {} pixels", modules.side());
        return Err(Reject::new("/size", detail));
    }
    let bytes = match options.format {
        Format::Svg => svg::draw(&modules, options).into_bytes(),
        Format::Png => png::draw(&modules, options),
    };
    Ok(Image { format: options.format, bytes })
}

/// A code with its margin.
struct Modules {
    code: QrCode,
    margin: u32,
}

impl Modules {
    /// How many modules it is wide and high.
    fn side(&self) -> u32 {
        self.code.size() as u32 + 2 * self.margin
    }

    /// Whether a module is dark; what is outside of the code is not.
    fn dark(&self, x: u32, y: u32) -> bool {
        let inside = |at: u32| at as i32 - self.margin as i32;
        self.code.get_module(inside(x), inside(y))
    }
}

#[cfg(test)]
mod tests;
