//! The picture as pixels: one bit each, into a palette of two.
//!
//! Written here, because a code's picture is the easiest there is (every row is repeated for as many pixels as a
//! module is high): 0.6 KB of wasm (gzip), where a compressor for everything is 10 KB and the `png` crate 19 KB.

use super::crc::crc;
use super::options::Colour;
use super::{Modules, Options};

const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";

/// A picture of exactly the size that was asked for. Modules are whole pixels, or they would come out uneven;
/// what is left is added to the margin.
pub(super) fn draw(modules: &Modules, options: &Options) -> Vec<u8> {
    let size = options.size;
    let scale = size / modules.side();
    let left = size - scale * modules.side();
    let (before, after) = (left / 2, left - left / 2);

    let blank = scanline(size, std::iter::empty());
    let mut pixels = Zlib::new();
    pixels.rows(&blank, before);
    for y in 0..modules.side() {
        let dark = (0..modules.side()).filter(|&x| modules.dark(x, y));
        let dark = dark.flat_map(|x| (0..scale).map(move |pixel| before + x * scale + pixel));
        pixels.rows(&scanline(size, dark), scale);
    }
    pixels.rows(&blank, after);

    let mut png = SIGNATURE.to_vec();
    let mut header = [size.to_be_bytes(); 2].concat();
    // One bit a pixel, by palette; deflate, the usual filters, not interlaced.
    header.extend_from_slice(&[1, 3, 0, 0, 0]);
    chunk(&mut png, *b"IHDR", &header);
    let palette = [options.bg.unwrap_or(Colour::WHITE).0, options.fg.0];
    chunk(&mut png, *b"PLTE", palette.as_flattened());
    if options.bg.is_none() {
        chunk(&mut png, *b"tRNS", &[0]);
    }
    chunk(&mut png, *b"IDAT", &pixels.finish());
    chunk(&mut png, *b"IEND", &[]);
    png
}

fn chunk(png: &mut Vec<u8>, kind: [u8; 4], data: &[u8]) {
    png.extend_from_slice(&(data.len() as u32).to_be_bytes());
    png.extend_from_slice(&kind);
    png.extend_from_slice(data);
    png.extend_from_slice(&crc(&[&kind, data]).to_be_bytes());
}

/// A row of pixels behind the byte that says it is not filtered.
fn scanline(size: u32, dark: impl Iterator<Item = u32>) -> Vec<u8> {
    let mut row = vec![0; 1 + size.div_ceil(8) as usize];
    for x in dark {
        if let Some(byte) = row.get_mut(1 + x as usize / 8) {
            *byte |= 0x80 >> (x % 8);
        }
    }
    row
}

/// A zlib stream (RFC 1950) of one block with the fixed codes of deflate (RFC 1951).
struct Zlib {
    bytes: Vec<u8>,
    /// Bits that do not fill a byte yet, the first one lowest.
    held: u32,
    bits: u32,
    /// Adler-32's two sums, modulo 65,521.
    sums: (u64, u64),
}

impl Zlib {
    const MODULUS: u64 = 65_521;

    fn new() -> Self {
        let mut zlib = Self { bytes: vec![0x78, 0x01], held: 0, bits: 0, sums: (1, 0) };
        zlib.put(0b011, 3); // the last block, with fixed codes
        zlib
    }

    /// The same row so many times: once as it is, and then a copy of itself. Nothing is done pixel by pixel: the
    /// sums of a row, too, tell what it adds to the stream's.
    fn rows(&mut self, row: &[u8], times: u32) {
        if times == 0 {
            return;
        }
        let mut rest = row;
        while let Some(&byte) = rest.first() {
            let run = rest.iter().take_while(|&&other| other == byte).count();
            self.symbol(byte.into());
            match run - 1 {
                0 => {}
                few @ 1..=2 => (0..few).for_each(|_| self.symbol(byte.into())),
                many => self.copy(many, 1),
            }
            rest = rest.get(run..).unwrap_or_default();
        }
        self.copy(row.len() * (times as usize - 1), row.len());

        let length = row.len() as u64;
        let sum: u64 = row.iter().map(|&byte| u64::from(byte)).sum();
        let weighed: u64 =
            row.iter().zip((1..=length).rev()).map(|(&byte, weight)| u64::from(byte) * weight).sum();
        for _ in 0..times {
            let (a, b) = self.sums;
            self.sums = ((a + sum) % Self::MODULUS, (b + length * a + weighed) % Self::MODULUS);
        }
    }

