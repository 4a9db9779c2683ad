//! What a name says of a secret: a variable's, a header's, an option's, a key's in a file. One table of words, asked
//! in two ways: where nothing but the name is known, and where the value is looked at too and a name may say less.

/// Whether what stands under this name is probably a secret, when its value is not looked at.
pub(super) fn is_secret(name: &str) -> bool {
    let upper = name.to_uppercase();
    let is = |known: &&str| upper == **known || upper.ends_with(&format!("_{known}"));
    KNOWN.iter().any(is) || upper.starts_with("OP_SESSION") || promises(&words(name), Weak::AtTheEnd)
}

/// Whether it may be one, when its value is judged as well.
pub(super) fn may_be_secret(name: &str) -> bool {
    is_password(name) || promises(&words(name), Weak::Anywhere)
}

/// Whether it is a password: then even a short value is a secret.
pub(super) fn is_password(name: &str) -> bool {
    let words = words(name);
    words.last().is_some_and(|last| last.ends_with("PASSWORD") || matches!(&**last, "PASSWD" | "PASSPHRASE" | "PWD"))
}

/// Whether the name says that the value is sent to every browser.
pub(super) fn is_shipped(name: &str) -> bool {
    words(name).iter().any(|word| SHIPPED.contains(&word.as_str()))
}

/// Where a word that is often harmless has to stand to be believed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Weak {
    AtTheEnd,
    Anywhere,
}

/// The words of a name, in capitals: `X-Api-Key`, `GITHUB_TOKEN`, `apiKey`, `--api-key`.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_lower = false;
    for c in name.chars() {
        if !c.is_alphanumeric() || (c.is_uppercase() && was_lower) {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| c.is_alphanumeric()) {
            word.extend(c.to_uppercase());
        }
        was_lower = c.is_lowercase();
    }
    words.retain(|word| !word.is_empty());
    words
}

fn promises(words: &[String], weak: Weak) -> bool {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let has = |list: &[&str]| words.iter().any(|word| list.contains(word));
    if words.last().is_none_or(|last| ABOUT.contains(last)) || has(MEASURES) || has(PUBLIC) {
        return false;
    }
    (0..words.len()).any(|at| {
        let (before, word) = (at.checked_sub(1).map_or("", |before| words[before]), words[at]);
        let is_believed = weak == Weak::Anywhere || at + 1 == words.len();
        match word {
            _ if STRONG.iter().any(|strong| word.ends_with(strong)) => true,
            "KEY" => weak == Weak::Anywhere || !OTHER_KEYS.contains(&before),
            "KEYS" => KEYS.contains(&before),
            "TOKENS" => is_believed && TOKENS.contains(&before),
            // Alone, or as one of these, it is the folder that a shell stands in.
            "PWD" => weak == Weak::Anywhere || is_believed && !matches!(before, "" | "OLD" | "INIT"),
            "SESSION" => before == "BW" && is_believed,
            _ => is_believed && WEAK.contains(&word),
        }
    })
}

/// Names whose value is a secret although no word of them says so.
const KNOWN: &[&str] = &[
    "AWS_ACCESS_KEY_ID",
    "DATABASE_URL",
    "DATABASE_URI",
    "DB_URL",
    "DB_URI",
    "REDIS_URL",
    "REDIS_URI",
    "MONGO_URL",
    "MONGO_URI",
    "MONGODB_URL",
    "MONGODB_URI",
    "POSTGRES_URL",
    "POSTGRES_URI",
    "POSTGRESQL_URL",
    "PG_URL",
    "MYSQL_URL",
    "MYSQL_URI",
    "AMQP_URL",
    "RABBITMQ_URL",
    "CLOUDAMQP_URL",
    "BROKER_URL",
    "JDBC_URL",
    "WEBHOOK_URL",
    "CONNECTION_STRING",
    "CONNECTIONSTRING",
];

/// Words that promise a secret wherever they stand, and at the end of longer ones: `PGPASSWORD`.
const STRONG: &[&str] = &[
    "TOKEN",
    "SECRET",
    "SECRETS",
    "PASSWORD",
    "PASSWORDS",
    "PASSWD",
    "PASSPHRASE",
    "CREDENTIAL",
    "CREDENTIALS",
    "APIKEY",
    "APIKEYS",
    "ACCESSKEY",
    "SECRETKEY",
    "PRIVATEKEY",
    "AUTHKEY",
];

/// Words that promise one at the end of a name, and before another word often do not: `AUTH_REALM`.
const WEAK: &[&str] = &["AUTH", "AUTHORIZATION", "BEARER", "COOKIE", "DSN", "JWT", "PASS", "PAT"];

/// What stands before `KEYS` that are secrets.
const KEYS: &[&str] = &["API", "ACCESS", "SECRET", "PRIVATE"];

/// What stands before `TOKENS` that are no pieces of text.
const TOKENS: &[&str] = &["API", "ACCESS", "AUTH", "REFRESH", "BEARER"];

