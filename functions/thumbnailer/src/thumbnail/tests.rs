use image::{GenericImageView, GrayImage, ImageBuffer, ImageEncoder, Luma, Rgb, RgbImage, Rgba, RgbaImage};
use proptest::prelude::*;

use super::*;

const BOUNDS: Bounds = Bounds { max_pixels: 1_000_000, side: 64 };
const FORMATS: [ImageFormat; 4] = [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::Gif, ImageFormat::WebP];

const RED: [u8; 3] = [220, 20, 20];
const GREEN: [u8; 3] = [20, 200, 20];
const BLUE: [u8; 3] = [20, 20, 220];
const WHITE: [u8; 3] = [250, 250, 250];

/// Four quadrants: red and green above blue and white.
fn quadrants(width: u32, height: u32) -> DynamicImage {
    let colour = |x, y| match (x < width / 2, y < height / 2) {
        (true, true) => RED,
        (false, true) => GREEN,
        (true, false) => BLUE,
        (false, false) => WHITE,
    };
    RgbImage::from_fn(width, height, |x, y| Rgb(colour(x, y))).into()
}

fn file(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    image.write_to(&mut file, format).unwrap();
    file.into_inner()
}

/// EXIF with an orientation and, as telephones write them, a pointer to where the photograph was taken.
fn exif(orientation: u8) -> Vec<u8> {
    let mut exif = b"II*\0\x08\0\0\0\x02\0".to_vec();
    exif.extend([0x12, 0x01, 3, 0, 1, 0, 0, 0, orientation, 0, 0, 0]);
    exif.extend([0x25, 0x88, 4, 0, 1, 0, 0, 0, 38, 0, 0, 0]);
    exif.extend(b"\0\0\0\0GPS 37.5665 N 126.9780 E");
    exif
}

fn with_exif(image: &DynamicImage, format: ImageFormat, orientation: u8) -> Vec<u8> {
    let mut file = Vec::new();
    let exif = exif(orientation);
    match format {
        ImageFormat::Jpeg => {
            let mut encoder = JpegEncoder::new_with_quality(&mut file, 95);
            encoder.set_exif_metadata(exif).unwrap();
            image.write_with_encoder(encoder).unwrap();
        }
        ImageFormat::Png => {
            let mut encoder = PngEncoder::new(&mut file);
            encoder.set_exif_metadata(exif).unwrap();
            image.write_with_encoder(encoder).unwrap();
        }
        _ => {
            let mut encoder = WebPEncoder::new_lossless(&mut file);
            encoder.set_exif_metadata(exif).unwrap();
            image.write_with_encoder(encoder).unwrap();
        }
    }
    file
}

fn decoded(thumbnail: &Thumbnail) -> DynamicImage {
    image::load_from_memory_with_format(&thumbnail.content, thumbnail.format).unwrap()
}

/// The colours in the middle of the quadrants: above left, above right, below left, below right.
fn corners(image: &DynamicImage) -> [[u8; 3]; 4] {
    let (width, height) = image.dimensions();
    [(1, 1), (3, 1), (1, 3), (3, 3)].map(|(x, y)| {
        let Rgba([red, green, blue, _]) = image.get_pixel(width * x / 4, height * y / 4);
        [red, green, blue]
    })
}

#[track_caller]
fn assert_colours(found: [[u8; 3]; 4], expected: [[u8; 3]; 4], what: &str) {
    let close = |(a, b): (&[u8; 3], &[u8; 3])| a.iter().zip(b).all(|(a, b)| a.abs_diff(*b) <= 24);
    assert!(found.iter().zip(&expected).all(close), "{what}: {found:?}, not {expected:?}");
}

#[test]
fn each_format_gives_a_thumbnail_of_its_own_format_that_fits_and_shows_the_same() {
    for format in FORMATS {
        let thumbnail = make(&file(&quadrants(400, 300), format), BOUNDS).unwrap();
        assert_eq!((thumbnail.format, thumbnail.size, thumbnail.original_size), (format, (64, 48), (400, 300)));
        assert_eq!(image::guess_format(&thumbnail.content).unwrap(), format);
        let small = decoded(&thumbnail);
        assert_eq!(small.dimensions(), (64, 48));
        assert_colours(corners(&small), [RED, GREEN, BLUE, WHITE], &format!("{format:?}"));
    }
}

