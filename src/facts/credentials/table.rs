//! Where tools keep credentials, and how to tell that a file holds one.

use super::proof::Proof::{self, Any, Auths, GpgKey, KubeConfig, Lines, Password, PrivateKey, Text};

/// A place below a home. A last component with `*` is a folder whose files are looked at one by one.
pub(in crate::facts) struct Known {
    /// Relative to the home.
    pub(in crate::facts) path: &'static str,
    /// What it is for.
    pub(in crate::facts) product: &'static str,
    /// Whether it opens production rather than a developer's tools: clouds, clusters, databases, vaults.
    pub(in crate::facts) production: bool,
    /// How to tell that it holds something.
    pub(in crate::facts) proof: Proof,
}

const fn production(path: &'static str, product: &'static str, proof: Proof) -> Known {
    Known { path, product, production: true, proof }
}

const fn developer(path: &'static str, product: &'static str, proof: Proof) -> Known {
    Known { path, product, production: false, proof }
}

/// All of them.
pub(in crate::facts) const KNOWN: &[Known] = &[
    production(".aws/credentials", "AWS", Text(&["aws_secret_access_key", "aws_session_token"])),
    production(".aws/sso/cache/*", "AWS", Text(&["\"accessToken\"", "\"refreshToken\""])),
    production(".aws/cli/cache/*", "AWS", Text(&["\"SecretAccessKey\""])),
    production(".boto", "AWS", Text(&["aws_secret_access_key", "gs_secret_access_key", "gs_oauth2_refresh_token"])),
    production(".s3cfg", "S3", Lines(&["secret_key"])),
    production(".config/gcloud/application_default_credentials.json", "Google Cloud", Any),
    production(".config/gcloud/credentials.db", "Google Cloud", Any),
    production(".config/gcloud/access_tokens.db", "Google Cloud", Any),
    production(".azure/msal_token_cache.json", "Azure", Any),
    production(".azure/msal_token_cache.bin", "Azure", Any),
    production(".azure/accessTokens.json", "Azure", Any),
    production(".azure/service_principal_entries.json", "Azure", Any),
    production(".oci/oci_api_key.pem", "Oracle Cloud", PrivateKey),
    production(".config/openstack/clouds.yaml", "OpenStack", Lines(&["password", "application_credential_secret"])),
    production(".config/doctl/config.yaml", "DigitalOcean", Lines(&["access-token"])),
    production(".config/hcloud/cli.toml", "Hetzner Cloud", Lines(&["token"])),
    production(".fly/config.yml", "Fly", Lines(&["access_token"])),
    production(".config/.wrangler/config/default.toml", "Cloudflare", Lines(&["oauth_token", "refresh_token"])),
    production(".wrangler/config/default.toml", "Cloudflare", Lines(&["oauth_token", "refresh_token"])),
    production(".local/share/com.vercel.cli/auth.json", "Vercel", Text(&["\"token\""])),
    production(
        ".config/rclone/rclone.conf",
        "rclone",
        Lines(&["token", "pass", "secret_access_key", "service_account_credentials"]),
    ),
    production(".databrickscfg", "Databricks", Lines(&["token", "client_secret"])),
    production(".snowflake/connections.toml", "Snowflake", Lines(&["password", "token"])),
    production(".kube/config", "Kubernetes", KubeConfig),
    production(".terraform.d/credentials.tfrc.json", "Terraform", Text(&["\"token\""])),
    production(".terraformrc", "Terraform", Lines(&["token"])),
    production(".pulumi/credentials.json", "Pulumi", Text(&["\"accessTokens\""])),
    production(".vault-token", "Vault", Any),
    production(".config/op/config", "1Password", Text(&["\"accountKey\"", "\"secretKey\""])),
    production(".op/config", "1Password", Text(&["\"accountKey\"", "\"secretKey\""])),
    production(".config/sops/age/keys.txt", "age", Text(&["AGE-SECRET-KEY-"])),
    production(".config/age/*", "age", Text(&["AGE-SECRET-KEY-"])),
    production(".age/*", "age", Text(&["AGE-SECRET-KEY-"])),
    production(".gnupg/private-keys-v1.d/*", "GnuPG", GpgKey),
    production(".gnupg/secring.gpg", "GnuPG", Any),
    production(".pgpass", "PostgreSQL", Any),
    production(".my.cnf", "MySQL", Lines(&["password"])),
    production(".mylogin.cnf", "MySQL", Any),
    developer(".config/gh/hosts.yml", "GitHub CLI", Lines(&["oauth_token"])),
    developer(".config/hub", "GitHub CLI", Lines(&["oauth_token", "- oauth_token"])),
    developer(".config/glab-cli/config.yml", "GitLab CLI", Lines(&["token"])),
    developer(".git-credentials", "git", Password),
    developer(".config/git/credentials", "git", Password),
    developer(".netrc", "netrc", Text(&["password"])),
    developer(".npmrc", "npm", Lines(&["_authToken", "_auth", "_password"])),
    developer(".yarnrc.yml", "Yarn", Lines(&["npmAuthToken", "npmAuthIdent"])),
    developer(".pypirc", "PyPI", Lines(&["password"])),
    developer(".config/pip/pip.conf", "pip", Password),
    developer(".pip/pip.conf", "pip", Password),
    developer(".cargo/credentials.toml", "Cargo", Lines(&["token"])),
    developer(".cargo/credentials", "Cargo", Lines(&["token"])),
    developer(".docker/config.json", "Docker", Auths),
    developer(".config/containers/auth.json", "Podman", Auths),
    developer(".config/helm/registry/config.json", "Helm", Auths),
    developer(".m2/settings.xml", "Maven", Text(&["<password>", "<passphrase>"])),
    developer(".m2/settings-security.xml", "Maven", Text(&["<master>"])),
    developer(".gradle/gradle.properties", "Gradle", Lines(&["password", "token", "secret"])),
    developer(".gem/credentials", "RubyGems", Lines(&[":rubygems_api_key", "rubygems_api_key"])),
    developer(".local/share/gem/credentials", "RubyGems", Lines(&[":rubygems_api_key", "rubygems_api_key"])),
    developer(".composer/auth.json", "Composer", Text(&["\"password\"", "\"token\"", "oauth"])),
    developer(".config/composer/auth.json", "Composer", Text(&["\"password\"", "\"token\"", "oauth"])),
    developer(".nuget/NuGet/NuGet.Config", "NuGet", Text(&["ClearTextPassword", "key=\"Password\""])),
    developer(".cache/huggingface/token", "Hugging Face", Any),
    developer(".huggingface/token", "Hugging Face", Any),
    developer(".ssh/*", "SSH", PrivateKey),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_relative_and_a_star_stands_alone() {
        for known in KNOWN {
            assert!(!known.path.starts_with('/'), "{}", known.path);
            let (folder, name) = known.path.rsplit_once('/').unwrap_or(("", known.path));
            assert!(!folder.contains('*') && (name == "*" || !name.contains('*')), "{}", known.path);
        }
    }
}
