//! Kernel settings that matter to what an account can do to others.

use schemars::JsonSchema;
use serde::Serialize;

use super::mounts::Mounts;
use super::reach::{abs, text};
use super::{ProbeError, needs_running};
use crate::host::Host;
use crate::model::{Look, Os, Subject};

/// Kernel settings. Null where the kernel has no such setting, and on other systems than Linux.
#[derive(Serialize, JsonSchema)]
pub struct Fact {
    /// Whether processes may trace others of their account: 0 all, 1 descendants, 2 root, 3 nobody.
    kernel_yama_ptrace_scope: Look<Option<i64>>,
    /// Whether only root reads the kernel log.
    kernel_dmesg_restrict: Look<Option<i64>>,
    /// Whether accounts may make user namespaces (Debian's own setting).
    kernel_unprivileged_userns_clone: Look<Option<i64>>,
    /// Whether AppArmor restricts user namespaces (Ubuntu's own setting).
    kernel_apparmor_restrict_unprivileged_userns: Look<Option<i64>>,
    /// How many user namespaces there may be.
    user_max_user_namespaces: Look<Option<i64>>,
    /// Whether accounts may load BPF programs: 0 yes, 1 no, 2 no until root says otherwise.
    kernel_unprivileged_bpf_disabled: Look<Option<i64>>,
    /// Whether io_uring is off: 0 on, 1 for a group, 2 off.
    kernel_io_uring_disabled: Look<Option<i64>>,
    /// How much of kernel addresses is hidden.
    kernel_kptr_restrict: Look<Option<i64>>,
    /// Who may use performance events.
    kernel_perf_event_paranoid: Look<Option<i64>>,
    /// Whether programs with raised rights may dump core.
    fs_suid_dumpable: Look<Option<i64>>,
    /// Whether links of others in shared folders are followed.
    fs_protected_symlinks: Look<Option<i64>>,
    /// Whether files of others may be hard-linked.
    fs_protected_hardlinks: Look<Option<i64>>,
    /// Whether a terminal's input can be faked with TIOCSTI.
    dev_tty_legacy_tiocsti: Look<Option<i64>>,
    /// Whether IPv6 is off everywhere.
    net_ipv6_conf_all_disable_ipv6: Look<Option<i64>>,
    /// Where cores go: a file name or a program.
    kernel_core_pattern: Look<Option<String>>,
    /// How much of other accounts' processes `/proc` hides: `off`, `noaccess`, `invisible`, `ptraceable`.
    proc_hidepid: Look<Option<String>>,
}

/// See [`Fact`].
pub fn look(host: &dyn Host, subject: &Subject) -> Result<Fact, ProbeError> {
    let linux = subject.os == Os::Linux;
    if linux {
        needs_running(host, "running kernel")?;
    }
    let word = |name: &str| setting(host, linux, name);
    let number = |name: &str| match word(name) {
        Look::Known(None) => Look::Known(None),
        Look::Known(Some(text)) => match text.parse() {
            Ok(number) => Look::Known(Some(number)),
            Err(_) => Look::unknown(format!("`{name}` is not a number"), "look at it with `sysctl`"),
        },
        Look::Unknown(unseen) => Look::Unknown(unseen),
    };
    Ok(Fact {
        kernel_yama_ptrace_scope: number("kernel/yama/ptrace_scope"),
        kernel_dmesg_restrict: number("kernel/dmesg_restrict"),
        kernel_unprivileged_userns_clone: number("kernel/unprivileged_userns_clone"),
        kernel_apparmor_restrict_unprivileged_userns: number("kernel/apparmor_restrict_unprivileged_userns"),
        user_max_user_namespaces: number("user/max_user_namespaces"),
        kernel_unprivileged_bpf_disabled: number("kernel/unprivileged_bpf_disabled"),
        kernel_io_uring_disabled: number("kernel/io_uring_disabled"),
        kernel_kptr_restrict: number("kernel/kptr_restrict"),
        kernel_perf_event_paranoid: number("kernel/perf_event_paranoid"),
        fs_suid_dumpable: number("fs/suid_dumpable"),
        fs_protected_symlinks: number("fs/protected_symlinks"),
        fs_protected_hardlinks: number("fs/protected_hardlinks"),
        dev_tty_legacy_tiocsti: number("dev/tty/legacy_tiocsti"),
        net_ipv6_conf_all_disable_ipv6: number("net/ipv6/conf/all/disable_ipv6"),
        kernel_core_pattern: word("kernel/core_pattern"),
        proc_hidepid: if linux { Mounts::read(host).map(|mounts| mounts.hidepid()).into() } else { Look::Known(None) },
    })
}

fn setting(host: &dyn Host, linux: bool, name: &str) -> Look<Option<String>> {
    if !linux {
        return Look::Known(None);
    }
    text(host, &abs(&format!("/proc/sys/{name}")), 4096).map(|text| text.map(|text| text.trim().to_owned())).into()
}
