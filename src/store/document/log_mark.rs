//! How a machine's log stood when it saved: whoever can change the log can't change this.

use base64::Engine;
use base64::prelude::BASE64_STANDARD_NO_PAD as BASE64;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Document;
use crate::store::open_table::open_tables;

/// Machines that come and go, such as containers, each leave one; the oldest go.
const MOST: usize = 64;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct LogMark {
    pub at: Timestamp,
    /// In bytes.
    pub length: u64,
    /// Of these bytes, in base64.
    pub sha256: String,
    #[serde(flatten, skip_deserializing)]
    pub rest: toml::Table,
}

open_tables!(LogMark);

impl LogMark {
    pub fn new(at: Timestamp, length: u64, sha256: &[u8; 32]) -> Self {
        Self { at, length, sha256: BASE64.encode(sha256), rest: toml::Table::new() }
    }

    /// None where it is of another length: no log has it.
    pub fn hash(&self) -> Option<[u8; 32]> {
        BASE64.decode(&self.sha256).ok()?.try_into().ok()
    }
}

impl Document {
    pub(in crate::store) fn mark_log(&mut self, machine: &str, mark: LogMark) {
        self.log.insert(machine.to_owned(), mark);
        while self.log.len() > MOST {
            let oldest = self.log.iter().min_by_key(|(_, mark)| mark.at).map(|(machine, _)| machine.clone());
            self.log.remove(&oldest.unwrap_or_default());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::identity;

    fn mark(second: i64) -> LogMark {
        LogMark::new(Timestamp::from_second(second).unwrap(), 7, &[9; 32])
    }

    #[test]
    fn each_machine_has_one_mark_and_the_oldest_of_too_many_goes() {
        let mut document = Document::new(Timestamp::UNIX_EPOCH, "a".to_owned(), identity::generate()).unwrap();
        document.mark_log("laptop", mark(1000));
        (0..70).for_each(|second| document.mark_log(&format!("ci {second}"), mark(second)));
        document.mark_log("laptop", mark(2000));
        assert_eq!(document.log.len(), MOST);
        assert_eq!(document.log["laptop"], mark(2000));
        assert!(!document.log.contains_key("ci 6") && document.log.contains_key("ci 7"));
        assert_eq!(mark(1).hash(), Some([9; 32]));
        assert_eq!(LogMark { sha256: "AAAA".to_owned(), ..mark(1) }.hash(), None);
        document.profiles.insert("prod".parse().unwrap(), Default::default());
        // Before the profiles: what stands after them is slow to read.
        let text = document.encode().unwrap();
        assert!(text.find("[log.laptop]").unwrap() < text.find("[profile").unwrap());
        assert_eq!(Document::decode(text.as_bytes()).unwrap().log, document.log);
    }
}
