//! What only a kernel can say. These tests change the machine they run on, and put it back; they run as root with
//! `HARDEN_ROOT_TESTS=disposable`, and say that they were skipped otherwise.

use std::cell::RefCell;
use std::sync::{Mutex, MutexGuard, PoisonError};

mod accounts;
mod apply;
mod audit;
mod denied;
mod egress;
mod egress_rules;
mod exec_log;
mod kernel;

/// The machine is one, and tests run side by side.
static MACHINE: Mutex<()> = Mutex::new(());

thread_local! {
    /// Held to the end of the test, which has a thread of its own.
    static HELD: RefCell<Option<MutexGuard<'static, ()>>> = const { RefCell::new(None) };
}

/// Whether the machine may be changed; then it is this test's alone. Says so where not.
pub(crate) fn disposable(test: &str) -> bool {
    let willing = std::env::var("HARDEN_ROOT_TESTS").is_ok_and(|value| value == "disposable");
    let root = rustix::process::getuid().is_root();
    if !(willing && root) {
        // Written past the test harness, which hides what passing tests print.
        let line = format!("SKIPPED {test}: needs root and HARDEN_ROOT_TESTS=disposable\n");
        std::io::Write::write_all(&mut std::io::stderr(), line.as_bytes()).expect("writes");
    }
    if willing && root {
        HELD.with_borrow_mut(|held| {
            held.get_or_insert_with(|| MACHINE.lock().unwrap_or_else(PoisonError::into_inner));
        });
    }
    willing && root
}

/// The fact of one probe about this machine, for an account.
pub(crate) fn fact(probe: &str, user: &str) -> serde_json::Value {
    use harden::facts::{self, subject};
    use harden::model::{AbsPath, Parameters, Scope};
    let host = harden::host::RealHost::live().expect("opens /");
    let parameters = Parameters([("agent_user".to_owned(), user.into())].into());
    let agent = harden::catalog::agent("generic").expect("known agent");
    let place = AbsPath::root().join("tmp");
    let subject = subject::settle(&host, agent, &parameters, Scope::Host, &place).expect("settles");
    let (facts, _) = facts::gather(&host, &[subject], &std::collections::BTreeSet::from([probe]));
    facts[0].0[probe].clone()
}
