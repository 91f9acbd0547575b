// Drives Chromium over pages and prints what it found as one line of JSON, for tests/chromium.rs.
// Its jobs are {"action": …, "page": "file:///…", …}.

const { job, open: openPage, run, violations } = require("./browser.cjs");

async function open(browser, options) {
  const opened = await openPage(browser, job.page, options);
  await opened.page.waitForFunction(() => performance.getEntriesByName("terrace-shown").length > 0 && document.querySelector("#list li"));
  return opened;
}

const focused = (page) =>
  page.evaluate(() => {
    const element = document.activeElement;
    return { tag: element.tagName, id: element.id, text: element.textContent, expanded: element.getAttribute("aria-expanded") };
  });

// How long the first view takes, and each frame while somebody scrolls through everything.
async function measure(browser) {
  const { context, page, seen } = await open(browser);
  await page.waitForFunction(() => performance.getEntriesByName("first-contentful-paint").length > 0);
  const first = await page.evaluate(() => ({
    shown: performance.getEntriesByName("terrace-shown")[0].startTime,
    painted: performance.getEntriesByName("first-contentful-paint")[0].startTime,
    inDocument: document.querySelectorAll("#list li").length,
    changes: document.querySelector("#count-changes").textContent,
  }));
  const frames = await page.evaluate(
    (steps) =>
      new Promise((resolve) => {
        const times = [[], []];
        const height = document.documentElement.scrollHeight - window.innerHeight;
        let at = 0;
        let last;
        const step = (now) => {
          if (last !== undefined) times[at <= steps / 2 ? 0 : 1].push(now - last);
          last = now;
          at += 1;
          // Half of it as a wheel turns, half in leaps through everything.
          if (at <= steps / 2) window.scrollBy(0, 120);
          else window.scrollTo(0, (height * (at - steps / 2)) / (steps / 2));
          if (at < steps) requestAnimationFrame(step);
          else resolve(times);
        };
        requestAnimationFrame(step);
      }),
    job.frames,
  );
  const typed = await page.evaluate(
    () =>
      new Promise((resolve) => {
        const query = document.querySelector("#query");
        const begun = performance.now();
        query.value = "orders table";
        query.dispatchEvent(new Event("input", { bubbles: true }));
        const found = document.querySelector("#found");
        new MutationObserver(() => resolve(performance.now() - begun)).observe(found, { childList: true, characterData: true, subtree: true });
      }),
  );
  await context.close();
  const told = (times) => {
    times.sort((a, b) => a - b);
    const part = (share) => times[Math.min(times.length - 1, Math.floor(times.length * share))];
    return { frames: times.length, median: part(0.5), most: part(0.95), worst: times[times.length - 1] };
  };
  return { ...first, wheel: told(frames[0]), leaps: told(frames[1]), typed, requests: seen.requests, errors: seen.errors };
}

// A resource is found, read and left with the keyboard alone.
async function keyboard(browser) {
  const { context, page, seen } = await open(browser);
  const steps = {};
  await page.keyboard.press("/");
  steps.search = await focused(page);
  await page.keyboard.type(job.query);
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => document.activeElement.closest("#list"));
  steps.found = await focused(page);
  steps.count = await page.locator("#found").textContent();
  await page.keyboard.press("Enter");
  await page.waitForSelector("#list .details");
  steps.unfolded = await focused(page);
  steps.details = await page.locator("#list .details").first().textContent();
  await page.keyboard.press("Escape");
  await page.waitForSelector("#list .details", { state: "detached" });
  steps.folded = await focused(page);
  await page.keyboard.press("/");
  await page.keyboard.press("Escape");
  await page.waitForFunction((all) => document.querySelector("#found").textContent === all, job.all);
  steps.cleared = await focused(page);
  await page.keyboard.press("Escape");
  await page.keyboard.press("j");
  steps.first = await focused(page);
  await page.keyboard.press("j");
  await page.keyboard.press("ArrowDown");
  steps.third = await focused(page);
  await page.keyboard.press("k");
  steps.second = await focused(page);
  await page.keyboard.press("End");
  await page.waitForFunction(() => document.activeElement.closest("li")?.getAttribute("aria-posinset") === document.activeElement.closest("li")?.getAttribute("aria-setsize"));
  steps.last = await focused(page);
  await page.keyboard.press("Home");
  steps.home = await focused(page);
  await page.keyboard.press("Enter");
  steps.group = await focused(page);
  await page.keyboard.press("j");
  await page.keyboard.press("j");
  await page.keyboard.press("r");
  steps.read = await page.locator("#reviewed").textContent();
  await page.keyboard.press("?");
  await page.waitForSelector("#help[open]");
  steps.help = await focused(page);
  await page.keyboard.press("Escape");
  await page.waitForSelector("#help", { state: "hidden" });
  await page.keyboard.press("4");
  await page.waitForSelector("#graph .node");
  steps.graph = await focused(page);
  steps.nodes = await page.locator("#graph button.node").count();
  await page.locator("#graph button.node").last().focus();
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => document.activeElement.closest("#list"));
  steps.back = await focused(page);
  await context.close();
  return { ...steps, errors: seen.errors };
}

