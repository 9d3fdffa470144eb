//! The flags of `serve --http`, and what they may be together.

use std::{
    ffi::OsString,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
};

use clap::{Args, ValueEnum, builder::FalseyValueParser};

use super::{meaningful, usage};
use crate::error::{Error, Result};

/// The port that people who come from other Figma servers have in their configurations.
const USUAL: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 3333);

/// How `serve --http` listens, and to whom.
// Each is a flag of its own.
#[allow(clippy::struct_excessive_bools)]
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "HTTP")]
pub struct HttpSettings {
    /// Serve MCP over HTTP at this address; without one at 127.0.0.1:3333
    #[arg(long, env = "FIGMA_MCP_HTTP", global = true, value_name = "ADDR", num_args = 0..=1, default_missing_value = "127.0.0.1:3333")]
    http: Option<String>,

    /// Keep sessions for clients that resume streams or answer requests of the server
    #[arg(long, env = "FIGMA_MCP_HTTP_SESSIONS", global = true, value_parser = FalseyValueParser::new())]
    pub http_sessions: bool,

    /// Do not serve the old HTTP+SSE transport at /sse
    #[arg(long, env = "FIGMA_MCP_NO_LEGACY_SSE", global = true, value_parser = FalseyValueParser::new())]
    pub no_legacy_sse: bool,

    /// Address that clients reach the server by, where that is not the one it listens at
    #[arg(long, env = "FIGMA_MCP_PUBLIC_URL", global = true, value_name = "URL")]
    public_url: Option<String>,

    /// Take the caller's own Figma token from `X-Figma-Token` also where others can reach the server
    #[arg(long, env = "FIGMA_MCP_ALLOW_CLIENT_TOKEN", global = true, value_parser = FalseyValueParser::new())]
    pub allow_client_token: bool,

    /// File of bearer tokens, one a line, one of which every caller has to present
    #[arg(long, env = "FIGMA_MCP_AUTH_TOKEN_FILE", global = true, value_name = "FILE")]
    auth_token_file: Option<OsString>,

    /// Authorization server whose tokens (JWT) callers may present
    #[arg(long, env = "FIGMA_MCP_AUTH_ISSUER", global = true, value_name = "URL")]
    auth_issuer: Option<String>,

    /// Audience that those tokens have to name; without it the public address of /mcp
    #[arg(long, env = "FIGMA_MCP_AUTH_AUDIENCE", global = true, value_name = "URL")]
    auth_audience: Option<String>,

    /// Certificate chain (PEM) to serve HTTPS with
    #[arg(long, env = "FIGMA_MCP_TLS_CERT", global = true, value_name = "FILE")]
    tls_cert: Option<OsString>,

    /// Private key (PEM) of that certificate
    #[arg(long, env = "FIGMA_MCP_TLS_KEY", global = true, value_name = "FILE")]
    tls_key: Option<OsString>,

    /// A reverse proxy in front of the server encrypts
    #[arg(long, env = "FIGMA_MCP_BEHIND_PROXY", global = true, value_parser = FalseyValueParser::new())]
    pub behind_proxy: bool,

    /// Names beside the own ones that requests may be addressed to (`Host`)
    #[arg(long, env = "FIGMA_MCP_ALLOWED_HOSTS", global = true, value_name = "HOSTS", value_delimiter = ',')]
    pub allowed_hosts: Vec<String>,

    /// Web pages whose requests are accepted (`Origin`), such as `https://app.example`
    #[arg(
        long,
        env = "FIGMA_MCP_ALLOWED_ORIGINS",
        global = true,
        value_name = "ORIGINS",
        value_delimiter = ','
    )]
    pub allowed_origins: Vec<String>,

    /// Write a line about each HTTP request to stderr
    #[arg(long, env = "FIGMA_MCP_ACCESS_LOG", global = true, value_name = "FORMAT", value_parser = format)]
    access_log: Option<Format>,
}

/// The form of the access log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// An object a line.
    Json,
    /// Words.
    Text,
    /// None at all.
    Off,
}

/// A certificate and its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tls {
    /// The chain.
    pub certificates: PathBuf,
    /// The key.
    pub key: PathBuf,
}

/// Who may call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Access {
    /// The file of tokens.
    pub token_file: Option<PathBuf>,
    /// The authorization server.
    pub issuer: Option<String>,
    /// What its tokens have to be for.
    pub audience: Option<String>,
}

impl Access {
    /// Whether callers have to show who they are.
    pub const fn is_required(&self) -> bool {
        self.token_file.is_some() || self.issuer.is_some()
    }
}

/// A format by name; an empty value is none.
fn format(text: &str) -> Result<Format, String> {
    let Some(text) = meaningful(text) else { return Ok(Format::Off) };
    Format::from_str(&text, true).map_err(|_| "it must be `json` or `text`".to_owned())
}

