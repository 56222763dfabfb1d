//! The site: from what there is to files.

use pidlab_page::PICTURE_STYLE;
use pidlab_sim::rule;
use serde_json::json;

use crate::beside::beside;
use crate::course::Course;
use crate::frame::{Page, Part, framed};
use crate::incident::incidents;
use crate::markdown::{Known, README};
use crate::names;
use crate::scenarios::{self, Played};

const STYLE: &str = include_str!("../web/book.css");
const SEARCH: &str = include_str!("../web/search.js");

/// A page of documentation, in Markdown.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Document {
    /// Its file: `rules.md`. That of the README is `README.md`.
    pub name: String,
    /// Its text. Links to other documents may be written as from the folder `docs` or from the one above.
    pub text: String,
}

/// What a site is made of, beside what this crate has.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Site {
    /// The pages of documentation.
    pub documents: Vec<Document>,
    /// Other files that these link to or show.
    pub files: Vec<(String, Vec<u8>)>,
    /// The playground, if there is one.
    pub playground: Option<Vec<u8>>,
}

/// Documents that belong to the course, in order, if they are there; and those to look things up in.
const COURSE: [&str; 2] = ["claims.md", "article.md"];
const REFERENCE: [&str; 4] = ["rules.md", "calls.md", "glossary.md", "kernels.md"];

/// The document that the site has in another form.
const INCIDENTS: &str = "incidents.md";

impl Site {
    /// A site with these documents.
    pub fn new(documents: Vec<Document>) -> Site {
        Site { documents, ..Site::default() }
    }

    /// Its files: the name of each, and what is in it. All are in one folder.
    ///
    /// # Errors
    /// What is wrong with a file of this crate. They are tested.
    pub fn made(&self) -> Result<Vec<(String, Vec<u8>)>, String> {
        let (incidents, beside) = (incidents()?, beside()?);
        let library = scenarios::played();
        let names = self.documents.iter().map(|document| document.name.as_str());
        let known = Known::new(names, self.files.iter().map(|(name, _)| name.as_str()));
        let playground = self.playground.is_some();
        let course = Course { known: &known, library: &library, incidents: &incidents, beside: &beside, playground };
        let mut pages = vec![course.start()];
        pages.extend(course.lessons());
        pages.extend(self.some(&known, &COURSE, Part::Course));
        pages.extend(course.incidents());
        pages.extend(self.some(&known, &REFERENCE, Part::Reference));
        pages.push(Page {
            file: "scenarios.html".to_owned(),
            title: "Scenarios".to_owned(),
            body: scenarios::list(&library),
            part: Some(Part::Reference),
        });
        pages.extend(self.others(&known));
        pages.extend(scenarios::pages(&library, &incidents, playground));
        pages.push(search());
        let index = self.index(&pages, &library);
        let mut files: Vec<(String, Vec<u8>)> =
            framed(&pages, playground).into_iter().map(|(name, html)| (name, html.into_bytes())).collect();
        files.extend(scenarios::players(&library).into_iter().map(|(name, html)| (name, html.into_bytes())));
        files.push(("book.css".to_owned(), format!("{STYLE}{PICTURE_STYLE}").into_bytes()));
        files.push(("search.js".to_owned(), SEARCH.as_bytes().to_vec()));
        files.push(("index.js".to_owned(), index.into_bytes()));
        files.extend(self.playground.iter().map(|page| ("playground.html".to_owned(), page.clone())));
        files.extend(self.files.iter().cloned());
        Ok(files)
    }

    /// Documents by their names, in this order.
    fn some(&self, known: &Known, names: &[&str], part: Part) -> Vec<Page> {
        names
            .iter()
            .filter_map(|name| self.documents.iter().find(|one| one.name == *name))
            .map(|one| document(known, one, part))
            .collect()
    }

    /// Documents that have no place of their own, by their titles.
    fn others(&self, known: &Known) -> Vec<Page> {
        let placed = |name: &str| COURSE.contains(&name) || REFERENCE.contains(&name) || name == INCIDENTS;
        let others = self.documents.iter().filter(|one| !placed(&one.name));
        let mut pages: Vec<Page> = others.map(|one| document(known, one, Part::More)).collect();
        pages.sort_by_key(|page| page.title.to_lowercase());
        pages
    }

    /// What can be searched for: where it is, what it is called, and what is said of it.
    fn index(&self, pages: &[Page], library: &[Played]) -> String {
        let pages = pages
            .iter()
            .filter(|page| !page.file.starts_with("scenario-"))
            .map(|page| json!([page.file, page.title, ""]));
        let scenarios = library
            .iter()
            .map(|Played { scenario, .. }| json!([names::scenario(&scenario.name), scenario.title, scenario.name]));
        let has_rules = self.documents.iter().any(|one| one.name == "rules.md");
        let rules = rule::CATALOGUE
            .iter()
            .filter(|_| has_rules)
            .map(|rule| json!([format!("rules.html#{}", rule.id), rule.sentence, rule.id]));
        let all: Vec<serde_json::Value> = pages.chain(rules).chain(scenarios).collect();
        format!("const all = {};\n", json!(all).to_string().replace("],[", "],\n["))
    }
}

fn document(known: &Known, document: &Document, part: Part) -> Page {
    let html = known.html(&document.text);
    let title = if document.name == README { "About pidlab".to_owned() } else { html.title };
    Page { file: names::document(&document.name), title, body: html.body, part: Some(part) }
}

/// The page that a search leads to.
fn search() -> Page {
    let body = "<h1>Search</h1>\n<p id=\"found\" role=\"status\">Type a word into the field above: a word of a title, a rule, a scenario.</p>\n<ul class=\"list\" id=\"hits\"></ul>\n\
                <noscript><p>A search needs JavaScript; <a href=\"scenarios.html\">the list of scenarios</a> and <a href=\"rules.html\">the rules</a> do not.</p></noscript>\n\
                <script src=\"index.js\"></script>\n<script src=\"search.js\"></script>\n";
    Page { file: "search.html".to_owned(), title: "Search".to_owned(), body: body.to_owned(), part: None }
}
