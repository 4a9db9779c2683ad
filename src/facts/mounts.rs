//! Mounts of the running machine, from `/proc/self/mountinfo`.

use super::reach::{abs, text};
use crate::host::Host;
use crate::model::{AbsPath, Unseen};

/// The mounts, in the order in which they were made.
pub(super) struct Mounts(Vec<Mount>);

struct Mount {
    point: AbsPath,
    kind: String,
    /// Options of the mount, then those of the file system.
    options: Vec<String>,
}

impl Mounts {
    /// Reads them; none for an image.
    pub(super) fn read(host: &dyn Host) -> Result<Self, Unseen> {
        if !host.is_live() {
            return Ok(Self(Vec::new()));
        }
        let content = text(host, &abs("/proc/self/mountinfo"), 8 << 20)?;
        Ok(Self::parse(&content.unwrap_or_default()))
    }

    fn parse(text: &str) -> Self {
        Self(text.lines().filter_map(parse_line).collect())
    }

    /// Whether programs on the file system of `path` start without raised rights.
    pub(super) fn is_nosuid(&self, path: &AbsPath) -> bool {
        // Of several at one point the last one covers the others.
        let over = self.0.iter().filter(|mount| path.is_within(&mount.point));
        let deepest = over.max_by_key(|mount| mount.point.as_path().components().count());
        deepest.is_some_and(|mount| mount.options.iter().any(|option| option == "nosuid"))
    }

    /// The `hidepid` option of `/proc`, in words; None where nothing is mounted there.
    pub(super) fn hidepid(&self) -> Option<String> {
        let proc = self.0.iter().rev().find(|mount| mount.kind == "proc" && mount.point == abs("/proc"))?;
        let value = proc.options.iter().find_map(|option| option.strip_prefix("hidepid="));
        Some(match value {
            None | Some("0") => "off".to_owned(),
            Some("1") => "noaccess".to_owned(),
            Some("2") => "invisible".to_owned(),
            Some("4") => "ptraceable".to_owned(),
            Some(other) => other.to_owned(),
        })
    }
}

/// `36 35 98:0 /root /point opts tags - kind source superopts`.
fn parse_line(line: &str) -> Option<Mount> {
    let (front, back) = line.split_once(" - ")?;
    let mut front = front.split(' ').skip(4);
    let (point, own) = (front.next()?, front.next()?);
    let mut back = back.split(' ');
    let kind = back.next()?.to_owned();
    let super_options = back.nth(1).unwrap_or_default();
    let options = own.split(',').chain(super_options.split(',')).map(str::to_owned).collect();
    Some(Mount { point: AbsPath::new(unescape(point))?, kind, options })
}

/// Blanks, tabs, line ends and backslashes are written as octal numbers.
fn unescape(text: &str) -> String {
    text.replace("\\040", " ").replace("\\011", "\t").replace("\\012", "\n").replace("\\134", "\\")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
23 22 0:21 / /proc rw,nosuid shared:5 - proc proc rw,hidepid=invisible
24 22 0:22 / /tmp rw,nosuid,nodev - tmpfs tmpfs rw
25 24 0:23 / /tmp/with\\040blank rw - tmpfs tmpfs rw
broken
";

    #[test]
    fn the_deepest_mount_decides() {
        let mounts = Mounts::parse(TEXT);
        for (path, nosuid) in [("/usr/bin/su", false), ("/tmp/x", true), ("/tmp/with blank/x", false), ("/tmpx", false)]
        {
            assert_eq!(mounts.is_nosuid(&abs(path)), nosuid, "{path}");
        }
        assert_eq!(mounts.hidepid().as_deref(), Some("invisible"));
    }
}
