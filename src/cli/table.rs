//! Tables for people: columns aligned, no frames, nothing that `awk` trips over.

use comfy_table::{ContentArrangement, Table, presets};

use super::escape::escape;

/// The rows under their headings; every cell escaped.
pub fn render(headings: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(headings.iter().copied());
    for row in rows {
        table.add_row(row.iter().map(|cell| escape(cell)));
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_cells_cannot_break_the_line() {
        let text = render(&["NAME", "KIND"], [vec!["prod".into(), "user".into()], vec!["a\nb".into(), "role".into()]]);
        assert_eq!(text, "NAME     KIND\nprod     user\na\\u{a}b  role\n");
    }
}
