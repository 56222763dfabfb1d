// The book in a real browser. BOOK is its folder, made before by `pidlab book` (see CONTRIBUTING.md).
import assert from "node:assert/strict";
import { resolve } from "node:path";
import { after, before, test } from "node:test";
import { done, hindrances, launch, opened, tooWide } from "./tab.js";

const BOOK = process.env.BOOK && `file://${resolve(process.env.BOOK)}`;
const PAGES = ["index.html", "lesson-04.html", "incidents.html", "incident-cannot-be-removed.html", "scenario-death-not-gone-yet.html", "rules.html", "kernels.html", "search.html?q=zombie"];
let browser;

before(async () => {
  browser = BOOK && await launch();
});
after(() => browser && browser.close());

const open = (page, looks) => opened(browser, `${BOOK}/${page}`, looks);

test("no page of the book is wider than the screen", { skip: !BOOK }, async () => {
  for (const width of [360, 1440]) {
    for (const page of PAGES) {
      const tab = await open(page, { width });
      await tab.evaluate(() => document.querySelectorAll("details").forEach(one => { one.open = true; }));
      const over = await tooWide(tab);
      assert.ok(over <= 0, `${page} at ${width}: ${over} px too wide`);
      await done(tab);
    }
  }
});

test("axe finds nothing in the book, in light and in dark", { skip: !BOOK }, async () => {
  for (const scheme of ["light", "dark"]) {
    // The page of rules is long, and made as the glossary is.
    for (const page of [...PAGES.filter(page => page !== "rules.html"), "glossary.html"]) {
      const tab = await open(page, { scheme });
      await tab.evaluate(() => document.querySelectorAll("details").forEach(one => { one.open = true; }));
      assert.deepEqual(await hindrances(tab, { preload: false }), [], `${page} in ${scheme}`);
      await done(tab);
    }
  }
});

test("one comes from the start to a step of a scenario, and back", { skip: !BOOK }, async () => {
  const tab = await open("index.html");
  for (const [selector, words] of [[".lessons a", /^An end takes two|^A process has a number/], [".tries .first", null]]) {
    if (words) assert.match(await tab.$eval(selector, link => link.textContent), words);
    await Promise.all([tab.waitForNavigation(), tab.click(selector)]);
  }
  await tab.waitForSelector("html[data-ready]");
  assert.match(await tab.evaluate(() => location.hash), /^#s=[a-z-]+\/[a-z-]+/);
  const shown = await tab.evaluate(() => decodeURIComponent(location.hash.slice(3).split("&")[0]));
  assert.equal(await tab.$eval("#runs", runs => runs.selectedOptions[0].textContent.length > 10), true, shown);
  await Promise.all([tab.waitForNavigation(), tab.click("a.brand")]);
  assert.match(await tab.title(), /^Scenarios/);
  await done(tab);
});

test("what is searched for is found", { skip: !BOOK }, async () => {
  const tab = await open("index.html");
  await tab.type("input[name=q]", "reap.ns-is-fathers");
  await Promise.all([tab.waitForNavigation(), tab.keyboard.press("Enter")]);
  assert.equal(await tab.$eval("#hits a", link => link.getAttribute("href")), "rules.html#reap.ns-is-fathers");
  await Promise.all([tab.waitForNavigation(), tab.click("#hits a")]);
  const top = await tab.$eval("[id='reap.ns-is-fathers']", place => place.getBoundingClientRect().top);
  assert.ok(top >= 0 && top < 900, `the rule is at ${top}`);
  await done(tab);
});
