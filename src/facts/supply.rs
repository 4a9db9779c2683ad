//! Where the agent's program lies and what lies beside it to vouch for it: signatures, provenance, bills of
//! materials. Only their presence is told. A file that nobody verified vouches for nothing, so it makes the answer
//! unknown and never a pass.

use schemars::JsonSchema;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::ProbeError;
use super::program::{Package, find, package};
use crate::host::{Host, Kind, Tool};
use crate::model::{AbsPath, Look, Os, Subject, hex};

/// The largest file that vouches: 64 MiB, for bills of materials.
const ARTIFACT_LIMIT: u64 = 64 << 20;

/// The agent's program and what vouches for it.
#[derive(Serialize, JsonSchema)]
pub struct Fact {
    /// The program as it is found on the path of the agent's account; null where it is not installed.
    binary: Option<AbsPath>,
    /// The file that this path leads to.
    resolved: Option<AbsPath>,
    /// The file with its package and version, for sentences.
    described: Option<String>,
    /// The package it belongs to.
    package: Option<String>,
    /// The version that the package states.
    version: Option<String>,
    /// Every file beside it that would vouch for it.
    artifacts: Vec<Artifact>,
    /// A signature of the program.
    signature: Look<Proof>,
    /// A statement of how and from what it was built.
    provenance: Look<Proof>,
    /// A proof that the signature stands in a transparency log.
    transparency: Look<Proof>,
    /// A bill of materials.
    sbom: Look<Proof>,
}

/// A file that would vouch for the program.
#[derive(Serialize, JsonSchema)]
struct Artifact {
    /// Where it is.
    path: String,
    /// What it is.
    kind: ArtifactKind,
    /// Whether `verified_artifacts` of the profile names it with this very content.
    verified: bool,
}

/// What a file beside the program is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum ArtifactKind {
    /// A signature alone.
    Signature,
    /// A signature with certificate and log entry.
    Bundle,
    /// An attestation of the build.
    Provenance,
    /// A bill of materials.
    Sbom,
}

/// How far something vouches for the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Proof {
    /// The system's own tool has verified it, or the profile says that someone has.
    Verified,
    /// There is none.
    Absent,
}

/// See [`Fact`].
pub fn look(host: &dyn Host, subject: &Subject) -> Result<Fact, ProbeError> {
    let Some((binary, resolved)) = find(host, subject)? else {
        // It may lie in a home, and nobody knows in whose.
        subject.account()?;
        return Ok(Fact {
            binary: None,
            resolved: None,
            described: None,
            package: None,
            version: None,
            artifacts: Vec::new(),
            signature: Look::Known(Proof::Absent),
            provenance: Look::Known(Proof::Absent),
            transparency: Look::Known(Proof::Absent),
            sbom: Look::Known(Proof::Absent),
        });
    };
    let package = package(host, &resolved);
    let verified = subject.parameters.list("verified_artifacts");
    let (package, artifacts) = match package {
        Ok(package) => {
            let folder = package.as_ref().map(|package| &package.folder);
            let artifacts = artifacts(host, &resolved, folder, &verified);
            (package, artifacts)
        }
        Err(unseen) => (None, Err(unseen)),
    };
    let proof = |kinds: &[ArtifactKind], how: &str| match &artifacts {
        Err(unseen) => Look::unknown(unseen, "run with sudo"),
        Ok(artifacts) => match artifacts.iter().find(|artifact| kinds.contains(&artifact.kind)) {
            Some(_) if artifacts.iter().any(|one| kinds.contains(&one.kind) && one.verified) => {
                Look::Known(Proof::Verified)
            }
            Some(artifact) => {
                Look::unknown(format!("`{}` is there, and harden does not verify it yet", artifact.path), how)
            }
            None => Look::Known(Proof::Absent),
        },
    };
    use ArtifactKind::{Bundle, Provenance, Sbom, Signature};
    let signature = proof(&[Signature, Bundle], "verify it with `cosign verify-blob` and the publisher's identity");
    Ok(Fact {
        signature: if subject.os == Os::Macos { codesigned(host, &resolved, signature) } else { signature },
        provenance: proof(&[Provenance], "verify it with `slsa-verifier verify-artifact` and the source repository"),
        transparency: proof(&[Bundle], "verify its log entry with `cosign verify-blob --bundle`"),
        sbom: proof(
            &[Sbom],
            "compare its component and version with the program, and verify its signature with `cosign`",
        ),
        described: Some(described(&resolved, package.as_ref())),
        package: package.as_ref().map(|package| package.name.clone()),
        version: package.and_then(|package| package.version),
        artifacts: artifacts.unwrap_or_default(),
        binary: Some(binary),
        resolved: Some(resolved),
    })
}

