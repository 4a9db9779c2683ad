//! Every file that a repository holds, whether anything leads to it or not.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use super::commits::report;
use super::objects::{Damage, Kind, Object, Reader};
use super::{Id, ProblemKind, Repository, Summary, Totals};

/// How many objects a thread takes at a time: neighbours in a pack are made of each other.
const BATCH: usize = 512;

/// The content of a file, or a part of it where it is too large to be held.
#[derive(Clone, Copy, Debug)]
pub struct Blob<'a> {
    /// The object's name.
    pub id: Id,
    /// The content.
    pub bytes: &'a [u8],
    /// The number of the first line.
    pub first_line: usize,
}

impl Repository {
    /// Hands over every file's content once, text or not, also what no ref leads to. `visitor` is called once on each
    /// thread. [`Summary::changes`] counts the files.
    pub fn every_blob<V: FnMut(&Blob<'_>)>(&self, visitor: impl Fn() -> V + Sync) -> Summary {
        let (all, next) = (self.store.all(), AtomicUsize::new(0));
        let left = AtomicU64::new(self.options.total);
        let totals = self.on_threads(|| {
            let (mut reader, mut visit, mut totals) = (self.reader(), visitor(), Totals::default());
            loop {
                let from = next.fetch_add(BATCH, Ordering::Relaxed);
                let Some(rest) = all.get(from..).filter(|rest| !rest.is_empty()) else { return totals };
                for &object in &rest[..BATCH.min(rest.len())] {
                    if left.load(Ordering::Relaxed) == 0 {
                        self.problems.add(ProblemKind::Limit, || {
                            format!("objects beyond {} MiB together were not read", self.options.total >> 20)
                        });
                        return totals;
                    }
                    let before = totals.bytes;
                    self.blob(&mut reader, object, &mut visit, &mut totals);
                    let less = |left: u64| Some(left.saturating_sub(totals.bytes - before));
                    let _ = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
                }
            }
        });
        self.summary(0, &totals)
    }

    fn blob(&self, reader: &mut Reader<'_>, object: Object, visit: &mut impl FnMut(&Blob<'_>), totals: &mut Totals) {
        if reader.is_other_than(object, Kind::Blob) {
            return;
        }
        let Some(id) = self.store.name(object) else { return };
        let done = match reader.read(object) {
            Ok(data) if data.kind != Kind::Blob => return,
            Ok(data) => {
                totals.bytes += data.bytes.len() as u64;
                visit(&Blob { id, bytes: &data.bytes, first_line: 1 });
                Ok(())
            }
            Err(Damage::TooLarge) => super::large::read(reader, object, &mut |part| {
                totals.bytes += part.bytes.len() as u64;
                visit(&Blob { id, bytes: part.bytes, first_line: part.first_line });
                true
            }),
            Err(damage) => Err(damage),
        };
        match done {
            Ok(()) => totals.changes += 1,
            Err(damage) => report(&self.store, object, damage, &self.problems),
        }
    }
}
