//! Sums over digits.

/// The value of a character in base 36.
pub(crate) fn base36(byte: u8) -> Option<u32> {
    char::from(byte)
        .to_digit(36)
        .filter(|_| !byte.is_ascii_lowercase())
}

/// The number written by the characters, letters as two digits, modulo 97 (ISO 7064).
pub(crate) fn mod97(bytes: impl Iterator<Item = u8>) -> Option<u32> {
    let mut rest = 0;
    for byte in bytes {
        let value = base36(byte)?;
        rest = (rest * if value > 9 { 100 } else { 10 } + value) % 97;
    }
    Some(rest)
}

/// Whether the digits hold by Luhn (ISO 7812).
pub(crate) fn luhn(digits: &str) -> bool {
    let mut sum = 0;
    for (place, byte) in digits.bytes().rev().enumerate() {
        let digit = base36(byte).unwrap_or(0);
        sum += match (place % 2, digit) {
            (0, digit) => digit,
            (_, digit) if digit > 4 => 2 * digit - 9,
            (_, digit) => 2 * digit,
        };
    }
    sum % 10 == 0
}
