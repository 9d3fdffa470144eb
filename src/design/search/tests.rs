use super::*;
use crate::{design::fold::Needle, walk::Walker};

const PRODUCT: &str = include_str!("../../sandbox/data/product.json");

fn found(question: Question) -> Found {
    let limit = if question.limit == 0 { 100 } else { question.limit };
    let mut walker = Walker::new(Search::new(Question { limit, ..question }));
    for chunk in PRODUCT.as_bytes().chunks(1000) {
        walker.push(chunk).unwrap();
    }
    walker.finish().unwrap().finish()
}

fn query(text: &str, fields: &[Field]) -> Question {
    Question { query: Some(Needle::new(text)), fields: fields.to_vec(), ..Question::default() }
}

fn ids(found: &Found) -> Vec<&str> {
    found.hits.iter().map(|hit| hit.id.as_str()).collect()
}

#[test]
fn names_come_before_everything_else_and_shallow_before_deep() {
    let found = found(query("home", &[]));
    assert_eq!(found.hits[0].id, "2:1");
    assert_eq!(found.hits[0].path, ["Shop"]);
    assert!(found.hits.iter().any(|hit| hit.id == "5:3" && hit.is_hidden), "{found:?}");
}

#[test]
fn texts_components_and_styles_are_found_by_what_they_are_called() {
    let text = found(query("MONSTERA deliciosa", &[Field::Text]));
    assert!(text.total >= 1);
    assert_eq!(text.hits[0].found.as_ref().unwrap().0, Field::Text);
    let near = found(query("растениа", &[Field::Text]));
    assert_eq!(ids(&near), ["3:1"]);
    assert!(near.hits[0].found.as_ref().unwrap().1.is_corrected());
    let cards = found(query("product card", &[Field::Component]));
    assert_eq!(ids(&cards), ["2:23", "2:24", "2:26", "2:27"]);
    assert_eq!(cards.hits[0].component.as_deref(), Some("Product card"));
    let style = found(Question { style: Some(Needle::new("type/display")), ..Question::default() });
    assert!(style.total >= 3 && ids(&style).contains(&"1:1"), "{style:?}");
    let by_id = found(Question { style: Some(Needle::new("9:1")), ..Question::default() });
    assert_eq!(style.total, by_id.total);
}

#[test]
fn filters_hold_together() {
    let all = found(Question { kind: Some("INSTANCE".to_owned()), ..Question::default() });
    let page = found(Question {
        kind: Some("INSTANCE".to_owned()),
        page: Some(Needle::new("languages")),
        ..Question::default()
    });
    assert_eq!(page.total, 3);
    assert!(all.total > page.total);
    assert!(page.hits.iter().all(|hit| hit.path[0] == "Languages"));
    let size = found(Question { size: Size::parse("390x700-"), ..Question::default() });
    assert!(ids(&size).contains(&"2:1"), "{size:?}");
    let done = found(Question { dev_status: Some("COMPLETED"), ..Question::default() });
    assert_eq!(ids(&done), ["3:13"]);
}

#[test]
fn variables_are_found_by_id_and_by_the_name_that_is_known() {
    let id = "VariableID:aa7416a75ee270e071a0d6124cbc701385461839/1:21";
    let by_id = found(Question { variable: Some(Needle::new(id)), ..Question::default() });
    let names = [(id.to_owned(), "space/large".to_owned())].into();
    let by_name = found(Question { variables: names, ..query("space large", &[Field::Variable]) });
    assert!(by_id.total > 0);
    assert_eq!(by_id.total, by_name.total);
    assert!(found(query("space large", &[Field::Variable])).hits.is_empty());
}

#[test]
fn pages_of_hits_follow_each_other() {
    let all = found(query("label", &[]));
    assert!(all.total > 10);
    let mut pieces = Vec::new();
    for offset in (0..all.total).step_by(7) {
        let piece = found(Question { offset, limit: 7, ..query("label", &[]) });
        assert_eq!(piece.total, all.total);
        pieces.extend(piece.hits.into_iter().map(|hit| hit.id));
    }
    assert_eq!(pieces, ids(&all));
    assert!(found(Question { offset: 10_000, ..query("label", &[]) }).hits.is_empty());
}

#[test]
fn sizes_are_numbers_ranges_or_anything() {
    for right in ["390x844", "390 × 844", "300-400x*", "*x-20", "10-x5", "x"] {
        assert!(Size::parse(right).is_some(), "{right}");
    }
    for wrong in ["", "390", "ax1", "5-3x*", "1x2x3", "nanx1", "-1--2x3"] {
        assert!(Size::parse(wrong).is_none(), "{wrong}");
    }
}

#[test]
fn the_same_question_gets_the_same_lines() {
    let question = query("cart", &[]);
    let lines = found(question.clone()).print(&question);
    assert_eq!(lines, found(question.clone()).print(&question));
    assert!(lines.contains("\n2:14 INSTANCE \"Cart\""), "{lines}");
}