// What axe-core finds wrong, in light and dark, wide and narrow, folded and unfolded, on each part of the page.
function accessibility(browser) {
  return violations(async (options, look) => {
    const { context, page } = await open(browser, options);
    await look(page, "list");
    await page.fill("#query", job.query);
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => document.activeElement.closest("#list"));
    await page.keyboard.press("Enter");
    await page.waitForSelector("#list .details");
    await look(page, "change");
    for (const tab of ["outputs", "drift", "graph"]) {
      await page.click(`#tab-${tab}`);
      await look(page, tab);
    }
    await page.keyboard.press("?");
    await page.waitForSelector("#help[open]");
    await look(page, "help");
    await context.close();
  });
}

// Nothing of what names and values try comes about, even without the content security policy.
async function injection(browser) {
  const outcomes = [];
  for (const bypassCSP of [false, true]) {
    const { context, page, seen } = await open(browser, { bypassCSP });
    // As for paper, everything is in the document.
    await page.evaluate(() => window.dispatchEvent(new Event("beforeprint")));
    for (let at = 0; at < 200; at += 1) {
      const entry = page.locator("#list .change .entry[aria-expanded=false]").first();
      if ((await entry.count()) === 0) break;
      await entry.click();
    }
    const unfolded = await page.locator("#list .details").count();
    for (const tab of ["outputs", "drift", "graph", "changes"]) await page.click(`#tab-${tab}`);
    await page.fill("#query", "<script>");
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => document.activeElement.closest("#list"));
    const state = await page.evaluate((canary) => {
      const foreign = document.querySelectorAll("img, iframe, object, embed, link, a[href^='javascript'], svg:not(.lines), script[src]");
      const handlers = [...document.querySelectorAll("*")].filter((element) => [...element.attributes].some((attribute) => attribute.name.startsWith("on")));
      return { canary: window[canary] ?? null, foreign: foreign.length, handlers: handlers.length, scripts: document.scripts.length, text: document.body.innerText };
    }, job.canary);
    outcomes.push({ bypassCSP, unfolded, ...state, ...seen });
    await context.close();
  }
  return outcomes;
}

// Pictures for the documentation.
async function screenshots(browser) {
  const shoot = async (name, options, prepare) => {
    const { context, page } = await open(browser, { deviceScaleFactor: 1.5, ...options });
    await prepare(page);
    await page.screenshot({ path: `${job.directory}/${name}.png` });
    await context.close();
  };
  const unfold = async (page) => {
    await page.fill("#query", job.query);
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => document.activeElement.closest("#list"));
    await page.keyboard.press("Enter");
    await page.waitForSelector("#list .details");
  };
  await shoot("page", {}, async () => {});
  await shoot("page-dark", { colorScheme: "dark" }, unfold);
  await shoot("page-change", {}, unfold);
  await shoot("page-graph", {}, async (page) => {
    await unfold(page);
    await page.keyboard.press("4");
    await page.waitForSelector("#graph .node");
  });
  const phone = { width: 400, height: 860 };
  await shoot("page-phone", { viewport: phone }, async () => {});
  await shoot("page-phone-change", { viewport: phone, colorScheme: "dark" }, async (page) => {
    await unfold(page);
    await page.evaluate(() => document.querySelector("#controls").scrollIntoView());
  });
  return {};
}

run({ measure, keyboard, accessibility, injection, screenshots });
