//! PowerShell, Windows' own (5.1) and the later ones, on any system.
//! https://learn.microsoft.com/powershell/module/microsoft.powershell.core/about/about_quoting_rules

use zeroize::Zeroizing;

/// Up to 7.4 this takes the variable away instead.
pub fn obstacle(value: &str) -> Option<&'static str> {
    value.is_empty().then_some("is empty")
}

/// Printable ASCII only, the rest by number: typographic quotes end a string as well, and what a program prints is read in
/// the console's own encoding and cut into lines.
pub fn set(name: &str, value: &str) -> Zeroizing<String> {
    let mut text = Zeroizing::new(format!("$env:{name} = '"));
    for character in value.chars() {
        match character {
            '\'' => text.push_str("''"),
            ' '..='~' => text.push(character),
            _ => by_number(character, &mut text),
        }
    }
    text.push_str("'\n");
    text
}

fn by_number(character: char, text: &mut String) {
    for unit in character.encode_utf16(&mut [0; 2]) {
        text.push_str(&format!("' + [char]{unit} + '"));
    }
}

pub fn unset(name: &str) -> String {
    format!("Remove-Item -ErrorAction Ignore Env:{name}\n")
}
