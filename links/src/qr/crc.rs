//! The check sum of PNG (CRC-32 of ISO 3309).

/// What half a byte adds: the usual table for whole bytes is 1 KB and the fast ones 16 KB, for pictures of 2 KB.
const TABLE: [u32; 16] = {
    let mut table = [0; 16];
    let mut nibble = 0;
    while nibble < 16 {
        let (mut sum, mut bit) = (nibble as u32, 0);
        while bit < 4 {
            sum = if sum & 1 == 1 { sum >> 1 ^ 0xedb8_8320 } else { sum >> 1 };
            bit += 1;
        }
        #[expect(clippy::indexing_slicing, reason = "below the table's length")]
        {
            table[nibble] = sum;
        }
        nibble += 1;
    }
    table
};

/// The sum of the parts, one behind the other.
pub(super) fn crc(parts: &[&[u8]]) -> u32 {
    let step = |sum: u32, nibble: u32| {
        sum >> 4 ^ TABLE.get(((sum ^ nibble) & 15) as usize).copied().unwrap_or_default()
    };
    !parts.iter().copied().flatten().fold(!0, |sum, &byte| {
        let sum = step(sum, byte.into());
        step(sum, u32::from(byte) >> 4)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_check_value_is_the_standards() {
        assert_eq!(crc(&[b"1234", b"56789"]), 0xcbf4_3926);
    }

    proptest! {
        #[test]
        fn it_is_the_sum_that_gzip_has(bytes: Vec<u8>) {
            let mut wanted = flate2::Crc::new();
            wanted.update(&bytes);
            prop_assert_eq!(crc(&[&bytes]), wanted.sum());
        }
    }
}
