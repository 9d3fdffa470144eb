use std::{
    collections::VecDeque,
    io::{Read, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    thread,
};

use flate2::{Compression, write::GzEncoder};

use super::*;
use crate::auth::{Found, Token};

const META: &str =
    r#"{"file":{"name":"F","last_touched_at":"2026-01-01T00:00:00Z","version":"1","editorType":"figma"}}"#;
const KEY: &str = "Sample000000000000001a";

/// Answers requests for the file with one body after the other, and the last one for ever.
fn figma(bodies: Vec<Vec<u8>>) -> Rest {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let bodies = Arc::new(std::sync::Mutex::new(VecDeque::from(bodies)));
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (stream, bodies) = (stream.unwrap(), bodies.clone());
            thread::spawn(move || answer(stream, &bodies));
        }
    });
    Rest::new(base, Duration::from_secs(60))
}

fn answer(mut stream: TcpStream, bodies: &std::sync::Mutex<VecDeque<Vec<u8>>>) {
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    while !request.ends_with(b"\r\n\r\n") {
        match stream.read(&mut buffer) {
            Ok(read) if read > 0 => request.extend_from_slice(&buffer[..read]),
            _ => return,
        }
    }
    let (body, encoding) = if request.windows(6).any(|part| part == b"/meta ") {
        (META.as_bytes().to_vec(), "")
    } else {
        let mut bodies = bodies.lock().unwrap();
        let body = if bodies.len() > 1 { bodies.pop_front() } else { bodies.front().cloned() };
        (body.unwrap(), "content-encoding: gzip\r\n")
    };
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n{encoding}connection: close\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    // Whoever leaves early is no matter of this.
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body));
}

fn gzip(text: &str, level: u32) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::new(level));
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

