//! The page that leads a browser to the console. The address is a secret, so no command line may have it: it stands in a file
//! that its user alone can read, for as long as a browser takes to start. (A server on this machine would do no better: other
//! users can ask it too, and whatever tells the browser from them stands in the browser's command line.)

use std::io;
use std::time::Duration;

use super::ConsoleError;
use crate::cli::world::World;
use crate::disk::Folder;
use crate::names::ProfileName;
use crate::process::{open_in_browser, remove_later};

/// How long a page stays.
const STAYS: Duration = Duration::from_secs(60);

/// Opens the address in the person's browser.
pub fn open(address: &str, profile: &ProfileName, world: &World) -> Result<(), ConsoleError> {
    let path = &world.paths.sockets;
    world.disk.make_folder(path).map_err(ConsoleError::Page)?;
    let folder = world.disk.open_folder(path).map_err(ConsoleError::Page)?;
    if !folder.status().map_err(ConsoleError::Page)?.is_private_folder() {
        return Err(ConsoleError::PageFolder);
    }
    remove_forgotten(&*folder, world);
    let name = new_name().map_err(ConsoleError::Page)?;
    let page = path.join(&name);
    // Before it is there: whatever becomes of this process, the page goes.
    remove_later(&page, STAYS, &world.environment).map_err(ConsoleError::Page)?;
    let written = folder.create(&name).and_then(|mut file| file.write(html(address).as_bytes()));
    let opened = written.map_err(ConsoleError::Page).and_then(|()| {
        open_in_browser(&page, &world.environment)
            .map_err(|error| ConsoleError::Browser { profile: profile.clone(), error })
    });
    opened.inspect_err(|_| {
        // Else it goes a minute later.
        let _ = folder.remove(&name);
    })
}

fn new_name() -> io::Result<String> {
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(|error| io::Error::other(error.to_string()))?;
    Ok(format!("console-{:016x}.html", u64::from_be_bytes(random)))
}

/// Pages that nobody was left to remove: the machine was switched off.
fn remove_forgotten(folder: &dyn Folder, world: &World) {
    let now = world.clock.now().as_nanosecond();
    let pages = folder.names().unwrap_or_default().into_iter().filter(|name| is_page(name));
    for page in pages {
        let written = folder.entry(&page).ok().flatten().map(|found| found.modified);
        if written.is_some_and(|written| now - written > STAYS.as_nanos().cast_signed()) {
            let _ = folder.remove(&page);
        }
    }
}

fn is_page(name: &str) -> bool {
    name.starts_with("console-") && name.ends_with(".html")
}

fn html(address: &str) -> String {
    let address = escaped(address);
    format!(
        "<!doctype html>\n<meta charset=\"utf-8\">\n<meta name=\"referrer\" content=\"no-referrer\">\n\
         <meta http-equiv=\"refresh\" content=\"0; url={address}\">\n<title>AWS console</title>\n\
         <a href=\"{address}\">AWS console</a>\n"
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_can_not_break_out_of_the_page() {
        let page = html("https://x/?a=1&b=\"><script>'");
        assert!(page.contains("url=https://x/?a=1&amp;b=&quot;&gt;&lt;script&gt;&#39;\""), "{page}");
        assert!(!page.contains("<script>"));
    }
}
