//! Checks signatures with ring, which is here already for TLS.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{
    Algorithm, DecodingKey,
    crypto::{CryptoProvider, JwtVerifier, KeyUtils},
    errors::{ErrorKind, Result},
    jwk::{AlgorithmParameters, Jwk},
};
use ring::signature::{self, UnparsedPublicKey, VerificationAlgorithm};
use signature_traits::{Error, Verifier};

/// Verifies; this server signs nothing.
pub(super) static RING: CryptoProvider = CryptoProvider {
    signer_factory: |_, _| Err(ErrorKind::InvalidAlgorithm.into()),
    verifier_factory: verifier,
    key_utils: KeyUtils::new_unimplemented(),
};

struct Check {
    algorithm: Algorithm,
    method: &'static dyn VerificationAlgorithm,
    key: Vec<u8>,
}

fn verifier(algorithm: &Algorithm, key: &DecodingKey) -> Result<Box<dyn JwtVerifier>> {
    let method: &'static dyn VerificationAlgorithm = match algorithm {
        Algorithm::RS256 => &signature::RSA_PKCS1_2048_8192_SHA256,
        Algorithm::RS384 => &signature::RSA_PKCS1_2048_8192_SHA384,
        Algorithm::RS512 => &signature::RSA_PKCS1_2048_8192_SHA512,
        Algorithm::PS256 => &signature::RSA_PSS_2048_8192_SHA256,
        Algorithm::PS384 => &signature::RSA_PSS_2048_8192_SHA384,
        Algorithm::PS512 => &signature::RSA_PSS_2048_8192_SHA512,
        Algorithm::ES256 => &signature::ECDSA_P256_SHA256_FIXED,
        Algorithm::ES384 => &signature::ECDSA_P384_SHA384_FIXED,
        Algorithm::EdDSA => &signature::ED25519,
        _ => return Err(ErrorKind::InvalidAlgorithm.into()),
    };
    Ok(Box::new(Check { algorithm: *algorithm, method, key: key.try_get_as_bytes()?.to_vec() }))
}

impl Verifier<Vec<u8>> for Check {
    fn verify(&self, message: &[u8], given: &Vec<u8>) -> std::result::Result<(), Error> {
        UnparsedPublicKey::new(self.method, &self.key).verify(message, given).map_err(|_| Error::new())
    }
}

impl JwtVerifier for Check {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

/// A published key in the form that [`RING`] reads: for RSA that is PKCS #1, not the two numbers.
pub(super) fn key(published: &Jwk) -> Option<DecodingKey> {
    let AlgorithmParameters::RSA(rsa) = &published.algorithm else {
        return DecodingKey::from_jwk(published).ok();
    };
    let number = |text: &str| Some(der(2, &unsigned(&URL_SAFE_NO_PAD.decode(text).ok()?)));
    let numbers = [number(&rsa.n)?, number(&rsa.e)?].concat();
    Some(DecodingKey::from_rsa_der(&der(0x30, &numbers)))
}

/// DER's integers are signed: a leading one bit needs a zero byte before it.
fn unsigned(bytes: &[u8]) -> Vec<u8> {
    let start = bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len());
    let digits = bytes.get(start..).unwrap_or_default();
    let sign: &[u8] = if digits.first().is_none_or(|byte| *byte >= 0x80) { &[0] } else { &[] };
    [sign, digits].concat()
}

/// Tag, length, value.
fn der(tag: u8, value: &[u8]) -> Vec<u8> {
    let length = value.len().to_be_bytes();
    let start = length.iter().position(|byte| *byte != 0).unwrap_or(length.len() - 1);
    let digits = length.get(start..).unwrap_or_default();
    let mut out = vec![tag];
    match (digits, u8::try_from(digits.len())) {
        ([one], _) if *one < 0x80 => out.push(*one),
        (_, Ok(count)) => {
            out.push(0x80 | count);
            out.extend_from_slice(digits);
        }
        (_, Err(_)) => {}
    }
    out.extend_from_slice(value);
    out
}
