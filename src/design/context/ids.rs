//! Node ids, short where the line above completes them.
//!
//! In a line, `#7` under `#2:5` is `2:7`. Inside an instance the API's ids are the instance's own with
//! `I` before and the component's ids behind it: there `#30:4` directly in `#2:23` is `I2:23;30:4`, and
//! `#5` beside or below that is `I2:23;30:5`. What follows the id before ([`follows`]) is left out in at
//! most two nodes running. Where a change names a layer of what it repeats, the last three digits do.

/// A node's id as it is written under its parent's. [`long`] gives it back.
pub(super) fn short<'a>(id: &'a str, parent: Option<&str>) -> &'a str {
    let Some(parent) = parent else { return id };
    if let Some(rest) = inside(id, parent) {
        return rest;
    }
    let (stem, last) = split(id);
    let (parent_stem, _) = split(parent);
    if stem == parent_stem && !last.is_empty() {
        return last;
    }
    // Without its instance's part, where that is the parent's too.
    match (id.rsplit_once(';'), parent.rsplit_once(';')) {
        (Some((outer, rest)), Some((parent_outer, _))) if outer == parent_outer => rest,
        _ => id,
    }
}

/// The id that `short` wrote, or one that stands alone.
#[must_use]
pub fn long(short: &str, parent: Option<&str>, is_in_instance: bool) -> String {
    let Some(parent) = parent else { return short.to_owned() };
    if short.contains(';') || short.starts_with('I') {
        return short.to_owned();
    }
    if is_in_instance && short.contains(':') {
        let start = if parent.starts_with('I') { "" } else { "I" };
        return format!("{start}{parent};{short}");
    }
    if !short.contains(':') {
        return format!("{}{short}", split(parent).0);
    }
    match parent.rsplit_once(';') {
        Some((outer, _)) => format!("{outer};{short}"),
        None => short.to_owned(),
    }
}

/// Whether an id follows another one: the same but for the last number, and that is one more.
#[must_use]
pub fn follows(id: &str, before: &str) -> bool {
    let ((stem, last), (stem_before, last_before)) = (split(id), split(before));
    let number = |last: &str| last.parse::<u64>().ok().filter(|_| !last.starts_with('0'));
    let (number, before) = (number(last), number(last_before));
    stem == stem_before && number.is_some() && number == before.and_then(|before| before.checked_add(1))
}

/// The last three digits of an id, where it has more.
pub(super) fn ending(id: &str) -> Option<&str> {
    const DIGITS: usize = 3;
    let (_, number) = split(id);
    let at = number.len().checked_sub(DIGITS).filter(|at| *at > 0)?;
    number.get(at..).filter(|_| number.bytes().all(|byte| byte.is_ascii_digit()))
}

/// What stands behind an instance's id in an id of a node in it.
fn inside<'a>(id: &'a str, instance: &str) -> Option<&'a str> {
    let start = if instance.starts_with('I') { id } else { id.strip_prefix('I')? };
    let rest = start.strip_prefix(instance)?;
    rest.strip_prefix(';').filter(|rest| !rest.contains(';'))
}

/// Up to the last colon, and the number behind it.
fn split(id: &str) -> (&str, &str) {
    let at = id.rfind(':').map_or(0, |at| at + 1);
    id.split_at_checked(at).unwrap_or((id, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_ids_can_be_completed() {
        let cases = [
            ("2:7", Some("2:5"), false, "7"),
            ("3:7", Some("2:5"), false, "3:7"),
            ("2:7", None, false, "2:7"),
            ("I2:23;30:4", Some("2:23"), true, "30:4"),
            ("I2:23;30:5", Some("I2:23;30:4"), false, "5"),
            ("I2:23;31:5", Some("I2:23;30:4"), false, "31:5"),
            ("I2:23;30:4;9:1", Some("I2:23;30:4"), true, "9:1"),
            ("I9:9;1:1", Some("2:5"), false, "I9:9;1:1"),
        ];
        for (id, before, expected) in [
            ("2:8", "2:7", true),
            ("2:100", "2:99", true),
            ("2:9", "2:7", false),
            ("3:8", "2:7", false),
            ("2:7", "2:7", false),
            ("I2:23;30:5", "I2:23;30:4", true),
            ("I2:24;30:5", "I2:23;30:4", false),
            ("I2:23;30:5", "30:4", false),
            ("", "", false),
            ("x", "w", false),
        ] {
            assert_eq!(follows(id, before), expected, "{id} behind {before}");
        }
        assert_eq!(
            [ending("2:14257"), ending("2:257"), ending("I2:1;3:4257")],
            [Some("257"), None, Some("257")]
        );
        for (id, parent, is_in_instance, expected) in cases {
            assert_eq!(short(id, parent), expected, "{id}");
            assert_eq!(long(expected, parent, is_in_instance), id, "{id}");
        }
    }
}
