// Drives the page of report(1) in Chromium: clicks, filters, keys, layouts. TAP on standard output; screenshots into the folder given.
// node report.mjs PAGE MANY_PAGE MOST_PAGE ODD_PAGE FOLDER      PAGE: of photographs, several methods, groups, labels, trials, an err record. MANY_PAGE: of 200 pairs. MOST_PAGE: of 2,000.
import { chromium } from "playwright-core";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const [page_file, many_file, most_file, odd_file, folder] = process.argv.slice(2).map(p => resolve(p));
let n = 0,
  bad = 0;
function ok(right, what, more = "") {
  console.log(`${right ? "ok" : "not ok"} ${++n} - ${what}`);
  if (!right) {
    bad++;
    if (more !== "") console.log(`#   got: ${more}`);
  }
}
const is = (got, wanted, what) => ok(got === wanted, what, `${JSON.stringify(got)}, wanted ${JSON.stringify(wanted)}`);

const options = {
  executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
  headless: true,
  viewport: { width: 1280, height: 900 },
  args: [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ],
};
const profile = mkdtempSync(join(tmpdir(), "xfv-browser-"));
const context = await chromium.launchPersistentContext(profile, options);
const page = await context.newPage();
const trouble = [],
  asked = [];
page.on("console", m => {
  if (m.type() === "error" || m.type() === "warning") trouble.push(m.text());
});
page.on("pageerror", e => trouble.push(String(e)));
page.on("request", r => {
  if (!/^(data|file):/.test(r.url())) asked.push(r.url());
});
const shot = name => page.screenshot({ path: join(folder, name + ".png") });
const shown = s => page.$$eval(s, all => all.filter(x => x.checkVisibility()).length);

await page.goto(pathToFileURL(page_file).href);
const pairs = await page.locator(".card").count();
// (the page's policy forbids what waitForFunction does)
async function until(test) {
  for (let i = 0; i < 200 && !(await page.evaluate(test)); i++) await page.waitForTimeout(50);
}
await until(() => !document.querySelector(".card noscript"));
is(await page.locator(".pairs tbody tr").count(), pairs, "a row for each card");
ok(
  await page.$$eval("img", async all => {
    await Promise.all(all.map(i => i.decode()));
    return all.length > 0 && all.every(i => i.naturalWidth > 0 && i.alt.length > 10);
  }),
  "every map decodes and has a text",
);
ok(
  await page.$$eval(
    "svg[role=img]",
    all =>
      all.length > 0 &&
      all.every(s => s.hasAttribute("aria-label") || s.querySelector("title")?.textContent.length > 5),
  ),
  "every drawing and face has a text",
);
ok(
  await page.$$eval("use", all => all.every(u => document.querySelector(u.getAttribute("href")))),
  "every face that is shown is there",
);
is(
  await page.locator("defs > image").count(),
  await page.$$eval("defs > image", all => new Set(all.map(i => i.getAttribute("href"))).size),
  "and there once",
);
is(
  await page.$eval(".card svg.scale path.genuine, #dist path", x => getComputedStyle(x).opacity),
  "0.55",
  "the score's distributions have their style",
);
await shot("desktop");
await page.screenshot({ path: join(folder, "desktop-whole.png"), fullPage: true });
await page.locator(".card").first().scrollIntoViewIfNeeded();
await page.keyboard.press("j");
is(await page.evaluate(() => document.activeElement.id), "p1", "j goes to the first pair");
await shot("desktop-card");
await page.keyboard.press("ArrowRight");
is(await page.evaluate(() => document.activeElement.id), "p2", "the arrow to the next");
await page.keyboard.press("k");
is(await page.evaluate(() => document.activeElement.id), "p1", "k to the one before");
await page.keyboard.press("k");
is(await page.evaluate(() => document.activeElement.id), "p1", "which has none before it");

