//! Which tools are offered: a filter over the table.

use super::{
    TOOLSETS,
    args::nearest,
    find,
    names::own_name,
    row::{Tool, Toolset},
    tools,
};
use crate::error::{Error, Result};

/// Which tools are offered, and by which setting another is not.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    toolsets: Option<Vec<&'static str>>,
    tools: Vec<&'static str>,
    excluded: Vec<&'static str>,
    read_only: bool,
    names: Names,
}

/// What leaves a tool out, by the names that people know.
#[derive(Debug, Clone, Copy)]
struct Names {
    toolsets: &'static str,
    tools: &'static str,
    excluded: &'static str,
    read_only: &'static str,
}

impl Default for Names {
    fn default() -> Self {
        Self {
            toolsets: "--toolsets",
            tools: "--tools",
            excluded: "--exclude-tools",
            read_only: "--read-only",
        }
    }
}

impl Selection {
    /// From what was typed; nothing typed means every tool.
    ///
    /// # Errors
    /// [`Error::Usage`] for a name that does not exist, with the near one.
    pub fn new(toolsets: &[String], tools: &[String], excluded: &[String], read_only: bool) -> Result<Self> {
        let all = toolsets.is_empty() && tools.is_empty();
        let mut chosen = Vec::new();
        for name in toolsets {
            chosen.extend(toolset_names(name)?);
        }
        Ok(Self {
            toolsets: (!all).then_some(chosen),
            tools: tool_names(tools)?,
            excluded: tool_names(excluded)?,
            read_only,
            names: Names::default(),
        })
    }

    /// Says that it was asked for by the headers of an HTTP request.
    #[must_use]
    pub const fn from_headers(mut self) -> Self {
        self.names = Names {
            toolsets: "X-MCP-Toolsets",
            tools: "X-MCP-Tools",
            excluded: "X-MCP-Exclude-Tools",
            read_only: "X-MCP-Readonly",
        };
        self
    }

    /// Whether nothing was asked for, as is usual.
    const fn offers_all(&self) -> bool {
        self.excluded.is_empty() && !self.read_only && self.toolsets.is_none()
    }

    /// Whether the tool is offered; if not, the setting that leaves it out.
    ///
    /// # Errors
    /// [`Error::HiddenTool`]
    pub fn check(&self, tool: &Tool) -> Result<()> {
        if self.offers_all() {
            return Ok(());
        }
        let hidden = |setting| Err(Error::HiddenTool { name: tool.name, setting });
        let name = own_name(tool);
        if self.excluded.contains(&name) {
            return hidden(self.names.excluded);
        }
        if self.read_only && !tool.changes_nothing() {
            return hidden(self.names.read_only);
        }
        let Some(toolsets) = &self.toolsets else { return Ok(()) };
        let is_in_toolset = |set: &&Toolset| toolsets.contains(&set.name);
        let in_toolset =
            TOOLSETS.iter().filter(is_in_toolset).any(|set| set.tools.iter().any(|tool| tool.name == name));
        match (in_toolset || self.tools.contains(&name), self.tools.is_empty()) {
            (true, _) => Ok(()),
            (false, true) => hidden(self.names.toolsets),
            (false, false) => hidden(self.names.tools),
        }
    }
}

fn toolset_names(name: &str) -> Result<Vec<&'static str>> {
    let all = || TOOLSETS.iter().map(|set| set.name);
    match name.to_ascii_lowercase().as_str() {
        "all" => Ok(all().collect()),
        "default" => Ok(TOOLSETS.iter().filter(|set| set.everyday).map(|set| set.name).collect()),
        wanted => all().find(|known| *known == wanted).map(|found| vec![found]).ok_or_else(|| {
            let names: Vec<&str> = ["default", "all"].into_iter().chain(all()).collect();
            usage(&format!("there is no toolset `{name}`"), &suggestion(name, &names, "toolsets"))
        }),
    }
}

fn tool_names(names: &[String]) -> Result<Vec<&'static str>> {
    let unknown = |name: &str| {
        let known: Vec<&str> = tools().map(|tool| tool.name).collect();
        usage(&format!("there is no tool `{name}`"), &suggestion(name, &known, "tools"))
    };
    let known_name = |name: &String| find(name).map(own_name).ok_or_else(|| unknown(name));
    names.iter().map(known_name).collect()
}

fn suggestion(name: &str, known: &[&str], what: &str) -> String {
    match (nearest(name, known), known.len()) {
        (Some(near), _) => format!("Did you mean `{near}`?"),
        (None, ..=20) => format!("The {what} are: {}.", known.join(", ")),
        (None, _) => "`figma-mcp tools` lists the names.".to_owned(),
    }
}

fn usage(problem: &str, hint: &str) -> Error {
    Error::Usage { problem: problem.to_owned(), hint: hint.to_owned() }
}
