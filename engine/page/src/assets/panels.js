// Everything beside the list: the header, the gate, policies, outputs, drift, the graph.

function header() {
  $("title").textContent = plan.title;
  if (plan.status) {
    $("status").hidden = false;
    $("status").textContent = plan.status;
    $("status").classList.add(plan.status);
  }
  const alert = plan.errored ? "Planning ended with errors: this plan cannot be applied." : plan.message;
  if (alert) {
    $("message").hidden = false;
    $("message").textContent = alert;
  }
  const facts = plan.facts.map(([name, text]) => {
    const isTime = name === "Planned" || name === "Finished";
    const isCode = name === "Commit" || name === "Plan digest";
    const shown = isTime ? time(text) : isCode ? make("code", { title: text }, text.slice(0, 12)) : text;
    return make("div", null, make("dt", null, name), make("dd", null, shown));
  });
  replace($("facts"), ...facts);
  if (plan.statements.length > 0) {
    $("statements").hidden = false;
    replace($("statements"), ...plan.statements.map(([name, text]) => make("div", null, make("dt", null, name), make("dd", null, text))));
  }
  $("footer").textContent = `Made by Terrace ${plan.version} from plan ${plan.digest}`;
}

function gate() {
  const found = plan.gate;
  if (!found) return;
  $("gate").hidden = false;
  const body = $("gate-body");
  const passes = found.missing.length === 0;
  const kind = found.kind === "normal" ? "" : `, judged as ${found.kind}`;
  const verdict = found.over ? `Let it through to ${found.environment}` : passes ? `Lets it through to ${found.environment}` : `${counted(found.missing.length, "thing")} missing for ${found.environment}`;
  body.append(make("p", { class: `verdict ${passes ? "good" : "waiting"}` }, `${verdict}${kind}`));
  if (!passes) {
    const missing = found.missing.map(([reason, remedy]) => make("li", null, make("p", null, reason), remedy ? remedyText(remedy) : null));
    body.append(make("h3", null, "Missing"), make("ul", { class: "missing" }, ...missing));
  }
  if (found.approvals.length > 0) {
    body.append(make("h3", null, "Approvals"), make("ul", { class: "approvals" }, ...found.approvals.map(approval)));
  }
  if (found.asks.length > 0) {
    body.append(make("h3", null, "It asks for"), make("ul", { class: "asks" }, ...found.asks.map((text) => make("li", null, text))));
  }
}

// A remedy with its command, which stands between backquotes.
function remedyText(text) {
  const parts = text.split("`");
  return make("p", { class: "remedy" }, ...parts.map((part, at) => (at % 2 === 1 ? command(part) : part)));
}

// A command, which is not broken within its words.
function command(text) {
  const words = text.split(" ").flatMap((word) => [make("span", null, word), " "]);
  return make("code", null, ...words.slice(0, -1));
}

function approval(given) {
  const mark = given.counts ? "✓" : "–";
  return make(
    "li",
    { class: given.counts ? "counts" : "" },
    make("span", { class: "mark", "aria-hidden": "true" }, mark),
    make(
      "div",
      null,
      make("p", null, make("strong", null, given.person), given.counts ? "" : " (does not count)"),
      given.comment ? make("p", { class: "comment" }, given.comment) : null,
      given.signed === "" ? null : make("p", { class: "small" }, time(given.signed), given.expires ? " until " : null, given.expires ? time(given.expires) : null),
      make("p", { class: "small key", title: given.key }, given.key),
    ),
  );
}

function policies() {
  if (plan.policies.length === 0) return;
  $("policies").hidden = false;
  const order = ["denied", "overridden", "warned", "passed"];
  const sorted = [...plan.policies].sort((a, b) => order.indexOf(a[0]) - order.indexOf(b[0]));
  const entries = sorted.map(([verdict, policy, level, message]) =>
    make(
      "li",
      { class: verdict },
      make("span", { class: "tag" }, verdict),
      make("div", null, make("p", null, make("strong", null, policy), level ? make("span", { class: "small" }, ` ${level}`) : null), message ? make("p", null, message) : null),
    ),
  );
  replace($("policies-body"), ...entries);
}

