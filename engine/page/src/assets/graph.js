// What depends on what: the neighbourhood of a resource, and the modules. Boxes are buttons, lines are drawn behind them.

const BOX = { width: 208, height: 46, across: 48, down: 12 };
const MOST_IN_COLUMN = 12;
const MOST_MODULES = 150;

const behind = plan.nodes.map(() => []);
const before = plan.nodes.map(() => []);
for (let at = 0; at < plan.edges.length; at += 2) {
  behind[plan.edges[at]].push(plan.edges[at + 1]);
  before[plan.edges[at + 1]].push(plan.edges[at]);
}

const changesOf = plan.nodes.map(() => []);
for (const change of changes) {
  if (change.node !== undefined) changesOf[change.node].push(change);
}

function summary(members) {
  if (members.length === 0) return "unchanged";
  return tally(members)
    .map(([action, count]) => `${ACTIONS[action].symbol}${number(count)}`)
    .join(" ");
}

function spoken(members) {
  if (members.length === 0) return "unchanged";
  return tally(members)
    .map(([action, count]) => `${number(count)} to ${ACTIONS[action].label}`)
    .join(", ");
}

function tone(members) {
  const found = tally(members);
  if (found.length === 0) return "quiet";
  return found.length === 1 ? found[0][0] : "mixed";
}

// Columns of boxes `{key, lead, label, members, go, current}` and lines `[from, to]` between their keys.
function layers(columns, lines, label) {
  const places = new Map();
  const tallest = Math.max(...columns.map((column) => column.length));
  const step = BOX.height + BOX.down;
  const area = make("div", { class: "nodes" });
  columns.forEach((column, x) => {
    const top = ((tallest - column.length) * step) / 2;
    column.forEach((node, y) => {
      const place = { left: x * (BOX.width + BOX.across), top: top + y * step };
      places.set(node.key, place);
      area.append(box(node, place));
    });
  });
  const width = columns.length * (BOX.width + BOX.across) - BOX.across;
  const height = tallest * step - BOX.down;
  const picture = draw("svg", { width, height, "aria-hidden": "true", focusable: "false", class: "lines" });
  for (const [from, to] of lines) {
    const [a, b] = [places.get(from), places.get(to)];
    if (a && b) picture.append(draw("path", { d: curve(a, b) }));
  }
  area.prepend(picture);
  area.style.width = `${width}px`;
  area.style.height = `${height}px`;
  return make("div", { class: "graph", role: "group", "aria-label": label, tabindex: "0" }, area);
}

function curve(a, b) {
  const [left, right] = a.left <= b.left ? [a, b] : [b, a];
  const x1 = left.left + BOX.width;
  const x2 = right.left;
  const y1 = left.top + BOX.height / 2;
  const y2 = right.top + BOX.height / 2;
  if (x2 < x1) {
    const out = x1 + BOX.across / 2;
    return `M${x1} ${y1}C${out} ${y1} ${out} ${y2} ${x1} ${y2}`;
  }
  const middle = (x1 + x2) / 2;
  return `M${x1} ${y1}C${middle} ${y1} ${middle} ${y2} ${x2} ${y2}`;
}

function box(node, place) {
  const inside = [
    make("span", { class: "label", title: `${node.lead || ""}${node.label}` }, node.label),
    make("span", { class: "lead" }, node.lead ? node.lead.replace(/\.$/, "") : ""),
    make("span", { class: "sum", "aria-hidden": "true" }, node.members ? summary(node.members) : ""),
    node.members ? make("span", { class: "hidden" }, `, ${spoken(node.members)}`) : null,
  ];
  const kind = `node ${node.members ? tone(node.members) : "quiet"}${node.current ? " current" : ""}`;
  const element = node.go
    ? make("button", { type: "button", class: kind }, ...inside)
    : make("div", { class: kind, "aria-current": node.current ? "true" : null }, ...inside);
  if (node.go) element.addEventListener("click", node.go);
  element.style.left = `${place.left}px`;
  element.style.top = `${place.top}px`;
  return element;
}

