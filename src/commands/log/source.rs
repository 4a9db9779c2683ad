//! The lines of a log and of the files it was rotated into, oldest first, as far back as a bound allows.

use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};

use crate::host::{Host, is_absent};
use crate::model::AbsPath;

/// So many bytes are read, the newest.
const BYTES: u64 = 256 << 20;
/// So many files.
const FILES: usize = 999;
/// The longest line; what is longer is passed over.
const LINE: u64 = 64 << 10;

/// Gives each line to `each`; whether an older part was left out.
pub(super) fn read(host: &dyn Host, log: &AbsPath, each: &mut dyn FnMut(&str)) -> io::Result<bool> {
    let mut files = Vec::new();
    let mut left = BYTES;
    let folder = log.parent().unwrap_or_else(AbsPath::root);
    for number in 0..=FILES {
        let path = if number == 0 { log.clone() } else { folder.join(format!("{}.{number}", log.name_text())) };
        let size = match host.stat(&path) {
            Ok(stat) => stat.size,
            Err(error) if is_absent(&error) && number > 0 => break,
            Err(error) => return Err(error),
        };
        let taken = size.min(left);
        left -= taken;
        files.push((path, size - taken, taken));
        if left == 0 {
            break;
        }
    }
    for (path, from, taken) in files.iter().rev().filter(|(_, _, taken)| *taken > 0) {
        let mut file = host.open(path)?;
        file.seek(SeekFrom::Start(*from))?;
        lines(BufReader::new(file.take(*taken)), *from > 0, each)?;
    }
    Ok(left == 0)
}

/// The lines of what is read; the first is none where it begins in the middle of one.
fn lines(mut from: impl BufRead, mut broken: bool, each: &mut dyn FnMut(&str)) -> io::Result<()> {
    let mut line = Vec::new();
    loop {
        line.clear();
        if from.by_ref().take(LINE).read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        let whole = line.ends_with(b"\n");
        if whole && !broken {
            each(&String::from_utf8_lossy(&line[..line.len() - 1]));
        }
        broken = !whole;
    }
}

#[cfg(test)]
mod tests {
    use super::lines;

    #[test]
    fn broken_and_endless_lines_are_passed_over() {
        let long = "x".repeat(200 << 10);
        let text = format!("half\nwhole\n{long}\nlast\nunfinished");
        let mut seen = Vec::new();
        lines(text.as_bytes(), true, &mut |line| seen.push(line.to_owned())).expect("reads");
        assert_eq!(seen, ["whole", "last"]);
    }
}
