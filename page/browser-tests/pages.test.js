// The pages in a real browser. PAGE is the playground, FILM a page of one run; both are built before (see CONTRIBUTING.md).
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";
import { after, before, test } from "node:test";
import puppeteer from "puppeteer-core";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const PAGE = `file://${resolve(process.env.PAGE || "../../target/pidlab.html")}`;
const FILM = process.env.FILM && `file://${resolve(process.env.FILM)}`;
const TEN = "nesting/orphans-stay-on-their-level";
let browser;

before(async () => {
  browser = await puppeteer.launch({ executablePath: process.env.CHROMIUM || "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu"] });
});
after(() => browser.close());

// A tab that has opened a page and fails the test if anything is said on its console, or asked of a network.
async function open(address, { width = 1440, scheme = "light" } = {}) {
  const tab = await browser.newPage();
  tab.wrong = [];
  tab.on("console", line => { if (["error", "warn"].includes(line.type())) tab.wrong.push(line.text()); });
  tab.on("pageerror", error => tab.wrong.push(error.message));
  tab.on("request", request => { if (!/^(file|blob|data):/.test(request.url())) tab.wrong.push(`asked for ${request.url()}`); });
  await tab.setViewport({ width, height: 900 });
  await tab.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
  await tab.goto(address);
  await tab.waitForSelector("html[data-ready]");
  return tab;
}

async function done(tab) {
  assert.deepEqual(tab.wrong, []);
  await tab.close();
}

const words = (tab, selector) => tab.$eval(selector, element => element.textContent.trim());
const all = (tab, selector) => tab.$$eval(selector, elements => elements.map(element => element.textContent.replace(/\s+/g, " ").trim()));

// What the picture shows: each process with its numbers and what is said of it.
const picture = tab => tab.$$eval("#picture .task", tasks => tasks.map(task =>
  [task.querySelector(".name").textContent, [...task.querySelectorAll(".num text")].map(number => number.textContent).join(" "),
    task.querySelector(".note")?.textContent || ""].join("|")));

// Goes on to a step by the keyboard, past the questions on the way.
async function walk(tab, step) {
  while (Number((await words(tab, "#count")).split(" ")[0]) < step) {
    await tab.evaluate(() => document.activeElement.blur());
    await tab.keyboard.press("ArrowRight");
  }
}

test("a scenario of ten steps is right at steps 1, 5 and 10", async () => {
  const tab = await open(`${PAGE}#s=${TEN}`);
  assert.equal(await words(tab, "#count"), "0 / 10");
  await walk(tab, 1);
  assert.deepEqual(await picture(tab), ["host|1|", "outer|2 1|new"]);
  assert.match(await words(tab, "#deed"), /^1\. host: clone\(CLONE_NEWPID\) → outer/);
  await walk(tab, 5);
  assert.deepEqual(await picture(tab), ["host|1|", "outer|2 1|", "a|4 3|", "a_child|5 4|", "inner|3 2 1|", "b|6 5 2|new"]);
  await walk(tab, 10);
  assert.deepEqual(await picture(tab), ["host|1|", "outer|2 1|", "a|4 3|zombie", "a_child|5 4|", "inner|3 2 1|", "b|6 5 2|zombie", "b_child|7 6 3|"]);
  assert.match(await words(tab, "#deed"), /^10\. b_child: getppid\(\)\s*returns 1$/);
  assert.equal(await tab.$eval("#next", button => button.disabled), true);
  await done(tab);
});

test("the first lesson is there at once, with a question, and nothing gives its answer away", async () => {
  const tab = await open(PAGE);
  assert.match(await words(tab, "#lesson"), /^Lesson 1 of 12/);
  assert.ok((await words(tab, "#title")).length > 10);
  // What later steps claim is hidden from the eye.
  const veiled = await tab.$$eval("#paint .veiled", spans => spans.map(span => [span.textContent, getComputedStyle(span).color]));
  assert.ok(veiled.length > 0);
  for (const [text, color] of veiled) assert.equal(color, "rgba(0, 0, 0, 0)", text);
  await done(tab);
});

test("a question is answered wrongly, and rightly, before its step is shown", async () => {
  for (const right of [false, true]) {
    const tab = await open(`${PAGE}#s=orphans/adopted-by-own-init&k=4`);
    assert.equal(await words(tab, ".ask h3"), "Who is leaf's parent now?");
    assert.match(await words(tab, ".ask .when"), /^Before step 5, mid: exit\(0\)\. What will leaf: getppid\(\) give after it\?$/);
    const choices = await all(tab, ".choices button");
    assert.equal(choices.filter(choice => choice.includes("1: init")).length, 1, String(choices));
    const at = choices.findIndex(choice => choice.includes("1: init") === right);
    await (await tab.$$(".choices button"))[at].click();
    assert.match(await words(tab, ".verdict"), right ? /^Right\./ : /^No\. It is: 1: init\./);
    assert.match(await words(tab, ".verdict"), /adopted/);
    // The focus is on what goes on.
    await tab.keyboard.press("Enter");
    assert.match(await words(tab, "#deed"), /^5\. mid: exit\(0\)/);
    assert.equal(await tab.evaluate(() => document.activeElement.id), "deed");
    await done(tab);
  }
});

