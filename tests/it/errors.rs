//! Our voice on one page: every error in its three renderings.

use std::time::Duration;

use figma_mcp::error::{
    CredentialError, Error, KeyringTrouble, OAuthError, RateLimit, ResultError, TokenProblem,
};

use crate::golden;

#[test]
fn every_error_reads_well() {
    let mut page = String::new();
    for error in samples() {
        page += &format!(
            "## {}\n\n{}\n\n{}\n\n{}(exit code {})\n\n",
            error.kind(),
            error.for_agent(),
            error.to_json(),
            error.for_person(),
            error.exit_code()
        );
    }
    golden::assert_file("tests/golden/errors.txt", &(page.trim_end().to_owned() + "\n"));
}

/// The enum is `non_exhaustive`, so no `match` out here can be without a wildcard; `Error::kind` is one
/// inside, and what it can return is read from its source.
#[test]
fn no_error_is_left_out() {
    let sources = [
        include_str!("../../src/error.rs"),
        include_str!("../../src/error/credential.rs"),
        include_str!("../../src/error/result.rs"),
    ]
    .concat();
    let bodies: Vec<&str> = sources
        .split("pub const fn kind")
        .skip(1)
        .map(|rest| rest.split("\n    }\n").next().unwrap())
        .collect();
    assert_eq!(bodies.len(), 4, "an error's kind is read elsewhere now");
    let body = bodies.concat();
    let shown: Vec<&str> = samples().iter().map(Error::kind).collect();
    let kinds: Vec<&str> =
        body.lines().filter_map(|line| line.split("=> \"").nth(1)?.split('"').next()).collect();
    assert!(kinds.len() > 20, "`Error::kind` reads differently now");
    for kind in kinds {
        assert!(shown.contains(&kind), "no sample of `{kind}`");
    }
}

fn samples() -> Vec<Error> {
    let said = |text: &str| text.to_owned();
    let mut all = vec![
        Error::UnknownTool { name: said("figma_get_file"), near: Some("figma_file_get") },
        Error::UnknownTool { name: said("weather"), near: None },
        Error::HiddenTool { name: "figma_file_comment_create", setting: "--read-only" },
        Error::bad_argument("figma_file_get", "depth", "must be a whole number, not \"two\""),
        Error::bad_argument(
            "figma_payments_get",
            "",
            "give exactly one of: `plugin_payment_token`; `user_id` with `plugin_id`",
        ),
    ];
    all.extend(token_samples());
    all.extend(keyring_samples());
    all.extend(credential_samples().map(Error::from));
    all.extend(refusal_samples());
    all.extend(limit_samples());
    all.extend(oauth_samples().map(Error::from));
    all.extend(result_samples().map(Error::from));
    all.extend([
        Error::FigmaFailed { status: 500, message: said("Internal server error"), attempts: 3 },
        Error::Unknown { problem: said("the connection broke"), verify_with: "figma_file_comments_list" },
        Error::Unreachable { problem: said("the name api.figma.com cannot be resolved"), attempts: 1 },
        Error::Unreachable { problem: said("the connection was refused"), attempts: 3 },
        Error::TimedOut { limit: Duration::from_secs(70) },
        Error::BadAnswer { problem: said("it is HTML, not JSON") },
        Error::NothingDone { message: said("A dev resource with this url already exists on the node") },
        Error::Cancelled,
        Error::Usage {
            problem: said("there is no command `srve`"),
            hint: said("figma-mcp --help lists the commands."),
        },
        Error::File { path: said("images/button.png"), problem: said("permission denied") },
        Error::NoImageDir,
        Error::Outside { path: said("../images") },
        Error::NoImages { reasons: said("1:2: nothing to draw; 1:3: its address answers with status 404") },
        Error::Bug { problem: said("the arguments of figma_file_get are no object") },
    ]);
    all
}

fn token_samples() -> Vec<Error> {
    let said = |text: &str| text.to_owned();
    let personal = "a personal access token";
    vec![
        Error::NoToken,
        Error::BrokenToken { origin: said("FIGMA_TOKEN"), problem: TokenProblem::Blank },
        Error::BrokenToken { origin: said("stdin"), problem: TokenProblem::Empty },
        Error::BrokenToken { origin: said("stdin"), problem: TokenProblem::TooLong },
        Error::BrokenToken { origin: said("FIGMA_TOKEN"), problem: TokenProblem::Quoted },
        Error::BrokenToken { origin: said("FIGMA_TOKEN_KIND"), problem: TokenProblem::Kind },
        Error::WrongToken {
            tool: "figma_activity_logs_list",
            kind: personal,
            accepted: said("a plan access token or an OAuth token"),
            scope: Some("org:activity_log_read"),
        },
        Error::WrongToken {
            tool: "figma_payments_get",
            kind: "a plan access token",
            accepted: said(personal),
            scope: None,
        },
        Error::BadToken { kind: personal, message: said("Invalid token") },
        Error::MissingScope {
            scopes: vec!["file_content:read", "files:read"],
            message: said(
                "Invalid scope(s): file_comments:read. This endpoint requires the file_content:read scope",
            ),
        },
    ]
}

