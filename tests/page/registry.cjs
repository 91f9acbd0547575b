// Drives Chromium over the pages of a registry and prints what it found as one line of JSON, for tests/registry.rs.
// node registry.cjs JOB, where JOB is a JSON file: {"action": …, "base": "http://…", …}

const fs = require("node:fs");
const { chromium } = require("playwright-core");

const PATIENCE = 120_000;
const ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--force-color-profile=srgb"];

const job = JSON.parse(fs.readFileSync(process.argv[2], "utf8"));

async function open(browser, path, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 860 }, reducedMotion: "reduce", ...options });
  context.setDefaultTimeout(PATIENCE);
  const page = await context.newPage();
  const seen = { requests: [], dialogs: 0, errors: [] };
  page.on("request", (request) => seen.requests.push(request.url()));
  page.on("dialog", (dialog) => {
    seen.dialogs += 1;
    dialog.dismiss();
  });
  page.on("pageerror", (error) => seen.errors.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error") seen.errors.push(message.text());
  });
  await page.goto(`${job.base}${path}`, { timeout: PATIENCE });
  return { context, page, seen };
}

const focused = (page) => page.evaluate(() => ({ tag: document.activeElement.tagName, id: document.activeElement.id, text: document.activeElement.textContent }));

// What axe-core finds wrong, in light and dark, wide and narrow, on each page.
async function accessibility(browser) {
  const axe = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
  const found = [];
  let looks = 0;
  for (const colorScheme of ["light", "dark"]) {
    for (const width of [1280, 400]) {
      for (const path of job.paths) {
        const { context, page } = await open(browser, path, { colorScheme, bypassCSP: true, viewport: { width, height: 860 } });
        await page.evaluate(axe);
        const result = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
        looks += 1;
        for (const violation of result.violations) {
          found.push(`${colorScheme}, ${width}, ${path}: ${violation.id}: ${violation.nodes.map((node) => `${node.target} ${node.failureSummary}`).slice(0, 3).join("; ")}`);
        }
        await context.close();
      }
    }
  }
  return { found, looks };
}

// A module is found and read with the keyboard alone.
async function keyboard(browser) {
  const { context, page, seen } = await open(browser, "/");
  const steps = {};
  await page.keyboard.press("Tab");
  steps.skip = await focused(page);
  await page.keyboard.press("Tab");
  await page.keyboard.press("Tab");
  steps.search = await focused(page);
  await page.keyboard.type(job.query);
  await Promise.all([page.waitForURL(/[?]q=/), page.keyboard.press("Enter")]);
  steps.status = await page.locator("[role=status]").textContent();
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  steps.main = await page.evaluate(() => location.hash);
  await page.getByRole("link", { name: job.module, exact: true }).focus();
  await Promise.all([page.waitForURL(/[/]modules[/]/), page.keyboard.press("Enter")]);
  steps.heading = await page.locator("h1").textContent();
  steps.text = await page.evaluate(() => document.body.innerText);
  await context.close();
  return { ...steps, ...seen };
}

// Nothing of what a module's texts try comes about, even without the content security policy.
async function injection(browser) {
  const outcomes = [];
  for (const bypassCSP of [false, true]) {
    for (const path of job.paths) {
      const { context, page, seen } = await open(browser, path, { bypassCSP });
      const state = await page.evaluate((canary) => {
        const foreign = document.querySelectorAll("img, iframe, object, embed, svg, script, a[href^='javascript']");
        const handlers = [...document.querySelectorAll("*")].filter((element) => [...element.attributes].some((attribute) => attribute.name.startsWith("on")));
        return { canary: window[canary] ?? null, foreign: foreign.length, handlers: handlers.length };
      }, job.canary);
      outcomes.push({ bypassCSP, path, ...state, ...seen });
      await context.close();
    }
  }
  return outcomes;
}

// Pictures for the documentation, as if the registry had a name.
async function screenshots(browser) {
  const host = "registry.example.com";
  const shoot = async (name, path, options) => {
    const context = await browser.newContext({ viewport: { width: 1280, height: 860 }, deviceScaleFactor: 1.5, ...options });
    context.setDefaultTimeout(PATIENCE);
    await context.route("**", async (route) => {
      const request = route.request();
      const url = request.url().replace(`http://${host}`, job.base);
      await route.fulfill({ response: await route.fetch({ url, headers: { ...request.headers(), host } }) });
    });
    const page = await context.newPage();
    await page.goto(`http://${host}${path}`, { timeout: PATIENCE });
    await page.screenshot({ path: `${job.directory}/${name}.png` });
    await context.close();
  };
  await shoot("registry", "/", {});
  await shoot("registry-module", job.module, {});
  await shoot("registry-phone", job.module, { viewport: { width: 400, height: 860 }, colorScheme: "dark" });
  return {};
}

const ACTIONS = { accessibility, keyboard, injection, screenshots };

(async () => {
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ARGUMENTS, timeout: PATIENCE });
  try {
    console.log(JSON.stringify(await ACTIONS[job.action](browser)));
  } finally {
    await browser.close();
  }
})().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
