//! Where programs are looked for: the folders of a search path, and where installers put programs.

use std::collections::BTreeSet;

use super::subject;
use crate::model::{AbsPath, Subject};

/// Folders of the machine that hold programs, in the order in which shells usually search them.
const SYSTEM: &[&str] =
    &["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin", "/opt/homebrew/bin", "/opt/bin"];

/// Folders of a home that installers put programs into.
const OWN: &[&str] = &[".opencode/bin", ".local/bin", "bin", ".bun/bin", ".npm-global/bin", ".cargo/bin", ".volta/bin"];

/// The folders of a search path. Relative ones are left out: where they are depends on who stands where.
pub(super) fn folders(path: &str) -> impl Iterator<Item = AbsPath> {
    path.split(':').filter_map(AbsPath::new)
}

/// The machine's folders that may hold `command`.
pub(super) fn of_machine(command: &str) -> impl Iterator<Item = AbsPath> {
    let opt = [format!("/opt/{command}"), format!("/opt/{command}/bin")].into_iter().filter_map(AbsPath::new);
    SYSTEM.iter().filter_map(AbsPath::new).chain(opt)
}

/// The folders of programs in a home.
pub(super) fn of_home(home: &AbsPath) -> impl Iterator<Item = AbsPath> {
    OWN.iter().map(|folder| home.join(folder))
}

/// Where the agent's account would find the agent's program: on its own PATH where that is known, then in the usual
/// places. Each path once, in the order of the search.
pub(super) fn of_agent(subject: &Subject) -> Vec<AbsPath> {
    of_commands(subject, &subject.agent.commands)
}

/// The same for programs of other names.
pub(super) fn of_commands(subject: &Subject, commands: &[String]) -> Vec<AbsPath> {
    let set = subject.env.get("PATH").map(String::as_str).unwrap_or_default();
    let home = subject::place(subject, "{home}");
    let shared = folders(set).chain(home.iter().flat_map(of_home));
    let named = shared.flat_map(|folder| commands.iter().map(move |command| folder.join(command)));
    let of_machine = commands.iter().flat_map(|command| of_machine(command).map(move |folder| folder.join(command)));
    let mut seen = BTreeSet::new();
    named.chain(of_machine).filter(|path| seen.insert(path.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_folders_of_a_search_path_are_left_out() {
        let found: Vec<String> = folders("/usr/bin::.:bin:/opt/x/../y").map(|folder| folder.text()).collect();
        assert_eq!(found, ["/usr/bin", "/opt/y"]);
    }
}
