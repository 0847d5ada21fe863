//! The vault file: what is in it, how it is sealed, and how it is loaded and saved.

pub mod document;
