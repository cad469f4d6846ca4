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
    if let Some((&byte @ ..0x80, rest)) = bytes.split_first() {
        return Some((byte.into(), rest));
    }
    let mut value = 0;
    for (place, byte) in bytes.iter().take(10).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            return Some((value, bytes.get(place + 1..)?));
        }
    }
    None
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
        fn a_number_is_read_as_it_was_written(value: u64, signed: i64) {
            let mut bytes = Vec::new();
            put(value, &mut bytes);
            prop_assert_eq!(&bytes, &postcard::to_allocvec(&value).unwrap());
            bytes.push(7);
            prop_assert_eq!(take(&bytes), Some((value, &[7u8][..])));
            prop_assert_eq!(unzigzag(zigzag(signed)), signed);
            prop_assert_eq!(take(&bytes[..bytes.len() - 2]), None);
        }
    }
}
