// A browser, and its tabs: what the tests have in common.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import puppeteer from "puppeteer-core";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export const launch = () => puppeteer.launch({ executablePath: process.env.CHROMIUM || "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu"] });

// A tab that has opened a page, and collects what is said on its console or asked of a network: `done` fails the test for it.
export async function opened(browser, address, { width = 1440, scheme = "light" } = {}) {
  const tab = await browser.newPage();
  tab.wrong = [];
  tab.on("console", line => { if (["error", "warn"].includes(line.type())) tab.wrong.push(line.text()); });
  tab.on("pageerror", error => tab.wrong.push(error.message));
  tab.on("request", request => { if (!/^(file|blob|data):/.test(request.url())) tab.wrong.push(`asked for ${request.url()}`); });
  await tab.setViewport({ width, height: 900 });
  await tab.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
  await tab.goto(address);
  return tab;
}

export async function done(tab) {
  assert.deepEqual(tab.wrong, []);
  await tab.close();
}

// Finds what hinders people who see or hear otherwise.
export async function hindrances(tab, options = {}) {
  await tab.evaluate(axe);
  const { violations } = await tab.evaluate(options => window.axe.run(options), options);
  return violations.map(one => `${one.impact} ${one.id}: ${one.nodes.map(node => node.html.slice(0, 120)).join(" ; ")}`);
}

// By how many pixels the page is wider than the screen.
export const tooWide = tab => tab.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
