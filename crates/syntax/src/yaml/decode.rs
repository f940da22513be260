//! A second reading of each scalar, to learn which decoded byte came from which source byte.

use super::{Node, NodeId, Scalar, Tree};
use crate::SourceMap;

pub(super) fn source_map(
    _text: &str,
    _tree: &Tree,
    _id: NodeId,
    _node: &Node,
    _scalar: &Scalar,
) -> Option<SourceMap> {
    None
}
