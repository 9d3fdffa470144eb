//! The shared REST layer: every request to Figma goes through [`Rest::call`].
//!
//! The order of things: wait for a place among the calls of that tier, send, read with a cap, decide
//! whether to send again ([`retry`]), make an answer or an error of it ([`response`]), and where Figma
//! has two endpoints for the same thing, try the other one once. This room knows no tool by name.

pub mod document;
pub mod download;
mod exchange;
mod flight;
pub mod held;
mod inflate;
mod join;
mod kept;
mod lane;
pub mod members;
mod network;
mod pace;
pub mod pagination;
mod progress;
mod queue;
mod rate_limit;
pub mod request;
pub mod response;
pub mod retry;
mod stamp;

use std::{
    io,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant, SystemTime},
};

use reqwest::{Client, StatusCode, Url};
use serde_json::Value;

pub use self::progress::Progress;
use self::{
    download::Downloads,
    flight::Flights,
    held::{Fetches, Sink},
    inflate::{Capped, Encoding, Inflater},
    join::Joins,
    kept::Tally,
    lane::{Lane, Lanes},
    request::Request,
    response::{Asked, Output},
    retry::{Attempts, Failed},
};
pub use self::{
    kept::Saved,
    network::Network,
    rate_limit::Usage,
    stamp::{Freshness, UNKNOWN_LIFETIME},
};
pub use crate::store::{Calls, Gate, Stats, Store};
use crate::{
    auth::{Caller, Fingerprint, Login, Token, random},
    error::{Error, Result, innermost, unreachable as cause},
    store::CallerKey,
    table::{Cache, Endpoint, Method, Tier, Tool, args::Args},
};

/// The most that is read of one answer, inflated. Figma documents no cap; hundreds of megabytes happen.
pub const LARGEST_ANSWER: usize = 64 * 1024 * 1024;
/// Figma gives up on a file after about 55 s; no answer after this is none.
const ATTEMPT_LIMIT: Duration = Duration::from_secs(75);
const CONNECT_LIMIT: Duration = Duration::from_secs(10);
/// The longest silence in the middle of an answer.
const SILENCE_LIMIT: Duration = Duration::from_secs(20);

/// Where a result's facts hold how many tier 1 calls were made in this month, for accounts that have few.
const MONTH: &str = "tier_1_calls_this_month";

/// How many requests went out, by tier.
#[derive(Debug, Default)]
struct Counts([AtomicU64; 3]);

impl Counts {
    fn add(&self, tier: Tier) {
        let Self([one, two, three]) = self;
        let count = match tier {
            Tier::One => one,
            Tier::Two => two,
            Tier::Three => three,
        };
        count.fetch_add(1, Ordering::Relaxed);
    }

    fn all(&self) -> [u64; 3] {
        self.0.each_ref().map(|count| count.load(Ordering::Relaxed))
    }
}

/// The one way to Figma's API. Cheap to clone: a clone is the same one.
#[derive(Debug, Clone)]
pub struct Rest {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    base_url: String,
    /// The same, read when it is first needed; `None` where it is no address.
    address: OnceLock<Option<Url>>,
    call_limit: Duration,
    network: Network,
    /// How many requests went out for all callers, by tier.
    calls: Counts,
    largest_answer: usize,
    client: OnceLock<Client>,
    downloads: Downloads,
    lanes: Lanes,
    store: Store,
    tally: Tally,
    fetches: Fetches,
    /// Reads under way, by caller, request, and whether there is another endpoint to fall back on.
    flights: Flights<(Fingerprint, String, bool), Output>,
    joins: Joins,
}

