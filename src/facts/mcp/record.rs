//! The line that records a pinned server in `harden.mcp.lock`, where the file is one to which a line can be added. What
//! a person wrote there is never changed: another version is for that person to write.

use serde_json::{Map, Value, json};

use super::installed;
use super::lock::Lock;
use super::server::Server;
use crate::host::Host;
use crate::model::Subject;

/// The line for a server that the file does not name; nothing where none can be added.
pub(super) fn lines(host: &dyn Host, subject: &Subject, server: &Server, lock: &Lock) -> Vec<String> {
    let (Some(package), Some(version)) = (&server.package, &server.version) else { return Vec::new() };
    if lock.names(&server.name)
        || [&server.name, package, version].iter().any(|text| text.chars().any(char::is_control))
    {
        return Vec::new();
    }
    let Some(indent) = indent(lock.text()) else { return Vec::new() };
    let mut entry = Map::new();
    entry.insert("digest".to_owned(), json!(format!("sha256:{}", server.digest)));
    entry.insert("package".to_owned(), json!(package));
    entry.insert("version".to_owned(), json!(version));
    if let Some(integrity) = installed::integrity(host, subject, server.launcher, package, version) {
        entry.insert("integrity".to_owned(), json!(integrity));
    }
    vec![format!("{indent}{}: {}", json!(server.name), Value::Object(entry))]
}

/// How far the servers are set in, where they stand at the end of the file, one below the other.
fn indent(text: &str) -> Option<&str> {
    let said = |line: &&str| !line.trim().is_empty() && !line.trim_start().starts_with('#');
    let lines: Vec<&str> = text.lines().filter(said).collect();
    let at = lines.iter().position(|line| line.trim_end() == "servers:")?;
    let below = lines.get(at + 1..)?;
    let set_in = |line: &&str| line.starts_with(' ');
    let first = below.first().filter(|line| set_in(line))?;
    let indent = first.get(..first.len() - first.trim_start().len())?;
    (below.iter().all(set_in) && !text.contains('\t')).then_some(indent)
}

#[cfg(test)]
mod tests {
    use super::indent;

    #[test]
    fn a_line_is_added_only_behind_servers_that_end_the_file() {
        for (text, expected) in [
            ("version: 1\nservers:\n  a: { version: 1 }\n", Some("  ")),
            ("servers:\n    a:\n      version: 1\n\n# end\n", Some("    ")),
            ("servers:\n  a: {}\nversion: 1\n", None),
            ("servers: { a: {} }\n", None),
            ("servers:\n", None),
            ("{ \"servers\": {} }\n", None),
            ("", None),
        ] {
            assert_eq!(indent(text), expected, "{text}");
        }
    }
}
