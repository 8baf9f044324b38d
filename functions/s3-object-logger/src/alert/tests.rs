use proptest::{collection::vec, prelude::*};
use serde_json::json;
use sluicegate::events::read_object_events;

use super::*;

/// An object event as EventBridge sends it, where names are not encoded.
fn object(detail_type: &str, bucket: &str, key: &str, size: Option<u64>) -> ObjectEvent {
    let event = json!({
        "detail-type": detail_type,
        "source": "aws.s3",
        "time": "2025-03-14T09:26:53Z",
        "detail": {"bucket": {"name": bucket}, "object": {"key": key, "size": size}},
    });
    read_object_events(&event.to_string()).unwrap().objects.remove(0)
}

fn created(key: &str) -> ObjectEvent {
    object("Object Created", "uploads", key, None)
}

fn sms_of(objects: &[ObjectEvent]) -> String {
    sms(&objects.iter().collect::<Vec<_>>())
}

#[test]
fn one_object_is_named_with_its_bucket_and_size() {
    let objects = [object("Object Created", "uploads", "2025/march report.csv", Some(12_345_678))];
    assert_eq!(sms_of(&objects), "Object created: uploads/2025/march report.csv (12.3 MB)");
}

#[test]
fn several_objects_are_counted_and_named_by_their_file_names() {
    let objects = [created("2025/a.jpg"), created("b.jpg"), created("new folder/")];
    assert_eq!(sms_of(&objects), "3 objects created: a.jpg, b.jpg, new folder/");
}

#[test]
fn names_without_room_are_counted() {
    let objects: Vec<_> = (0..50).map(|number| created(&format!("in/photo-{number:03}.jpg"))).collect();
    let text = sms_of(&objects);
    assert_eq!(
        text,
        "50 objects created: photo-000.jpg, photo-001.jpg, photo-002.jpg, photo-003.jpg, photo-004.jpg, photo-005.jpg, \
         photo-006.jpg, photo-007.jpg and 42 more"
    );
    assert!(text.chars().count() + ", photo-008.jpg".len() > 160);
}

#[test]
fn a_long_name_keeps_its_end_and_the_cut_is_marked() {
    let text = sms_of(&[created(&format!("{}/march.csv", "folder/".repeat(100)))]);
    assert!(text.starts_with("Object created: ..."), "{text}");
    assert!(text.ends_with("folder//march.csv"), "{text}");
    assert_eq!(text.chars().count(), 160);
}

#[test]
fn a_long_korean_name_fills_70_units() {
    let text = sms_of(&[object("Object Created", "uploads", &format!("{}.jpg", "한글".repeat(100)), Some(5))]);
    assert!(text.ends_with("한글.jpg (5 bytes)"), "{text}");
    assert_eq!(text.encode_utf16().count(), 70, "{text}");
}

#[test]
fn cutting_a_korean_folder_off_leaves_room_for_160_characters() {
    let text = sms_of(&[created(&format!("{}/{}.csv", "한".repeat(60), "a".repeat(130)))]);
    assert!(text.chars().count() > 140, "{text}");
    assert!(text.ends_with(&format!("/{}.csv", "a".repeat(130))), "{text}");
}

#[test]
fn a_long_first_name_of_several_is_cut_and_the_others_are_counted() {
    let text = sms_of(&[created(&"é".repeat(500)), created("b.jpg"), created("c.jpg")]);
    assert!(text.starts_with("3 objects created: ...é"), "{text}");
    assert!(text.ends_with("é and 2 more"), "{text}");
    assert_eq!(text.chars().count(), 160);
}

#[test]
fn what_happened_is_said() {
    let removed = object("Object Deleted", "uploads", "a", None);
    let restored = object("Object Restore Completed", "uploads", "b", None);
    assert_eq!(sms(&[&removed]), "Object removed: uploads/a");
    assert_eq!(sms(&[&restored]), "Object event: uploads/b");
    assert_eq!(sms(&[&removed, &removed]), "2 objects removed: a, a");
    assert_eq!(sms(&[&removed, &created("c")]), "2 object events: a, c");
}

