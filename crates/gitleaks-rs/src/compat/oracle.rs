//! Asks the real Gitleaks, where it is installed, and wants the same: reports byte for byte, configurations taken or
//! refused, what is staged, what is known. `benches/compat.sh` does so over whole trees and histories.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use super::{Detector, Finding, Options, report};
use crate::config::Config;

const RULES: &str = r#"
[[rules]]
id = "token"
description = "A <token>, \"quoted\" & more"
regex = '''(?i)tok_([a-zé0-9]{10})'''
keywords = ["tok_"]
tags = ["one", "two"]
[[rules]]
id = "file"
path = '''\.p12$'''
[[rules]]
id = "wide"
regex = '''x[^"]{3}y.z'''
[[allowlists]]
paths = ['''(?i)^skip$''', '''vendor''']
"#;

/// A folder that goes with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("gitleaks-rs-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        Self(folder)
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        let path = self.0.join(name);
        std::fs::write(&path, bytes).expect("a file");
        path.display().to_string()
    }

    fn run(&self, program: &str, arguments: &[&str]) -> Output {
        Command::new(program).args(arguments).current_dir(&self.0).output().expect("it runs")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Whether there is somebody to ask.
#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
fn installed() -> bool {
    let found = Command::new("gitleaks").arg("version").output().is_ok();
    if !found {
        eprintln!("skipped: `gitleaks` is not on PATH");
    }
    found
}

fn detector(rules: &str, path: &str) -> Detector {
    let options = Options { config_path: path.to_owned(), ..Options::default() };
    Detector::with(&Config::parse(rules, path).expect("they load"), options).expect("they compile")
}

/// The findings of a report in JSON, without their order.
fn findings(report: &[u8]) -> Vec<String> {
    let report: Vec<serde_json::Value> = serde_json::from_slice(report).expect("a report");
    let mut all: Vec<String> = report.iter().map(ToString::to_string).collect();
    all.sort();
    all
}

fn folder_findings(detector: &Detector, root: &Path) -> Vec<Finding> {
    let mut all = Vec::new();
    detector.scan_dir(root, |_, found| all.extend(found));
    all
}

#[test]
fn reports_are_the_same_byte_for_byte() {
    if !installed() {
        return;
    }
    let (folder, source) = (Folder::new("reports"), Folder::new("reports-source"));
    let rules = folder.write("rules.toml", RULES);
    source.write("a, \"b\" & <c>\u{2028}.txt", "é\n\t x tok_abcdefgÉij \n");
    let detector = detector(RULES, &rules);
    let found = folder_findings(&detector, &source.0);
    assert_eq!(found.len(), 1);
    for (redact, format, ours) in [
        ("0", "json", report::json(&found, 0)),
        ("100", "json", report::json(&found, 100)),
        ("30", "json", report::json(&found, 30)),
        ("100", "csv", report::csv(&found, 100)),
        ("100", "sarif", report::sarif(&detector.rules(), &found, 100)),
        ("100", "junit", report::junit(&found, 100)),
    ] {
        let (redact_flag, format_flag) = (format!("--redact={redact}"), format!("--report-format={format}"));
        let path = source.0.display().to_string();
        let flags = ["dir", "-c", &rules, &redact_flag, &format_flag, "--report-path=report", &path];
        folder.run("gitleaks", &flags);
        let theirs = std::fs::read_to_string(folder.0.join("report")).expect("a report");
        assert_eq!(ours, theirs, "{format} {redact}");
    }
    let none = Folder::new("reports-none");
    none.write("a", "nothing");
    let flags = ["dir", "-c", &rules, "-f=junit", "-r=report", &none.0.display().to_string()];
    folder.run("gitleaks", &flags);
    assert_eq!(report::junit(&[], 100), std::fs::read_to_string(folder.0.join("report")).expect("a report"));
}

#[test]
fn a_folder_of_oddities_gives_the_same_findings() {
    if !installed() {
        return;
    }
    let (folder, source) = (Folder::new("odd"), Folder::new("odd-source"));
    let rules = folder.write("rules.toml", RULES);
    for (name, bytes) in [
        ("latin", &b"\xe4 tok_0123456789 x\xe4\xf6\xfcy\xffz xab\xc3\xa9y\xc3\xa9z xab\xc3y.z\n\xff tok_abcdefghij"[..]),
        ("no-newline", b"\n\ntok_0123456789"),
        ("gz.txt.gz.md", b"tok_0123456789"),
        ("a.p12", b"tok_0123456789 tok_0123456789\n"),
        ("postscript", b"%! tok_0123456789"),
        ("SKIP", b"tok_0123456789"),
        ("vendored", b"tok_0123456789"),
        ("kelvin", "to\u{212a}_0123456789 tok_\u{212a}\u{212a}\u{212a}\u{212a}012345\n".as_bytes()),
        ("coded", b"a %74ok_0123456789 b\nYSB0b2tfMDEyMzQ1Njc4OSBiIGMgZA==\n746f6b5f303132333435363738397878\\u0020 tok_0123456789"),
        ("crlf", b"one\r\ntok_0123456789\r\n\r\nx"),
    ] {
        source.write(name, bytes);
    }
    let mut long = b"abcdefghi\n".repeat(12_000);
    long.extend_from_slice(b"tok_0123456789\n");
    long.extend_from_slice(&vec![b' '; 140_000]);
    long.extend_from_slice(b" tok_0123456789");
    source.write("long", &long);
    let known = folder.write(".gitleaksignore", format!("{}/crlf:token:2\n", source.0.display()));
    let path = source.0.display().to_string();
    folder.run("gitleaks", &["dir", "-c", &rules, "-f=json", "-r=report", &path]);
    let theirs = std::fs::read(folder.0.join("report")).expect("a report");
    let mut detector = detector(RULES, &rules);
    detector.ignore(&std::fs::read_to_string(known).expect("a text"));
    let ours = folder_findings(&detector, &source.0);
    assert_eq!(findings(report::json(&ours, 0).as_bytes()), findings(&theirs));
    assert!(ours.len() > 10);
}

#[test]
fn what_is_staged_gives_the_same_findings() {
    if !installed() {
        return;
    }
    let (folder, source) = (Folder::new("staged"), Folder::new("staged-source"));
    let rules = folder.write("rules.toml", RULES);
    source.run("git", &["init", "-q"]);
    source.write("a b", "one\ntok_0123456789\n");
    source.write("é\t.p12", "two\n");
    source.run("git", &["add", "."]);
    let identity = ["-c", "user.name=A < B", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"];
    source.run("git", &[&identity[..], &["commit", "-q", "-m", "one commit\n\n  two\n\n\nthree"]].concat());
    source.write("a b", "zero\none\ntok_0123456789\nx tok_abcdefghij");
    source.run("git", &["add", "."]);
    let path = source.0.display().to_string();
    for (flags, log) in [
        (&["--staged"][..], &["diff", "-U0", "--no-ext-diff", "--staged", "."][..]),
        (&["--platform=none"], &["log", "-p", "-U0", "--full-history", "--all", "--diff-filter=tuxdb"]),
    ] {
        let all = [&["git", "-c", &rules, "-f=json", "-r=report"][..], flags, &[&path]].concat();
        folder.run("gitleaks", &all);
        let theirs = std::fs::read(folder.0.join("report")).expect("a report");
        let (mut ours, log) = (Vec::new(), source.run("git", log));
        detector(RULES, &rules).scan_log(log.stdout.as_slice(), |found| ours.extend(found)).expect("a log");
        assert!(!ours.is_empty());
        assert_eq!(findings(report::json(&ours, 0).as_bytes()), findings(&theirs), "{flags:?}");
    }
}

#[test]
fn configurations_are_taken_and_refused_alike() {
    if !installed() {
        return;
    }
    let folder = Folder::new("configs");
    folder.write("empty", "");
    let rule = "[[rules]]\nid = 'a'\nregex = '(a)'\n";
    for (text, loads) in [
        (rule.to_owned(), true),
        (String::new(), true),
        (format!("unknown = 1\n{rule}colour = 2\n[rules.odd]\n"), true),
        (format!("{rule}secretGroup = '1'\nkeywords = 'a,b'\nentropy = 3\ntags = []\n"), true),
        (format!("{rule}SECRETGROUP = 1.9\nSkipReport = 'T'\n"), true),
        (format!("{rule}secretGroup = -1\n"), true),
        ("[rules]\nid = 'a'\npath = 'a'".to_owned(), true),
        (format!("{rule}{rule}"), true),
        (
            format!("{rule}[[rules.allowlists]]\ncondition = 'and'\nregextarget = 'match'\nregexes = ['(?i)a', 'b']"),
            true,
        ),
        (format!("{rule}[rules.allowlist]\nstopwords = 'x'"), true),
        (format!("{rule}[[rules.required]]\nid = 'a'\nwithinLines = 3"), true),
        ("[[rules]]\nid = 7\npath = 'a'".to_owned(), true),
        (format!("{rule}[[allowlists]]\ntargetRules = ['a']\npaths = ['x']"), true),
        ("[[rules]]\nid = 'a'".to_owned(), false),
        ("[[rules]]\nid = ' '\npath = 'a'".to_owned(), false),
        (format!("{rule}secretGroup = 2"), false),
        (format!("{rule}secretGroup = 'x'"), false),
        (format!("{rule}entropy = []"), false),
        (format!("{rule}[[rules.allowlists]]"), false),
        (format!("{rule}[[rules.allowlists]]\ncondition = 'xor'\npaths = ['a']"), false),
        (format!("{rule}[[rules.allowlists]]\nregexTarget = 'Line'\npaths = ['a']"), false),
        (format!("{rule}[rules.allowlist]\npaths = ['a']\n[[rules.allowlists]]\npaths = ['a']"), false),
        (format!("{rule}[[rules.required]]\nid = 'b'"), false),
        (format!("{rule}[[rules.required]]\nwithinLines = 1"), false),
        (format!("{rule}[[allowlists]]\ntargetRules = ['b']\npaths = ['x']"), false),
        ("[extend]\nuseDefault = true\npath = 'x'".to_owned(), false),
        ("[extend]\npath = 'nowhere.toml'".to_owned(), false),
        ("[[rules]]\nid = 'a'\nregex = '(?=a)'".to_owned(), false),
        ("[[rules]]\nid = 'a'\nregex = 'a{1,1001}'".to_owned(), false),
        ("rules = 'x'".to_owned(), false),
        ("[[rules]\n".to_owned(), false),
    ] {
        let path = folder.write("rules.toml", &text);
        let theirs = folder.run("gitleaks", &["dir", "-c", &path, "--exit-code=0", "empty"]).status.success();
        let ours = Config::load(Path::new(&path));
        assert_eq!((ours.is_ok(), theirs), (loads, loads), "{text}\n{ours:?}");
    }
}
