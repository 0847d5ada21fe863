//! How a machine's log stood when it saved: whoever can change the log can't change this.

use base64::Engine;
use base64::prelude::BASE64_STANDARD_NO_PAD as BASE64;
use jiff::Timestamp;
use toml::{Table, Value};

use super::Document;

/// Machines that come and go, such as containers, each leave one; the oldest go.
const MOST: usize = 64;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogMark {
    pub at: Timestamp,
    /// In bytes.
    pub length: u64,
    /// Of these bytes.
    pub sha256: [u8; 32],
}

impl LogMark {
    /// None of what is no mark, or a later version's: no log has it.
    fn of(value: &Value) -> Option<Self> {
        Some(Self {
            at: value.get("at")?.as_str()?.parse().ok()?,
            length: value.get("length")?.as_integer()?.try_into().ok()?,
            sha256: BASE64.decode(value.get("sha256")?.as_str()?).ok()?.try_into().ok()?,
        })
    }

    /// Puts it in the place of what was there, but for what a later version knows to say.
    fn write(&self, table: &mut Table) {
        table.insert("at".to_owned(), self.at.to_string().into());
        table.insert("length".to_owned(), i64::try_from(self.length).unwrap_or(i64::MAX).into());
        table.insert("sha256".to_owned(), BASE64.encode(self.sha256).into());
    }
}

impl Document {
    pub fn log_mark(&self, machine: &str) -> Option<LogMark> {
        self.log.get(machine).and_then(LogMark::of)
    }

    pub(in crate::store) fn mark_log(&mut self, machine: &str, mark: &LogMark) {
        match self.log.get_mut(machine).and_then(Value::as_table_mut) {
            Some(table) => mark.write(table),
            None => {
                let mut table = Table::new();
                mark.write(&mut table);
                self.log.insert(machine.to_owned(), table.into());
            }
        }
        while self.log.len() > MOST {
            let age = |(_, value): &(&String, &Value)| LogMark::of(value).map(|mark| mark.at);
            let oldest = self.log.iter().min_by_key(age).map(|(machine, _)| machine.clone());
            self.log.remove(&oldest.unwrap_or_default());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::identity;

    fn mark(second: i64) -> LogMark {
        LogMark { at: Timestamp::from_second(second).unwrap(), length: 7, sha256: [9; 32] }
    }

    fn document() -> Document {
        Document::new(Timestamp::UNIX_EPOCH, "a".to_owned(), identity::generate()).unwrap()
    }

    #[test]
    fn each_machine_has_one_mark_and_the_oldest_of_too_many_goes() {
        let mut document = document();
        document.mark_log("laptop", &mark(1000));
        (0..70).for_each(|second| document.mark_log(&format!("ci {second}"), &mark(second)));
        document.mark_log("laptop", &mark(2000));
        assert_eq!(document.log.len(), MOST);
        assert_eq!(document.log_mark("laptop"), Some(mark(2000)));
        assert!(document.log_mark("ci 6").is_none() && document.log_mark("ci 7").is_some());
        document.profiles.insert("prod".parse().unwrap(), Default::default());
        // Before the profiles: what stands after them is slow to read.
        let text = document.encode().unwrap();
        assert!(text.find("[log.laptop]").unwrap() < text.find("[profile").unwrap());
        assert_eq!(Document::decode(text.as_bytes()).unwrap().log, document.log);
    }

    #[test]
    fn what_a_later_version_says_of_a_log_stays_and_what_is_no_mark_is_none() {
        let mut document = document();
        document.log = "laptop.signed = true\nodd = 7".parse().unwrap();
        assert_eq!(document.log_mark("laptop"), None);
        document.mark_log("laptop", &mark(5));
        assert_eq!(document.log_mark("laptop"), Some(mark(5)));
        assert_eq!(document.log["laptop"]["signed"].as_bool(), Some(true));
        assert_eq!(document.log_mark("odd"), None);
        document.log["laptop"].as_table_mut().unwrap().insert("sha256".to_owned(), "AAAA".into());
        assert_eq!(document.log_mark("laptop"), None);
    }
}