impl Rest {
    /// A client of the API at `base_url` (without a slash at its end). One call, retries included,
    /// takes at most `call_limit`.
    pub fn new(base_url: String, call_limit: Duration) -> Self {
        Self::of(Inner {
            downloads: Downloads::new(Network::default(), &base_url, call_limit),
            base_url,
            address: OnceLock::new(),
            call_limit,
            network: Network::default(),
            calls: Counts::default(),
            largest_answer: LARGEST_ANSWER,
            client: OnceLock::new(),
            lanes: Lanes::default(),
            store: Store::in_memory(),
            tally: Tally::default(),
            fetches: Fetches::default(),
            flights: Flights::default(),
            joins: Joins::default(),
        })
    }

    fn of(inner: Inner) -> Self {
        Self { inner: Arc::new(inner) }
    }

    /// With another way out of this machine than the usual one.
    #[must_use]
    pub fn with_network(mut self, network: Network) -> Self {
        // Nobody has a clone yet: this is how one is made.
        if let Some(inner) = Arc::get_mut(&mut self.inner) {
            inner.downloads = Downloads::new(network.clone(), &inner.base_url, inner.call_limit);
            inner.network = network;
        }
        self
    }

    /// With a store that outlives the process.
    #[must_use]
    pub fn with_store(mut self, store: Store) -> Self {
        if let Some(inner) = Arc::get_mut(&mut self.inner) {
            inner.store = store;
        }
        self
    }

    /// Where things are kept between calls.
    pub fn store(&self) -> &Store {
        &self.inner.store
    }

    /// The way to the images that answers name, which knows no token.
    pub fn downloads(&self) -> &Downloads {
        &self.inner.downloads
    }

    /// How many requests this process sent so far for everybody: of tier 1, 2 and 3.
    pub fn calls(&self) -> [u64; 3] {
        self.inner.calls.all()
    }

    /// How many of them went out with this caller's credential.
    pub fn calls_of(&self, caller: &Caller) -> [u64; 3] {
        self.inner.lanes.of(caller.fingerprint()).calls.all()
    }

    /// How this machine is left.
    pub fn network(&self) -> &Network {
        &self.inner.network
    }

    /// Asks the API for nothing, without a token: whether it can be reached, and its clock.
    ///
    /// # Errors
    /// Why it cannot be reached.
    pub async fn probe(&self) -> Result<Option<SystemTime>> {
        const LIMIT: Duration = Duration::from_secs(10);
        let unreachable = |problem| Error::Unreachable { problem, attempts: 1 };
        let asked = self.client()?.get(format!("{}/v1/me", self.inner.base_url)).timeout(LIMIT).send().await;
        let response = asked.map_err(|error| unreachable(cause(&error.without_url())))?;
        let date = response.headers().get("date").and_then(|value| value.to_str().ok());
        Ok(date.and_then(|text| httpdate::parse_http_date(text).ok()))
    }

    /// Calls one endpoint for a tool; `args` are by Figma's names and checked.
    ///
    /// # Errors
    /// Whatever Figma refused, or why it could not be asked.
    pub async fn call(
        &self,
        caller: &Caller,
        tool: &'static Tool,
        endpoint: &'static Endpoint,
        args: &Args,
    ) -> Result<Output> {
        let asked = Asked { tool, endpoint, args, token: caller.description() };
        if endpoint.method == Method::Get && tool.effect.is_read() {
            return self.shared(caller, asked).await;
        }
        let outcome = Box::pin(self.ask(caller, asked)).await;
        if !tool.effect.is_read() {
            // What was asked before the write does not answer what is asked after it.
            let mine = caller.fingerprint();
            self.inner.flights.close(|(other, ..)| other == mine);
        }
        if endpoint.quirks.cache == Cache::ChangesFile {
            // Also where it is not known in the end whether it was carried out.
            Box::pin(self.file_changed(caller, asked.file())).await;
        }
        outcome
    }

