//! A setting of the running kernel, set and taken back by `harden apply`.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

const SETTING: &str = "/proc/sys/fs/suid_dumpable";
const FILE: &str = "/etc/sysctl.d/60-harden-cores.conf";
const STATE: &str = "/run/hardentest-kernel";

/// Puts the setting back, whatever happens.
struct Setting(String);

impl Drop for Setting {
    fn drop(&mut self) {
        let _ = harden(&["rollback"]);
        let _ = fs::write(SETTING, &self.0);
        let _ = fs::remove_dir_all(STATE);
    }
}

fn harden(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_harden"))
        .args(args)
        .env("HARDEN_STATE_DIR", STATE)
        .current_dir("/tmp")
        .output()
        .expect("starts")
}

fn now() -> String {
    fs::read_to_string(SETTING).expect("readable").trim().to_owned()
}

#[test]
fn a_setting_is_made_for_now_and_the_next_boot_and_taken_back() {
    if !crate::disposable("kernel::a_setting_is_made_for_now_and_the_next_boot_and_taken_back") {
        return;
    }
    assert!(!Path::new(FILE).exists() && !Path::new(STATE).exists(), "start without settings of harden");
    let _setting = Setting(fs::read_to_string(SETTING).expect("readable"));
    fs::write(SETTING, "1").expect("set");
    let only = ["--agent", "generic", "--only", "HST-03", "--class", "safe,guarded"];
    let applied = harden(&[&["apply", "--yes"], &only[..]].concat());
    assert!(applied.status.success(), "{}", String::from_utf8_lossy(&applied.stderr));
    assert_eq!(now(), "0");
    assert!(fs::read_to_string(FILE).expect("there").ends_with("\nfs.suid_dumpable = 0\n"));
    assert_eq!(harden(&[&["plan"], &only[..]].concat()).status.code(), Some(0), "nothing more is planned");
    assert_eq!(harden(&["drift"]).status.code(), Some(0));
    fs::write(SETTING, "2").expect("set");
    assert_eq!(harden(&["drift"]).status.code(), Some(1), "somebody changed it");
    fs::write(SETTING, "0").expect("set");
    let back = harden(&["rollback"]);
    assert!(back.status.success(), "{}", String::from_utf8_lossy(&back.stderr));
    assert_eq!((now().as_str(), Path::new(FILE).exists()), ("1", false));
}
