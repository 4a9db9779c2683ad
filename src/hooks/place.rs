//! The folder that git takes hooks from, and whose it is.

use std::io;

use super::{Hook, manager};
use crate::facts::git::hooks_path::{self, Named, Reach};
use crate::facts::git::repository::{self, Repository};
use crate::host::{self, Host, Kind};
use crate::model::AbsPath;

/// A folder of hooks.
#[derive(Clone, Debug)]
pub struct Place {
    /// The top of the work tree.
    pub top: AbsPath,
    /// The folder.
    pub folder: AbsPath,
    /// The setting that names it, as `file:line`; none where it is the usual one.
    pub from: Option<String>,
    /// Whose it is.
    pub owner: Owner,
    /// The folder that git would take hooks from if nothing were set, where that is another one and no work tree uses
    /// it: what stands there was left behind.
    pub usual: Option<AbsPath>,
    /// What one should know of it.
    pub notes: Vec<String>,
}

/// Whose a folder of hooks is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// The repository's own, in its git directory.
    Repository,
    /// The project's: it lies in the work tree, and what is written there would be committed.
    Project,
    /// Of all repositories that the account's settings send there.
    Shared,
    /// Nobody's: hooks are turned off.
    Off,
}

/// Why it is not known where hooks are.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    /// No repository.
    #[error("`{0}` is in no git repository with a work tree")]
    None(AbsPath),
    /// The git directory is somewhere else and does not point back.
    #[error("`{pointer}` leads to `{target}`, which does not point back")]
    Elsewhere {
        /// The `.git`.
        pointer: AbsPath,
        /// Where it leads.
        target: String,
    },
    /// Something cannot be read.
    #[error("cannot read `{file}`: {error}")]
    Unreadable {
        /// What.
        file: AbsPath,
        /// Why.
        error: io::Error,
    },
    /// The folder is a link.
    #[error("the folder of hooks `{0}` is a link, and links are not followed")]
    Link(AbsPath),
    /// The setting begins with what only git can expand.
    #[error("`core.hooksPath = {value}` in {from} cannot be expanded")]
    Setting {
        /// Its value.
        value: String,
        /// Its file and line.
        from: String,
    },
}

impl PlaceError {
    /// The next move.
    pub fn help(&self) -> &'static str {
        match self {
            Self::None(_) => "give a folder in a work tree",
            Self::Elsewhere { .. } => "look at where it leads; `git worktree repair` mends what was moved",
            Self::Unreadable { .. } => "run this as who may read it, or mend the file",
            Self::Link(_) => "replace the link by a folder, or name the real one with `git config core.hooksPath`",
            Self::Setting { .. } => "name the folder in full with `git config core.hooksPath`",
        }
    }
}

impl Place {
    /// The file in which a person adds a hook where the folder is the project's. Husky's folder of stubs lies beside
    /// the files that they run.
    pub(super) fn tracked(&self, hook: Hook) -> AbsPath {
        let parent = self.folder.parent().filter(|parent| parent.name_text() == ".husky");
        let folder = parent.filter(|_| self.folder.name_text() == "_");
        folder.unwrap_or_else(|| self.folder.clone()).join(hook.name())
    }

    /// A path as a reader of this repository calls it.
    pub(super) fn shown(&self, path: &AbsPath) -> String {
        path.below(&self.top).map_or_else(|| path.text(), |below| below.to_string_lossy().into_owned())
    }
}

/// The folder that git takes hooks from for the work tree around a path.
pub fn find(host: &dyn Host, path: &AbsPath) -> Result<Place, PlaceError> {
    let unreadable = |file: &AbsPath, error: io::Error| PlaceError::Unreadable { file: file.clone(), error };
    let repository = match repository::around(host, path).map_err(|error| unreadable(path, error))? {
        repository::Place::Repository(repository) => repository,
        repository::Place::None => return Err(PlaceError::None(path.clone())),
        repository::Place::Elsewhere { pointer, target } => return Err(PlaceError::Elsewhere { pointer, target }),
    };
    // Git itself follows what the repository includes, and this is what git will run.
    let reach = Reach { account: true, home: host.env("HOME").and_then(AbsPath::new), outward: true };
    let said = hooks_path::read(host, &repository, &reach).map_err(|(file, error)| unreadable(&file, error))?;
    let from = said.file.as_ref().map(|(file, line)| format!("{}:{line}", file.text()));
    let named = match said.named(&repository, &reach) {
        Named::Folder(folder) => Some(folder),
        Named::Nothing => None,
        Named::Unknown(value) => return Err(PlaceError::Setting { value, from: from.unwrap_or_default() }),
    };
    let mut notes = manager::notes(host, &repository.top);
    notes.extend(said.maybe.iter().map(|file| {
        format!(
            "`{file}` sets `core.hooksPath` under a condition, which was not looked at: `git config core.hooksPath`"
        )
    }));
    // A setting of one work tree leaves the usual folder to the others.
    let of_one = said.file.as_ref().is_some_and(|(file, _)| *file == repository.git_dir.join("config.worktree"));
    let usual = Some(hooks_path::usual(&repository)).filter(|_| !of_one);
    let place = |folder: AbsPath, owner: Owner| {
        let usual = usual.filter(|usual| *usual != folder);
        Place { top: repository.top.clone(), folder, from, owner, usual, notes }
    };
    let Some(named) = named else { return Ok(place(AbsPath::root(), Owner::Off)) };
    // Links above the folder are the person's own, and decide whose it is; the folder itself must be none.
    let parent = named.parent().unwrap_or_else(AbsPath::root);
    let folder = match host::resolve(host, &parent, None) {
        Ok(real) => real.join(named.name().unwrap_or_default()),
        Err(error) if host::is_absent(&error) => named,
        Err(error) => return Err(unreadable(&parent, error)),
    };
    match host.stat(&folder) {
        Ok(stat) if stat.kind == Kind::Link => Err(PlaceError::Link(folder)),
        Ok(stat) if stat.kind != Kind::Dir => Ok(place(folder, Owner::Off)),
        Ok(_) => Ok(place(folder.clone(), owner(&repository, &folder))),
        Err(error) if host::is_absent(&error) => Ok(place(folder.clone(), owner(&repository, &folder))),
        Err(error) => Err(unreadable(&folder, error)),
    }
}

