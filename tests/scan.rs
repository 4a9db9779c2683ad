//! `harden scan` on real files, databases and repositories: what it finds, what it says, and that it never says it.

mod fits;
mod planted;

use std::process::{Command, Output, Stdio};

use planted::token;

struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let place = Self { folder: tempfile::tempdir().expect("a folder") };
        place.git(&["init", "--quiet"]);
        place
    }

    fn write(&self, name: &str, text: &str) {
        let file = self.folder.path().join("work").join(name);
        std::fs::create_dir_all(file.parent().expect("a folder")).expect("writable");
        std::fs::write(file, text).expect("writable");
    }

    fn work(&self) -> std::path::PathBuf {
        let work = self.folder.path().join("work");
        std::fs::create_dir_all(&work).expect("writable");
        work
    }

    fn git(&self, args: &[&str]) -> String {
        let mut git = Command::new("git");
        git.args(["-c", "user.name=dev", "-c", "user.email=dev@localhost", "-c", "core.hooksPath=/dev/null"]);
        let done = git.args(args).current_dir(self.work()).env("HOME", self.folder.path()).output().expect("git runs");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        text(&done)
    }

    fn scan(&self, args: &[&str]) -> Output {
        self.scan_with(args, Stdio::null())
    }

    fn scan_with(&self, args: &[&str], input: Stdio) -> Output {
        let output = Command::new(env!("CARGO_BIN_EXE_harden"))
            .arg("scan")
            .args(args)
            .current_dir(self.work())
            .env_clear()
            .env("HOME", self.folder.path())
            .stdin(input)
            .output()
            .expect("harden runs");
        let said = [&output.stdout[..], &output.stderr[..]].concat();
        assert!(!String::from_utf8_lossy(&said).contains(&token()[..12]), "the secret was printed");
        output
    }

    fn found(&self, args: &[&str]) -> Vec<(String, u64, String)> {
        let output = self.scan(&[args, &["-f", "json"]].concat());
        // That of --compat is Gitleaks' own.
        let list: Vec<serde_json::Value> = match args.contains(&"--compat") {
            true => serde_json::from_slice(&output.stdout).map_err(|error| error.to_string()),
            false => fits::findings(&output.stdout).map_err(|error| error.to_string()),
        }
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
        let text = |one: &serde_json::Value, key: &str| one[key].as_str().unwrap_or_default().to_owned();
        list.iter()
            .map(|one| (text(one, "File"), one["StartLine"].as_u64().unwrap_or(0), text(one, "RuleID")))
            .collect()
    }
}