impl HttpSettings {
    /// Makes empty values absent, and refuses to be reachable from outside without protection.
    pub(super) fn check(&mut self) -> Result<()> {
        for list in [&mut self.allowed_hosts, &mut self.allowed_origins] {
            *list = list.iter().filter_map(|name| meaningful(name)).collect();
        }
        for text in [&mut self.http, &mut self.public_url, &mut self.auth_issuer, &mut self.auth_audience] {
            *text = text.as_deref().and_then(meaningful);
        }
        for path in [&mut self.auth_token_file, &mut self.tls_cert, &mut self.tls_key] {
            *path = path.take().filter(|path| path.to_str().is_none_or(|text| meaningful(text).is_some()));
        }
        for url in [&mut self.public_url, &mut self.auth_issuer].into_iter().flatten() {
            checked_url(url)?;
        }
        if self.address()?.is_some() { self.check_exposure() } else { Ok(()) }
    }

    /// Where to listen; `None` for stdio.
    ///
    /// # Errors
    /// [`Error::Usage`]
    pub fn address(&self) -> Result<Option<SocketAddr>> {
        let Some(text) = &self.http else { return Ok(None) };
        match text.to_ascii_lowercase().as_str() {
            "1" | "true" | "yes" | "on" => return Ok(Some(USUAL)),
            "0" | "false" | "no" | "off" => return Ok(None),
            _ => {}
        }
        let text = text.replacen("localhost:", "127.0.0.1:", 1);
        if let Ok(port) = text.trim_start_matches(':').parse() {
            return Ok(Some(SocketAddr::new(USUAL.ip(), port)));
        }
        text.parse().map(Some).map_err(|_| {
            usage(
                &format!(
                    "--http (FIGMA_MCP_HTTP) {} is no address to listen at",
                    crate::error::foreign(&text)
                ),
                "Give an IP address and a port, such as 127.0.0.1:3333; flags come after `serve`.",
            )
        })
    }

    /// Whether anybody but programs on this machine can reach the server.
    pub fn is_exposed(&self) -> bool {
        self.behind_proxy || self.address().ok().flatten().is_some_and(|address| !address.ip().is_loopback())
    }

    /// Who may call.
    pub fn access(&self) -> Access {
        Access {
            token_file: self.auth_token_file.as_ref().map(PathBuf::from),
            issuer: self.auth_issuer.clone(),
            audience: self.auth_audience.clone(),
        }
    }

    /// The certificate to serve HTTPS with.
    pub fn tls(&self) -> Option<Tls> {
        let (certificates, key) = (self.tls_cert.as_ref()?, self.tls_key.as_ref()?);
        Some(Tls { certificates: PathBuf::from(certificates), key: PathBuf::from(key) })
    }

    /// The address that clients use, without a slash at its end, if it was named.
    pub fn public_url(&self) -> Option<&str> {
        self.public_url.as_deref()
    }

    /// The form of the access log, if there is to be one.
    pub fn access_log(&self) -> Option<Format> {
        self.access_log.filter(|format| *format != Format::Off)
    }

    fn check_exposure(&self) -> Result<()> {
        if self.tls_cert.is_some() != self.tls_key.is_some() {
            return Err(usage("--tls-cert and --tls-key belong together", "Give both, or neither."));
        }
        if !self.is_exposed() {
            return Ok(());
        }
        if !self.access().is_required() {
            return Err(usage(
                "others could use this server's Figma account: it is reachable from outside and asks nobody who they are",
                "Give --auth-token-file or --auth-issuer, or listen at 127.0.0.1.",
            ));
        }
        if self.tls().is_none() && !self.behind_proxy {
            return Err(usage(
                "tokens would travel unencrypted: the server is reachable from outside without TLS",
                "Give --tls-cert and --tls-key, or --behind-proxy if a reverse proxy encrypts.",
            ));
        }
        Ok(())
    }
}

/// An address without anything after its path. Plain http only to this very machine.
fn checked_url(text: &mut String) -> Result<()> {
    let refuse =
        |problem: &str| Err::<(), Error>(usage(problem, "Give an address such as https://mcp.example."));
    let Ok(url) = url::Url::parse(text) else { return refuse("--public-url or --auth-issuer is no address") };
    let is_here = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    if !(url.scheme() == "https" || url.scheme() == "http" && is_here)
        || url.query().is_some()
        || url.fragment().is_some()
        || !url.username().is_empty()
    {
        return refuse("--public-url and --auth-issuer must be https, without user name, query or fragment");
    }
    let kept = text.trim_end_matches('/').len();
    text.truncate(kept);
    Ok(())
}
