//! One request as it is sent, and what comes back.

use std::time::SystemTime;

use reqwest::{
    StatusCode, Url,
    header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER},
};
use secrecy::{ExposeSecret, SecretString};

use super::{
    Rest,
    held::Sink,
    read_body,
    request::Request,
    response::{self, Answer, Headers},
    retry::Failed,
};
use crate::{
    auth::Token,
    error::{Error, Result, foreign, unreachable as cause},
    table::Method,
};

impl Rest {
    /// Sends a request and reads its answer. With a sink the body of a success goes there.
    pub(super) async fn exchange(
        &self,
        token: &Token,
        request: &Request,
        sink: Option<&Sink>,
    ) -> Result<Answer, Failed> {
        let client = self.client().map_err(Failed::Answered)?;
        let sent = self.sent(token, request).map_err(Failed::Answered)?;
        let response = client.execute(sent).await.map_err(not_answered)?;
        let status = response.status().as_u16();
        // They say why Figma refuses something.
        let headers =
            if response.status().is_success() { Headers::default() } else { headers(response.headers()) };
        let body = match sink.filter(|_| response.status() == StatusCode::OK) {
            Some(sink) => Box::pin(sink.receive(response)).await?,
            None => read_body(response, self.inner.largest_answer).await?,
        };
        Ok(Answer { status, headers, body })
    }

    /// A request as it is sent, with its token.
    fn sent(&self, token: &Token, request: &Request) -> Result<reqwest::Request> {
        let (name, secret) = token.header();
        let mut sent = reqwest::Request::new(method(request.method), self.address(request)?);
        sent.headers_mut().insert(name, sensitive(&secret)?);
        if let Some(body) = &request.body {
            sent.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            *sent.body_mut() = Some(body.to_string().into());
        }
        Ok(sent)
    }

    /// Where it goes. The address of the API is read once; only what follows it differs.
    fn address(&self, request: &Request) -> Result<Url> {
        let base = self.inner.address.get_or_init(|| Url::parse(&self.inner.base_url).ok());
        let Some(mut address) = base.clone() else {
            return Err(Error::Bug { problem: "the address of Figma's API is none".to_owned() });
        };
        let target = request.target();
        let (path, query) =
            target.split_once('?').map_or((&*target, None), |(path, query)| (path, Some(query)));
        match address.path() {
            "/" => address.set_path(path),
            before => {
                let whole = format!("{before}{path}");
                address.set_path(&whole);
            }
        }
        address.set_query(query);
        Ok(address)
    }
}

fn method(method: Method) -> reqwest::Method {
    match method {
        Method::Get => reqwest::Method::GET,
        Method::Post => reqwest::Method::POST,
        Method::Put => reqwest::Method::PUT,
        Method::Delete => reqwest::Method::DELETE,
    }
}

/// A header value that no log prints.
fn sensitive(secret: &SecretString) -> Result<HeaderValue> {
    let mut value = HeaderValue::from_str(secret.expose_secret())
        .map_err(|_| Error::Bug { problem: "a checked token does not fit a header".to_owned() })?;
    value.set_sensitive(true);
    Ok(value)
}

fn headers(from: &HeaderMap) -> Headers {
    static PLAN: HeaderName = HeaderName::from_static("x-figma-plan-tier");
    static SEAT: HeaderName = HeaderName::from_static("x-figma-rate-limit-type");
    static UPGRADE: HeaderName = HeaderName::from_static("x-figma-upgrade-link");
    let text = |name: &HeaderName| from.get(name).and_then(|value| value.to_str().ok()).map(foreign);
    Headers {
        retry_after: text(&RETRY_AFTER).and_then(|value| response::retry_after(&value, SystemTime::now())),
        plan: text(&PLAN),
        seat: text(&SEAT),
        upgrade_link: text(&UPGRADE).filter(|link| link.starts_with("https://")),
    }
}

/// No answer: either nothing was sent, or something may have been.
fn not_answered(error: reqwest::Error) -> Failed {
    let was_sent = !error.is_connect() && !error.is_builder();
    let problem = cause(&error.without_url());
    if was_sent {
        Failed::Broken(Error::Unreachable { problem, attempts: 1 })
    } else {
        Failed::NotSent(problem)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;
    use crate::table::{ANY_TOKEN, Endpoint, NO_QUIRKS, Tier};

    #[test]
    fn an_address_is_the_one_that_its_text_names() {
        let endpoint = Endpoint {
            method: Method::Get,
            path: "/v1/files/{file_key}/comments",
            tier: Tier::Two,
            scopes: &[],
            tokens: ANY_TOKEN,
            quirks: NO_QUIRKS,
        };
        for base in
            ["https://api.figma.com", "http://127.0.0.1:9", "http://[::1]:9/x", "https://gov.example/a%20b/c"]
        {
            let rest = Rest::new(base.to_owned(), Duration::from_secs(1));
            for args in [
                json!({"file_key": "abc"}),
                json!({"file_key": "abc", "as_md": true}),
                json!({"file_key": "a/../b?c#d%\u{e4} \\", "q": "a b&c+d#e%f;g=\u{e4}'\"<>|{}^`[]\\:/@"}),
                json!({"file_key": ".."}),
                json!({"file_key": "."}),
                json!({"file_key": "", "q": ""}),
            ] {
                let request = Request::build(&endpoint, args.as_object().unwrap());
                let text = format!("{base}{}", request.target());
                assert_eq!(rest.address(&request).unwrap(), Url::parse(&text).unwrap(), "{text}");
            }
        }
    }
}
