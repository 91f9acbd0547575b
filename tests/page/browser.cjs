// Opens pages in Chromium and carries out a job, for driver.cjs and registry.cjs: `node SCRIPT JOB`, where JOB is a JSON file whose
// `action` is one of the script's. What that found is printed as one line of JSON.

const fs = require("node:fs");
const { chromium } = require("playwright-core");

const PATIENCE = 120_000;
const ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--force-color-profile=srgb"];

const job = JSON.parse(fs.readFileSync(process.argv[2], "utf8"));

// A context of its own, as wide as a desk's screen where nothing else is said.
async function newContext(browser, options) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 860 }, ...options });
  context.setDefaultTimeout(PATIENCE);
  return context;
}

// A page in a context of its own, and what it asked for and said.
async function open(browser, address, options = {}) {
  const context = await newContext(browser, { reducedMotion: "reduce", ...options });
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
  await page.goto(address, { timeout: PATIENCE });
  return { context, page, seen };
}

// What axe-core finds wrong: `visit(options, look)` opens pages with these options, in light and dark, wide and narrow, and calls
// `look(page, what)` for each of their views.
async function violations(visit) {
  const axe = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
  const found = [];
  let looks = 0;
  for (const colorScheme of ["light", "dark"]) {
    for (const width of [1280, 400]) {
      const look = async (page, what) => {
        await page.evaluate(axe);
        const result = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
        looks += 1;
        for (const violation of result.violations) {
          found.push(`${colorScheme}, ${width}, ${what}: ${violation.id}: ${violation.nodes.map((node) => `${node.target} ${node.failureSummary}`).slice(0, 3).join("; ")}`);
        }
      };
      await visit({ colorScheme, bypassCSP: true, viewport: { width, height: 860 } }, look);
    }
  }
  return { found, looks };
}

async function perform(actions) {
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ARGUMENTS, timeout: PATIENCE });
  try {
    console.log(JSON.stringify(await actions[job.action](browser)));
  } finally {
    await browser.close();
  }
}

// Carries out the job, whose action is one of these functions of a browser.
function run(actions) {
  perform(actions).catch((error) => {
    console.error(error);
    process.exitCode = 1;
  });
}

module.exports = { job, newContext, open, run, violations };