// maps
const maps = await shown("#p1 .map");
await page.click("label:has(#sign-plus)");
is(await shown("#p1 .map.minus"), 0, "S+ hides S-");
is(await shown("#p1 .map"), maps / 2, "and shows S+");
await page.keyboard.press("s");
is(await shown("#p1 .map.plus"), 0, "s turns to S-");
await page.keyboard.press("s");
is(await shown("#p1 .map"), maps, "and to both");
const methods = await page.locator(".methods label").count();
ok(methods >= 2, "several methods", methods);
await page.locator(".methods label").nth(1).click();
is(
  (await shown("#p1 .map.m0")) + (await shown("#p1 .regions.m0")),
  0,
  "another method hides the first one's maps and bars",
);
ok((await shown("#p1 .map.m1")) > 0 && (await shown("#p1 .regions.m1")) === 1, "and shows its own");
await page.keyboard.press("m");
ok((await shown("#p1 .map.m1")) === 0, "m turns to the next method");
await page.locator(".methods label").first().click();
await page.fill("#opacity", "30");
is(await page.$eval("#p1 .map", x => getComputedStyle(x).opacity), "0.3", "the slider sets the opacity");
await page.fill("#opacity", "85");
await page.check("#colour");
is(await page.$eval(".photo", x => getComputedStyle(x).filter), "none", "photographs in colour");
await page.uncheck("#colour");

// table
await page.keyboard.press("Escape");
const column = i =>
  page.$$eval(`.pairs tbody tr`, (all, k) => all.filter(r => !r.hidden).map(r => r.cells[k].textContent), i);
await page.click(".pairs th:nth-child(4) button");
let scores = (await column(3)).map(Number);
ok(
  scores.every((v, i) => !i || scores[i - 1] <= v),
  "sorts by score",
  scores,
);
is(
  await page.$eval(".pairs th:nth-child(4)", x => x.getAttribute("aria-sort")),
  "ascending",
  "says so to screen readers",
);
is(await page.$eval(".card", x => x.id), await page.$eval(".pairs tbody tr", x => x.dataset.card), "cards follow");
await page.click(".pairs th:nth-child(4) button");
scores = (await column(3)).map(Number);
ok(
  scores.every((v, i) => !i || scores[i - 1] >= v),
  "and the other way",
  scores,
);
await page.click(".pairs th:nth-child(1) button");
await page.selectOption("#decision", "accept");
ok(
  (await column(5)).every(t => t === "accepted") && (await shown(".card")) === (await column(5)).length,
  "filter by decision: rows and cards",
);
await page.selectOption("#label", "impostor");
const wrong = await column(7);
ok(wrong.length > 0 && wrong.every(t => t === "false match"), "accepted different people are false matches", wrong);
await page.click(".filters button[type=reset]");
await page.waitForTimeout(50); // a form resets its fields after the event
is((await column(0)).length, pairs, "Clear shows all pairs again");
await page.fill("#from", "0.5");
scores = (await column(3)).map(Number);
ok(scores.length > 0 && scores.length < pairs && scores.every(v => v >= 0.5), "filter by score", scores);
await page.fill("#from", "");
await page.keyboard.press("Escape");
await page.keyboard.press("/");
await page.keyboard.type("anna-2 clara");
is((await column(0)).length, 1, "search for two words");
is(await page.textContent("#count"), `1 of ${pairs} pairs`, "the count says so");
await page.keyboard.press("j");
is(await page.inputValue("#search"), "anna-2 claraj", "keys typed in a field are text");
await page.keyboard.press("Escape");
is((await column(0)).length, pairs, "Escape clears the search");
await page.click(".pairs tbody tr:nth-child(2) a");
is(await page.evaluate(() => document.activeElement.id), "p2", "a row leads to its card");
ok((await page.textContent("#errors li")) !== null, "err records are listed");

// groups, export, addresses, printing
await page.selectOption("#group", { label: "north" });
ok((await column(8)).length > 0 && (await column(8)).every(t => t === "north"), "filter by group", await column(8));
await page.selectOption("#group", { label: "two groups" });
ok(
  (await column(8)).length > 0 && (await column(8)).every(t => t === "two groups"),
  "and pairs of two groups",
  await column(8),
);
await page.click(".filters button[type=reset]");
await page.waitForTimeout(50);
async function saved() {
  const [download] = await Promise.all([page.waitForEvent("download"), page.click("#csv")]);
  return readFileSync(await download.path(), "utf8");
}
const lines = (await saved()).split("\r\n");
is(lines[0], "number,pair,face_a,face_b,score,threshold,decision,label,outcome,group", "CSV: the columns");
is(lines.length, pairs + 2, "a line for each pair, the last one ended, too");
const first = lines.slice(1, -1).map(l => l.split(","))[0],
  cells = await page.$$eval(".pairs tbody tr:first-child td", all => all.map(c => c.dataset.v ?? c.textContent));
