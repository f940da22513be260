//! Paths as `file` URIs and back.

use std::path::{Path, PathBuf};

/// The path of a `file` URI; `None` for any other: what is not on a disk belongs to no workspace.
pub(crate) fn to_path(uri: &str) -> Option<PathBuf> {
    let rest = uri.get(..5).filter(|it| it.eq_ignore_ascii_case("file:"));
    let rest = rest.and_then(|_| uri.get(5..))?;
    // Between `//` and the path there may be the name of this machine.
    let path = match rest.strip_prefix("//") {
        Some(rest) => {
            let (host, path) = rest.split_at(rest.find('/')?);
            if !(host.is_empty() || host.eq_ignore_ascii_case("localhost")) {
                return None;
            }
            path
        }
        None => rest,
    };
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let bytes = decode(path);
    let text = drive(&bytes).unwrap_or(&bytes);
    Some(bytes_to_path(text))
}

/// The `file` URI of an absolute path.
pub(crate) fn from_path(path: &Path) -> String {
    let bytes = path_to_bytes(path);
    let mut uri = String::from("file://");
    if bytes.first() != Some(&b'/') {
        uri.push('/');
    }
    for byte in bytes {
        match byte {
            b'A'..=b'Z'
            | b'a'..=b'z'
            | b'0'..=b'9'
            | b'-'
            | b'.'
            | b'_'
            | b'~'
            | b'/'
            | b':'
            | b'@'
            | b'+'
            | b','
            | b'=' => uri.push(char::from(byte)),
            b'\\' if cfg!(windows) => uri.push('/'),
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}

fn decode(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let hex = |index: usize| bytes.get(index).and_then(|it| char::from(*it).to_digit(16));
        match (byte, hex(at + 1), hex(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                decoded.push(u8::try_from(high * 16 + low).unwrap_or(b'?'));
                at += 3;
            }
            _ => {
                decoded.push(*byte);
                at += 1;
            }
        }
    }
    decoded
}

/// `C:/…` for `/C:/…`.
fn drive(path: &[u8]) -> Option<&[u8]> {
    match path {
        [b'/', letter, b':', ..] if cfg!(windows) && letter.is_ascii_alphabetic() => path.get(1..),
        _ => None,
    }
}

#[cfg(unix)]
fn bytes_to_path(bytes: &[u8]) -> PathBuf {
    use std::os::unix::ffi::OsStrExt;
    PathBuf::from(std::ffi::OsStr::from_bytes(bytes))
}

#[cfg(not(unix))]
fn bytes_to_path(bytes: &[u8]) -> PathBuf {
    PathBuf::from(String::from_utf8_lossy(bytes).into_owned())
}

#[cfg(unix)]
fn path_to_bytes(path: &Path) -> Vec<u8> {
    use std::os::unix::ffi::OsStrExt;
    path.as_os_str().as_bytes().to_vec()
}

#[cfg(not(unix))]
fn path_to_bytes(path: &Path) -> Vec<u8> {
    path.to_string_lossy().into_owned().into_bytes()
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    #[test]
    fn paths_with_blanks_and_other_letters_go_there_and_back() {
        for path in ["/a b/ü#?%/x.yml", "/srv/buildspec.yml", "/한글/[1].yml"] {
            let uri = from_path(Path::new(path));
            assert!(uri.is_ascii(), "{uri}");
            assert_eq!(to_path(&uri), Some(PathBuf::from(path)));
        }
        assert_eq!(from_path(Path::new("/a b.yml")), "file:///a%20b.yml");
    }

    #[test]
    fn only_files_of_this_machine_have_a_path() {
        let path = |uri| to_path(uri);
        assert_eq!(path("file:///a%3Ab"), Some("/a:b".into()));
        assert_eq!(path("FILE://localhost/a"), Some("/a".into()));
        assert_eq!(path("file:/a"), Some("/a".into()));
        assert_eq!(path("file://server/a"), None);
        assert_eq!(path("untitled:Untitled-1"), None);
        assert_eq!(path("é"), None);
        assert_eq!(path("file:///a%zz%"), Some("/a%zz%".into()));
    }
}