test("an edited scenario with a mistake has its message, and goes on when it is mended", async () => {
  const tab = await open(`${PAGE}#s=orphans/adopted-by-own-init&k=6`);
  const text = await tab.$eval("#text", area => area.value);
  const at = text.indexOf("fork");
  await tab.focus("#text");
  await tab.evaluate(at => document.getElementById("text").setSelectionRange(at, at + 4), at);
  await tab.keyboard.type("frok");
  const line = text.slice(0, at).split("\n").length;
  const message = await words(tab, "#mistakes");
  assert.match(message, new RegExp(`^line ${line}, column \\d+`));
  assert.match(message, /`frok`.*did you mean `fork`/);
  assert.match(await words(tab, "#notices"), /mistake/);
  assert.equal(await tab.$$eval("#paint .mistake", spans => spans.map(span => span.textContent).join("")), "\"frok\"");
  await tab.keyboard.press("Escape");
  for (let letter = 0; letter < 4; letter++) await tab.keyboard.press("Backspace");
  await tab.keyboard.type("fork");
  assert.equal(await words(tab, "#mistakes"), "");
  await done(tab);
});

test("a claim that is not so is told with the one that would be", async () => {
  const tab = await open(`${PAGE}#s=orphans/adopted-by-own-init&k=6`);
  await tab.evaluate(() => {
    const text = document.getElementById("text");
    const at = text.value.indexOf("returns = 1");
    text.focus();
    text.setSelectionRange(at + 10, at + 11);
  });
  await tab.keyboard.type("7");
  assert.match(await words(tab, "#mistakes"), /claim failed.*true is `returns = 1`/);
  await done(tab);
});

test("the text is completed by the keyboard", async () => {
  const tab = await open(`${PAGE}#s=orphans/adopted-by-own-init`);
  await tab.focus("#text");
  await tab.evaluate(() => {
    const text = document.getElementById("text");
    const at = text.value.lastIndexOf("]");
    text.setSelectionRange(at, at);
  });
  await tab.keyboard.type("  { by = \"le");
  await tab.keyboard.press("Enter");
  await tab.keyboard.type("\", call = \"getpp");
  await tab.keyboard.press("Enter");
  await tab.keyboard.type("\" },\n");
  assert.match(await tab.$eval("#text", area => area.value), /\{ by = "leaf", call = "getppid" \},\n\]/);
  assert.equal(await words(tab, "#mistakes"), "");
  assert.equal(await words(tab, "#count"), "0 / 7");
  await done(tab);
});

test("a link has the whole state in it", async () => {
  const tab = await open(`${PAGE}#s=orphans/not-to-the-grandparent`);
  await tab.focus("#text");
  await tab.evaluate(() => document.getElementById("text").setSelectionRange(9, 9));
  await tab.keyboard.type("é <b>");
  await tab.select("#kernel", "qemu-6.1");
  await tab.select("#wrong", "orphans-go-to-grandparent");
  await walk(tab, 5);
  await tab.click("[data-view=table]");
  await tab.select("#eye", "leaf");
  await tab.waitForFunction(() => location.hash.includes("eye=leaf"));
  const address = await tab.evaluate(() => location.href);
  const other = await open(address);
  for (const selector of ["#title", "#deed", "#count", "#picture", "#changed", "#notices", "#ps"]) {
    assert.equal(await words(other, selector), await words(tab, selector), selector);
  }
  assert.match(await words(other, "#title"), /^(?!An).*é <b>/);
  assert.match(await words(other, "#notices"), /“An orphan goes to its grandparent\.” From step 5 on this is not what Linux does\. What is so: It goes to/);
  assert.equal(await other.$eval("#eye", select => select.value), "leaf");
  assert.equal(await other.$eval("#kernel", select => select.value), "qemu-6.1");
  await done(tab);
  await done(other);
});

