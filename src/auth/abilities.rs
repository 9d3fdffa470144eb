//! What a kind of token can do, computed from the table.

use crate::table::{self, Effect, Scope, TOOLSETS, TokenKind, Tool};

/// A tool that a kind of token can never call.
#[derive(Debug, Clone)]
pub struct Refused {
    /// The tool.
    pub tool: &'static Tool,
    /// Why, as a sentence without its full stop.
    pub why: String,
}

/// The tools that Figma never lets this kind of token call.
pub fn refused_tools(kind: TokenKind) -> Vec<Refused> {
    table::tools()
        .filter(|tool| !tool.accepts(kind))
        .map(|tool| Refused { tool, why: format!("Figma accepts only {}", accepted(tool)) })
        .collect()
}

/// The kinds of token that a tool can be called with, in words.
pub(super) fn accepted(tool: &Tool) -> String {
    let kinds = tool.endpoint().into_iter().flat_map(|endpoint| endpoint.tokens);
    kinds.map(|kind| kind.description()).collect::<Vec<_>>().join(" or ")
}

/// The scopes that the tools want, least first: to read designs, to read everything, to write. Never
/// the deprecated bundle `files:read`, and none that this kind of token cannot have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scopes {
    /// For the everyday reading tools, and to know whose token it is.
    pub everyday: Vec<&'static str>,
    /// For the other reading tools.
    pub reading: Vec<&'static str>,
    /// For the writing tools.
    pub writing: Vec<&'static str>,
}

/// The scopes that this kind of token needs for our tools.
pub fn scopes(kind: TokenKind) -> Scopes {
    let mut scopes = Scopes::default();
    let is_known = |scopes: &Scopes, name| {
        [&scopes.everyday, &scopes.reading, &scopes.writing].iter().any(|list| list.contains(&name))
    };
    for step in [Step::Everyday, Step::Reading, Step::Writing] {
        for set in TOOLSETS {
            for tool in set.tools.iter().filter(|tool| step.wants(set.everyday, tool)) {
                let Some(endpoint) = tool.endpoint() else { continue };
                let wanted = endpoint.scopes.iter().find(|scope| **scope != Scope::FilesRead);
                let Some(scope) = wanted.filter(|_| endpoint.tokens.contains(&kind)) else { continue };
                if !is_known(&scopes, scope.name()) {
                    step.list(&mut scopes).push(scope.name());
                }
            }
        }
    }
    scopes
}

#[derive(Clone, Copy)]
enum Step {
    Everyday,
    Reading,
    Writing,
}

impl Step {
    fn wants(self, is_everyday: bool, tool: &Tool) -> bool {
        let says_who =
            tool.endpoint().is_some_and(|endpoint| endpoint.scopes.contains(&Scope::CurrentUserRead));
        match self {
            Self::Everyday => tool.effect == Effect::Read && (is_everyday || says_who),
            Self::Reading => tool.effect == Effect::Read,
            Self::Writing => tool.effect != Effect::Read,
        }
    }

    fn list(self, scopes: &mut Scopes) -> &mut Vec<&'static str> {
        match self {
            Self::Everyday => &mut scopes.everyday,
            Self::Reading => &mut scopes.reading,
            Self::Writing => &mut scopes.writing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_scopes_come_first_and_the_bundle_never() {
        for kind in TokenKind::ALL {
            let Scopes { everyday, reading, writing } = scopes(kind);
            let all: Vec<&str> = [everyday.clone(), reading, writing.clone()].concat();
            assert!(everyday.contains(&"file_content:read"), "{everyday:?}");
            assert!(everyday.iter().all(|scope| scope.ends_with(":read")), "{everyday:?}");
            assert!(writing.iter().all(|scope| scope.ends_with(":write")), "{writing:?}");
            assert!(!all.contains(&"files:read"));
            let unique: std::collections::BTreeSet<&&str> = all.iter().collect();
            assert_eq!(unique.len(), all.len());
        }
        assert!(scopes(TokenKind::Personal).everyday.contains(&"current_user:read"));
        assert!(!scopes(TokenKind::Plan).everyday.contains(&"current_user:read"));
    }

    #[test]
    fn a_plan_token_has_its_limits() {
        let names: Vec<&str> =
            refused_tools(TokenKind::Plan).iter().map(|refused| refused.tool.name).collect();
        assert!(names.contains(&"figma_me_get") && names.contains(&"figma_file_comment_create"), "{names:?}");
        assert!(!names.contains(&"figma_file_get"));
    }
}
