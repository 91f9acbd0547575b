// What people do.

let selected = null;

const THEMES = ["system", "light", "dark"];

function setTheme(theme) {
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  $("theme").textContent = `Theme: ${theme}`;
  $("theme").dataset.theme = theme;
}

function nextTheme() {
  const at = THEMES.indexOf($("theme").dataset.theme);
  const theme = THEMES[(at + 1) % THEMES.length];
  setTheme(theme);
  remember("terrace-theme", theme);
}

function openHelp() {
  if (!$("help").open) $("help").showModal();
}

function nextGroup() {
  const choices = [...$("group").options].map((option) => option.value);
  const next = choices[(choices.indexOf(view.group) + 1) % choices.length];
  $("group").value = next;
  regroup(next);
}

function regroup(group) {
  view.group = group;
  view.folded.clear();
  rebuild();
}

let waiting;

function search() {
  clearTimeout(waiting);
  waiting = setTimeout(searchNow, 90);
}

function searchNow() {
  clearTimeout(waiting);
  if (view.query === $("query").value) return;
  setQuery($("query").value);
  active = 0;
  items = [];
  // What is found must not lie under a folded head.
  if (view.terms.length > 0) view.folded.clear();
  rebuild();
  // The first change, not the head above it.
  active = Math.max(0, items.findIndex((item) => item.kind === "change"));
  if ($("controls").getBoundingClientRect().top <= 0) scrollTo(0);
  render();
}

function inSearch(event) {
  if (event.key === "Escape") {
    event.preventDefault();
    if ($("query").value === "") {
      $("query").blur();
      return;
    }
    $("query").value = "";
    searchNow();
  } else if (event.key === "Enter" || event.key === "ArrowDown") {
    event.preventDefault();
    searchNow();
    focusActive();
  }
}

// The row that the focus is in.
function current() {
  return list.contains(document.activeElement) ? items[active] : undefined;
}

function foldCurrent(item, toOpen) {
  if (item.kind === "group") {
    if (item.isFolded === toOpen) fold(item.key);
    return;
  }
  if (view.open.has(item.id) !== toOpen) toggle(item.change);
}

function readCurrent(item) {
  if (!item || item.kind !== "change") return;
  const isRead = view.read.has(item.id);
  view.open.delete(item.id);
  markRead(item.change);
  if (isRead) focusActive();
  else move(1);
}

const KEYS = {
  "/": () => {
    selectTab("changes");
    $("query").focus();
    $("query").select();
  },
  "?": openHelp,
  j: () => move(1),
  k: () => move(-1),
  r: () => readCurrent(current()),
  g: nextGroup,
  t: nextTheme,
  1: () => goToTab("changes"),
  2: () => goToTab("outputs"),
  3: () => goToTab("drift"),
  4: () => goToTab("graph"),
};

const LIST_KEYS = {
  ArrowDown: () => move(1),
  ArrowUp: () => move(-1),
  ArrowRight: (item) => foldCurrent(item, true),
  ArrowLeft: (item) => foldCurrent(item, false),
  Home: () => move(-items.length),
  End: () => move(items.length),
};

function goToTab(name) {
  selectTab(name);
  $(`tab-${name}`).focus();
}

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || $("help").open) return;
  const target = event.target;
  if (target === $("query")) {
    inSearch(event);
    return;
  }
  if (target instanceof HTMLSelectElement) return;
  const item = current();
  if (event.key === "Escape" && item) {
    event.preventDefault();
    if (item.kind === "change" && view.open.has(item.id)) foldCurrent(item, false);
    focusActive();
    return;
  }
  // Within what is unfolded, arrows scroll.
  const onRow = item && main(elements.get(item.id)) === document.activeElement;
  const isTyped = Object.hasOwn(KEYS, event.key);
  const act = isTyped ? KEYS[event.key] : onRow && Object.hasOwn(LIST_KEYS, event.key) ? LIST_KEYS[event.key] : null;
  if (!act) return;
  if (isTyped && "jkrg".includes(event.key) && $("panel-changes").hidden) return;
  event.preventDefault();
  act(item);
}

function onTabKey(event) {
  const at = TABS.findIndex((name) => $(`tab-${name}`) === event.target);
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (at < 0 || !step) return;
  event.preventDefault();
  goToTab(TABS[(at + step + TABS.length) % TABS.length]);
}

// Focus by pointer or by Tab makes a row the active one.
function onFocus(event) {
  const element = event.target.closest("li");
  for (const [id, found] of elements) {
    if (found !== element) continue;
    const was = items[active] && elements.get(items[active].id);
    if (was) main(was).tabIndex = -1;
    active = places.get(id);
    main(found).tabIndex = 0;
    return;
  }
}

let isDue = false;

function onScroll() {
  if (isDue) return;
  isDue = true;
  requestAnimationFrame(() => {
    isDue = false;
    if (!$("panel-changes").hidden) render();
  });
}

function start() {
  setTheme(THEMES.includes(recall("terrace-theme")) ? recall("terrace-theme") : "system");
  header();
  gate();
  policies();
  $("count-changes").textContent = number(changes.length);
  filters();
  outputs();
  drift();
  if ($("gate").hidden && $("policies").hidden) {
    $("aside").hidden = true;
    document.body.classList.add("alone");
  }
  rebuild();
  $("query").addEventListener("input", search);
  $("group").addEventListener("change", () => regroup($("group").value));
  $("fold").addEventListener("click", () => {
    if (view.folded.size > 0) view.folded.clear();
    else view.groups.forEach((key) => view.folded.add(key));
    rebuild();
  });
  $("unread").addEventListener("click", () => {
    view.unread = !view.unread;
    rebuild();
  });
  $("theme").addEventListener("click", nextTheme);
  $("help-open").addEventListener("click", openHelp);
  for (const tab of TABS) $(`tab-${tab}`).addEventListener("click", () => selectTab(tab));
  $("tabs").addEventListener("keydown", onTabKey);
  list.addEventListener("focusin", onFocus);
  document.addEventListener("keydown", onKey);
  window.addEventListener("scroll", onScroll, { passive: true });
  window.addEventListener("resize", () => {
    layout();
    onScroll();
  });
  window.addEventListener("beforeprint", () => {
    isPrinting = true;
    render();
  });
  window.addEventListener("afterprint", () => {
    isPrinting = false;
    render();
  });
  performance.mark("terrace-shown");
  prepare();
}

start();