fn pat(file: &str, line: u64) -> (String, u64, String) {
    (file.to_owned(), line, "github-pat".to_owned())
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn a_token_is_found_under_every_carrier() {
    let place = Place::new();
    let token = token();
    place.write("a-plain.env", &format!("# first\nTOKEN={token}\n"));
    place.write("b-nested.jsonl", &format!(r#"{{"out":"{{\"x\":\"done\\n{token}\\n\"}}"}}"#));
    place.write("c-deeper.jsonl", &format!(r#"{{"a":"{{\"b\":\"{{\\\"x\\\":\\\"\\\\n{token}\\\\n\\\"}}\"}}"}}"#));
    let wide: Vec<u8> = format!("key {token} end").encode_utf16().flat_map(u16::to_le_bytes).collect();
    std::fs::write(place.work().join("d-wide.txt"), wide).expect("writable");
    place.write("e-url.txt", &format!("https://host/?next=%2F&t%3D{token}%26x\n"));
    place.write("f-hidden.js", &format!("var a = 'gh\\u0070_{}';\n", &token[4..]));
    let hex: String = format!("the token {token} in hex").bytes().map(|byte| format!("{byte:02x}")).collect();
    place.write("g-hex.txt", &hex);
    let found = place.found(&[]);
    let files =
        ["a-plain.env", "b-nested.jsonl", "c-deeper.jsonl", "d-wide.txt", "e-url.txt", "f-hidden.js", "g-hex.txt"];
    let expected: Vec<_> = files.iter().map(|file| pat(file, if file.starts_with('a') { 2 } else { 1 })).collect();
    assert_eq!(found, expected);
    let table = text(&place.scan(&[]));
    assert!(table.contains("7 secrets") && table.contains("written as escaped"), "{table}");
}

#[test]
fn a_clean_folder_is_clean_and_exit_codes_tell() {
    let place = Place::new();
    place.write("README", "nothing here\n");
    assert_eq!(place.scan(&[]).status.code(), Some(0));
    place.write(".env", &format!("TOKEN={}\n", token()));
    assert_eq!(place.scan(&[]).status.code(), Some(1));
    assert_eq!(place.scan(&["--rules", "missing.toml"]).status.code(), Some(2));
    assert_eq!(place.scan(&["nowhere"]).status.code(), Some(2));
    assert_eq!(place.scan(&["--explain", "github-pta"]).status.code(), Some(2));
}

#[test]
fn histories_and_what_is_staged_are_scanned_and_hooks_are_not_run() {
    let place = Place::new();
    place.write("app/.env", &format!("A=1\nTOKEN={}\n", token()));
    place.git(&["add", "."]);
    assert_eq!(place.found(&["--staged"]), [pat("app/.env", 2)]);
    place.git(&["commit", "--quiet", "-m", "one"]);
    assert_eq!(place.found(&["--staged"]), []);
    place.git(&["tag", "before"]);
    place.write("app/.env", "A=1\n");
    place.git(&["commit", "--quiet", "-am", "two"]);
    place.git(&["config", "core.fsmonitor", "touch ../ran"]);
    assert_eq!(place.found(&[]), []);
    assert_eq!(place.found(&["--history"]), [pat("app/.env", 2)]);
    assert_eq!(place.found(&["--history", "--since", "before"]), []);
    assert!(!place.folder.path().join("ran").exists());
}

#[test]
fn what_a_push_brings_is_what_the_remote_does_not_have() {
    let place = Place::new();
    let commit = |name: &str, text: &str| {
        place.write(name, text);
        place.git(&["add", "."]);
        place.git(&["commit", "--quiet", "-m", name]);
        let head = place.git(&["rev-parse", "HEAD"]);
        head.trim().to_owned()
    };
    let secret = format!("TOKEN={}\n", token());
    let (one, two, three) = (commit("old.env", &secret), commit("new.env", &secret), commit("README", "clean\n"));
    let (none, gone) = ("0".repeat(40), "9".repeat(40));
    let told = place.folder.path().join("told");
    let scan = |lines: &str, args: &[&str]| {
        std::fs::write(&told, lines).expect("writable");
        let output =
            place.scan_with(&[&["--pushed"], args].concat(), std::fs::File::open(&told).expect("there").into());
        (output.status.code(), text(&output).matches(".env").count(), output)
    };
    for (new, old, code, found) in [
        (&three, &none, 1, 2),
        (&three, &gone, 1, 2),
        (&three, &one, 1, 1),
        (&three, &two, 0, 0),
        (&none, &three, 0, 0),
        (&gone, &one, 3, 0),
    ] {
        let (status, secrets, output) = scan(&format!("refs/heads/main {new} refs/heads/main {old}\n"), &[]);
        assert_eq!((status, secrets), (Some(code), found), "{new} {old} {output:?}");
    }
    place.git(&["update-ref", "refs/remotes/origin/other", &one]);
    let fresh = format!("refs/heads/topic {three} refs/heads/topic {none}\n");
    assert_eq!(scan(&fresh, &["--remote", "origin"]).1, 1);
    assert_eq!(scan(&fresh, &["--remote", "https://localhost/other"]).1, 2);
    assert_eq!(scan("", &[]).0, Some(0));
    let (status, _, output) = scan(&format!("{fresh}refs/heads/topic\n"), &[]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(status == Some(2) && said.contains("line 2 of standard input is not"), "{said}");
}

#[test]
fn what_is_accepted_or_known_fails_no_more_and_is_counted() {
    let place = Place::new();
    place.write("a.env", &format!("TOKEN={} # gitleaks:allow\n", token()));
    place.write("b.env", &format!("TOKEN={}\n", token()));
    place.write("c.env", &format!("TOKEN={}\n", token()));
    place.write(".gitleaksignore", "# accepted\nb.env:github-pat:1\n");
    assert_eq!(place.scan(&["-f", "json=../known.json"]).status.code(), Some(1));
    place.write("c.env", &format!("# moved\n\nTOKEN={}\n", token()));
    let output = place.scan(&["--baseline", "../known.json", "-q"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(text(&output).starts_with("no secrets, 1 known, 2 accepted"), "{}", text(&output));
}

#[test]
fn unchanged_files_are_not_read_again_and_appended_ones_only_at_their_end() {
    let place = Place::new();
    let line = "{\"role\":\"tool\",\"text\":\"nothing of note, said at some length to fill the file\"}\n";
    let head = format!("TOKEN={}\n", token());
    place.write("log.jsonl", &(head + &line.repeat(12_000)));
    grow_old();
    assert_eq!(place.found(&[]), [pat("log.jsonl", 1)]);
    let again = text(&place.scan(&["-q"]));
    assert!(again.contains("of them unchanged, 0 bytes read"), "{again}");
    let mut file = std::fs::OpenOptions::new().append(true).open(place.work().join("log.jsonl")).expect("writable");
    std::io::Write::write_all(&mut file, format!("{line}TOKEN={}\n", token()).as_bytes()).expect("writable");
    drop(file);
    assert_eq!(place.found(&[]), [pat("log.jsonl", 1), pat("log.jsonl", 12_003)]);
    assert_eq!(place.found(&["--no-cache"]), [pat("log.jsonl", 1), pat("log.jsonl", 12_003)]);
}

#[test]
fn a_file_that_is_named_is_not_read_again_until_it_changes() {
    let place = Place::new();
    place.write("a.env", &format!("TOKEN={}\n", token()));
    place.write("b.env", "nothing\n");
    grow_old();
    let both = ["a.env", "b.env"];
    assert_eq!(place.found(&both), [pat("a.env", 1)]);
    let again = text(&place.scan(&[&both[..], &["-q"]].concat()));
    assert!(again.contains("2 files, 2 of them unchanged, 0 bytes read"), "{again}");
    place.write("b.env", &format!("\nTOKEN={}\n", token()));
    assert_eq!(place.found(&both), [pat("a.env", 1), pat("b.env", 2)]);
    let other = text(&place.scan(&["--no-cache", "-q", "a.env"]));
    assert!(!other.contains("unchanged"), "{other}");
}

#[test]
fn a_cache_that_was_tampered_with_hides_nothing() {
    let place = Place::new();
    place.write("a.env", &format!("TOKEN={}\n", token()));
    grow_old();
    assert_eq!(place.found(&[]), [pat("a.env", 1)]);
    assert!(text(&place.scan(&["-q"])).contains("of them unchanged"));
    let caches = place.folder.path().join(".cache/harden");
    let cache = std::fs::read_dir(&caches).expect("a cache was kept").next().expect("one").expect("readable").path();
    let mut bytes = std::fs::read(&cache).expect("readable");
    assert!(!bytes.windows(12).any(|part| part == &token().as_bytes()[..12]), "the cache holds the secret");
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(&cache, bytes).expect("writable");
    assert_eq!(place.found(&[]), [pat("a.env", 1)]);
}

#[test]
fn links_are_not_followed() {
    let place = Place::new();
    std::fs::write(place.folder.path().join("outside.env"), format!("TOKEN={}\n", token())).expect("writable");
    std::os::unix::fs::symlink("../outside.env", place.work().join("link.env")).expect("a link");
    std::os::unix::fs::symlink("..", place.work().join("up")).expect("a link");
    assert_eq!(place.found(&[]), []);
}

/// A file that was changed within the last two seconds may change again unseen, and is not remembered.
fn grow_old() {
    std::thread::sleep(std::time::Duration::from_millis(2_300));
}

#[test]
fn gitleaks_own_findings_keep_their_places_and_hide_their_secrets() {
    let place = Place::new();
    place.write("a/.env", &format!("first\nTOKEN={}\n", token()));
    let output = place.scan(&["--compat", "-f", "json"]);
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    let list: Vec<serde_json::Value> = serde_json::from_slice(&output.stdout).expect("a list");
    assert_eq!(list.len(), 1, "{list:?}");
    // Behind the first line Gitleaks counts columns from the line break.
    assert_eq!((&list[0]["StartLine"], &list[0]["StartColumn"]), (&2.into(), &8.into()), "{list:?}");
    assert_eq!(list[0]["Secret"], "REDACTED");
    place.write(".gitleaksignore", list[0]["Fingerprint"].as_str().expect("a fingerprint"));
    assert_eq!(place.scan(&["--compat"]).status.code(), Some(0));
    // What git keeps for itself is left out, as by Gitleaks' own rules.
    place.write(".git/note", &format!("TOKEN={}\n", token()));
    assert_eq!(place.scan(&["--compat"]).status.code(), Some(0));
    assert_eq!(place.scan(&["--compat", "--history", "--staged"]).status.code(), Some(2));
}

/// A history with all that makes a log hard to read: names in quotes, a file renamed and changed, a merge, what
/// attributes call binary, a name that the mail map corrects.
fn odd_history() -> Place {
    let place = Place::new();
    place.write("b.txt", &format!("TOKEN={}\n", token()));
    place.write("\u{e9} \t\"x\".txt", &format!("one\nTOKEN={}\n", token()));
    place.git(&["add", "."]);
    place.git(&["commit", "--quiet", "-m", &format!("quotes {}", token())]);
    place.git(&["branch", "side"]);
    place.git(&["mv", "b.txt", "c.txt"]);
    place.write("c.txt", &format!("TOKEN={}\nmore\n", token()));
    place.git(&["commit", "--quiet", "-am", "renamed and changed"]);
    place.git(&["checkout", "--quiet", "side"]);
    place.write("d.dat", &format!("TOKEN={}\n", token()));
    place.write("e.txt", &format!("a\nb\nTOKEN={}", token()));
    place.git(&["add", "."]);
    place.git(&["commit", "--quiet", "-m", "on the side\n\nwith more"]);
    place.git(&["checkout", "--quiet", "-"]);
    place.git(&["merge", "--quiet", "--no-edit", "side"]);
    place.write(".gitattributes", "*.dat binary\n*.txt diff=odd\n");
    place.write(".mailmap", "Somebody <somebody@localhost> <dev@localhost>\n");
    place
}

/// What `--compat` finds in the log that git writes.
fn piped(place: &Place) -> Vec<serde_json::Value> {
    let log = Command::new("git")
        .args(["log", "-p", "-U0", "--full-history", "--all", "--diff-filter=tuxdb"])
        .current_dir(place.work())
        .output()
        .expect("git runs");
    let mut child = Command::new(env!("CARGO_BIN_EXE_harden"))
        .args(["scan", "--compat", "--log", "-f", "json"])
        .current_dir(place.work())
        .env_clear()
        .env("HOME", place.folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("harden runs");
    std::io::Write::write_all(&mut child.stdin.take().expect("a pipe"), &log.stdout).expect("written");
    let output = child.wait_with_output().expect("it ends");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(!said.contains(&token()[..12]), "the secret was printed");
    serde_json::from_str(&said).expect("a list")
}

#[test]
fn a_history_is_scanned_as_gitleaks_does_and_nothing_of_the_repository_runs() {
    let place = odd_history();
    let log = piped(&place);
    let names: Vec<_> = log.iter().map(|one| one["File"].as_str().expect("a name")).collect();
    for (name, there) in [("b.txt", true), ("c.txt", false), ("d.dat", false), ("e.txt", true)] {
        assert_eq!(names.contains(&name), there, "{name} {names:?}");
    }
    assert!(names.iter().any(|name| name.ends_with("\t\"x\".txt")), "{names:?}");
    let first = log.iter().find(|one| one["File"] == "b.txt").expect("it was looked for");
    assert!(first["Fingerprint"].as_str().expect("one").ends_with(":b.txt:github-pat:1"), "{log:?}");
    assert_eq!(first["Email"], "somebody@localhost");
    // All that would have git run something, or write another log.
    place.git(&["config", "core.fsmonitor", "touch ../ran"]);
    place.git(&["config", "core.pager", "touch ../ran"]);
    place.git(&["config", "diff.odd.textconv", "touch ../ran"]);
    place.git(&["config", "diff.odd.command", "touch ../ran"]);
    place.git(&["config", "diff.external", "touch ../ran"]);
    place.git(&["config", "log.showSignature", "true"]);
    place.git(&["config", "gpg.program", "../run"]);
    place.git(&["config", "diff.noprefix", "true"]);
    let output = place.scan(&["--compat", "--history", "-f", "json"]);
    let own: Vec<serde_json::Value> = serde_json::from_slice(&output.stdout).expect("a list");
    assert_eq!(own, log);
    assert_eq!(output.status.code(), Some(1));
    assert!(!place.folder.path().join("ran").exists());
    assert_eq!(place.found(&["--compat", "--history", "--since", "HEAD"]), []);
    // What is no plain file among the objects could keep git waiting, or lead it elsewhere.
    let pipe = place.work().join(".git/objects/pack/pack-0.idx");
    assert!(Command::new("mkfifo").arg(&pipe).status().expect("it runs").success());
    assert_eq!(place.scan(&["--compat", "--history"]).status.code(), Some(2));
    std::fs::remove_file(pipe).expect("there");
    let attributes = place.work().join("sub/.gitattributes");
    std::fs::create_dir_all(place.work().join("sub")).expect("writable");
    assert!(Command::new("mkfifo").arg(&attributes).status().expect("it runs").success());
    assert_eq!(place.found(&["--compat", "--history"]).len(), log.len());
    // A bare repository has no attributes: what they call binary is searched there.
    place.git(&["clone", "--quiet", "--bare", ".", "../bare"]);
    let bare = place.scan(&["--compat", "--history", "-f", "json", "../bare"]);
    assert_eq!(serde_json::from_slice::<Vec<serde_json::Value>>(&bare.stdout).expect("a list").len(), log.len() + 1);
}

#[test]
fn borrowed_objects_are_refused_with_the_pipe_that_takes_them() {
    let place = odd_history();
    place.git(&["clone", "--quiet", "--shared", ".", "../shared"]);
    let output = place.scan(&["--compat", "--history", "../shared"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{said}");
    for part in ["borrows objects", "git -C '../shared' log -p -U0", "harden scan --compat --log"] {
        assert!(said.split_whitespace().collect::<Vec<_>>().join(" ").contains(part), "{part}: {said}");
    }
}

#[test]
fn a_report_without_lines_is_matched_by_hashes_also_where_no_key_can_be_kept() {
    let place = Place::new();
    place.write("a.env", &format!("TOKEN={}\n", token()));
    let source = r#"{"Filesystem":{"file":"a.env"}}"#;
    let report = format!(r#"{{"SourceMetadata":{{"Data":{source}}},"DetectorName":"Github","Raw":"{}"}}"#, token());
    place.write("report.json", &report);
    let output = Command::new(env!("CARGO_BIN_EXE_harden"))
        .args(["scan", "--no-cache", "--import", "report.json", "-f", "json", "a.env"])
        .current_dir(place.work())
        .env_clear()
        .env("HOME", "/dev/null")
        .output()
        .expect("harden runs");
    let list: Vec<serde_json::Value> = serde_json::from_slice(&output.stdout).expect("a list");
    assert_eq!(list.len(), 1, "one secret, twice: {list:?}");
    assert_eq!(list[0]["Also"], serde_json::json!(["trufflehog"]));
}

#[test]
fn what_other_scanners_find_stands_beside_what_this_one_finds() {
    let place = Place::new();
    place.write("a.env", &format!("TOKEN={}\n", token()));
    let report = format!(
        r#"{{"SourceMetadata":{{"Data":{{"Filesystem":{{"file":"a.env","line":1}}}}}},"DetectorName":"Github","Verified":true,"Raw":"{}"}}
           {{"SourceMetadata":{{"Data":{{"Filesystem":{{"file":"b.env","line":4}}}}}},"DetectorName":"Odd","Verified":false,"Raw":"hunter2"}}"#,
        token()
    );
    let file = place.folder.path().join("report.json");
    std::fs::write(&file, report).expect("writable");
    let file = file.to_str().expect("a path");
    let output = place.scan(&["--import", file]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("also trufflehog: live") && said.contains("Odd") && !said.contains("hunter2"), "{said}");
    assert_eq!(place.found(&["--import", file]).len(), 2);
    place.write("broken.json", "{\"RuleID\": hunter2");
    let output = place.scan(&["--import", "broken.json"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2));
    assert!(said.contains("line 1 is no JSON") && !said.contains("hunter2"), "{said}");
}

#[test]
fn a_waiver_means_the_file_that_an_audit_means_wherever_the_scan_starts() {
    let place = Place::new();
    place.write("app/.env", &format!("TOKEN={}\n", token()));
    place.write("other/.env", &format!("# first\nTOKEN={}\n", token()));
    place.git(&["add", "."]);
    place.git(&["commit", "--quiet", "-m", "one"]);
    let commit = place.git(&["rev-parse", "HEAD"]).trim().to_owned();
    let work = place.work().canonicalize().expect("there").display().to_string();
    let scan = |check: &str, subject: &str, args: &[&str]| {
        let waiver = format!("check: {check}, subject: \"{subject}\", reason: r, owner: o, expires: 2999-01-01");
        let profile = format!("profile: own\ndescription: d\nextends: baseline\nwaivers:\n  - {{ {waiver} }}\n");
        std::fs::write(place.folder.path().join("own.yaml"), profile).expect("writable");
        let output = place.scan(&[&["--profile", "../own.yaml", "-f", "json"], args].concat());
        let list: Vec<serde_json::Value> = serde_json::from_slice(&output.stdout).expect("a list");
        let open = list.iter().filter(|one| one["Standing"] == "open").count();
        (open, String::from_utf8_lossy(&output.stderr).contains("covers no failing finding"))
    };
    let (full, of_commit) = (format!("{work}/app/.env"), format!("{commit}:app/.env"));
    for (check, subject, args, open, unused) in [
        ("SEC-01", "app/.env", &[][..], 1, false),
        ("secret-in-project", "app/.env", &[], 1, false),
        ("github-pat", full.as_str(), &[], 1, false),
        // From elsewhere, where the report's own paths begin at what was named.
        ("SEC-01", "app/.env", &["../work"], 1, false),
        ("SEC-01", full.as_str(), &[work.as_str()], 1, false),
        ("SEC-01", "app/.env", &["app"], 0, false),
        ("SEC-01", "app/.env", &["app/.env", "other"], 1, false),
        ("SEC-01", "other/.env", &["app"], 1, false),
        // Both are called `.env` in the report.
        ("SEC-01", "app/.env", &["app", "other"], 1, false),
        ("SEC-01", "gone.env", &[], 2, true),
        ("SEC-01", "gone.env", &["app"], 1, false),
        ("STA-06", "app/.env", &[], 2, false),
        ("aws-access-token", "app/.env", &[], 2, true),
        ("SEC-01", "app/.env", &["--history"], 1, false),
        ("SEC-01", of_commit.as_str(), &["--history"], 1, false),
        ("SEC-01", &format!("{}:app/.env", "0".repeat(40)), &["--history"], 2, true),
        ("SEC-01", "gone.env", &["--staged"], 0, false),
    ] {
        assert_eq!(scan(check, subject, args), (open, unused), "{check} {subject} {args:?}");
    }
}

#[test]
fn what_is_the_matter_with_waivers_is_said_once() {
    let place = Place::new();
    place.write("a.env", &format!("TOKEN={}\n", token()));
    let soon = "check: SEC-01, subject: a.env, reason: r, owner: o, expires: 2999-01-01";
    let waivers = [
        soon,
        "check: SEC-01, subject: gone.env, reason: r, owner: o, expires: 2999-01-01",
        "check: SEC-01, reason: r, owner: o, expires: 2001-01-01",
        "check: github-pta, reason: r, owner: o, expires: 2999-01-01",
        "check: SEC-01, owner: o, expires: 2999-01-01",
        // Of another check: nothing that this scan could tell.
        "check: MCP-03, reason: r, owner: o, expires: 2999-01-01",
    ];
    let waivers: String = waivers.iter().map(|waiver| format!("  - {{ {waiver} }}\n")).collect();
    let profile = format!("profile: own\ndescription: d\nextends: baseline\nwaivers:\n{waivers}");
    std::fs::write(place.folder.path().join("own.yaml"), profile).expect("writable");
    let output = place.scan(&["--profile", "../own.yaml"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{said}");
    for part in ["for `gone.env`: covers no failing finding", "expired on 2001-01-01", "did you mean `github-pat`?"] {
        assert_eq!(said.matches(part).count(), 1, "{part}: {said}");
    }
    assert_eq!(said.matches("malformed, and so not applied").count(), 1, "{said}");
    assert_eq!(said.matches("warning: waiver of").count(), 4, "{said}");
}

/// A zip of one member that is not compressed.
fn zip(name: &str, flags: u16, bytes: &[u8]) -> Vec<u8> {
    let mut out = b"PK\x03\x04\x14\0".to_vec();
    out.extend(flags.to_le_bytes());
    out.extend([0; 10]);
    let size = u32::try_from(bytes.len()).expect("it is small").to_le_bytes();
    out.extend([size, size].concat());
    out.extend(u16::try_from(name.len()).expect("it is short").to_le_bytes());
    out.extend([0; 2]);
    [&out, name.as_bytes(), bytes, b"PK\x05\x06", &[0; 18]].concat()
}

#[test]
fn archives_are_read_inside_and_remembered() {
    let place = Place::new();
    place.write("app/.env", &format!("A=1\nTOKEN={}\n", token()));
    place.write("app/docs/more.txt", "nothing\n");
    place.git(&["add", "."]);
    place.git(&["commit", "--quiet", "-m", "one"]);
    for name in ["a.zip", "b.tar.gz", "c.tar"] {
        place.git(&["archive", "-o", name, "HEAD"]);
    }
    let outer = std::fs::read(place.work().join("a.zip")).expect("it was written");
    std::fs::write(place.work().join("d.jar"), zip("lib/a.zip", 0, &outer)).expect("writable");
    std::fs::remove_dir_all(place.work().join("app")).expect("it is there");
    let inside = |archive: &str| pat(&format!("{archive}!app/.env"), 2);
    let expected = [inside("a.zip"), inside("b.tar.gz"), inside("c.tar"), inside("d.jar!lib/a.zip")];
    for time in ["first", "again"] {
        assert_eq!(place.found(&[]), expected, "{time}");
    }
    let table = text(&place.scan(&["--no-cache"]));
    assert!(table.contains("d.jar!lib/a.zip!app/.env:2:7") && table.contains("8 in archives"), "{table}");
    let shallow = place.scan(&["--max-archive-depth", "1"]);
    assert!(text(&shallow).contains("d.jar!lib/a.zip: archives are read to a depth of 1"), "{}", text(&shallow));
    // Without that they are the bytes that they are, and only what is compressed hides something.
    let outside = place.found(&["--no-cache", "--max-archive-depth", "0"]);
    assert_eq!(outside.iter().map(|(file, ..)| file.as_str()).collect::<Vec<_>>(), ["a.zip", "c.tar", "d.jar"]);
}

#[test]
fn what_is_not_read_of_an_archive_is_said_each_time() {
    let place = Place::new();
    let bytes = zip("a\u{1b}[2J\r\n/../../x.env", 1, b"noise");
    std::fs::write(place.work().join("locked.zip"), bytes).expect("writable");
    for _ in 0..2 {
        let output = place.scan(&[]);
        assert_eq!(output.status.code(), Some(3), "{}", text(&output));
        let said = text(&output);
        assert!(said.contains("x.env: it is encrypted, so it was not read"), "{said}");
        assert!(!said.contains('\u{1b}') && said.contains("locked.zip!a"), "{said:?}");
    }
    assert_eq!(place.scan(&["--allow-unknown"]).status.code(), Some(0));
    assert_eq!(place.scan(&["locked.zip"]).status.code(), Some(3));
}

/// A terminal: what a program sees of it, and what whoever looks at it does.
fn terminal() -> (std::fs::File, std::fs::File) {
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    let screen = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
    grantpt(&screen).and_then(|()| unlockpt(&screen)).expect("a terminal");
    let name = ptsname(&screen, Vec::new()).expect("a name").into_string().expect("plain letters");
    let open = std::fs::OpenOptions::new().read(true).write(true).open(name).expect("it is there");
    (open, screen.into())
}

#[test]
fn how_far_a_long_scan_is_stands_on_a_terminal_and_is_gone_at_the_end() {
    use std::io::{Read as _, Write as _};
    let place = Place::new();
    let (theirs, mut screen) = terminal();
    let mut harden = Command::new(env!("CARGO_BIN_EXE_harden"));
    harden.args(["scan", "--stdin", "-f", "json=out.json"]).current_dir(place.work()).env_clear();
    harden.env("HOME", place.folder.path()).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(theirs);
    let mut running = harden.spawn().expect("harden runs");
    drop(harden);
    let mut input = running.stdin.take().expect("it was asked for");
    input.write_all(&b"nothing\n".repeat(1 << 18)).expect("it reads");
    let mut seen = Vec::new();
    let mut part = [0; 4096];
    // What it reads it has not all at first: only its own clock makes it say so.
    while !String::from_utf8_lossy(&seen).contains("MiB, ") {
        let count = screen.read(&mut part).expect("the terminal is open");
        seen.extend_from_slice(&part[..count]);
    }
    drop(input);
    while let Ok(count @ 1..) = screen.read(&mut part) {
        seen.extend_from_slice(&part[..count]);
    }
    let seen = String::from_utf8_lossy(&seen);
    assert!(seen.starts_with("\rscanning … ") && seen.contains(" s\u{1b}[K"), "{seen:?}");
    let (_, end) = seen.rsplit_once("\r\u{1b}[K").expect("it is erased");
    assert_eq!(end, "no secrets · standard input\r\n", "{seen:?}");
    assert!(running.wait().expect("it ran").success());
    // Where nobody looks, nothing is drawn: that of the other tests is a pipe, and they compare what is said.
}
