//! What a row says: the vocabulary in which the tools are declared.
//!
//! What every row must say is a field without a default, so that the compiler asks for it. What few
//! rows need sits in [`Quirks`] and [`Extra`], each with a named plain value.

use super::args::{Args, Input};

/// A group of tools that is switched on and off together: one file of the table.
#[derive(Debug)]
pub struct Toolset {
    /// As it is written in `--toolsets`.
    pub name: &'static str,
    /// One sentence for help pages and the README.
    pub description: &'static str,
    /// Whether it belongs to the everyday set, `--toolsets default`.
    pub everyday: bool,
    /// Its rows, in the order in which they are listed.
    pub tools: &'static [Tool],
}

/// One MCP tool: one row of the table.
#[derive(Debug)]
pub struct Tool {
    /// Its MCP name, such as `figma_file_get`.
    pub name: &'static str,
    /// A short title for people.
    pub title: &'static str,
    /// Read by the model: what it returns, what it costs, which tool to prefer when.
    pub description: &'static str,
    /// What it does to Figma's data.
    pub effect: Effect,
    /// Its arguments: `input::<Args>()`.
    pub input: Input,
    /// What runs when it is called.
    pub handler: Handler,
    /// What few rows need to say of their names and arguments.
    pub extra: Extra,
}

impl Tool {
    /// The endpoint that decides who may call this tool and what it costs: the only one of a plain
    /// tool, the first one of a composed tool; none where the answer comes from this process.
    #[must_use]
    pub const fn endpoint(&self) -> Option<&Endpoint> {
        match &self.handler {
            Handler::Call(endpoint)
            | Handler::DesignContext(endpoint)
            | Handler::TeamGet(endpoint)
            | Handler::NodesSearch(endpoint)
            | Handler::CommentsDigest(endpoint)
            | Handler::Outline(endpoint)
            | Handler::VariableDefs(endpoint)
            | Handler::Handoff(endpoint) => Some(endpoint),
            Handler::ImagesDownload(endpoints) | Handler::ScreenshotGet(endpoints) => Some(&endpoints.render),
            Handler::ResultQuery | Handler::Status => None,
        }
    }

    /// Every endpoint that it can call: its own, and the one that is tried in its place.
    pub fn endpoints(&self) -> impl Iterator<Item = &Endpoint> {
        self.endpoint()
            .into_iter()
            .flat_map(|endpoint| std::iter::once(endpoint).chain(endpoint.quirks.fallback))
    }

    /// Whether its arguments are those of its endpoint, rather than a composition's own.
    #[must_use]
    pub const fn is_plain(&self) -> bool {
        matches!(self.handler, Handler::Call(_) | Handler::TeamGet(_))
    }

    /// MCP's `readOnlyHint`: whether it changes nothing, neither at Figma nor on this machine.
    #[must_use]
    pub const fn changes_nothing(&self) -> bool {
        self.effect.is_read() && !self.extra.writes_files
    }

    /// MCP's `destructiveHint`: whether something that exists can be changed or lost. A file can be
    /// replaced where the caller says so.
    #[must_use]
    pub const fn is_destructive(&self) -> bool {
        self.effect.is_destructive() || self.extra.writes_files
    }

    /// Whether this kind of token can call it.
    #[must_use]
    pub fn accepts(&self, kind: TokenKind) -> bool {
        self.endpoint().is_none_or(|endpoint| endpoint.tokens.contains(&kind))
    }
}

/// What runs when a tool is called.
#[derive(Debug)]
pub enum Handler {
    /// One request to one endpoint.
    Call(Endpoint),
    /// `figma_team_get`, composed of the team's folders or projects, since Figma has no such endpoint.
    TeamGet(Endpoint),
    /// `figma_result_query`, about a result that is kept, or that another tool is called for.
    ResultQuery,
    /// `figma_design_context_get`, a description of nodes.
    DesignContext(Endpoint),
    /// `get_metadata`: an element for each layer.
    Outline(Endpoint),
    /// `get_variable_defs`: names and values of the variables and styles that are used.
    VariableDefs(Endpoint),
    /// `figma_images_download`: renders and image fills, saved as files.
    ImagesDownload(ImageEndpoints),
    /// `figma_screenshot_get`: a render that the model sees.
    ScreenshotGet(ImageEndpoints),
    /// `figma_nodes_search`, over a file that is read once.
    NodesSearch(Endpoint),
    /// `figma_comments_digest_get`, composed of the comments and the file that they are pinned to.
    CommentsDigest(Endpoint),
    /// `figma_handoff_get`, composed of all that who builds a node needs.
    Handoff(Endpoint),
    /// `figma_status_get`, answered by this process without a call.
    Status,
}

