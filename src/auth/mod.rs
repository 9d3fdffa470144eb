//! Who is asking, and with what: kinds of token and where they come from.
//!
//! A token's kind is said by whoever configures it, never guessed from its prefix: plan and OAuth
//! tokens can begin alike. This room never prints a secret.

use secrecy::{ExposeSecret, SecretString};

use crate::{
    error::{Error, Result},
    table::{Endpoint, TokenKind, Tool},
};

/// A Figma credential.
#[derive(Debug, Clone)]
pub struct Token {
    /// What kind it is; `None` for the sandbox's own, which may do everything.
    pub kind: Option<TokenKind>,
    secret: SecretString,
    /// Where it came from, such as `FIGMA_TOKEN`.
    pub origin: String,
}

/// The outcome of looking for a token: three states, never two, so that a broken one is told and
/// not mistaken for none.
#[derive(Debug, Clone)]
pub enum Found {
    /// A usable token.
    Token(Token),
    /// None is configured.
    None,
    /// One is configured, and cannot be used.
    Broken(Error),
}

/// Whoever calls a tool.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The credential that the calls go out with.
    pub found: Found,
}

impl Token {
    /// A token of a stated kind.
    ///
    /// # Errors
    /// What is wrong with it, when it cannot stand in an HTTP header.
    pub fn new(kind: Option<TokenKind>, secret: &str, origin: &str) -> Result<Self> {
        let secret = secret.trim();
        let broken = |problem: &str| {
            Err(Error::BrokenToken { origin: origin.to_owned(), problem: problem.to_owned() })
        };
        if secret.len() > 4096 {
            return broken("it is longer than any token");
        }
        if secret.starts_with(['"', '\'']) {
            return broken("it is in quotation marks, which are not part of it");
        }
        if !secret.bytes().all(|byte| byte.is_ascii_graphic()) {
            return broken("it holds blanks or characters that no token has");
        }
        Ok(Self { kind, secret: SecretString::from(secret), origin: origin.to_owned() })
    }

    /// The header that carries it: its name and its value. Exactly one per request.
    ///
    /// Source: security schemes of Figma's `OpenAPI` document.
    pub fn header(&self) -> (&'static str, SecretString) {
        match self.kind {
            Some(TokenKind::OAuth) => {
                ("authorization", SecretString::from(format!("Bearer {}", self.secret.expose_secret())))
            }
            Some(TokenKind::Personal | TokenKind::Plan) | None => ("x-figma-token", self.secret.clone()),
        }
    }

    /// Whether Figma accepts this kind of token at this endpoint.
    pub fn can_call(&self, endpoint: &Endpoint) -> bool {
        self.kind.is_none_or(|kind| endpoint.tokens.contains(&kind))
    }

    /// What a person calls this kind of token.
    pub fn description(&self) -> &'static str {
        self.kind.map_or("the sandbox's token", TokenKind::description)
    }
}

impl Found {
    /// The first token in the environment, as `variables` has it: (name, kind, value).
    pub fn from_variables<'a>(variables: impl IntoIterator<Item = (&'a str, TokenKind, String)>) -> Self {
        variables.into_iter().next().map_or(Self::None, |(name, kind, value)| {
            Token::new(Some(kind), &value, name).map_or_else(Self::Broken, Self::Token)
        })
    }
}

impl Caller {
    /// Whether a tool is worth listing: without a credential all are, so that people see what there is.
    pub fn can_call(&self, tool: &Tool) -> bool {
        match &self.found {
            Found::Token(token) => token.can_call(tool.endpoint()),
            Found::None | Found::Broken(_) => true,
        }
    }

    /// The token to call this tool with.
    ///
    /// # Errors
    /// Why there is none, or why Figma would never accept it here.
    pub fn token_for(&self, tool: &'static Tool) -> Result<&Token> {
        let token = match &self.found {
            Found::Token(token) => token,
            Found::None => return Err(Error::NoToken),
            Found::Broken(error) => return Err(error.clone()),
        };
        let endpoint = tool.endpoint();
        if token.can_call(endpoint) {
            return Ok(token);
        }
        let accepted: Vec<&str> = endpoint.tokens.iter().map(|kind| kind.description()).collect();
        Err(Error::WrongToken {
            tool: tool.name,
            kind: token.description(),
            accepted: accepted.join(" or "),
            scope: endpoint.scopes.first().map(|scope| scope.name()),
        })
    }
}

/// A text with anything that looks like a Figma token taken out, for messages that quote what
/// somebody typed.
pub fn redacted(text: &str) -> String {
    const SHORTEST: usize = 12;
    let is_token = |word: &str| {
        word.strip_prefix("fig")
            .and_then(|rest| rest.split_once('_'))
            .is_some_and(|(kind, secret)| kind.len() <= 2 && secret.len() >= SHORTEST)
    };
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(is_part) {
        let (before, from) = rest.split_at(start);
        let (word, after) = from.split_at(from.find(|c| !is_part(c)).unwrap_or(from.len()));
        clean += before;
        clean += if is_token(word) { "[token]" } else { word };
        rest = after;
    }
    clean + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_never_printed() {
        let token = Token::new(Some(TokenKind::Personal), "figd_CanaryCanaryCanary", "FIGMA_TOKEN").unwrap();
        assert!(!format!("{token:?} {:?}", token.header()).contains("Canary"));
        assert_eq!(redacted("no 'figd_SecretSecretSecret' here"), "no '[token]' here");
        assert_eq!(redacted("figma_file_get fig_x"), "figma_file_get fig_x");
    }

    #[test]
    fn a_broken_token_is_told_apart_from_none() {
        let found = |value: &str| Found::from_variables([("FIGMA_TOKEN", TokenKind::Plan, value.to_owned())]);
        assert!(matches!(found("figu_abc"), Found::Token(token) if token.kind == Some(TokenKind::Plan)));
        assert!(matches!(found("two words"), Found::Broken(_)));
        assert!(matches!(found("\"figd_abc\""), Found::Broken(_)));
        assert!(matches!(Found::from_variables([]), Found::None));
    }

    #[test]
    fn the_kind_decides_the_header() {
        let header = |kind| Token::new(kind, "x", "test").unwrap().header().0;
        assert_eq!(header(Some(TokenKind::Personal)), "x-figma-token");
        assert_eq!(header(Some(TokenKind::Plan)), "x-figma-token");
        assert_eq!(header(Some(TokenKind::OAuth)), "authorization");
    }
}
