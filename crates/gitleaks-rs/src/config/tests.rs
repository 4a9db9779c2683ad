//! What loads, what does not and where it says so, and how a base and its extension become one.

use std::path::Path;

use super::{Condition, Config, Target};

fn error(text: &str) -> String {
    Config::parse(text, "rules.toml").expect_err(text).to_string()
}

#[test]
fn every_mistake_has_its_line() {
    let rule = "\n[[rules]]\nid = \"a\"\nregex = 'a'\n";
    for (text, expected) in [
        ("title = \"x\"\n[[rules]\n", "rules.toml:2: not TOML: "),
        ("title = \"x\"\n\nrules = 3", "rules.toml:3: `rules` takes a list of tables, not a number"),
        ("rules = [1]", "rules.toml:1: `rules` takes a table, not a number"),
        ("[[rules]]\nid = []", "rules.toml:2: `id` takes a string, not a list"),
        ("[[rules]]\nid = 'a'\nentropy = 'high'", "rules.toml:3: `entropy` takes a number, not a string"),
        ("[[rules]]\nid = 'a'\nskipReport = 'si'", "rules.toml:3: `skipReport` takes true or false, not a string"),
        (
            "[[rules]]\nid = 'a'\nsecretGroup = 99999999999999999999",
            "rules.toml:3: `secretGroup` takes a number, not one",
        ),
        ("extend = 'x'", "rules.toml:1: `extend` takes a table, not a string"),
        ("\nminVersion = 'soon'", "rules.toml:2: minVersion `soon` is not a version such as 8.25.0"),
        ("\n[[rules]]\nregex = 'a'", "rules.toml:2: a rule without an `id`"),
        ("[[rules]]\nid = \"  \"\nregex = 'a'", "rules.toml:1: a rule without an `id`"),
        ("\n\n[[rules]]\nid = 'a'", "rules.toml:3: rule `a` has neither `regex` nor `path`, so it finds nothing"),
        (
            "[[rules]]\nid = 'a'\nregex = 'a(b'",
            "rules.toml:3: rule `a`: `regex` is no expression that Go takes: error parsing regexp: missing closing ): `a(b`",
        ),
        (
            "[[rules]]\nid = 'a'\npath = '*'",
            "rules.toml:3: rule `a`: `path` is no expression that Go takes: error parsing ",
        ),
        (
            "[[rules]]\nid = 'a'\nregex = '(a)'\n\nsecretGroup = 2",
            "rules.toml:5: rule `a`: secretGroup is 2, and its regex has 1",
        ),
        (
            &format!("{rule}[[rules.allowlists]]\ncondition = 'XOR'\nstopwords = ['x']"),
            "rules.toml:6: rule `a`: condition `XOR` is neither AND nor OR",
        ),
        (
            "[[allowlists]]\nregexTarget = 'file'\nregexes = ['x']",
            "rules.toml:2: [[allowlists]]: regexTarget `file` is neither secret, match nor line",
        ),
        (
            &format!("{rule}[rules.allowlist]\nstopwords = ['x']\n[[rules.allowlists]]\nstopwords = ['x']"),
            "rules.toml:5: rule `a`: the old [allowlist] cannot stand beside [[allowlists]]; move it there",
        ),
        (
            "[allowlist]\nstopwords = ['x']\n[[allowlists]]\nstopwords = ['x']",
            "rules.toml:1: [[allowlists]]: the old [allowlist] cannot stand beside [[allowlists]]; move it there",
        ),
        (
            "[[allowlists]]\ndescription = 'x'",
            "rules.toml:1: [[allowlists]]: an allowlist needs commits, paths, regexes or stopwords",
        ),
        (&format!("{rule}[[rules.allowlists]]\npaths = ['(']"), "rules.toml:6: rule `a`: `paths` is no expression "),
        ("[allowlist]\nregexes = ['a', '[']", "rules.toml:2: [[allowlists]]: `regexes` is no expression that Go takes"),
        (
            &format!("{rule}[[rules.required]]\nwithinLines = 3"),
            "rules.toml:5: rule `a` requires a rule without an `id`",
        ),
        (
            &format!("{rule}[[rules.required]]\nid = 'other'"),
            "rules.toml:5: rule `a` requires `other`, which is not in this file",
        ),
        (
            &format!("{rule}[[rules.required]]\nid = 'a'\nwithinLines = -1"),
            "rules.toml:7: `withinLines` takes a number, not one below 0, which nothing is within",
        ),
        (
            &format!("{rule}[[allowlists]]\ntargetRules = ['A']\nstopwords = ['x']"),
            "rules.toml:5: an allowlist targets rule `A`, which does not exist",
        ),
        (
            "[extend]\npath = 'x'\nuseDefault = true",
            "rules.toml:3: extend.path and extend.useDefault are both set; a config has one base",
        ),
        (
            "[extend]\npath = 'x'",
            "rules.toml:2: extend.path `x`: only a configuration that is itself a file extends files",
        ),
    ] {
        let said = error(text);
        assert!(said.starts_with(expected), "{text}\n  {said}\n  {expected}");
    }
}

