//! What all pages have in common: the head, the way back and forth, the contents.

use pidlab_page::escaped;

/// A page of the site, without its frame.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    /// Its file.
    pub(crate) file: String,
    /// What it is called where it is linked to.
    pub(crate) title: String,
    /// Its HTML, from the first heading on.
    pub(crate) body: String,
    /// Under which heading of the contents it stands, if it does.
    pub(crate) part: Option<Part>,
}

/// A part of the contents.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Part {
    /// From the first question on.
    Course,
    /// To look things up.
    Reference,
    /// Everything else.
    More,
}

impl Part {
    const ALL: [Part; 3] = [Part::Course, Part::Reference, Part::More];

    const fn heading(self) -> &'static str {
        match self {
            Part::Course => "The course",
            Part::Reference => "To look up",
            Part::More => "More",
        }
    }
}

/// The pages in their frames: `before` and `after` are the neighbours in the order of reading.
pub(crate) fn framed(pages: &[Page], playground: bool) -> Vec<(String, String)> {
    let of = |(index, page): (usize, &Page)| {
        let before = index.checked_sub(1).and_then(|index| pages.get(index));
        let html = frame(page, before, pages.get(index + 1), &contents(pages, page, playground));
        (page.file.clone(), html)
    };
    pages.iter().enumerate().map(of).collect()
}

fn frame(page: &Page, before: Option<&Page>, after: Option<&Page>, contents: &str) -> String {
    let way = |page: Option<&Page>, word: &str, sign: &str| {
        let link = |page: &Page| {
            format!(
                "<a class=\"{word}\" rel=\"{word}\" href=\"{}\"><span>{sign}</span>{}</a>",
                page.file,
                escaped(&page.title)
            )
        };
        page.map(link).unwrap_or_default()
    };
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"referrer\" content=\"no-referrer\">\n<title>{title} · pidlab</title>\n\
         <link rel=\"stylesheet\" href=\"book.css\">\n</head>\n<body>\n<a class=\"skip\" href=\"#page\">Skip to the page</a>\n\
         <header><a class=\"brand\" href=\"index.html\">pidlab</a><a class=\"to-contents\" href=\"#contents\">Contents</a>\
         <form action=\"search.html\" role=\"search\"><input type=\"search\" name=\"q\" aria-label=\"Search\" placeholder=\"Search\"><button>Find</button></form></header>\n\
         <div class=\"columns\">\n<main id=\"page\" tabindex=\"-1\">\n{body}\n<nav class=\"ways\" aria-label=\"Next and previous page\">{back}{forth}</nav>\n</main>\n\
         <nav id=\"contents\" aria-label=\"Contents\">{contents}</nav>\n</div>\n</body>\n</html>\n",
        title = escaped(&page.title),
        body = page.body,
        back = way(before, "prev", "Before"),
        forth = way(after, "next", "Next"),
    )
}

fn contents(pages: &[Page], here: &Page, playground: bool) -> String {
    let entry = |page: &Page| {
        let current = if page.file == here.file { " aria-current=\"page\"" } else { "" };
        format!("<li><a href=\"{}\"{current}>{}</a></li>", page.file, escaped(&page.title))
    };
    let part = |part: Part| {
        let mut entries: Vec<String> = pages.iter().filter(|page| page.part == Some(part)).map(entry).collect();
        if playground && part == Part::Course {
            entries.insert(1.min(entries.len()), "<li><a href=\"playground.html\">The playground</a></li>".to_owned());
        }
        match entries.is_empty() {
            true => String::new(),
            false => format!("<h2>{}</h2><ul>{}</ul>", part.heading(), entries.concat()),
        }
    };
    Part::ALL.map(part).concat()
}
