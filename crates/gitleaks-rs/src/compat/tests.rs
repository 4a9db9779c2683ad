//! Whole scans: what is found, where, and in which form it is reported. Tokens are made here, from parts.

use super::{Commit, Detector, Finding, Options, report};
use crate::config::Config;

const RULES: &str = r#"
[[rules]]
id = "token"
description = "A <token> & more"
regex = '''tok_([a-z0-9]{10})'''
keywords = ["tok_"]
tags = ["t"]
[[rules]]
id = "generic-value"
regex = '''value = "([^"]+)"'''
keywords = ["value"]
[[rules]]
id = "lines"
regex = '''(?s)BEGIN\n.{0,40}?END\n*'''
[[rules]]
id = "file"
path = '''\.p12$'''
[[rules]]
id = "primary"
regex = '''prim[0-9]{4}'''
[[rules.required]]
id = "partner"
withinLines = 1
[[rules]]
id = "partner"
regex = '''part[0-9]{4}'''
keywords = ["never"]
skipReport = true
[[allowlists]]
paths = ['''(?i)^skipped''', '''/vendor/''']
[[allowlists]]
condition = "AND"
paths = ['''^docs/''']
stopwords = ["Aaaa"]
[[allowlists]]
regexTarget = "line"
regexes = ['''#\s*fine''']
"#;

fn detector(rules: &str) -> Detector {
    Detector::new(&Config::parse(rules, "rules.toml").expect("they load")).expect("they compile")
}

/// Rule, lines, columns and secret.
fn shown(findings: &[Finding]) -> Vec<String> {
    findings
        .iter()
        .map(|one| {
            let secret = String::from_utf8_lossy(one.secret.expose()).into_owned();
            let (lines, columns) = ((one.start_line, one.end_line), (one.start_column, one.end_column));
            format!("{} {}-{} {}-{} {secret}", one.rule_id, lines.0, lines.1, columns.0, columns.1)
        })
        .collect()
}

#[test]
fn findings_have_gitleaks_numbers() {
    let detector = detector(RULES);
    for (path, text, expected) in [
        ("a", "tok_abcdefghij\nx tok_0123456789\n", &["token 1-1 1-14 abcdefghij", "token 2-2 4-17 0123456789"][..]),
        // Behind the last newline, and without any.
        ("a", "\n\nx TOK_ tok_abcdefghij", &["token 3-3 9-22 abcdefghij"]),
        ("a", "tok_abcdefghij", &["token 1-1 1-14 abcdefghij"]),
        // Over lines; the newlines at the end do not count.
        ("a", "x\nBEGIN\nab\nEND\n\nx\n", &["lines 2-4 2-4 BEGIN\nab\nEND"]),
        // A value whose secret a surer rule has goes, on the same line only.
        (
            "a",
            "value = \"tok_abcdefghij\"\nvalue = \"abcdefghij\"\n",
            &[
                "token 1-1 10-23 abcdefghij",
                "generic-value 1-1 1-24 tok_abcdefghij",
                "generic-value 2-2 2-21 abcdefghij",
            ],
        ),
        ("a", "value = \"abcdefghij\" tok_abcdefghij\n", &["token 1-1 22-35 abcdefghij"]),
        ("dir/x.p12", "tok_", &["file 0-0 0-0 "]),
        ("a", "prim1234\n\n\npart1234\n", &[]),
        ("a", "\nprim1234\npart1234\n", &["primary 2-2 2-9 prim1234"]),
        ("SKIPPED/a", "tok_abcdefghij", &[]),
        ("x/VENDOR/a", "tok_abcdefghij", &[]),
        ("docs/a", "tok_aaaaefghij tok_abcdefghij", &["token 1-1 16-29 abcdefghij"]),
        (
            "a",
            "tok_abcdefghij # gitleaks:allow\ntok_0123456789 # Fine\ntok_0123456789 # fine\n",
            &["token 2-2 2-15 0123456789"],
        ),
        // On the last line, the whole text before it counts as its line.
        ("a", "gitleaks:allow\ntok_abcdefghij", &[]),
        ("a.zip", "tok_abcdefghij", &[]),
        ("a", "SQLite format 3\0 tok_abcdefghij", &[]),
        ("", "tok_abcdefghij", &["token 1-1 1-14 abcdefghij"]),
        ("a", "\u{212a} tok_abcdefghij \u{fffd}", &["token 1-1 5-18 abcdefghij"]),
    ] {
        assert_eq!(shown(&detector.scan_bytes(path, text.as_bytes())), expected, "{text}");
    }
    assert_eq!(shown(&detector.scan_bytes("a", b"\xff\xfe tok_abcdefghij\xff\n")), ["token 1-1 4-17 abcdefghij"]);
}

#[test]
fn what_is_encoded_is_found_where_it_is_encoded() {
    let detector = detector(RULES);
    let text = "x\nkey: %74%6f%6b_abcdefghij;\nplain tok_0123456789\n";
    let found = detector.scan_bytes("a", text.as_bytes());
    assert_eq!(shown(&found), ["token 3-3 8-21 0123456789", "token 2-2 7-26 abcdefghij"]);
    assert_eq!(found[1].tags, ["t", "decoded:percent", "decode-depth:1"]);
}

