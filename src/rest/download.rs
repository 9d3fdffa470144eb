//! Image addresses to bytes. Never with a token: these addresses carry their own permission, and the
//! hosts behind them are not Figma's API.
//!
//! An address comes out of an answer, so it is not trusted: only https is followed, only to public
//! addresses of the internet (whatever a name resolves to, and again after each redirect), and only so
//! much is read. The one exception is the API's own origin where that is this very machine, as for the
//! sandbox.

use std::{
    collections::HashSet,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};

use reqwest::{
    Client, Response,
    dns::{Addrs, Name, Resolve, Resolving},
    header::LOCATION,
};
use tokio::time::timeout;
use url::{Host, Origin, Url};

use super::{Network, SILENCE_LIMIT};
use crate::error::{Error, Result, unreachable as cause};

/// The most that is read of one image.
pub const LARGEST_IMAGE: usize = 64 * 1024 * 1024;
/// How many times one image may be elsewhere.
const MOST_REDIRECTS: usize = 3;
/// How often one image is asked for.
const MOST_ATTEMPTS: u32 = 2;

/// The way to image addresses.
#[derive(Debug)]
pub struct Downloads {
    network: Network,
    limit: Duration,
    /// The API's own origin, if it is this very machine.
    own: Option<Origin>,
    /// The names of hosts that have to be public. Any other name is a proxy's, which may well be private.
    guarded: Arc<Mutex<HashSet<String>>>,
    plain: OnceLock<Client>,
    encrypted: OnceLock<Client>,
}

impl Downloads {
    /// For images that the API at this address names. One download takes at most `limit`.
    #[must_use]
    pub fn new(network: Network, base_url: &str, limit: Duration) -> Self {
        let own = Url::parse(base_url).ok().filter(|url| url.scheme() == "http").map(|url| url.origin());
        Self {
            network,
            limit,
            own,
            guarded: Arc::default(),
            plain: OnceLock::new(),
            encrypted: OnceLock::new(),
        }
    }

    /// Fetches what an image address of an answer points at.
    ///
    /// # Errors
    /// Why there is no image. No error holds the address: it is a permission.
    pub async fn get(&self, address: &str) -> Result<Vec<u8>> {
        let url = self.checked(address)?;
        let fetch = async {
            let mut attempt = 1;
            loop {
                match self.follow(url.clone()).await {
                    Err(Error::Unreachable { .. } | Error::FigmaFailed { .. }) if attempt < MOST_ATTEMPTS => {
                        attempt += 1;
                    }
                    Err(Error::Unreachable { problem, .. }) => {
                        return Err(Error::Unreachable { problem, attempts: attempt });
                    }
                    outcome => return outcome,
                }
            }
        };
        timeout(self.limit, fetch).await.unwrap_or(Err(Error::TimedOut { limit: self.limit }))
    }

    async fn follow(&self, mut url: Url) -> Result<Vec<u8>> {
        for _ in 0..=MOST_REDIRECTS {
            let response = self.send(&url).await?;
            if !response.status().is_redirection() {
                return read(response).await;
            }
            let next = response.headers().get(LOCATION).and_then(|place| place.to_str().ok());
            let next = next.and_then(|place| url.join(place).ok());
            url = self.checked(next.as_ref().map_or("", Url::as_str))?;
        }
        Err(wrong("redirects more than three times"))
    }

    async fn send(&self, url: &Url) -> Result<Response> {
        if let Some(host) = url.host_str() {
            self.guarded.lock().unwrap_or_else(PoisonError::into_inner).insert(host.to_owned());
        }
        let asked = self.client(url)?.get(url.clone()).send();
        let answered = timeout(SILENCE_LIMIT, asked).await;
        let answered = answered.map_err(|_| Error::TimedOut { limit: SILENCE_LIMIT })?;
        answered.map_err(|error| unreachable(cause(&error.without_url())))
    }

    fn client(&self, url: &Url) -> Result<&Client> {
        let cell = if url.scheme() == "http" { &self.plain } else { &self.encrypted };
        if let Some(client) = cell.get() {
            return Ok(client);
        }
        let builder = self.network.builder(url.as_str())?;
        let builder = if url.scheme() == "http" {
            builder
        } else {
            builder.dns_resolver(PublicHosts { guarded: self.guarded.clone() })
        };
        let client = builder.build().map_err(|error| unreachable(cause(&error.without_url())))?;
        Ok(cell.get_or_init(|| client))
    }

    /// An address that may be asked.
    fn checked(&self, address: &str) -> Result<Url> {
        let url = Url::parse(address).map_err(|_| wrong("is no address"))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(wrong("holds a user name"));
        }
        if self.own.as_ref().is_some_and(|own| *own == url.origin()) {
            return Ok(url);
        }
        let is_public = match url.host() {
            Some(Host::Domain(name)) => {
                let name = name.trim_end_matches('.');
                name != "localhost" && !name.ends_with(".localhost")
            }
            Some(Host::Ipv4(address)) => is_public(IpAddr::V4(address)),
            Some(Host::Ipv6(address)) => is_public(IpAddr::V6(address)),
            None => false,
        };
        match url.scheme() {
            "https" if is_public => Ok(url),
            "https" => Err(wrong("leads into a private network")),
            _ => Err(wrong("is not https")),
        }
    }
}

/// Resolves names as the system does, but a host that images come from only to public addresses.
struct PublicHosts {
    guarded: Arc<Mutex<HashSet<String>>>,
}

