//! The little Markdown that scenarios are introduced with: paragraphs, `code`, *emphasis*. Everything else is text.

use crate::html::escaped;

/// The text as HTML.
pub(crate) fn html(text: &str) -> String {
    let paragraphs = text.trim().split("\n\n").filter(|paragraph| !paragraph.trim().is_empty());
    paragraphs
        .map(|paragraph| format!("<p>{}</p>", inline(&paragraph.split_whitespace().collect::<Vec<_>>().join(" "))))
        .collect()
}

/// A text without paragraphs.
pub(crate) fn inline(text: &str) -> String {
    let pieces: Vec<&str> = text.split('`').collect();
    // A last backtick without a partner is a backtick.
    let paired = if pieces.len().is_multiple_of(2) { pieces.len() - 1 } else { pieces.len() };
    let mut html = String::new();
    for (index, piece) in pieces.iter().enumerate() {
        match index {
            _ if index >= paired => html += &format!("`{}", emphasised(piece)),
            _ if index % 2 == 1 => html += &format!("<code>{}</code>", escaped(piece)),
            _ => html += &emphasised(piece),
        }
    }
    html
}

fn emphasised(text: &str) -> String {
    let pieces: Vec<&str> = text.split('*').collect();
    let whole = pieces.len() % 2 == 1
        && pieces.iter().skip(1).step_by(2).all(|piece| !piece.is_empty() && piece.trim() == *piece);
    if !whole {
        return escaped(text);
    }
    let one = |(index, piece): (usize, &&str)| match index % 2 {
        1 => format!("<em>{}</em>", escaped(piece)),
        _ => escaped(piece),
    };
    pieces.iter().enumerate().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::html;

    #[test]
    fn what_is_no_markdown_is_text() {
        assert_eq!(html("a <b> & `x < y`\n\n*two* *"), "<p>a &lt;b&gt; &amp; <code>x &lt; y</code></p><p>*two* *</p>");
        assert_eq!(html("it is *two* `a"), "<p>it is <em>two</em> `a</p>");
        assert_eq!(html(" \n"), "");
    }
}
