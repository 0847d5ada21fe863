//! The last scheduled run, for people who were not there: a notice on their desktop, and a line at their next command.

use crate::rotate::last_run::LastRun;

use super::report::schedule as words;
use super::schedule::Tool;
use super::world::World;

/// At the end of a scheduled run: remembers it and, where it failed as the one before did not, shows a notice.
pub fn finished(world: &World, run: &LastRun) {
    let earlier = match run.record(world.disk, &world.paths.state) {
        Ok(earlier) => earlier,
        Err(error) => {
            world.warn(&format!("how this run went could not be remembered: {error}"));
            None
        }
    };
    let is_news = earlier.is_none_or(|earlier| !run.is_no_news(&earlier));
    if is_news && let Some(line) = words::last_run_failed(run) {
        notify(world, &line, words::next_step(run));
    }
}

/// A machine without a desktop has none.
fn notify(world: &World, line: &str, next: &str) {
    if let Some(notifier) = Tool::find_optional("notify-send", world) {
        let _ = notifier.ask(&["--app-name=vault", "--", line, next], b"");
    }
}

/// After a rotation of all that is due, by hand: what the run failed at is done.
pub fn mend(world: &World) {
    if let Ok(Some(run)) = LastRun::last(world.disk, &world.paths.state)
        && run.reason().is_some()
    {
        // What can't be remembered is told once more.
        let _ = run.mend(world.disk, &world.paths.state);
    }
}

/// A line about a run that failed, for whoever asks how things are.
pub fn warn(world: &World) {
    match LastRun::last(world.disk, &world.paths.state) {
        Ok(Some(run)) => tell(world, &run),
        Ok(None) => {}
        Err(why) => world.warn(&words::last_run_unreadable(&why)),
    }
}

/// The same for who asked for something else: once.
pub fn remind(world: &World) {
    match LastRun::last(world.disk, &world.paths.state) {
        Ok(Some(run)) if !run.is_told() => tell(world, &run),
        _ => {}
    }
}

fn tell(world: &World, run: &LastRun) {
    if let Some(line) = words::last_run_failed(run) {
        world.warn(&line);
        world.hint(words::next_step(run));
        // What can't be remembered is told once more.
        let _ = run.tell(world.disk, &world.paths.state);
    }
}
