//! Where a finding can be seen on the web.

use super::finding::Finding;

/// Who shows a repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Platform {
    /// GitHub.
    GitHub,
    /// GitLab.
    GitLab,
    /// Azure DevOps.
    AzureDevOps,
    /// Gitea and Forgejo.
    Gitea,
    /// Bitbucket.
    Bitbucket,
}

/// A repository on the web.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remote {
    platform: Platform,
    url: String,
}

impl Remote {
    /// A repository by the address that git has for it, if it is known who shows it.
    pub fn new(address: &str, platform: Option<Platform>) -> Option<Self> {
        let address = address.trim();
        let https = from_ssh(address).unwrap_or_else(|| address.to_owned());
        let address = https.strip_suffix(".git").unwrap_or(&https);
        let (scheme, rest) = address.split_once("://")?;
        let (authority, path) = rest.find('/').map_or((rest, ""), |slash| rest.split_at(slash));
        // A name and a password in front of the host are nobody's business.
        let host = authority.rsplit('@').next().unwrap_or_default();
        let platform = platform.or_else(|| of_host(host))?;
        Some(Self { platform, url: format!("{scheme}://{host}{path}") })
    }

    /// Where a finding of a commit is.
    pub(super) fn link(&self, finding: &Finding) -> String {
        if finding.commit.is_empty() {
            return String::new();
        }
        let (outer, inner) =
            finding.file.split_once('!').map_or((finding.file.as_str(), false), |(outer, _)| (outer, true));
        let file = outer.replace('%', "%25").replace(' ', "%20");
        let (url, commit) = (&self.url, &finding.commit);
        let lines = |first: &str, last: &str| lines(finding, first, last);
        let rendered = |query: &'static str| {
            let name = file.rsplit('/').next().unwrap_or_default().to_lowercase();
            if name.ends_with(".md") || name.ends_with(".ipynb") { query } else { "" }
        };
        let (start, end) = match self.platform {
            Platform::GitHub => {
                (format!("{url}/blob/{commit}/{file}"), rendered("?plain=1").to_owned() + &lines("#L", "-L"))
            }
            Platform::GitLab => (format!("{url}/blob/{commit}/{file}"), lines("#L", "-")),
            Platform::AzureDevOps => {
                let all = "&lineStartColumn=1&lineEndColumn=10000000&type=2&lineStyle=plain&_a=files";
                (format!("{url}/commit/{commit}?path=/{file}"), lines("&line=", "&lineEnd=") + all)
            }
            Platform::Gitea => (
                format!("{url}/src/commit/{commit}/{file}"),
                rendered("?display=source").to_owned() + &lines("#L", "-L"),
            ),
            Platform::Bitbucket => (format!("{url}/src/{commit}/{file}"), lines("#lines-", ":")),
        };
        if inner { start } else { start + &end }
    }
}

fn lines(finding: &Finding, first: &str, last: &str) -> String {
    let mut text = String::new();
    if finding.start_line != 0 {
        text = format!("{first}{}", finding.start_line);
    }
    if finding.end_line != finding.start_line {
        text += &format!("{last}{}", finding.end_line);
    }
    text
}

/// `git@host:22/path.git` as an address.
fn from_ssh(address: &str) -> Option<String> {
    let (host, path) = address.strip_prefix("git@")?.split_once(':')?;
    let allowed = |text: &str, more: &str| {
        !text.is_empty() && text.chars().all(|letter| letter.is_ascii_alphanumeric() || more.contains(letter))
    };
    let port = path
        .split_once('/')
        .filter(|(port, _)| port.len() <= 5 && !port.is_empty() && port.bytes().all(|digit| digit.is_ascii_digit()));
    let path = port.map_or(path, |(_, path)| path);
    let path = path.strip_suffix(".git").unwrap_or(path);
    (allowed(host, ".-") && allowed(path, "_/.-")).then(|| format!("https://{host}/{path}"))
}

fn of_host(authority: &str) -> Option<Platform> {
    let host = authority.split(':').next().unwrap_or_default().to_lowercase();
    Some(match host.as_str() {
        "github.com" => Platform::GitHub,
        "gitlab.com" => Platform::GitLab,
        "dev.azure.com" | "visualstudio.com" => Platform::AzureDevOps,
        "gitea.com" | "code.forgejo.org" | "codeberg.org" => Platform::Gitea,
        "bitbucket.org" => Platform::Bitbucket,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lead_to_the_lines() {
        let finding = |file: &str, end| Finding {
            file: file.to_owned(),
            commit: "c0".to_owned(),
            start_line: 3,
            end_line: end,
            ..Finding::default()
        };
        for (address, file, end, expected) in [
            ("git@github.com:o/r.git", "a b/c%.MD", 3, "https://github.com/o/r/blob/c0/a%20b/c%25.MD?plain=1#L3"),
            ("https://u:p@gitlab.com/o/r.git", "a.md", 5, "https://gitlab.com/o/r/blob/c0/a.md#L3-5"),
            ("git@codeberg.org:22/o/r", "a.zip!b", 3, "https://codeberg.org/o/r/src/commit/c0/a.zip"),
            ("https://bitbucket.org/o/r", "a", 4, "https://bitbucket.org/o/r/src/c0/a#lines-3:4"),
        ] {
            let remote = Remote::new(address, None).expect(address);
            assert_eq!(remote.link(&finding(file, end)), expected);
        }
        assert_eq!(Remote::new("https://example.org/o/r", None), None);
        assert_eq!(Remote::new("/srv/repo.git", None), None);
    }
}
