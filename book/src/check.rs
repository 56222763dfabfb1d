//! Whether all that a site links to is there, and whether it needs nothing else.

use std::collections::{BTreeMap, BTreeSet};

/// What is wrong with the files of a site: a link to a page or an anchor that is not there, an anchor that is there twice, something that is loaded
/// from elsewhere. A link that somebody may follow can lead anywhere.
pub fn faults(files: &[(String, Vec<u8>)]) -> Vec<String> {
    let names: BTreeSet<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    let pages: Vec<(&str, String)> = files
        .iter()
        .filter(|(name, _)| name.ends_with(".html"))
        .map(|(name, bytes)| (name.as_str(), String::from_utf8_lossy(bytes).into_owned()))
        .collect();
    let scanned: BTreeMap<&str, Scan> = pages.iter().map(|(name, html)| (*name, scan(html))).collect();
    let mut faults = Vec::new();
    for (name, scan) in &scanned {
        let mut seen = BTreeSet::new();
        faults
            .extend(scan.ids.iter().filter(|id| !seen.insert(*id)).map(|id| format!("{name}: `{id}` is there twice")));
        for (attribute, target) in &scan.links {
            if let Some(fault) = fault(name, attribute, target, &names, &scanned, &pages) {
                faults.push(format!("{name}: {fault}"));
            }
        }
    }
    for (name, bytes) in files.iter().filter(|(name, _)| name.ends_with(".css")) {
        let text = String::from_utf8_lossy(bytes);
        if text.contains("url(") || text.contains("@import") {
            faults.push(format!("{name}: it loads something"));
        }
    }
    faults
}

fn fault(
    page: &str,
    attribute: &str,
    target: &str,
    names: &BTreeSet<&str>,
    scanned: &BTreeMap<&str, Scan>,
    pages: &[(&str, String)],
) -> Option<String> {
    let is_outside = target.contains("//") || target.starts_with("data:") || target.starts_with("javascript:");
    if is_outside {
        return (attribute != "a href" || !target.starts_with("https://")).then(|| format!("`{target}` is elsewhere"));
    }
    let (file, place) = target.split_once('#').unwrap_or((target, ""));
    let file = if file.is_empty() { page } else { file };
    if !names.contains(file) {
        return Some(format!("there is no `{file}`"));
    }
    // A player is told by its address which scenario it is to show.
    if let Some(scenario) = place.strip_prefix("s=") {
        let html = pages.iter().find(|(name, _)| *name == file).map_or("", |(_, html)| html.as_str());
        let is_there = html.contains(&format!("\"name\":\"{scenario}\"")) || file == "playground.html";
        return (!is_there).then(|| format!("`{file}` does not have `{scenario}`"));
    }
    let is_there = place.is_empty() || scanned.get(file).is_some_and(|scan| scan.ids.iter().any(|id| id == place));
    (!is_there).then(|| format!("there is no `{place}` in `{file}`"))
}

/// What is in the tags of a page.
#[derive(Default)]
struct Scan {
    ids: Vec<String>,
    /// The element and the attribute, and where it leads.
    links: Vec<(String, String)>,
}

fn scan(html: &str) -> Scan {
    let mut scan = Scan::default();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        let end = rest.find('>').unwrap_or(rest.len());
        let (tag, after) = rest.split_at(end);
        let element = tag.split(|letter: char| !letter.is_ascii_alphanumeric()).next().unwrap_or_default();
        for (name, value) in attributes(tag) {
            match name {
                "id" => scan.ids.push(value),
                "href" | "src" | "action" | "srcset" | "data" | "poster" => {
                    scan.links.push((format!("{element} {name}"), value))
                }
                _ => {}
            }
        }
        rest = after;
        // What is in a script or a style is no markup.
        if matches!(element, "script" | "style") {
            let close = format!("</{element}");
            rest = rest.find(&close).map_or("", |at| &rest[at..]);
        }
    }
    scan
}

/// The attributes of a tag, with their values.
fn attributes(tag: &str) -> Vec<(&str, String)> {
    let pieces: Vec<&str> = tag.split('"').collect();
    let pairs = pieces.chunks_exact(2).filter_map(|pair| {
        let name = pair[0].strip_suffix('=')?.split_whitespace().next_back()?;
        Some((name, pair[1].replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")))
    });
    pairs.collect()
}

#[cfg(test)]
mod tests {
    use super::faults;

    fn faults_of(html: &str) -> Vec<String> {
        let page = |name: &str, text: &str| (name.to_owned(), text.as_bytes().to_vec());
        faults(&[
            page("a.html", html),
            page("b.html", "<h1 id=\"x\">x</h1><script>s = '<a href=\"nowhere.html\">'</script>"),
            page("play-c.html", "{\"name\":\"c/d\"}"),
        ])
    }

    #[test]
    fn what_is_there_is_no_fault() {
        let html = "<p id=\"y\"><a href=\"b.html#x\"><a href='#'><a href=\"#y\"><a href=\"https://example.org/\"><a href=\"play-c.html#s=c/d\">";
        assert_eq!(faults_of(html), [] as [String; 0]);
    }

    #[test]
    fn what_is_not_there_is_told() {
        for (html, told) in [
            ("<a href=\"c.html\">", "there is no `c.html`"),
            ("<a href=\"b.html#z\">", "there is no `z` in `b.html`"),
            ("<a href=\"#z\">", "there is no `z` in `a.html`"),
            ("<img src=\"https://example.org/x.png\">", "`https://example.org/x.png` is elsewhere"),
            ("<script src=\"//example.org/x.js\">", "`//example.org/x.js` is elsewhere"),
            ("<a href=\"http://example.org/\">", "`http://example.org/` is elsewhere"),
            ("<p id=\"x\"><p id=\"x\">", "`x` is there twice"),
            ("<a href=\"play-c.html#s=c/e\">", "`play-c.html` does not have `c/e`"),
        ] {
            assert_eq!(faults_of(html), [format!("a.html: {told}")], "{html}");
        }
    }
}
