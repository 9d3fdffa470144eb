//! Figma addresses taken apart. Pure.
//!
//! The forms are those of `developers.figma.com/docs/rest-api` (file endpoints, introduction) and the
//! ones seen in the wild: every editor type, branches, embed wrappers, node ids with `-` or `:`.

use url::Url;

/// What a Figma address points at. Every part may be absent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FigmaUrl {
    /// The key of the file, or of the main file where the address is a branch's.
    pub file_key: Option<String>,
    /// The key of the branch.
    pub branch_key: Option<String>,
    /// The nodes named by `node-id`, in the API's form `1:2`.
    pub node_ids: Vec<String>,
    /// The version named by `version-id`.
    pub version_id: Option<String>,
    /// The comment named after `#`.
    pub comment_id: Option<String>,
    /// The team.
    pub team_id: Option<String>,
    /// The project, which Figma now calls a folder; both have the same id.
    pub project_id: Option<String>,
}

/// Why an address cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UrlProblem {
    /// It is an address, but not one of Figma's.
    #[error("is not an address of figma.com")]
    NotFigma,
    /// A Community page: its number is not a file key.
    #[error(
        "is a Community page, whose number is not a file key; open the page, choose \"Open in Figma\" and give the address of your copy"
    )]
    Community,
    /// One of Figma's addresses, but of nothing that the API knows.
    #[error("is an address of Figma that names no file, team, project or node")]
    Nothing,
}

impl FigmaUrl {
    /// Takes an address apart, or returns `None` when `text` is no address at all.
    #[must_use]
    pub fn parse(text: &str) -> Option<Result<Self, UrlProblem>> {
        let text = text.trim();
        if !looks_like_address(text) {
            return None;
        }
        let url =
            if text.contains("://") { Url::parse(text) } else { Url::parse(&format!("https://{text}")) };
        Some(url.map_err(|_| UrlProblem::NotFigma).and_then(|url| Self::from_url(&url)))
    }

    /// The key to read: the branch's, where there is one.
    #[must_use]
    pub fn readable_key(&self) -> Option<&str> {
        self.branch_key.as_deref().or(self.file_key.as_deref())
    }

    fn from_url(url: &Url) -> Result<Self, UrlProblem> {
        if !matches!(url.scheme(), "http" | "https" | "figma") || !is_figma_host(url.host_str()) {
            return Err(UrlProblem::NotFigma);
        }
        let segments: Vec<&str> =
            url.path_segments().into_iter().flatten().filter(|s| !s.is_empty()).collect();
        if segments.first() == Some(&"embed") {
            return Self::from_embed(url);
        }
        if segments.first() == Some(&"community") {
            return Err(UrlProblem::Community);
        }
        let mut found = Self::default();
        match segments.as_slice() {
            ["files" | "folder", rest @ ..] => found.read_place(rest),
            ["team", id, ..] if is_number(id) => found.team_id = Some((*id).to_owned()),
            ["project", id, ..] if is_number(id) => found.project_id = Some((*id).to_owned()),
            [_, key, "branch", branch, ..] if is_key(key) && is_key(branch) => {
                found.file_key = Some((*key).to_owned());
                found.branch_key = Some((*branch).to_owned());
            }
            [_, key, ..] if is_key(key) => found.file_key = Some((*key).to_owned()),
            _ => {}
        }
        found.read_query(url);
        if let Some(id) = url.fragment().filter(|f| is_number(f)) {
            found.comment_id = Some(id.to_owned());
        }
        if found == Self::default() { Err(UrlProblem::Nothing) } else { Ok(found) }
    }

    /// `/embed?url=ENCODED`, the wrapper that embeds carried before `embed.figma.com`.
    fn from_embed(url: &Url) -> Result<Self, UrlProblem> {
        let inner = url.query_pairs().find(|(name, _)| name == "url").ok_or(UrlProblem::Nothing)?;
        let inner = Url::parse(&inner.1).map_err(|_| UrlProblem::NotFigma)?;
        if inner.path().starts_with("/embed") {
            return Err(UrlProblem::Nothing);
        }
        Self::from_url(&inner)
    }

    /// What stands after `/files/`: `[ORG/]team/ID`, `…/project/ID`, `…/folder/ID`.
    fn read_place(&mut self, segments: &[&str]) {
        for pair in segments.windows(2) {
            match pair {
                ["team", id] if is_number(id) => self.team_id = Some((*id).to_owned()),
                ["project" | "folder", id] if is_number(id) => self.project_id = Some((*id).to_owned()),
                _ => {}
            }
        }
    }

    fn read_query(&mut self, url: &Url) {
        for (name, value) in url.query_pairs() {
            match &*name {
                "node-id" => self.node_ids = value.split(',').filter_map(node_id).collect(),
                "version-id" => self.version_id = Some(value.into_owned()),
                _ => {}
            }
        }
    }
}

/// A node's id in the API's form, or `None`: `1-2` and `1%3A2` become `1:2`, and ids inside instances
/// (`I5666-180910;1-10515`) keep their parts.
#[must_use]
pub fn node_id(text: &str) -> Option<String> {
    let text = text.trim().replace("%3A", ":").replace("%3a", ":").replace("%3B", ";").replace("%3b", ";");
    let text = text.replace('-', ":");
    let plain = text.strip_prefix('I').unwrap_or(&text);
    let is_pair = |part: &str| part.split_once(':').is_some_and(|(a, b)| is_number(a) && is_number(b));
    plain.split(';').all(is_pair).then_some(text)
}