fn keyring_samples() -> impl Iterator<Item = Error> {
    use KeyringTrouble::*;
    [NoBus, NoService, NoCollection, Locked, LockedAgain, Hung, Full, Failed].into_iter().map(|keyring| {
        let detail = if keyring == Hung { "no answer within 5 s" } else { "" };
        CredentialError::Keyring { keyring, detail: detail.to_owned() }.into()
    })
}

fn credential_samples() -> [CredentialError; 12] {
    let said = |text: &str| text.to_owned();
    let profile = || said("work");
    [
        CredentialError::BrokenRecord { profile: profile(), problem: said("it is no record of figma-mcp") },
        CredentialError::LargeRecord { profile: profile(), bytes: 9000 },
        CredentialError::UnsafeFile {
            path: said("tokens/work.json"),
            problem: said("its permissions are open to others (644)"),
        },
        CredentialError::Gone { profile: profile(), place: said("the macOS Keychain") },
        CredentialError::NoProfile { name: profile(), known: vec![said("default"), said("home")] },
        CredentialError::NoProfile { name: profile(), known: vec![] },
        CredentialError::Locked { what: said("profile `work`") },
        CredentialError::Expired { profile: profile(), ago: said("3 d 2 h") },
        CredentialError::OtherKind { said: "personal", likely: Some("oauth` or `plan") },
        CredentialError::OtherKind { said: "personal", likely: None },
        CredentialError::Shown,
        CredentialError::Gone { profile: profile(), place: said("the keyring (Secret Service)") },
    ]
}

fn refusal_samples() -> Vec<Error> {
    let said = |text: &str| text.to_owned();
    let file = || said("file AbCdEfGhIjKlMnOpQrStUv");
    vec![
        Error::PlanTooSmall {
            plan: "the Enterprise plan",
            instead: Some("`figma_file_nodes_get` shows variables that are bound to nodes."),
            message: said("Limited by Figma plan"),
        },
        Error::PlanTooSmall { plan: "the Enterprise plan", instead: None, message: String::new() },
        Error::NoAccess { what: file(), kind: "a personal access token", message: said("Forbidden") },
        Error::NotExportable { what: file() },
        Error::NotFound { what: file(), message: said("Not found") },
        Error::TooLargeFile {
            pages: vec!["0:1".to_owned(), "12:3".to_owned(), "12:4".to_owned()],
            calls: 2,
            page: None,
        },
        Error::TooLarge {
            limit: said("Figma gave up on a file this large"),
            smaller: "Call again with `depth` 1, then pass `ids`.",
        },
        Error::WrongFileType { message: said("File type not supported by this endpoint") },
        Error::Refused { status: 400, message: said("Invalid emoji"), advice: None },
        Error::Refused {
            status: 400,
            message: said("Missing required parameter passcode"),
            advice: Some("Give `passcode` too: it cannot be read back."),
        },
    ]
}

/// Every situation of OAuth: a `match` on the enum cannot be complete out here.
fn oauth_samples() -> [OAuthError; 12] {
    let said = |text: &str| text.to_owned();
    let (profile, redirect_uri) = (said("default"), said("http://127.0.0.1:14920/callback"));
    [
        OAuthError::NoSecret { profile: None },
        OAuthError::NoPort { ports: said("14920, 24920, 34920") },
        OAuthError::NoCallback { limit: Duration::from_secs(120), redirect_uri: redirect_uri.clone() },
        OAuthError::WrongState,
        OAuthError::BadCallback { problem: "there is no code in it" },
        OAuthError::Refused { message: said("access_denied") },
        OAuthError::ExpiredCode { message: said("Code has expired") },
        OAuthError::WrongSecret { message: said("Invalid client secret") },
        OAuthError::WrongRedirect { redirect_uri, message: said("Redirect URI does not match") },
        OAuthError::NotExchanged { status: 403, message: said("Forbidden") },
        OAuthError::Revoked { profile: profile.clone(), message: said("Invalid refresh token") },
        OAuthError::Contended { profile, times: 4 },
    ]
}

fn result_samples() -> [ResultError; 4] {
    let said = |text: &str| text.to_owned();
    [
        ResultError::Filter {
            problem: said("is no valid jq: term is missing at character 6, before `| .b`"),
            next: said("Write jq, such as `.comments[] | {id, message}`."),
        },
        ResultError::Gone { id: said("k3jx8m2qpa") },
        ResultError::BehindEnd { offset: 40, holds: said("there are 12 items") },
        ResultError::IsText { id: said("k3jx8m2qpa") },
    ]
}

fn limit_samples() -> Vec<Error> {
    let limit = |plan: Option<&str>, seat: Option<&str>, seconds: Option<u64>, link: Option<&str>| {
        Error::RateLimited(Box::new(RateLimit {
            tier: 1,
            plan: plan.map(str::to_owned),
            seat: seat.map(str::to_owned),
            retry_after: seconds.map(Duration::from_secs),
            upgrade_link: link.map(str::to_owned),
            still: link.map(|_| "Tier 2 and tier 3 tools still answer.".to_owned()),
        }))
    };
    vec![
        limit(Some("starter"), Some("low"), Some(392_733), Some("https://www.figma.com/pricing")),
        limit(Some("pro"), Some("high"), Some(42), None),
        limit(None, None, None, None),
        Error::Busy { tier: 1, waiting: 16 },
        Error::TooManyCalls { limit: 64 },
    ]
}