function nodeBox(index, current) {
  const [module, name] = plan.nodes[index];
  const members = changesOf[index];
  return {
    key: index,
    lead: module ? `${module}.` : "",
    label: name,
    members,
    current,
    go: current || members.length === 0 ? null : () => show(members[0]),
  };
}

// A resource, what it depends on to its left and what depends on it to its right, `depth` steps far; null when alone.
function neighbourhood(index, depth) {
  if (behind[index].length + before[index].length === 0) return null;
  const columns = [[nodeBox(index, true)]];
  const seen = new Set([index]);
  const lines = [];
  const grow = (edges, add, join) => {
    let edge = [index];
    for (let step = 0; step < depth; step += 1) {
      const next = [];
      const links = [];
      for (const at of edge) {
        for (const other of edges[at]) {
          links.push(join(at, other));
          if (!seen.has(other)) {
            seen.add(other);
            next.push(other);
          }
        }
      }
      lines.push(...links);
      if (next.length === 0) return;
      const column = next.slice(0, MOST_IN_COLUMN).map((other) => nodeBox(other, false));
      const more = next.length - column.length;
      if (more > 0) column.push({ key: `more${columns.length}`, label: `${number(more)} more`, members: null, go: null });
      add(column);
      edge = next.slice(0, MOST_IN_COLUMN);
    }
  };
  grow(behind, (column) => columns.unshift(column), (at, other) => [other, at]);
  grow(before, (column) => columns.push(column), (at, other) => [at, other]);
  const [module, name] = plan.nodes[index];
  return layers(columns, lines, `What ${module ? `${module}.` : ""}${name} depends on, and what depends on it`);
}

// The modules with what goes between them.
function modules() {
  const members = new Map();
  plan.nodes.forEach(([module], index) => {
    if (!members.has(module)) members.set(module, []);
    members.get(module).push(...changesOf[index]);
  });
  const kept = [...members.keys()]
    .sort((a, b) => members.get(b).length - members.get(a).length || (a < b ? -1 : 1))
    .slice(0, MOST_MODULES);
  const isKept = new Set(kept);
  const needs = new Map(kept.map((module) => [module, new Set()]));
  for (let at = 0; at < plan.edges.length; at += 2) {
    const from = plan.nodes[plan.edges[at]][0];
    const to = plan.nodes[plan.edges[at + 1]][0];
    if (from !== to && isKept.has(from) && isKept.has(to)) needs.get(from).add(to);
  }
  const columns = [];
  for (const [module, level] of levels(kept, needs)) {
    while (columns.length <= level) columns.push([]);
    columns[level].push({
      key: module,
      label: module || "root module",
      members: members.get(module),
      go: members.get(module).length > 0 ? () => showModule(module) : null,
    });
  }
  for (const column of columns) column.sort((a, b) => (a.label < b.label ? -1 : 1));
  const lines = [];
  for (const [from, found] of needs) for (const to of found) lines.push([to, from]);
  const left = members.size - kept.length;
  return { picture: layers(columns.filter((column) => column.length > 0), lines, "Modules, and what goes between them"), left };
}

// How far each module is from those that depend on none; modules that depend on each other are cut somewhere.
function levels(keys, needs) {
  const known = new Map();
  const open = new Set();
  for (const start of keys) {
    const stack = [start];
    while (stack.length > 0) {
      const at = stack[stack.length - 1];
      if (known.has(at)) {
        stack.pop();
        continue;
      }
      const next = [...needs.get(at)].filter((other) => !known.has(other) && !open.has(other));
      if (next.length > 0 && !open.has(at)) {
        open.add(at);
        stack.push(...next);
        continue;
      }
      open.delete(at);
      const below = [...needs.get(at)].map((other) => (known.has(other) ? known.get(other) + 1 : 0));
      known.set(at, Math.max(0, ...below));
      stack.pop();
    }
  }
  return known;
}
