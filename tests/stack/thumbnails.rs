//! Images on their way through the filter, and what is none.

use aws_sdk_s3::primitives::ByteStream;

use super::{Stack, job::run_mark, log::Log, queue, turn::beside_others};

/// A PNG of 960 x 600 pixels, as `local/demo/picture.py` draws it for the demo.
fn picture() -> Vec<u8> {
    let script = "import sys, picture; sys.stdout.buffer.write(picture.png(960, 600))";
    let folder = super::repository().join("local/demo");
    let output = std::process::Command::new("python3").args(["-c", script]).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

pub(super) async fn upload(stack: &Stack, key: &str, body: Vec<u8>) {
    let put = stack.s3.put_object().bucket(stack.output("UploadBucketName")).key(key);
    put.body(ByteStream::from(body)).send().await.unwrap();
}

#[tokio::test]
async fn an_uploaded_image_has_its_thumbnail_under_the_same_key_and_other_files_pass_by() {
    let (stack, _turn) = (Stack::of_make_test(), beside_others().await);
    let mut log = Log::from_now(&stack, "ThumbnailerFunctionName");
    let mut worker = Log::from_now(&stack, "SqsWorkerFunctionName");
    let run = run_mark("thumbnail");
    let (image, text) = (format!("{run}/해 질 녘+1.PNG"), format!("{run}/notes.txt"));
    upload(&stack, &text, b"no image".to_vec()).await;
    upload(&stack, &image, picture()).await;

    let made = log.line("thumbnail made", |line| line.text("object.key") == image).await;
    assert_eq!([made.field("thumbnail.width"), made.field("thumbnail.height")], [256, 160]);
    let bucket = stack.output("ThumbnailBucketName");
    let object = stack.s3.get_object().bucket(bucket).key(&image).send().await.unwrap();
    assert_eq!(object.content_type(), Some("image/png"));
    let bytes = object.body.collect().await.unwrap().into_bytes();
    // The header of a PNG: width and height.
    assert_eq!(&bytes[16..24], [0, 0, 1, 0, 0, 0, 0, 160]);

    // The worker sees both uploads: when it has the text, the filter has had it as well.
    worker.line("object processed", |line| line.text("object.key") == text).await;
    queue::is_empty(&stack, "ThumbnailQueueUrl").await;
    let lines = log.read().await;
    assert!(!lines.iter().any(|line| line.text("object.key") == text), "the filter let {text} through");
}

#[tokio::test]
async fn a_file_that_only_says_it_is_an_image_ends_in_the_dead_letter_queue_with_the_reason() {
    let (stack, _turn) = (Stack::of_make_test(), beside_others().await);
    let key = format!("{}/no-image.jpg", run_mark("broken"));
    upload(&stack, &key, b"This is no image.".to_vec()).await;
    let letter = queue::letter(&stack, "ThumbnailDeadLetterQueueUrl", &key).await;
    let reason = letter.attribute("sluicegate.reason").unwrap();
    assert!(reason.contains("known format"), "{reason}");
    queue::is_empty(&stack, "ThumbnailQueueUrl").await;
}