    /// What stood `distance` bytes before, for none or at least 3 bytes.
    fn copy(&mut self, mut length: usize, distance: usize) {
        while length > 0 {
            // 258 is the most, and less than 3 may not be left.
            let part = if matches!(length, 259 | 260) { 255 } else { length.min(258) };
            let (symbol, extra, bits) = match part as u32 - 3 {
                255 => (28, 0, 0),
                more => prefix(more, 2),
            };
            self.symbol(257 + symbol);
            self.put(extra, bits);
            let (symbol, extra, bits) = prefix(distance as u32 - 1, 1);
            self.put(symbol.reverse_bits() >> 27, 5);
            self.put(extra, bits);
            length -= part;
        }
    }

    /// A literal (0..256), the end (256) or a length (257..286). Codes go in with their first bit first.
    fn symbol(&mut self, symbol: u32) {
        let (code, bits) = match symbol {
            0..=143 => (0x30 + symbol, 8),
            144..=255 => (0x190 + symbol - 144, 9),
            256..=279 => (symbol - 256, 7),
            _ => (0xc0 + symbol - 280, 8),
        };
        self.put(code.reverse_bits() >> (32 - bits), bits);
    }

    fn put(&mut self, value: u32, bits: u32) {
        self.held |= value << self.bits;
        self.bits += bits;
        while self.bits >= 8 {
            self.bytes.push(self.held as u8);
            self.held >>= 8;
            self.bits -= 8;
        }
    }

    fn finish(mut self) -> Vec<u8> {
        self.symbol(256);
        self.put(0, 7); // the last byte is filled
        let (a, b) = self.sums;
        self.bytes.extend_from_slice(&((b << 16 | a) as u32).to_be_bytes());
        self.bytes
    }
}

/// Deflate's way with lengths and distances: a symbol for the magnitude and the next `bits` bits below the highest
/// one, then the rest of the number as it is. Symbol, the rest, and how many bits it has.
fn prefix(number: u32, bits: u32) -> (u32, u32, u32) {
    let rest = number.checked_ilog2().unwrap_or(0).saturating_sub(bits);
    ((rest << bits) + (number >> rest), number & ((1 << rest) - 1), rest)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lengths_and_distances_have_the_standards_symbols() {
        // RFC 1951, section 3.2.5
        let lengths = [
            (3, 257, 0),
            (10, 264, 0),
            (11, 265, 1),
            (18, 268, 1),
            (19, 269, 2),
            (130, 280, 4),
            (257, 284, 5),
        ];
        for (length, symbol, bits) in lengths {
            let (found, _, rest) = prefix(length - 3, 2);
            assert_eq!((257 + found, rest), (symbol, bits), "{length}");
        }
        for (distance, symbol, bits) in
            [(1, 0, 0), (4, 3, 0), (5, 4, 1), (7, 5, 1), (9, 6, 2), (256, 15, 6), (513, 18, 8)]
        {
            let (found, _, rest) = prefix(distance - 1, 1);
            assert_eq!((found, rest), (symbol, bits), "{distance}");
        }
    }

    proptest! {
        #[test]
        fn rows_are_unpacked_as_they_were(
            rows in prop::collection::vec((prop::collection::vec(prop_oneof![Just(0u8), any::<u8>()], 9), 0..300u32), 1..20)
        ) {
            let mut zlib = Zlib::new();
            let mut plain = Vec::new();
            for (row, times) in &rows {
                zlib.rows(row, *times);
                plain.extend(row.repeat(*times as usize));
            }
            let packed = zlib.finish();
            let mut unpacked = Vec::new();
            std::io::Read::read_to_end(&mut flate2::read::ZlibDecoder::new(&*packed), &mut unpacked).unwrap();
            prop_assert_eq!(unpacked, plain);
        }
    }
}