fn described(program: &AbsPath, package: Option<&Package>) -> String {
    match package {
        Some(Package { name, version: Some(version), .. }) => format!("`{program}` ({name} {version})"),
        Some(Package { name, .. }) => format!("`{program}` ({name})"),
        None => format!("`{program}`"),
    }
}

/// Files in the program's folder that carry its name, and all that vouch in the top folder of its package.
fn artifacts(
    host: &dyn Host,
    program: &AbsPath,
    package: Option<&AbsPath>,
    verified: &[&str],
) -> Result<Vec<Artifact>, String> {
    let mut found = Vec::new();
    let own = program.parent();
    for folder in own.iter().chain(package.filter(|package| Some(*package) != own.as_ref())) {
        let entries = host.list(folder).map_err(|error| format!("cannot list `{folder}`: {error}"))?;
        for entry in entries.into_iter().filter(|entry| entry.kind == Kind::File) {
            let name = entry.name.to_string_lossy();
            let stem = program.name_text();
            let is_ours = package == Some(folder) || name.starts_with(stem.as_ref());
            if let Some(kind) = artifact_kind(&name).filter(|_| is_ours) {
                let path = folder.join(&entry.name);
                let verified = is_verified(host, &path, verified);
                found.push(Artifact { path: path.text(), kind, verified });
            }
        }
    }
    Ok(found)
}

/// Whether the profile names this file with the content it has. One that cannot be read is not verified.
fn is_verified(host: &dyn Host, path: &AbsPath, verified: &[&str]) -> bool {
    let name = path.name_text();
    let mut digests = verified.iter().filter_map(|entry| entry.rsplit_once('@')).filter(|(file, _)| *file == name);
    let Some((_, wanted)) = digests.next() else { return false };
    host.read(path, ARTIFACT_LIMIT)
        .is_ok_and(|bytes| wanted.trim_start_matches("sha256:").eq_ignore_ascii_case(&hex(Sha256::digest(&bytes))))
}

fn artifact_kind(name: &str) -> Option<ArtifactKind> {
    let lower = name.to_lowercase();
    let ends = |list: &[&str]| list.iter().any(|end| lower.ends_with(end));
    if ends(&[".intoto.jsonl", ".intoto.json", ".provenance", ".provenance.json", ".attestation.json", ".slsa.json"]) {
        Some(ArtifactKind::Provenance)
    } else if ends(&[".sigstore", ".sigstore.json", ".bundle", ".cosign.bundle"]) {
        Some(ArtifactKind::Bundle)
    } else if ends(&[".sig", ".asc", ".minisig", ".p7s"]) {
        Some(ArtifactKind::Signature)
    } else if ends(&[".cdx.json", ".cdx.xml", ".spdx.json", ".spdx", ".bom.json"])
        || lower == "sbom.json"
        || lower == "bom.json"
    {
        Some(ArtifactKind::Sbom)
    } else {
        None
    }
}

/// What macOS says of the signature inside the program. One made by nobody in particular is none.
fn codesigned(host: &dyn Host, program: &AbsPath, beside: Look<Proof>) -> Look<Proof> {
    match host.run(Tool::Codesign, &["--verify", "--strict", "--verbose=2", &program.text()]) {
        Err(error) => Look::Unknown(error.into()),
        Ok(output) if output.status != 0 => beside,
        Ok(_) => match host.run(Tool::Codesign, &["--display", "--verbose=2", &program.text()]) {
            Err(error) => Look::Unknown(error.into()),
            Ok(output) if has_developer(&output.stderr) || has_developer(&output.stdout) => {
                Look::Known(Proof::Verified)
            }
            Ok(_) => beside,
        },
    }
}

fn has_developer(display: &str) -> bool {
    display.lines().any(|line| line.starts_with("Authority=Developer ID Application:"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_what_vouches() {
        for (name, kind) in [
            ("opencode.sig", Some(ArtifactKind::Signature)),
            ("opencode.sigstore.json", Some(ArtifactKind::Bundle)),
            ("opencode.intoto.jsonl", Some(ArtifactKind::Provenance)),
            ("opencode-1.2.3.cdx.json", Some(ArtifactKind::Sbom)),
            ("opencode.spdx.json", Some(ArtifactKind::Sbom)),
            ("package.json", None),
            ("opencode", None),
            ("signature.txt", None),
        ] {
            assert_eq!(artifact_kind(name), kind, "{name}");
        }
    }
}
