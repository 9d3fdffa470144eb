use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::{oracle::drive, *};

/// Writes down what it is told.
#[derive(Debug, Default, Clone, PartialEq)]
struct Diary {
    lines: Vec<String>,
    /// Skips the rest of a node with a member of this name and value `false`.
    skips_on: &'static str,
    unwanted: &'static str,
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

impl Visitor for Diary {
    fn open(&mut self, at: u64) {
        self.lines.push(format!("open {at}"));
    }
    fn member(&mut self, _member: Member, key: &[u8], value: &[u8]) -> Flow {
        self.lines.push(format!("{} = {}", text(key), text(value)));
        if text(key) == self.skips_on && value == b"false" { Flow::Skip } else { Flow::Continue }
    }
    fn close(&mut self, end: u64) {
        self.lines.push(format!("close {end}"));
    }
    fn beside(&mut self, entry: Option<&str>, key: &[u8], value: &[u8]) {
        self.lines.push(format!("beside {entry:?} {} = {}", text(key), text(value)));
    }
    fn children(&mut self, list: Children) {
        self.lines.push(format!("children {} {} {}", list.after, list.begin, list.end));
    }
    fn lies(&mut self, key: &[u8], begin: u64, end: u64) {
        self.lines.push(format!("lies {begin} {end} {}", text(key)));
    }
    fn wants(&self, _member: Member, key: &[u8]) -> bool {
        text(key) != self.unwanted
    }
    fn wants_beside(&self, key: &[u8]) -> bool {
        text(key) != self.unwanted
    }
}

fn walk(diary: &Diary, answer: &str, size: usize) -> Result<Diary> {
    let mut walker = Walker::new(diary.clone());
    for chunk in answer.as_bytes().chunks(size) {
        walker.push(chunk)?;
    }
    walker.finish()
}

/// Any JSON, with what is hard about it: escapes, brackets in strings, names that are the walk's own.
fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        (-1e9..1e9).prop_map(|x: f64| json!(x)),
        "[ a{}\\[\\]\"\\\\\n\u{e9}\u{1f600}]{0,80}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 20, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            members(inner).prop_map(Value::from),
        ]
    })
}

fn members(value: impl Strategy<Value = Value>) -> impl Strategy<Value = Map<String, Value>> {
    let name = prop_oneof![
        "[a-z]{1,8}",
        Just("x\"\\\n".to_owned()),
        Just("document".to_owned()),
        Just("nodes".to_owned())
    ];
    prop::collection::vec((name, value), 0..5).prop_map(|members| members.into_iter().collect())
}

fn any_node() -> impl Strategy<Value = Map<String, Value>> {
    let node = |children: Option<Vec<Map<String, Value>>>, is_visible: bool, more: Map<String, Value>| {
        let mut node = Map::from_iter([("id".to_owned(), json!("I1:2;3:4"))]);
        if !is_visible {
            node.insert("visible".to_owned(), json!(false));
        }
        if let Some(children) = children {
            node.insert("children".to_owned(), children.into_iter().map(Value::from).collect());
        }
        node.extend(more);
        node
    };
    let leaf = members(any_value()).prop_map(move |more| node(None, true, more));
    leaf.prop_recursive(5, 30, 4, move |inner| {
        (prop::collection::vec(inner, 0..4), prop::bool::weighted(0.8), members(any_value()))
            .prop_map(move |(children, is_visible, more)| node(Some(children), is_visible, more))
    })
}

/// All three shapes of answer.
fn any_answer() -> impl Strategy<Value = Map<String, Value>> {
    let besides = || members(any_value());
    let entry = prop_oneof![
        Just(Value::Null),
        any_value(),
        (any_node(), besides()).prop_map(|(node, more)| {
            let mut entry = Map::from_iter([("document".to_owned(), Value::from(node))]);
            entry.extend(more);
            Value::from(entry)
        }),
    ];
    let entries = prop::collection::vec(("[0-9:;I\"]{1,6}", entry), 0..4);
    prop_oneof![
        any_node(),
        (besides(), any_node(), besides()).prop_map(|(mut answer, node, more)| {
            answer.insert("document".to_owned(), Value::from(node));
            answer.extend(more);
            answer
        }),
        (besides(), entries).prop_map(|(mut answer, entries)| {
            answer.insert("nodes".to_owned(), Value::Object(entries.into_iter().collect()));
            answer
        }),
    ]
}

