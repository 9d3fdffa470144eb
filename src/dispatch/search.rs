//! `figma_nodes_search`: finds nodes in a file that is read once and then held.

use serde_json::{Value, json};

use super::{App, Output, source, text, variables};
use crate::{
    auth::Caller,
    design::{
        fold::Needle,
        naming::Uses,
        pieces::Pair,
        search::{Field, Question, Search, Size},
    },
    error::{Error, Result},
    table::{Tool, args::Args},
};

const LIMIT: usize = 20;

/// Looks for nodes. Variables go by the names that are known already; only who asks for one by name
/// makes their names be found out.
pub(super) async fn run(app: &App, caller: &Caller, tool: &'static Tool, args: &Args) -> Result<Output> {
    let file_key = text(args, "file_key");
    let question = question(tool, args)?;
    let wants_variables = question.variable.is_some() || question.fields.contains(&Field::Variable);
    let asked = question.clone();
    let both = move || Pair::new(Search::new(asked.clone()), wants_variables.then(Uses::default));
    let (both, provenance) = source::read(app, caller, tool, file_key, None, &[], both).await?;
    let (mut search, uses) = both.into_inner();
    let mut output = Output::default();
    if let Some(uses) = uses {
        let names = variables::name_all(app, caller, tool, file_key, &uses).await;
        output.notes.extend(names.note);
        search
            .call_variables(names.variables.into_iter().map(|(id, variable)| (id, variable.name)).collect());
    } else if let Some(known) = variables::known(app, caller, file_key) {
        search.call_variables(known.into_iter().map(|(id, variable)| (id, variable.name)).collect());
    }
    let found = search.finish();
    let next = question.offset + found.hits.len();
    let is_more = !found.hits.is_empty() && next < found.total;
    let next_page = is_more.then(|| Args::from_iter([("offset".to_owned(), json!(next))]));
    output.meta.insert("cache".to_owned(), provenance.to_json());
    output.notes.extend(provenance.notes);
    Ok(Output {
        next_page,
        ..Output { notes: output.notes, meta: output.meta, ..Output::text(found.print(&question)) }
    })
}

fn question(tool: &'static Tool, args: &Args) -> Result<Question> {
    let needle = |name: &str| args.get(name).and_then(Value::as_str).map(Needle::new);
    let number =
        |name: &str| args.get(name).and_then(Value::as_u64).and_then(|number| usize::try_from(number).ok());
    let size = match args.get("size").and_then(Value::as_str) {
        None => None,
        Some(text) => Some(Size::parse(text).ok_or_else(|| {
            let problem = "must be WIDTHxHEIGHT, each a number, a range or *: 390x844, 300-400x*";
            Error::bad_argument(tool.name, "size", problem)
        })?),
    };
    let fields = args.get("in").and_then(Value::as_array).into_iter().flatten();
    let kind = args.get("type").and_then(Value::as_str);
    Ok(Question {
        query: needle("query"),
        fields: fields.filter_map(|field| Field::named(field.as_str()?)).collect(),
        kind: kind.map(|kind| kind.trim().to_uppercase().replace([' ', '-'], "_")),
        page: needle("page"),
        component: needle("component"),
        style: needle("style"),
        variable: needle("variable"),
        size,
        dev_status: match args.get("dev_status").and_then(Value::as_str) {
            Some("ready_for_dev") => Some("READY_FOR_DEV"),
            Some(_) => Some("COMPLETED"),
            None => None,
        },
        offset: number("offset").unwrap_or(0),
        limit: number("limit").unwrap_or(LIMIT),
        ..Question::default()
    })
}
