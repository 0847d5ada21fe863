//! Puts an edited AWS file in the place of the old one.
