//! Why somebody could not be reached, in words.

use super::foreign;

/// The cause that says most, and what to do about it where that is known. It holds no address that
/// the error itself does not quote: take that out first (`without_url`).
#[must_use]
pub fn unreachable(error: &dyn std::error::Error) -> String {
    with_remedy(innermost(error))
}

/// The cause that says most.
#[must_use]
pub fn innermost(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    foreign(&cause.to_string())
}

/// What to do about a TLS failure, as a part of its message.
fn with_remedy(problem: String) -> String {
    let said = problem.to_ascii_lowercase();
    if said.contains("unknownissuer") || said.contains("unknown issuer") || said.contains("self-signed") {
        return format!(
            "{problem}; if a company's proxy opens TLS here, give its certificate with --ca-file"
        );
    }
    if said.contains("expired") || said.contains("notvalidyet") || said.contains("not valid yet") {
        return format!("{problem}; check this machine's clock (`figma-mcp doctor`)");
    }
    if said.contains("certificate") {
        return format!("{problem}; if a proxy answers in Figma's place, see --proxy and --ca-file");
    }
    problem
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tls_failure_names_its_remedy() {
        let told = |problem: &str| unreachable(&std::io::Error::other(problem));
        assert!(told("invalid peer certificate: UnknownIssuer").contains("--ca-file"));
        assert!(told("invalid peer certificate: Expired").contains("clock"));
        assert_eq!(told("connection refused"), "connection refused");
    }
}
