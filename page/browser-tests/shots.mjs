// Takes pictures of a page for people to look at: node shots.mjs PAGE.html FOLDER [FRAGMENT]
import { mkdirSync } from "node:fs";
import { resolve } from "node:path";
import puppeteer from "puppeteer-core";

const [page, folder, fragment = ""] = process.argv.slice(2);
mkdirSync(folder, { recursive: true });
const browser = await puppeteer.launch({ executablePath: process.env.CHROMIUM || "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu"] });
for (const scheme of ["light", "dark"]) {
  for (const width of [360, 768, 1440]) {
    const tab = await browser.newPage();
    tab.on("pageerror", error => console.log("pageerror", error.message));
    tab.on("console", line => console.log(line.type(), line.text()));
    await tab.setViewport({ width, height: width === 360 ? 800 : 900 });
    await tab.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
    await tab.goto(`file://${resolve(page)}${fragment}`);
    await tab.waitForSelector("html[data-ready]");
    const wide = await tab.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    if (wide > 0) console.log(`${width} ${scheme}: ${wide} px too wide`);
    await tab.screenshot({ path: `${folder}/${width}-${scheme}.png`, fullPage: width < 1000 });
    await tab.close();
  }
}
await browser.close();
