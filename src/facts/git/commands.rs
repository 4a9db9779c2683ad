//! Which settings of a repository make git run a program, and which of those are what everybody has.

use super::config::{Setting, is_boolean};

/// What git would do because of a setting; None where it runs nothing, or only what git brings along.
pub(super) fn runs(setting: &Setting) -> Option<&'static str> {
    let value = setting.value.as_deref();
    let text = value.unwrap_or_default();
    if setting.section == "remote" && setting.key == "url" {
        return text.starts_with("ext::").then_some("runs a command to fetch");
    }
    if text.is_empty() {
        return None;
    }
    Some(match (setting.section.as_str(), setting.key.as_str()) {
        ("core", "fsmonitor") if !is_boolean(value) => "runs a program at every `git status`",
        ("core", "hookspath") if text != "/dev/null" => "takes hooks from another folder",
        ("core", "sshcommand") => "runs a program at every fetch and push",
        ("core", "gitproxy") => "runs a program at every fetch",
        ("core", "askpass") => "runs a program to ask for passwords",
        ("core", "alternaterefscommand") => "runs a program at every fetch",
        ("core", "pager") | ("pager", _) if !is_boolean(value) && !is_usual(text, PAGERS) => {
            "runs a program to show output"
        }
        ("core" | "sequence", "editor") if !is_usual(text, EDITORS) => "runs a program to edit messages",
        ("filter", "clean" | "smudge" | "process") if !is_lfs(setting, text) => {
            "runs a program when files are staged or checked out"
        }
        ("diff", "external" | "command" | "textconv") => "runs a program at every diff",
        ("merge", "driver") => "runs a program at every merge",
        ("difftool" | "mergetool" | "browser" | "man", "cmd" | "path") => "runs a program when the tool is called",
        ("interactive", "difffilter") => "runs a program at interactive adds",
        ("credential", "helper") if !is_usual(text, HELPERS) => "runs a program that is asked for credentials",
        ("gpg", "program" | "defaultkeycommand") => "runs a program to sign and verify",
        ("alias", _) if text.starts_with('!') => "runs a shell command when the alias is used",
        ("remote", "uploadpack" | "receivepack" | "vcs") => "runs a program at every fetch or push",
        ("uploadpack", "packobjectshook") => "runs a program when others fetch",
        ("submodule", "update") if text.starts_with('!') => "runs a shell command at every submodule update",
        ("trailer", "command" | "cmd") => "runs a program at every commit message",
        ("hook", "command") => "runs a command as a hook",
        ("protocol", "allow") if setting.name == "protocol.ext.allow" && text == "always" => {
            "lets addresses run commands"
        }
        ("include" | "includeif", "path") => "takes settings from another file",
        _ => return None,
    })
}

const PAGERS: &[&str] = &["less", "more", "most", "cat", "delta", "bat", "diff-so-fancy", "moar"];
const EDITORS: &[&str] =
    &["vi", "vim", "nvim", "nano", "emacs", "emacsclient", "code", "hx", "micro", "subl", "true", ":"];
const HELPERS: &[&str] =
    &["cache", "store", "osxkeychain", "manager", "manager-core", "libsecret", "gnome-keyring", "oauth"];

/// A program of the list, found on PATH, with plain options.
fn is_usual(text: &str, known: &[&str]) -> bool {
    let mut words = text.split_whitespace();
    words.next().is_some_and(|program| known.contains(&program))
        && words.all(|word| word.chars().all(|c| c.is_ascii_alphanumeric() || "-_=+,.@:%".contains(c)))
}

/// The filter that `git lfs install --local` writes, word for word.
fn is_lfs(setting: &Setting, text: &str) -> bool {
    setting.name.starts_with("filter.lfs.")
        && matches!(
            text,
            "git-lfs clean -- %f"
                | "git-lfs smudge -- %f"
                | "git-lfs smudge --skip -- %f"
                | "git-lfs filter-process"
                | "git-lfs filter-process --skip"
                | "git lfs clean %f"
                | "git lfs smudge %f"
        )
}

#[cfg(test)]
mod tests {
    use super::super::config::parse;
    use super::*;

    #[test]
    fn settings_that_run_something_are_told_from_those_that_do_not() {
        for (text, expected) in [
            ("[core]\nfsmonitor = ./watch", true),
            ("[core]\nfsmonitor = true", false),
            ("[core]\nhooksPath = .githooks", true),
            ("[core]\nhooksPath = /dev/null", false),
            ("[core]\npager = less -FRX", false),
            ("[core]\npager = \"less; sh ./x\"", true),
            ("[core]\npager = ./less", true),
            ("[pager]\nlog = false", false),
            ("[core]\neditor = vim", false),
            ("[core]\nsshCommand = ssh -i ./key", true),
            ("[filter \"lfs\"]\nclean = git-lfs clean -- %f", false),
            ("[filter \"lfs\"]\nclean = ./git-lfs clean -- %f", true),
            ("[filter \"lfs\"]\nrequired = true", false),
            ("[filter \"x\"]\nprocess = x", true),
            ("[alias]\nst = status", false),
            ("[alias]\nst = !sh x", true),
            ("[credential]\nhelper = store", false),
            ("[credential \"https://x\"]\nhelper = !echo", true),
            ("[remote \"origin\"]\nurl = https://example.org/x", false),
            ("[remote \"origin\"]\nurl = ext::sh -c x", true),
            ("[diff \"x\"]\ntextconv = x", true),
            ("[diff]\nalgorithm = histogram", false),
            ("[merge \"x\"]\ndriver = x %O %A %B", true),
            ("[submodule \"x\"]\nupdate = checkout", false),
            ("[include]\npath = ../x", true),
            ("[core]\nfsmonitor =", false),
        ] {
            let settings = parse(text);
            assert_eq!(runs(&settings[0]).is_some(), expected, "{text}");
        }
    }
}
