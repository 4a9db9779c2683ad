//! Accounts and groups, from the text that systems keep them in.

use std::collections::BTreeMap;
use std::io;

use super::{Host, Tool};
use crate::model::{AbsPath, Gid, Uid};

/// A user account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its name.
    pub name: String,
    /// Its number.
    pub uid: Uid,
    /// Its main group.
    pub gid: Gid,
    /// Its home.
    pub home: Option<AbsPath>,
    /// Its login shell.
    pub shell: String,
}

/// A group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// Its number.
    pub gid: Gid,
    /// The accounts listed in it; those that have it as main group are not.
    pub members: Vec<String>,
}

/// All accounts and groups of a host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Accounts {
    /// In the order of the system.
    pub users: Vec<Account>,
    /// In the order of the system.
    pub groups: Vec<Group>,
}

impl Account {
    /// Whether a person logs in with it, by the conventions of the two systems: a shell, and a number of the
    /// human range (1000 on Linux, 500 on macOS, which also hides names that start with `_`).
    pub fn is_human(&self, os: crate::model::Os) -> bool {
        let first = match os {
            crate::model::Os::Linux => 1000,
            crate::model::Os::Macos => 500,
        };
        (first..60_000).contains(&self.uid.0) && self.can_log_in() && !self.name.starts_with('_')
    }

    /// Whether its shell is one.
    pub fn can_log_in(&self) -> bool {
        !self.shell.ends_with("/nologin") && !self.shell.ends_with("/false") && !self.shell.is_empty()
    }
}

impl Accounts {
    /// The account of this name.
    pub fn user(&self, name: &str) -> Option<&Account> {
        self.users.iter().find(|user| user.name == name)
    }

    /// The first account of this number.
    pub fn user_of(&self, uid: Uid) -> Option<&Account> {
        self.users.iter().find(|user| user.uid == uid)
    }

    /// The name of a group number; the number as text where it has none.
    pub fn group_name(&self, gid: Gid) -> String {
        self.groups.iter().find(|g| g.gid == gid).map_or_else(|| gid.0.to_string(), |g| g.name.clone())
    }

    /// All groups of an account, the main one first.
    pub fn groups_of(&self, user: &Account) -> Vec<Gid> {
        let listed = self.groups.iter().filter(|g| g.members.contains(&user.name)).map(|g| g.gid);
        let mut all = vec![user.gid];
        all.extend(listed.filter(|gid| *gid != user.gid));
        all
    }

    /// Parses `passwd` and `group` text. Lines that are not of the form are left out, as libc does.
    pub fn parse(passwd: &str, group: &str) -> Self {
        Self {
            users: passwd.lines().filter_map(parse_user).collect(),
            groups: group.lines().filter_map(parse_group).collect(),
        }
    }
}

fn parse_user(line: &str) -> Option<Account> {
    let fields: Vec<&str> = line.split(':').collect();
    let [name, _, uid, gid, _, home, shell] = fields[..] else { return None };
    Some(Account {
        name: name.to_owned(),
        uid: Uid(uid.parse().ok()?),
        gid: Gid(gid.parse().ok()?),
        home: AbsPath::new(home),
        shell: shell.to_owned(),
    })
}

fn parse_group(line: &str) -> Option<Group> {
    let fields: Vec<&str> = line.split(':').collect();
    let [name, _, gid, members] = fields[..] else { return None };
    Some(Group {
        name: name.to_owned(),
        gid: Gid(gid.parse().ok()?),
        members: members.split(',').filter(|m| !m.is_empty()).map(str::to_owned).collect(),
    })
}

/// The accounts of macOS, as its directory service lists them.
pub(super) fn from_dscl(host: &dyn Host) -> io::Result<Accounts> {
    let ask = |args: &[&str]| {
        let output = host.run(Tool::Dscl, args).map_err(io::Error::other)?;
        Ok::<_, io::Error>(records(&output.stdout))
    };
    let users = ask(&[".", "-readall", "/Users", "UniqueID", "PrimaryGroupID", "NFSHomeDirectory", "UserShell"])?;
    let groups = ask(&[".", "-readall", "/Groups", "PrimaryGroupID", "GroupMembership"])?;
    Ok(Accounts {
        users: users.iter().filter_map(dscl_user).collect(),
        groups: groups.iter().filter_map(dscl_group).collect(),
    })
}

