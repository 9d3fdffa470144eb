//! HTTPS by the server itself.

use std::{fs, io::BufReader, sync::Arc};

use rcgen::{CertificateParams, KeyPair};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    pki_types::{CertificateDer, ServerName},
};
use serde_json::json;

use crate::{
    client::{figma_mcp, text_of},
    web::{ACCEPT, Answer, HttpServer, JSON, call, initialize, read_answer, write_request},
};

/// A certificate for `localhost` and its key, in files of this name.
pub(crate) struct Issued {
    certificate: CertificateDer<'static>,
    pub(crate) chain_file: String,
    pub(crate) key_file: String,
}

pub(crate) fn issue(name: &str) -> Issued {
    let key = KeyPair::generate().unwrap();
    let certificate =
        CertificateParams::new(vec!["localhost".to_owned()]).unwrap().self_signed(&key).unwrap();
    let file = |kind: &str, text: String| {
        let path = format!("{}/{name}.{kind}.pem", env!("CARGO_TARGET_TMPDIR"));
        fs::write(&path, text).unwrap();
        path
    };
    Issued {
        chain_file: file("chain", certificate.pem()),
        key_file: file("key", key.serialize_pem()),
        certificate: certificate.der().clone(),
    }
}

/// One POST to `/mcp` by a client that trusts this certificate and no other.
fn post(server: &HttpServer, trusted: &Issued, message: &serde_json::Value) -> std::io::Result<Answer> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.certificate.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").unwrap();
    let connection = ClientConnection::new(Arc::new(config), name).unwrap();
    let mut stream = StreamOwned::new(connection, server.connect());
    stream.conn.complete_io(&mut stream.sock)?;
    let headers = [JSON, ACCEPT, ("connection", "close")];
    write_request(&mut stream, &server.address, "POST", "/mcp", &headers, &message.to_string());
    Ok(read_answer(&mut BufReader::new(stream)))
}

#[test]
fn whoever_trusts_the_certificate_calls_tools_over_https() {
    let (ours, other) = (issue("tls-ours"), issue("tls-other"));
    let server = HttpServer::sandbox(&["--tls-cert", &ours.chain_file, "--tls-key", &ours.key_file]);
    assert!(server.said().contains("listening at https://127.0.0.1:"), "{}", server.said());
    let info = post(&server, &ours, &initialize("2025-11-25")).unwrap().json();
    assert_eq!(info["result"]["serverInfo"]["name"], "figma-mcp");
    let me = post(&server, &ours, &call("figma_me_get", json!({}))).unwrap().json();
    assert!(text_of(&me["result"]).contains("handle"), "{me}");
    let refused = post(&server, &other, &initialize("2025-11-25")).unwrap_err();
    assert!(refused.to_string().contains("invalid peer certificate"), "{refused}");
    // Whoever speaks without encryption gets no answer, and the server serves on.
    let plain = server.get("/health");
    assert_eq!((plain.status, plain.body.as_str()), (0, ""), "{plain:?}");
    assert_eq!(post(&server, &ours, &initialize("2025-11-25")).unwrap().status, 200);
}

#[test]
fn files_that_cannot_serve_https_are_refused() {
    let (ours, other) = (issue("tls-mine"), issue("tls-foreign"));
    let empty = format!("{}/tls-empty.pem", env!("CARGO_TARGET_TMPDIR"));
    fs::write(&empty, "").unwrap();
    let missing = "/nowhere/chain.pem".to_owned();
    let secret = fs::read_to_string(&ours.key_file).unwrap();
    for (chain, key, blamed, said, code) in [
        (&ours.chain_file, &other.key_file, &other.key_file, "is not the key of the certificate", 2),
        (&ours.chain_file, &ours.chain_file, &ours.chain_file, "holds no private key", 2),
        (&ours.chain_file, &empty, &empty, "holds no private key", 2),
        (&empty, &ours.key_file, &empty, "holds no certificate", 2),
        (&ours.key_file, &ours.key_file, &ours.key_file, "holds no certificate", 2),
        (&missing, &ours.key_file, &missing, "", 1),
        (&ours.chain_file, &missing, &missing, "", 1),
    ] {
        let run = figma_mcp()
            .args(["serve", "--sandbox", "--http", "127.0.0.1:0", "--tls-cert", chain, "--tls-key", key])
            .output()
            .unwrap();
        let stderr = String::from_utf8_lossy(&run.stderr);
        let problem = stderr.lines().find(|line| line.starts_with("error: ")).unwrap_or_default();
        assert!(problem.contains(blamed) && problem.contains(said), "{chain} {key}: {stderr}");
        assert_eq!(run.status.code(), Some(code), "{stderr}");
        assert!(!stderr.contains(secret.lines().nth(1).unwrap()), "the key is shown");
    }
}
