//! What a client that may ask is answered, and when: at once what is at hand, else as soon as it is known whether there will be
//! anything. Pure.

use jiff::Timestamp;

use super::lease::Lease;

/// Why there is no session to hand out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// For programs.
    pub code: &'static str,
    /// For people: some of the SDKs pass it on.
    pub message: String,
}

/// What became of getting another session. Holds secrets.
pub enum News {
    Got(Lease),
    /// What there is lives on to its end.
    Failed(Reason),
}

/// What a client is answered. No Debug: it may be a secret.
pub enum Answer {
    Credentials(String),
    Wanting(Reason),
}

/// Where clients, each a `C`, are answered or wait.
pub struct Desk<C> {
    lease: Option<Lease>,
    /// Why the last try brought none.
    why: Reason,
    waiting: Vec<C>,
}

impl<C> Desk<C> {
    pub fn new(lease: Lease) -> Self {
        Self { lease: Some(lease), why: Reason::renewing(), waiting: Vec::new() }
    }

    /// Gives the client back with its answer, unless it has to wait for news.
    pub fn ask(&mut self, client: C, now: Timestamp) -> Option<(C, Answer)> {
        match self.credentials(now) {
            Some(credentials) => Some((client, credentials)),
            None => {
                self.waiting.push(client);
                None
            }
        }
    }

    /// Whether another session is to be got.
    pub fn wants_another(&self, now: Timestamp) -> bool {
        self.lease.as_ref().is_none_or(|lease| lease.due() <= now)
    }

    /// Whoever waited is answered, whatever the news: it was tried for them.
    pub fn hear(&mut self, news: News, now: Timestamp) -> Vec<(C, Answer)> {
        match news {
            News::Got(lease) => (self.lease, self.why) = (Some(lease), Reason::renewing()),
            News::Failed(why) => self.why = why,
        }
        self.answer_all(now)
    }

    /// What there is may not be held any more.
    pub fn forget(&mut self, why: Reason, now: Timestamp) -> Vec<(C, Answer)> {
        (self.lease, self.why) = (None, why);
        self.answer_all(now)
    }

    fn answer_all(&mut self, now: Timestamp) -> Vec<(C, Answer)> {
        let waiting = std::mem::take(&mut self.waiting);
        waiting.into_iter().map(|client| (client, self.answer(now))).collect()
    }

    fn answer(&self, now: Timestamp) -> Answer {
        self.credentials(now).unwrap_or_else(|| Answer::Wanting(self.why.clone()))
    }

    fn credentials(&self, now: Timestamp) -> Option<Answer> {
        let document = self.lease.as_ref()?.document(now)?;
        Some(Answer::Credentials(document.to_owned()))
    }
}

impl Reason {
    /// It takes longer than a client waits.
    pub fn renewing() -> Self {
        Self { code: "Renewing", message: "the session is over, and another is being got".to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::SignedDuration;

    const MINUTE: SignedDuration = SignedDuration::from_mins(1);

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(minute * 60).unwrap()
    }

    /// Of one hour.
    fn lease(document: &str, from: i64) -> Lease {
        Lease::lasting(document, at(from), at(from) + 60 * MINUTE)
    }

    fn told(answer: &Answer) -> &str {
        match answer {
            Answer::Credentials(document) => document,
            Answer::Wanting(reason) => reason.code,
        }
    }

    fn asked(desk: &mut Desk<u32>, client: u32, now: Timestamp) -> Option<String> {
        desk.ask(client, now).map(|(asked, answer)| {
            assert_eq!(asked, client);
            told(&answer).to_owned()
        })
    }

    fn heard(desk: &mut Desk<u32>, news: News, now: Timestamp) -> Vec<(u32, String)> {
        desk.hear(news, now).into_iter().map(|(client, answer)| (client, told(&answer).to_owned())).collect()
    }

    fn reason(code: &'static str) -> Reason {
        Reason { code, message: String::new() }
    }

    #[test]
    fn a_living_session_is_handed_out_at_once_also_while_another_is_wanted() {
        let mut desk = Desk::new(lease("first", 0));
        for (minute, wants_another) in [(0, false), (39, false), (40, true), (59, true)] {
            assert_eq!(asked(&mut desk, 1, at(minute)).as_deref(), Some("first"), "{minute}");
            assert_eq!(desk.wants_another(at(minute)), wants_another, "{minute}");
        }
        assert_eq!(heard(&mut desk, News::Got(lease("second", 50)), at(50)), []);
        assert_eq!(asked(&mut desk, 2, at(60)).as_deref(), Some("second"));
        assert!(!desk.wants_another(at(60)));
    }

    #[test]
    fn who_asks_when_it_is_over_waits_for_news_and_gets_what_came() {
        let mut desk = Desk::new(lease("first", 0));
        assert_eq!((asked(&mut desk, 1, at(60)), asked(&mut desk, 2, at(61))), (None, None));
        let both = [(1, "second".to_owned()), (2, "second".to_owned())];
        assert_eq!(heard(&mut desk, News::Got(lease("second", 61)), at(61)), both);
        assert_eq!(heard(&mut desk, News::Got(lease("third", 61)), at(61)), [], "answered once");
    }

    #[test]
    fn a_try_that_failed_takes_nothing_away_and_is_told_only_when_nothing_is_left() {
        let mut desk = Desk::new(lease("first", 0));
        assert_eq!(heard(&mut desk, News::Failed(reason("Network")), at(45)), []);
        assert_eq!(asked(&mut desk, 1, at(59)).as_deref(), Some("first"));
        assert_eq!(asked(&mut desk, 2, at(60)), None);
        assert_eq!(heard(&mut desk, News::Failed(reason("PersonNeeded")), at(60)), [(2, "PersonNeeded".to_owned())]);
    }

    #[test]
    fn what_is_to_be_forgotten_is_gone_though_it_lives() {
        let mut desk = Desk::new(lease("first", 0));
        assert!(desk.forget(reason("Locked"), at(1)).is_empty());
        assert!(desk.lease.is_none() && desk.wants_another(at(1)));
        assert_eq!(asked(&mut desk, 1, at(1)), None);
        assert_eq!(heard(&mut desk, News::Failed(reason("Locked")), at(1)), [(1, "Locked".to_owned())]);
        assert_eq!(heard(&mut desk, News::Got(lease("second", 1)), at(1)), []);
        assert_eq!(asked(&mut desk, 2, at(2)).as_deref(), Some("second"));
    }
}