/// What stands before a `KEY` that everyone may have, or of a table or a keyboard.
const OTHER_KEYS: &[&str] = &["PUB", "PRIMARY", "FOREIGN", "SORT", "PARTITION", "CACHE", "HOT", "INDEX"];

/// A name with such a word speaks of what everyone may know.
const PUBLIC: &[&str] = &["PUBLIC", "PUBLISHABLE"];

/// Keys for browsers, and prefixes of variables that are built into pages.
const SHIPPED: &[&str] = &["ANON", "PUBLIC", "VITE"];

/// A name with such a word speaks of how many or how long.
const MEASURES: &[&str] = &["MAX", "MIN", "NUM", "BUDGET", "TTL", "EXPIRY", "EXPIRES", "EXPIRATION"];

/// A last word after which the name speaks *about* a secret: where it lies, whose it is.
const ABOUT: &[&str] = &[
    "PATH",
    "FILE",
    "FILES",
    "FILENAME",
    "DIR",
    "DIRECTORY",
    "FOLDER",
    "ID",
    "NAME",
    "NAMES",
    "TYPE",
    "TYPES",
    "KIND",
    "LENGTH",
    "SIZE",
    "LIMIT",
    "LIMITS",
    "COUNT",
    "URL",
    "URI",
    "ENDPOINT",
    "ISSUER",
    "AUDIENCE",
    "DOMAIN",
    "ALGORITHM",
    "FORMAT",
    "ENABLED",
    "DISABLED",
    "REQUIRED",
    "HEADER",
    "PREFIX",
    "SUFFIX",
    "SOCK",
    "SOCKET",
    "TIMEOUT",
    "VERSION",
    "PROVIDER",
    "HOST",
    "PORT",
    "MODE",
    "METHOD",
    "POLICY",
    "ROTATION",
    "STORE",
    "VAULT",
    "BACKEND",
    "MANAGER",
    "HELPER",
    "PROMPT",
    "RING",
    "MAP",
    "BINDINGS",
    "FIELD",
    "COLUMN",
    "ENV",
    "VAR",
    "USER",
    "USERNAME",
    "REGION",
    "THROUGH",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_hold_secrets_are_told_from_names_about_them() {
        for name in [
            "OPENAI_API_KEY",
            "GITHUB_TOKEN",
            "GH_PAT",
            "AWS_SECRET_ACCESS_KEY",
            "AWS_ACCESS_KEY_ID",
            "PGPASSWORD",
            "DB_PASS",
            "SENTRY_DSN",
            "APP_DATABASE_URL",
            "SLACK_WEBHOOK_URL",
            "KEY",
            "apiKey",
            "NPM_CONFIG__AUTH",
            "GOOGLE_APPLICATION_CREDENTIALS",
            "MYSQL_PWD",
            "OP_SESSION_team",
            "BW_SESSION",
        ] {
            assert!(is_secret(name), "{name}");
        }
        for name in [
            "KEYBOARD",
            "SSH_KEYGEN_PATH",
            "MONKEY",
            "PUBLIC_KEY",
            "SIGNING_PUBLIC_KEY",
            "NEXT_PUBLIC_API_KEY",
            "MAX_TOKENS",
            "TOKENIZERS_PARALLELISM",
            "TOKEN_URL",
            "SSH_AUTH_SOCK",
            "GPG_KEY_ID",
            "PWD",
            "OLDPWD",
            "OLD_PWD",
            "PASSTHROUGH",
            "AUTHOR",
            "AUTH_TYPE",
            "PATH",
            "COMPASS",
            "SSH_ASKPASS",
            "HOTKEY",
            "SECRET_MANAGER_PROVIDER",
            "XDG_SESSION_ID",
            "PASSWORD_STORE_DIR",
            "",
        ] {
            assert!(!is_secret(name), "{name}");
        }
    }

    #[test]
    fn a_name_beside_a_value_may_say_less() {
        for (name, may_be) in [
            ("GITHUB_TOKEN", true),
            ("githubToken", true),
            ("X-Api-Key", true),
            ("--api-key", true),
            ("apikey", true),
            ("Authorization", true),
            ("CLIENT_SECRET", true),
            ("PGPASSWORD", true),
            ("PWD_TEST", true),
            ("--pwd", true),
            ("--primary-key", true),
            ("AUTH_REALM", true),
            ("MAX_TOKENS", false),
            ("TOKENIZER", false),
            ("PUBLIC_KEY", false),
            ("KEY_ID", false),
            ("--key-field", false),
            ("AUTH_TYPE", false),
            ("AUTHOR", false),
            ("MONKEY", false),
            ("TOKEN_FILE", false),
            ("DATABASE_URL", false),
        ] {
            assert_eq!(may_be_secret(name), may_be, "{name}");
        }
        assert!(!is_secret("AUTH_REALM") && is_shipped("VITE_API_KEY") && !is_shipped("INVITE_API_KEY"));
    }
}