/// A file with so many nodes, each with a text of this length.
fn file(nodes: usize, length: usize) -> String {
    let text = "x".repeat(length);
    let nodes: Vec<String> = (0..nodes)
        .map(|n| format!(r#"{{"id":"1:{n}","type":"TEXT","name":"{n}","characters":"{text}"}}"#))
        .collect();
    format!(
        r#"{{"name":"F","version":"1","document":{{"id":"0:0","type":"DOCUMENT","children":[{}]}}}}"#,
        nodes.join(",")
    )
}

/// Counts nodes.
#[derive(Debug, Default)]
struct Count(usize);

impl Visitor for Count {
    fn open(&mut self, _at: u64) {
        self.0 += 1;
    }
    fn wants(&self, _member: crate::walk::Member, _key: &[u8]) -> bool {
        true
    }
    fn member(&mut self, _member: crate::walk::Member, _key: &[u8], _value: &[u8]) -> crate::walk::Flow {
        crate::walk::Flow::Continue
    }
    fn close(&mut self, _end: u64) {}
    fn beside(&mut self, _entry: Option<&str>, _key: &[u8], _value: &[u8]) {}
}

fn caller() -> Caller {
    Caller::fixed(Found::Token(Token::new(None, "figd_test", "the test").unwrap()))
}

fn tool() -> &'static Tool {
    table::find("figma_file_get").unwrap()
}

/// How many nodes a first reader sees while the file comes in, and what it is told.
async fn first(rest: &Rest) -> Result<(usize, Provenance)> {
    match rest.hold_reading(&caller(), tool(), (KEY, None), Count::default).await? {
        Reached::Read(count, provenance) => Ok((count.0, provenance)),
        Reached::Held(_) => panic!("it was not read along"),
    }
}

/// What is held, in bytes, without asking for it.
async fn size_held(rest: &Rest) -> Option<u64> {
    let held = rest.held(&caller(), KEY).await.unwrap()?;
    tokio::task::spawn_blocking(move || Some(held.file(None, None).unwrap().size())).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_asks_next_waits_until_it_is_kept() {
    let text = file(20_000, 50);
    let rest = figma(vec![gzip(&text, 1)]);
    let (nodes, provenance) = first(&rest).await.unwrap();
    assert_eq!((nodes, provenance.calls, provenance.derived), (20_001, 1, true));
    assert_eq!((provenance.name.as_deref(), provenance.version.as_deref()), (Some("F"), Some("1")));
    let held = rest.held(&caller(), KEY).await.unwrap().unwrap();
    assert_eq!(held.provenance().fetched_at, provenance.fetched_at);
    assert_eq!(size_held(&rest).await, Some(text.len() as u64));
    let named = figma(vec![gzip(&text, 1)]);
    first(&named).await.unwrap();
    assert_eq!(named.held_names(&caller()).await.unwrap(), [(KEY.to_owned(), "F".to_owned())]);
    let again = rest.hold(&caller(), tool(), KEY, None).await.unwrap();
    assert_eq!((again.calls, rest.calls()[0]), (0, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_asks_meanwhile_makes_no_call() {
    let rest = figma(vec![gzip(&file(20_000, 50), 1)]);
    let all = (0..8).map(|n| {
        let rest = rest.clone();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(n * 5)).await;
            rest.hold_reading(&caller(), tool(), (KEY, None), Count::default).await.map(drop)
        })
    });
    for one in all.collect::<Vec<_>>() {
        one.await.unwrap().unwrap();
    }
    assert_eq!(rest.calls()[0], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_process_ends_only_when_it_is_kept() {
    let rest = figma(vec![gzip(&file(50_000, 50), 1)]);
    first(&rest).await.unwrap();
    rest.settle().await;
    let key = FileKey {
        caller: rest.caller_key(&caller()).await.unwrap(),
        file: KEY.to_owned(),
        version: String::new(),
    };
    assert!(rest.store().held_file(key).await.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn more_than_may_wait_goes_into_the_store_at_once() {
    // Not compressed at all, so that it is as large on the wire.
    let text = file(30, 1024 * 1024);
    let rest = figma(vec![gzip(&text, 0)]);
    assert_eq!(first(&rest).await.unwrap().0, 31);
    assert_eq!(size_held(&rest).await, Some(text.len() as u64));
}

#[tokio::test(flavor = "multi_thread")]
async fn where_enough_wait_a_file_goes_into_the_store_at_once() {
    let text = file(20_000, 50);
    let rest = figma(vec![gzip(&text, 1)]);
    let places = rest.inner.fetches.waiting.clone();
    let all = places.acquire_many(u32::try_from(spool::MOST_AT_ONCE).unwrap()).await.unwrap();
    assert_eq!(first(&rest).await.unwrap().0, 20_001);
    assert_eq!(size_held(&rest).await, Some(text.len() as u64));
    drop(all);
    assert_eq!(places.available_permits(), spool::MOST_AT_ONCE);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_breaks_off_on_the_wire_is_asked_for_again() {
    let text = file(20_000, 50);
    let whole = gzip(&text, 1);
    let mut spoilt = whole.clone();
    let last = spoilt.len() - 6;
    spoilt[last] ^= 1;
    for broken in [whole[..whole.len() / 2].to_vec(), spoilt] {
        let read = figma(vec![broken.clone(), whole.clone()]);
        assert_eq!(first(&read).await.unwrap().0, 20_001);
        assert_eq!(read.calls()[0], 2);
        assert_eq!(size_held(&read).await, Some(text.len() as u64));
        let alone = figma(vec![broken, whole.clone()]);
        alone.hold(&caller(), tool(), KEY, None).await.unwrap();
        assert_eq!(alone.calls()[0], 2);
        assert_eq!(size_held(&alone).await, Some(text.len() as u64));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_file_is_explained_and_not_kept() {
    for (body, kind) in [
        (r#"{"error":true,"status":404,"message":"Not found"}"#, "not_found"),
        (r#"{"nothing":1}"#, "bad_answer"),
        ("<html>", "bad_answer"),
    ] {
        let rest = figma(vec![gzip(body, 1)]);
        let refused = first(&rest).await.unwrap_err();
        assert_eq!(refused.kind(), kind, "{body}: {refused}");
        assert_eq!(size_held(&rest).await, None);
    }
}
