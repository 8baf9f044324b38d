//! What a large photograph costs the built thumbnailer.

use std::sync::{Arc, Mutex};

use hyper::{Method, Response, body::Bytes};

use crate::{
    http::Server,
    lambda::{Lambda, event},
    sample_events::sample,
};

const MIB: u64 = 1_048_576;
/// Half of the smallest memory the function should have. A real photograph of this size took 94 MiB.
const MEMORY_LIMIT: u64 = 128 * MIB;

/// A JPEG of 6,000 by 4,000 pixels, all of them grey, and 8 MB of comment: as many bytes to carry and as many pixels to
/// hold as a photograph has. Colours are at half the resolution, as cameras have them.
///
/// Each table of codes has one code, the bit 0: for a difference of nothing, and for the end of a block. Then a block is
/// two zero bits, and 93,750 units of six blocks are nothing but zeros.
fn photograph() -> Vec<u8> {
    let segment = |marker: u8, content: &[u8]| {
        let length = u16::try_from(content.len() + 2).unwrap().to_be_bytes();
        [&[0xFF, marker], &length[..], content].concat()
    };
    let codes = |class_and_id: u8| segment(0xC4, &[&[class_and_id, 1], &[0; 15][..], &[0]].concat());
    let comments = segment(0xFE, &vec![b'.'; 65_533]).repeat(122);
    let size_and_channels = [8, 0x0F, 0xA0, 0x17, 0x70, 3, 1, 0x22, 0, 2, 0x11, 0, 3, 0x11, 0];
    [
        vec![0xFF, 0xD8],
        comments,
        segment(0xDB, &[&[0], &[1; 64][..]].concat()),
        segment(0xC0, &size_and_channels),
        codes(0x00),
        codes(0x10),
        segment(0xDA, &[3, 1, 0, 2, 0, 3, 0, 0, 63, 0]),
        vec![0; 93_750 * 12 / 8],
        vec![0xFF, 0xD9],
    ]
    .concat()
}

#[tokio::test]
async fn a_photograph_of_24_megapixels_takes_two_requests_and_little_more_memory_than_its_pixels() {
    let (photograph, requests) = (Bytes::from(photograph()), Arc::<Mutex<Vec<_>>>::default());
    let seen = requests.clone();
    let bucket = Server::start(move |request| {
        let answer = if request.method() == Method::GET { photograph.clone() } else { Bytes::new() };
        seen.lock().unwrap().push((request.method().clone(), request.uri().path().to_owned(), request.into_body()));
        async { Response::new(http_body_util::Full::new(answer)) }
    })
    .await;
    let url = format!("http://{}", bucket.address());
    let settings = [("AWS_ENDPOINT_URL", url.as_str()), ("THUMBNAIL_BUCKET", "thumbnails")];
    let thumbnailer = Lambda::start("thumbnailer", &settings).await;

    let invoked = thumbnailer.invoke(sample::read("sqs/s3-sns-raw")).await;
    assert_eq!(event::handed_back(invoked.response()), [""; 0]);
    let peak = thumbnailer.peak_memory().await;
    assert!(peak > 72 * MIB, "the pixels were never there: {peak}");
    assert!(peak < MEMORY_LIMIT, "{} MiB", peak / MIB);

    let requests = std::mem::take(&mut *requests.lock().unwrap());
    let [(Method::GET, read, _), (Method::PUT, written, thumbnail)] = requests.as_slice() else {
        panic!("other than one read and one write: {requests:?}");
    };
    let key = "%EC%82%AC%EC%A7%84/%EB%B4%84%20%EC%86%8C%ED%92%8D%201%2B1.jpg";
    assert_eq!([read, written], [&format!("/amzn-s3-demo-bucket/{key}"), &format!("/thumbnails/{key}")]);
    assert_eq!(thumbnail[..2], [0xFF, 0xD8]);

    let sizes = r#""image.width":6000,"image.height":4000,"thumbnail.width":256,"thumbnail.height":171"#;
    let lines = thumbnailer.output().await;
    assert!(lines.iter().any(|line| line.contains("thumbnail made") && line.contains(sizes)), "{lines:#?}");
}
