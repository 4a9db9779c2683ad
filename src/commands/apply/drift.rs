//! The timer that `--drift-timer` asks for. No finding wants it; who runs this does.

use crate::artifact::{self, Refusal};
use crate::host::{Host, Kind};
use crate::model::{AbsPath, LeftToPerson, Reason};
use crate::plan::{Want, Wanted};

const CODE: &str = "GOV-03";
const NAME: &str = "drift-timer";

/// Adds what it takes, or why it cannot be.
pub(super) fn want(wanted: &mut Wanted, host: &dyn Host) {
    let has_systemd = host.stat(&AbsPath::root().join("run/systemd/system")).is_ok_and(|stat| stat.kind == Kind::Dir);
    match program(host).and_then(|program| artifact::drift_timer(&program, has_systemd)) {
        Ok(actions) => {
            let reason = Reason {
                code: CODE.to_owned(),
                check: NAME.to_owned(),
                subject: None,
                fingerprint: NAME.to_owned(),
                evidence: NAME.to_owned(),
            };
            wanted.wants.extend(actions.into_iter().map(|action| Want { action, wanted_by: vec![reason.clone()] }));
            wanted.wants.sort_by_key(|want| want.action.rank());
        }
        Err(Refusal { why, next }) => {
            wanted.person.push(LeftToPerson { code: CODE.to_owned(), check: NAME.to_owned(), subject: None, why, next })
        }
    }
}

/// This program. What a timer starts as root has to be root's, with every folder above it.
fn program(host: &dyn Host) -> Result<AbsPath, Refusal> {
    let next = "install harden into /usr/local/bin, owned by root, and call it from there";
    let program = std::env::current_exe().ok().and_then(AbsPath::new);
    let program = program.ok_or_else(|| Refusal::new("it cannot be told where harden is installed", next))?;
    let open = program.ancestors().find(|path| !is_roots(host, path));
    match open {
        None => Ok(program),
        Some(open) => {
            let why = format!("a timer of root's would start `{program}`, and others than root can change `{open}`");
            Err(Refusal::new(why, next))
        }
    }
}

fn is_roots(host: &dyn Host, path: &AbsPath) -> bool {
    host.stat(path).is_ok_and(|stat| stat.uid.0 == 0 && stat.mode.bits() & 0o022 == 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::FixtureHost;

    #[test]
    fn root_starts_nothing_that_others_can_change() {
        let host = FixtureHost::parse(
            "about: x\nfiles:\n  /opt/a/harden: { owner: root, mode: \"0755\" }\n  /opt/b/: { owner: root, mode: \"0777\" }\n",
            std::path::Path::new("."),
        );
        let host = host.expect("a fixture");
        let path = |text: &str| AbsPath::root().join(text);
        assert!(is_roots(&host, &path("opt/a/harden")));
        assert!(!is_roots(&host, &path("opt/b")) && !is_roots(&host, &path("opt/none")));
    }
}
