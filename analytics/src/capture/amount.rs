//! Amounts of money: decimal text to integer micros, digit by digit.

/// The largest amount of one event: a billion units. It is below 2^53, which is what JavaScript carries exactly.
pub const AMOUNT_MAX_MICROS: i64 = 1_000_000_000_000_000;

const NOT_DECIMAL: &str = "is not a decimal number";
const TOO_LARGE: &str = "is beyond a billion";

/// Reads `[+-]digits[.digits][e[+-]digits]` exactly, without a float in between: `0.1` is 100,000 micros. What
/// is finer than a millionth is rounded, half away from zero, so that a client's own float noise
/// (`19.990000000000002`) does no harm.
pub(crate) fn micros(text: &str) -> Result<i64, &'static str> {
    let text = text.trim();
    let (sign, text) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, power(exponent)?),
        None => (text, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if (whole.is_empty() && fraction.is_empty()) || !digits(whole) || !digits(fraction) {
        return Err(NOT_DECIMAL);
    }
    let mut left = whole.len() as i64 + exponent + 6; // digits that still belong to the micros
    let mut micros: i64 = 0;
    for digit in whole.bytes().chain(fraction.bytes()) {
        if left <= 0 {
            micros += i64::from(left == 0 && digit >= b'5');
            break;
        }
        micros = micros * 10 + i64::from(digit - b'0');
        left -= 1;
        if micros > AMOUNT_MAX_MICROS {
            return Err(TOO_LARGE);
        }
    }
    // Ends after 16 rounds at the latest, because `micros` is 0 or grows beyond the limit.
    while left > 0 && micros > 0 && micros <= AMOUNT_MAX_MICROS {
        micros *= 10;
        left -= 1;
    }
    if micros > AMOUNT_MAX_MICROS { Err(TOO_LARGE) } else { Ok(sign * micros) }
}

fn digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A power of ten, kept within bounds in which sums with it cannot overflow.
fn power(text: &str) -> Result<i64, &'static str> {
    let (sign, text) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    if text.is_empty() || !digits(text) {
        return Err(NOT_DECIMAL);
    }
    Ok(sign * text.parse::<i64>().unwrap_or(i64::MAX).min(1_000_000_000_000))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_amount_is_exact() {
        for (text, expected) in [
            ("0", 0),
            ("-0", 0),
            ("1", 1_000_000),
            ("0.1", 100_000),
            (".5", 500_000),
            ("5.", 5_000_000),
            ("+12.30", 12_300_000),
            ("-12.345678", -12_345_678),
            (" 19.99 ", 19_990_000),
            ("19.990000000000002", 19_990_000),
            ("0.0000005", 1),
            ("0.00000049", 0),
            ("-0.0000005", -1),
            ("0.9999995", 1_000_000),
            ("1e2", 100_000_000),
            ("1.5E+2", 150_000_000),
            ("15e-1", 1_500_000),
            ("1e-7", 0),
            ("5e-7", 1),
            ("0e99999999999999999999", 0),
            ("1e-99999999999999999999", 0),
            ("000000000000000000000000001", 1_000_000),
            ("1000000000", AMOUNT_MAX_MICROS),
            ("-1e9", -AMOUNT_MAX_MICROS),
            ("900719925.4740993", 900_719_925_474_099),
        ] {
            assert_eq!(micros(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        for text in ["", "-", ".", "e1", "1e", "1e+", "1,5", "1.2.3", "0x10", "NaN", "inf", "1 2", "--1", "١"]
        {
            assert_eq!(micros(text), Err(NOT_DECIMAL), "{text}");
        }
        let longest = "9".repeat(100_000);
        for text in ["1000000001", "1000000000.000001", "-1e10", "1e99999999999999999999", &longest] {
            assert_eq!(micros(text), Err(TOO_LARGE), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_an_amount_or_is_none(
            text in ".*",
            near in "[+-]?[0-9]{0,30}\\.?[0-9]{0,30}(e[+-]?[0-9]{0,25})?",
        ) {
            let _ = (micros(&text), micros(&near));
        }

        #[test]
        fn written_amounts_are_read_back(amount in -AMOUNT_MAX_MICROS..=AMOUNT_MAX_MICROS) {
            let sign = if amount < 0 { "-" } else { "" };
            let (units, rest) = (amount.abs() / 1_000_000, amount.abs() % 1_000_000);
            prop_assert_eq!(micros(&format!("{sign}{units}.{rest:06}")), Ok(amount));
        }
    }
}
