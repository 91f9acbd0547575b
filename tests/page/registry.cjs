// Drives Chromium over the pages of a registry and prints what it found as one line of JSON, for tests/registry.rs.
// Its jobs are {"action": …, "base": "http://…", …}.

const { job, newContext, open: openPage, run, violations } = require("./browser.cjs");

const open = (browser, path, options) => openPage(browser, `${job.base}${path}`, options);

const focused = (page) => page.evaluate(() => ({ tag: document.activeElement.tagName, id: document.activeElement.id, text: document.activeElement.textContent }));

// What axe-core finds wrong, in light and dark, wide and narrow, on each page.
function accessibility(browser) {
  return violations(async (options, look) => {
    for (const path of job.paths) {
      const { context, page } = await open(browser, path, options);
      await look(page, path);
      await context.close();
    }
  });
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
    const context = await newContext(browser, { deviceScaleFactor: 1.5, ...options });
    await context.route("**", async (route) => {
      const request = route.request();
      const url = request.url().replace(`http://${host}`, job.base);
      await route.fulfill({ response: await route.fetch({ url, headers: { ...request.headers(), host } }) });
    });
    const page = await context.newPage();
    await page.goto(`http://${host}${path}`);
    await page.screenshot({ path: `${job.directory}/${name}.png` });
    await context.close();
  };
  await shoot("registry", "/", {});
  await shoot("registry-module", job.module, {});
  await shoot("registry-phone", job.module, { viewport: { width: 400, height: 860 }, colorScheme: "dark" });
  return {};
}

run({ accessibility, keyboard, injection, screenshots });
