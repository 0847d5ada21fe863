//! Lossless INI.
