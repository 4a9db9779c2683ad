//! The hooks that `harden hooks install` writes: small, for any POSIX shell, and told from all others by being exactly
//! that, or exactly what an earlier version wrote. Here, and not beside what installs them, because an audit has to know
//! them too.

use serde::Serialize;
use sha2::{Digest, Sha256};

/// The second line of every hook of ours begins so; the version stands behind it.
const MARK: &str = "# harden hook 1: ";

/// The digests of all texts that any version has written, the program in them left out. Nothing is ever taken away
/// here: what stands here is known for ours, is replaced by an installation and taken out by an uninstallation.
const WRITTEN: &[(Hook, &str)] = &[
    (Hook::PreCommit, "bfd947498e7dc92c35025a3ff26a4d94f558f4e7a751cf3d7557e0bd5c69d6a8"),
    (Hook::PreMergeCommit, "a7b98949d45c2040ee0747cf7e655873bdacd8c544f168b8e15c4c72cea0d54f"),
    (Hook::PrePush, "bc63ca7512bc3fc1a1a2d0446510d537f954b6ab1b27452ba378f0103e68dfef"),
];

/// What comes before a program that is looked for in the text.
const PROGRAM: &[u8] = b"harden='";

/// A hook that we write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Hook {
    /// Before a commit: scans what is staged.
    PreCommit,
    /// Before a merge makes a commit, for which git does not run the one above: scans what it brings.
    PreMergeCommit,
    /// Before a push: scans the commits that the remote does not have.
    PrePush,
}

impl Hook {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::PreCommit, Self::PreMergeCommit, Self::PrePush];

    /// What git calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::PreCommit => "pre-commit",
            Self::PreMergeCommit => "pre-merge-commit",
            Self::PrePush => "pre-push",
        }
    }

    /// What a hook that was there before ours is called while ours is there.
    pub const fn former(self) -> &'static str {
        match self {
            Self::PreCommit => "pre-commit.before-harden",
            Self::PreMergeCommit => "pre-merge-commit.before-harden",
            Self::PrePush => "pre-push.before-harden",
        }
    }

    /// The line that does the same in a hook which somebody else looks after.
    pub fn line(self) -> &'static str {
        match self {
            Self::PreCommit | Self::PreMergeCommit => "harden scan --staged",
            Self::PrePush => r#"harden scan --pushed --remote="$1""#,
        }
    }

    /// Whether a hook's text runs us by itself.
    pub fn is_called_in(self, text: &str) -> bool {
        // How the remote is named is the hook's own business.
        let call = self.line().split(" --remote").next().unwrap_or_default();
        text.lines().any(|line| !line.trim_start().starts_with('#') && line.contains(call))
    }
}

/// Where a hook comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// From us, as this or an earlier version wrote it; it runs this program.
    Ours(Vec<u8>),
    /// From us, and somebody changed it.
    Edited,
    /// From somebody else.
    Foreign,
}

/// The hook that runs a program.
pub fn text(hook: Hook, program: &[u8]) -> Vec<u8> {
    let (act, scans) = match hook {
        Hook::PreCommit => ("commit", "what is staged"),
        Hook::PreMergeCommit => ("merge", "what is merged"),
        Hook::PrePush => ("push", "what is pushed"),
    };
    let head = format!("#!/bin/sh\n{MARK}scans {scans} for secrets; `harden hooks uninstall` takes it out\n");
    let body = match hook {
        Hook::PreCommit | Hook::PreMergeCommit => COMMIT,
        Hook::PrePush => PUSH,
    };
    let body = [GONE, body].concat().replace("ACT", act).replace("FORMER", hook.former());
    [head.as_bytes(), b"harden=", &quoted(program), b"\n", body.as_bytes()].concat()
}

/// A guard that is silently gone is no guard: without the program nothing passes, and it is said how to go on.
const GONE: &str = r#"if ! [ -f "$harden" ] || ! [ -x "$harden" ]; then
    printf '%s\n' "harden: \`$harden\` is gone; nothing was scanned, and the ACT is refused" \
        'harden: put it back, run `harden hooks install` with another, or remove this hook:' "  $0" \
        'harden: `git ACT --no-verify` goes past all hooks once' >&2
    exit 1
