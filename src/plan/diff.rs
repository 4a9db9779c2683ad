//! A step as a unified diff. What somebody else wrote may hold secrets: of such a file only the lines that change are
//! shown, and these masked.

use similar::TextDiff;

use crate::model::{Action, Contents, State, Step, plain, redact_line};

/// The most lines of one diff.
const LINES: usize = 400;

/// The change of a step, as lines that end in a newline.
pub fn diff(step: &Step, contents: &Contents) -> String {
    let text = |state: &State| {
        state.digest().and_then(|digest| contents.get(digest)).and_then(|bytes| std::str::from_utf8(bytes).ok())
    };
    let name = plain(&step.thing.to_string()).into_owned();
    let mut out = String::new();
    if step.before.digest() != step.after.digest() {
        let (old, new) = (text(&step.before), text(&step.after));
        let ours = matches!(step.before, State::Absent)
            || matches!(step.action, Action::LoadTable { .. } | Action::LoadAudit { .. });
        if let (Some(old), Some(new)) = (old.or(ours.then_some("")), new) {
            out += &unified(old, new, &name, step.before == State::Absent, !ours);
        }
    }
    if let (Some(old), Some(new)) = (step.before.access(), step.after.access())
        && old != new
    {
        out += &attributes(&name, &step.before, &step.after);
    } else if out.is_empty() {
        out += &attributes(&name, &step.before, &step.after);
    }
    out
}

fn attributes(name: &str, before: &State, after: &State) -> String {
    let line = |sign: char, state: &State| match state {
        State::Absent => String::new(),
        state => format!("{sign} {name}: {}\n", plain(&state.says())),
    };
    line('-', before) + &line('+', after)
}

fn unified(old: &str, new: &str, name: &str, is_new: bool, masked: bool) -> String {
    let (old, new) = match masked {
        true => (masked_text(old), masked_text(new)),
        false => (old.to_owned(), new.to_owned()),
    };
    let from = if is_new { "/dev/null" } else { name };
    let diff = TextDiff::from_lines(&old, &new)
        .unified_diff()
        .context_radius(if masked { 0 } else { 2 })
        .header(from, name)
        .to_string();
    // Masked, both may read the same though they differ.
    if diff.is_empty() {
        return format!("--- {from}\n+++ {name}\n(a change in what is not shown)\n");
    }
    let mut lines: Vec<String> =
        diff.lines().map(|line| plain(&line.replace('\t', "    ")).into_owned() + "\n").collect();
    if lines.len() > LINES {
        let more = lines.len() - LINES;
        lines.truncate(LINES);
        lines.push(format!("… {more} more lines\n"));
    }
    lines.concat()
}

/// Each line masked, with its indentation.
fn masked_text(text: &str) -> String {
    let mask = |line: &str| {
        let indent: String = line.chars().take_while(|c| *c == ' ' || *c == '\t').collect();
        format!("{indent}{}\n", redact_line(line))
    };
    text.lines().map(mask).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{AbsPath, Access, Class, Thing};

    fn step(before: State, after: State, action: Action) -> Step {
        Step {
            thing: action.thing(),
            action,
            before,
            after,
            wanted_by: Vec::new(),
            class: Class::Safe,
            needs_root: true,
            undo: String::new(),
        }
    }

    #[test]
    fn a_foreign_file_is_shown_masked_and_ours_in_full() {
        let path = AbsPath::root().join("x");
        let secret = concat!("{ \"token\": \"ghp", "_16C7e42F292c6912E7710c838347Ae178B4a\",\n  \"share\": ");
        let (old, new) = (format!("{secret}\"manual\" }}\n"), format!("{secret}\"disabled\" }}\n"));
        let state = |text: &str| State::file(text.as_bytes(), Access::of_root(0o644));
        let contents: Contents = [&old, &new]
            .into_iter()
            .map(|text| (state(text).digest().expect("a file").to_owned(), text.clone().into_bytes()))
            .collect();
        let action = Action::EditConfig { path: path.clone(), set: Vec::new(), access: Access::of_root(0o644) };
        let shown = diff(&step(state(&old), state(&new), action), &contents);
        assert!(shown.contains("+  \"share\": \"disabled\" }"), "{shown}");
        assert!(!shown.contains("16C7e42F") && !shown.contains("token"), "a line that stays is not shown: {shown}");
        let action = Action::WriteFile { path, content: new.clone(), access: Access::of_root(0o644), check: None };
        let shown = diff(&step(State::Absent, state(&new), action), &contents);
        assert!(shown.starts_with("--- /dev/null\n+++ /x\n@@ -0,0 +1,2 @@\n+{ \"token\""), "{shown}");
    }

    #[test]
    fn a_change_of_rights_is_a_line_for_each_side() {
        let dir = |mode| State::Dir { access: Access::of_root(mode) };
        let action = Action::EnsureDir { path: AbsPath::root().join("x"), access: Access::of_root(0o700) };
        let shown = diff(&step(dir(0o755), dir(0o700), action), &Contents::new());
        assert_eq!(shown, "- /x: a folder, owner 0:0, mode 0755\n+ /x: a folder, owner 0:0, mode 0700\n");
        assert_eq!(Thing::Path(AbsPath::root().join("x")).to_string(), "/x");
    }
}
