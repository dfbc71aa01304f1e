//! [`AccountNumber`]: an account, card or IBAN number that is only shown masked.

use crate::{MASK, masked_text};

/// The number of an account, a card or an IBAN (账号、卡号), shown as `6222***********3445`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountNumber(String);

masked_text!(AccountNumber, mask_account);

/// The number with at most its first four and last four characters shown, and never more than half of it.
///
/// Of short numbers the end is kept rather than the beginning. Only letters and digits are ever shown;
/// separators are masked too. The length stays, and a masked number stays as it is.
///
/// ```
/// use quanfu_codes::mask_account;
/// assert_eq!(mask_account("6222020200112233445"), "6222***********3445");
/// assert_eq!(mask_account("12345"), "1***5");
/// assert_eq!(mask_account("7"), "*");
/// ```
#[must_use]
pub fn mask_account(number: &str) -> String {
    const SHOWN_AT_EACH_END: usize = 4;
    let length = number.chars().count();
    let shown = (length / 2).min(2 * SHOWN_AT_EACH_END);
    mask_ends(number, shown / 2, shown.div_ceil(2))
}

/// A text with so many characters shown at its beginning and its end, where they are letters or digits.
pub(crate) fn mask_ends(text: &str, head: usize, tail: usize) -> String {
    let length = text.chars().count();
    text.chars()
        .enumerate()
        .map(|(index, character)| {
            let at_an_end = index < head || index >= length.saturating_sub(tail);
            if at_an_end && character.is_alphanumeric() {
                character
            } else {
                MASK
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_show_at_most_four_at_each_end_and_half_in_all() {
        for (number, want) in [
            ("", ""),
            ("7", "*"),
            ("12", "*2"),
            ("123", "**3"),
            ("1234", "1**4"),
            ("12345", "1***5"),
            ("123456", "1***56"),
            ("12345678", "12****78"),
            ("1234567890", "12*****890"),
            ("123456789012345", "123********2345"),
            ("1234567890123456", "1234********3456"),
            ("6222020200112233445", "6222***********3445"),
            ("DE89370400440532013000", "DE89**************3000"),
            ("DE89 3704 0044 0532 0130 00", "DE89*******************0*00"),
            ("user@example.com", "user*********com"),
            ("账号一二三四", "账***三四"),
            ("\u{1b}[0m12345678\n", "**0*******78*"),
        ] {
            assert_eq!(mask_account(number), want, "{}", number.escape_debug());
        }
    }

    proptest! {
        #[test]
        fn masked_numbers_never_contain_the_whole(number in "[0-9A-Za-z \\-@.一二三]{1,40}") {
            let masked = mask_account(&number);
            prop_assert!(!masked.contains(&number));
            prop_assert_eq!(masked.chars().count(), number.chars().count());
            let shown = masked.chars().filter(|&c| c != MASK).count();
            prop_assert!(shown <= 8 && 2 * shown <= number.chars().count());
        }

        #[test]
        fn masking_twice_changes_nothing_and_any_text_can_be_masked(number in any::<String>()) {
            let masked = mask_account(&number);
            prop_assert_eq!(mask_account(&masked), masked.clone());
            prop_assert!(!masked.contains(char::is_control));
            let wrapped = AccountNumber::new(number.clone());
            prop_assert_eq!(wrapped.to_string(), masked.clone());
            prop_assert_eq!(format!("{wrapped:?}"), format!("AccountNumber({masked})"));
            prop_assert_eq!(wrapped.reveal(), number);
        }
    }
}