    /// Reads, together with whoever asks the same at this moment with the same credential.
    async fn shared(&self, caller: &Caller, asked: Asked<'_>) -> Result<Output> {
        let line = Request::build(asked.endpoint, asked.args).to_string();
        let (rest, owned, args) = (self.clone(), caller.clone(), asked.args.clone());
        let Asked { tool, endpoint, token, .. } = asked;
        let work = async move {
            let asked = Asked { tool, endpoint, args: &args, token };
            match endpoint.quirks.cache {
                // In boxes, here and below: what is seldom needed would make every call as large.
                Cache::UntilFileChanges { days } if may_be_kept(&args) => {
                    Box::pin(rest.kept(&owned, asked, days)).await
                }
                _ => rest.joined(&owned, asked).await,
            }
        };
        // A row with another endpoint to fall back on is answered differently.
        let key = (caller.fingerprint().clone(), line, endpoint.quirks.fallback.is_some());
        let (flight, is_shared) = self.inner.flights.board(key, work);
        if is_shared {
            self.inner.tally.joined.fetch_add(1, Ordering::Relaxed);
        }
        flight.await
    }

    /// Asks Figma, and asks the other endpoint for the same thing where there is one and this one refuses.
    async fn ask(&self, caller: &Caller, asked: Asked<'_>) -> Result<Output> {
        let deadline = Instant::now() + self.inner.call_limit;
        let left = || deadline.saturating_duration_since(Instant::now());
        let first = self.send(caller, asked, left(), None).await;
        let fallback = asked.endpoint.quirks.fallback.filter(|fallback| caller.can_call_endpoint(fallback));
        let (Some(fallback), Err(error @ (Error::MissingScope { .. } | Error::NotFound { .. }))) =
            (fallback, &first)
        else {
            return first;
        };
        let other = Asked { endpoint: fallback, ..asked };
        match Box::pin(self.send(caller, other, left(), None)).await {
            Ok(mut output) => {
                output.notes.push(format!("Answered by {} {}.", fallback.method.name(), fallback.path));
                Ok(output)
            }
            Err(second) => Err(both_refused(error.clone(), second)),
        }
    }

    /// Sends a request until it is answered, refused for good, or out of time. With a sink the body of
    /// a success goes there.
    async fn send(
        &self,
        caller: &Caller,
        asked: Asked<'_>,
        limit: Duration,
        sink: Option<&Sink>,
    ) -> Result<Output> {
        let request = Request::build(asked.endpoint, asked.args);
        let mut token = caller.token().await?;
        let mut is_replaced = false;
        let (tier, file) = (asked.endpoint.tier, asked.file());
        let lane = self.inner.lanes.of(caller.fingerprint());
        let _place = lane.queues.enter(tier).await?;
        let mut attempts = Attempts::within(asked.tool.effect, limit);
        loop {
            let month = self.enter(&lane, caller, tier, file, &mut attempts).await?;
            let outcome = self.attempt(&lane, &token, asked, &request, &attempts, sink).await;
            let mut failed = match outcome {
                Ok(mut output) => {
                    if let Some(month) = month {
                        output.notes.push(rate_limit::month_note(month));
                        output.meta.insert(MONTH.to_owned(), Value::from(month));
                    }
                    return Ok(output);
                }
                Err(failed) => failed,
            };
            match &mut failed {
                Failed::Answered(Error::RateLimited(limit)) => {
                    Box::pin(self.learn(&lane, caller, tier, file, limit)).await;
                }
                Failed::Answered(Error::BadToken { .. }) if !is_replaced => {
                    // Figma did nothing for a dead token, so a write may go out once more too.
                    is_replaced = true;
                    if let Some(other) = Box::pin(caller.replaced(&token)).await? {
                        token = other;
                        continue;
                    }
                }
                _ => {}
            }
            if !attempts.again(failed, jitter()).await? {
                return Ok(already_done());
            }
        }
    }