/// What composes images.
#[derive(Debug)]
pub struct ImageEndpoints {
    /// Renders nodes.
    pub render: Endpoint,
    /// Names the addresses of image fills.
    pub fills: Endpoint,
}

/// One REST endpoint, and what it takes to be allowed to call it.
#[derive(Debug)]
pub struct Endpoint {
    /// The HTTP method.
    pub method: Method,
    /// The path on the API's host; `{name}` is filled from the argument of that name.
    pub path: &'static str,
    /// The rate-limit tier, from the endpoint's own documentation page.
    pub tier: Tier,
    /// Any one of these is enough; the first is the one to ask for. Empty where Figma names none.
    pub scopes: &'static [Scope],
    /// The kinds of token that Figma accepts here.
    pub tokens: &'static [TokenKind],
    /// How it differs from the plain ones.
    pub quirks: Quirks,
}

impl Endpoint {
    /// Where the argument that Figma knows by this name travels.
    #[must_use]
    pub fn place(&self, argument: &str) -> Place {
        let is_it = |part: &str| part.strip_prefix('{').and_then(|p| p.strip_suffix('}')) == Some(argument);
        if self.path.split('/').any(is_it) {
            Place::Path
        } else if self.method.uses_query() {
            Place::Query
        } else {
            Place::Body
        }
    }
}

/// Where an argument travels in a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the path.
    Path,
    /// In the query.
    Query,
    /// In the JSON body.
    Body,
}

/// How an endpoint differs from the plain ones.
#[derive(Debug)]
pub struct Quirks {
    /// The Figma plan that the endpoint needs.
    pub plan: Plan,
    /// How its answer says that there is more.
    pub pagination: Pagination,
    /// Sent with every call, whatever the arguments: (query name, value).
    pub fixed_params: &'static [(&'static str, &'static str)],
    /// The API takes a list under this name; single arguments become its only item.
    pub wrap_in_list: Option<&'static str>,
    /// Where an answer with status 200 can hold failures.
    pub partial_failures: PartialFailures,
    /// Tried once when this one is refused for its scope or found gone.
    pub fallback: Option<&'static Endpoint>,
    /// Whether its answer may be kept, or makes kept ones worthless.
    pub cache: Cache,
}

/// An endpoint without any peculiarity.
pub const NO_QUIRKS: Quirks = Quirks {
    plan: Plan::Any,
    pagination: Pagination::None,
    fixed_params: &[],
    wrap_in_list: None,
    partial_failures: PartialFailures::None,
    fallback: None,
    cache: Cache::Never,
};

/// What an endpoint has to do with kept answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cache {
    /// Its answer is never kept: it depends on more than a file.
    Never,
    /// Its answer depends on the file and the arguments alone.
    UntilFileChanges {
        /// How long it is good for at most: addresses in it end.
        days: u32,
    },
    /// It changes the file: what was kept of it is worthless.
    ChangesFile,
}

/// What few rows need to say of their names and arguments.
#[derive(Debug)]
pub struct Extra {
    /// Other tool names that callers already use for this tool.
    pub aliases: &'static [&'static str],
    /// Other spellings of its arguments: (theirs, ours).
    pub argument_aliases: &'static [(&'static str, &'static str)],
    /// Arguments that callers trained on other servers send and that mean nothing here.
    pub ignored_arguments: &'static [&'static str],
    /// What must hold over several arguments, which a plain schema cannot say.
    pub rules: &'static [Rule],
    /// Rewrites what other servers' callers send into this row's arguments, where a plain
    /// spelling table does not suffice. Runs first.
    pub adapt: Option<fn(&mut Args)>,
    /// Writes files on this machine, below the folder that whoever started the server named.
    /// `--read-only` leaves it out: who asks for no changes expects none on the own disk either.
    pub writes_files: bool,
}

