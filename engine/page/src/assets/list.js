// The list of changes. Only what is near the window is in the document, and what has the focus.

const AHEAD = 400;

const list = $("list");
const narrow = window.matchMedia("(max-width: 700px)");

let items = [];
let places = new Map();
let tops = new Float64Array(1);
let active = 0;
const elements = new Map();
const heights = new Map();
let isPrinting = false;

const usual = (item) => {
  if (item.kind === "group") return 44;
  return narrow.matches ? 64 : 45;
};

const heightOf = (item) =>
  item.kind === "change" && view.open.has(item.id) ? (heights.get(item.id) ?? 320) : usual(item);

// Gives every row its place.
function layout() {
  tops = new Float64Array(items.length + 1);
  for (let at = 0; at < items.length; at += 1) tops[at + 1] = tops[at] + heightOf(items[at]);
  list.style.height = `${tops[items.length]}px`;
}

// The row that lies at a height.
function rowAt(height) {
  let low = 0;
  let high = items.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (tops[middle] <= height) low = middle;
    else high = middle - 1;
  }
  return Math.max(0, low);
}

const watcher = new ResizeObserver((entries) => {
  let shift = 0;
  let changed = false;
  const edge = -list.getBoundingClientRect().top;
  for (const entry of entries) {
    const id = Number(entry.target.dataset.index);
    const height = entry.borderBoxSize[0].blockSize;
    const at = places.get(id);
    if (at === undefined || !view.open.has(id) || height === 0) continue;
    const known = heightOf(items[at]);
    if (Math.abs(known - height) < 0.5) continue;
    heights.set(id, height);
    changed = true;
    if (tops[at] + known < edge) shift += height - known;
  }
  if (!changed) return;
  layout();
  if (shift !== 0) window.scrollBy({ top: shift, behavior: "instant" });
  render();
});

function render() {
  const top = -list.getBoundingClientRect().top;
  let first = rowAt(Math.max(0, top - AHEAD));
  let last = items.length === 0 ? -1 : rowAt(Math.max(0, top + window.innerHeight + AHEAD));
  if (isPrinting) [first, last] = [0, items.length - 1];
  const wanted = [];
  if (active < first && items[active]) wanted.push(active);
  for (let at = first; at <= last; at += 1) wanted.push(at);
  if (active > last && items[active]) wanted.push(active);
  const kept = new Set(wanted.map((at) => items[at].id));
  for (const [id, element] of elements) {
    if (kept.has(id)) continue;
    watcher.unobserve(element);
    element.remove();
    elements.delete(id);
  }
  let cursor = list.firstElementChild;
  for (const at of wanted) {
    const item = items[at];
    let element = elements.get(item.id);
    if (!element) {
      element = item.kind === "group" ? head(item) : entry(item.change);
      elements.set(item.id, element);
    }
    if (element === cursor) cursor = cursor.nextElementSibling;
    else list.insertBefore(element, cursor);
    put(element, at);
  }
}

// Gives a row its place; what it has already is not written again, so that nothing is laid out for nothing.
function put(element, at) {
  if (element.placedAt !== tops[at]) {
    element.placedAt = tops[at];
    element.style.transform = `translateY(${tops[at]}px)`;
  }
  if (element.placedAs !== at || element.placedOf !== items.length) {
    element.placedAs = at;
    element.placedOf = items.length;
    element.setAttribute("aria-setsize", items.length);
    element.setAttribute("aria-posinset", at + 1);
  }
  const order = at === active ? 0 : -1;
  const button = main(element);
  if (button.tabIndex !== order || !button.hasAttribute("tabindex")) button.tabIndex = order;
}

// The button of a row that unfolds it.
const main = (element) => element.firstElementChild.firstElementChild;

const sums = (members) =>
  tally(members).map(([action, count]) => make("span", { class: `sum ${action}`, title: `${number(count)} to ${ACTIONS[action].label}` }, `${ACTIONS[action].symbol}${number(count)}`));

function head(item) {
  const button = make(
    "button",
    { type: "button", class: "head", "aria-expanded": item.isFolded ? "false" : "true" },
    make("span", { class: "caret", "aria-hidden": "true" }),
    make("span", { class: "key" }, item.key),
    make("span", { class: "hidden" }, `, ${counted(item.members.length, "change")}: ${spoken(item.members)}`),
    make("span", { class: "sums", "aria-hidden": "true" }, ...sums(item.members)),
  );
  button.addEventListener("click", () => {
    active = places.get(item.id);
    fold(item.key);
  });
  return make("li", { class: "group" }, make("div", { class: "row" }, button));
}