#[test]
fn an_image_that_fits_keeps_its_size_and_one_that_is_a_line_keeps_a_pixel() {
    for format in FORMATS {
        for (size, expected) in [((40, 30), (40, 30)), ((1, 1), (1, 1)), ((640, 2), (64, 1)), ((3, 900), (1, 64))] {
            let thumbnail = make(&file(&quadrants(size.0, size.1), format), BOUNDS).unwrap();
            assert_eq!(thumbnail.size, expected, "{format:?} of {size:?}");
            assert_eq!(decoded(&thumbnail).dimensions(), expected);
        }
    }
}

#[test]
fn all_eight_orientations_are_made_upright() {
    // Which corner of the picture as stored is seen where: EXIF says where the stored first row and first column are.
    let [a, b, c, d] = [RED, GREEN, BLUE, WHITE];
    let upright = [
        [a, b, c, d],
        [b, a, d, c],
        [d, c, b, a],
        [c, d, a, b],
        [a, c, b, d],
        [c, a, d, b],
        [d, b, c, a],
        [b, d, a, c],
    ];
    for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP] {
        for (orientation, expected) in (1..).zip(upright) {
            let thumbnail = make(&with_exif(&quadrants(400, 200), format, orientation), BOUNDS).unwrap();
            let size = if orientation < 5 { (64, 32) } else { (32, 64) };
            assert_eq!((thumbnail.size, thumbnail.original_size), (size, (400, 200)), "orientation {orientation}");
            assert_colours(corners(&decoded(&thumbnail)), expected, &format!("{format:?}, orientation {orientation}"));
        }
    }
}

#[test]
fn an_orientation_that_exif_does_not_know_is_as_none() {
    let thumbnail = make(&with_exif(&quadrants(400, 200), ImageFormat::Jpeg, 77), BOUNDS).unwrap();
    assert_colours(corners(&decoded(&thumbnail)), [RED, GREEN, BLUE, WHITE], "orientation 77");
}

#[test]
fn where_a_photograph_was_taken_is_not_in_its_thumbnail() {
    for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP] {
        for size in [400, 20] {
            let original = with_exif(&quadrants(size, size), format, 6);
            let holds = |file: &[u8], text: &[u8]| file.windows(text.len()).any(|window| window == text);
            assert!(holds(&original, b"37.5665 N"), "the check sees it where it is");
            let thumbnail = make(&original, BOUNDS).unwrap();
            assert!(!holds(&thumbnail.content, b"37.5665 N"), "{format:?} of {size}");
            let mut decoder = ImageReader::with_format(Cursor::new(&thumbnail.content), format).into_decoder().unwrap();
            assert_eq!(decoder.exif_metadata().unwrap(), None, "{format:?} of {size}");
        }
    }
}

#[test]
fn transparency_is_kept() {
    let half = RgbaImage::from_fn(300, 300, |x, _| if x < 150 { Rgba([255, 0, 0, 255]) } else { Rgba([0; 4]) });
    for format in [ImageFormat::Png, ImageFormat::Gif, ImageFormat::WebP] {
        let small = decoded(&make(&file(&half.clone().into(), format), BOUNDS).unwrap());
        assert_eq!(small.get_pixel(10, 30).0[3], 255, "{format:?}");
        assert_eq!(small.get_pixel(50, 30).0[3], 0, "{format:?}");
    }
}

#[test]
fn grey_and_16_bit_images_become_8_bit_ones() {
    let grey = GrayImage::from_pixel(200, 100, Luma([90]));
    let deep_grey = ImageBuffer::<Luma<u16>, _>::from_pixel(200, 100, Luma([90 * 257]));
    let deep_colour = ImageBuffer::<Rgb<u16>, _>::from_pixel(200, 100, Rgb([90 * 257; 3]));
    let deep_with_alpha =
        ImageBuffer::<Rgba<u16>, _>::from_pixel(200, 100, Rgba([90 * 257, 90 * 257, 90 * 257, 65_535]));
    let images: [DynamicImage; 4] = [grey.clone().into(), deep_grey.into(), deep_colour.into(), deep_with_alpha.into()];
    for image in images {
        let small = decoded(&make(&file(&image, ImageFormat::Png), BOUNDS).unwrap());
        let channels = small.color().channel_count();
        assert_eq!(small.color().bytes_per_pixel(), channels, "{:?} became {:?}", image.color(), small.color());
        assert_eq!(small.get_pixel(5, 5), Rgba([90, 90, 90, 255]), "{:?}", image.color());
    }
    let jpeg = decoded(&make(&file(&grey.into(), ImageFormat::Jpeg), BOUNDS).unwrap());
    assert_eq!((jpeg.dimensions(), jpeg.color().channel_count()), ((64, 32), 1), "a grey JPEG stays grey");
}

