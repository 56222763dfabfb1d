// The pages in a real browser. PAGE is the playground, FILM a page of one run; both are built before (see CONTRIBUTING.md).
import assert from "node:assert/strict";
import { resolve } from "node:path";
import { after, before, test } from "node:test";
import { done, hindrances, launch, opened, tooWide } from "./tab.js";

const PAGE = `file://${resolve(process.env.PAGE || "../../target/pidlab.html")}`;
const FILM = process.env.FILM && `file://${resolve(process.env.FILM)}`;
const TEN = "nesting/orphans-stay-on-their-level";
let browser;

before(async () => {
  browser = await launch();
});
after(() => browser.close());

async function open(address, looks) {
  const tab = await opened(browser, address, looks);
  await tab.waitForSelector("html[data-ready]");
  return tab;
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
    assert.match(await words(tab, ".ask .when"), /^Before step 5, mid: exit\(0\), and then leaf: getppid\(\)\. What will the last one give\?$/);
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

// Writes steps before the end of the last list of the text.
async function add(tab, steps) {
  await tab.focus("#text");
  await tab.evaluate(() => {
    const text = document.getElementById("text");
    const at = text.value.lastIndexOf("]");
    text.setSelectionRange(at, at);
  });
  // As a paste does: no completion opens in between.
  const devtools = await tab.createCDPSession();
  await devtools.send("Input.insertText", { text: steps });
}

const reap = by => `  { by = "${by}", call = "wait", pid = "any" },\n`;

test("a goal is missed, and then reached, and the link has it", async () => {
  const tab = await open(PAGE);
  await tab.click("#open-shelf");
  await tab.keyboard.type("container cannot be removed");
  await tab.keyboard.press("Tab");
  await tab.keyboard.press("Enter");
  assert.equal(await tab.evaluate(() => document.activeElement.id), "goal-head");
  assert.equal(await words(tab, "#goal-head"), "Goal 5 of 5: free-it");
  assert.match(await words(tab, "#goal-text"), /^This container cannot be removed/);
  assert.match(await tab.$eval("#text", area => area.value), /by = "exec", call = "setns", to = "init"/);
  const missed = await words(tab, "#goal-told");
  assert.match(missed, /^Not reached\. Wanted after the last step: .*\. It is:/);
  assert.equal(await tab.$eval("#goal-hint", hint => hint.open), false);
  // The init's parent cannot reap it before the guest's has.
  await add(tab, `  { by = "host", call = "wait", pid = "init", options = ["WNOHANG"] },\n`);
  assert.equal(await words(tab, "#mistakes"), "");
  assert.match(await words(tab, "#goal-told"), /^Not reached\. Wanted after the last step: .*\. It is:.*init.*guest/);
  await tab.click("#reset");
  assert.equal(await words(tab, "#goal-told"), missed);
  await add(tab, reap("exec") + reap("nobody"));
  assert.equal(await words(tab, "#goal-told"), "The text has a mistake.");
  await tab.click("#reset");
  await add(tab, reap("exec") + reap("host"));
  assert.equal(await words(tab, "#goal-told"), "Reached: the model says so.");
  assert.equal(await tab.$eval("#goal-told", box => box.getAttribute("role")), "status");
  await tab.waitForFunction(() => location.hash.includes("g=free-it") && location.hash.includes("t="));
  const other = await open(await tab.evaluate(() => location.href));
  for (const selector of ["#goal-head", "#goal-told", "#title", "#count", "#shelf-now"]) {
    assert.equal(await words(other, selector), await words(tab, selector), selector);
  }
  await done(other);
  await tab.bringToFront();
  await tab.click("#open-shelf");
  assert.deepEqual((await all(tab, "#shelf-list small")).filter(small => small.includes("(reached)")), ["free-it (reached)"]);
  await done(tab);
});

test("a goal leads to the next one, and a scenario away from it", async () => {
  const tab = await open(`${PAGE}#g=an-orphan-inside`);
  const step = (by, call, more = "") => `  { by = "${by}", call = "${call}"${more} },\n`;
  await add(tab, step("host", "clone", ', child = "init", flags = ["CLONE_NEWPID"]') + step("init", "fork", ', child = "mid"') +
    step("mid", "fork", ', child = "leaf"') + step("mid", "exit", ", status = 0") + reap("init"));
  assert.equal(await words(tab, "#goal-told"), "Reached: the model says so.");
  await tab.click("#goal-next");
  assert.equal(await words(tab, "#goal-head"), "Goal 2 of 5: a-guest");
  assert.doesNotMatch(await words(tab, "#goal-told"), /^Reached/);
  await tab.click("#open-shelf");
  await tab.keyboard.type("kill-9-1");
  await tab.keyboard.press("Tab");
  await tab.keyboard.press("Enter");
  assert.equal(await tab.$eval("#goal", goal => goal.hidden), true);
  await tab.waitForFunction(() => location.hash.startsWith("#s=") && !location.hash.includes("g="));
  await done(tab);
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
  const views = [`#s=${TEN}&k=8`, `#s=${TEN}&k=8&v=table&eye=b`, "#s=init-signals/kill-9-1-does-nothing&k=2", "#s=limits/no-room-below&k=1", "#g=free-it&k=5"];
  const addresses = [...views.map(fragment => PAGE + fragment), ...(FILM ? [FILM] : [])];
  for (const width of [360, 768, 1000, 1440]) {
    for (const address of addresses) {
      const tab = await open(address, { width });
      const over = await tooWide(tab);
      assert.ok(over <= 0, `${address} at ${width}: ${over} px too wide`);
      const heading = await tab.evaluate(() => document.querySelector("#text-head").offsetHeight);
      assert.ok(heading < 40, `${address} at ${width}: a heading of two words takes ${heading} px`);
      await done(tab);
    }
  }
});

test("axe finds nothing, in light and in dark", async () => {
  for (const scheme of ["light", "dark"]) {
    for (const fragment of ["", `#s=${TEN}&k=8`, `#s=${TEN}&k=8&v=table&eye=b`, "#s=init-signals/kill-9-1-does-nothing&k=2&as-if=init-dies-from-inside", "#g=free-it&k=5"]) {
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
