// What the address asks for, among all titles, rules and scenarios.
"use strict";
const asked = new URLSearchParams(location.search).get("q") || "";
const words = asked.toLowerCase().split(/\s+/).filter(Boolean);
const field = document.querySelector("input[name=q]");
field.value = asked;
if (words.length) {
  const fits = ([, title, more]) => words.every(word => `${title} ${more}`.toLowerCase().includes(word));
  const hits = all.filter(fits);
  document.getElementById("found").textContent = `${hits.length} of ${all.length} for “${asked}”`;
  document.getElementById("hits").replaceChildren(...hits.map(([file, title, more]) => {
    const [entry, link, code] = ["li", "a", "code"].map(name => document.createElement(name));
    link.href = file;
    link.textContent = title;
    code.textContent = more;
    entry.append(link, " ", more ? code : "");
    return entry;
  }));
} else {
  field.focus();
}
