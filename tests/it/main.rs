//! Everything that looks at the product from outside, in one binary: linking it once is most of the time it takes.

mod add;
mod bad_input;
mod commands;
mod crash;
mod fault_disk;
mod init;
mod judges;
mod levels;
mod login;
mod profiles;
mod program;
mod prompts;
mod sessions;
