//! The questions: what is asked before it is shown.

use pidlab_page::{api, questions};
use pidlab_scenario::{CallName, Facts, Scenario, library};
use pidlab_sim::Model;
use serde_json::{Value, json};

fn play(name: &str, text: &str) -> Value {
    let request = json!({ "ask": "play", "name": name, "text": text });
    serde_json::from_str(&api::answer(&request.to_string())).expect("an answer is JSON")
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().expect("a list")
}

#[test]
fn every_question_of_the_library_can_be_answered_in_one_way() {
    let (mut asked, mut put, mut mistaken, mut earlier) = (0, 0, 0, 0);
    for file in library::files() {
        asked += file.text.matches("ask = ").count();
        let played = play(&file.name, file.text);
        assert_eq!(played["mistakes"], json!([]), "{}", file.name);
        for scene in list(&played["film"], "moments") {
            for question in list(scene, "questions") {
                let choices = list(question, "choices");
                let right = choices.iter().filter(|choice| choice["right"] == true).count();
                assert_eq!(right, 1, "{}: {question}", file.name);
                assert!((2..=4).contains(&choices.len()), "{}: {question}", file.name);
                for (index, choice) in choices.iter().enumerate() {
                    assert!(
                        choices[..index].iter().all(|other| other["words"] != choice["words"]),
                        "{}: {question}",
                        file.name
                    );
                }
                assert_eq!(question["step"].as_u64(), scene["step"].as_u64().map(|step| step + 1));
                put += 1;
                mistaken += usize::from(choices.iter().any(|choice| !choice["misconception"].is_null()));
                earlier += usize::from(!question["read"].is_null());
            }
        }
    }
    println!(
        "{asked} asked, {put} put, {mistaken} with an answer from a misconception, {earlier} before the step that only reads"
    );
    assert!(put * 100 >= asked * 95, "{put} of {asked}");
}

/// The model that follows a misconception gives the answer that is said to come from it, at the step that is asked about.
#[test]
fn what_comes_from_a_misconception_is_what_its_model_gives() {
    let (mut held, mut words) = (0, std::collections::BTreeSet::new());
    for file in library::files() {
        let played = play(&file.name, file.text);
        for question in list(&played["film"], "moments").iter().flat_map(|scene| list(scene, "questions")) {
            for choice in list(question, "choices").iter().filter(|choice| !choice["misconception"].is_null()) {
                let word = &choice["misconception"];
                let request = json!({ "ask": "play", "name": file.name, "text": file.text, "misconception": word });
                let wrong: Value = serde_json::from_str(&api::answer(&request.to_string())).expect("JSON");
                let moments = list(&wrong["film"], "moments");
                // Where a reader is asked, what it reads; else the step itself.
                let asked = match question["read"].is_null() {
                    true => question["step"].as_u64().and_then(|step| moments.get(usize::try_from(step).ok()?)),
                    false => moments.iter().find(|scene| scene["ask"] == question["text"]),
                };
                let asked = asked.unwrap_or_else(|| panic!("{}: {word} does not come to {question}", file.name));
                let (said, gave) = (choice["words"].as_str().expect("text"), asked["result"].as_str().expect("text"));
                let number = gave.strip_prefix("returns ").unwrap_or(gave);
                let fits = said.starts_with(gave) || said.starts_with(number) || gave == "does not return";
                assert!(fits, "{}: {word} gives {gave}, and not {said}", file.name);
                assert!(choice["claim"].is_string(), "{choice}");
                held += 1;
                words.insert(word.to_string());
            }
        }
    }
    println!("{held} answers come from {} misconceptions", words.len());
    assert!(words.len() >= 30, "{words:?}");
}

