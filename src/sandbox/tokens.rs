//! The credentials that the sandbox knows.

use std::borrow::Cow;

use crate::table::{Scope, TokenKind};

/// A credential the sandbox knows.
#[derive(Debug, Clone, Copy)]
pub struct SandboxToken {
    /// What is sent in the header.
    pub secret: &'static str,
    /// What kind of token it is; `None`: whatever an endpoint asks for.
    pub kind: Option<TokenKind>,
    /// What it was granted; `None`: everything.
    pub scopes: Option<&'static [Scope]>,
    /// One sentence for the documentation.
    pub description: &'static str,
}

/// The credential to use where none is chosen: it may do everything.
pub const DEFAULT_TOKEN: &str = "sandbox-everything";
/// Refused everywhere, as an expired or revoked token is.
const EXPIRED_TOKEN: &str = "sandbox-expired";
/// Has no tier 1 calls left.
const STARTER_TOKEN: &str = "sandbox-starter";

/// Every credential the sandbox knows.
pub const TOKENS: &[SandboxToken] = &[
    SandboxToken {
        secret: DEFAULT_TOKEN,
        kind: None,
        scopes: None,
        description: "May do everything, in either header; no real token is like that.",
    },
    SandboxToken {
        secret: "sandbox-personal",
        kind: Some(TokenKind::Personal),
        scopes: None,
        description: "A personal access token with every scope.",
    },
    SandboxToken {
        secret: "sandbox-plan",
        kind: Some(TokenKind::Plan),
        scopes: None,
        description: "A plan access token with every scope.",
    },
    SandboxToken {
        secret: "sandbox-oauth",
        kind: Some(TokenKind::OAuth),
        scopes: None,
        description: "An OAuth token with every scope.",
    },
    SandboxToken {
        secret: "sandbox-readonly",
        kind: Some(TokenKind::Personal),
        scopes: Some(READ_SCOPES),
        description: "A personal access token with reading scopes only, and none that needs Enterprise.",
    },
    SandboxToken {
        secret: EXPIRED_TOKEN,
        kind: None,
        scopes: None,
        description: "An expired token: always refused with `Invalid token`.",
    },
    SandboxToken {
        secret: STARTER_TOKEN,
        kind: None,
        scopes: None,
        description: "A View seat on a Starter plan: its tier 1 calls are used up for days.",
    },
];

const READ_SCOPES: &[Scope] = &[
    Scope::CurrentUserRead,
    Scope::FileContentRead,
    Scope::FileMetadataRead,
    Scope::FileVersionsRead,
    Scope::FileCommentsRead,
    Scope::FileDevResourcesRead,
    Scope::LibraryContentRead,
    Scope::LibraryAssetsRead,
    Scope::TeamLibraryContentRead,
    Scope::ProjectsRead,
    Scope::FoldersRead,
    Scope::WebhooksRead,
];

/// What a token that was sent may do.
#[derive(Debug, Clone)]
pub(super) struct Grant {
    /// What kind of token it is; `None`: whatever an endpoint asks for.
    pub(super) kind: Option<TokenKind>,
    /// What it was granted; `None`: everything.
    pub(super) scopes: Option<Cow<'static, [Scope]>>,
    /// Whether its tier 1 calls are used up.
    pub(super) is_starter: bool,
}

/// What the credential with this secret may do; nothing, if it has expired.
pub(super) fn find(secret: &str) -> Option<Grant> {
    let token = TOKENS.iter().find(|token| token.secret == secret && token.secret != EXPIRED_TOKEN)?;
    let is_starter = token.secret == STARTER_TOKEN;
    Some(Grant { kind: token.kind, scopes: token.scopes.map(Cow::Borrowed), is_starter })
}
