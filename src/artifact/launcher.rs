//! The program that starts the agent: as its own account, from an empty environment, in its workspace; and the sudo
//! rule that lets the developer start that, and nothing else.

use super::shell::quoted;
use super::{Refusal, Site, mark, path};
use crate::model::{AbsPath, Access, Action, Checker};

/// Where programs are looked for; root's folders only.
const SEARCH_PATH: &str = "/usr/local/bin:/usr/bin:/bin";

pub(super) fn build(site: &Site) -> Result<Vec<Action>, Refusal> {
    let account = site.account()?;
    let mine = |mode| Access { uid: account.uid, gid: account.gid, ..Access::of_root(mode) };
    let config = config_home(&account.name);
    let mut actions = vec![
        Action::EnsureDir { path: account.home.join("tmp"), access: mine(0o700) },
        Action::EnsureDir { path: path("/etc/harden"), access: Access::of_root(0o755) },
        Action::EnsureDir { path: config.clone(), access: Access::of_root(0o755) },
        Action::EnsureDir { path: config.join(&site.command), access: Access::of_root(0o755) },
        Action::WriteFile {
            path: site.launcher.clone(),
            content: script(site)?,
            access: Access::of_root(0o755),
            check: None,
        },
    ];
    if let Some(developer) = &site.developer {
        let folder = path("/etc/sudoers.d");
        if !site.there.contains(&folder) {
            return Err(Refusal::new(
                "sudo is not installed, so nobody but root could start the launcher",
                "install sudo",
            ));
        }
        actions.push(Action::WriteFile {
            path: folder.join(file_name(&account.name)),
            content: rule(site, developer, &account.name)?,
            access: Access::of_root(0o440),
            check: Some(Checker::Visudo),
        });
    }
    Ok(actions)
}

/// Where the agent looks for the configuration of its account: a folder that it cannot write, or what one session puts
/// there would rule the next.
pub(super) fn config_home(account: &str) -> AbsPath {
    path("/etc/harden").join(account)
}

/// sudo passes over names with a dot in them.
fn file_name(account: &str) -> String {
    format!("harden-{}", account.replace('.', "_"))
}

fn script(site: &Site) -> Result<String, Refusal> {
    let account = site.account()?;
    let own = quoted(&site.launcher.text())?;
    let mut out = format!(
        "#!/bin/sh\n{}",
        mark(&format!("Starts {} as {}, from an empty environment.", site.agent, account.name))
    );
    out += &format!("if [ \"$(/usr/bin/id -u)\" != {} ]; then\n", account.uid.0);
    out += &format!("  exec /usr/bin/sudo -n -u {} -- {own} \"$@\"\nfi\n", quoted(&account.name)?);
    out += &format!("umask 077\ncd {} || exit 126\nexec /usr/bin/env -i \\\n", quoted(&site.workspace.text())?);
    for (name, value) in variables(&account.home, &account.name) {
        out += &format!("  {name}={} \\\n", quoted(&value)?);
    }
    for name in &site.off_switches {
        out += &format!("  {}=1 \\\n", quoted(name)?);
    }
    // Approved commands are a map of rules, and a project's own would be merged into it.
    if let Some(name) = site.project_off.as_ref().filter(|_| !site.compiled().is_empty()) {
        out += &format!("  {name}=1 \\\n");
    }
    out += &format!("  TERM=\"${{TERM:-dumb}}\" \\\n  {} \"$@\"\n", quoted(&site.command)?);
    Ok(out)
}

/// The whole environment but for TERM. None of it is a secret: arguments can be listed by every account.
fn variables(home: &AbsPath, name: &str) -> Vec<(&'static str, String)> {
    let below = |folder: &str| home.join(folder).text();
    vec![
        ("HOME", home.text()),
        ("USER", name.to_owned()),
        ("LOGNAME", name.to_owned()),
        ("SHELL", "/bin/sh".to_owned()),
        ("PATH", SEARCH_PATH.to_owned()),
        ("LANG", "C.UTF-8".to_owned()),
        ("TMPDIR", below("tmp")),
        ("XDG_CONFIG_HOME", config_home(name).text()),
        ("XDG_DATA_HOME", below(".local/share")),
        ("XDG_STATE_HOME", below(".local/state")),
        ("XDG_CACHE_HOME", below(".cache")),
    ]
}

/// sudo reads some characters as its own; a path with them is no plain path to it.
fn rule(site: &Site, developer: &str, account: &str) -> Result<String, Refusal> {
    let program = site.launcher.text();
    let plain = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c));
    if ![developer, account, &program].iter().all(|text| plain(text)) {
        let why = format!("sudo would not read `{program}`, `{developer}` or `{account}` as a plain word");
        return Err(Refusal::new(why, "use letters, digits, `-`, `_` and `.` in names and in the launcher's path"));
    }
    Ok(format!(
        "{}{developer} ALL=({account}:{account}) NOPASSWD: {program}\n",
        mark(&format!("Lets {developer} start the agent's launcher, and nothing else."))
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::tests::site;

    #[test]
    fn the_launcher_switches_account_then_empties_the_environment() {
        let text = script(&site()).expect("can be written");
        let expected = "umask 077\ncd /srv/shop || exit 126\nexec /usr/bin/env -i \\\n  HOME=/var/lib/agent \\\n";
        assert!(text.contains(expected), "{text}");
        assert!(text.contains("exec /usr/bin/sudo -n -u agent -- /usr/local/bin/opencode-hardened \"$@\"\n"), "{text}");
        assert!(text.ends_with("  TERM=\"${TERM:-dumb}\" \\\n  opencode \"$@\"\n"), "{text}");
    }

    #[test]
    fn the_sudo_rule_names_one_program() {
        let text = rule(&site(), "dev", "agent").expect("can be written");
        assert!(text.ends_with("\ndev ALL=(agent:agent) NOPASSWD: /usr/local/bin/opencode-hardened\n"), "{text}");
        for developer in ["a,b", "a b", "%wheel", "ALL=(ALL) ALL #"] {
            assert!(rule(&site(), developer, "agent").is_err(), "{developer}");
        }
    }
}
