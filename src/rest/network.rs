//! How requests leave this machine: proxy and trusted certificates.

use std::{fs, path::PathBuf};

use reqwest::{
    Certificate, Client, ClientBuilder, NoProxy, Proxy,
    header::{ACCEPT_ENCODING, HeaderMap, HeaderValue},
};

use super::inflate;
use crate::error::{Error, Result, innermost};

/// How requests leave this machine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Network {
    /// The proxy for everything, in place of the environment's.
    pub proxy: Option<String>,
    /// Certificates (PEM) to trust beside the system's.
    pub ca_file: Option<PathBuf>,
}

impl Network {
    /// A client of the server at this address, which follows no redirects.
    ///
    /// # Errors
    /// A proxy or certificates that cannot be used.
    pub fn client(&self, base_url: &str) -> Result<Client> {
        build(self.builder(base_url)?)
    }

    /// The same, which hands packed bodies on as they come: [`super::inflate`] is for them.
    ///
    /// # Errors
    /// A proxy or certificates that cannot be used.
    pub(super) fn packed_client(&self, base_url: &str) -> Result<Client> {
        let accepted = HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static(inflate::ACCEPTED))]);
        build(self.builder(base_url)?.gzip(false).default_headers(accepted))
    }

    /// What makes such a client.
    pub(super) fn builder(&self, base_url: &str) -> Result<ClientBuilder> {
        self.apply(super::client_builder(base_url), base_url)
    }

    /// Tells a client of this address about it. Without TLS only this very machine is reached, which
    /// is behind no proxy.
    fn apply(&self, mut builder: ClientBuilder, base_url: &str) -> Result<ClientBuilder> {
        if base_url.starts_with("http://") {
            return Ok(builder);
        }
        if let Some(proxy) = &self.proxy {
            // The library's error would quote the address, which can hold a password.
            let proxy = Proxy::all(proxy).map_err(|_| Error::Usage {
                problem: "--proxy (FIGMA_MCP_PROXY) is no address of a proxy".to_owned(),
                hint: "Give an address such as http://proxy.example:8080.".to_owned(),
            })?;
            builder = builder.proxy(proxy.no_proxy(NoProxy::from_env()));
        }
        if let Some(path) = &self.ca_file {
            let failed =
                |problem: String| Error::File { path: format!("--ca-file {}", path.display()), problem };
            let pem = fs::read(path).map_err(|error| failed(error.to_string()))?;
            let certificates = Certificate::from_pem_bundle(&pem)
                .ok()
                .filter(|all| !all.is_empty())
                .ok_or_else(|| failed("it holds no certificate in PEM form".to_owned()))?;
            builder = builder.tls_certs_merge(certificates);
        }
        Ok(builder)
    }
}

fn build(builder: ClientBuilder) -> Result<Client> {
    let failed =
        |error: reqwest::Error| Error::Unreachable { problem: innermost(&error.without_url()), attempts: 1 };
    builder.build().map_err(failed)
}
