//! The `harden` program: parse, dispatch, exit.

use std::process::ExitCode;

fn main() -> ExitCode {
    harden::commands::main()
}
