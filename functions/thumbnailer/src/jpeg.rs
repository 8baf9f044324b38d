//! What the decoder does not say of a JPEG file.

const MARKER: u8 = 0xFF;
const START_OF_SCAN: u8 = 0xDA;
const END_OF_IMAGE: u8 = 0xD9;

/// Whether the file goes on to the end of its image. The decoder takes what there is of a truncated one and leaves the
/// rest grey.
///
/// Looks for the marker `EOI` behind the first scan: before it, the preview inside EXIF has one of its own. Compressed
/// data cannot hold it by chance, as a zero follows each 0xFF there. See
/// [ITU T.81, B.1.1](https://www.w3.org/Graphics/JPEG/itu-t81.pdf).
pub(crate) fn is_complete(file: &[u8]) -> bool {
    first_scan(file).is_some_and(|scan| scan.windows(2).any(|pair| pair == [MARKER, END_OF_IMAGE]))
}

/// The file from its first scan on. Each segment before it says how long it is.
fn first_scan(file: &[u8]) -> Option<&[u8]> {
    let mut rest = file.get(2..)?;
    loop {
        match *rest {
            [MARKER, MARKER, ..] => rest = &rest[1..],
            [MARKER, START_OF_SCAN, ..] => return Some(rest),
            [MARKER, _, high, low, ..] => rest = rest.get(2 + usize::from(u16::from_be_bytes([high, low]))..)?,
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &[u8] = &[0xFF, 0xD8, 0xFF, 0xE1, 0, 4, 0xFF, 0xD9, 0xFF, 0xDA, 0, 2, 1, 0xFF, 0, 2, 0xFF, 0xD9];

    #[test]
    fn a_file_is_complete_when_its_image_ends_whatever_follows() {
        assert!(is_complete(WHOLE));
        assert!(is_complete(&[WHOLE, b"what a telephone adds"].concat()));
    }

    #[test]
    fn the_end_of_a_preview_is_not_the_end_of_the_image() {
        for length in 0..WHOLE.len() {
            assert!(!is_complete(&WHOLE[..length]), "the first {length} bytes");
        }
    }
}
