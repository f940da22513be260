//! What the client can do, read from its `initialize`.

use serde_json::Value;

use crate::Encoding;

/// The abilities of the client that make a difference here. They are read one by one from the message, so that
/// a client that writes another ability in a way of its own is served all the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct Client {
    /// What columns count.
    pub(crate) encoding: Encoding,
    /// It tells about changes on disk when it is asked to.
    pub(crate) watches: bool,
    /// Edits may name the version of the text that they are for.
    pub(crate) versioned_edits: bool,
    /// The edit of a code action may be asked for later.
    pub(crate) resolves_edits: bool,
    /// Findings may name other places.
    pub(crate) related: bool,
}

impl Client {
    /// Reads the parameters of `initialize`.
    pub(crate) fn new(params: &Value) -> Self {
        let at = |path: &str| params.pointer(&format!("/capabilities/{path}"));
        let flag = |path: &str| at(path).and_then(Value::as_bool).unwrap_or(false);
        let names = |path: &str| -> Vec<&str> {
            let list = at(path).and_then(Value::as_array);
            list.into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .collect()
        };
        let encodings = names("general/positionEncodings");
        // UTF-8 is what the texts are here, and nothing has to be counted. Otherwise the client's first.
        let encoding = if encodings.contains(&"utf-8") {
            Encoding::Utf8
        } else {
            let known = |name: &&str| Encoding::named(name);
            encodings.iter().find_map(known).unwrap_or_default()
        };
        Self {
            encoding,
            watches: flag("workspace/didChangeWatchedFiles/dynamicRegistration"),
            versioned_edits: flag("workspace/workspaceEdit/documentChanges"),
            resolves_edits: flag("textDocument/codeAction/dataSupport")
                && names("textDocument/codeAction/resolveSupport/properties").contains(&"edit"),
            related: flag("textDocument/publishDiagnostics/relatedInformation"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn encoding(offered: Value) -> Encoding {
        let params = json!({"capabilities": {"general": {"positionEncodings": offered}}});
        Client::new(&params).encoding
    }

    #[test]
    fn utf_8_is_taken_where_it_is_offered_and_utf_16_where_nothing_is() {
        assert_eq!(encoding(json!(["utf-16", "utf-8"])), Encoding::Utf8);
        assert_eq!(encoding(json!(["utf-32", "utf-16"])), Encoding::Utf32);
        assert_eq!(encoding(json!(["utf-7"])), Encoding::Utf16);
        assert_eq!(encoding(json!(7)), Encoding::Utf16);
        assert_eq!(Client::new(&Value::Null).encoding, Encoding::Utf16);
    }
}
