//! Reads the output of `git log -p -U0` and of `git diff -U0`: added lines, hunk by hunk, under their commits.
//!
//! The names, messages and lines in it are those of strangers, and so may be the whole. What is malformed is passed over
//! or ends the reading, just where it does in Gitleaks; lines and hunks are bounded.

use std::io::{self, BufRead, Read};

use super::Detector;
use super::detect::{Commit, Fragment};
use super::finding::{Finding, text_of};
use super::header;
use super::names::{FileHeader, git_header_data, git_header_name, traditional};

/// What is kept of a line, of a hunk, of all hunks of a file until it is complete, and of what stands before a file.
const LINE: usize = 64 << 20;
const HUNK: usize = 64 << 20;
const FILE: usize = 64 << 20;
const PREAMBLE: usize = 8 << 20;

/// Why a log could not be read to its end.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// It could not be read on.
    #[error("cannot read the log: {0}")]
    Io(#[from] io::Error),
    /// A hunk that cannot be. Gitleaks ends here too, and says nothing.
    #[error("line {0} of the log belongs to a malformed hunk; nothing behind it was searched")]
    Hunk(u64),
    /// Lines whose end was dropped.
    #[error("{0} lines of the log were longer than 64 MiB; their ends were not searched")]
    Long(u64),
}

impl Detector {
    /// The findings in the added lines of a log or a diff.
    pub fn scan_log(&self, log: impl BufRead, mut visit: impl FnMut(Vec<Finding>)) -> Result<(), LogError> {
        let mut parser = Parser::new(log);
        parser.files(|file, commit| {
            for hunk in &file.hunks {
                let name = text_of(&file.header.new_name);
                if hunk.added.is_empty() && name.is_empty() {
                    continue;
                }
                let fragment = Fragment { raw: &hunk.added, file: &name, symlink: "", start_line: hunk.start, commit };
                let findings = self.report(&fragment);
                if !findings.is_empty() {
                    visit(findings);
                }
            }
        })?;
        match parser.long {
            0 => Ok(()),
            long => Err(LogError::Long(long)),
        }
    }
}

/// What a file became.
#[derive(Default)]
struct Diff {
    header: FileHeader,
    hunks: Vec<Hunk>,
}

/// Added lines.
struct Hunk {
    start: i64,
    added: Vec<u8>,
}

/// The counts of a hunk.
struct Ranges {
    old_lines: i64,
    new_start: i64,
    new_lines: i64,
}

/// What is not as it should be.
enum Wrong {
    /// This file is not to be understood.
    Malformed,
    Io(io::Error),
}

impl From<io::Error> for Wrong {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// The log, with two lines to look ahead.
struct Parser<R> {
    log: R,
    lines: [Vec<u8>; 3],
    ended: bool,
    number: u64,
    long: u64,
}

impl<R: BufRead> Parser<R> {
    fn new(log: R) -> Self {
        Self { log, lines: Default::default(), ended: false, number: 0, long: 0 }
    }

    fn line(&self) -> &[u8] {
        &self.lines[0]
    }

    /// One line further; false at the end.
    fn advance(&mut self) -> io::Result<bool> {
        if self.ended {
            return Ok(false);
        }
        if self.number == 0 {
            self.shift()?;
            self.shift()?;
        }
        self.shift()?;
        self.number += 1;
        self.ended = self.lines[0].is_empty();
        Ok(!self.ended)
    }

    fn shift(&mut self) -> io::Result<()> {
        self.lines.rotate_left(1);
        let last = &mut self.lines[2];
        last.clear();
        // A line that was very long does not keep its memory for all that follow.
        last.shrink_to(1 << 16);
        self.log.by_ref().take(LINE as u64).read_until(b'\n', last)?;
        if last.len() == LINE && last.last() != Some(&b'\n') {
            self.long += u64::from(skip_line(&mut self.log)?);
            last.push(b'\n');
        }
        Ok(())
    }

