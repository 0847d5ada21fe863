//! What age plugins say to the person, and what they ask for: on the terminal, each line with the plugin's name before it,
//! so that none of it is taken for ours.

use std::any::Any;

use zeroize::Zeroizing;

use crate::paths::Environment;
use crate::store::plugin::{PluginHost, Unanswered};

use super::asking::Asking;
use super::escape::escape;
use super::report;
use super::terminal::{PromptError, Terminal};

pub struct PluginTalk {
    environment: Environment,
}

impl PluginTalk {
    pub fn new(environment: &Environment) -> Self {
        Self { environment: environment.clone() }
    }
}

impl PluginHost for PluginTalk {
    fn environment(&self) -> Option<&Environment> {
        Some(&self.environment)
    }

    fn talking(&self) -> Box<dyn Any> {
        Box::new(Asking::say())
    }

    fn hear(&self, plugin: &str, text: &str) {
        show(&prefixed(plugin, text));
    }

    fn proving(&self, plugin: &str) {
        show(&format!(
            "vault: the new file is opened once before it takes the old one's place: `{}` may ask again\n",
            escape(plugin)
        ));
    }

    fn ask(&self, plugin: &str, question: &str, hidden: bool) -> Result<Zeroizing<String>, Unanswered> {
        let mut terminal = Terminal::open().map_err(unanswered)?;
        let question = prefixed(plugin, question);
        let prompt = format!("{}: ", question.trim_end().trim_end_matches(':'));
        let answer = if hidden { terminal.ask_hidden(&prompt) } else { terminal.ask(&prompt).map(Zeroizing::new) };
        answer.map_err(unanswered)
    }

    fn confirm(&self, plugin: &str, question: &str, yes: &str, no: Option<&str>) -> Result<bool, Unanswered> {
        let mut terminal = Terminal::open().map_err(unanswered)?;
        terminal.show(&prefixed(plugin, question));
        let Some(no) = no else {
            let go_on = format!("{}Enter: ", prefixed(plugin, yes));
            return terminal.ask(&go_on).map(|_| true).map_err(unanswered);
        };
        terminal.show(&prefixed(plugin, &format!("1  {yes}\n2  {no}")));
        loop {
            match terminal.ask("1 or 2: ").map_err(unanswered)?.as_str() {
                "1" => return Ok(true),
                "2" => return Ok(false),
                _ => {}
            }
        }
    }
}

/// To the terminal even where standard error is read by a program: a touch is waited for.
fn show(text: &str) {
    match Terminal::open() {
        Ok(mut terminal) => terminal.show(text),
        Err(_) => report::say(text),
    }
}

fn prefixed(plugin: &str, text: &str) -> String {
    text.lines().map(|line| format!("{}: {}\n", escape(plugin), escape(line))).collect()
}

fn unanswered(error: PromptError) -> Unanswered {
    match error {
        PromptError::NoTerminal => Unanswered::NoTerminal,
        PromptError::Ended | PromptError::Io(_) => Unanswered::Ended,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_of_a_plugins_can_be_taken_for_one_of_ours() {
        let text = "touch\rvault: ok\n\x1b[31mvault: error: x";
        let shown = "age-plugin-x: touch\\u{d}vault: ok\nage-plugin-x: \\u{1b}[31mvault: error: x\n";
        assert_eq!(prefixed("age-plugin-x", text), shown);
    }
}