function entry(change) {
  const isOpen = view.open.has(change.index);
  const isRead = view.read.has(change.index);
  const action = ACTIONS[change.action];
  const hidesModule = view.group === "module";
  const module = change.module && !hidesModule ? make("span", { class: "module" }, ...marked(`${change.module}.`)) : null;
  const forces = change.rows.some((row) => row[5] & FORCES);
  const risks = (change.risks || []).map((risk) => make("span", { class: "tag risk" }, `risk: ${plan.gate.risks[risk]}`));
  const button = make(
    "button",
    { type: "button", class: "entry", "aria-expanded": String(isOpen) },
    make("span", { class: `badge ${change.action}` }, make("span", { "aria-hidden": "true" }, action.symbol), make("span", { class: "hidden" }, `${action.label} `)),
    make("span", { class: "address" }, hidesModule && change.module ? make("span", { class: "hidden" }, `${change.module}.`) : null, module, make("span", { class: "name" }, ...marked(change.name))),
    make("span", { class: "tags" }, ...risks, forces ? make("span", { class: "tag forces" }, "forces replacement") : null, brief(change)),
  );
  button.addEventListener("click", () => {
    active = places.get(change.index);
    toggle(change);
  });
  const read = make("button", { type: "button", class: "tick", "aria-pressed": String(isRead), "aria-label": `Read: ${change.address}`, title: "Mark as read (r)", tabindex: "-1" }, make("span", { "aria-hidden": "true" }, "✓"));
  read.addEventListener("click", () => markRead(change));
  const element = make("li", { class: `change ${change.action}${isRead ? " is-read" : ""}${isOpen ? " is-open" : ""}`, "data-index": change.index }, make("div", { class: "row" }, button, read));
  if (isOpen) {
    element.append(details(change));
    watcher.observe(element);
  }
  return element;
}

// What changes, in a few words.
function brief(change) {
  if (change.action !== "update" && change.action !== "replace") return null;
  const names = change.rows.filter((row) => row[0] === 0 && row[1] !== "=" && row[1] !== ".").map((row) => row[2]);
  if (names.length === 0) return null;
  const text = names.length > 3 ? `${names.slice(0, 2).join(", ")} and ${names.length - 2} more` : names.join(", ");
  return make("span", { class: "brief" }, text);
}

// Makes a row anew, with the focus where it was.
function refresh(id) {
  const element = elements.get(id);
  if (!element) return;
  const hadFocus = element.contains(document.activeElement);
  watcher.unobserve(element);
  element.remove();
  elements.delete(id);
  layout();
  render();
  if (hadFocus) focusActive();
}

function toggle(change) {
  if (view.open.has(change.index)) view.open.delete(change.index);
  else view.open.add(change.index);
  selected = change;
  refresh(change.index);
}

function fold(key) {
  if (view.folded.has(key)) view.folded.delete(key);
  else view.folded.add(key);
  rebuild();
  focusActive();
}

function markRead(change) {
  setRead(change.index, !view.read.has(change.index));
  refresh(change.index);
  tellFound();
}

// Shows the list anew, with the row that was active where it still is one.
function rebuild() {
  const was = items[active];
  const arranged = arrange();
  items = arranged.items;
  places = new Map(items.map((item, at) => [item.id, at]));
  active = (was && places.get(was.id)) ?? 0;
  for (const element of elements.values()) watcher.unobserve(element);
  elements.clear();
  list.replaceChildren();
  layout();
  render();
  view.groups = arranged.groups;
  view.found = arranged.found;
  const isEmpty = arranged.found === 0;
  $("nothing").hidden = !isEmpty;
  $("nothing").textContent = changes.length === 0 ? "No object changes." : "No change is like that.";
  const foldButton = $("fold");
  foldButton.hidden = view.group === "none" || isEmpty;
  foldButton.textContent = view.folded.size > 0 ? "Unfold all" : "Fold all";
  tellFound();
}

function scrollTo(at) {
  const stuck = $("controls").getBoundingClientRect().height + 12;
  const box = list.getBoundingClientRect();
  const top = box.top + tops[at];
  const bottom = top + Math.min(usual(items[at]), heightOf(items[at]));
  if (top < stuck) window.scrollBy({ top: top - stuck, behavior: "instant" });
  else if (bottom > window.innerHeight - 12) window.scrollBy({ top: bottom - window.innerHeight + 12, behavior: "instant" });
}

function focusActive() {
  if (!items[active]) return;
  scrollTo(active);
  render();
  main(elements.get(items[active].id)).focus({ preventScroll: true });
}

function move(step) {
  if (items.length === 0) return;
  const isIn = list.contains(document.activeElement);
  if (isIn) active = Math.min(items.length - 1, Math.max(0, active + step));
  focusActive();
}

// Unfolds a change wherever it is, and goes there.
function show(change) {
  selectTab("changes");
  if (!isFound(change)) clearFilters();
  view.folded.delete(groupOf(change));
  view.open.add(change.index);
  selected = change;
  rebuild();
  active = places.get(change.index);
  refresh(change.index);
  focusActive();
}

function showModule(module) {
  selectTab("changes");
  clearFilters();
  view.group = "module";
  $("group").value = "module";
  view.folded.clear();
  rebuild();
  const key = module || "root module";
  const found = items.findIndex((item) => item.kind === "group" && (item.key === key || item.key.startsWith(`${key}[`)));
  active = Math.max(0, found);
  focusActive();
}
