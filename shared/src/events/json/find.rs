//! What [`fields`](super::fields) looks for, found in an object and in those inside it on the way.

use std::borrow::Cow;

use super::{Field, Kind, Value, scan::Scan, text};

/// Every member of the object `json`, by name.
pub(crate) fn members(json: &str) -> Option<Vec<(Cow<'_, str>, &str)>> {
    let (mut scan, mut members) = (Scan::new(json), Vec::new());
    scan.object(|scan, name| {
        let value = scan.value()?;
        // A name that no text can hold is nobody's.
        members.extend(text(name).map(|name| (name, value)));
        Some(())
    })?;
    scan.end()?;
    Some(members)
}

/// The elements of the list `json`.
pub(super) fn elements(json: &str) -> Option<Vec<&str>> {
    let mut scan = Scan::new(json);
    let elements = list(&mut scan)?;
    scan.end()?;
    Some(elements)
}

/// Finds the fields in the object `json`.
pub(super) fn find<'a>(json: &'a str, found: &mut [Field<'a>]) -> Option<()> {
    let mut scan = Scan::new(json);
    object(&mut scan, found, "", &mut list)?;
    scan.end()
}

/// What is found of each element, or what else than an object it is.
pub(super) type Elements<'a, const N: usize> = Vec<Result<[Field<'a>; N], Kind>>;

/// Finds the fields in the object `json`, and those of the elements of the list among them; or in the list `json`.
pub(super) fn find_each<'a, const N: usize>(
    json: &'a str,
    found: &mut [Field<'a>],
    wanted: &[Field<'a>; N],
) -> Option<Elements<'a, N>> {
    let (mut scan, mut elements) = (Scan::new(json), Vec::new());
    let mut each = |scan: &mut Scan<'a>| {
        // Of two lists the last counts.
        elements = Vec::new();
        scan.list(|scan| {
            elements.push(if scan.peek()? == b'{' {
                let mut found = wanted.clone();
                object(scan, &mut found, "", &mut list)?;
                Ok(found)
            } else {
                Err(Kind::of(scan.value()?)?)
            });
            Some(())
        })?;
        Some(Vec::new())
    };
    if scan.peek()? == b'[' {
        each(&mut scan)?;
    } else {
        object(&mut scan, found, "", &mut each)?;
    }
    scan.end()?;
    Some(elements)
}

/// `prefix` is how far the paths have been followed: empty, or with a dot at its end; `list` reads the lists looked for.
fn object<'a>(
    scan: &mut Scan<'a>,
    found: &mut [Field<'a>],
    prefix: &'static str,
    list: &mut dyn FnMut(&mut Scan<'a>) -> Option<Vec<&'a str>>,
) -> Option<()> {
    scan.object(|scan, name| {
        match member(found, prefix, name) {
            Member::Wanted(place) => found[place].value = Value::Json(scan.value()?),
            Member::List(place) => {
                found[place].value = match scan.peek()? {
                    b'[' => Value::List(list(scan)?),
                    _ => Value::NoList(Kind::of(scan.value()?)?),
                }
            }
            Member::Path(prefix) if scan.peek()? == b'{' => object(scan, found, prefix, list)?,
            Member::Path(_) | Member::Unwanted => {
                scan.value()?;
            }
        }
        Some(())
    })
}

fn list<'a>(scan: &mut Scan<'a>) -> Option<Vec<&'a str>> {
    let mut elements = Vec::new();
    scan.list(|scan| {
        elements.push(scan.value()?);
        Some(())
    })?;
    Some(elements)
}

/// What a member is to those that are looked for.
enum Member {
    Wanted(usize),
    List(usize),
    /// Something in it is looked for: how far that is on the path.
    Path(&'static str),
    Unwanted,
}

fn member(found: &[Field<'_>], prefix: &'static str, quoted: &str) -> Member {
    let Some(key) = text(quoted) else { return Member::Unwanted };
    let start = prefix.len();
    for (place, Field { name, .. }) in found.iter().enumerate() {
        let Some(rest) = name.as_bytes().get(start..) else { continue };
        let Some((own, rest)) = rest.split_at_checked(key.len()) else { continue };
        let kind = match rest {
            [] => Member::Wanted(place),
            b"[]" => Member::List(place),
            [b'.', ..] => Member::Path(&name[..=start + key.len()]),
            _ => continue,
        };
        if own == key.as_bytes() && name.starts_with(prefix) && !key.contains('.') {
            return kind;
        }
    }
    Member::Unwanted
}
