//! The shell text that gives the branch variable its value.