#[test]
fn what_gitleaks_ignores_is_a_warning_with_the_nearest_name() {
    let text = "titel = 'x'\nminVersion = 'v9.0.0'\n[extend]\nurl = 'x'\n[[rules]]\nid = 'a'\nregexp = 'a'\nregex = 'a'\n\
                Keywords = ['']\n[[rules]]\nid = 'a'\nregex = 'b'\ncolour = 1\nREGEX = 'c'\nsecretGroup = -1\n\
                [[rules.allowlists]]\nstopword = 'x'\nstopwords = ['X']";
    let config = Config::parse(text, "c").expect("it loads");
    assert_eq!(
        config.warnings,
        [
            "c:1: unknown key `titel` is ignored; did you mean `title`?",
            "c:2: it asks for Gitleaks v9.0.0; this is 8.30.1",
            "c:4: extend.url is not followed, here as in Gitleaks",
            "c:7: unknown key `regexp` is ignored; did you mean `regex`?",
            "c:9: an empty keyword never occurs",
            "c:10: rule `a` is here once more; only this one counts",
            "c:12: `regex` is `REGEX` once more; Gitleaks takes either of them",
            "c:13: unknown key `colour` is ignored",
            "c:15: a secretGroup below 0 is the same as none",
            "c:17: unknown key `stopword` is ignored; did you mean `stopwords`?",
        ]
    );
    assert_eq!(config.rules.len(), 1);
}

#[test]
fn all_keys_are_read_in_any_case_and_converted_as_viper_does() {
    let text = "TITLE = 'x'\nDescription = 5\n[[Rules]]\nID = 'a'\nRegex = '(a)(b)'\nPATH = 'p'\nsecretgroup = '2'\n\
                ENTROPY = 3\nkeywords = 'AB,\u{212a}'\ntags = ['t']\nskipreport = 1\nexamples = ['e']\nnegatives = ['n']\n\
                rotate = 'there'\n[[Rules.Required]]\nid = 'b'\nWithinLines = 5\nwithincolumns = '7'\n\
                [Rules.AllowList]\ndescription = 'd'\nCondition = '&&'\ncommits = [' AbC ']\npaths = ['p']\n\
                regextarget = 'line'\nregexes = ['r']\nstopWords = ['S']\n[[Rules]]\nid = 'b'\npath = 'x'\n\
                [Allowlist]\nstopwords = ['g']";
    let config = Config::parse(text, "c").expect("it loads");
    assert_eq!(config.warnings, Vec::<String>::new());
    assert_eq!((config.title.as_str(), config.description.as_str()), ("x", "5"));
    let rule = &config.rules[0];
    assert_eq!((rule.id.as_str(), rule.regex.as_deref(), rule.path.as_deref()), ("a", Some("(a)(b)"), Some("p")));
    assert_eq!((rule.secret_group, rule.entropy, rule.skip_report), (2, 3.0, true));
    assert_eq!((rule.keywords.join(" "), rule.tags.join(" ")), ("ab k".to_owned(), "t".to_owned()));
    assert_eq!((rule.examples.join(" "), rule.negatives.join(" ")), ("e".to_owned(), "n".to_owned()));
    assert_eq!(rule.rotate.as_deref(), Some("there"));
    let required = &rule.required[0];
    assert_eq!((required.id.as_str(), required.within_lines, required.within_columns), ("b", Some(5), Some(7)));
    let list = &rule.allowlists[0];
    assert_eq!((list.description.as_str(), list.condition, list.target), ("d", Condition::All, Target::Line));
    assert_eq!(
        (list.commits.join(""), list.paths.join(""), list.regexes.join("")),
        ("abc".into(), "p".into(), "r".into())
    );
    assert_eq!(list.stopwords, ["s"]);
    assert_eq!(config.allowlists[0].stopwords, ["g"]);
}

