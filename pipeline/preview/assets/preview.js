/* Makes the preview live: when something was saved, the parts of the page that changed are exchanged in place.
   Without this file everything still works, by links and forms. */

"use strict";

const root = document.documentElement;
/** Panel id -> its HTML as the server sent it, before anything here touched it. */
const sent = new Map();
/** Counts exchanges, so that a slow answer does not undo a newer one. */
let turn = 0;

const panels = (page) => [...page.querySelectorAll("[data-panel]")];
const byId = (id) => document.getElementById(id);

// --- exchanging ---------------------------------------------------------------

/** Ask for the page at an address again, and show what is new in it. */
async function refresh(address, { quiet = true } = {}) {
  const mine = ++turn, query = new URL(address, location.href).search;
  prepare(`/frame${query}`);
  const answer = await fetch(`/state${query}`, { cache: "no-store" });
  const text = await answer.text();
  if (mine === turn) await show(answer.ok, text, quiet);
}

/** Exchange the page for a newly made one; `quiet` leaves the last action's result where it is. */
async function show(good, text, quiet) {
  if (!good) {
    byId("notice").textContent = text.trim().slice(0, 300);
    return;
  }
  const page = new DOMParser().parseFromString(text, "text/html");
  const notice = page.getElementById("notice").textContent;
  if (notice || !quiet) byId("notice").textContent = notice;
  document.title = page.title;
  const place = [scrollX, scrollY];
  const ids = (all) => panels(all).map((panel) => panel.id + panel.className).join(" ").replace(/ stale\b/, "");
  if (ids(page) !== ids(document)) {
    // Something appeared or went, like the first post of an issue: then the middle is another one altogether.
    const middle = page.getElementById("middle");
    byId("middle").replaceWith(document.importNode(middle, true));
    panels(byId("middle")).forEach(note);
    begin(byId("frame"));
  }
  for (const fresh of panels(page)) if (fresh.id !== "stage") exchange(byId(fresh.id), fresh);
  addCopyButtons();
  scrollTo(...place);
  if (await exchangeFrame(page.getElementById("stage"))) root.dataset.version = page.documentElement.dataset.version;
}

/** Exchange what is in one panel; what is open, typed or focused in it stays so. */
function exchange(old, fresh) {
  if (sent.get(old.id) === fresh.innerHTML) return;
  note(fresh);
  const open = [...old.querySelectorAll("details[open][id]")].map((details) => details.id);
  const typed = [...old.querySelectorAll("input[id]")].map(({ id, value, defaultValue }) => [id, value, defaultValue]);
  const focused = old.contains(document.activeElement) ? document.activeElement : null;
  const name = focused && nameOf(focused);
  const top = old.scrollTop;
  old.replaceChildren(...document.importNode(fresh, true).childNodes);
  for (const id of open) byId(id)?.setAttribute("open", "");
  for (const [id, value, before] of typed) if (value !== before && byId(id)) byId(id).value = value;
  old.scrollTop = top;
  if (name) focusable(old).find((element) => nameOf(element) === name)?.focus({ preventScroll: true });
}

const focusable = (panel) => [...panel.querySelectorAll("a[href], button, input:not([type=hidden]), summary")];
const nameOf = (element) => element.id || element.dataset.key || element.tagName + element.textContent.trim();
const note = (panel) => sent.set(panel.id, panel.innerHTML);

// --- the frame ----------------------------------------------------------------

/** Begin to load a document beside the one that is shown, while the page around it is still on its way. */
function prepare(address) {
  const old = byId("frame");
  if (!old) return null;
  for (const waiting of document.querySelectorAll(".frame.next")) {
    waiting.remove();
    waiting.done();
  }
  const fresh = old.cloneNode();
  fresh.removeAttribute("id");
  fresh.removeAttribute("style");
  fresh.className = "frame next";
  fresh.src = address;
  fresh.loaded = new Promise((done) => {
    fresh.done = done;
    fresh.addEventListener("load", done, { once: true });
  });
  old.parentElement.append(fresh);
  return fresh;
}

/** Show the frame's new document when it is there: nothing flickers or jumps. False if a newer one took its place. */
async function exchangeFrame(stage) {
  const made = stage?.querySelector("iframe"), wanted = made?.getAttribute("src");
  if (!byId("frame") || !made) return true;
  const waiting = document.querySelector(".frame.next");
  const fresh = waiting?.getAttribute("src") === wanted ? waiting : prepare(wanted);
  await fresh.loaded;
  const old = byId("frame"), home = byId("stage"), box = fresh.parentElement;
  if (!fresh.isConnected) return false;
  // Where the page stands now: somebody may have scrolled while the frame was on its way.
  const place = [scrollX, scrollY], inside = old.contentWindow?.scrollY ?? 0;
  home.className = stage.className;
  box.dataset.width = made.parentElement.dataset.width;
  old.remove();
  Object.assign(fresh, { id: "frame", className: "frame", title: made.title });
  for (const line of home.querySelectorAll(":scope > p")) line.remove();
  for (const line of stage.querySelectorAll(":scope > p")) {
    const copy = document.importNode(line, true);
    if (line.classList.contains("label")) box.before(copy);
    else box.after(copy);
  }
  fit(fresh);
  fresh.contentWindow?.scrollTo(0, inside);
  scrollTo(...place);
  return true;
}

