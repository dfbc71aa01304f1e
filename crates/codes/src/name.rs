//! [`PersonName`]: the name of a person that is only shown masked.

use crate::{MASK, masked_text};

/// The name of a person (姓名), shown as `张*` or `A**** S****`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PersonName(String);

masked_text!(PersonName, mask_name);

/// The name with the first letter of each word shown, and nothing of a word of one letter.
///
/// Chinese names have no blanks, so the first character of the family name stays. The length stays, and a
/// masked name stays as it is.
///
/// ```
/// use quanfu_codes::mask_name;
/// assert_eq!(mask_name("张三"), "张*");
/// assert_eq!(mask_name("ALICE SMITH"), "A**** S****");
/// ```
#[must_use]
pub fn mask_name(name: &str) -> String {
    let mut masked = String::with_capacity(name.len());
    let mut characters = name.chars().peekable();
    let mut starts_word = true;
    while let Some(character) = characters.next() {
        let ends_word = characters.peek().is_none_or(|next| next.is_whitespace());
        masked.push(if character.is_whitespace() {
            ' ' // also for a line break, which has no place in a table
        } else if starts_word && !ends_word && character.is_alphanumeric() {
            character
        } else {
            MASK
        });
        starts_word = character.is_whitespace();
    }
    masked
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_show_the_first_letter_of_each_word() {
        for (name, want) in [
            ("", ""),
            ("张", "*"),
            ("张三", "张*"),
            ("欧阳娜娜", "欧***"),
            ("ALICE SMITH", "A**** S****"),
            ("Alice B Smith", "A**** * S****"),
            (" Bob", " B**"),
            ("O'Neil", "O*****"),
            ("阿凡提·买买提", "阿******"),
            ("张\u{3000}三丰", "* 三*"),
            ("Bob\nEve", "B** E**"),
            ("\u{1b}[31mEve", "********"),
        ] {
            assert_eq!(mask_name(name), want, "{}", name.escape_debug());
        }
    }

    proptest! {
        #[test]
        fn masked_names_never_contain_the_whole(name in "[A-Za-z张三李四'·]{1,12}( [A-Za-z王五]{1,8}){0,3}") {
            prop_assert!(!mask_name(&name).contains(&name));
        }

        #[test]
        fn masking_twice_changes_nothing_and_any_text_can_be_masked(name in any::<String>()) {
            let masked = mask_name(&name);
            prop_assert_eq!(mask_name(&masked), masked.clone());
            prop_assert!(!masked.contains(char::is_control));
            let wrapped = PersonName::new(name.clone());
            prop_assert_eq!(wrapped.to_string(), masked.clone());
            prop_assert_eq!(format!("{wrapped:?}"), format!("PersonName({masked})"));
            prop_assert_eq!(wrapped.reveal(), name);
        }
    }
}
