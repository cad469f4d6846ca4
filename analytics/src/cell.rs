//! Cells of a CSV (RFC 4180), which a spreadsheet may open.

/// Appends a cell to a row.
pub fn push_cell(row: &mut String, text: &str) {
    let guard = if is_formula(text) { "'" } else { "" };
    let bare = !text.contains([',', ';', '"', '\t', '\r', '\n']) && text.trim() == text;
    if bare {
        row.push_str(guard);
        row.push_str(text);
        return;
    }
    row.push('"');
    row.push_str(guard);
    for (at, part) in text.split('"').enumerate() {
        if at > 0 {
            row.push_str("\"\"");
        }
        row.push_str(part);
    }
    row.push('"');
}

/// Whether a spreadsheet might take the cell for a formula and run it (OWASP, CSV injection), or for a cell with
/// a guard already. A title is written by whoever may make links, and read by somebody with more rights.
pub fn is_formula(text: &str) -> bool {
    text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠', '\''])
}