/// A row that needs none of it.
pub const NO_EXTRA: Extra = Extra {
    aliases: &[],
    argument_aliases: &[],
    ignored_arguments: &[],
    rules: &[],
    adapt: None,
    writes_files: false,
};

/// A condition over several arguments, by the names that callers use.
#[derive(Debug, Clone, Copy)]
pub enum Rule {
    /// Exactly one of these groups is given, and given whole.
    OneOf(&'static [&'static [&'static str]]),
    /// At least one of these is given.
    AnyOf(&'static [&'static str]),
    /// At most one of these is given.
    AtMostOne(&'static [&'static str]),
    /// The first is only allowed beside the second.
    Needs(&'static str, &'static str),
    /// Anything else: the argument at fault (empty when it is about all of them) and what is wrong.
    Check(fn(&Args) -> Result<(), (&'static str, String)>),
}

/// HTTP methods that Figma uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Reads.
    Get,
    /// Creates, and asks for developer logs.
    Post,
    /// Changes.
    Put,
    /// Removes.
    Delete,
}

impl Method {
    /// As it stands on the request line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
        }
    }

    /// Whether arguments travel in the query rather than in a JSON body.
    #[must_use]
    pub const fn uses_query(self) -> bool {
        matches!(self, Self::Get | Self::Delete)
    }
}

/// What a tool does to Figma's data. The four MCP annotations, the read-only filter and the retry
/// rule all follow from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Changes nothing; may be repeated at will.
    Read,
    /// Adds something; repeating it adds it twice.
    Create {
        /// The reading tool that shows whether an interrupted call was carried out.
        verify_with: &'static str,
    },
    /// Changes something; repeating it changes nothing more.
    Update,
    /// Removes something; when repeated, "not found" means done.
    Delete,
    /// Creates, changes and removes in one request; never repeated.
    Batch {
        /// The reading tool that shows whether an interrupted call was carried out.
        verify_with: &'static str,
    },
}

impl Effect {
    /// Whether nothing of Figma's changes.
    #[must_use]
    pub const fn is_read(self) -> bool {
        matches!(self, Self::Read)
    }

    /// Whether existing data of Figma's can be changed or lost.
    #[must_use]
    pub const fn is_destructive(self) -> bool {
        matches!(self, Self::Update | Self::Delete | Self::Batch { .. })
    }

    /// MCP's `idempotentHint`, and whether a request with an unknown outcome may be sent again.
    #[must_use]
    pub const fn is_idempotent(self) -> bool {
        self.verify_with().is_none()
    }

    /// The reading tool that shows whether an interrupted call was carried out.
    #[must_use]
    pub const fn verify_with(self) -> Option<&'static str> {
        match self {
            Self::Create { verify_with } | Self::Batch { verify_with } => Some(verify_with),
            Self::Read | Self::Update | Self::Delete => None,
        }
    }
}

/// Figma's rate-limit tiers (developers.figma.com/docs/rest-api/rate-limits): 1 is the scarcest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tier {
    /// Files, nodes and renders: a handful of calls a month for some seats.
    One = 1,
    /// Most lists and writes.
    Two = 2,
    /// Metadata, published library items, analytics and logs.
    Three = 3,
}

impl Tier {
    /// All tiers, scarcest first.
    pub const ALL: [Self; 3] = [Self::One, Self::Two, Self::Three];

    /// Its number, 1 to 3.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8
    }
}

/// The Figma plan that an endpoint needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plan {
    /// Every plan.
    Any,
    /// Professional and above.
    Paid,
    /// Enterprise.
    Enterprise,
    /// Enterprise with the Governance+ add-on.
    Governance,
}

