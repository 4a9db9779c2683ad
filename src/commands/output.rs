//! Where reports go: standard output, or a file that is either there in full or as it was.

use std::io::{self, Write};
use std::path::Path;

use rustix::fs::Access;

use super::{Failure, terminal};
use crate::cli::{Format, Output};
use crate::report::{self, Look, Report};

/// Refuses what cannot work before any time is spent on it.
pub(super) fn check<F>(outputs: &[Output<F>]) -> Result<(), Failure> {
    if outputs.iter().filter(|output| output.file.is_none()).count() > 1 {
        return Err(Failure::usage(
            "two formats for standard output",
            "give all but one a file: `-f table -f sarif=harden.sarif`",
        ));
    }
    for file in outputs.iter().filter_map(|output| output.file.as_deref()) {
        if file.is_dir() {
            return Err(Failure::usage(format!("`{}` is a folder", file.display()), "name a file in it"));
        }
        let folder = folder_of(file);
        if !folder.is_dir() {
            let message = format!("cannot write `{}`: there is no folder `{}`", file.display(), folder.display());
            return Err(Failure::usage(message, "create it first, or name another file"));
        }
        // A device or pipe is written to as it is; anything else is put in place through its folder.
        if (!file.exists() || file.is_file()) && rustix::fs::access(folder, Access::WRITE_OK | Access::EXEC_OK).is_err()
        {
            let message = format!("cannot write `{}`: the folder lets you make no file in it", file.display());
            return Err(Failure::usage(message, "name a file in a folder that is yours"));
        }
    }
    Ok(())
}

/// Writes the report in each form.
pub(super) fn write(report: &Report, outputs: &[Output], look: Look) -> Result<(), Failure> {
    write_each(outputs, look, |format, look| text(report, format, look))
}

/// Writes what `text` makes of each form.
pub(super) fn write_each<F: Copy>(
    outputs: &[Output<F>],
    look: Look,
    text: impl Fn(F, Look) -> String,
) -> Result<(), Failure> {
    for output in outputs {
        match &output.file {
            None => terminal::print(&text(output.format, look))?,
            Some(file) => {
                let look = Look { verbose: look.verbose, quiet: look.quiet, ..terminal::file_look() };
                let text = text(output.format, look);
                replace(file, text.as_bytes()).map_err(|cause| Failure::file(file, &cause))?;
            }
        }
    }
    Ok(())
}

fn text(report: &Report, format: Format, look: Look) -> String {
    match format {
        Format::Table => report::table(report, look),
        Format::Json => report::json(report),
        Format::Sarif => report::sarif(report),
        Format::Junit => report::junit(report),
        Format::Csv => report::csv(report),
        Format::Github => report::github(report),
        Format::Markdown => report::markdown(report),
    }
}

/// Puts a file in place at once: a reader never sees half of it. A device, pipe or terminal is written to as it is.
pub(super) fn replace(file: &Path, bytes: &[u8]) -> io::Result<()> {
    let file = match file.canonicalize() {
        Ok(real) if !real.is_file() => return std::fs::OpenOptions::new().write(true).open(real)?.write_all(bytes),
        // Where the name is a link, what it leads to is replaced.
        Ok(real) => real,
        Err(_) => file.to_owned(),
    };
    let mut builder = tempfile::Builder::new();
    builder.prefix(".harden-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        // As any new file; the umask takes its share.
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    let mut new = builder.tempfile_in(folder_of(&file))?;
    new.write_all(bytes)?;
    new.as_file().sync_all()?;
    new.persist(&file).map_err(|error| error.error)?;
    Ok(())
}

fn folder_of(file: &Path) -> &Path {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_in_full_and_a_device_is_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("report.json");
        std::fs::write(&file, "old and longer").expect("writable");
        let link = folder.path().join("link.json");
        std::os::unix::fs::symlink(&file, &link).expect("a link");
        replace(&link, b"new").expect("replaced");
        assert_eq!(std::fs::read_to_string(&file).expect("readable"), "new");
        assert!(link.is_symlink());
        assert_eq!(std::fs::read_dir(folder.path()).expect("readable").count(), 2);
        replace(Path::new("/dev/null"), b"x").expect("written");
        assert!(!Path::new("/dev/null").is_file());
    }
}