proptest! {
    #[test]
    fn any_chunks_tell_what_the_parsed_document_tells(
        answer in any_answer(),
        size in prop_oneof![1_usize..150, Just(usize::MAX)],
        skips_on in prop::sample::select(&["", "visible"][..]),
        unwanted in prop::sample::select(&["", "a", "document", "id"][..]),
    ) {
        let diary = Diary { skips_on, unwanted, ..Diary::default() };
        let mut told = diary.clone();
        let text = drive(&answer, &mut told);
        prop_assert_eq!(&text, &Value::from(answer).to_string());
        prop_assert_eq!(walk(&diary, &text, size).unwrap(), told);
    }

    #[test]
    fn white_space_changes_nothing_but_the_offsets(answer in any_answer(), size in 1_usize..50) {
        let pretty = serde_json::to_string_pretty(&answer).unwrap();
        let mut told = Diary::default();
        drive(&answer, &mut told);
        let without_offsets = |diary: Diary| -> Vec<String> {
            diary.lines.into_iter().map(|line| match line.split_once(" = ") {
                Some((name, value)) => format!("{name} = {}", serde_json::from_str::<Value>(value).unwrap()),
                None => line.split(' ').next().unwrap().to_owned(),
            }).collect()
        };
        let walked = walk(&Diary::default(), &format!(" {pretty}\n"), size).unwrap();
        prop_assert_eq!(without_offsets(walked), without_offsets(told));
    }

    #[test]
    fn broken_answers_are_errors(answer in any_answer(), cut in any::<prop::sample::Index>(), size in 1_usize..50) {
        let text = Value::from(answer).to_string();
        let cut = text.floor_char_boundary(cut.index(text.len()));
        prop_assert!(walk(&Diary::default(), &text[..cut], size).is_err());
        let doubled = format!("{text}{text}");
        prop_assert!(walk(&Diary::default(), &doubled, size).is_err());
    }

    /// What lies in one chunk is read in larger steps than what does not.
    #[test]
    fn spoilt_answers_are_judged_alike_in_any_chunks(
        answer in any_answer(),
        places in prop::collection::vec((any::<prop::sample::Index>(), prop::sample::select(&b"{}[]:,\"\\ 0ae-."[..])), 1..4),
        size in 1_usize..150,
        skips_on in prop::sample::select(&["", "visible"][..]),
    ) {
        let mut spoilt = Value::from(answer).to_string().into_bytes();
        for (at, byte) in places {
            let at = at.index(spoilt.len());
            if spoilt[at].is_ascii() {
                spoilt[at] = byte;
            }
        }
        let spoilt = String::from_utf8(spoilt).unwrap();
        let diary = Diary { skips_on, ..Diary::default() };
        let byte_by_byte = walk(&diary, &spoilt, 1).ok();
        prop_assert_eq!(walk(&diary, &spoilt, usize::MAX).ok(), byte_by_byte.clone());
        prop_assert_eq!(walk(&diary, &spoilt, size).ok(), byte_by_byte);
    }

    #[test]
    fn no_bytes_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..100),
        json in "[{}\\[\\]:,\"\\\\a0.e-]{0,60}",
        answer in any_answer(),
        at in any::<prop::sample::Index>(),
        put in prop::sample::select(&b"{}[]:,\"\\ \xff0a"[..]),
        size in 1_usize..9,
    ) {
        let mut spoilt = Value::from(answer).to_string().into_bytes();
        let at = at.index(spoilt.len());
        spoilt[at] = put;
        for bytes in [bytes.as_slice(), json.as_bytes(), format!("{{\"id\":{json}").as_bytes(), &spoilt] {
            let mut walker = Walker::new(Diary::default());
            let _ = bytes.chunks(size).try_for_each(|chunk| walker.push(chunk)).and_then(|()| walker.finish().map(drop));
        }
    }
}

#[allow(clippy::print_stderr)]
fn tell(line: &str) {
    eprintln!("{line}");
}

#[test]
fn real_files_are_told_whole() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/figma-real");
    let Ok(files) = std::fs::read_dir(&folder) else {
        tell(&format!("skipped: {} is not there", folder.display()));
        return;
    };
    for file in
        files.map(|file| file.unwrap().path()).filter(|path| path.extension().is_some_and(|e| e == "json"))
    {
        let Ok(Value::Object(answer)) = serde_json::from_slice(&std::fs::read(&file).unwrap()) else {
            continue;
        };
        let diary = Diary { skips_on: "visible", ..Diary::default() };
        let mut told = diary.clone();
        let text = drive(&answer, &mut told);
        for size in [7, 64, 4096, usize::MAX] {
            assert_eq!(walk(&diary, &text, size).unwrap(), told, "{}", file.display());
        }
    }
}

#[test]
fn an_empty_answer_and_one_without_end_are_bad() {
    for answer in [
        "",
        " ",
        "{",
        "[]",
        "7",
        "null",
        "{\"id\":1",
        "{\"id\":1}x",
        "{\"id\":1,}",
        "{\"id\" 1}",
        "{\"id\":01}",
        "{\"id\":tru}",
        "{\"id\":1,\"children\":[1]}",
        "{\"id\":1,\"children\":[{},]}",
    ] {
        assert!(matches!(walk(&Diary::default(), answer, 3), Err(Error::BadAnswer { .. })), "{answer}");
    }
    assert_eq!(walk(&Diary::default(), "{}", 1).unwrap().lines, [""; 0]);
}

#[test]
fn what_is_too_deep_or_too_long_is_refused() {
    let deep = "{\"id\":1,\"children\":[".repeat(DEEPEST + 1);
    assert!(matches!(walk(&Diary::default(), &deep, 4096), Err(Error::TooLarge { .. })));
    let nested = format!("{{\"id\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(walk(&Diary::default(), &nested, 4096).unwrap().lines.len(), 3);
    let long = format!("{{\"id\":\"{}\"}}", "x".repeat(LARGEST_MEMBER));
    assert!(matches!(walk(&Diary::default(), &long, 65_536), Err(Error::TooLarge { .. })));
    let diary = Diary { unwanted: "id", ..Diary::default() };
    assert_eq!(walk(&diary, &long, 65_536).unwrap().lines.len(), 2);
}
