//! Everything that looks at the product from outside, in one binary: linking it once is most of the time it takes.

mod build_script;
mod commands;
mod config_readers;
mod crash;
mod fault_disk;
mod forgery;
mod judges;
mod left_unlocked;
mod levels;
mod memory;
mod papers;
mod program;
mod readme;
mod rotation;
mod rotation_model;
mod server;
mod vectors;
mod waiting;
mod watched_disk;