#[test]
fn known_findings_are_not_reported_again() {
    let text = b"tok_abcdefghij\ntok_0123456789\n";
    let mut detector = detector(RULES);
    let all = detector.scan_bytes("d/a", text);
    assert_eq!(all[0].fingerprint, "d/a:token:1");
    assert_eq!(detector.ignore("# known\n\nd\\a:token:1\nodd\n"), ["odd"]);
    assert_eq!(detector.scan_bytes("d/a", text), all[1..]);
    detector.baseline(report::json(&all, 0).as_bytes(), "report.json").expect("a report");
    assert_eq!(detector.scan_bytes("d/a", text), []);
    assert_eq!(detector.scan_bytes("d/b", text).len(), 2);
    assert_eq!(detector.scan_bytes("report.json", text), []);
    assert!(detector.baseline(b"{", "x").is_err());
    assert!(detector.baseline(b"[{\"StartLine\": \"1\"}]", "x").is_err());
}

#[test]
fn a_log_gives_findings_with_their_commits() {
    let log = "commit c0ffee\nAuthor: A <a@b>\nDate:   Sat Nov 21 23:58:24 2026 +0000\n\n    why\n\n\
               diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -3 +7,2 @@\n-tok_0123456789\n+one\n+tok_abcdefghij\n";
    let mut all = Vec::new();
    detector(RULES).scan_log(log.as_bytes(), |found| all.extend(found)).expect("it is one");
    assert_eq!(shown(&all), ["token 8-8 2-15 abcdefghij"]);
    let Finding { commit, author, email, date, message, fingerprint, .. } = all.remove(0);
    let commit = Commit { id: commit, author, email, date, message };
    assert_eq!(
        format!("{commit:?} {fingerprint}"),
        "Commit { id: \"c0ffee\", author: \"A\", email: \"a@b\", \
        date: \"2026-11-21T23:58:24Z\", message: \"why\" } c0ffee:x:token:8"
    );
}

#[test]
fn reports_have_gitleaks_form_and_no_secret() {
    let detector = detector(RULES);
    let found = detector.scan_bytes("a,b", b"x tok_abcdefghij\n");
    let reports = [
        report::json(&found, report::ALL),
        report::csv(&found, report::ALL),
        report::sarif(&detector.rules(), &found, report::ALL),
        report::junit(&found, report::ALL),
    ];
    assert!(reports.iter().all(|report| !report.contains("abcdefghij") && report.contains("REDACTED")));
    assert!(
        reports[0].starts_with(
            "[\n {\n  \"RuleID\": \"token\",\n  \"Description\": \"A \\u003ctoken\\u003e \\u0026 more\",\n"
        )
    );
    assert!(reports[0].ends_with("  \"Tags\": [\n   \"t\"\n  ],\n  \"Fingerprint\": \"a,b:token:1\"\n }\n]\n"));
    assert!(reports[1].contains("\ntoken,,\"a,b\",,REDACTED,tok_REDACTED,1,1,3,16,,,,,\"a,b:token:1\",t\n"));
    assert!(reports[3].contains("type=\"A &lt;token&gt; &amp; more\">{&#xA;&#x9;&#34;RuleID&#34;: "));
    assert_eq!((report::json(&[], 100), report::csv(&[], 100)), ("[]\n".to_owned(), String::new()));
}

#[test]
fn windows_find_what_the_whole_text_holds() {
    // The same rule with a keyword that is in every match, and with one that is not.
    let rule = |keyword: &str| {
        let rules =
            format!("[[rules]]\nid = 'r'\nregex = '''[ab]{{0,6}}(?:key|kex)[ab]{{1,5}}'''\nkeywords = [{keyword}]");
        detector(&rules)
    };
    let (windowed, whole) = (rule("'key', 'kex'"), rule("'key', 'kex', 'a', 'b'"));
    let mut seed = 7_u64;
    for _ in 0..2000 {
        let mut text = String::new();
        for _ in 0..40 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            text.push_str(["a", "b", "key", "KEX", "kex", "-", "ab", "\n"][(seed >> 61) as usize]);
        }
        let (one, other) = (windowed.scan_bytes("f", text.as_bytes()), whole.scan_bytes("f", text.as_bytes()));
        assert_eq!(shown(&one), shown(&other), "{text}");
    }
}

#[test]
fn folders_are_walked_in_order_and_no_link_is_followed() {
    let root = std::env::temp_dir().join(format!("gitleaks-rs-walk-{}", std::process::id()));
    std::fs::create_dir_all(root.join("b/vendor")).expect("a folder");
    for (name, text) in
        [("b/2", "tok_abcdefghij"), ("a", "tok_abcdefghij"), ("b/vendor/x", "tok_abcdefghij"), ("empty", "")]
    {
        std::fs::write(root.join(name), text).expect("a file");
    }
    std::os::unix::fs::symlink("a", root.join("link")).expect("a link");
    let found = |options: Options| {
        let config = Config::parse(RULES, "rules.toml").expect("they load");
        let detector = Detector::with(&config, options).expect("they compile");
        let mut all = Vec::new();
        let skipped = detector.scan_dir(&root, |_, found| all.extend(found));
        assert!(skipped.is_empty());
        let strip = |path: &str| path.replace(&format!("{}/", root.display()), "");
        all.iter().map(|one| format!("{}<{}", strip(&one.file), strip(&one.symlink_file))).collect::<Vec<_>>()
    };
    assert_eq!(found(Options::default()), ["a<", "b/2<"]);
    assert_eq!(found(Options { follow_symlinks: true, ..Options::default() }), ["a<", "b/2<", "a<link"]);
    std::fs::remove_dir_all(root).expect("it is ours");
}