/// Files in a folder of their own.
fn folder(files: &[(&str, &str)]) -> std::path::PathBuf {
    static NEXT: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
    let number = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let folder = std::env::temp_dir().join(format!("gitleaks-rs-config-{}-{number}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    for (name, text) in files {
        std::fs::write(folder.join(name), text).expect("a file");
    }
    folder
}

#[test]
fn an_extension_overrides_what_it_sets_and_adds_the_rest() {
    let base = "[[rules]]\nid = 'b'\ndescription = 'base'\nregex = '(b)'\nentropy = 1.0\ntags = ['1']\nkeywords = ['x']\n\
                skipReport = true\n[[rules.required]]\nid = 'z'\n[[rules.allowlists]]\nstopwords = ['base']\n\
                [[rules]]\nid = 'z'\npath = 'z'\n[[rules]]\nid = 'gone'\npath = 'gone'\n\
                [[allowlists]]\npaths = ['base']\n[[allowlists]]\ntargetRules = ['z']\npaths = ['lost']\n\
                [extend]\npath = 'deep.toml'";
    let own = "[extend]\npath = 'base.toml'\ndisabledRules = ['gone', 'zz']\n[[rules]]\nid = 'b'\nsecretGroup = 1\n\
               tags = ['2']\nkeywords = ['y']\n[[rules.required]]\nid = 'c'\n[[rules.allowlists]]\nstopwords = ['own']\n\
               [[rules]]\nid = 'c'\nregex = 'c'\n[[allowlists]]\npaths = ['own']\n\
               [[allowlists]]\ntargetRules = ['d']\nstopwords = ['targeted']";
    let deep = "[[rules]]\nid = 'd'\nregex = 'd'\n[extend]\npath = 'deeper.toml'";
    let files = [("own.toml", own), ("base.toml", base), ("deep.toml", deep), ("deeper.toml", "[[rules]]\nid = 'e'")];
    let folder = folder(&files);
    let config = Config::load(&folder.join("own.toml")).expect("it loads");
    assert_eq!(config.rules.iter().map(|rule| rule.id.as_str()).collect::<Vec<_>>(), ["b", "c", "d", "z"]);
    let merged = &config.rules[0];
    assert_eq!((merged.description.as_str(), merged.regex.as_deref(), merged.secret_group), ("base", Some("(b)"), 1));
    assert_eq!((merged.entropy, merged.skip_report, merged.required[0].id.as_str()), (1.0, true, "z"));
    assert_eq!((merged.tags.join(" "), merged.keywords.join(" ")), ("1 2".to_owned(), "x y".to_owned()));
    let words: Vec<&str> = merged.allowlists.iter().flat_map(|list| &list.stopwords).map(String::as_str).collect();
    assert_eq!(words, ["base", "own"]);
    assert_eq!(config.allowlists.iter().map(|list| list.paths.join("")).collect::<Vec<_>>(), ["own", "base"]);
    assert_eq!(config.rules[2].allowlists[0].stopwords, ["targeted"]);
    assert!(config.rules[3].allowlists.is_empty());
    let warnings = config.warnings.join("\n").replace(&format!("{}/", folder.display()), "");
    assert_eq!(
        warnings,
        "own.toml:2: disabledRules names `zz`, which the base does not have; did you mean `z`?\n\
         base.toml:21: an allowlist with targetRules counts only in the configuration that is loaded itself\n\
         deep.toml:5: extends one too many: the third in a chain is not followed"
    );
    std::fs::remove_dir_all(folder).expect("it is ours");
}

#[test]
fn a_base_that_cannot_be_loaded_is_named_with_its_own_line() {
    let own = "title = 'x'\n[extend]\npath = 'base.toml'";
    let folder =
        folder(&[("own.toml", own), ("base.toml", "\n[[rules]"), ("none.toml", "[extend]\npath = 'nowhere.toml'")]);
    let shown = |name: &str| {
        let error = Config::load(&folder.join(name)).expect_err("it does not load").to_string();
        error.replace(&format!("{}/", folder.display()), "")
    };
    assert!(
        shown("own.toml").starts_with("own.toml:3: cannot extend `base.toml`: base.toml:2: not TOML: "),
        "{}",
        shown("own.toml")
    );
    assert!(
        shown("none.toml").starts_with("none.toml:2: cannot extend `nowhere.toml`: nowhere.toml: cannot read it: ")
    );
    assert!(Config::load(Path::new("/dev/zero")).expect_err("no file").to_string().contains("not a file"));
    std::fs::remove_dir_all(folder).expect("it is ours");
}

#[test]
fn the_embedded_rules_load_without_a_warning_and_serve_as_a_base() {
    let embedded = Config::parse(super::EMBEDDED, "rules.toml").expect("they load");
    assert_eq!(embedded.warnings, Vec::<String>::new());
    assert_eq!(embedded, Config::embedded());
    let id = &embedded.rules[0].id;
    let text = format!("[extend]\nuseDefault = true\ndisabledRules = ['{id}']\n[[rules]]\nid = 'own'\nregex = 'own'");
    let config = Config::parse(&text, "own.toml").expect("it loads");
    assert_eq!(config.rules.len(), embedded.rules.len());
    assert!(config.rules.iter().all(|rule| rule.id != *id));
}

#[test]
fn hostile_configurations_end() {
    for text in [
        "[".repeat(100_000),
        "a=".to_owned() + &"[".repeat(100_000),
        "a.".repeat(50_000) + "b=1",
        "[[rules]]\nregex='''".to_owned() + &"(".repeat(1_000_000),
        format!("[[rules]]\nid='a'\nregex='''{}'''", "(".repeat(100_000) + &")".repeat(100_000)),
        "[[rules]]\n".repeat(20_000),
        format!("{}=1\n", "x".repeat(1_000_000)),
        "\0\u{feff}".to_owned(),
    ] {
        let _ = Config::parse(&text, "hostile");
    }
}

/// By hand: `GITLEAKS_TOML=path cargo test --release -p gitleaks-rs by_hand -- --ignored --nocapture`.
#[test]
#[ignore = "needs a file that is not part of the repository"]
#[expect(clippy::print_stderr, reason = "run by hand, for these lines")]
fn a_foreign_configuration_loads_by_hand() {
    let path = std::env::var("GITLEAKS_TOML").expect("the path of a configuration");
    let text = std::fs::read_to_string(&path).expect("a text");
    let start = std::time::Instant::now();
    let config = Config::parse(&text, &path).unwrap_or_else(|error| panic!("{error}"));
    let checked = start.elapsed();
    let start = std::time::Instant::now();
    let own = Config::embedded();
    let embedded = start.elapsed();
    let start = std::time::Instant::now();
    let draft = super::extend::read(&text, &path, super::extend::Files::Refused, 0).expect("as above");
    let read = start.elapsed();
    super::extend::finish(draft, super::extend::Trust::Expressions).expect("as above");
    let start = std::time::Instant::now();
    let patterns = config.rules.iter().filter_map(|rule| rule.regex.as_ref());
    let compiled: Vec<_> = patterns.map(|regex| crate::go_regex::Regex::new(regex).expect("it compiles")).collect();
    eprintln!(
        "{} rules: {read:?} read, {checked:?} with all expressions; {} compiled in {:?}",
        config.rules.len(),
        compiled.len(),
        start.elapsed()
    );
    eprintln!("embedded: {} rules in {embedded:?}; warnings {:?}", own.rules.len(), config.warnings);
}
