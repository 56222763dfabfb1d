//! `pidlab run` as a page and as a picture. What they show is tested in `page/tests/`, and in a browser.
#![forbid(unsafe_code)]

mod tool;

use roxmltree::Document;
use tool::{Folder, GOOD, pidlab};

/// The data of a page: what stands in its element for them.
fn data(page: &str) -> serde_json::Value {
    let (_, rest) = page.split_once("<script type=\"application/json\" id=\"data\">").expect("a page has data");
    let (data, _) = rest.split_once("</script>").expect("they end");
    serde_json::from_str(data).expect("they are JSON")
}

#[test]
fn a_page_has_every_run_with_its_answers_inside() {
    let folder = Folder::new("page");
    folder.file("mine.toml", GOOD);
    let arguments = ["run", "mine.toml", "orphans/adopted-by-own-init", "--on", "model", "--format", "html"];
    let output = pidlab(&folder.0, &arguments);
    assert_eq!((output.code, &output.err[..]), (Some(0), ""));
    let films = data(&output.out)["films"].clone();
    let films = films.as_array().expect("a list");
    assert_eq!(films.len(), 2);
    assert_eq!(films[1]["moments"].as_array().map(Vec::len), Some(7), "the start and six steps");
    assert_eq!(films[1]["moments"][4]["questions"][0]["text"], "Who is leaf's parent now?");
    assert_eq!(films[1]["origin"], "the model of Linux");
    // What a text brings along is text: nothing in it ends the element that holds it.
    folder.file("sly.toml", GOOD.replacen("title = \"", "title = \"</script><b>", 1));
    let sly = pidlab(&folder.0, &["run", "sly.toml", "--on", "model", "--format", "html"]);
    assert!(data(&sly.out)["films"][0]["title"].as_str().is_some_and(|title| title.starts_with("</script><b>")));
    assert_eq!(sly.out.matches("</script>").count(), output.out.matches("</script>").count());
}

#[test]
fn a_picture_is_of_one_moment_of_one_scenario() {
    let folder = Folder::new("picture");
    let draw = |step: &str| {
        pidlab(&folder.0, &["run", "orphans/adopted-by-own-init", "--on", "model", "--format", "svg", "--step", step])
    };
    let output = draw("5");
    assert_eq!((output.code, &output.err[..]), (Some(0), ""));
    let document = Document::parse(&output.out).expect("it is XML");
    let named = |name: &str| document.descendants().any(|node| node.attribute("data-name") == Some(name));
    assert!(["host", "init", "mid", "leaf"].into_iter().all(named), "{}", output.out);
    let late = draw("7");
    assert_eq!((late.code, &late.out[..]), (Some(2), ""));
    assert!(late.err.contains("no step 7: its last is 6"), "{}", late.err);
    for (arguments, wrong) in [
        (&["run", "orphans", "--format", "svg"][..], "a picture is of one scenario"),
        (&["run", "orphans/adopted-by-own-init", "--step", "1"], "`--step` is for `--format svg`"),
    ] {
        let output = pidlab(&folder.0, arguments);
        assert_eq!(output.code, Some(2), "{arguments:?}");
        assert!(output.err.contains(wrong), "{arguments:?}: {}", output.err);
    }
}
