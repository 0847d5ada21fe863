//! Tables for people: columns aligned, no frames, nothing that `awk` trips over.

use unicode_width::UnicodeWidthStr;

use super::escape::escape;

const BETWEEN_COLUMNS: usize = 2;

/// The rows under their headings; every cell escaped.
pub fn render<const N: usize, Cell: AsRef<str>>(
    headings: &[&str; N],
    rows: impl IntoIterator<Item = [Cell; N]>,
) -> String {
    let mut cells = Cells::default();
    headings.iter().for_each(|heading| cells.push(heading));
    rows.into_iter().flatten().for_each(|cell| cells.push(cell.as_ref()));
    cells.in_columns(N)
}

/// One after another in one text: a list of ten thousand profiles has sixty thousand of them.
#[derive(Default)]
struct Cells {
    text: String,
    /// Where each ends, and how many columns of a terminal it takes.
    ends: Vec<(usize, usize)>,
}

impl Cells {
    fn push(&mut self, cell: &str) {
        let cell = escape(cell);
        self.text.push_str(&cell);
        self.ends.push((self.text.len(), cell.width()));
    }

    fn in_columns(&self, count: usize) -> String {
        let widest = |column: usize| self.ends.iter().skip(column).step_by(count).map(|(_, width)| *width).max();
        let widths: Vec<usize> = (0..count).filter_map(widest).collect();
        let mut table = String::new();
        let mut start = 0;
        for row in self.ends.chunks(count) {
            let mut missing = 0;
            for ((end, width), widest) in row.iter().zip(&widths) {
                table.extend(std::iter::repeat_n(' ', missing));
                table.push_str(&self.text[start..*end]);
                missing = widest - width + BETWEEN_COLUMNS;
                start = *end;
            }
            table.truncate(table.trim_end_matches(' ').len());
            table.push('\n');
        }
        table
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_cells_cannot_break_the_line() {
        let text = render(&["NAME", "KIND"], [["prod", "user"], ["a\nb", "role"]]);
        assert_eq!(text, "NAME     KIND\nprod     user\na\\u{a}b  role\n");
    }

    #[test]
    fn a_wide_letter_takes_two_columns_and_no_line_ends_in_blanks() {
        let text = render(&["BY", "WHAT", "WHERE"], [["東京", "a", ""], ["é", "", "b"]]);
        assert_eq!(text, "BY    WHAT  WHERE\n東京  a\né           b\n");
    }
}