is([first[0], ...first.slice(2)].join("|"), cells.join("|"), "with what the table holds");
await page.evaluate(() => {
  const c = document.querySelector(".pairs tbody tr:first-child").cells;
  c[1].textContent = '=1+"2", x';
  c[2].textContent = "-a";
});
await page.selectOption("#decision", "accept");
const accepted = (await column(0)).length,
  some = (await saved()).split("\r\n");
is(some.length, accepted + 2, "CSV: the rows that are shown");
ok(
  some.some(l => l.includes(`,"'=1+""2"", x",'-a,`)),
  "quotes are doubled, formulas are text",
  some.slice(0, 2).join(" / "),
);
await page.click(".filters button[type=reset]");
await page.waitForTimeout(50);
await page.selectOption("#decision", "reject");
const link = await page.$eval(".card[hidden] .links a", a => a.getAttribute("href")),
  target = await page.$eval(".card[hidden]", c => c.id);
await page.evaluate(h => {
  location.hash = h;
}, link);
await page.waitForTimeout(100);
is(
  await page.evaluate(() => document.activeElement.id),
  target,
  "an address leads to its pair, also when a filter hides it",
);
await page.goto("about:blank");
await page.goto(pathToFileURL(page_file).href + link);
await page.waitForTimeout(300);
is(await page.evaluate(() => document.activeElement.id), target, "also when the page is opened with it");
ok(
  await page.$eval("#" + target, c => {
    const r = c.getBoundingClientRect();
    return r.top >= 0 && r.top < 300;
  }),
  "and the pair is in sight",
);
const wrongs = await page.locator(".wrongs li").count();
is(
  wrongs,
  Number(await page.$$eval(".pairs tbody tr[data-right='0']", all => all.length)),
  "each wrong decision is listed",
);
await page.click(".wrongs li:first-child a");
await page.waitForTimeout(100);
ok(
  await page.evaluate(
    () => document.activeElement.matches(".card") && document.activeElement.querySelector(".badge.wrong") !== null,
  ),
  "and leads to its card",
);
async function printed(name) {
  const path = join(folder, name);
  await page.pdf({ path, format: "A4", printBackground: true });
  return execFileSync("pdftotext", ["-layout", path, "-"], { encoding: "utf8" });
}
const sentences = t => t.match(/(Accepted|Not accepted) as the same person/g)?.length ?? 0;
is(sentences(await printed("print-all.pdf")), pairs, "printed: all cards");
await page.locator(".pairs tbody tr:nth-child(2) .pick").check();
ok(
  (await page.isChecked("#p2 .pick")) && (await page.textContent("#print")) === "Print the 1 chosen",
  "a row chooses its card",
);
const alone = await printed("print.pdf");
is(sentences(alone), 1, "printed: the chosen card alone");
ok(
  alone.includes(await page.$eval("#p2 figcaption .id", x => x.textContent)) && !alone.includes("Error rates"),
  "and nothing around it",
  alone,
);
await page.locator("#p2 .pick").uncheck();
await page.selectOption("#outcome", "0");
await page.click("#pick");
is(sentences(await printed("print-wrong.pdf")), wrongs, "what a filter shows, chosen at once");
await page.click("#pick");
is(await page.$$eval(".pick:checked", all => all.length), 0, "and none again");
await page.click(".filters button[type=reset]");
await page.waitForTimeout(50);