impl Resolve for PublicHosts {
    fn resolve(&self, name: Name) -> Resolving {
        let is_guarded = self.guarded.lock().unwrap_or_else(PoisonError::into_inner).contains(name.as_str());
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let usable: Vec<_> = found.filter(|address| !is_guarded || is_public(address.ip())).collect();
            if usable.is_empty() {
                return Err("the image's host lies in a private network".into());
            }
            Ok(Box::new(usable.into_iter()) as Addrs)
        })
    }
}

/// Whether an address is one of the public internet. 198.18.0.0/15 counts as such: programs that tunnel
/// a whole machine's traffic give names of the internet addresses from that range.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    !(address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_documentation()
        || a == 0
        || a >= 240
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0))
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    if let Some(inner) = address.to_ipv4_mapped() {
        return is_public_v4(inner);
    }
    let embedded = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        is_public_v4(Ipv4Addr::new(a, b, c, d))
    };
    match address.segments() {
        // Networks without IPv4 reach it through these; what counts is the address inside.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => embedded(high, low),
        // Unspecified, loopback and other special ones; Teredo, documentation.
        [0 | 0x64 | 0x100, ..] | [0x2001, 0 | 0xdb8, ..] => false,
        [first, ..] => (0x2000..0x4000).contains(&first),
    }
}

async fn read(mut response: Response) -> Result<Vec<u8>> {
    let status = response.status();
    if status.is_server_error() {
        let message = "the image's host".to_owned();
        return Err(Error::FigmaFailed { status: status.as_u16(), message, attempts: MOST_ATTEMPTS });
    }
    if !status.is_success() {
        return Err(wrong(&format!("answers with status {}", status.as_u16())));
    }
    if response.content_length().is_some_and(|length| length > LARGEST_IMAGE as u64) {
        return Err(too_large());
    }
    let mut bytes = Vec::new();
    loop {
        let chunk = timeout(SILENCE_LIMIT, response.chunk()).await;
        let chunk = chunk.map_err(|_| Error::TimedOut { limit: SILENCE_LIMIT })?;
        let chunk = chunk
            .map_err(|error| unreachable(format!("the image broke off ({})", cause(&error.without_url()))))?;
        let Some(chunk) = chunk else { return Ok(bytes) };
        if bytes.len() + chunk.len() > LARGEST_IMAGE {
            return Err(too_large());
        }
        bytes.extend_from_slice(&chunk);
    }
}

fn wrong(problem: &str) -> Error {
    Error::BadAnswer { problem: format!("the image's address {problem}") }
}

fn unreachable(problem: String) -> Error {
    Error::Unreachable { problem, attempts: 1 }
}

fn too_large() -> Error {
    Error::TooLarge {
        limit: "the image exceeds 64 MB".to_owned(),
        smaller: "Render it with a lower `scale`.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn downloads(base_url: &str) -> Downloads {
        Downloads::new(Network::default(), base_url, Duration::from_secs(5))
    }

    #[test]
    fn only_public_https_addresses_are_asked() {
        let real = downloads("https://api.figma.com");
        for allowed in [
            "https://figma-alpha-api.s3.us-west-2.amazonaws.com/images/x?X-Amz-Expires=1",
            "https://s3-alpha.figma.com/img/x",
            "https://1.1.1.1/x",
            "https://[2606:4700::1111]/x",
            "https://[64:ff9b::101:101]/x",
        ] {
            assert!(real.checked(allowed).is_ok(), "{allowed}");
        }
        for refused in [
            "http://s3-alpha.figma.com/img/x",
            "http://127.0.0.1:1/x",
            "https://127.0.0.1/x",
            "https://127.1/x",
            "https://0x7f.1/x",
            "https://2130706433/x",
            "https://localhost/x",
            "https://a.localhost./x",
            "https://0.0.0.0/x",
            "https://10.0.0.1/x",
            "https://172.16.0.1/x",
            "https://192.168.1.1/x",
            "https://169.254.169.254/latest/meta-data",
            "https://100.64.0.1/x",
            "https://192.0.0.1/x",
            "https://224.0.0.1/x",
            "https://255.255.255.255/x",
            "https://[::1]/x",
            "https://[::]/x",
            "https://[::ffff:127.0.0.1]/x",
            "https://[fc00::1]/x",
            "https://[fe80::1]/x",
            "https://[ff02::1]/x",
            "https://[64:ff9b::7f00:1]/x",
            "https://[2002:7f00:1::]/x",
            "https://[2001:db8::1]/x",
            "https://user@figma.com/x",
            "https://u:p@figma.com/x",
            "ftp://figma.com/x",
            "file:///etc/passwd",
            "data:image/png;base64,AA",
            "//figma.com/x",
            "",
            "x",
        ] {
            assert!(real.checked(refused).is_err(), "{refused}");
        }
    }

    #[test]
    fn this_machine_is_asked_only_where_it_is_the_api_itself() {
        let sandbox = downloads("http://127.0.0.1:4000");
        assert!(sandbox.checked("http://127.0.0.1:4000/images/x.png").is_ok());
        for refused in ["http://127.0.0.1:4001/x", "http://localhost:4000/x", "http://u@127.0.0.1:4000/x"] {
            assert!(sandbox.checked(refused).is_err(), "{refused}");
        }
    }

    #[tokio::test]
    async fn a_name_that_resolves_into_a_private_network_is_not_asked() {
        let guarded = Arc::new(Mutex::new(HashSet::from(["localhost".to_owned()])));
        let resolver = PublicHosts { guarded: guarded.clone() };
        let found = resolver.resolve("localhost".parse().unwrap()).await;
        assert!(found.is_err_and(|error| error.to_string().contains("private network")));
        guarded.lock().unwrap().clear();
        assert!(resolver.resolve("localhost".parse().unwrap()).await.is_ok(), "a proxy may be private");
    }
}
