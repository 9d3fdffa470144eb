//! One tier 1 call, unlimited questions: what an agent asks in a session, and what Figma is asked for it.

mod questions;

use self::questions::questions;
use crate::{client::Client, figma::Figma, golden, kept};

fn ask_all(server: &mut Client) {
    for (tool, arguments) in questions() {
        let result = server.call(tool, arguments);
        assert_eq!(result["isError"], false, "{tool}: {result}");
    }
}

#[test]
fn a_session_spends_two_tier_one_calls() {
    assert_eq!(questions().len(), 20);
    let figma = Figma::start();
    let (mut log, mut seen) = (String::new(), 0);
    let mut told = |when: &str| {
        let requests = figma.requests();
        log += &format!("# {when}\n");
        requests.iter().skip(seen).for_each(|line| log += &format!("{line}\n"));
        seen = requests.len();
    };
    let mut server = figma.server(&[]);
    ask_all(&mut server);
    told("20 questions");
    ask_all(&mut server);
    told("the same again");
    drop(server);
    kept::forget_stamps(&figma);
    ask_all(&mut figma.server(&[]));
    told("the same, after an idle minute and a restart");
    golden::assert_file("tests/golden/session.txt", &log);
    let requests = figma.requests();
    let spent = kept::tier_one(&requests);
    // The file and its pictures. With a call for each question that needs one, it would be 57.
    assert_eq!(spent.len(), 2, "{spent:?}");
}
