// What changes in an object, as a table.

const FORCES = 1;
const LINE = 2;
const MOST_ROWS = 300;
const LONGEST = 4000;

const MARKS = {
  "=": ["same", " ", "stays"],
  "+": ["add", "+", "comes"],
  "-": ["remove", "−", "goes"],
  "~": ["change", "~", "changes"],
};

// The text with what was searched for marked.
function marked(text) {
  const terms = view.terms.filter((term) => text.toLowerCase().includes(term));
  if (terms.length === 0) return [text];
  const lower = text.toLowerCase();
  // Some characters change their length with their case; then nothing is marked rather than the wrong thing.
  if (lower.length !== text.length) return [text];
  const parts = [];
  let at = 0;
  while (at < text.length) {
    let next = -1;
    let length = 0;
    for (const term of terms) {
      const found = lower.indexOf(term, at);
      if (found >= 0 && (next < 0 || found < next)) {
        next = found;
        length = term.length;
      }
    }
    if (next < 0) break;
    if (next > at) parts.push(text.slice(at, next));
    parts.push(make("mark", null, text.slice(next, next + length)));
    at = next + length;
  }
  parts.push(text.slice(at));
  return parts;
}

function shown(cell) {
  if (cell === 1) return [make("span", { class: "note" }, "known after apply")];
  if (cell === 2) return [make("span", { class: "note" }, "sensitive value")];
  if (cell.length <= LONGEST) return marked(cell);
  const text = make("span", null, cell.slice(0, LONGEST), "… ");
  const more = make("button", { type: "button", class: "plain" }, `${number(cell.length - LONGEST)} more characters`);
  more.addEventListener("click", () => replace(text, cell));
  return [text, more];
}

function value(cell, kind) {
  if (cell === 0) return null;
  const tag = kind === "removed" ? "del" : kind === "added" ? "ins" : "span";
  return make(tag, { class: `value ${kind}` }, ...shown(cell));
}

function row([depth, mark, name, before, after, flags]) {
  if (mark === ".") {
    return make(
      "tr",
      { class: "unchanged", role: "row" },
      make("td", { role: "cell" }),
      make("td", { role: "cell", colspan: 2, class: `depth-${Math.min(depth, 8)}` }, name),
    );
  }
  const [kind, symbol, word] = MARKS[mark];
  const sign = make("td", { class: "sign", role: "cell" }, make("span", { "aria-hidden": "true" }, symbol), make("span", { class: "hidden" }, word));
  const indent = `depth-${Math.min(depth, 8)}`;
  if (flags & LINE) {
    const text = mark === "-" ? before : after;
    const tag = mark === "-" ? "del" : mark === "+" ? "ins" : "span";
    const cell = make("td", { role: "cell", colspan: 2, class: `text ${indent}` }, make(tag, null, ...shown(text === "" ? " " : text)));
    return make("tr", { class: `${kind} line`, role: "row" }, sign, cell);
  }
  const forces = flags & FORCES ? make("span", { class: "forces" }, "forces replacement") : null;
  const head = make("th", { scope: "row", role: "rowheader", class: indent }, ...(name === "" ? ["element"] : marked(name)));
  const cell = make("td", { class: "values", role: "cell" });
  if (mark === "~" && before !== 0 && after !== 0) {
    cell.append(value(before, "removed"), make("span", { class: "arrow", "aria-label": "becomes", role: "img" }, "→"), value(after, "added"));
  } else if (mark === "~") {
    if (before !== 0) cell.append(value(before, "removed"));
    if (after !== 0) cell.append(value(after, "added"));
  } else if (mark === "-") {
    if (before !== 0) cell.append(value(before, "removed"));
  } else if (after !== 0) {
    cell.append(value(after, mark === "+" ? "added" : "plainly"));
  }
  if (forces) cell.append(forces);
  return make("tr", { class: kind, role: "row" }, sign, head, cell);
}

// Roles are said as well: a narrow screen lays the table out as blocks, which some browsers take for no table.
function table(rows, caption) {
  const body = make("tbody", { role: "rowgroup" }, ...rows.slice(0, MOST_ROWS).map(row));
  const whole = make(
    "table",
    { class: "diff", role: "table" },
    make("caption", { class: "hidden" }, caption),
    make(
      "thead",
      { class: "hidden", role: "rowgroup" },
      make("tr", { role: "row" }, ...["Change", "Attribute", "Value"].map((name) => make("th", { scope: "col", role: "columnheader" }, name))),
    ),
    body,
  );
  if (rows.length <= MOST_ROWS) return whole;
  const more = make("button", { type: "button", class: "plain more" }, `Show ${number(rows.length - MOST_ROWS)} more rows`);
  more.addEventListener("click", () => {
    body.append(...rows.slice(MOST_ROWS).map(row));
    more.remove();
  });
  return make("div", null, whole, more);
}

function reasons(change) {
  const list = change.reasons || [];
  const remarks = change.remarks || [];
  const risks = (change.risks || []).map((risk) => plan.gate.risks[risk]);
  if (list.length + remarks.length + risks.length === 0) return null;
  return make(
    "ul",
    { class: "reasons" },
    ...risks.map((risk) => make("li", { class: "risk" }, `risk “${risk}”`)),
    ...remarks.map((remark) => make("li", null, remark)),
    ...list.map(([attribute, place, cause]) =>
      make(
        "li",
        null,
        attribute ? make("code", null, attribute.replace(/^\./, "")) : null,
        attribute ? " " : null,
        make("span", { class: "cause" }, cause),
        place ? " " : null,
        place ? make("span", { class: "place" }, place) : null,
      ),
    ),
  );
}

// Everything about a change.
function details(change) {
  const body = make("div", { class: "details" }, make("p", { class: "sentence" }, change.title));
  const why = reasons(change);
  if (why) body.append(make("h3", null, "Why"), why);
  if (change.rows.length > 0) {
    body.append(make("h3", null, "What"), table(change.rows, `Attributes of ${change.address}`));
  }
  const around = change.node === undefined ? null : neighbourhood(change.node, 1);
  if (around) body.append(make("h3", null, "Around it"), around);
  return body;
}
