//! `figma-mcp tools`: what there is, and what one tool takes. Needs no token and asks nobody.

use serde_json::Value;

use super::{print, setup, tell};
use crate::{
    auth::Caller,
    error::{Error, Result},
    reference,
    settings::Settings,
    table::{self, NameSet, Selection, TOOLSETS, Tool, args::nearest, definition::definition},
};

/// How the tools are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Text,
    Json,
    Markdown,
}

impl Form {
    pub(super) const fn chosen(json: bool, markdown: bool) -> Self {
        match (json, markdown) {
            (true, _) => Self::Json,
            (false, true) => Self::Markdown,
            (false, false) => Self::Text,
        }
    }
}

pub(super) fn run(settings: &Settings, name: Option<&str>, form: Form) -> Result<()> {
    let caller = setup::caller(settings);
    let defaults = setup::defaults(settings, &caller);
    if let Some(name) = name {
        let tool = find(name)?;
        return match form {
            Form::Json => print(&pretty(&definition(tool, &defaults))),
            Form::Text | Form::Markdown => print(&reference::tool_markdown(tool)),
        };
    }
    let (selection, names) = (settings.selection()?, settings.name_sets()?);
    match form {
        Form::Json => {
            let offered = table::tools()
                .chain(named(&names))
                .filter(|tool| selection.check(tool).is_ok() && caller.can_call(tool));
            print(&pretty(&offered.map(|tool| definition(tool, &defaults)).collect()))
        }
        Form::Markdown => print(&reference::tools_markdown()),
        Form::Text => list(&selection, &names, &caller),
    }
}

fn find(name: &str) -> Result<&'static Tool> {
    table::find(name).ok_or_else(|| {
        let names: Vec<&'static str> = table::tools().map(|tool| tool.name).collect();
        Error::UnknownTool { name: crate::error::foreign(name), near: nearest(name, &names) }
    })
}

/// The tools of these sets of names.
fn named(sets: &[&'static NameSet]) -> impl Iterator<Item = &'static Tool> {
    sets.iter().flat_map(|set| set.tools).map(|named| &named.tool)
}

fn list(selection: &Selection, names: &[&'static NameSet], caller: &Caller) -> Result<()> {
    let is_offered = |tool: &&Tool| selection.check(tool).is_ok();
    let (callable, refused): (Vec<&Tool>, Vec<&Tool>) =
        table::tools().chain(named(names)).filter(is_offered).partition(|tool| caller.can_call(tool));
    let own = TOOLSETS.iter().map(|set| (set.name, set.description, set.tools.iter().collect()));
    let others = names.iter().map(|set| (set.name, set.description, named(&[*set]).collect()));
    let sets: Vec<(&str, &str, Vec<&Tool>)> = own.chain(others).collect();
    let mut text = String::new();
    for (name, description, mut tools) in sets {
        tools.retain(|tool| callable.iter().any(|other| other.name == tool.name));
        if !tools.is_empty() {
            text += &format!("{name}: {description}\n");
        }
        for tool in tools {
            let mark = if tool.effect.is_read() { ' ' } else { '*' };
            text += &format!(
                "  {mark} {:<52} {}  {}\n",
                tool.name,
                tool.endpoint().map_or_else(
                    || "free  ".to_owned(),
                    |endpoint| format!("tier {}", endpoint.tier.number())
                ),
                tool.title
            );
        }
    }
    text += &format!("{} tools; * changes something. More about one: figma-mcp tools NAME\n", callable.len());
    print(&text)?;
    if caller.kind().is_ok() && !refused.is_empty() {
        let names: Vec<&str> = refused.iter().map(|tool| tool.name).collect();
        tell(&format!("Not with {}: {}\n", caller.description(), names.join(", ")));
    }
    Ok(())
}

fn pretty(value: &Value) -> String {
    // A value made of maps with text keys always has a JSON form.
    serde_json::to_string_pretty(value).unwrap_or_default() + "\n"
}
