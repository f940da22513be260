//! Chooses compatible fixes, applies them to text, proves the result, writes it safely.
