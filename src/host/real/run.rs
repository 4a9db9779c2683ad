//! Runs a tool of the closed list: emptied environment, no shell, bounded in time and output.

use std::io::{self, Read};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use wait_timeout::ChildExt;

use crate::host::tool::FOLDERS;
use crate::host::{Output, ToolError};

/// How long a tool may take.
const TOOL_SECONDS: u64 = 10;
/// How much a tool may print: 32 MiB.
const TOOL_LIMIT: u64 = 32;

/// What a program of root's folders prints and how it ends. PATH is never asked; who calls this has a closed list of
/// names.
pub fn run_program(name: &'static str, args: &[&str]) -> Result<Output, ToolError> {
    let candidates = FOLDERS.iter().map(|folder| format!("{folder}/{name}"));
    let program = candidates.into_iter().find(|path| Path::new(path).exists()).ok_or(ToolError::Missing(name))?;
    run(name, &program, args)
}

fn run(name: &'static str, program: &str, args: &[&str]) -> Result<Output, ToolError> {
    let io = |error| ToolError::Io(name, error);
    let mut child = Command::new(program)
        .args(args)
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .env("LC_ALL", "C")
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(io)?;
    let stdout = child.stdout.take().map(collect);
    let stderr = child.stderr.take().map(collect);
    let Some(status) = child.wait_timeout(Duration::from_secs(TOOL_SECONDS)).map_err(io)? else {
        child.kill().and_then(|()| child.wait()).map_err(io)?;
        return Err(ToolError::TimedOut(name, TOOL_SECONDS));
    };
    let text = |reader: Option<std::thread::JoinHandle<io::Result<Vec<u8>>>>| {
        let bytes = reader
            .map_or(Ok(Vec::new()), |reader| reader.join().unwrap_or_else(|_| Err(io::Error::other("reader died"))));
        let bytes = bytes.map_err(io)?;
        if bytes.len() as u64 > TOOL_LIMIT << 20 {
            return Err(ToolError::TooLong(name, TOOL_LIMIT));
        }
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    Ok(Output { status: status.code().unwrap_or(-1), stdout: text(stdout)?, stderr: text(stderr)? })
}

/// Reads all of a pipe beside the wait, so that a talkative tool cannot block; what is over the limit is dropped.
fn collect(mut pipe: impl Read + Send + 'static) -> std::thread::JoinHandle<io::Result<Vec<u8>>> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        pipe.by_ref().take((TOOL_LIMIT << 20) + 1).read_to_end(&mut bytes)?;
        io::copy(&mut pipe, &mut io::sink())?;
        Ok(bytes)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tools_are_stopped_at_the_time_limit_and_their_output_is_kept_apart() {
        let output = run("nft", "/bin/sh", &["-c", "echo out; echo err >&2; exit 3"]).expect("ran");
        assert_eq!((output.status, output.stdout.as_str(), output.stderr.as_str()), (3, "out\n", "err\n"));
        let output = run("nft", "/usr/bin/env", &[]).expect("ran");
        assert_eq!(output.stdout.lines().count(), 2, "{}", output.stdout);
    }
}