// dark, phone, print, without a script
await page.click("#theme");
is(await page.evaluate(() => document.documentElement.dataset.theme), "dark", "the switch turns dark");
await shot("dark");
await page.click("#theme");
await page.emulateMedia({ colorScheme: "dark" });
await page.evaluate(() => {
  delete document.documentElement.dataset.theme;
});
is(
  await page.$eval("body", x => getComputedStyle(x).backgroundColor),
  "rgb(22, 23, 26)",
  "the system's dark mode is followed",
);
await page.emulateMedia({ colorScheme: "light" });
await page.setViewportSize({ width: 390, height: 844 });
await page.evaluate(() => scrollTo(0, 0));
ok(
  await page.$$eval(".toolbar label", all =>
    all
      .filter(x => x.checkVisibility())
      .every(x => {
        const r = x.getBoundingClientRect();
        return r.left >= 0 && r.right <= 390;
      }),
  ),
  "every switch is within a phone's width",
);
ok(
  await page.evaluate(() => document.documentElement.scrollWidth <= 390),
  "nothing is wider than a phone",
  await page.evaluate(() => document.documentElement.scrollWidth),
);
await shot("phone");
await page.screenshot({ path: join(folder, "phone-whole.png"), fullPage: true });
await page.evaluate(() => document.querySelector(".card").scrollIntoView());
await shot("phone-card");
await page.setViewportSize({ width: 1280, height: 900 });
is(trouble.join("; "), "", "no error on the console");
is(asked.join(" "), "", "nothing is asked of any network");
// many pairs
const start = Date.now();
await page.goto(pathToFileURL(many_file).href, { waitUntil: "load" });
const loaded = Date.now() - start;
const paint = await page
  .waitForFunction(
    () => performance.getEntriesByType("paint").find(p => p.name === "first-contentful-paint")?.startTime,
  )
  .then(h => h.jsonValue());
// A number to read, not a check: it is the machine's load that moves it most.
console.log(
  `# 200 pairs, ${(statSync(many_file).size / 1e6).toFixed(1)} MB: first contentful paint ${Math.round(paint)} ms, loaded after ${loaded} ms (load average ${loadavg()[0].toFixed(1)} on ${cpus().length} processors)`,
);
is(await page.locator(".card").count(), 200, "200 cards");
await page.selectOption("#decision", "accept");
ok((await shown(".card")) > 0 && (await page.textContent("#count")) !== "200 of 200 pairs", "filters work on them");
// names of any kind, and faces of any size
await page.goto(pathToFileURL(odd_file).href);
const addresses = await page.$$eval(".card", all => all.map(c => [c.id, c.querySelector(".links a").getAttribute("href")]));
const led = [];
for (const [id, href] of addresses) {
  await page.evaluate(h => {
    location.hash = h;
  }, href);
  await page.waitForTimeout(50);
  led.push((await page.evaluate(() => document.activeElement.id)) === id);
}
ok(led.length > 8 && led.every(Boolean), "every address leads to its pair, whatever the pair's name", led.join(" "));
ok(
  await page.$$eval(".card", all => all.every(c => c.querySelector(".stack .photo").getBoundingClientRect().height > 0)),
  "and every face is drawn, whatever its size",
);
is(trouble.join("; "), "", "no error on the console");
// more pairs
const began = Date.now();
await page.goto(pathToFileURL(most_file).href, { waitUntil: "load", timeout: 120000 });
console.log(`# 2,000 pairs, ${(statSync(most_file).size / 1e6).toFixed(1)} MB: loaded after ${Date.now() - began} ms`);
is(await page.locator(".card").count(), 2000, "2,000 cards");
ok((await page.locator(".card noscript").count()) > 1900, "of which those in sight are opened");
await page.click(".pairs th:nth-child(4) button");
await page.locator("#p1000").scrollIntoViewIfNeeded();
await until(() => !document.querySelector("#p1000 noscript"));
ok((await shown("#p1000 .map")) > 0, "and others when they come in sight");
await context.close();

// no JavaScript
const still = await chromium.launchPersistentContext(mkdtempSync(join(profile, "plain-")), {
  ...options,
  javaScriptEnabled: false,
});
const quiet = await still.newPage();
await quiet.goto(pathToFileURL(page_file).href);
await quiet.locator("label:has(#sign-plus)").click();
ok(
  (await quiet.locator("#p1 .map.plus.m0").first().isVisible()) &&
    !(await quiet.locator("#p1 .map.minus.m0").first().isVisible()),
  "without a script: maps are there and switch",
);
ok(!(await quiet.locator("#search").isVisible()), "what needs a script is not shown");
is(await quiet.locator(".card .face").count(), 2 * pairs, "every card is there");
await quiet.goto(pathToFileURL(page_file).href + link);
ok(
  await quiet.locator("#" + target).evaluate(c => {
    const r = c.getBoundingClientRect();
    return r.top > -100 && r.top < 900;
  }),
  "addresses lead to their pairs",
);
await still.close();
rmSync(profile, { recursive: true, force: true });
console.log(`1..${n}`);
process.exit(bad ? 1 : 0);