    /// Sends a request once, whatever comes of it.
    async fn send_once(&self, caller: &Caller, asked: Asked<'_>, limit: Duration) -> Result<Output> {
        let request = Request::build(asked.endpoint, asked.args);
        let token = caller.token().await?;
        let (tier, file) = (asked.endpoint.tier, asked.file());
        let lane = self.inner.lanes.of(caller.fingerprint());
        let _place = lane.queues.enter(tier).await?;
        let mut attempts = Attempts::within(asked.tool.effect, limit);
        self.enter(&lane, caller, tier, file, &mut attempts).await?;
        match self.attempt(&lane, &token, asked, &request, &attempts, None).await {
            Ok(output) => Ok(output),
            Err(Failed::NotSent(problem)) => Err(Error::Unreachable { problem, attempts: 1 }),
            Err(Failed::Answered(Error::RateLimited(mut limit))) => {
                self.learn(&lane, caller, tier, file, &mut limit).await;
                Err(Error::RateLimited(limit))
            }
            Err(Failed::Broken(error) | Failed::Answered(error)) => Err(error),
        }
    }

    fn count(&self, lane: &Lane, tier: Tier) {
        self.inner.calls.add(tier);
        lane.calls.add(tier);
    }

    /// One request and its answer.
    async fn attempt(
        &self,
        lane: &Lane,
        token: &Token,
        asked: Asked<'_>,
        request: &Request,
        attempts: &Attempts,
        sink: Option<&Sink>,
    ) -> Result<Output, Failed> {
        let started = Instant::now();
        self.count(lane, asked.endpoint.tier);
        let outcome = self.answered(token, asked, request, attempts.left(), sink).await;
        tracing::info!(
            tool = asked.tool.name,
            method = request.method.name(),
            path = asked.endpoint.path,
            attempt = attempts.next(),
            outcome = outcome.as_ref().map_or_else(describe, |_| "ok"),
            ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        );
        outcome
    }

    async fn answered(
        &self,
        token: &Token,
        asked: Asked<'_>,
        request: &Request,
        left: Duration,
        sink: Option<&Sink>,
    ) -> Result<Output, Failed> {
        let (limit, told) =
            if left < ATTEMPT_LIMIT { (left, self.inner.call_limit) } else { (ATTEMPT_LIMIT, ATTEMPT_LIMIT) };
        let timed_out = |_| Failed::Broken(Error::TimedOut { limit: told });
        let answer =
            tokio::time::timeout(limit, self.exchange(token, request, sink)).await.map_err(timed_out)??;
        response::read(asked, answer).map_err(Failed::Answered)
    }

    /// The client is made on first use: reading the system's certificates takes longer than a start may.
    fn client(&self) -> Result<&Client> {
        if let Some(client) = self.inner.client.get() {
            return Ok(client);
        }
        let client = self.inner.network.packed_client(&self.inner.base_url)?;
        Ok(self.inner.client.get_or_init(|| client))
    }
}

/// Removes everything that is kept for a login.
///
/// # Errors
/// When the store cannot be used.
pub async fn forget(store: &Store, login: &Login) -> Result<()> {
    let secret = store.secret(random()).await?;
    store.forget(CallerKey(login.lasting(&secret))).await
}

/// Drops every kept answer, of everybody.
///
/// # Errors
/// When the store cannot be used.
pub async fn forget_answers(store: &Store) -> Result<()> {
    store.clear().await
}

