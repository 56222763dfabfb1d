// The editor: a plain text area, which every screen reader and keyboard knows, over a painted copy of its text.
const LINE = 20, PAD = 8;
const TOKENS = /("""[\s\S]*?(?:"""|$)|'''[\s\S]*?(?:'''|$)|"(?:\\.|[^"\\\n])*"?|'[^'\n]*'?)|(#[^\n]*)|([A-Za-z_][\w-]*)(?=\s*(?:\.[\w-]+\s*)*=)|(\b(?:true|false|-?0x[\da-f]+|-?\d+)\b)/g;

const editor = {
  marks: { mistakes: [], veiled: [], now: null },
  letter: 8,
  completions: null,
  chosen: 0,

  get text() { return $("text"); },

  start(onchange) {
    this.onchange = onchange;
    const ruler = make("span", {}, "x".repeat(100));
    $("paint").append(ruler);
    this.letter = ruler.getBoundingClientRect().width / 100 || 8;
    this.text.addEventListener("input", event => {
      this.close();
      this.onchange();
      if (event.inputType === "insertText" && /[\w"]/.test(event.data || "")) this.complete(false);
    });
    this.text.addEventListener("keydown", event => this.key(event));
    this.text.addEventListener("blur", () => this.close());
    $("options").addEventListener("mousedown", event => {
      event.preventDefault();
      const option = event.target.closest("li");
      if (option) this.take(Number(option.dataset.index));
    });
  },

  get value() { return this.text.value; },
  set value(text) { this.text.value = text; this.paint(); },

  // Paints the text again: what kind each word is, what is wrong, what is hidden, and which step is shown.
  paint() {
    const text = this.text.value, cuts = new Set([0, text.length]), spans = [];
    const add = (from, to, name) => { if (to > from) { spans.push([from, to, name]); cuts.add(from); cuts.add(to); } };
    for (const match of text.matchAll(TOKENS)) {
      const name = ["str", "com", "key", "num"][[1, 2, 3, 4].findIndex(group => match[group] !== undefined)];
      add(match.index, match.index + match[0].length, name);
    }
    for (const [from, to] of this.marks.veiled) add(from, to, "veiled");
    for (const [from, to] of this.marks.mistakes) add(from, Math.max(to, Math.min(from + 1, text.length)), "mistake");
    if (this.marks.now) {
      // A line at a time, without what it is indented by.
      let start = 0;
      text.split("\n").forEach((line, index) => {
        if (index >= this.marks.now[0] && index <= this.marks.now[1]) add(start + line.search(/\S|$/), start + line.length, "now");
        start += line.length + 1;
      });
    }
    const paint = $("paint"), order = [...cuts].sort((a, b) => a - b);
    const fragment = document.createDocumentFragment();
    for (let index = 0; index + 1 < order.length; index++) {
      const [from, to] = [order[index], order[index + 1]];
      const names = spans.filter(span => span[0] <= from && span[1] >= to).map(span => span[2]);
      fragment.append(names.length ? make("span", { class: names.join(" ") }, text.slice(from, to)) : text.slice(from, to));
    }
    paint.replaceChildren(fragment, "\n");
    $("gutter").textContent = text.split("\n").map((_, index) => index + 1).join("\n") + "\n";
  },

  // Brings the step that is shown into view, in the box of the text only.
  reveal() {
    const box = $("editor"), now = this.marks.now;
    if (!now || document.activeElement === this.text) return;
    const top = now[0] * LINE + PAD;
    if (top < box.scrollTop + LINE || top > box.scrollTop + box.clientHeight - 2 * LINE) box.scrollTop = top - box.clientHeight / 2;
  },

  go(from, to) {
    this.text.focus();
    this.text.setSelectionRange(from, to);
    const line = this.value.slice(0, from).split("\n").length - 1;
    $("editor").scrollTop = line * LINE - $("editor").clientHeight / 2;
  },

  key(event) {
    if (event.key === " " && event.ctrlKey) { event.preventDefault(); this.complete(true); return; }
    if (!this.completions) return;
    const last = this.completions.options.length - 1;
    const keys = {
      ArrowDown: () => this.choose(this.chosen === last ? 0 : this.chosen + 1),
      ArrowUp: () => this.choose(this.chosen === 0 ? last : this.chosen - 1),
      Enter: () => this.take(this.chosen),
      Escape: () => this.close(),
    };
    if (keys[event.key]) { event.preventDefault(); event.stopPropagation(); keys[event.key](); }
  },

  complete(asked) {
    const at = this.text.selectionStart;
    const found = model.ask({ ask: "complete", text: this.value, at });
    if (!found.options.length || (!asked && found.options.length === 1 && found.options[0].insert === this.value.slice(found.from, at))) {
      if (asked) say("Nothing to complete here.");
      return;
    }
    this.completions = found;
    const lines = this.value.slice(0, found.from).split("\n");
    const list = $("options");
    list.replaceChildren(...found.options.map((option, index) =>
      make("li", { role: "option", id: `option-${index}`, "data-index": index, title: option.about }, make("code", {}, option.insert), make("span", {}, option.about))));
    list.hidden = false;
    const left = PAD + lines[lines.length - 1].length * this.letter;
    list.style.left = `${Math.max(0, Math.min(left, $("editor").scrollLeft + $("editor").clientWidth - list.offsetWidth - 60))}px`;
    list.style.top = `${PAD + lines.length * LINE}px`;
    this.text.setAttribute("aria-controls", "options");
    this.choose(0);
    say(`${found.options.length} completions. ${found.options[0].insert}`);
  },

  choose(index) {
    this.chosen = index;
    [...$("options").children].forEach((option, at) => option.setAttribute("aria-selected", String(at === index)));
    $("options").children[index].scrollIntoView({ block: "nearest" });
    this.text.setAttribute("aria-activedescendant", `option-${index}`);
  },

  take(index) {
    const { from, to, options } = this.completions;
    this.close();
    this.text.setRangeText(options[index].insert, from, to, "end");
    this.onchange();
  },

  close() {
    this.completions = null;
    $("options").hidden = true;
    this.text.removeAttribute("aria-activedescendant");
    this.text.removeAttribute("aria-controls");
  },
};
