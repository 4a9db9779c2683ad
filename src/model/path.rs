//! Absolute, normalised paths, compared by component.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An absolute path without `.` or `..`. Links in it are not resolved: that is [`crate::host`]'s work.
///
/// The bytes are kept as they are; text made from it is lossy where they are not UTF-8.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AbsPath(PathBuf);

impl AbsPath {
    /// The top of the file system.
    pub fn root() -> Self {
        Self(PathBuf::from("/"))
    }

    /// Normalises `path` by its text alone. None where it is not absolute.
    pub fn new(path: impl AsRef<Path>) -> Option<Self> {
        let path = path.as_ref();
        path.has_root().then(|| Self::root().join(path))
    }

    /// `other` seen from here; an absolute `other` replaces this path. `..` stops at the root.
    pub fn join(&self, other: impl AsRef<Path>) -> Self {
        let mut out = self.0.clone();
        for component in other.as_ref().components() {
            match component {
                Component::RootDir | Component::Prefix(_) => out = PathBuf::from("/"),
                Component::CurDir => {}
                Component::ParentDir => {
                    out.pop();
                }
                Component::Normal(name) => out.push(name),
            }
        }
        Self(out)
    }

    /// The folder that holds it; none for the root.
    pub fn parent(&self) -> Option<Self> {
        self.0.parent().map(|p| Self(p.to_owned()))
    }

    /// The last component; none for the root.
    pub fn name(&self) -> Option<&OsStr> {
        self.0.file_name()
    }

    /// The last component as text, empty for the root.
    pub fn name_text(&self) -> Cow<'_, str> {
        self.name().map_or(Cow::Borrowed(""), OsStr::to_string_lossy)
    }

    /// This path, then its parents up to the root.
    pub fn ancestors(&self) -> impl Iterator<Item = Self> + '_ {
        self.0.ancestors().map(|p| Self(p.to_owned()))
    }

    /// Whether it is `base` or lies below it.
    pub fn is_within(&self, base: &Self) -> bool {
        self.0.starts_with(&base.0)
    }

    /// The rest of the path below `base`.
    pub fn below<'a>(&'a self, base: &Self) -> Option<&'a Path> {
        self.0.strip_prefix(&base.0).ok()
    }

    /// For calls into the standard library.
    pub fn as_path(&self) -> &Path {
        &self.0
    }

    /// As text, lossy, for facts; printing still goes through [`super::plain`].
    pub fn text(&self) -> String {
        self.0.to_string_lossy().into_owned()
    }
}

impl Default for AbsPath {
    fn default() -> Self {
        Self::root()
    }
}

impl std::fmt::Display for AbsPath {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&super::plain(&self.0.to_string_lossy()))
    }
}

impl Serialize for AbsPath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.to_string_lossy())
    }
}

impl<'de> Deserialize<'de> for AbsPath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::new(&text).ok_or_else(|| serde::de::Error::custom(format!("`{text}` is not an absolute path")))
    }
}

impl JsonSchema for AbsPath {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "AbsPath".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        String::json_schema(generator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn abs(path: &str) -> AbsPath {
        AbsPath::new(path).expect("absolute")
    }

    #[test]
    fn paths_are_normalised_by_text() {
        for (given, normal) in [("/a/./b/../c", "/a/c"), ("/../..", "/"), ("/a//b/", "/a/b")] {
            assert_eq!(abs(given).text(), normal, "{given}");
        }
        assert_eq!(AbsPath::new("a/b"), None);
    }

    #[test]
    fn within_compares_components_not_letters() {
        assert!(abs("/srv/app/x").is_within(&abs("/srv/app")));
        assert!(abs("/srv/app").is_within(&abs("/srv/app")));
        assert!(!abs("/srv/application").is_within(&abs("/srv/app")));
    }
}