fn owner(repository: &Repository, folder: &AbsPath) -> Owner {
    let main = repository.common_dir.parent().filter(|_| repository.common_dir.name_text() == ".git");
    if folder.is_within(&repository.common_dir) {
        Owner::Repository
    } else if folder.is_within(&repository.top) || main.is_some_and(|main| folder.is_within(&main)) {
        Owner::Project
    } else {
        Owner::Shared
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::FixtureHost;

    fn place(files: &str) -> Result<Place, PlaceError> {
        let text = format!(
            "env: {{ HOME: /home/dev }}\nfiles:\n  /srv/app/.git/HEAD: 'ref: refs/heads/main'\n  /srv/app/.git/objects/: {{}}\n{files}"
        );
        let host = FixtureHost::parse(&text, std::path::Path::new("")).expect("a fixture");
        find(&host, &AbsPath::new("/srv/app/src").expect("absolute"))
    }

    #[test]
    fn the_last_setting_says_where_hooks_are_and_whose() {
        use Owner::{Off, Project, Repository, Shared};
        let local = |value: &str| format!("  /srv/app/.git/config: \"[core]\\nhooksPath = {value}\\n\"\n");
        let global = |value: &str| format!("  /home/dev/.gitconfig: \"[core]\\nhooksPath = {value}\\n\"\n");
        for (files, folder, owner) in [
            (String::new(), "/srv/app/.git/hooks", Repository),
            (local("tools/hooks"), "/srv/app/tools/hooks", Project),
            (local(".git/hooks"), "/srv/app/.git/hooks", Repository),
            (local("/srv/app/.git/../x"), "/srv/app/x", Project),
            (local("../hooks"), "/srv/hooks", Shared),
            (global("~/hooks"), "/home/dev/hooks", Shared),
            (global("~/hooks") + &local(".husky/_"), "/srv/app/.husky/_", Project),
            (local(""), "/", Off),
            (local("/dev/null") + "  /dev/null: ''\n", "/dev/null", Off),
            (
                "  /home/dev/.config/git/config: \"[include]\\npath = a\\n\"\n  /home/dev/.config/git/a: \"[core]\\nhooksPath=/a\"\n".to_owned(),
                "/a",
                Shared,
            ),
            (
                "  /srv/app/.git/config: \"[extensions]\\nworktreeConfig\\n\"\n  /srv/app/.git/config.worktree: \"[core]\\nhooksPath=own\"\n".to_owned(),
                "/srv/app/own",
                Project,
            ),
        ] {
            let found = place(&files).unwrap_or_else(|error| panic!("{files}: {error}"));
            assert_eq!((found.folder.text().as_str(), found.owner), (folder, owner), "{files}");
        }
    }

    #[test]
    fn what_cannot_be_told_is_an_error_or_a_note() {
        let local = |text: &str| format!("  /srv/app/.git/config: \"{text}\"\n");
        for (files, says) in [
            (local("[core]\\nhooksPath = ~other/hooks"), "cannot be expanded"),
            (local("[core]\\nhooksPath = %(prefix)/hooks"), "cannot be expanded"),
            (local("[include]\\npath = config"), "too many files"),
            ("  /srv/app/.git/hooks: { link: /srv/hooks }\n".to_owned(), "is a link"),
        ] {
            let error = place(&files).expect_err(&files).to_string();
            assert!(error.contains(says), "{files}: {error}");
        }
        let maybe =
            local("[includeIf \\\"gitdir:/srv/\\\"]\\npath = a") + "  /srv/app/.git/a: \"[core]\\nhooksPath=/a\"\n";
        let found = place(&maybe).expect("a place");
        assert!(found.owner == Owner::Repository && found.notes[0].contains("under a condition"), "{:?}", found.notes);
    }
}
