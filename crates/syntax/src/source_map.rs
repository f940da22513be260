//! From a decoded value back to the bytes it was written with.

use smallvec::SmallVec;

use crate::Span;

/// One stretch of a decoded value and the source bytes it came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Range in the decoded value, bytes.
    pub decoded: Span,
    /// Range in the source text, bytes.
    pub source: Span,
    /// Whether the bytes are the same on both sides (so that offsets inside map one to one). An escape,
    /// a folded line break or a stripped indentation is not verbatim: it can only be taken whole.
    pub verbatim: bool,
}

/// The segments of one decoded value, in order, covering it without gaps. Source ranges ascend but may
/// have gaps (indentation, quotes, continuation lines).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceMap {
    /// Most values stand in one piece.
    segments: SmallVec<[Segment; 1]>,
}

impl SourceMap {
    /// A map whose decoded text stands unchanged at `source`.
    #[must_use]
    pub fn verbatim(source: Span) -> Self {
        let mut map = Self::default();
        map.push(source, source.len(), true);
        map
    }

    /// Appends a segment: the next `decoded_len` bytes of the value come from `source`. Neighbouring
    /// verbatim segments without a gap are joined; empty segments are dropped.
    pub fn push(&mut self, source: Span, decoded_len: usize, verbatim: bool) {
        debug_assert!(!verbatim || source.len() == decoded_len);
        if decoded_len == 0 {
            return;
        }
        let start = self.decoded_len();
        let decoded = Span::new(start, start + decoded_len);
        if let Some(last) = self.segments.last_mut()
            && verbatim
            && last.verbatim
            && last.source.end == source.start
        {
            last.decoded.end = decoded.end;
            last.source.end = source.end;
            return;
        }
        self.segments.push(Segment {
            decoded,
            source,
            verbatim,
        });
    }

    /// Takes away what comes after the first `decoded_len` bytes of the value. They have to end where a push has ended.
    pub fn truncate(&mut self, decoded_len: usize) {
        while self
            .segments
            .last()
            .is_some_and(|it| it.decoded.start as usize >= decoded_len)
        {
            self.segments.pop();
        }
        if let Some(last) = self.segments.last_mut().filter(|it| it.verbatim) {
            let over = last
                .decoded
                .len()
                .saturating_sub(decoded_len - last.decoded.start as usize);
            let over = u32::try_from(over).unwrap_or(u32::MAX);
            last.decoded.end -= over;
            last.source.end -= over;
        }
    }

    /// The segments, in order.
    #[must_use]
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// Length of the decoded value in bytes.
    #[must_use]
    pub fn decoded_len(&self) -> usize {
        self.segments.last().map_or(0, |s| s.decoded.end as usize)
    }

    fn at(&self, decoded: u32) -> Option<&Segment> {
        let index = self
            .segments
            .partition_point(|segment| segment.decoded.end <= decoded);
        self.segments.get(index)
    }

    /// The source bytes of a decoded range. Where an end of the range falls into a segment that is not
    /// verbatim, the whole segment is taken. An empty range maps to the place before the byte at its
    /// offset (at the end of the value: after the last byte). `None` outside the value.
    #[must_use]
    pub fn source(&self, decoded: Span) -> Option<Span> {
        if decoded.end as usize > self.decoded_len() {
            return None;
        }
        if decoded.is_empty() {
            return Some(match self.at(decoded.start) {
                Some(s) if s.verbatim => {
                    Span::empty((s.source.start + (decoded.start - s.decoded.start)) as usize)
                }
                Some(s) => Span::empty(s.source.start as usize),
                None => Span::empty(self.segments.last()?.source.end as usize),
            });
        }
        let first = self.at(decoded.start)?;
        let last = self.at(decoded.end - 1)?;
        let start = if first.verbatim {
            first.source.start + (decoded.start - first.decoded.start)
        } else {
            first.source.start
        };
        let end = if last.verbatim {
            last.source.start + (decoded.end - last.decoded.start)
        } else {
            last.source.end
        };
        Some(Span { start, end })
    }

    /// The offset in the decoded value of the source byte at `source`, if that byte stands for itself.
    #[must_use]
    pub fn decoded(&self, source: u32) -> Option<u32> {
        let index = self
            .segments
            .partition_point(|segment| segment.source.end <= source);
        let segment = self.segments.get(index)?;
        (segment.verbatim && segment.source.start <= source)
            .then(|| segment.decoded.start + (source - segment.source.start))
    }

    /// Whether the decoded range stands in the source exactly as it reads, in one piece.
    #[must_use]
    pub fn is_verbatim(&self, decoded: Span) -> bool {
        if decoded.is_empty() {
            return self.source(decoded).is_some();
        }
        self.at(decoded.start)
            .is_some_and(|s| s.verbatim && s.decoded.contains(decoded))
    }

    /// The map of a value decoded from a *range of this map's decoded value*: `inner` maps the innermost
    /// value into this map's decoded text; the result maps it into the source. A segment of the result
    /// is verbatim only if it is so on both levels.
    #[must_use]
    pub fn compose(&self, inner: &SourceMap) -> SourceMap {
        let mut map = SourceMap::default();
        for segment in &inner.segments {
            if !segment.verbatim {
                if let Some(source) = self.source(segment.source) {
                    map.push(source, segment.decoded.len(), false);
                }
                continue;
            }
            let mut at = segment.source.start;
            while at < segment.source.end {
                let Some(outer) = self.at(at) else { break };
                let end = outer.decoded.end.min(segment.source.end);
                let piece = Span { start: at, end };
                if let Some(source) = self.source(piece) {
                    let verbatim = outer.verbatim;
                    map.push(source, piece.len(), verbatim);
                }
                at = end;
            }
        }
        map
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(start: usize, end: usize) -> Span {
        Span::new(start, end)
    }

    /// `'it''s a: b'` at offset 10: decoded `it's a: b`.
    fn quoted() -> SourceMap {
        let mut map = SourceMap::default();
        map.push(span(11, 13), 2, true);
        map.push(span(13, 15), 1, false);
        map.push(span(15, 21), 6, true);
        map
    }

    #[test]
    fn ranges_map_to_the_bytes_they_came_from() {
        let map = quoted();
        assert_eq!(map.decoded_len(), 9);
        assert_eq!(map.source(span(0, 2)), Some(span(11, 13)));
        assert_eq!(map.source(span(2, 3)), Some(span(13, 15)));
        assert_eq!(map.source(span(1, 4)), Some(span(12, 16)));
        assert_eq!(map.source(span(9, 9)), Some(span(21, 21)));
        assert_eq!(map.source(span(8, 10)), None);
        assert!(map.is_verbatim(span(3, 9)));
        assert!(!map.is_verbatim(span(1, 4)));
    }

    #[test]
    fn composition_keeps_exact_places() {
        let outer = quoted();
        let mut inner = SourceMap::default();
        inner.push(span(1, 4), 3, true); // "t's"
        inner.push(span(5, 7), 1, false);
        let map = outer.compose(&inner);
        assert_eq!(map.decoded_len(), 4);
        assert_eq!(map.source(span(0, 1)), Some(span(12, 13)));
        assert_eq!(map.source(span(1, 2)), Some(span(13, 15)));
        assert!(!map.is_verbatim(span(0, 3)));
        assert_eq!(map.source(span(3, 4)), Some(span(17, 19)));
    }
}
