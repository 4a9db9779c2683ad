//! Values as they stand in configurations, and what merely looks like a secret.

use super::super::reference::Source;
use super::*;
use Class::{Placeholder, Plain, Reference as Ref, Secret};

#[test]
fn values_are_told_apart_by_name_and_shape() {
    let github = format!("ghp_{}", "16C7e42F292c6912E7710c838347Ae178B4a");
    let hex = "3f9a1c5b7d2e4f60819a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f70";
    for (name, value, class) in [
        ("GITHUB_TOKEN", github.as_str(), Secret),
        ("ANYTHING", github.as_str(), Secret),
        ("Authorization", &format!("Bearer {github}"), Secret),
        ("API_TOKEN", hex, Secret),
        ("ANYTHING", hex, Secret),
        ("DB_PASSWORD", "hunter2", Secret),
        ("DATABASE_URL", "postgres://app:s3cr3tpw@db.example/app", Secret),
        ("Authorization", "Bearer 7b1f55aa90c2", Secret),
        ("API_KEY", "correcthorse9battery", Secret),
        ("API_KEY", "${API_KEY:-9f8e7d6c5b4a39281706}", Secret),
        ("", "-----BEGIN OPENSSH PRIVATE KEY-----", Secret),
        // References.
        ("Authorization", "Bearer {env:GITHUB_TOKEN}", Ref),
        ("Authorization", "{file:~/.config/token}", Ref),
        ("API_KEY", "${API_KEY}", Ref),
        ("API_KEY", "${API_KEY:-}", Ref),
        ("API_KEY", "${input:api-key}", Ref),
        ("API_KEY", "$API_KEY", Ref),
        ("API_TOKEN", "${API_TOKEN:-${OTHER_TOKEN:-${THIRD_TOKEN}}}", Ref),
        ("API_TOKEN", "${API_TOKEN:-${OTHER_TOKEN:-9f8e7d6c5b4a39281706}}", Secret),
        ("API_KEY", "op://vault/item/field", Ref),
        ("DATABASE_URL", "postgres://app:${DB_PASSWORD}@db.example/app", Ref),
        ("API_KEY", "%API_KEY%", Ref),
        // Placeholders.
        ("API_KEY", "YOUR_API_KEY", Placeholder),
        ("API_KEY", "<token>", Placeholder),
        ("API_KEY", "<falkordb-password>", Placeholder),
        ("API_KEY", "[REDACTED_API_KEY]", Placeholder),
        ("API_KEY", "xxxxxxxxxxxxxxxx", Placeholder),
        ("API_KEY", "sk-xxxxxxxxxxxxxxxxxxxxxxxx", Placeholder),
        ("DB_PASSWORD", "changeme", Placeholder),
        ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE", Placeholder),
        ("API_KEY", "sk-proj-...", Placeholder),
        ("POSTGRES_PASSWORD", "postgres", Placeholder),
        ("DSN", "postgresql://user:pass@localhost:5432/db", Plain),
        // Plain.
        ("MAX_TOKENS", "4096000000", Plain),
        ("TOKEN_FILE", "/run/secrets/token", Plain),
        ("GITHUB_TOKEN", "/run/secrets/token", Plain),
        ("AUTH_TYPE", "oauth-device", Plain),
        ("AUTHOR", "Some Body With A Name", Plain),
        ("NODE_ENV", "production", Plain),
        ("PROJECT_ID", "6f1c1f7e-93a5-4b1e-8f1d-3f6a6f0d2a11", Plain),
        ("PATH", "/usr/local/bin:/usr/bin:/bin", Plain),
        ("DEBUG_AUTH", "true", Plain),
        ("ENABLE_TOKEN", "1", Plain),
        ("X-Toolset", "repos,issues,pull_requests,actions", Plain),
        ("DATABASE_URL", "postgres://db.internal/app", Plain),
        ("", "@modelcontextprotocol/server-filesystem@2025.11.25", Plain),
        ("API_KEY", "", Plain),
    ] {
        assert_eq!(classify(name, value).class, class, "{name}={value}");
    }
}

#[test]
fn references_are_named_with_their_source_and_without_defaults() {
    for (value, text, source) in [
        ("Bearer {env:TOKEN}", "{env:TOKEN}", Source::Env),
        ("{file:~/.aws/credentials}", "{file:~/.aws/credentials}", Source::File),
        ("x${TOKEN:-hunter2}y", "${TOKEN}", Source::Variable),
        ("${env:TOKEN}", "${env:TOKEN}", Source::Variable),
        ("${input:token}", "${input:token}", Source::Prompt),
        ("$(pass show x)", "$(pass show x)", Source::Command),
    ] {
        let found = classify("", value).references;
        assert_eq!(found, [Reference { text: text.into(), source }], "{value}");
    }
    assert!(classify("", "costs $5 or 100% of {env:}").references.is_empty());
}

#[test]
fn open_braces_without_end_cost_little() {
    for piece in ["{env:", "${a:-", "$(", "{{", "op://", "%A"] {
        classify("API_KEY", &piece.repeat(1 << 19));
    }
}