/// An attribute has several values where the account has several names or homes.
type Record = BTreeMap<String, Vec<String>>;

/// `Key: value value` lines in records that a line with `-` ends. Where one of the values has a blank in it, each
/// stands on a line of its own below the key, indented.
fn records(text: &str) -> Vec<Record> {
    let mut all = Vec::new();
    let mut record = Record::new();
    let mut last = String::new();
    for line in text.lines() {
        if line == "-" {
            all.push(std::mem::take(&mut record));
        } else if let Some(value) = line.strip_prefix(' ') {
            record.entry(last.clone()).or_default().push(value.to_owned());
        } else if let Some((key, values)) = line.split_once(':') {
            last = key.to_owned();
            record.insert(last.clone(), values.split_whitespace().map(str::to_owned).collect());
        }
    }
    all.extend((!record.is_empty()).then_some(record));
    all
}

/// The first value of an attribute: root has two names and two homes.
fn first<'a>(record: &'a Record, key: &str) -> Option<&'a str> {
    record.get(key)?.first().map(String::as_str)
}

/// macOS writes `nobody` as -2: the number is the same 32 bits.
fn number(record: &Record, key: &str) -> Option<u32> {
    let number: i64 = first(record, key)?.parse().ok()?;
    Some((number & 0xffff_ffff) as u32)
}

fn dscl_user(record: &Record) -> Option<Account> {
    Some(Account {
        name: first(record, "RecordName")?.to_owned(),
        uid: Uid(number(record, "UniqueID")?),
        gid: Gid(number(record, "PrimaryGroupID")?),
        home: first(record, "NFSHomeDirectory").and_then(AbsPath::new),
        shell: first(record, "UserShell").unwrap_or_default().to_owned(),
    })
}

fn dscl_group(record: &Record) -> Option<Group> {
    Some(Group {
        name: first(record, "RecordName")?.to_owned(),
        gid: Gid(number(record, "PrimaryGroupID")?),
        members: record.get("GroupMembership").cloned().unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_and_their_groups_are_read_from_the_two_files() {
        let accounts = Accounts::parse(
            "root:x:0:0:root:/root:/bin/bash\ndev:x:1000:1000::/home/dev:/bin/bash\nbroken\n",
            "root:x:0:\ndev:x:1000:\ndocker:x:998:dev,other\n",
        );
        let dev = accounts.user("dev").expect("listed");
        assert_eq!(accounts.groups_of(dev), [Gid(1000), Gid(998)]);
        assert_eq!(accounts.group_name(Gid(998)), "docker");
        assert_eq!(accounts.group_name(Gid(7)), "7");
        assert!(dev.is_human(crate::model::Os::Linux));
        assert_eq!(accounts.users.len(), 2);
    }

    #[test]
    fn directory_records_may_hold_several_values() {
        let text = "NFSHomeDirectory: /var/root /private/var/root\nPrimaryGroupID: 0\nRecordName:\n root\n BUILTIN\\Local System\nUniqueID: 0\nUserShell: /bin/sh\n-\nNFSHomeDirectory:\n /Users/a b\nPrimaryGroupID: 20\nRecordName: ab\nUniqueID: 502\nUserShell: /bin/zsh\n";
        let users: Vec<Account> = records(text).iter().filter_map(dscl_user).collect();
        let seen: Vec<_> =
            users.iter().map(|u| (u.name.as_str(), u.uid.0, u.home.as_ref().map(AbsPath::text))).collect();
        assert_eq!(seen, [("root", 0, Some("/var/root".into())), ("ab", 502, Some("/Users/a b".into()))]);
    }
}
