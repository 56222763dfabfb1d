// The player: one moment of a film at a time.
const player = {
  film: null,
  answered: new Set(),
  // The first step that is not what Linux does, where a misconception is on.
  departs: null,

  get last() { return this.film.moments.length - 1; },

  open(film, departs) {
    this.film = film;
    this.departs = departs;
    this.answered = new Set();
  },

  // Questions that stand before the step after this one and are still open.
  asking() {
    if (!this.film) return [];
    return this.film.moments[state.step].questions.filter(question => !this.answered.has(this.key(question)));
  },

  key(question) { return `${question.step} ${question.text}`; },

  // Shows the moment that the state names. Where it was not `quiet`, a screen reader is told what changed.
  show(quiet) {
    const film = this.film;
    state.step = Math.max(0, Math.min(state.step, this.last));
    const scene = film.moments[state.step];
    $("title").textContent = film.title;
    $("about").innerHTML = film.about;
    $("at").max = this.last;
    $("at").value = state.step;
    $("at").setAttribute("aria-valuetext", state.step ? `step ${state.step} of ${this.last}: ${scene.by}: ${scene.call}` : "the start");
    $("count").textContent = `${state.step} / ${this.last}`;
    $("back").disabled = state.step === 0;
    $("next").disabled = state.step === this.last;
    this.deed(scene);
    this.world(scene);
    this.changes(scene);
    this.reasons(scene);
    this.questions(scene);
    if (!quiet) say(this.told(scene));
  },

  told(scene) {
    if (!scene.step) return "At the start.";
    const changes = scene.changes.map(change => `${change.about} ${change.words}.`).join(" ");
    return `Step ${scene.step} of ${this.last}. ${scene.by}: ${scene.call}, ${scene.result}. ${changes || "Nothing changed."}`;
  },

  deed(scene) {
    if (!scene.step) {
      $("deed").replaceChildren("At the start: host is PID 1 of a new namespace");
      $("asked").textContent = "";
      return;
    }
    $("deed").replaceChildren(
      make("span", { class: "step" }, `${scene.step}.`), " ", `${scene.by}: `, make("code", {}, scene.call),
      scene.result ? make("span", { class: `gave ${scene.sort}` }, scene.result) : "");
    $("asked").textContent = scene.ask || "";
  },

  world(scene) {
    const picture = $("picture");
    picture.innerHTML = state.view === "table" ? scene.table : scene.picture;
    picture.setAttribute("aria-label", state.view === "table" ? "The processes as a table" : "The processes as boxes");
    const eye = scene.eyes.find(([name]) => name === state.eye);
    $("eye").replaceChildren(make("option", { value: "" }, "everybody"), ...scene.eyes.map(([name]) => make("option", { value: name }, name)));
    $("eye").value = eye ? eye[0] : "";
    for (const element of picture.querySelectorAll("[data-in]")) {
      const inside = element.dataset.in.split(" ").includes(String(eye && eye[1]));
      element.classList.toggle("off", Boolean(eye) && !inside);
    }
    $("ps").replaceChildren(eye ? this.ps(scene, eye) : "");
  },

  // What the kernel tells whoever looks: PIDs of its own namespace, and nobody else.
  ps(scene, [name, space]) {
    const rows = (scene.seen.find(([one]) => one === space) || [0, []])[1];
    const row = one => make("tr", { class: one.state }, make("td", {}, one.pid), make("td", {}, one.ppid), make("td", {}, one.state), make("th", { scope: "row" }, one.name));
    const heads = ["PID", "PPID", "state", "process"].map(head => make("th", { scope: "col" }, head));
    return make("table", { class: "seen" }, make("caption", {}, `What ${name} sees, as ps shows it`), make("thead", {}, make("tr", {}, ...heads)), make("tbody", {}, ...rows.map(row)));
  },

  changes(scene) {
    const tags = { born: "new", gone: "gone", adopted: "adopted", state: "state", returned: "returned", signal: "signal", sees: "sees" };
    const rows = scene.changes.map(change => make("li", {},
      make("span", { class: `tag ${change.kind}` }, tags[change.kind]), make("span", {}, make("b", {}, change.about), " ", change.words)));
    $("changed").replaceChildren(...(rows.length ? rows : [make("li", {}, scene.step ? "Nothing that anybody can see." : "Nothing has happened yet.")]));
  },

  rule(id, about, main) {
    const card = this.film.rules[id];
    const [file, name] = card.kernel.split(":");
    const links = [make("code", {}, id), about.length ? `: ${about.join(", ")}` : "", " · "];
    if (name && /^\w+$/.test(name)) links.push(make("a", { href: `https://elixir.bootlin.com/linux/latest/A/ident/${name}`, rel: "noreferrer" }, make("code", {}, `${file}:${name}`)));
    else links.push(make("code", {}, card.kernel));
    if (card.manual) links.push(` · ${card.manual}`);
    return make("div", { class: main ? "rule main" : "rule" }, make("p", {}, card.sentence), make("p", { class: "meta" }, ...links), card.note ? make("p", { class: "note" }, card.note) : "");
  },

  reasons(scene) {
    if (this.departs !== null && scene.step >= this.departs) {
      $("why").replaceChildren(make("p", {}, "This is not what Linux does, so no rule says it."));
      return;
    }
    const fresh = scene.reasons.filter(reason => reason.new || reason.main), known = scene.reasons.filter(reason => !reason.new && !reason.main);
    const rows = fresh.map(reason => this.rule(reason.rule, reason.about, reason.main));
    if (known.length) {
      const box = make("details", { class: "before" }, make("summary", {}, `As before: ${known.map(reason => reason.rule).join(", ")}`));
      known.forEach(reason => box.append(this.rule(reason.rule, reason.about, false)));
      rows.push(box);
    }
    const none = this.film.moments.some(one => one.reasons.length) ? "No rule had to decide." : "This run has no model beside it, so no reasons.";
    $("why").replaceChildren(...(rows.length ? rows : [make("p", {}, scene.step ? none : "The first step comes next.")]));
  },

  questions(scene) {
    const cards = scene.questions.map(question => {
      const card = make("div", { class: "ask" });
      const heading = make("h3", {}, question.text);
      const [deed, ...later] = question.ahead.map(words => make("code", {}, words));
      const until = later.length ? [later.length > 1 ? ", and what comes then: " : ", and then ", ...later.flatMap((words, at) => at ? ["; ", words] : [words]), ". What will the last one give?"] : ["."];
      const when = make("p", { class: "when" }, `Before step ${question.step}, `, deed, ...until);
      const choices = make("div", { class: "choices", role: "group", "aria-label": question.text });
      const verdict = make("div", { class: "verdict", role: "status" });
      question.choices.forEach(choice => {
        const mark = make("span", { class: "mark", "aria-hidden": "true" }, "○");
        const button = make("button", { type: "button" }, mark, make("span", {}, choice.words));
        button.addEventListener("click", () => this.answer(question, choice, choices, verdict));
        button.dataset.right = choice.right;
        choices.append(button);
      });
      card.append(heading, when, choices, verdict);
      if (this.answered.has(this.key(question))) this.close(choices, null);
      return card;
    });
    $("questions").replaceChildren(...cards);
    $("questions").hidden = !cards.length;
  },

  close(choices, taken) {
    for (const button of choices.children) {
      button.disabled = true;
      const right = button.dataset.right === "true";
      if (right) button.className = "right";
      else if (button === taken) button.className = "wrong";
      button.querySelector(".mark").textContent = right ? "✓" : button === taken ? "✗" : "";
    }
  },

  answer(question, choice, choices, verdict) {
    this.answered.add(this.key(question));
    const taken = [...choices.children].find(button => button.textContent.slice(1) === choice.words);
    this.close(choices, taken);
    const right = question.choices.find(one => one.right);
    const next = make("button", { type: "button", class: "primary", onclick: () => { walk(1); $("deed").focus(); } }, `Show step ${question.step}`);
    verdict.replaceChildren(
      make("p", {}, make("strong", { class: choice.right ? "good" : "bad" }, choice.right ? "Right." : "No."), choice.right ? "" : ` It is: ${right.words}.`,
        choice.claim ? ` It would be so if this were true: “${choice.claim}.”` : ""),
      question.rule && this.film.rules[question.rule] ? this.rule(question.rule, [], true) : "", next);
    next.focus();
  },
};
