// The model, compiled to WebAssembly: JSON in, JSON out. Where a page has no model inside, there is only a film to be shown.
const $ = id => document.getElementById(id);
const data = JSON.parse($("data").textContent);

const model = {
  wasm: null,

  // Unpacks what is in the page and starts it.
  async load() {
    if (!data.wasm) return false;
    const bytes = Uint8Array.from(atob(data.wasm), letter => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    const { instance } = await WebAssembly.instantiate(await new Response(stream).arrayBuffer(), {});
    this.wasm = instance.exports;
    delete data.wasm;
    return true;
  },

  ask(request) {
    const text = new TextEncoder().encode(JSON.stringify(request));
    const room = this.wasm.room(text.length);
    new Uint8Array(this.wasm.memory.buffer, room, text.length).set(text);
    const length = this.wasm.answer();
    const answer = new Uint8Array(this.wasm.memory.buffer, this.wasm.answered(), length);
    return JSON.parse(new TextDecoder().decode(answer));
  },
};

// Makes an element: its attributes, then what is in it.
function make(tag, attributes, ...inside) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...inside.filter(one => one !== null && one !== undefined && one !== ""));
  return element;
}

// A text whose code stands between grave accents.
const marked = words => words.split("`").map((part, index) => index % 2 ? make("code", {}, part) : part);
