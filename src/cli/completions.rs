//! `vault completions`.

use clap::Arg;
use clap::builder::PossibleValuesParser;
use clap_complete::Generator;
use clap_complete::aot::{Bash, Elvish, Fish, PowerShell, Zsh};
use clap_complete_nushell::Nushell;

use super::failure::Failure;
use super::world::World;

/// Where each shell looks for them.
const WHERE: &str = "\
bash        vault completions bash > ~/.local/share/bash-completion/completions/vault
zsh         vault completions zsh > \"${fpath[1]}/_vault\"
fish        vault completions fish > ~/.config/fish/completions/vault.fish
nushell     vault completions nushell | save ($nu.user-autoload-dirs.0 | path join vault.nu)
elvish      vault completions elvish >> ~/.config/elvish/rc.elv
powershell  vault completions powershell >> $PROFILE";

/// Print what completes the commands and flags of vault in a shell
///
/// Profiles are not completed: their names are in the vault alone, which a press of Tab does not open.
#[derive(clap::Args)]
#[command(after_help = WHERE)]
pub struct Args {
    /// The shell
    shell: Shell,
}

#[derive(clap::ValueEnum, Clone, Copy)]
enum Shell {
    Bash,
    Zsh,
    Fish,
    Nushell,
    Elvish,
    Powershell,
}

pub fn run(args: Args, world: &World) -> Result<(), Failure> {
    world.print(&script(args.shell, &name(world)))
}

/// What this program was started as; it stands in the script as it is.
fn name(world: &World) -> String {
    let name = std::path::Path::new(&world.started_as).file_name().and_then(|name| name.to_str());
    let plain = |name: &&str| {
        name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
    };
    name.filter(plain).unwrap_or("vault").to_owned()
}

fn script(shell: Shell, name: &str) -> String {
    let generator: &dyn Fn(&clap::Command, &mut Vec<u8>) = match shell {
        Shell::Bash => &|described, text| Bash.generate(described, text),
        Shell::Zsh => &|described, text| Zsh.generate(described, text),
        Shell::Fish => &|described, text| Fish.generate(described, text),
        Shell::Nushell => &|described, text| Nushell.generate(described, text),
        Shell::Elvish => &|described, text| Elvish.generate(described, text),
        Shell::Powershell => &|described, text| PowerShell.generate(described, text),
    };
    let mut described = without_words_on_values(super::described()).name(name.to_owned()).bin_name(name.to_owned());
    described.build();
    let mut text = Vec::new();
    generator(&described, &mut text);
    String::from_utf8_lossy(&text).into_owned()
}

/// What a flag's values mean stands in scripts for fish and zsh in a place where the shell would run a `$(...)` of it.
fn without_words_on_values(command: clap::Command) -> clap::Command {
    let by_name_alone = |argument: Arg| {
        let values = argument.get_possible_values();
        match values.is_empty() {
            true => argument,
            false => {
                argument.value_parser(PossibleValuesParser::new(values.iter().map(|value| value.get_name().to_owned())))
            }
        }
    };
    command.mut_args(by_name_alone).mut_subcommands(without_words_on_values)
}
