//! From a file's bytes to its thumbnail's, with nothing read from anywhere.

use std::{fmt, io::Cursor};

use image::{
    DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, ImageResult, Limits,
    codecs::{gif::GifEncoder, jpeg::JpegEncoder, png::PngEncoder, webp::WebPEncoder},
    metadata::Orientation,
};

use crate::{
    jpeg,
    scale::{fit, shrink},
};

/// What a decoder may allocate for each pixel of [`Bounds::max_pixels`]: four channels of 16 bits, as PNG has them.
const MAX_BYTES_A_PIXEL: u64 = 8;
const JPEG_QUALITY: u8 = 80;

/// What is decoded, and how large it becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Width times height. Memory goes by it: a photograph takes three bytes a pixel, a progressive one up to nine, and a
    /// PNG with transparency and 16 bits a channel twelve. Beside that there is room for the file, twice.
    pub max_pixels: u64,
    /// The longest side of a thumbnail in pixels.
    pub side: u32,
}

/// A thumbnail, and what it was made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Thumbnail {
    /// The same as the original's.
    pub(crate) format: ImageFormat,
    /// The file. It has no metadata.
    pub(crate) content: Vec<u8>,
    /// Width and height of the thumbnail, upright.
    pub(crate) size: (u32, u32),
    /// Width and height of the original, as it is stored.
    pub(crate) original_size: (u32, u32),
}

/// Why a file has no thumbnail. Another try would find the same.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ImageProblem {
    #[error("the object is empty")]
    Empty,
    #[error("no image of a known format (JPEG, PNG, GIF, WebP)")]
    UnknownFormat,
    #[error("{width} by {height} pixels, more than the {max_pixels} that are decoded")]
    TooManyPixels { width: u32, height: u32, max_pixels: u64 },
    #[error("a truncated JPEG image")]
    Truncated,
    #[error("a broken {} image", Name(*format))]
    Broken { format: ImageFormat, source: ImageError },
    #[error("the thumbnail cannot be written as {}", Name(*format))]
    Encoding { format: ImageFormat, source: ImageError },
}

/// Makes the thumbnail of a file: the same format, upright, without metadata; of an animation its first picture.
///
/// What the file is, its content says and not its name. The size is known before anything is decoded, and a decoder
/// that would allocate more than eight bytes for each allowed pixel stops. The same file gives the same bytes.
pub(crate) fn make(file: &[u8], bounds: Bounds) -> Result<Thumbnail, ImageProblem> {
    if file.is_empty() {
        return Err(ImageProblem::Empty);
    }
    let format = sniff(file)?;
    let broken = |source| ImageProblem::Broken { format, source };
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(bounds.max_pixels.saturating_mul(MAX_BYTES_A_PIXEL));
    let mut reader = ImageReader::with_format(Cursor::new(file), format);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(broken)?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > bounds.max_pixels {
        return Err(ImageProblem::TooManyPixels { width, height, max_pixels: bounds.max_pixels });
    }
    if format == ImageFormat::Jpeg && !jpeg::is_complete(file) {
        return Err(ImageProblem::Truncated);
    }
    // An orientation that cannot be read is as good as none: the picture can be seen.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let image = DynamicImage::from_decoder(decoder).map_err(broken)?;
    let mut small = shrink(image, fit((width, height), bounds.side));
    small.apply_orientation(orientation);
    let content = encode(&small, format).map_err(|source| ImageProblem::Encoding { format, source })?;
    Ok(Thumbnail { format, content, size: (small.width(), small.height()), original_size: (width, height) })
}

/// The format by the file's first bytes.
fn sniff(file: &[u8]) -> Result<ImageFormat, ImageProblem> {
    match image::guess_format(file) {
        Ok(format @ (ImageFormat::Jpeg | ImageFormat::Png | ImageFormat::Gif | ImageFormat::WebP)) => Ok(format),
        _ => Err(ImageProblem::UnknownFormat),
    }
}

fn encode(image: &DynamicImage, format: ImageFormat) -> ImageResult<Vec<u8>> {
    let mut content = Vec::new();
    match format {
        ImageFormat::Jpeg => {
            image.write_with_encoder(JpegEncoder::new_with_quality(&mut content, JPEG_QUALITY))?;
        }
        ImageFormat::Gif => encode_gif(image, &mut content)?,
        ImageFormat::WebP => image.write_with_encoder(WebPEncoder::new_lossless(&mut content))?,
        _ => image.write_with_encoder(PngEncoder::new(&mut content))?,
    }
    Ok(content)
}

/// A pixel of a GIF is there or not: one that is more than half transparent is not.
fn encode_gif(image: &DynamicImage, content: &mut Vec<u8>) -> ImageResult<()> {
    let mut image = image.to_rgba8();
    for pixel in image.pixels_mut() {
        pixel.0[3] = if pixel.0[3] < 128 { 0 } else { u8::MAX };
    }
    GifEncoder::new(content).encode(&image, image.width(), image.height(), image::ExtendedColorType::Rgba8)
}

/// A format as people write it.
pub(crate) struct Name(pub(crate) ImageFormat);

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            ImageFormat::Jpeg => "JPEG",
            ImageFormat::Gif => "GIF",
            ImageFormat::WebP => "WebP",
            _ => "PNG",
        })
    }
}

#[cfg(test)]
mod tests;
