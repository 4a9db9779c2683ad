//! One file on its way in: its places, and what to say about them.

use std::io::Read;
use std::path::Path;
use std::rc::Rc;

use super::error::{LoadError, Place, Problem};

/// More is no configuration.
const LARGEST: u64 = 16 << 20;

/// The text of a file that may be anything.
pub(super) fn read_file(path: &Path) -> Result<String, LoadError> {
    let name = path.display().to_string();
    let unreadable = |why: String| LoadError::file_as_a_whole(name.clone(), Problem::Unreadable(why));
    // Asked before it is opened: opening a pipe waits for somebody to write.
    let info = std::fs::metadata(path).map_err(|error| unreadable(error.to_string()))?;
    if !info.is_file() {
        return Err(unreadable("not a file".to_owned()));
    }
    let file = std::fs::File::open(path).map_err(|error| unreadable(error.to_string()))?;
    let mut bytes = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(|error| unreadable(error.to_string()))?;
    if bytes.len() as u64 > LARGEST {
        return Err(unreadable(format!("larger than {} MiB", LARGEST >> 20)));
    }
    String::from_utf8(bytes).map_err(|error| {
        let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = 1 + valid.iter().filter(|byte| **byte == b'\n').count();
        LoadError::new(&Place { file: name.as_str().into(), line }, Problem::Syntax("not UTF-8".to_owned()))
    })
}

/// A text with its name, its lines and what is to be said about it.
pub(super) struct Source {
    name: Rc<str>,
    newlines: Vec<usize>,
    warnings: Vec<(usize, String)>,
}

impl Source {
    pub(super) fn new(text: &str, name: &str) -> Self {
        let newlines = memchr::memchr_iter(b'\n', text.as_bytes()).collect();
        Self { name: name.into(), newlines, warnings: Vec::new() }
    }

    /// The line that a byte is on.
    pub(super) fn place(&self, at: usize) -> Place {
        Place { file: Rc::clone(&self.name), line: 1 + self.newlines.partition_point(|newline| *newline < at) }
    }

    pub(super) fn error(&self, at: usize, problem: Problem) -> LoadError {
        LoadError::new(&self.place(at), problem)
    }

    pub(super) fn warn(&mut self, at: usize, what: impl std::fmt::Display) {
        let line = self.place(at).line;
        self.warn_on_line(line, what);
    }

    pub(super) fn warn_on_line(&mut self, line: usize, what: impl std::fmt::Display) {
        self.warnings.push((line, what.to_string()));
    }

    /// What there is to say, from top to bottom.
    pub(super) fn into_warnings(mut self) -> impl Iterator<Item = String> {
        self.warnings.sort_by_key(|(line, _)| *line);
        self.warnings.into_iter().map(move |(line, what)| format!("{}:{line}: {what}", self.name))
    }

    /// A key that nobody reads.
    pub(super) fn unknown_key(&mut self, at: usize, key: &str, known: &[&str]) {
        match nearest(key, known.iter().copied()) {
            Some(name) => self.warn(at, format!("unknown key `{key}` is ignored; did you mean `{name}`?")),
            None => self.warn(at, format!("unknown key `{key}` is ignored")),
        }
    }
}

/// The name that a word was likely meant to be.
pub(super) fn nearest<'n>(word: &str, names: impl Iterator<Item = &'n str>) -> Option<String> {
    let word: Vec<char> = word.to_lowercase().chars().take(64).collect();
    let near = names.map(|name| (distance(&word, &name.to_lowercase()), name));
    let (distance, name) = near.min_by_key(|(distance, _)| *distance)?;
    (distance <= 1 + word.len() / 4 && distance < word.len()).then(|| name.to_owned())
}

/// How many letters to change, add or drop.
fn distance(word: &[char], name: &str) -> usize {
    let mut row: Vec<usize> = (0..=word.len()).collect();
    for (line, letter) in name.chars().take(64).enumerate() {
        let mut corner = std::mem::replace(&mut row[0], line + 1);
        for (column, own) in word.iter().enumerate() {
            let best = (corner + usize::from(*own != letter)).min(row[column] + 1).min(row[column + 1] + 1);
            corner = std::mem::replace(&mut row[column + 1], best);
        }
    }
    row[word.len()]
}
