//! From Markdown to HTML, as the pages of the site have it.
//!
//! Headings get the anchors that others link to; the id of a rule and the name of a scenario lead to their pages wherever they stand as code; links
//! from page to page lead to what the pages have become. What is neither a page nor a file of the site is named, and no link.

use std::collections::BTreeSet;

use pidlab_page::escaped;
use pidlab_scenario::library;
use pidlab_sim::rule;
use pulldown_cmark::{CodeBlockKind, CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd, html};

use crate::names::{self, slug};

/// What there is to link to.
#[derive(Debug, Default)]
pub(crate) struct Known {
    scenarios: BTreeSet<String>,
    /// Documents by their file names, and other files of the site.
    documents: BTreeSet<String>,
    files: BTreeSet<String>,
}

/// The page that the README becomes.
pub(crate) const README: &str = "README.md";

/// A page as HTML.
pub(crate) struct Html {
    /// The text of its first heading.
    pub(crate) title: String,
    pub(crate) body: String,
}

impl Known {
    /// The library, and what the site is given beside it.
    pub(crate) fn new<'a>(
        documents: impl IntoIterator<Item = &'a str>,
        files: impl IntoIterator<Item = &'a str>,
    ) -> Known {
        Known {
            scenarios: library::files().map(|file| file.name).collect(),
            documents: documents.into_iter().map(str::to_owned).collect(),
            files: files.into_iter().map(str::to_owned).collect(),
        }
    }

    /// Where a word that stands as code leads, if it does.
    fn code(&self, word: &str) -> Option<String> {
        if rule::find(word).is_some() && self.documents.contains("rules.md") {
            return Some(format!("rules.html#{word}"));
        }
        let name = word.strip_prefix("pidlab run ").unwrap_or(word);
        self.scenarios.contains(name).then(|| names::scenario(name))
    }

    /// Where a link of a document leads within the site: nothing if it leads out of it.
    fn link(&self, target: &str) -> Option<String> {
        if target.starts_with('#') || target.starts_with("https://") || target.starts_with("http://") {
            return Some(target.to_owned());
        }
        let (path, place) = target.split_once('#').map_or((target, None), |(path, place)| (path, Some(place)));
        let path = path.trim_start_matches("./");
        let name = path.strip_prefix("../").or_else(|| path.strip_prefix("docs/")).unwrap_or(path);
        let page = match name {
            name if self.documents.contains(name) => names::document(name),
            name if self.files.contains(name) => name.to_owned(),
            _ => return None,
        };
        Some(place.map_or_else(|| page.clone(), |place| format!("{page}#{place}")))
    }

    /// A document as HTML.
    pub(crate) fn html(&self, text: &str) -> Html {
        let events: Vec<Event<'_>> =
            Parser::new_ext(text, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH).collect();
        let mut writer = Writer {
            known: self,
            ids: BTreeSet::new(),
            title: String::new(),
            out: Vec::new(),
            closing: Vec::new(),
            links: 0,
        };
        for (index, event) in events.iter().enumerate() {
            writer.event(event, &events[..index], &events[index + 1..]);
        }
        let mut body = String::new();
        html::push_html(&mut body, writer.out.into_iter());
        // A cell of the head with nothing in it heads nothing.
        Html { title: writer.title, body: body.replace("<th></th>", "<td></td>") }
    }
}

struct Writer<'a, 'b> {
    known: &'b Known,
    ids: BTreeSet<String>,
    title: String,
    out: Vec<Event<'a>>,
    /// How each link that is open is closed.
    closing: Vec<String>,
    links: usize,
}

