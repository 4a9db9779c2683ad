//! The root folder of an image, on disk, audited from outside: what is said is about the image alone. Its accounts
//! are not those of the machine that looks, even where they have the same numbers, and nothing in it runs.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// Variables that would matter, were they the image's.
const LOUD: &[(&str, &str)] = &[
    ("OPENCODE_PERMISSION", r#"{"*":"allow"}"#),
    ("LD_PRELOAD", "/zq-outside.so"),
    ("ZQ_OUTSIDE_API_KEY", "zq-outside"),
    ("DOCKER_HOST", "tcp://192.0.2.1:2375"),
    ("XDG_CONFIG_HOME", "/zq-outside"),
    ("SUDO_UID", "4711"),
];

/// An image whose `dev` has the number of the account that runs this test.
fn image(launcher: Option<&str>) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let uid = fs::metadata(folder.path()).expect("there").uid();
    let write = |path: &str, text: &str| {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().expect("below the top")).expect("made");
        fs::write(path, text).expect("written");
    };
    let accounts = format!(
        "root:x:0:0::/root:/bin/sh\ndev:x:{uid}:{uid}::/home/dev:/bin/sh\nagent:x:990:990::/home/agent:/usr/sbin/nologin\n"
    );
    write("etc/passwd", &accounts);
    write("etc/group", "root:x:0:\nagent:x:990:\ndocker:x:998:dev\n");
    write("etc/shadow", "root:*:19000::::::\nagent:!:19000::::::\n");
    write("home/dev/.config/opencode/opencode.json", r#"{ "permission": "allow" }"#);
    write("home/agent/.profile", "");
    write(
        "srv/app/opencode.json",
        r#"{ "mcp": { "docs": { "type": "local", "command": ["npx", "-y", "docs-mcp"] } } }"#,
    );
    if let Some(text) = launcher {
        write("usr/local/bin/opencode-hardened", text);
    }
    folder
}

fn audit(image: &Path, more: &[&str]) -> Value {
    let run = Command::new(env!("CARGO_BIN_EXE_harden"))
        .args(["audit", "--profile", "production", "-f", "json", "--root"])
        .arg(image)
        .args(more)
        .envs(LOUD.iter().copied())
        .env("XDG_STATE_HOME", env!("CARGO_TARGET_TMPDIR"))
        .output()
        .expect("starts");
    assert!(matches!(run.status.code(), Some(1 | 3)), "{}", String::from_utf8_lossy(&run.stderr));
    let report = String::from_utf8(run.stdout).expect("text");
    for leak in ["zq-outside", "zq_outside", "192.0.2.1", "4711"] {
        assert!(!report.to_lowercase().contains(leak), "{leak} in {report}");
    }
    serde_json::from_str(&report).expect("JSON")
}

/// The worst that each check says, by code: fail, unknown, pass, not-applicable.
fn worst(report: &Value) -> BTreeMap<&str, &str> {
    const ORDER: [&str; 4] = ["fail", "unknown", "pass", "not-applicable"];
    let place = |status: &str| ORDER.iter().position(|known| *known == status);
    let mut worst: BTreeMap<&str, &str> = BTreeMap::new();
    for finding in report["findings"].as_array().expect("a list") {
        let (code, status) = (finding["code"].as_str().expect("text"), finding["status"].as_str().expect("text"));
        let held = worst.entry(code).or_insert(status);
        if place(status) < place(held) {
            *held = status;
        }
    }
    worst
}

/// Whether all of `codes` end as `status`.
fn expect(report: &Value, status: &str, codes: &[&str]) {
    let worst = worst(report);
    let wrong: Vec<_> = codes.iter().filter(|code| worst.get(**code) != Some(&status)).collect();
    let found: Vec<_> = wrong.iter().map(|code| (code, worst.get(**code))).collect();
    assert!(found.is_empty(), "expected {status}: {found:?}");
}

/// What a running machine alone can tell.
const LIVE: &[&str] = &[
    "CFG-01", "CFG-09", "ENV-01", "ENV-02", "ENV-03", "ENV-04", "ENV-05", "LOG-01", "LOG-02", "NET-01", "NET-02",
    "NET-03", "NET-04", "NET-05", "NET-12", "PRV-03",
];

/// What depends on the account that runs the agent.
const OF_USER: &[&str] = &[
    "CFG-02", "CFG-04", "CFG-06", "CFG-07", "CFG-10", "CFG-11", "LOG-05", "NET-06", "NET-07", "PRV-01", "PRV-02",
    "PRV-04", "PRV-05", "PRV-06", "PRV-07", "SEC-04", "STA-01", "STA-03", "STA-06", "SUP-06", "USR-01", "USR-02",
    "USR-03", "USR-04", "USR-06", "USR-07",
];

#[test]
fn an_image_that_names_no_account_has_none() {
    let image = image(None);
    let report = audit(image.path(), &["/srv/app"]);
    let agent = &report["agents"][0];
    assert_eq!(
        (&agent["agent"], &agent["user"], &agent["user_source"]),
        (&"opencode".into(), &Value::Null, &Value::Null)
    );
    expect(&report, "unknown", LIVE);
    expect(&report, "unknown", OF_USER);
    expect(&report, "fail", &["MCP-03", "SEC-02"]);
    expect(&report, "pass", &["SEC-01", "WSP-01"]);
    let how = report["findings"].as_array().expect("a list").iter().find(|finding| finding["code"] == "USR-01");
    let how = how.expect("said")["unseen"][0]["how"].as_str().expect("text");
    assert_eq!(how, "name it as `agent_user` in the profile; traces of the agent are in the home of `dev`");
}

#[test]
fn without_a_folder_the_image_itself_is_no_project() {
    let image = image(None);
    let report = audit(image.path(), &[]);
    // The home of `dev` shows that it is in use.
    assert_eq!(report["agents"][0]["agent"], "opencode");
    expect(&report, "unknown", LIVE);
    expect(
        &report,
        "unknown",
        &["SEC-01", "SEC-02", "SEC-03", "WSP-01", "WSP-02", "WSP-03", "INS-01", "PRV-08", "STA-02"],
    );
    assert!(!worst(&report).values().any(|status| matches!(*status, "fail" | "pass")), "{:?}", worst(&report));
}

#[test]
fn an_image_whose_launcher_names_the_account_is_judged_for_that_one() {
    let launcher = "#!/bin/sh\ncd /srv/app\nexec sudo -u agent env -i HOME=/home/agent PATH=/usr/bin:/bin opencode\n";
    let image = image(Some(launcher));
    let report = audit(image.path(), &["/srv/app"]);
    let agent = &report["agents"][0];
    assert_eq!((&agent["user"], &agent["user_source"]), (&"agent".into(), &"launcher".into()));
    // The account's configuration is its own; that of `dev`, which allows everything, is not.
    expect(&report, "pass", &["ENV-01", "USR-01", "USR-02"]);
    expect(&report, "unknown", &["CFG-01", "CFG-09", "LOG-01", "LOG-02", "NET-01", "PRV-03"]);
}
