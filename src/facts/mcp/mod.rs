//! MCP.
mod address;
mod command;
mod container;
mod package;
mod secret;
mod shell;