impl<'a> Writer<'a, '_> {
    fn raw(&mut self, text: impl Into<CowStr<'a>>) {
        self.out.push(Event::InlineHtml(text.into()));
    }

    fn event(&mut self, event: &Event<'a>, before: &[Event<'a>], after: &[Event<'a>]) {
        match event {
            Event::Start(Tag::Heading { level, .. }) => self.heading(*level, after),
            Event::Start(Tag::Strong) if matches!(before.last(), Some(Event::Start(Tag::Paragraph))) => {
                self.term(after)
            }
            Event::Start(Tag::Table(_)) => {
                self.raw("<div class=\"wide\" tabindex=\"0\">");
                self.out.push(event.clone());
            }
            Event::End(TagEnd::Table) => {
                self.out.push(event.clone());
                self.raw("</div>");
            }
            // What is typed may be broken where the page ends; what is written stands as it does.
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(word))) if word.as_ref() == "sh" => {
                self.raw("<pre class=\"sh\" tabindex=\"0\"><code>");
            }
            Event::Start(Tag::CodeBlock(_)) => self.raw("<pre tabindex=\"0\"><code>"),
            Event::End(TagEnd::CodeBlock) => self.raw("</code></pre>\n"),
            Event::Start(Tag::Link { dest_url, .. }) => self.link(dest_url),
            Event::End(TagEnd::Link) => {
                self.links -= 1;
                let end = self.closing.pop().unwrap_or_default();
                self.raw(end);
            }
            Event::Start(Tag::Image { dest_url, title, id, link_type }) => {
                let dest_url = self.known.link(dest_url).unwrap_or_default().into();
                self.out.push(Event::Start(Tag::Image {
                    dest_url,
                    title: title.clone(),
                    id: id.clone(),
                    link_type: *link_type,
                }));
            }
            Event::Code(word) => self.code(word),
            // Comments of the source are for who edits it.
            Event::Html(text) | Event::InlineHtml(text) if text.trim_start().starts_with("<!--") => {}
            Event::Html(text) | Event::InlineHtml(text) => self.out.push(Event::Text(text.clone())),
            Event::Start(Tag::HtmlBlock) | Event::End(TagEnd::HtmlBlock) => {}
            _ => self.out.push(event.clone()),
        }
    }

    /// A heading with its anchor; a second one with the same words gets a number.
    fn heading(&mut self, level: HeadingLevel, after: &[Event<'_>]) {
        let text = words(after, &TagEnd::Heading(level));
        if self.title.is_empty() {
            self.title.clone_from(&text);
        }
        let id = self.id(slug(&text));
        self.out.push(Event::Start(Tag::Heading {
            level,
            id: Some(id.into()),
            classes: Vec::new(),
            attrs: Vec::new(),
        }));
    }

    /// What a paragraph begins with in bold is a word that it explains: it can be linked to.
    fn term(&mut self, after: &[Event<'_>]) {
        let text = words(after, &TagEnd::Strong);
        let id = if rule::find(&text).is_some() { text } else { format!("word-{}", slug(&text)) };
        let id = self.id(id);
        self.raw(format!("<span id=\"{}\"></span>", escaped(&id)));
        self.out.push(Event::Start(Tag::Strong));
    }

    fn id(&mut self, wanted: String) -> String {
        let numbered = (1..).map(|number| format!("{wanted}-{number}"));
        let free = std::iter::once(wanted.clone()).chain(numbered).find(|id| !self.ids.contains(id));
        let id = free.unwrap_or(wanted);
        self.ids.insert(id.clone());
        id
    }

    fn link(&mut self, target: &str) {
        self.links += 1;
        let (begin, end) = match self.known.link(target) {
            Some(to) => (format!("<a href=\"{}\">", escaped(&to)), "</a>".to_owned()),
            None => {
                let path = target.split('#').next().unwrap_or(target).trim_start_matches("../");
                (String::new(), format!(" <span class=\"source\">({} in the source tree)</span>", escaped(path)))
            }
        };
        self.raw(begin);
        self.closing.push(end);
    }

    fn code(&mut self, word: &CowStr<'a>) {
        match self.known.code(word).filter(|_| self.links == 0) {
            Some(to) => self.raw(format!("<a href=\"{}\"><code>{}</code></a>", escaped(&to), escaped(word))),
            None => self.out.push(Event::Code(word.clone())),
        }
    }
}

/// The words up to the end of an element.
fn words(events: &[Event<'_>], end: &TagEnd) -> String {
    let inside = events.iter().take_while(|event| !matches!(event, Event::End(tag) if tag == end));
    let text = inside.filter_map(|event| match event {
        Event::Text(text) | Event::Code(text) => Some(text.as_ref()),
        _ => None,
    });
    text.collect()
}

#[cfg(test)]
mod tests {
    use super::Known;

    fn known() -> Known {
        Known::new(["rules.md", "README.md"], ["a.png"])
    }

    #[test]
    fn links_lead_to_what_pages_have_become() {
        let html =
            known().html("[a](rules.md#alloc) [b](../README.md) [c](../tests/x.rs) ![d](docs/a.png) [e](#here)").body;
        for part in [
            "href=\"rules.html#alloc\"",
            "href=\"readme.html\"",
            "src=\"a.png\"",
            "href=\"#here\"",
            "c <span class=\"source\">(tests/x.rs in the source tree)</span>",
        ] {
            assert!(html.contains(part), "{part}: {html}");
        }
    }

    #[test]
    fn rules_and_scenarios_are_linked_where_they_stand_as_code() {
        let html = known()
            .html("**alloc.cyclic**: `alloc.cyclic`, `pidlab run death/not-gone-yet`, `fork`, [`alloc.cyclic`](#x)")
            .body;
        assert!(
            html.contains("<span id=\"alloc.cyclic\"></span>") && html.contains("href=\"rules.html#alloc.cyclic\""),
            "{html}"
        );
        assert!(
            html.contains("href=\"scenario-death-not-gone-yet.html\"") && html.contains("<code>fork</code>"),
            "{html}"
        );
        assert!(html.contains("<a href=\"#x\"><code>alloc.cyclic</code></a>"), "{html}");
    }

    #[test]
    fn nothing_but_markdown_is_markup() {
        let html =
            known().html("# A `b` c!\n\n<script>x</script>\n\n<!-- gone -->\n\n## A b c\n\n```rust\na < b\n```\n");
        assert!(
            !html.body.contains("<script>") && !html.body.contains("gone") && html.body.contains("a &lt; b"),
            "{}",
            html.body
        );
        assert!(html.title == "A b c!" && html.body.contains("id=\"a-b-c-1\""), "{}", html.body);
    }
}
