//! The credentials that the sandbox knows.

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
pub(super) const EXPIRED_TOKEN: &str = "sandbox-expired";
/// Has no tier 1 calls left.
pub(super) const STARTER_TOKEN: &str = "sandbox-starter";

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

/// The credential with this secret.
pub(super) fn find(secret: &str) -> Option<&'static SandboxToken> {
    TOKENS.iter().find(|token| token.secret == secret)
}
