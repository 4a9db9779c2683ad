//! What goes to the terminal, and what the terminal is like.

use std::io::{self, IsTerminal, Write};

use crate::cli::Color;
use crate::report::Look;

/// The width where there is no terminal.
const USUAL_WIDTH: u16 = 100;

/// Writes to standard output. A reader that went away is no error.
pub(super) fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// Writes a line to standard error; there is nowhere left to report a failure of that.
pub(super) fn error(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", text.trim_end());
}

/// How to draw on standard output.
pub(super) fn look(color: Color) -> Look {
    Look { width: width(), colour: colour(color, io::stdout().is_terminal()), verbose: 0, quiet: false }
}

/// How to draw on standard error.
pub(super) fn error_look(color: Color) -> Look {
    Look { width: width(), colour: colour(color, io::stderr().is_terminal()), verbose: 0, quiet: false }
}

/// How to draw into a file.
pub(super) fn file_look() -> Look {
    Look { width: USUAL_WIDTH, colour: false, verbose: 0, quiet: false }
}

fn colour(color: Color, terminal: bool) -> bool {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => terminal && !set("NO_COLOR") && std::env::var_os("TERM").is_none_or(|term| term != "dumb"),
    }
}

/// The columns of the terminal, or what COLUMNS says, or 100.
fn width() -> u16 {
    let terminal = rustix::termios::tcgetwinsize(io::stdout()).ok().map(|size| size.ws_col);
    let said = || std::env::var("COLUMNS").ok()?.parse().ok();
    terminal.filter(|columns| *columns > 0).or_else(said).filter(|columns| *columns > 0).unwrap_or(USUAL_WIDTH)
}

/// The columns of the terminal on standard error.
pub(super) fn error_width() -> u16 {
    let columns = rustix::termios::tcgetwinsize(io::stderr()).ok().map(|size| size.ws_col);
    columns.filter(|columns| *columns > 1).unwrap_or(USUAL_WIDTH)
}

/// Indented JSON with a final newline.
pub(super) fn json(value: &impl serde::Serialize) -> String {
    let mut text = serde_json::to_string_pretty(value).expect("plain data");
    text.push('\n');
    text
}