impl Plan {
    /// What a person calls it, or `None` where every plan will do.
    #[must_use]
    pub const fn requirement(self) -> Option<&'static str> {
        match self {
            Self::Any => None,
            Self::Paid => Some("a paid plan"),
            Self::Enterprise => Some("the Enterprise plan"),
            Self::Governance => Some("the Enterprise plan with Governance+"),
        }
    }
}

/// How an answer says that there is more, and what asks for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pagination {
    /// The whole list comes at once.
    None,
    /// `pagination.next_page` is an address; these of its parameters are the next call's arguments.
    NextUrl(&'static [&'static str]),
    /// `meta.cursor.after` is the next call's `after`.
    AfterBefore,
    /// `cursor` is the next call's `cursor` while the field at this JSON pointer is true.
    Cursor {
        /// Where the cursor stands.
        cursor: &'static str,
        /// Where it says whether there is more.
        has_more: &'static str,
    },
}

/// Where an answer with status 200 can hold failures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartialFailures {
    /// Nowhere.
    None,
    /// Entries of this top-level map that are null were not found or not rendered.
    NullsIn(&'static str),
    /// `errors` lists what failed; the top-level list of this name holds what succeeded.
    ErrorsBeside(&'static str),
}

macro_rules! scopes {
    ($($variant:ident = $name:literal,)*) => {
        /// Figma's scopes (developers.figma.com/docs/rest-api/scopes), as far as our tools need them.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Scope { $(#[doc = concat!("`", $name, "`")] $variant,)* }

        impl Scope {
            /// Every scope, in the order of Figma's list.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// As Figma writes it.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

scopes! {
    CurrentUserRead = "current_user:read",
    FileContentRead = "file_content:read",
    FileMetadataRead = "file_metadata:read",
    FileVersionsRead = "file_versions:read",
    FileCommentsRead = "file_comments:read",
    FileCommentsWrite = "file_comments:write",
    FileDevResourcesRead = "file_dev_resources:read",
    FileDevResourcesWrite = "file_dev_resources:write",
    FileVariablesRead = "file_variables:read",
    FileVariablesWrite = "file_variables:write",
    LibraryContentRead = "library_content:read",
    LibraryAssetsRead = "library_assets:read",
    TeamLibraryContentRead = "team_library_content:read",
    LibraryAnalyticsRead = "library_analytics:read",
    ProjectsRead = "projects:read",
    ProjectMetadataRead = "project_metadata:read",
    FoldersRead = "folders:read",
    FolderMetadataRead = "folder_metadata:read",
    WebhooksRead = "webhooks:read",
    WebhooksWrite = "webhooks:write",
    ActivityLogRead = "org:activity_log_read",
    DeveloperLogRead = "org:developer_log_read",
    AiUsageRead = "org:ai_metering_usage_read",
    FilesRead = "files:read",
}

/// The kinds of Figma credential. Said by whoever gives the token, never guessed from its prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TokenKind {
    /// A person's own token; acts as that person.
    Personal,
    /// A plan access token of an organisation.
    Plan,
    /// An OAuth 2 access token.
    OAuth,
}

impl TokenKind {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Personal, Self::Plan, Self::OAuth];

    /// As it is written in settings.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Personal => "personal",
            Self::Plan => "plan",
            Self::OAuth => "oauth",
        }
    }

    /// What a person calls it.
    #[must_use]
    pub const fn description(self) -> &'static str {
        match self {
            Self::Personal => "a personal access token",
            Self::Plan => "a plan access token",
            Self::OAuth => "an OAuth token",
        }
    }
}

/// Every kind of token.
pub const ANY_TOKEN: &[TokenKind] = &TokenKind::ALL;
/// Tokens that act as a person.
pub const PERSON: &[TokenKind] = &[TokenKind::Personal, TokenKind::OAuth];
/// Tokens that can be granted an organisation's scopes.
pub const PLAN_OR_OAUTH: &[TokenKind] = &[TokenKind::Plan, TokenKind::OAuth];
/// Only a personal access token.
pub const PERSONAL_ONLY: &[TokenKind] = &[TokenKind::Personal];
/// Only a plan access token.
pub const PLAN_ONLY: &[TokenKind] = &[TokenKind::Plan];