function outputs() {
  $("count-outputs").textContent = number(plan.outputs.length);
  const place = $("outputs");
  if (plan.outputs.length === 0) {
    place.append(make("p", { class: "nothing" }, "No output changes."));
    return;
  }
  place.append(table(plan.outputs.flatMap((output) => output.rows), "Outputs"));
}

function drift() {
  $("count-drift").textContent = number(plan.drift.length);
  const place = $("drift");
  if (plan.drift.length === 0) {
    place.append(make("p", { class: "nothing" }, "Nothing has changed outside of Terrace."));
    return;
  }
  const shown = plan.drift.slice(0, 200).map((change) => {
    change.address = change.module ? `${change.module}.${change.name}` : change.name;
    return make("article", { class: "drifted" }, make("h3", null, change.title), table(change.rows, `What has changed of ${change.address}`));
  });
  place.append(...shown);
  if (plan.drift.length > 200) place.append(make("p", { class: "nothing" }, `and ${number(plan.drift.length - 200)} more, which terrace show lists`));
}

let drawnFor;

function graph() {
  const place = $("graph");
  if (drawnFor === selected && place.childElementCount > 0) return;
  drawnFor = selected;
  place.replaceChildren();
  const node = selected && selected.node;
  const around = node === undefined || node === null ? null : neighbourhood(node, 2);
  if (around) place.append(make("h3", null, `Around ${selected.address}`), around);
  if (plan.nodes.length === 0) {
    place.append(make("p", { class: "nothing" }, "Nothing depends on anything here."));
    return;
  }
  const { picture, left } = modules();
  place.append(make("h3", null, "Modules"), make("p", { class: "small" }, "From what others depend on, to the left, to what depends on others."), picture);
  if (left > 0) place.append(make("p", { class: "nothing" }, `and ${counted(left, "module")} with fewer changes`));
}

const TABS = ["changes", "outputs", "drift", "graph"];

function selectTab(name) {
  for (const tab of TABS) {
    const isIt = tab === name;
    const button = $(`tab-${tab}`);
    button.setAttribute("aria-selected", String(isIt));
    button.tabIndex = isIt ? 0 : -1;
    $(`panel-${tab}`).hidden = !isIt;
  }
  if (name === "graph") graph();
  if (name === "changes") render();
}

function filters() {
  const place = $("filters");
  const chip = (text, kind, isOn, flip) => {
    const button = make("button", { type: "button", class: `chip ${kind}`, "aria-pressed": String(isOn) }, ...text);
    button.addEventListener("click", () => {
      const on = button.getAttribute("aria-pressed") !== "true";
      button.setAttribute("aria-pressed", String(on));
      flip(on);
      rebuild();
    });
    return button;
  };
  const chips = tally(changes).map(([action, count]) =>
    chip([make("span", { class: "symbol", "aria-hidden": "true" }, ACTIONS[action].symbol), make("strong", null, number(count)), ` to ${ACTIONS[action].label}`], action, view.actions.has(action), (on) => (on ? view.actions.add(action) : view.actions.delete(action))),
  );
  const risky = changes.filter(isRisky).length;
  if (risky > 0) chips.push(chip([make("strong", null, number(risky)), " risky"], "risk", view.risky, (on) => (view.risky = on)));
  replace(place, ...chips);
}

function clearFilters() {
  view.actions.clear();
  view.risky = false;
  view.unread = false;
  setQuery("");
  $("query").value = "";
  filters();
}

function tellFound() {
  const all = counted(changes.length, "change");
  const isAll = view.found === changes.length;
  const text = isAll ? all : `${number(view.found)} of ${all}`;
  if ($("found").textContent !== text) $("found").textContent = text;
  $("reviewed").textContent = view.read.size > 0 ? `${number(view.read.size)} of ${number(changes.length)} read` : "";
  $("unread").hidden = view.read.size === 0;
  $("unread").setAttribute("aria-pressed", String(view.unread));
}
