//! Compressed bodies, unpacked up to a bound.

use std::io::Read;

use flate2::bufread::MultiGzDecoder;

use crate::Reject;

/// The largest body after decompression: eight times the largest before it.
pub const UNZIPPED_MAX_BYTES: usize = 8 << 20;

/// Why a compressed body was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unzip {
    /// It is not gzip, or is cut short or corrupt.
    Malformed(Reject),
    /// It goes on beyond the bound.
    TooLarge(Reject),
}

/// Unpacks gzip. Stops at the bound, so that a bomb costs no more than an honest body of that size.
///
/// # Errors
/// [`Unzip`]
pub fn unzip(body: &[u8], max_bytes: usize) -> Result<Vec<u8>, Unzip> {
    let mut unpacked = Vec::with_capacity(body.len().saturating_mul(4).min(max_bytes));
    MultiGzDecoder::new(body)
        .take((max_bytes as u64).saturating_add(1))
        .read_to_end(&mut unpacked)
        .map_err(|error| Unzip::Malformed(Reject::new("", format!("is not valid gzip: {error}"))))?;
    if unpacked.len() > max_bytes {
        let detail = format!("is larger than {max_bytes} bytes after decompression");
        return Err(Unzip::TooLarge(Reject::new("", detail)));
    }
    Ok(unpacked)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{Compression, write::GzEncoder};
    use proptest::prelude::*;

    use super::*;

    fn zip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn members_are_unpacked_one_after_the_other() {
        assert_eq!(unzip(&[zip(b"[1,"), zip(b"2]")].concat(), 5).unwrap(), b"[1,2]");
    }

    #[test]
    fn a_bomb_stops_at_the_bound() {
        let bomb = zip(&vec![0; 4 << 20]);
        assert!(bomb.len() < 32 << 10);
        assert!(matches!(unzip(&bomb, 1 << 20), Err(Unzip::TooLarge(_))));
        assert_eq!(unzip(&bomb, 4 << 20).unwrap().len(), 4 << 20);
    }

    #[test]
    fn what_is_cut_or_corrupt_is_malformed() {
        let whole = zip(b"some text, some text");
        let mut corrupt = whole.clone();
        corrupt[15] ^= 0xff;
        for body in [
            b"".as_slice(),
            b"plain",
            &whole[..whole.len() - 1],
            &corrupt,
            &[&whole, b"x".as_slice()].concat(),
        ] {
            assert!(matches!(unzip(body, 100), Err(Unzip::Malformed(_))), "{body:?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_gzip_or_are_not(bytes: Vec<u8>) {
            let _ = unzip(&bytes, 1_000);
            let _ = unzip(&[&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0], bytes.as_slice()].concat(), 1_000);
            prop_assert_eq!(unzip(&zip(&bytes), 10_000).unwrap(), bytes);
        }
    }
}