/** Make the frame as high as what is in it, now and when that grows, so that the page is all there is to scroll. */
function fit(frame) {
  const page = frame.contentDocument?.documentElement;
  if (!page) return;
  const measure = () => {
    const height = Math.ceil(page.getBoundingClientRect().height);
    if (height > 40) frame.style.height = `${height}px`;
  };
  measure();
  new ResizeObserver(measure).observe(page);
}

function begin(frame) {
  if (!frame) return;
  frame.addEventListener("load", () => fit(frame), { once: true });
  if (frame.contentDocument?.readyState === "complete" && frame.contentDocument.URL !== "about:blank") fit(frame);
}

// --- what a person does ---------------------------------------------------------

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-swap]");
  const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
  if (link && plain) {
    event.preventDefault();
    history.pushState(null, "", link.href);
    refresh(link.href, { quiet: false });
  }
  for (const act of document.querySelectorAll(".act[open]")) if (!act.contains(event.target)) act.open = false;
});

document.addEventListener("keydown", (event) => {
  const act = event.key === "Escape" && document.querySelector(".act[open]");
  if (act) {
    act.open = false;
    act.querySelector("summary").focus();
  }
});

document.addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.target, key = document.activeElement?.dataset.key;
  if (posting) return;
  posting = true;
  try {
    const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) });
    const text = await answer.text();
    // What was typed has served; a refusal leaves it where it is.
    if (answer.ok) for (const act of document.querySelectorAll(".act[open]")) act.open = false;
    posting = false;
    turn++;
    await show(answer.ok, text, false);
    if (key) refocus(key);
  } catch {
    posting = false;
    lost();
  }
  if (heard !== root.dataset.version) follow();
});

/** After a move the same button has the focus again, or, at the end of the list, its twin. */
function refocus(key) {
  const twin = key.replace(/^(up|down) /, (_, move) => (move === "up" ? "down " : "up "));
  const buttons = [...document.querySelectorAll("[data-key]")];
  const found = [key, twin].map((each) => buttons.find((button) => button.dataset.key === each)).find(Boolean);
  found?.focus({ preventScroll: true });
}

addEventListener("popstate", () => refresh(location.href, { quiet: false }));

function addCopyButtons() {
  for (const line of document.querySelectorAll("[data-copy]:not(:has(button))")) {
    const button = document.createElement("button");
    Object.assign(button, { type: "button", className: "copy", textContent: "Copy" });
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(line.querySelector("code").textContent);
      button.textContent = "Copied";
      setTimeout(() => (button.textContent = "Copy"), 2000);
    });
    line.append(button);
  }
}

// --- what the server tells --------------------------------------------------------

let heard = "", gone = false, warned = 0;
/** A form is under way: its answer shows what the server tells meanwhile. */
let posting = false;
/** A state is being shown; another one came meanwhile. */
let following = false, more = false;

function listen() {
  const events = new EventSource("/events");
  events.addEventListener("message", ({ data }) => {
    clearTimeout(warned);
    byId("connection").textContent = "";
    // A past issue has a version of its own; only a change says something about it.
    const first = heard === "" && new URLSearchParams(location.search).has("issue");
    const news = gone || (data !== heard && data !== root.dataset.version && !first);
    heard = data;
    gone = false;
    if (news && !posting) follow();
  });
  events.addEventListener("error", () => {
    lost();
    if (events.readyState === EventSource.CLOSED) setTimeout(listen, 2000);
  });
  // A page that is being left hears nothing more, and says nothing of it.
  addEventListener("pagehide", () => events.close(), { once: true });
}

/** Show one state after the other: a save comes as two, before and after it is checked, and both are seen. */
async function follow() {
  more = true;
  if (following) return;
  following = true;
  while (more) {
    more = false;
    await refresh(location.href).catch(lost);
  }
  following = false;
}

function lost() {
  gone = true;
  clearTimeout(warned);
  warned = setTimeout(() => {
    byId("connection").textContent =
      "The preview does not answer any more, so this page may be old. Is “newsletter preview” still running? Trying again.";
  }, 1000);
}

panels(document).forEach(note);
new ResizeObserver(([{ target }]) => root.style.setProperty("--top", `${target.offsetHeight}px`)).observe(byId("top"));
addCopyButtons();
begin(byId("frame"));
// The result of an action belongs to this page once; a reload should not say it again.
const here = new URL(location.href);
if (here.searchParams.has("said")) {
  here.searchParams.delete("said");
  history.replaceState(null, "", here);
}
listen();
