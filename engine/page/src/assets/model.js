// The plan as data: what is shown, in which order, by which filter.

const plan = JSON.parse($("data").textContent);

const ACTIONS = {
  create: { symbol: "+", label: "create" },
  update: { symbol: "~", label: "update" },
  replace: { symbol: "±", label: "replace" },
  delete: { symbol: "−", label: "destroy" },
  read: { symbol: "≤", label: "read" },
  import: { symbol: "↓", label: "import" },
  move: { symbol: "→", label: "move" },
  forget: { symbol: "·", label: "forget" },
};

const changes = plan.changes;

changes.forEach((change, index) => {
  change.index = index;
  change.address = change.module ? `${change.module}.${change.name}` : change.name;
});

// What is looked at in a search, made when it is first needed.
function haystack(change) {
  if (change.haystack === undefined) {
    const parts = [change.address, change.type, ACTIONS[change.action].label];
    for (const [, , name, before, after] of change.rows) {
      parts.push(name);
      if (typeof before === "string") parts.push(before);
      if (typeof after === "string") parts.push(after);
    }
    for (const reason of change.reasons || []) parts.push(...reason);
    change.haystack = parts.join("\n").toLowerCase();
  }
  return change.haystack;
}

const view = {
  group: "module",
  actions: new Set(),
  risky: false,
  unread: false,
  query: "",
  terms: [],
  folded: new Set(),
  open: new Set(),
  read: new Set(),
};

const storeKey = `terrace-read-${plan.digest}`;

function recallRead() {
  try {
    for (const index of JSON.parse(recall(storeKey)) || []) if (changes[index]) view.read.add(index);
  } catch {
    // Whatever stands there is not ours.
  }
}

recallRead();

function setRead(index, isRead) {
  if (isRead) view.read.add(index);
  else view.read.delete(index);
  remember(storeKey, JSON.stringify([...view.read]));
}

function setQuery(text) {
  view.query = text;
  view.terms = text.toLowerCase().split(/\s+/).filter(Boolean);
}

function isFound(change) {
  if (view.actions.size > 0 && !view.actions.has(change.action)) return false;
  if (view.risky && !isRisky(change)) return false;
  if (view.unread && view.read.has(change.index)) return false;
  return view.terms.every((term) => haystack(change).includes(term));
}

const isRisky = (change) => Boolean(change.risks);

function groupOf(change) {
  switch (view.group) {
    case "module":
      return change.module || "root module";
    case "type":
      return change.type;
    case "action":
      return ACTIONS[change.action].label;
    default:
      return "";
  }
}

// The rows of the list: a head for each group, then its changes unless it is folded.
function arrange() {
  const groups = new Map();
  let found = 0;
  for (const change of changes) {
    if (!isFound(change)) continue;
    found += 1;
    const key = groupOf(change);
    if (!groups.has(key)) groups.set(key, []);
    groups.get(key).push(change);
  }
  let ordered = [...groups];
  if (view.group === "action") {
    const order = Object.values(ACTIONS).map((action) => action.label);
    ordered.sort(([a], [b]) => order.indexOf(a) - order.indexOf(b));
  } else if (view.group === "type") {
    ordered.sort(([a], [b]) => (a < b ? -1 : 1));
  }
  const items = [];
  for (const [key, members] of ordered) {
    const isFolded = view.folded.has(key);
    if (view.group !== "none") items.push({ kind: "group", id: `g:${key}`, key, members, isFolded });
    if (isFolded && view.group !== "none") continue;
    for (const change of members) items.push({ kind: "change", id: change.index, change });
  }
  return { items, found, groups: ordered.map(([key]) => key) };
}

// How many there are of each action, in the order of ACTIONS.
function tally(members) {
  const counts = {};
  for (const change of members) counts[change.action] = (counts[change.action] || 0) + 1;
  return Object.keys(ACTIONS)
    .filter((action) => counts[action])
    .map((action) => [action, counts[action]]);
}

// Texts are made ready for searches while nothing else is to be done.
function prepare(from = 0) {
  const later = window.requestIdleCallback || ((work) => setTimeout(() => work({ timeRemaining: () => 5 }), 50));
  later((deadline) => {
    let at = from;
    while (at < changes.length && deadline.timeRemaining() > 1) {
      const end = Math.min(at + 50, changes.length);
      while (at < end) haystack(changes[at++]);
    }
    if (at < changes.length) prepare(at);
  });
}
