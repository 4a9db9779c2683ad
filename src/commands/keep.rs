//! What scans and audits leave behind for the next one, in the folders of whoever runs them: a key, and what files held.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use gitleaks_rs::{Cache, Key, Scanner};
use sha2::{Digest, Sha256};

/// The key that tells repeats apart: the same in every scan of this account, and known to nobody else. Where it cannot
/// be kept, a new one each time.
pub(super) fn key() -> Key {
    Key::new(kept().unwrap_or_else(|_| fresh()))
}

fn kept() -> io::Result<[u8; 32]> {
    let file = state()?.join("key");
    if let Ok(mut open) = OpenOptions::new().read(true).custom_flags(nofollow()).open(&file) {
        let meta = open.metadata()?;
        let mut key = [0; 32];
        let private = meta.is_file() && meta.uid() == rustix::process::geteuid().as_raw() && meta.mode() & 0o077 == 0;
        if private && open.read_exact(&mut key).is_ok() {
            return Ok(key);
        }
        return Err(io::Error::other("the key is not private"));
    }
    let key = fresh();
    let mut new = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&file)?;
    new.write_all(&key)?;
    Ok(key)
}

fn nofollow() -> i32 {
    i32::try_from(rustix::fs::OFlags::NOFOLLOW.bits()).unwrap_or(0)
}

fn fresh() -> [u8; 32] {
    let mut key = [0; 32];
    let random = File::open("/dev/urandom").and_then(|mut file| file.read_exact(&mut key));
    random.expect("a system without randomness cannot tell secrets apart");
    key
}

/// Where what is kept for good lies.
pub(super) fn state() -> io::Result<PathBuf> {
    folder("XDG_STATE_HOME", ".local/state")
}

/// What earlier scans of a folder have seen; none where nothing can be kept.
pub(super) fn cache(scanned: &Path, key: &Key, scanner: &Scanner) -> Option<Cache> {
    let real = scanned.canonicalize().ok()?;
    let name: String =
        Sha256::digest(real.as_os_str().as_encoded_bytes()).iter().take(16).map(|b| format!("{b:02x}")).collect();
    let file = folder("XDG_CACHE_HOME", ".cache").ok()?.join(format!("scan-{name}"));
    Some(Cache::open(&file, key, scanner))
}

/// A folder of ours that nobody else may look into.
fn folder(variable: &str, usual: &str) -> io::Result<PathBuf> {
    let set = std::env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute());
    let home = || Some(PathBuf::from(std::env::var_os("HOME")?).join(usual)).filter(|path| path.is_absolute());
    let folder = set.or_else(home).ok_or(io::ErrorKind::NotFound)?.join("harden");
    DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
    let meta = std::fs::symlink_metadata(&folder)?;
    let private = meta.is_dir() && meta.uid() == rustix::process::geteuid().as_raw() && meta.mode() & 0o022 == 0;
    if private { Ok(folder) } else { Err(io::Error::other("others may write there")) }
}
