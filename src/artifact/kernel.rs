//! Settings of the kernel that keep the agent's processes from others: each in a file of its own, for every boot, and in
//! the kernel that runs now; so each is undone by itself.

use super::{Refusal, Site, mark, path};
use crate::model::{Access, Action};

const FOLDER: &str = "/etc/sysctl.d";

/// A setting.
pub(super) struct Kernel {
    file: &'static str,
    name: &'static str,
    value: &'static str,
    about: &'static str,
}

/// A process traces its own children only.
pub(super) const PTRACE: Kernel = Kernel {
    file: "60-harden-ptrace.conf",
    name: "kernel.yama.ptrace_scope",
    value: "1",
    about: "No process reads the memory of another that it did not start.",
};

/// What runs with raised rights leaves no memory on the disk.
pub(super) const RAISED_CORES: Kernel = Kernel {
    file: "60-harden-cores.conf",
    name: "fs.suid_dumpable",
    value: "0",
    about: "Programs with raised rights leave no core file.",
};

/// The kernel's log is root's.
pub(super) const KERNEL_LOG: Kernel = Kernel {
    file: "60-harden-kernel-log.conf",
    name: "kernel.dmesg_restrict",
    value: "1",
    about: "Only root reads the kernel's log.",
};

pub(super) fn build(site: &Site, setting: &Kernel) -> Result<Vec<Action>, Refusal> {
    site.linux_only("settings of the kernel")?;
    if !site.there.contains(&path(FOLDER)) {
        let why = format!("there is no folder {FOLDER}, from which settings would be read at boot");
        return Err(Refusal::new(why, ""));
    }
    let content = format!("{}{} = {}\n", mark(setting.about), setting.name, setting.value);
    Ok(vec![
        Action::WriteFile {
            path: path(FOLDER).join(setting.file),
            content,
            access: Access::of_root(0o644),
            check: None,
        },
        Action::SetKernel { name: setting.name.to_owned(), value: setting.value.to_owned() },
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::tests::site;

    #[test]
    fn a_setting_holds_now_and_from_the_next_boot_on() {
        let actions = build(&site(), &PTRACE).expect("can be written");
        let [Action::WriteFile { content, .. }, Action::SetKernel { name, value }] = &actions[..] else {
            panic!("two")
        };
        assert!(content.ends_with("\nkernel.yama.ptrace_scope = 1\n"), "{content}");
        assert_eq!((name.as_str(), value.as_str()), ("kernel.yama.ptrace_scope", "1"));
        assert!(build(&Site { there: Vec::new(), ..site() }, &PTRACE).is_err());
    }
}
