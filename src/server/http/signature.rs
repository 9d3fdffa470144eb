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

// The form is the crate's.
#[allow(clippy::trivially_copy_pass_by_ref)]
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A key made for this test with openssl, and what it signed; the private half is gone.
    const MODULUS: &str = "wJoTUp56b0Yfqofuk020P3751IjM38OexDJkhKjHUQKWr7k7I0EyUkSa4LAV5re3IRnQ_RlafViQ1UUfw_djMgdkgPPZ5Q5w-e1lDv2Ru3iVSqaOdcCCC4QoZDLxSxwGF5AEJtD8IK2HlVc5QR2cPGSfgbSbtv3TwPAtvD8whPeNXAsrGPKMbhrpM2pKMjdIOTU3GbYiK9eQ8Ome6ZnpkJfwOdZv5s0-THK4s-VJComV5DCw0mTXW_-9E9HFlLXaPpekAFWp2yAI7P78r6IprqalTeZce7e1M3F_MhmXIRm4ODGEtDAXlcXB4wiBkcEDtw9K__s4U112bKyzniR5dQ";
    const SIGNATURE: &str = "PaYXbFXWc03K0iNix4_B5IPdrPNOjWLrHDQokz1uffk7Q0oPlCF6ToJuruIoqTt_Gye1j0GPU6jxFyPmv4Bc3W9F20RyOuTRqv0iUbOI-kOLYP71qzZ3gQMHiQlIYPFE20lCNeiFVDXaDlhbq5ySvZKYAX5IP69azoyJQ50Km0poFVv_9CQFpPAeyUU6flYI8rC1E619-bBNngt2y8Fx3u3LBibfTKqCQvSATQGuslxCAG-Ux2p_DEeJ2UKdVmwTV0I_GILIOeV_8L2sA1WKH6jjNQkkqnXhY2pXeD7i8KRZDfBug3v0hr7aEVtO938BzoLjZYdozTrs8jkXNnxnKA";

    #[test]
    fn a_signature_by_another_library_is_checked() {
        let published = serde_json::json!({ "kty": "RSA", "alg": "RS256", "n": MODULUS, "e": "AQAB" });
        let key = key(&serde_json::from_value(published).unwrap()).unwrap();
        let check = verifier(&Algorithm::RS256, &key).unwrap();
        let mut given = URL_SAFE_NO_PAD.decode(SIGNATURE).unwrap();
        assert!(check.verify(b"header.claims", &given).is_ok());
        assert!(check.verify(b"header.claimz", &given).is_err());
        given[7] ^= 1;
        assert!(check.verify(b"header.claims", &given).is_err());
    }
}