/// What both of our clients have in common: no redirects, since a token would follow them to another
/// host (it travels in a header of its own, which HTTP libraries do not strip), and limits.
fn client_builder(base_url: &str) -> reqwest::ClientBuilder {
    // Installed once per process; a second call changes nothing.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = Client::builder()
        .user_agent(concat!("figma-mcp/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        // Sending again is for `retry` to decide; without this the library copies each request for it.
        .retry(reqwest::retry::never().max_retries_per_request(0))
        .connect_timeout(CONNECT_LIMIT)
        .tcp_nodelay(true)
        .gzip(true);
    if base_url.starts_with("http://") {
        // Only this very machine is reached without TLS: no proxy and no certificates are needed.
        builder.no_proxy().tls_certs_only([])
    } else {
        builder
    }
}

/// Reads to the end, but never more than `cap` inflated bytes and never through a long silence.
async fn read_body(mut response: reqwest::Response, cap: usize) -> Result<String, Failed> {
    let is_success = response.status() == StatusCode::OK;
    let encoding = Encoding::of(response.headers()).ok_or_else(unknown_encoding)?;
    let mut body = Inflater::new(encoding, Capped::new(cap));
    loop {
        let chunk = tokio::time::timeout(SILENCE_LIMIT, response.chunk())
            .await
            .map_err(|_| Failed::Broken(Error::TimedOut { limit: SILENCE_LIMIT }))?
            .map_err(broke_off)?;
        let read = match &chunk {
            Some(chunk) => body.push(chunk),
            None => body.finish(),
        };
        match read {
            Ok(()) if chunk.is_none() => break,
            Ok(()) => {}
            // What was done is done; the answer's size does not change that, and a refusal's text
            // is complete enough by now.
            Err(_) if body.get_ref().is_full && !is_success => break,
            Err(_) if body.get_ref().is_full => return Err(Failed::Broken(too_large(cap))),
            Err(error) => return Err(Failed::Broken(spoilt(&error))),
        }
    }
    let body = std::mem::take(&mut body.get_mut().bytes);
    String::from_utf8(body).or_else(|error| {
        if is_success {
            Err(Failed::Broken(Error::BadAnswer { problem: "it is no UTF-8 text".to_owned() }))
        } else {
            Ok(String::from_utf8_lossy(error.as_bytes()).into_owned())
        }
    })
}

fn broke_off(error: reqwest::Error) -> Failed {
    Failed::Broken(Error::Unreachable {
        problem: format!("the answer broke off ({})", innermost(&error.without_url())),
        attempts: 1,
    })
}

fn too_large(cap: usize) -> Error {
    Error::TooLarge {
        limit: format!("it exceeds the {} MB that are read at most", cap / 1024 / 1024),
        smaller: "Ask for less: `depth` for an outline, `ids` for a part.",
    }
}

/// What came in cannot be inflated.
fn spoilt(error: &io::Error) -> Error {
    Error::Unreachable { problem: format!("the answer broke off ({error})"), attempts: 1 }
}

fn unknown_encoding() -> Failed {
    Failed::Broken(Error::BadAnswer { problem: "it is packed in a way that was not asked for".to_owned() })
}

fn already_done() -> Output {
    let notes = vec!["Done: an earlier attempt of this call had removed it already.".to_owned()];
    Output { notes, ..Output::json("{}") }
}

/// The list of a file's branches changes without the file.
fn may_be_kept(args: &Args) -> bool {
    args.get("branch_data").is_none_or(|wanted| *wanted == Value::Bool(false))
}

/// Both endpoints for the same thing refused: the answer that helps most.
fn both_refused(first: Error, second: Error) -> Error {
    match (first, second) {
        (Error::MissingScope { mut scopes, message }, Error::MissingScope { scopes: others, .. }) => {
            scopes.extend(others);
            scopes.dedup();
            Error::MissingScope { scopes, message }
        }
        (Error::MissingScope { .. }, second) => second,
        (first, _) => first,
    }
}

fn describe(failed: &Failed) -> &'static str {
    match failed {
        Failed::NotSent(_) => "not sent",
        Failed::Broken(error) | Failed::Answered(error) => error.kind(),
    }
}

/// A number between 0 and 1 that differs between calls and processes. The standard library seeds its
/// hash maps with one; nothing here needs better randomness than that.
fn jitter() -> f64 {
    use std::hash::{BuildHasher, Hasher, RandomState};
    let bits = RandomState::new().build_hasher().finish();
    f64::from(u32::try_from(bits >> 32).unwrap_or_default()) / f64::from(u32::MAX)
}
