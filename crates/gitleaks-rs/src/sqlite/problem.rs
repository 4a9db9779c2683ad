//! What is wrong with a database, and where. It holds numbers, never what stands there.

/// Why a database, or a part of it, could not be read. The bytes can still be scanned as they are.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// It starts like nothing that SQLite writes.
    #[error("it does not start as a SQLite database or a write-ahead log")]
    NotADatabase,
    /// A page size that no database has.
    #[error("page size {0} (byte {1}) is not a power of two from 512 to 65536")]
    PageSize(u32, u64),
    /// More bytes kept back on each page than the format allows.
    #[error("{reserved} reserved bytes (byte 20) leave less than 480 of a page of {page_size}")]
    Reserved {
        /// The number that stands there.
        reserved: u8,
        /// The size of a page.
        page_size: u32,
    },
    /// A text encoding that does not exist; the text is taken for UTF-8.
    #[error("text encoding {0} (byte 56) is not known")]
    Encoding(u32),
    /// The log belongs to pages of another size and is not read as part of this database.
    #[error("the write-ahead log has pages of {log} bytes, the database of {database}")]
    LogPageSize {
        /// The page size of the log.
        log: u32,
        /// The page size of the database.
        database: u32,
    },
    /// The log's own header is damaged.
    #[error("the header of the write-ahead log is damaged (byte {0})")]
    LogHeader(u64),
    /// More different pages in the log than are remembered; the rest is read frame by frame.
    #[error("the write-ahead log holds more than {0} different pages")]
    LogTooLong(usize),
    /// More pages than are followed.
    #[error("it has more than {0} pages; those behind are not followed")]
    TooManyPages(u32),
    /// The list of free pages runs in a circle or out of the file.
    #[error("the list of free pages is damaged at page {0}")]
    FreeList(u32),
    /// A page could not be read.
    #[error("cannot read {length} bytes at byte {offset}: {kind}")]
    Read {
        /// Where.
        offset: u64,
        /// How many.
        length: usize,
        /// What the system says.
        kind: std::io::ErrorKind,
    },
}