#[test]
fn progressive_and_cmyk_jpegs_are_read() {
    for (name, file) in
        [("progressive", &include_bytes!("progressive.jpg")[..]), ("CMYK", &include_bytes!("cmyk.jpg")[..])]
    {
        let small = decoded(&make(file, BOUNDS).unwrap());
        assert_eq!(small.dimensions(), (16, 8));
        assert_colours(corners(&small), [[200, 30, 60]; 4], name);
    }
}

#[test]
fn of_an_animation_the_first_picture_is_taken() {
    let mut file = Vec::new();
    let frame = |colour| image::Frame::new(RgbaImage::from_pixel(100, 100, Rgba(colour)));
    let frames = [frame([255, 0, 0, 255]), frame([0, 0, 255, 255])];
    GifEncoder::new(&mut file).encode_frames(frames).unwrap();
    let small = decoded(&make(&file, BOUNDS).unwrap());
    assert_eq!(small.get_pixel(30, 30), Rgba([255, 0, 0, 255]));
}

/// A PNG of 1 by 1 pixels whose header says otherwise.
fn png_that_claims(width: u32, height: u32) -> Vec<u8> {
    let mut png = file(&quadrants(1, 1), ImageFormat::Png);
    png[16..20].copy_from_slice(&width.to_be_bytes());
    png[20..24].copy_from_slice(&height.to_be_bytes());
    let crc = png[12..29].iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 })
    });
    png[29..33].copy_from_slice(&(!crc).to_be_bytes());
    png
}

#[test]
fn an_image_with_too_many_pixels_is_not_decoded() {
    let mut gif = file(&quadrants(1, 1), ImageFormat::Gif);
    gif[6..10].copy_from_slice(&[0xFF; 4]);
    for bomb in [png_that_claims(60_000, 60_000), png_that_claims(1_000, 1_001), gif] {
        let problem = make(&bomb, BOUNDS).unwrap_err();
        assert!(matches!(problem, ImageProblem::TooManyPixels { .. }), "{problem:?}");
    }
    let problem = make(&png_that_claims(1_000, 1_000), BOUNDS).unwrap_err();
    assert!(matches!(problem, ImageProblem::Broken { .. }), "as many as allowed, but not there: {problem:?}");
}

#[test]
fn a_file_that_ends_early_is_refused_wherever_it_ends() {
    for format in FORMATS {
        let file = file(&quadrants(200, 200), format);
        for eighths in 1..8 {
            let truncated = &file[..file.len() * eighths / 8];
            make(truncated, BOUNDS).expect_err(&format!("{eighths} eighths of a {format:?}"));
        }
    }
    let photograph = with_exif(&quadrants(200, 200), ImageFormat::Jpeg, 1);
    let problem = make(&photograph[..photograph.len() / 2], BOUNDS).unwrap_err();
    assert!(matches!(problem, ImageProblem::Truncated), "{problem:?}");
}

#[test]
fn what_is_no_image_is_refused_whatever_it_is_named() {
    assert!(matches!(make(b"", BOUNDS), Err(ImageProblem::Empty)));
    for file in [&b"Dear Sir or Madam"[..], b"BM", b"<svg xmlns='http://www.w3.org/2000/svg'/>", &[0; 64]] {
        assert!(matches!(make(file, BOUNDS), Err(ImageProblem::UnknownFormat)), "{file:?}");
    }
}

#[test]
fn the_same_file_gives_the_same_bytes() {
    for format in FORMATS {
        let file = file(&quadrants(333, 222), format);
        assert_eq!(make(&file, BOUNDS).unwrap(), make(&file, BOUNDS).unwrap(), "{format:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn damage_gives_a_thumbnail_or_a_problem_and_no_more_pixels_than_allowed(
        format in proptest::sample::select(&FORMATS[..]),
        damage in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let mut file = with_exif_where_it_can(&quadrants(48, 32), format);
        for (place, byte) in damage {
            *place.get_mut(&mut file) = byte;
        }
        // A decoder may panic: the function catches that. It may not take memory without bound.
        let outcome = std::panic::catch_unwind(|| make(&file, BOUNDS));
        if let Ok(Ok(thumbnail)) = outcome {
            prop_assert!(thumbnail.size.0 <= BOUNDS.side && thumbnail.size.1 <= BOUNDS.side);
        }
    }
}

fn with_exif_where_it_can(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    if format == ImageFormat::Gif { file(image, format) } else { with_exif(image, format, 6) }
}
