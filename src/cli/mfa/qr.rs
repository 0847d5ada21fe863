//! A QR code in half blocks: two rows of modules in one of the terminal.

use qrcode::bits::Bits;
use qrcode::types::{Color, QrError};
use qrcode::{EcLevel, QrCode, Version};
use zeroize::Zeroizing;

/// The quiet zone of ISO/IEC 18004, and what readers make do with where the terminal is too low for it.
const MARGINS: [usize; 2] = [4, 2];

/// White blocks on black whatever the theme says: these two of the 256 colours are fixed, the first 16 are not.
const COLOURS: &str = "\x1b[38;5;231;48;5;16m";
const PLAIN: &str = "\x1b[0m";

/// Screens have no scratches.
const LEVEL: EcLevel = EcLevel::L;

pub struct Drawing {
    modules: Vec<Color>,
    width: usize,
}

impl Drawing {
    /// None where the text is too long for any.
    pub fn of(text: &str) -> Option<Self> {
        let bits = (1..=40).find_map(|version| encoded(text, Version::Normal(version)).ok())?;
        let code = QrCode::with_bits(bits, LEVEL).ok()?;
        Some(Self { width: code.width(), modules: code.into_colors() })
    }

    /// The rows of text that fit there, `spare` rows left free; None where none do. Without colours the blocks are light
    /// modules in the terminal's own colour, which is right on a dark background.
    pub fn fitted(&self, (columns, rows): (u16, u16), spare: u16, colours: bool) -> Option<Zeroizing<String>> {
        let fits = |margin: &&usize| {
            let side = self.width + 2 * **margin;
            side <= usize::from(columns) && side.div_ceil(2) + usize::from(spare) <= usize::from(rows)
        };
        MARGINS.iter().find(fits).map(|margin| self.drawn(*margin, colours))
    }

    fn drawn(&self, margin: usize, colours: bool) -> Zeroizing<String> {
        let side = self.width + 2 * margin;
        let (before, after) = if colours { (COLOURS, PLAIN) } else { ("", "") };
        // At once as long as it gets: what is moved while it grows is left behind.
        let mut text = Zeroizing::new(String::with_capacity(side * side * 2 + side * 32));
        for upper in (0..side).step_by(2) {
            text.push_str(before);
            for column in 0..side {
                text.push(match (self.light(column, upper, margin), self.light(column, upper + 1, margin)) {
                    (true, true) => '█',
                    (true, false) => '▀',
                    (false, true) => '▄',
                    (false, false) => ' ',
                });
            }
            text.push_str(after);
            text.push('\n');
        }
        text
    }

    /// All around the code is light.
    fn light(&self, column: usize, row: usize, margin: usize) -> bool {
        let inside = |at: usize| at.checked_sub(margin).filter(|at| *at < self.width);
        match (inside(column), inside(row)) {
            (Some(column), Some(row)) => self.modules[row * self.width + column] == Color::Light,
            _ => true,
        }
    }
}

/// With the longest run of capitals and digits in the mode that packs those: that is the seed, half of the text, and makes the
/// code small enough for 24 rows. The library's own choice of modes depends on which letters the seed happens to have.
fn encoded(text: &str, version: Version) -> Result<Bits, QrError> {
    let (from, to) = longest_run(text.as_bytes());
    let mut bits = Bits::new(version);
    bits.push_byte_data(&text.as_bytes()[..from])?;
    bits.push_alphanumeric_data(&text.as_bytes()[from..to])?;
    bits.push_byte_data(&text.as_bytes()[to..])?;
    bits.push_terminator(LEVEL)?;
    Ok(bits)
}

/// Where the longest run of characters of the alphanumeric mode begins and ends.
fn longest_run(text: &[u8]) -> (usize, usize) {
    let (mut from, mut longest) = (0, (0, 0));
    for (at, byte) in text.iter().enumerate() {
        if !(byte.is_ascii_uppercase() || byte.is_ascii_digit() || b" $%*+-./:".contains(byte)) {
            from = at + 1;
        } else if at + 1 - from > longest.1 - longest.0 {
            longest = (from, at + 1);
        }
    }
    longest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(name: &str) -> String {
        format!("otpauth://totp/AWS:{name}@123456789012?secret={}&issuer=AWS", "A2B7".repeat(16))
    }

    /// What a camera sees: 4 by 8 points a character.
    fn read(drawn: &str) -> String {
        let rows: Vec<Vec<char>> = drawn.lines().map(|line| line.chars().collect()).collect();
        let (width, height) = (rows[0].len(), rows.len() * 2);
        let light = |x: usize, y: usize| match rows[y / 2][x] {
            '█' => true,
            '▀' => y.is_multiple_of(2),
            '▄' => y % 2 == 1,
            _ => false,
        };
        let scale = 4;
        let mut image = rqrr::PreparedImage::prepare_from_greyscale(width * scale, height * scale, |x, y| {
            if light(x / scale, y / scale) { 255 } else { 0 }
        });
        let grids = image.detect_grids();
        assert_eq!(grids.len(), 1);
        grids[0].decode().unwrap().1
    }

    #[test]
    fn a_reader_finds_the_text_with_either_margin() {
        for name in ["alice", "a-user-whose-name-is-as-long-as-the-names-that-iam-takes-can-be-64"] {
            let drawing = Drawing::of(&address(name)).unwrap();
            for margin in MARGINS {
                assert_eq!(read(&drawing.drawn(margin, false)), address(name));
            }
        }
    }

    #[test]
    fn a_terminal_of_80_by_24_shows_it_with_room_for_the_question() {
        let rows = |name: &str, size| {
            Drawing::of(&address(name)).unwrap().fitted(size, 1, true).map(|drawn| drawn.lines().count())
        };
        assert_eq!(rows("alice", (80, 24)), Some(23));
        assert_eq!(rows("alice", (80, 23)), Some(21));
        assert_eq!(rows("alice", (80, 21)), None);
        assert_eq!(rows("alice", (40, 24)), None);
        assert_eq!(rows(&"n".repeat(36), (80, 24)), Some(23));
        assert_eq!(rows(&"n".repeat(64), (80, 27)), None);
        assert_eq!(rows(&"n".repeat(64), (80, 28)), Some(27));
    }

    #[test]
    fn what_kind_of_letters_the_seed_has_makes_no_difference() {
        for seed in ["A2B7", "ABCD", "2345", "A2BC", "AAA2"] {
            let text = address("alice").replace("A2B7", seed);
            let drawing = Drawing::of(&text).unwrap();
            assert_eq!((drawing.width, read(&drawing.drawn(2, false))), (37, text));
        }
    }

    #[test]
    fn every_row_brings_its_own_two_colours() {
        let drawing = Drawing::of("x").unwrap();
        let coloured = drawing.drawn(2, true);
        assert!(coloured.lines().all(|line| line.starts_with(COLOURS) && line.ends_with(PLAIN)));
        assert_eq!(coloured.replace(COLOURS, "").replace(PLAIN, ""), *drawing.drawn(2, false));
    }
}
