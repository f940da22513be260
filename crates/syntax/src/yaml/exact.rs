//! The exact ends of nodes, which the parser's markers do not give.
