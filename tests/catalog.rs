//! Asks the lists themselves whether they are complete.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::Arc;

use harden::catalog::{self, Types};
use harden::facts::PROBES;
use harden::model::{Check, Reach};

fn checks() -> BTreeMap<String, Arc<Check>> {
    catalog::checks(&Types::default()).unwrap_or_else(|error| panic!("{error}: {}", error.help))
}

fn top() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn every_check_has_a_passing_and_a_failing_case() {
    for id in checks().keys() {
        let folder = top().join("fixtures/checks").join(id);
        let cases: Vec<String> = fs::read_dir(&folder)
            .unwrap_or_else(|_| panic!("{id}: add {}", folder.display()))
            .map(|entry| entry.expect("readable").file_name().to_string_lossy().into_owned())
            .collect();
        for end in [".pass", ".fail"] {
            assert!(cases.iter().any(|case| case.ends_with(end)), "{id}: add a `*{end}` case");
        }
    }
}

#[test]
fn every_case_belongs_to_a_check() {
    let checks = checks();
    for entry in fs::read_dir(top().join("fixtures/checks")).expect("readable") {
        let name = entry.expect("readable").file_name().to_string_lossy().into_owned();
        assert!(checks.contains_key(&name), "fixtures/checks/{name}: no check is called so");
    }
}

#[test]
fn every_control_exists_in_its_framework() {
    let frameworks = catalog::frameworks().expect("frameworks load");
    for check in checks().values() {
        assert!(check.controls.contains_key("ssdf-1.1"), "{}: map it to an SSDF task", check.id);
        for (framework, ids) in &check.controls {
            let known = frameworks.iter().find(|f| f.framework == *framework);
            let known = known.unwrap_or_else(|| panic!("{}: no framework is called {framework}", check.id));
            for id in ids {
                assert!(known.controls.iter().any(|c| c.id == *id), "{}: {framework} has no {id}", check.id);
            }
        }
    }
}

#[test]
fn every_line_of_the_checklist_is_decided_by_checks_that_exist() {
    let checks = checks();
    let codes: BTreeSet<&str> = checks.values().map(|check| check.code.as_str()).collect();
    for line in catalog::checklist().expect("it loads") {
        assert!(!line.checks.is_empty(), "line {}: name its checks", line.id);
        for code in &line.checks {
            assert!(codes.contains(code.as_str()), "line {}: no check has code {code}", line.id);
        }
    }
}

#[test]
fn every_framework_loads_and_names_checks_that_exist() {
    let checks = checks();
    for name in catalog::framework_names() {
        let framework = catalog::framework(name, &checks).unwrap_or_else(|error| panic!("{error}: {}", error.help));
        assert_eq!(framework.framework, name, "a framework is called as its file");
        if !framework.groups.is_empty() {
            for control in &framework.controls {
                assert!(framework.group_of(&control.id).is_some(), "{name}: {} is in no group", control.id);
            }
        }
    }
}

#[test]
fn ssdf_has_every_task_and_says_of_each_what_an_audit_shows() {
    let framework = catalog::framework("ssdf-1.1", &checks()).expect("it loads");
    let count = |reach| framework.controls.iter().filter(|control| control.reach == Some(reach)).count();
    assert_eq!(framework.controls.len(), 42);
    assert_eq!([Reach::Direct, Reach::Partial, Reach::Indirect, Reach::None].map(count), [10, 10, 11, 11]);
    let practices: BTreeSet<&str> =
        framework.controls.iter().filter_map(|control| Some(framework.group_of(&control.id)?.id.as_str())).collect();
    assert_eq!(practices.len(), 19);
    for control in &framework.controls {
        assert!(control.shows.ends_with('.'), "{}: say what an audit shows", control.id);
        let mapped = !control.checks.is_empty();
        assert!(!mapped || control.reach != Some(Reach::None), "{}: checks map to what none can show", control.id);
    }
}

#[test]
fn every_probe_is_asked_by_a_check() {
    let named: BTreeSet<String> = checks()
        .values()
        .flat_map(|check| {
            let conditions = check.when.iter().chain([&check.require]).flat_map(|p| p.paths());
            let holes = check.message.paths().chain(check.for_each.as_deref());
            conditions.chain(holes).filter_map(|path| path.split('.').next()).map(str::to_owned).collect::<Vec<_>>()
        })
        .collect();
    for probe in PROBES.iter().filter(|probe| !NOT_ASKED_YET.contains(&probe.name)) {
        assert!(named.contains(probe.name), "no check asks for `{}`", probe.name);
    }
}

/// Facts that `harden facts` shows and no check of this version asks for.
const NOT_ASKED_YET: &[&str] = &["sysctl"];

#[test]
fn codes_carry_the_prefix_of_their_area() {
    let mut prefixes: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for check in checks().values() {
        let prefix = check.code.split('-').next().unwrap_or_default();
        prefixes.entry(check.area.0.clone()).or_default().insert(prefix.to_owned());
    }
    for (area, prefixes) in prefixes {
        assert_eq!(prefixes.len(), 1, "checks/{area} mixes {prefixes:?}");
    }
}

/// What the loader says of a folder that holds this one check, `loose.yaml`.
fn loads(check: &str) -> Result<(), catalog::CatalogError> {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("loose.yaml"), check).expect("writable");
    catalog::add_dir(&Types::default(), BTreeMap::new(), folder.path()).map(|_| ())
}

#[test]
fn an_empty_list_passes_only_where_there_is_a_list() {
    let check = |list: &str, require: &str| {
        format!(
            "id: loose\ncode: OWN-01\ntitle: t\nseverity: low\nscope: repo\n{list}empty: pass\n\
             require: {require}\nmessage: m\nwhy: w\nremediation: r\n"
        )
    };
    let error = loads(&check("", "{ agent.managed: true }")).expect_err("there is no list");
    assert_eq!((error.line, error.message.as_str()), (6, "there is no list that could be empty"));
    assert_eq!(error.help, "add `for_each`, or compare a list with `empty: true`");
    loads(&check("for_each: agent.written\n", "{ item.effect: read }")).expect("the list is named");
}

#[test]
fn checks_and_profiles_fit_their_published_schemas() {
    let validators = [
        ("checks", catalog::check_schema()),
        ("profiles", catalog::profile_schema()),
        ("profiles/frameworks", catalog::framework_schema()),
    ];
    for (folder, schema) in validators {
        let validator = jsonschema::validator_for(&schema).expect("the schema compiles");
        for file in yaml_files(&top().join(folder), folder == "checks") {
            let text = fs::read_to_string(&file).expect("readable");
            let value: serde_json::Value = serde_yaml::from_str(&text).expect("YAML");
            let errors: Vec<String> = validator.iter_errors(&value).map(|error| error.to_string()).collect();
            assert!(errors.is_empty(), "{}: {}", file.display(), errors.join("; "));
        }
    }
}

fn yaml_files(folder: &Path, deep: bool) -> Vec<std::path::PathBuf> {
    let walk = walkdir::WalkDir::new(folder).max_depth(if deep { 4 } else { 1 });
    let files = walk.into_iter().map(|entry| entry.expect("readable").into_path());
    files.filter(|path| path.extension().is_some_and(|end| end == "yaml")).collect()
}