fi
refuse() {
    if [ $? -eq 1 ]; then
        next='a comment `gitleaks:allow` or a line in .gitleaksignore accepts what is no secret'
    else
        next='what could not be read may hold a secret'
    fi
    printf '%s\n' "$said" "harden: the ACT is refused; $next" \
        'harden: `git ACT --no-verify` goes past all hooks once' >&2
    exit 1
}
case $0 in
*/*) former=${0%/*}/FORMER ;;
*) former=./FORMER ;;
esac
"#;

const COMMIT: &str = r#"said=$("$harden" scan --staged) || refuse
if [ -f "$former" ] && [ -x "$former" ]; then
    exec "$former" "$@"
fi
"#;

const PUSH: &str = r#"refs=$(cat)
if [ -n "$refs" ]; then
    said=$(printf '%s\n' "$refs" | "$harden" scan --pushed --remote="${1-}") || refuse
fi
if ! [ -f "$former" ] || ! [ -x "$former" ]; then
    exit 0
fi
if [ -z "$refs" ]; then
    exec "$former" "$@" </dev/null
fi
printf '%s\n' "$refs" 2>/dev/null | "$former" "$@"
"#;

/// Where a hook of this text comes from.
pub fn origin(hook: Hook, found: &[u8]) -> Origin {
    origin_of(hook, found, WRITTEN)
}

fn origin_of(hook: Hook, found: &[u8], written: &[(Hook, &str)]) -> Origin {
    let mut lines = found.split(|byte| *byte == b'\n');
    // An edited mark of ours may stand on any of the first lines, and a later version of it is not ours to judge.
    if !lines.by_ref().take(5).any(|line| line.starts_with(b"# harden hook ")) {
        return Origin::Foreign;
    }
    match without_program(found) {
        Some((rest, program)) if written.contains(&(hook, &digest(&rest))) => Origin::Ours(program),
        _ => Origin::Edited,
    }
}

/// A text without the program that it runs, and that program.
fn without_program(found: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let (mut rest, mut program) = (Vec::with_capacity(found.len()), None);
    for line in found.split_inclusive(|byte| *byte == b'\n') {
        match line.strip_prefix(PROGRAM).filter(|_| program.is_none()) {
            Some(word) => {
                program = Some(unquoted(word.strip_suffix(b"\n")?)?);
                rest.extend(b"harden=\n");
            }
            None => rest.extend(line),
        }
    }
    Some((rest, program?))
}

fn digest(text: &[u8]) -> String {
    crate::model::hex(Sha256::digest(text))
}

/// A word that a shell takes as it is.
fn quoted(word: &[u8]) -> Vec<u8> {
    let mut out = vec![b'\''];
    for byte in word {
        match byte {
            b'\'' => out.extend(br"'\''"),
            other => out.push(*other),
        }
    }
    out.push(b'\'');
    out
}

/// The word behind an opening quote, if a line ends with it.
fn unquoted(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    loop {
        let end = rest.iter().position(|byte| *byte == b'\'')?;
        out.extend(&rest[..end]);
        match &rest[end..] {
            b"'" => return Some(out),
            more => rest = more.strip_prefix(br"'\''")?,
        }
        out.push(b'\'');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_hooks_are_known_by_every_byte_of_them() {
        for program in [&b"/usr/bin/harden"[..], b"/a 'b'/$(x)`y`\\/harden", b"''", b"/\xff/ACT/FORMER"] {
            for hook in Hook::ALL {
                let written = text(hook, program);
                assert_eq!(origin(hook, &written), Origin::Ours(program.to_vec()));
                let mut others = Hook::ALL.into_iter().filter(|other| *other != hook);
                assert!(others.all(|other| origin(other, &written) == Origin::Edited));
                assert_eq!(origin(hook, &[&written[..], b"\n"].concat()), Origin::Edited);
            }
        }
        for foreign in ["", "#!/bin/sh\nexit 0\n", "#!/bin/sh\nharden='/x'\n", "\n\n\n\n\n\n# harden hook 1: late\n"] {
            assert_eq!(origin(Hook::PrePush, foreign.as_bytes()), Origin::Foreign, "{foreign}");
        }
        assert_eq!(origin(Hook::PrePush, b"#!/bin/sh\n# harden hook 2: newer\n"), Origin::Edited);
    }

    #[test]
    fn what_is_written_is_recorded_for_the_versions_to_come() {
        for hook in Hook::ALL {
            let (rest, _) = without_program(&text(hook, b"/usr/bin/harden")).expect("it runs a program");
            let digest = digest(&rest);
            assert!(
                WRITTEN.contains(&(hook, &digest)),
                "raise the version in MARK and add (Hook::{hook:?}, \"{digest}\") to WRITTEN"
            );
        }
    }

    #[test]
    fn a_hook_of_an_earlier_version_is_ours() {
        let older =
            |program: &str| format!("#!/bin/sh\n# harden hook 0: scans\nharden='{program}'\n\"$harden\" scan\n");
        let (rest, _) = without_program(older("/x").as_bytes()).expect("it runs a program");
        let digest = digest(&rest);
        let written = [(Hook::PrePush, digest.as_str())];
        let of = |hook, text: &str| origin_of(hook, text.as_bytes(), &written);
        assert_eq!(of(Hook::PrePush, &older(r"/it'\''s/harden")), Origin::Ours(b"/it's/harden".to_vec()));
        assert_eq!(of(Hook::PreCommit, &older("/x")), Origin::Edited);
        for edited in [older("/x") + "make\n", older("/x'; make; '"), older("/x").replace("scan\n", "scan &\n")] {
            assert_eq!(of(Hook::PrePush, &edited), Origin::Edited, "{edited}");
        }
    }
}
