//! A change that undoes itself unless somebody confirms it: for machines that are reached over the network that the
//! change may cut.

use std::process::{Command, Stdio};
use std::time::Duration;

use crate::commands::Failure;

/// Arms the undo of a run before it starts: a timer of systemd where that runs, else a process of its own.
pub(super) fn arm(run: &str, within: Duration) -> Result<(), Failure> {
    let program = std::env::current_exe().map_err(|error| failed(&error.to_string()))?;
    let seconds = within.as_secs();
    if std::path::Path::new("/run/systemd/system").is_dir() && rustix::process::geteuid().is_root() {
        let status = Command::new("/usr/bin/systemd-run")
            .args(["--quiet", "--collect", &format!("--unit=harden-undo-{run}"), &format!("--on-active={seconds}s")])
            .args([
                program.as_os_str(),
                "rollback".as_ref(),
                run.as_ref(),
                "--unless-confirmed".as_ref(),
                "1s".as_ref(),
            ])
            .env_clear()
            .stdin(Stdio::null())
            .status();
        return match status {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(failed(&format!("systemd-run ended with {status}"))),
            Err(error) => Err(failed(&error.to_string())),
        };
    }
    let mut command = Command::new(program);
    command.args(["rollback", run, "--unless-confirmed", &format!("{seconds}s")]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).current_dir("/");
    // It outlives this process; whoever adopts it waits for it.
    command.spawn().map(drop).map_err(|error| failed(&error.to_string()))
}

fn failed(why: &str) -> Failure {
    Failure::usage(format!("the undo cannot be armed: {why}"), "leave --confirm-within out, and stay at the machine")
}

/// Waits in a session of its own, which no closed terminal ends.
pub(super) fn wait(time: Duration) {
    // Who leads a group already is as good as on its own.
    let _ = rustix::process::setsid();
    std::thread::sleep(time);
}
