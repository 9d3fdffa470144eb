//! Where compositions read nodes from: the reading door, against the sandbox.

use std::{sync::Arc, time::Duration};

use figma_mcp::{
    auth::{Caller, Found, Token},
    dispatch::{App, source},
    sandbox::{CART_FRAME, DEFAULT_TOKEN, HOME_FRAME, PRODUCT_FILE, Sandbox},
    table,
    table::args::Defaults,
    walk::{Flow, Visitor},
};

/// Notes the ids of the nodes, and what stands beside them.
#[derive(Debug, Default)]
struct Ids {
    nodes: Vec<String>,
    beside: Vec<(Option<String>, String)>,
}

impl Visitor for Ids {
    fn open(&mut self, _at: u64) {}
    fn member(&mut self, key: &[u8], value: &[u8]) -> Flow {
        if key == b"id" {
            self.nodes.push(serde_json::from_slice(value).unwrap());
        }
        Flow::Continue
    }
    fn close(&mut self, _end: u64) {}
    fn beside(&mut self, entry: Option<&str>, key: &[u8], _value: &[u8]) {
        self.beside.push((entry.map(str::to_owned), String::from_utf8(key.to_vec()).unwrap()));
    }
    fn wants(&self, key: &[u8]) -> bool {
        key == b"id"
    }
}

struct World {
    runtime: tokio::runtime::Runtime,
    app: Arc<App>,
    caller: Caller,
    _sandbox: Sandbox,
}

impl World {
    fn new() -> Self {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let sandbox = runtime.block_on(Sandbox::start(None)).unwrap();
        let app = App::new(
            sandbox.base_url(),
            Duration::from_secs(60),
            table::Selection::default(),
            Defaults::default(),
        );
        let token = Token::new(None, DEFAULT_TOKEN, "the test").unwrap();
        let caller = Caller::fixed(Found::Token(token));
        Self { runtime, app: Arc::new(app), caller, _sandbox: sandbox }
    }

    fn read(&self, key: &str, ids: &[&str]) -> figma_mcp::error::Result<(Ids, source::Provenance)> {
        let tool = table::find("figma_file_get").unwrap();
        let ids: Vec<String> = ids.iter().map(|id| (*id).to_owned()).collect();
        self.runtime.block_on(source::read(&self.app, &self.caller, tool, key, None, &ids, Ids::default()))
    }
}

#[test]
fn a_visitor_sees_a_file_or_some_of_its_nodes() {
    let world = World::new();
    let (ids, provenance) = world.read(PRODUCT_FILE, &[]).unwrap();
    assert_eq!(ids.nodes[0], "0:0");
    assert!(ids.nodes.len() > 100 && ids.nodes.contains(&CART_FRAME.to_owned()));
    assert!(ids.beside.contains(&(None, "components".to_owned())));
    assert!(provenance.name.is_some() && provenance.version.is_some() && provenance.last_modified.is_some());

    let (ids, _) = world.read(PRODUCT_FILE, &[HOME_FRAME, "9999:1"]).unwrap();
    assert_eq!(ids.nodes[0], HOME_FRAME);
    assert!(!ids.nodes.contains(&CART_FRAME.to_owned()));
    assert!(ids.beside.contains(&(Some(HOME_FRAME.to_owned()), "components".to_owned())));
    assert!(ids.beside.contains(&(Some("9999:1".to_owned()), String::new())));
    assert_eq!(world.read("GONE", &[]).unwrap_err().kind(), "not_found");
}
