//! A sign of life on a terminal, once a command takes over a second: what it does, how far it is, for how long.

use std::io::{self, IsTerminal, Write};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::terminal;

/// When it is first shown, and how often it is drawn anew.
const FIRST: Duration = Duration::from_secs(1);
const EACH: Duration = Duration::from_millis(200);

/// Shown until it is dropped, and gone then.
pub(super) struct Progress(Option<(Sender<()>, JoinHandle<()>)>);

impl Progress {
    /// Shows nothing.
    pub(super) fn none() -> Self {
        Self(None)
    }

    /// Starts to wait. Without a terminal on standard error nothing is ever shown.
    pub(super) fn start(words: &'static str) -> Self {
        Self::counting(words, String::new)
    }

    /// The same, with what `said` says each time.
    pub(super) fn counting(words: &'static str, said: impl Fn() -> String + Send + 'static) -> Self {
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        if dumb || !io::stderr().is_terminal() {
            return Self(None);
        }
        let (done, over) = mpsc::channel();
        let thread = thread::spawn(move || {
            let start = Instant::now();
            let mut wait = FIRST;
            while over.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) {
                wait = EACH;
                let text = format!("{words} … {}{} s", said(), start.elapsed().as_secs());
                // A line that wraps could not be erased.
                let text: String = text.chars().take(usize::from(terminal::error_width()) - 1).collect();
                show(&format!("\r{text}\x1b[K"));
            }
            if wait == EACH {
                show("\r\x1b[K");
            }
        });
        Self(Some((done, thread)))
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some((done, thread)) = self.0.take() {
            drop(done);
            // It only draws: nothing is lost where it failed.
            let _ = thread.join();
        }
    }
}

fn show(text: &str) {
    let mut out = io::stderr().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}