test("a namespace's eye sees its own numbers and nobody else", async () => {
  const tab = await open(`${PAGE}#s=${TEN}&k=8&eye=b_child`);
  const clear = await tab.$$eval("#picture .task:not(.off)", tasks => tasks.map(task => [task.dataset.name, task.querySelector(".num:not(.off) text").textContent].join(" ")));
  assert.deepEqual(clear, ["inner 1", "b 2", "b_child 3"]);
  assert.deepEqual(await all(tab, "#ps tbody tr"), ["10runninginner", "21zombieb", "31runningb_child"]);
  await done(tab);
});

test("everything can be done by the keyboard", async () => {
  const tab = await open(PAGE);
  await tab.keyboard.press("Tab");
  assert.equal(await tab.evaluate(() => document.activeElement.className), "skip");
  await tab.keyboard.press("Tab");
  await tab.keyboard.press("Enter");
  await tab.keyboard.type("kill-9-1");
  await tab.keyboard.press("Tab");
  await tab.keyboard.press("Enter");
  assert.equal(await words(tab, "#shelf-now"), "init-signals/kill-9-1-does-nothing");
  // Each thing that can be reached shows that it was reached, and no thing holds on to the focus.
  const reached = new Set();
  for (let step = 0; step < 60; step++) {
    await tab.keyboard.press("Tab");
    const [id, outline] = await tab.evaluate(() => {
      const here = document.activeElement;
      const style = getComputedStyle(here.id === "text" ? here.closest(".editor") : here);
      return [here === document.body ? "body" : here.id || here.className || here.textContent.slice(0, 12), style.outlineStyle !== "none" || style.boxShadow !== "none"];
    });
    if (id !== "body" && id !== "skip") assert.ok(outline, `${id} does not show its focus`);
    reached.add(id);
  }
  for (const id of ["open-shelf", "next", "at", "eye", "picture", "kernel", "wrong", "text"]) assert.ok(reached.has(id), `${id} is not reached: ${[...reached]}`);
  await done(tab);
});

test("nothing is wider than the screen, at any step of any view", async () => {
  const views = [`#s=${TEN}&k=8`, `#s=${TEN}&k=8&v=table&eye=b`, "#s=init-signals/kill-9-1-does-nothing&k=2", "#s=limits/no-room-below&k=1"];
  const addresses = [...views.map(fragment => PAGE + fragment), ...(FILM ? [FILM] : [])];
  for (const width of [360, 768, 1000, 1440]) {
    for (const address of addresses) {
      const tab = await open(address, { width });
      const over = await tab.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      assert.ok(over <= 0, `${address} at ${width}: ${over} px too wide`);
      const heading = await tab.evaluate(() => document.querySelector("#text-head").offsetHeight);
      assert.ok(heading < 40, `${address} at ${width}: a heading of two words takes ${heading} px`);
      await done(tab);
    }
  }
});

// Finds what hinders people who see or hear otherwise.
async function hindrances(tab) {
  await tab.evaluate(axe);
  const { violations } = await tab.evaluate(() => window.axe.run());
  return violations.map(one => `${one.impact} ${one.id}: ${one.nodes.map(node => node.html.slice(0, 120)).join(" ; ")}`);
}

test("axe finds nothing, in light and in dark", async () => {
  for (const scheme of ["light", "dark"]) {
    for (const fragment of ["", `#s=${TEN}&k=8`, `#s=${TEN}&k=8&v=table&eye=b`, "#s=init-signals/kill-9-1-does-nothing&k=2&as-if=init-dies-from-inside"]) {
      const tab = await open(PAGE + fragment, { scheme });
      assert.deepEqual(await hindrances(tab), [], `${scheme} ${fragment}`);
      await tab.click("#open-shelf");
      assert.deepEqual(await hindrances(tab), [], `${scheme} ${fragment}, the shelf`);
      await done(tab);
    }
  }
});

test("a page of a run needs no model, and has the answers inside", { skip: !FILM }, async () => {
  for (const scheme of ["light", "dark"]) {
    const tab = await open(FILM, { scheme });
    assert.match(await words(tab, "#notices"), /^From /);
    assert.equal(await tab.$eval("#settings", box => box.hidden), true);
    const last = Number((await words(tab, "#count")).split("/")[1]);
    await walk(tab, last);
    assert.equal(await words(tab, "#count"), `${last} / ${last}`);
    assert.ok((await picture(tab)).length > 0);
    assert.deepEqual(await hindrances(tab), [], scheme);
    await done(tab);
  }
});

test("how long it takes is told, and no test", async () => {
  const tab = await open(PAGE);
  const times = await tab.evaluate(() => {
    const paint = performance.getEntriesByType("paint").find(entry => entry.name === "first-contentful-paint");
    return { painted: Math.round(paint.startTime), ready: Math.round(performance.now()) };
  });
  console.log(`first paint after ${times.painted} ms, ready before ${times.ready} ms`);
  await done(tab);
});