#[test]
fn control_characters_and_turned_text_reach_nobody_raw() {
    let objects = [created("a\r\n\u{1b}[2J\u{202e}gpj.exe\u{2028}\0")];
    assert_eq!(sms_of(&objects), "Object created: uploads/a???[2J?gpj.exe??");
    assert_eq!(message(&[&objects[0]]).lines().count(), 3);
}

#[test]
fn sizes_are_said_in_units_people_read() {
    for (bytes, text) in [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1_000, "1.0 kB"),
        (10_485_761, "10.4 MB"),
        (5_000_000_000_000, "5000.0 GB"),
        (u64::MAX, "18446744073.7 GB"),
    ] {
        assert_eq!(human_size(bytes), text);
    }
}

#[test]
fn the_topic_message_has_a_line_an_object() {
    let large = object("Object Created", "uploads", "2025/한글 a+b.csv", Some(48_213));
    let removed = object("Object Deleted", "other", "old.csv", None);
    assert_eq!(
        message(&[&large, &removed]),
        "2 object events\n\n\
         - s3://uploads/2025/한글 a+b.csv, 48213 bytes, Object Created, by route s3-eventbridge\n\
         - s3://other/old.csv, Object Deleted, by route s3-eventbridge\n"
    );
    assert_eq!(subject(&[&large]), "Object created in uploads");
    assert_eq!(subject(&[&large, &removed, &large]), "3 object events in 2 buckets");
}

#[test]
fn the_topic_message_says_how_many_names_it_left_out() {
    let objects: Vec<_> = (0..123).map(|number| created(&format!("{number}.jpg"))).collect();
    let text = message(&objects.iter().collect::<Vec<_>>());
    assert_eq!(text.lines().filter(|line| line.starts_with("- ")).count(), 100);
    assert!(text.ends_with("99.jpg, Object Created, by route s3-eventbridge\nand 23 more\n"), "{text}");
}

#[test]
fn a_name_of_one_mebibyte_is_no_trouble() {
    let huge = created(&"한🦀`{".repeat(100_000));
    assert!(fits_one_sms(&sms(&[&huge])));
    assert!(message(&[&huge]).len() < 2_000);
}

/// Any text that an object's name may be; most of the time from alphabets that fill an SMS in different ways.
fn name() -> impl Strategy<Value = String> {
    prop_oneof!["\\PC{1,300}", "[a-z{}€한🦀/\\n]{1,300}", "(?s).{1,40}", "[a-z0-9/]{1,400}"]
}

fn event() -> impl Strategy<Value = ObjectEvent> {
    let detail_type = prop_oneof!["Object Created", "Object Deleted", "(?s).{0,300}"];
    (detail_type, name(), name(), any::<Option<u64>>())
        .prop_map(|(detail_type, bucket, key, size)| object(&detail_type, &bucket, &key, size))
}

proptest! {
    #[test]
    fn every_sms_fits_and_says_how_many(objects in vec(event(), 1..20)) {
        let text = sms_of(&objects);
        prop_assert!(fits_one_sms(&text), "{}", text);
        prop_assert!(!text.chars().any(char::is_control), "{:?}", text);
        if objects.len() > 1 {
            prop_assert!(text.starts_with(&format!("{} object", objects.len())), "{}", text);
        } else {
            prop_assert!(text.starts_with("Object "), "{}", text);
        }
    }

    #[test]
    fn every_sms_about_one_object_has_the_end_of_its_name(object in event()) {
        let last = printable(&object.key).chars().next_back().unwrap();
        let text = sms(&[&object]);
        let (name, _) = text.rsplit_once(" (").filter(|_| object.size_bytes.is_some()).unwrap_or((&text, ""));
        prop_assert!(name.ends_with(last), "{}", text);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn every_topic_message_is_one_sns_takes(objects in vec(event(), 1..130)) {
        let objects: Vec<_> = objects.iter().collect();
        let subject = subject(&objects);
        prop_assert!((1..100).contains(&subject.len()), "{}", subject);
        prop_assert!(subject.chars().all(|character| matches!(character, ' '..='~')), "{:?}", subject);
        let text = message(&objects);
        prop_assert!(text.len() <= 256 * 1_024);
        let lines = 2 + objects.len().min(MAX_LINES) + usize::from(objects.len() > MAX_LINES);
        prop_assert_eq!(text.lines().count(), lines);
    }
}
