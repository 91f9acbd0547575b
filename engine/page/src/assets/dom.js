// Elements. Everything that comes from the plan becomes text here, never markup.

const $ = (id) => document.getElementById(id);

const SVG = "http://www.w3.org/2000/svg";

// make("p", {class: "x", title: "y"}, "text", element …); attributes that are null or false are left out.
function make(tag, attributes, ...children) {
  const element = document.createElement(tag);
  return fill(element, attributes, children);
}

function draw(tag, attributes, ...children) {
  const element = document.createElementNS(SVG, tag);
  return fill(element, attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

function replace(element, ...children) {
  element.replaceChildren(...children.filter((child) => child !== null && child !== undefined));
}

const number = (count) => count.toLocaleString("en");

const counted = (count, noun) => `${number(count)} ${noun}${count === 1 ? "" : "s"}`;

// A time as people read it, in their own zone; the exact one stays in the title.
function time(text) {
  const parsed = new Date(text);
  if (Number.isNaN(parsed.getTime())) return make("span", null, text);
  const shown = parsed.toISOString().replace("T", " ").replace(/(:\d\d)(\.\d+)?Z$/, "$1 UTC");
  return make("time", { datetime: text, title: parsed.toString() }, shown);
}

// Where the browser keeps something between visits; nothing is lost where it may not.
function remember(key, value) {
  try {
    localStorage.setItem(key, value);
  } catch {
    // Files and private windows may have no store.
  }
}

function recall(key) {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}
