//! From the bytes of a file to its text, or to what is wrong with them.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

/// The largest file that is read, in bytes. CodeBuild's own limit is far below.
pub const LIMIT: u64 = 16 * 1024 * 1024;

/// The text of a file, or why there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The text, a byte-order mark included.
    Text(Arc<str>),
    /// Bytes that are no text for any YAML reader.
    Damaged {
        /// The text before the first bad byte; its length is the bad byte's offset.
        before: Arc<str>,
        /// What is wrong, for people.
        message: String,
    },
    /// Larger than [`LIMIT`].
    TooLarge,
}

/// Reads the regular file at `path`.
///
/// # Errors
/// Those of the operating system; and `InvalidInput` for anything that is not a regular file, which is not
/// opened, because opening a pipe may wait for ever.
pub fn read(path: &Path) -> io::Result<Source> {
    let metadata = std::fs::metadata(path)?;
    if !metadata.is_file() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "not a regular file (`--stdin-filename NAME` reads standard input)",
        ));
    }
    if metadata.len() > LIMIT {
        return Ok(Source::TooLarge);
    }
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or(0) + 1);
    File::open(path)?.take(LIMIT + 1).read_to_end(&mut bytes)?;
    Ok(decode(bytes))
}

/// The same for a path that was just seen to be a regular file: nothing is asked about it again.
///
/// # Errors
/// Those of the operating system.
pub fn read_regular(path: &Path) -> io::Result<Source> {
    /// Larger than most buildspecs.
    const ROOM: usize = 8 * 1024;
    let mut bytes = Vec::with_capacity(ROOM);
    File::open(path)?.take(LIMIT + 1).read_to_end(&mut bytes)?;
    Ok(decode(bytes))
}

/// The text of `bytes`.
#[must_use]
pub fn decode(bytes: Vec<u8>) -> Source {
    if bytes.len() as u64 > LIMIT {
        return Source::TooLarge;
    }
    let text = match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let valid = error.utf8_error().valid_up_to();
            let bytes = error.as_bytes();
            let bad = bytes.get(valid).copied().unwrap_or_default();
            let message = if matches!(bytes, [0xff, 0xfe, ..] | [0xfe, 0xff, ..]) {
                "the file is encoded as UTF-16; CodeBuild reads UTF-8".to_owned()
            } else {
                format!("the byte 0x{bad:02x} at offset {valid} is not valid UTF-8")
            };
            let before = String::from_utf8_lossy(bytes.get(..valid).unwrap_or_default());
            return Source::Damaged {
                before: before.into(),
                message,
            };
        }
    };
    match memchr::memchr(0, text.as_bytes()) {
        Some(at) => Source::Damaged {
            before: text.get(..at).unwrap_or_default().into(),
            message: format!("there is a NUL byte at offset {at}, which YAML does not allow"),
        },
        None => Source::Text(text.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn damage(bytes: &[u8]) -> (usize, String) {
        match decode(bytes.to_vec()) {
            Source::Damaged { before, message } => (before.len(), message),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_named_with_their_offset() {
        let (at, message) = damage(b"a: \xe9\n");
        assert_eq!(at, 3);
        assert_eq!(message, "the byte 0xe9 at offset 3 is not valid UTF-8");
        let (at, message) = damage(b"a: \0\n");
        assert_eq!(at, 3);
        assert!(message.contains("NUL byte at offset 3"));
        let (at, message) = damage(b"\xff\xfea\0:\0");
        assert_eq!(at, 0);
        assert!(message.contains("UTF-16"));
    }

    #[test]
    fn text_keeps_its_byte_order_mark_and_an_empty_file_is_text() {
        assert_eq!(decode("\u{feff}a".into()), Source::Text("\u{feff}a".into()));
        assert_eq!(decode(Vec::new()), Source::Text("".into()));
    }

    #[test]
    fn a_file_beyond_the_limit_is_not_read() {
        let file = tempfile::NamedTempFile::new().unwrap();
        file.as_file().set_len(LIMIT + 1).unwrap();
        assert_eq!(read(file.path()).unwrap(), Source::TooLarge);
        assert_eq!(decode(vec![b'a'; 16 * 1024 * 1024 + 1]), Source::TooLarge);
    }
}
