//! What fits into one SMS.

/// Characters of one SMS when all of them are in GSM 03.38, those of the extension table counted twice.
const GSM_LIMIT: usize = 160;
/// UTF-16 units of one SMS as soon as one character is not.
const UCS2_LIMIT: usize = 70;

/// The GSM 03.38 basic set, without the escape character.
const BASIC: &str = concat!(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?",
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà",
);
/// Its extension table: an escape character stands before each of these.
const EXTENSION: &str = "\u{c}^{}\\[~]|€";

/// Whether SNS sends `text` as one SMS and does not split it into several, each of them paid for.
///
/// An SMS has 140 bytes: 160 characters of GSM 03.38, or 70 UTF-16 units, see
/// [Publish](https://docs.aws.amazon.com/sns/latest/api/API_Publish.html).
#[must_use]
pub fn fits_one_sms(text: &str) -> bool {
    match text.chars().map(septets).sum::<Option<usize>>() {
        Some(septets) => septets <= GSM_LIMIT,
        None => text.encode_utf16().count() <= UCS2_LIMIT,
    }
}

/// What a character takes in GSM 03.38; `None` for those it does not have, the backtick among them.
fn septets(character: char) -> Option<usize> {
    if BASIC.contains(character) {
        Some(1)
    } else if EXTENSION.contains(character) {
        Some(2)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_basic_set_has_128_places_one_of_them_the_escape() {
        assert_eq!(BASIC.chars().count(), 127);
        assert_eq!(EXTENSION.chars().count(), 10);
    }

    #[test]
    fn a_gsm_text_has_160_characters() {
        assert!(fits_one_sms(&"a".repeat(160)));
        assert!(!fits_one_sms(&"a".repeat(161)));
    }

    #[test]
    fn characters_of_the_extension_table_count_twice() {
        for character in ['{', '}', '[', ']', '~', '\\', '|', '^', '€'] {
            assert!(fits_one_sms(&character.to_string().repeat(80)), "{character}");
            let text = format!("a{}", character.to_string().repeat(80));
            assert!(!fits_one_sms(&text), "{character}");
        }
    }

    #[test]
    fn one_other_character_leaves_70_units() {
        for other in ["한", "`", "ç", "…"] {
            assert!(fits_one_sms(&format!("{other}{}", "a".repeat(69))), "{other}");
            assert!(!fits_one_sms(&format!("{other}{}", "a".repeat(70))), "{other}");
        }
        assert!(fits_one_sms(&"🦀".repeat(35)));
        assert!(!fits_one_sms(&"🦀".repeat(36)));
    }
}
