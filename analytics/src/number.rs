//! Numbers of as many bytes as they need, as postcard writes them.

/// Appends a number: seven bits a byte, the lowest first.
#[inline]
pub fn put(mut value: u64, out: &mut Vec<u8>) {
    while value > 0x7f {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Reads a number.
#[inline]
pub fn take(bytes: &[u8]) -> Option<(u64, &[u8])> {
    match bytes.split_first() {
        Some((&byte @ ..0x80, rest)) => Some((byte.into(), rest)),
        _ => take_long(bytes),
    }
}

/// Times have six bytes and hashes ten: eight are looked at in one go.
fn take_long(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (mut value, mut read) = (0, 0);
    if let Some(eight) = bytes.first_chunk() {
        let word = u64::from_le_bytes(*eight);
        let ends = !word & 0x8080_8080_8080_8080;
        if ends != 0 {
            // The byte whose highest bit is not set is the last.
            let behind = ends.trailing_zeros() + 1;
            return Some((sevens(word << (64 - behind) >> (64 - behind)), bytes.get(behind as usize / 8..)?));
        }
        (value, read) = (sevens(word), 8);
    }
    for (place, byte) in bytes.iter().enumerate().take(10).skip(read) {
        value |= u64::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            return Some((value, bytes.get(place + 1..)?));
        }
    }
    None
}

/// The low seven bits of each byte, close together: of each two first, of each four, of all.
#[inline]
fn sevens(word: u64) -> u64 {
    let twos = (word & 0x007f_007f_007f_007f) | (word & 0x7f00_7f00_7f00_7f00) >> 1;
    let fours = (twos & 0x0000_3fff_0000_3fff) | (twos & 0x3fff_0000_3fff_0000) >> 2;
    (fours & 0x0fff_ffff) | (fours & 0x0fff_ffff_0000_0000) >> 4
}

/// Small numbers of either sign as small numbers.
pub fn zigzag(value: i64) -> u64 {
    (value << 1 ^ value >> 63) as u64
}

/// Undoes [`zigzag`].
pub fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_number_is_read_as_it_was_written(any: u64, bits in 0..64u32, signed: i64) {
            let value = any >> bits;
            let mut bytes = Vec::new();
            put(value, &mut bytes);
            prop_assert_eq!(&bytes, &postcard::to_allocvec(&value).unwrap());
            bytes.push(7);
            prop_assert_eq!(take(&bytes), Some((value, &[7u8][..])));
            bytes.extend([0xff; 9]);
            prop_assert_eq!(take(&bytes), Some((value, &bytes[bytes.len() - 10..])), "with more behind it");
            bytes.truncate(bytes.len() - 9);
            prop_assert_eq!(unzigzag(zigzag(signed)), signed);
            prop_assert_eq!(take(&bytes[..bytes.len() - 2]), None);
        }
    }
}