    /// All files in turn, each with its commit.
    fn files(&mut self, mut visit: impl FnMut(&Diff, Option<&Commit>)) -> Result<(), LogError> {
        if !self.advance()? {
            return Ok(());
        }
        let mut commit = Some(header::nameless());
        loop {
            let (file, preamble) = match self.next_file() {
                Ok(found) => found,
                Err(Wrong::Io(error)) => return Err(error.into()),
                Err(Wrong::Malformed) => {
                    self.advance()?;
                    continue;
                }
            };
            if memchr::memmem::find(&preamble, b"commit").is_some() {
                commit = header::commit(&preamble);
            }
            let Some(header) = file else { return Ok(()) };
            let mut diff = Diff { header, hunks: Vec::new() };
            let hunks = self.hunks(&mut diff, |diff| visit(diff, commit.as_ref()));
            match hunks {
                Ok(()) => visit(&diff, commit.as_ref()),
                Err(Wrong::Io(error)) => return Err(error.into()),
                Err(Wrong::Malformed) => return Err(LogError::Hunk(self.number)),
            }
        }
    }

    /// The next file, and what stands before it since the commit or the file before.
    fn next_file(&mut self) -> Result<(Option<FileHeader>, Vec<u8>), Wrong> {
        let mut preamble = Vec::new();
        loop {
            if let Ok(Some(_)) = self.ranges() {
                // A hunk without a file.
                return Err(Wrong::Malformed);
            }
            if self.line().starts_with(b"commit") {
                preamble.clear();
            } else if let Some(file) = self.git_header()? {
                return Ok((Some(file), preamble));
            } else if let Some(file) = self.traditional_header()? {
                return Ok((Some(file), preamble));
            }
            if preamble.len() < PREAMBLE {
                preamble.extend_from_slice(&self.lines[0]);
            }
            if !self.advance()? {
                return Ok((None, Vec::new()));
            }
        }
    }

    fn git_header(&mut self) -> Result<Option<FileHeader>, Wrong> {
        let Some(header) = self.line().strip_prefix(b"diff --git ") else { return Ok(None) };
        let name = git_header_name(header).ok_or(Wrong::Malformed)?;
        let mut file = FileHeader::default();
        loop {
            let ends = git_header_data(&mut file, &self.lines[1], &name).ok_or(Wrong::Malformed)?;
            if !self.advance()? || ends {
                break;
            }
        }
        file.complete(&name).then_some(Some(file)).ok_or(Wrong::Malformed)
    }

    /// `---` and `+++` in front of a hunk.
    fn traditional_header(&mut self) -> Result<Option<FileHeader>, Wrong> {
        let [old, new, hunk] = &self.lines;
        let (Some(old), Some(new)) = (old.strip_prefix(b"--- "), new.strip_prefix(b"+++ ")) else { return Ok(None) };
        if hunk.len() < b"@@ -1 +1 @@\n".len() || !hunk.starts_with(b"@@ -") {
            return Ok(None);
        }
        let file = traditional(old, new);
        self.advance()?;
        self.advance()?;
        file.map(Some).ok_or(Wrong::Malformed)
    }

    /// The head of a hunk, if this line is one.
    fn ranges(&mut self) -> Result<Option<Ranges>, Wrong> {
        let Some(rest) = self.line().strip_prefix(b"@@ -") else { return Ok(None) };
        let end = memchr::memmem::find(rest, b" @@").ok_or(Wrong::Malformed)?;
        let text = std::str::from_utf8(&rest[..end]).map_err(|_| Wrong::Malformed)?;
        let (old, new) = text.split_once(" +").filter(|(_, new)| !new.contains(" +")).ok_or(Wrong::Malformed)?;
        let ((_, old_lines), (new_start, new_lines)) = (range(old)?, range(new)?);
        self.advance()?;
        Ok(Some(Ranges { old_lines, new_start, new_lines }))
    }

    /// All hunks of a file, or its mark of being binary. A file that grows too large is given away in parts.
    fn hunks(&mut self, diff: &mut Diff, mut give: impl FnMut(&Diff)) -> Result<(), Wrong> {
        let (mut any, mut held) = (false, 0);
        while let Some(ranges) = self.ranges()? {
            let header = &diff.header;
            if (header.is_new && ranges.old_lines > 0) || (header.is_delete && ranges.new_lines > 0) {
                return Err(Wrong::Malformed);
            }
            self.chunk(&ranges, |start, added| {
                held += added.len();
                // Nobody looks at the lines of a file that goes.
                if !diff.header.is_delete {
                    diff.hunks.push(Hunk { start, added });
                }
                if held > FILE {
                    give(diff);
                    diff.hunks.clear();
                    held = 0;
                }
            })?;
            any = true;
        }
        if !any && is_binary_mark(self.line()) {
            self.advance()?;
        }
        Ok(())
    }

