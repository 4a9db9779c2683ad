//! Streams that were compressed by themselves, as they were before.

use std::io::{self, BufRead, Read};

use ruzstd::decoding::{FrameDecoder, StreamingDecoder};
use zlib_rs::{Inflate, InflateFlush, Status};

use super::ahead::Ahead;
use super::kind::Packed;

/// What a stream says when unpacked, by a decoder that remembers at most `window` bytes of it.
pub(super) fn unpacked<'s>(packed: Packed, source: &'s mut Ahead<'_>, window: u64) -> Box<dyn Read + 's> {
    match packed {
        Packed::Gzip => Box::new(Inflated::gzip(source)),
        Packed::Bzip2 => Box::new(bzip2::bufread::MultiBzDecoder::new(source)),
        Packed::Xz => {
            let kibibytes = u32::try_from(window >> 10).unwrap_or(u32::MAX);
            Box::new(lzma_rust2::XzReader::new_mem_limit(source, true, kibibytes))
        }
        Packed::Zstd => Box::new(Frames { at: At::Between(source), window }),
    }
}

/// Deflated bytes, inflated; the source stands behind them at the end.
pub(super) struct Inflated<'s, 'r> {
    source: &'s mut Ahead<'r>,
    state: Inflate,
    gzip: bool,
    ended: bool,
}

impl<'s, 'r> Inflated<'s, 'r> {
    /// Bytes that are deflated and no more.
    pub(super) fn raw(source: &'s mut Ahead<'r>) -> Self {
        Self { source, state: Inflate::new(false, 15), gzip: false, ended: false }
    }

    /// One or more members with headers.
    fn gzip(source: &'s mut Ahead<'r>) -> Self {
        Self { source, state: gunzip(), gzip: true, ended: false }
    }
}

fn gunzip() -> Inflate {
    // 16 more than the window asks for the header of gzip.
    Inflate::new(true, 16 + 15)
}

impl Read for Inflated<'_, '_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while !self.ended && !into.is_empty() {
            let (read, wrote) = (self.state.total_in(), self.state.total_out());
            let input = self.source.peek(1)?;
            let nothing = input.is_empty();
            let status = self.state.decompress(input, into, InflateFlush::NoFlush);
            let count = |after: u64, before: u64| usize::try_from(after - before).unwrap_or(0);
            let (read, wrote) = (count(self.state.total_in(), read), count(self.state.total_out(), wrote));
            self.source.consume(read);
            match status {
                Ok(Status::StreamEnd) => {
                    let again = self.gzip && self.source.peek(2)?.starts_with(&[0x1f, 0x8b]);
                    if again { self.state = gunzip() } else { self.ended = true }
                }
                Ok(_) if read > 0 => {}
                // What came before the damage counts; the damage shows again.
                _ if wrote > 0 => {}
                _ if nothing => return Err(io::ErrorKind::UnexpectedEof.into()),
                _ => return Err(io::ErrorKind::InvalidData.into()),
            }
            if wrote > 0 {
                return Ok(wrote);
            }
        }
        Ok(0)
    }
}

/// Frames of Zstandard, one after the other.
struct Frames<'s, 'r> {
    at: At<'s, 'r>,
    window: u64,
}

enum At<'s, 'r> {
    Between(&'s mut Ahead<'r>),
    In(Box<StreamingDecoder<&'s mut Ahead<'r>, FrameDecoder>>),
    Done,
}

impl Read for Frames<'_, '_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            match std::mem::replace(&mut self.at, At::Done) {
                At::In(mut frame) => {
                    let count = frame.read(into)?;
                    if count > 0 || into.is_empty() {
                        self.at = At::In(frame);
                        return Ok(count);
                    }
                    self.at = At::Between(frame.into_inner());
                }
                At::Between(source) => match *source.peek(8)? {
                    [0x28, 0xb5, 0x2f, 0xfd, ..] => {
                        let frame = StreamingDecoder::new_with_max_window_size(source, self.window);
                        self.at = At::In(Box::new(frame.map_err(unreadable)?));
                    }
                    // A frame to be skipped says how long it is.
                    [0x50..=0x5f, 0x2a, 0x4d, 0x18, a, b, c, d, ..] => {
                        source.skip(8 + u64::from(u32::from_le_bytes([a, b, c, d])))?;
                        self.at = At::Between(source);
                    }
                    _ => return Ok(0),
                },
                At::Done => return Ok(0),
            }
        }
    }
}

fn unreadable(error: ruzstd::decoding::errors::FrameDecoderError) -> io::Error {
    use ruzstd::decoding::errors::FrameDecoderError as Error;
    match error {
        Error::WindowSizeTooBig { .. } => io::ErrorKind::OutOfMemory.into(),
        _ => io::ErrorKind::InvalidData.into(),
    }
}
