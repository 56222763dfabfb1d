// The page: what is shown is the state, and the state is in the address.
const state = { name: "", goal: "", text: null, step: 0, view: "boxes", eye: "", kernel: "", facts: {}, wrong: "" };
let shelf = null;

function say(words) { $("live").textContent = words; }

function walk(by) {
  state.step += by;
  player.show();
  placed();
}

// The step that comes next; where a question stands before it, that comes first, and the second time it is passed.
function next() {
  const open = player.asking();
  const card = $("questions").querySelector("button:not(:disabled)");
  if (open.length && card && !$("questions").contains(document.activeElement) && next.stopped !== state.step) {
    next.stopped = state.step;
    card.focus();
    say(`A question first: ${open[0].text} Step on again to pass it.`);
    return;
  }
  walk(1);
}

async function packed(text) {
  const stream = new Blob([text]).stream().pipeThrough(new CompressionStream("deflate-raw"));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

async function unpacked(word) {
  const bytes = Uint8Array.from(atob(word.replaceAll("-", "+").replaceAll("_", "/")), letter => letter.charCodeAt(0));
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"))).text();
}

// The state as the fragment of an address.
async function fragment() {
  const parts = new URLSearchParams();
  if (state.name) parts.set("s", state.name);
  if (state.goal) parts.set("g", state.goal);
  if (state.step) parts.set("k", state.step);
  if (state.view !== "boxes") parts.set("v", state.view);
  if (state.eye) parts.set("eye", state.eye);
  if (state.kernel) parts.set("on", state.kernel);
  const facts = Object.entries(state.facts).map(([name, holds]) => (holds ? "" : "!") + name).join(",");
  if (facts) parts.set("facts", facts);
  if (state.wrong) parts.set("as-if", state.wrong);
  if (state.text !== null) parts.set("t", await packed(state.text));
  return `#${parts.toString().replaceAll("%2F", "/").replaceAll("%2C", ",").replaceAll("%21", "!")}`;
}

// Puts the state into the address.
async function placed() {
  mark();
  const address = await fragment();
  if (address !== location.hash) history.replaceState(null, "", address);
}

// Reads the state from the address.
async function read() {
  const parts = new URLSearchParams(location.hash.slice(1));
  Object.assign(state, {
    name: parts.get("s") || (parts.has("g") ? "" : state.name),
    goal: parts.get("g") || "",
    step: Number(parts.get("k")) || 0,
    view: parts.get("v") === "table" ? "table" : "boxes",
    eye: parts.get("eye") || "",
    kernel: parts.get("on") || "",
    wrong: parts.get("as-if") || "",
    facts: Object.fromEntries((parts.get("facts") || "").split(",").filter(Boolean).map(word => [word.replace("!", ""), word[0] !== "!"])),
  });
  try { state.text = parts.has("t") ? await unpacked(parts.get("t")) : null; } catch { state.text = null; }
}

// Shows in the text which step is shown, and what is hidden.
function mark() {
  const scene = player.film && player.film.moments[state.step];
  editor.marks.now = scene ? scene.lines : null;
  const veil = $("veil").checked && state.text === null;
  editor.marks.veiled = veil && player.film ? player.film.claims.slice(state.step).flat() : [];
  editor.paint();
  editor.reveal();
}

function file() { return shelf && shelf.files.find(one => one.name === state.name); }

function goal() { return shelf && shelf.goals.find(one => one.word === state.goal); }

// The text that was opened: what one's own is told from.
function given() { return goal() ? goal().start : file() && file().text; }

// Runs the text, and shows what came of it.
function run(quiet) {
  const text = editor.value;
  const played = model.ask({ ask: "play", name: state.name || state.goal || "mine", text, kernel: state.kernel || null, facts: state.facts, misconception: state.wrong || null });
  editor.marks.mistakes = played.mistakes.map(mistake => [mistake.from, mistake.to]);
  $("mistakes").replaceChildren(...played.mistakes.map(mistake => make("div", {},
    make("button", { type: "button", onclick: () => editor.go(mistake.from, mistake.to) }, `line ${mistake.line}, column ${mistake.column}`),
    mistake.message, mistake.help ? make("span", { class: "help" }, ` — ${mistake.help}`) : "")));
  const notices = [];
  if (!played.film && player.film) notices.push("The text has a mistake. What is shown is the run before it.");
  if (state.wrong) {
    const where = played.departs === null ? "in this scenario it makes no difference." : `from step ${played.departs} on this is not what Linux does.`;
    const wrong = shelf.misconceptions.find(one => one.name === state.wrong);
    if (wrong) notices.push(`As if it were true: “${wrong.claim}.” ${where[0].toUpperCase()}${where.slice(1)} What is so: ${wrong.truth}.`);
  }
  if (played.needs.length) notices.push(`This scenario is about kernels ${played.needs.map(need => need[0] === "!" ? `without ${need.slice(1)}` : `with ${need}`).join(", ")}; the model is one of them here.`);
  $("notices").replaceChildren(...notices.map(words => make("p", {}, words)));
  if (played.film) {
    player.open(played.film, played.departs);
    player.show(quiet);
    document.title = `${played.film.title} · pidlab`;
  }
  $("reset").hidden = state.text === null || given() === undefined;
  held(text);
  placed();
}

// Opens a scenario of the library.
function open(name, step) { begin({ name, goal: "" }, step); }

// Opens a goal, with what its solution begins with.
function aim(word) {
  begin({ name: "", goal: word });
  $("goal-head").focus();
}

function begin(what, step) {
  Object.assign(state, what, { text: null, step: step || 0, eye: "" });
  editor.value = given();
  next.stopped = null;
  task();
  run(true);
  lesson();
  $("shelf-now").textContent = state.name || state.goal;
}

// Goals that were reached since the page was opened.
const reached = new Set();

// Says whether the text reaches the goal. What has not changed is not said again.
function held(text) {
  const one = goal();
  $("goal").hidden = !one;
  if (!one) return;
  const told = model.ask({ ask: "goal", name: one.word, text, kernel: state.kernel || null, facts: state.facts });
  if (told.reached) reached.add(one.word);
  const box = $("goal-told"), line = make("div", {}, make("p", {}, ...marked(told.words)), ...told.missed.map(words => make("code", { class: "line" }, words)));
  if (box.textContent !== line.textContent) box.replaceChildren(...line.childNodes);
  box.classList.toggle("reached", told.reached);
  if (told.hint) $("goal-hint").querySelector("p").replaceChildren(...marked(told.hint));
  $("goal-next").hidden = !told.reached || one === shelf.goals[shelf.goals.length - 1];
}

// What is to be done, and a nudge, which is to be asked for.
function task() {
  const index = shelf.goals.indexOf(goal());
  $("goal-told").replaceChildren();
  if (index < 0) return;
  $("goal-head").textContent = `Goal ${index + 1} of ${shelf.goals.length}: ${shelf.goals[index].word}`;
  $("goal-text").replaceChildren(...marked(shelf.goals[index].text));
  $("goal-hint").open = false;
  $("goal-hint").querySelector("p").replaceChildren(...marked(shelf.goals[index].hint));
  const after = shelf.goals[index + 1];
  $("goal-next").textContent = after ? `Next goal: ${after.word}` : "";
}

// Which lesson the scenario is in, and what comes after it.
function lesson() {
  const index = shelf.lessons.findIndex(one => one.scenarios.includes(state.name));
  $("lesson").hidden = index < 0;
  if (index < 0) return;
  const all = shelf.lessons.flatMap(one => one.scenarios), after = all[all.indexOf(state.name) + 1];
  const go = after ? () => { open(after); $("stage").focus(); } : () => aim(shelf.goals[0].word);
  $("lesson").replaceChildren(`Lesson ${index + 1} of ${shelf.lessons.length}: ${shelf.lessons[index].title}`,
    " · ", make("button", { type: "button", class: "link", onclick: go }, after ? "next scenario" : "goals: the other way round"));
}

function shelved() {
  const words = $("filter").value.toLowerCase().split(/\s+/).filter(Boolean);
  const fits = one => words.every(word => `${one.name} ${one.title} ${one.rules.join(" ")}`.toLowerCase().includes(word));
  const entry = one => make("li", {}, make("button", { type: "button", "aria-current": one.name === state.name ? "true" : false,
    onclick: () => { $("shelf").close(); open(one.name); $("stage").focus(); } }, one.title, make("small", {}, one.name)));
  const groups = shelf.lessons.map((one, index) => [`Lesson ${index + 1}: ${one.title}`, one.scenarios.map(name => shelf.files.find(file => file.name === name))]);
  const chapters = [...new Set(shelf.files.map(one => one.name.split("/")[0]))];
  groups.push(...chapters.map(chapter => [chapter, shelf.files.filter(one => one.name.startsWith(`${chapter}/`))]));
  const goals = shelf.goals.filter(one => words.every(word => `goal ${one.word} ${one.text}`.toLowerCase().includes(word)));
  const tasks = goals.map(one => make("li", {}, make("button", { type: "button", "aria-current": one.word === state.goal ? "true" : false,
    onclick: () => { $("shelf").close(); aim(one.word); } }, ...marked(one.text), make("small", {}, one.word + (reached.has(one.word) ? " (reached)" : "")))));
  const lists = groups.map(([title, files]) => [title, files.filter(fits).map(entry)]);
  lists.splice(shelf.lessons.length, 0, ["Goals: a scenario of your own is to do this", tasks]);
  $("shelf-list").replaceChildren(...lists.filter(([, items]) => items.length).flatMap(([title, items]) => [make("h3", {}, title), make("ul", {}, ...items)]));
  $("found").textContent = words.length ? `${shelf.files.filter(fits).length} scenarios, ${goals.length} goals` : "";
}

function settings() {
  $("kernel").replaceChildren(make("option", { value: "" }, "newest that the model knows"), ...shelf.kernels.map(one => make("option", { value: one.name }, `Linux ${one.release.split(/[-+]/)[0]} (Debian)`)));
  $("wrong").replaceChildren(make("option", { value: "" }, "Linux is as it is"), ...shelf.misconceptions.map(one => make("option", { value: one.name }, one.claim)));
  $("kernel").value = state.kernel;
  $("wrong").value = state.wrong;
  facts();
}

function facts() {
  const kernel = shelf.kernels.find(one => one.name === state.kernel);
  const holds = name => kernel ? !kernel.lacking.includes(name) : shelf.newest.includes(name);
  $("facts").replaceChildren(...shelf.facts.map(fact => {
    const box = make("input", { type: "checkbox" });
    box.checked = state.facts[fact.name] ?? holds(fact.name);
    box.addEventListener("change", () => {
      if (box.checked === holds(fact.name)) delete state.facts[fact.name]; else state.facts[fact.name] = box.checked;
      counted();
      run();
    });
    const meaning = make("span", {});
    meaning.innerHTML = fact.meaning;
    return make("label", {}, box, make("span", {}, make("code", {}, fact.name), " ", meaning));
  }));
  counted();
}

function counted() {
  const changed = Object.keys(state.facts).length;
  $("facts-count").textContent = changed ? ` (${changed} changed)` : "";
}

function listen() {
  $("back").addEventListener("click", () => walk(-1));
  $("next").addEventListener("click", next);
  $("at").addEventListener("input", () => { state.step = Number($("at").value); player.show(); placed(); });
  $("eye").addEventListener("change", () => { state.eye = $("eye").value; player.show(true); placed(); });
  $("picture").addEventListener("click", event => {
    const task = event.target.closest("svg [data-name]");
    if (task) { state.eye = state.eye === task.dataset.name ? "" : task.dataset.name; player.show(true); placed(); }
  });
  document.querySelectorAll("[data-view]").forEach(button => button.addEventListener("click", () => { state.view = button.dataset.view; looked(); player.show(true); placed(); }));
  document.addEventListener("keydown", event => {
    const typing = event.target.closest("textarea, select, input, dialog, .picture");
    if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
    const keys = { ArrowRight: next, ArrowLeft: () => state.step && walk(-1), Home: () => walk(-state.step), End: () => walk(player.last - state.step) };
    if (keys[event.key] && (event.key !== "ArrowRight" || state.step < player.last)) { event.preventDefault(); keys[event.key](); }
  });
  $("veil").addEventListener("change", mark);
  window.addEventListener("hashchange", async () => { await read(); show(); });
}

function looked() {
  document.querySelectorAll("[data-view]").forEach(button => button.setAttribute("aria-pressed", String(button.dataset.view === state.view)));
}

// What only a page with the model inside can do.
function listenToAuthor() {
  $("open-shelf").addEventListener("click", () => { shelved(); $("shelf").showModal(); $("filter").focus(); });
  $("close-shelf").addEventListener("click", () => $("shelf").close());
  $("filter").addEventListener("input", shelved);
  $("kernel").addEventListener("change", () => { state.kernel = $("kernel").value; state.facts = {}; facts(); run(); });
  $("wrong").addEventListener("change", () => { state.wrong = $("wrong").value; run(); });
  $("reset").addEventListener("click", () => { begin({}, state.step); editor.text.focus(); });
  $("goal-next").addEventListener("click", () => aim(shelf.goals[shelf.goals.indexOf(goal()) + 1].word));
  editor.start(() => {
    state.text = given() === editor.value ? null : editor.value;
    run(true);
  });
}

// Shows what the state says, whatever was shown before.
function show() {
  looked();
  if (!shelf) { film(); return; }
  // A goal has no scenario of the library; a link can name both.
  if (goal()) state.name = ""; else state.goal = "";
  if (!file() && !goal() && state.text === null) state.name = shelf.lessons[0].scenarios[0];
  settings();
  editor.value = state.text ?? given();
  task();
  run(true);
  lesson();
  $("shelf-now").textContent = state.goal || (state.text === null ? state.name : "a scenario of your own");
}

// A page without the model: films, and nothing to choose but which one.
function film() {
  const one = data.films.find(film => film.name === state.name) || data.films[0];
  state.name = one.name;
  if (player.film !== one) player.open(one, null);
  $("runs").value = String(data.films.indexOf(one));
  $("text").value = one.text;
  $("notices").replaceChildren(make("p", { class: "origin" }, `From ${one.origin}.`), ...one.notices.map(words => make("p", {}, words)));
  player.show(true);
  placed();
}

(async () => {
  await read();
  listen();
  $("share").addEventListener("click", async () => {
    await placed();
    try { await navigator.clipboard.writeText(location.href); say("The link is copied."); $("share").textContent = "Copied"; }
    catch { say("The link is in the address bar."); $("share").textContent = "It is in the address bar"; }
  });
  if (await model.load()) {
    shelf = model.ask({ ask: "shelf" });
    listenToAuthor();
  } else {
    document.body.classList.add("alone");
    ["settings", "mistakes", "hint", "open-shelf"].forEach(id => { $(id).hidden = true; });
      $("text").readOnly = true;
    $("runs-label").hidden = data.films.length < 2;
    $("runs").replaceChildren(...data.films.map((one, index) => make("option", { value: index }, one.title)));
    $("runs").addEventListener("change", () => { Object.assign(state, { name: data.films[$("runs").value].name, step: 0, eye: "" }); film(); });
  }
  show();
  document.documentElement.dataset.ready = "true";
})();