/// Nobody is asked for what stands in the picture of the moment at which the question stands: read there, it would be something else.
#[test]
fn no_picture_shows_the_answer_to_its_question() {
    for file in library::files() {
        let scenario = Scenario::parse(&file.name, &file.path, file.text).expect("the library is sound");
        let facts = Facts::newest().with_all(&scenario.needs);
        for (moment, question) in questions(&scenario, &facts) {
            let Some(index) = scenario.steps.iter().position(|step| step.ask.as_ref() == Some(&question.text)) else {
                panic!("{}: who asks `{}`?", file.name, question.text)
            };
            let step = &scenario.steps[index];
            let shown = [CallName::Getpid, CallName::Gettid, CallName::Getppid, CallName::Getpgid, CallName::Getsid];
            if !shown.contains(&step.call.name()) {
                continue;
            }
            let read = |after: usize| {
                let mut model = Model::new(facts.clone());
                model.start(&scenario);
                let taken = scenario.steps[..after].iter().all(|step| model.step(&scenario, step).is_ok());
                assert!(taken, "{}: the library can be played", file.name);
                model.step(&scenario, step).ok().map(|answer| answer.observation.outcome)
            };
            assert_ne!(read(moment), read(index), "{}: {}", file.name, question.text);
        }
    }
}

/// The question of a scenario, and its choices, the right one marked.
fn shown(name: &str) -> String {
    let file = library::find(name).expect("the library has it");
    let played = play(name, file.text);
    let scenes = list(&played["film"], "moments").iter();
    let questions = scenes.flat_map(|scene| list(scene, "questions").iter());
    let one = |question: &Value| {
        let choices = list(question, "choices").iter();
        let choices = choices.map(|choice| {
            let why = choice["misconception"].as_str().map(|word| format!("   <- {word}")).unwrap_or_default();
            format!(
                "  {} {}{why}\n",
                if choice["right"] == true { "*" } else { "-" },
                choice["words"].as_str().unwrap_or("?")
            )
        });
        let read = question["read"].as_str().map(|read| format!(" ({read})")).unwrap_or_default();
        format!(
            "before {}. {}: {}{read}\n{}",
            question["step"],
            question["deed"],
            question["text"],
            choices.collect::<String>()
        )
    };
    questions.map(one).collect()
}

#[test]
fn what_the_picture_would_give_away_is_asked_before() {
    insta::assert_snapshot!("a_reader", shown("orphans/adopted-by-own-init"));
    insta::assert_snapshot!("a_kill", shown("init-signals/kill-9-1-does-nothing"));
    insta::assert_snapshot!("an_end", shown("orphans/not-to-the-grandparent"));
    insta::assert_snapshot!("a_birth", shown("numbers/not-reused-at-once"));
}

#[test]
fn mistakes_have_their_place() {
    let played = play("mine", "title = \"é\"\nsteps = [\n  { by = \"host\", call = \"frok\", child = \"a\" },\n]\n");
    assert_eq!(played["film"], Value::Null);
    let mistake = &played["mistakes"][0];
    assert_eq!((&mistake["line"], &mistake["column"]), (&json!(3), &json!(25)));
    // In UTF-16, in which `é` is one.
    assert_eq!((&mistake["from"], &mistake["to"]), (&json!(12 + 10 + 24), &json!(12 + 10 + 30)));
    let played = play("mine", "title = \"t\"\nsteps = [\n  { by = \"host\", call = \"getpid\", returns = 2 },\n]\n");
    assert_eq!(played["mistakes"][0]["help"], "true is `returns = 1`");
    assert_eq!(played["mistakes"][0]["line"], 3);
    let played = play(
        "mine",
        "title = \"t\"\nsteps = [\n  { by = \"host\", call = \"exit\", status = 0 },\n  { by = \"host\", call = \"getpid\" },\n]\n",
    );
    assert_eq!(list(&played["film"], "moments").len(), 2, "what comes before the mistake is shown");
    assert_eq!(played["mistakes"][0]["line"], 4);
}

#[test]
fn what_is_no_request_is_told() {
    let answer = |request: &str| serde_json::from_str::<Value>(&api::answer(request)).expect("JSON");
    for request in ["", "{}", "{\"ask\":\"play\"}", "{\"ask\":\"sing\"}", "[1]"] {
        assert!(answer(request)["error"].is_string(), "{request}");
    }
}