    /// The lines of a hunk.
    fn chunk(&mut self, ranges: &Ranges, mut give: impl FnMut(i64, Vec<u8>)) -> Result<(), Wrong> {
        let (mut old, mut new) = (ranges.old_lines, ranges.new_lines);
        let (mut start, mut added, mut lines, mut changes) = (ranges.new_start, Vec::new(), 0_i64, false);
        let mut last_added = false;
        while old > 0 || new > 0 {
            match self.line().split_first() {
                Some((b'\n' | b' ', _)) => {
                    (old, new) = (old - 1, new - 1);
                    last_added = false;
                }
                Some((b'-', _)) => {
                    (old, changes, last_added) = (old - 1, true, false);
                }
                Some((b'+', text)) => {
                    (new, changes, last_added) = (new - 1, true, true);
                    added.extend_from_slice(text);
                    lines += 1;
                }
                // In the midst of a hunk for a line that goes.
                Some((b'\\', _)) if is_no_newline(self.line()) => {
                    drop_newline(&mut added, last_added);
                    last_added = false;
                }
                _ => return Err(Wrong::Malformed),
            }
            if added.len() > HUNK && new > 0 {
                give(start, std::mem::take(&mut added));
                (start, lines) = (start.wrapping_add(lines), 0);
            }
            if !self.advance()? {
                break;
            }
        }
        if old != 0 || new != 0 || !changes {
            return Err(Wrong::Malformed);
        }
        if is_no_newline(self.line()) {
            drop_newline(&mut added, last_added);
            self.advance()?;
        }
        give(start, added);
        Ok(())
    }
}

/// Reads past the end of a line; false if it was at it already.
fn skip_line(log: &mut impl BufRead) -> io::Result<bool> {
    let mut any = false;
    loop {
        let held = log.fill_buf()?;
        if held.is_empty() {
            return Ok(any);
        }
        any = true;
        let (length, done) = memchr::memchr(b'\n', held).map_or((held.len(), false), |at| (at + 1, true));
        log.consume(length);
        if done {
            return Ok(true);
        }
    }
}

fn drop_newline(added: &mut Vec<u8>, last_added: bool) {
    if last_added && added.last() == Some(&b'\n') {
        added.pop();
    }
}

/// `\ No newline at end of file`, in any language.
fn is_no_newline(line: &[u8]) -> bool {
    line.len() >= 12 && line.starts_with(b"\\ ")
}

/// What stands in the place of hunks.
fn is_binary_mark(line: &[u8]) -> bool {
    let differ = line.starts_with(b"Binary files ") && line.trim_ascii_end().ends_with(b"differ");
    differ || line == b"GIT binary patch\n" || line == b"Binary files differ\n" || line == b"Files differ\n"
}

/// A start and a count, which is one if it is not there.
fn range(text: &str) -> Result<(i64, i64), Wrong> {
    let (start, lines) = text.split_once(',').unwrap_or((text, "1"));
    match (start.parse(), lines.parse()) {
        (Ok(start), Ok(lines)) => Ok((start, lines)),
        _ => Err(Wrong::Malformed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Commit, name, line and text of every hunk, and how it ended.
    fn read(log: &[u8]) -> (Vec<String>, bool) {
        let mut seen = Vec::new();
        let done = Parser::new(log).files(|file, commit| {
            let commit = commit.map_or("-", |commit| &commit.id);
            for hunk in &file.hunks {
                let (name, text) = (text_of(&file.header.new_name), text_of(&hunk.added));
                seen.push(format!("{commit}|{name}|{}|{text}", hunk.start));
            }
        });
        (seen, done.is_ok())
    }

    const HEAD: &str = "commit c0\nAuthor: A <a@b>\nDate:   Sat Nov 21 23:58:24 2026 +0000\n\n    commit more\n\n";

    #[test]
    fn added_lines_come_hunk_by_hunk_under_their_commit() {
        let log = format!(
            "{HEAD}diff --git a/x b/x\nindex 1..2 100644\n--- a/x\n+++ b/x\n@@ -1 +1,2 @@ fn\n-old\n+one\n+two\n@@ -9,0 +11 @@\n\
             +end\n\\ No newline at end of file\n\ncommit c1\nMerge: 1 2\n\n    merge\n\n{}diff --git a/a b b/a b\n\
             new file mode 100644\nindex 0..1\n--- /dev/null\n+++ b/a b\t\n@@ -0,0 +1 @@\n+new\n\
             diff --git a/d b/d\ndeleted file mode 100644\nindex 1..0\n--- a/d\n+++ /dev/null\n@@ -1 +0,0 @@\n-gone\n\
             diff --git a/b.png b/b.png\nindex 1..2\nBinary files a/b.png and b/b.png differ\n\
             diff --git a/m b/m\nold mode 100644\nnew mode 100755\n\
             diff --git \"a/\\303\\251\\t\" \"b/\\303\\251\\t\"\nindex 1..2\n--- \"a/\\303\\251\\t\"\n+++ \"b/\\303\\251\\t\"\n@@ -0,0 +1 @@\n+q\n",
            HEAD.replace("c0", "c2"),
        );
        let (seen, done) = read(log.as_bytes());
        assert!(done);
        assert_eq!(seen, ["c0|x|1|one\ntwo\n", "c0|x|11|end", "c2|a b|1|new\n", "c2|é\t|1|q\n"]);
    }

    #[test]
    fn what_is_malformed_ends_where_it_ends_in_gitleaks() {
        let file = "diff --git a/x b/x\n--- a/x\n+++ b/x\n";
        for (body, seen, done) in [
            // Hunks that miscount end everything.
            ("@@ -0,0 +1,2 @@\n+a\n", 0, false),
            ("@@ -0,0 +1 @@\n+a\n@@ -0,0 +5,2 @@\n+b\n", 0, false),
            ("@@ -1,0 +1,0 @@\n+a\n", 0, false),
            ("@@ -x +1 @@\n+a\n", 0, false),
            ("@@ -0,0 +1 @@\n+a\n+b\n", 1, true),
            ("@@ -0,0 +1 @@", 0, false),
            ("", 0, true),
        ] {
            let (found, ended) = read(format!("{HEAD}{file}{body}").as_bytes());
            assert_eq!((found.len(), ended), (seen, done), "{body}");
        }
        // A name that cannot be read loses its file, and the hunk is passed over; the next file is read. What was in
        // between counts as a head, and if it says commit, nobody knows the commit any more.
        let odd = "diff --git \"a/x b/x\nindex 1..2\n@@ -0,0 +1,2 @@\n+a\n+b commit\n";
        let next = format!("{file}@@ -0,0 +1 @@\n+b\n");
        assert_eq!(read(format!("{HEAD}{odd}{next}").as_bytes()).0, ["-|x|1|b\n"]);
        let odd = odd.replace("b commit", "b");
        assert_eq!(read(format!("{HEAD}{next}{odd}{next}").as_bytes()).0, ["c0|x|1|b\n", "c0|x|1|b\n"]);
    }

    /// As the library behind Gitleaks reads them: asked with these bytes.
    #[test]
    fn a_hunk_may_begin_at_any_number() {
        for (start, lines, seen) in [("-2", "", -2), ("9223372036854775807", ",1", i64::MAX)] {
            let log = format!("--- d\n+++ x\n@@ -0,0 +{start}{lines} @@\n+secret=bcre");
            assert_eq!(read(log.as_bytes()).0, [format!("|x|{seen}|secret=bcre")]);
        }
    }

    #[test]
    fn hostile_logs_end() {
        for log in
            ["@@ -".repeat(10_000), "diff --git a b\n".repeat(10_000), "+++ \n--- \n".repeat(10_000), "\0".to_owned()]
        {
            read(log.as_bytes());
        }
        let huge = "diff --git a/x b/x\n@@ -0,0 +1,9223372036854775807 @@\n".to_owned() + &"+a\n".repeat(1000);
        assert!(!read(huge.as_bytes()).1);
    }
}
