//! What went wrong, with which thing, and what the reader can do about it.

use std::fmt;

pub type Result<T> = std::result::Result<T, Problem>;

#[derive(Debug, PartialEq, Eq)]
pub struct Problem {
    what: String,
    next: String,
}

impl Problem {
    pub fn new(what: impl Into<String>, next: impl Into<String>) -> Self {
        Self { what: what.into(), next: next.into() }
    }

    /// Says on which file or step a problem of a lower layer occurred.
    #[must_use]
    pub fn on(self, thing: impl fmt::Display) -> Self {
        Self { what: format!("{thing}: {}", self.what), next: self.next }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}; {}", self.what, self.next)
    }
}

impl std::error::Error for Problem {}
