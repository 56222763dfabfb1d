// The book in a real browser. BOOK is its folder, made before by `pidlab book` (see CONTRIBUTING.md).
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";
import { after, before, test } from "node:test";
import puppeteer from "puppeteer-core";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const BOOK = process.env.BOOK && `file://${resolve(process.env.BOOK)}`;
const PAGES = ["index.html", "lesson-04.html", "incidents.html", "incident-cannot-be-removed.html", "scenario-death-not-gone-yet.html", "rules.html", "kernels.html", "search.html?q=zombie"];
let browser;

before(async () => {
  browser = BOOK && await puppeteer.launch({ executablePath: process.env.CHROMIUM || "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu"] });
});
after(() => browser && browser.close());

// A tab that has opened a page, and what was wrong on the way.
async function open(page, { width = 1440, scheme = "light" } = {}) {
  const tab = await browser.newPage();
  tab.wrong = [];
  tab.on("console", line => { if (["error", "warn"].includes(line.type())) tab.wrong.push(line.text()); });
  tab.on("pageerror", error => tab.wrong.push(error.message));
  tab.on("request", request => { if (!/^(file|blob|data):/.test(request.url())) tab.wrong.push(`asked for ${request.url()}`); });
  await tab.setViewport({ width, height: 900 });
  await tab.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
  await tab.goto(`${BOOK}/${page}`);
  return tab;
}

async function done(tab) {
  assert.deepEqual(tab.wrong, []);
  await tab.close();
}

test("no page of the book is wider than the screen", { skip: !BOOK }, async () => {
  for (const width of [360, 1440]) {
    for (const page of PAGES) {
      const tab = await open(page, { width });
      await tab.evaluate(() => document.querySelectorAll("details").forEach(one => { one.open = true; }));
      const over = await tab.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
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
      await tab.evaluate(axe);
      const { violations } = await tab.evaluate(() => window.axe.run({ preload: false }));
      const found = violations.map(one => `${one.impact} ${one.id}: ${one.nodes.map(node => node.html.slice(0, 120)).join(" ; ")}`);
      assert.deepEqual(found, [], `${page} in ${scheme}`);
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
