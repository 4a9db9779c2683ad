//! A sign of life on a terminal, once an audit takes over a second.

use std::io::{self, IsTerminal, Write};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Shown until it is dropped.
pub(super) struct Progress(Option<(Sender<()>, JoinHandle<()>)>);

impl Progress {
    /// Starts to wait. Without a terminal on standard error nothing is ever shown.
    pub(super) fn start(words: &'static str) -> Self {
        if !io::stderr().is_terminal() {
            return Self(None);
        }
        let (done, over) = mpsc::channel();
        let thread = thread::spawn(move || {
            let start = Instant::now();
            while over.recv_timeout(Duration::from_secs(1)) == Err(RecvTimeoutError::Timeout) {
                show(&format!("\r{words} … {} s", start.elapsed().as_secs()));
            }
            if start.elapsed() >= Duration::from_secs(1) {
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
