//! What the command line asks for.

use super::bench::Bench;
use super::figure::Figure;
use super::{add, agent, callers, credential_process, endpoint, growth, hot_path, list, login, rotation, size, unlock};

#[derive(Clone, Copy)]
pub enum Topic {
    /// Lines of the table.
    Figures(&'static str, fn(&Bench) -> Vec<Figure>),
    /// A table of its own, printed if it is named.
    Look(&'static str, fn()),
}

/// In the table's order.
const TOPICS: [Topic; 12] = [
    Topic::Figures("credential-process", credential_process::measure),
    Topic::Figures("login", login::measure),
    Topic::Figures("unlock", unlock::measure),
    Topic::Figures("list", list::measure),
    Topic::Figures("add", add::measure),
    Topic::Figures("callers", callers::measure),
    Topic::Figures("endpoint", endpoint::measure),
    Topic::Figures("rotation", rotation::measure),
    Topic::Figures("agent", agent::measure),
    Topic::Figures("size", size::measure),
    Topic::Look("growth", growth::show),
    Topic::Look("hot-path", hot_path::show),
];

impl Topic {
    pub fn name(&self) -> &'static str {
        match self {
            Self::Figures(name, _) | Self::Look(name, _) => name,
        }
    }
}

#[derive(Default)]
pub struct Wishes {
    pub quick: bool,
    pub install_peers: bool,
    pub topics: Vec<Topic>,
}

impl Wishes {
    /// The whole table unless something is named.
    pub fn of(words: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut wishes = Self::default();
        for word in words {
            match &*word {
                // Cargo says so by itself.
                "--bench" => {}
                "--quick" => wishes.quick = true,
                "--install-peers" => wishes.install_peers = true,
                name => wishes.topics.push(*TOPICS.iter().find(|topic| topic.name() == name).ok_or(word)?),
            }
        }
        if wishes.topics.is_empty() {
            wishes.topics.extend(TOPICS.iter().filter(|topic| matches!(topic, Topic::Figures(..))));
        }
        Ok(wishes)
    }

    pub fn known() -> String {
        let names: Vec<&str> = TOPICS.iter().map(Topic::name).collect();
        format!("there are {}, --quick and --install-peers", names.join(", "))
    }
}