/// Whether it can be a file's or a branch's key. Figma's own are 22 to 128 letters and digits; shorter
/// ones are let through, so that the sandbox's speaking keys work.
#[must_use]
pub fn is_key(text: &str) -> bool {
    (1..=128).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// Whether it can be an id whose form Figma does not state, as those of dev resources and webhooks.
#[must_use]
pub fn is_id(text: &str) -> bool {
    let is_part = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b':');
    (1..=128).contains(&text.len()) && text.bytes().all(is_part)
}

/// Whether it is a decimal number, as the ids of teams, projects and comments are.
#[must_use]
pub fn is_number(text: &str) -> bool {
    !text.is_empty() && text.len() <= 32 && text.bytes().all(|b| b.is_ascii_digit())
}

fn looks_like_address(text: &str) -> bool {
    text.contains("://")
        || text.split('/').next().is_some_and(|host| host.contains('.') && text.len() > host.len())
}

/// Hosts are figma.com and the government host, with any subdomain of theirs.
fn is_figma_host(host: Option<&str>) -> bool {
    let is_under = |host: &str, domain: &str| {
        host == domain || host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'))
    };
    host.is_some_and(|host| is_under(host, "figma.com") || is_under(host, "figma-gov.com"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_address_is_understood() {
        // (address, file key to read, main key, node ids, team, project, comment)
        let key = "AbCdEfGhIjKlMnOpQrStUv";
        for kind in ["file", "design", "board", "proto", "slides", "deck", "make", "site", "buzz"] {
            let url =
                FigmaUrl::parse(&format!("https://www.figma.com/{kind}/{key}/Some-Name?node-id=1-2&t=x-1"))
                    .unwrap()
                    .unwrap();
            assert_eq!(
                (url.readable_key(), url.node_ids.as_slice()),
                (Some(key), &["1:2".to_owned()][..]),
                "{kind}"
            );
        }
        let parsed = |text: &str| FigmaUrl::parse(text).unwrap().unwrap();
        assert_eq!(parsed(&format!("figma.com/design/{key}")).file_key.as_deref(), Some(key));
        assert_eq!(parsed(&format!("https://embed.figma.com/design/{key}/x")).file_key.as_deref(), Some(key));
        assert_eq!(
            parsed(&format!("https://www.figma-gov.com/design/{key}/x")).file_key.as_deref(),
            Some(key)
        );
        let embed = format!(
            "https://www.figma.com/embed?embed_host=x&url=https%3A%2F%2Fwww.figma.com%2Fdesign%2F{key}%2Fa%3Fnode-id%3D3-4"
        );
        assert_eq!(parsed(&embed).node_ids, ["3:4"]);
        let branch =
            parsed(&format!("https://www.figma.com/design/{key}/branch/BrAnChKeyBrAnChKeyBrAn/name"));
        assert_eq!(
            (branch.readable_key(), branch.file_key.as_deref()),
            (Some("BrAnChKeyBrAnChKeyBrAn"), Some(key))
        );
        let nested =
            parsed(&format!("https://www.figma.com/design/{key}/x?node-id=I5666-180910%3B1-10515#987"));
        assert_eq!(
            (nested.node_ids, nested.comment_id.as_deref()),
            (vec!["I5666:180910;1:10515".to_owned()], Some("987"))
        );
        assert_eq!(
            parsed(&format!("https://www.figma.com/design/{key}/x?node-id=1-2,3%3A4")).node_ids,
            ["1:2", "3:4"]
        );
        assert_eq!(parsed("https://www.figma.com/files/team/123/Name").team_id.as_deref(), Some("123"));
        let place = parsed("https://www.figma.com/files/99/team/123/project/456/Name");
        assert_eq!((place.team_id.as_deref(), place.project_id.as_deref()), (Some("123"), Some("456")));
        assert_eq!(parsed("https://www.figma.com/files/project/456").project_id.as_deref(), Some("456"));
    }

    #[test]
    fn everything_else_is_refused_for_its_reason() {
        assert_eq!(FigmaUrl::parse("AbCdEf"), None);
        assert_eq!(FigmaUrl::parse("1:2"), None);
        assert_eq!(
            FigmaUrl::parse("https://figma.com.evil.example/design/abc"),
            Some(Err(UrlProblem::NotFigma))
        );
        assert_eq!(FigmaUrl::parse("https://notfigma.com/design/abc"), Some(Err(UrlProblem::NotFigma)));
        assert_eq!(
            FigmaUrl::parse("https://www.figma.com/community/file/123"),
            Some(Err(UrlProblem::Community))
        );
        assert_eq!(FigmaUrl::parse("https://www.figma.com/"), Some(Err(UrlProblem::Nothing)));
    }

    #[test]
    fn node_ids_take_every_spelling() {
        assert_eq!(node_id("1-2").as_deref(), Some("1:2"));
        assert_eq!(node_id("1%3A2").as_deref(), Some("1:2"));
        assert_eq!(node_id("I1-2;3-4").as_deref(), Some("I1:2;3:4"));
        for wrong in ["", "abc", "1", "1:2:3", "I", "1:2;", "-1:2"] {
            assert_eq!(node_id(wrong), None, "{wrong}");
        }
    }
}
