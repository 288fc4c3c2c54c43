// A list, of events or logs: stays live without moving under the reader's eyes, and obeys the keyboard.
import { follow } from "./live.js";
import { announce, onKeys } from "./keys.js";

const SETTLE_MS = 120; // one refresh for a burst of arrivals

const region = document.getElementById("region");
const button = document.getElementById("fresh");
const search = document.getElementById("search");
const frozen = region.hasAttribute("data-frozen"); // an older page, or none: nothing is inserted here

let after = Number(region.dataset.after);
let waiting = []; // ids of arrivals that this page does not show yet
let timer = 0;
let refreshing = false;

const rows = () => Array.from(document.querySelectorAll("#rows > *"));
const focusable = (row) => (row.hasAttribute("tabindex") ? row : row.querySelector("a"));
const currentRow = () => document.activeElement.closest?.("#rows > *") ?? null;

// The reader is busy with the rows: what they look at must stay where it is.
function isBusy() {
  const body = document.getElementById("rows");
  if (body === null) return false;
  const reads = body.matches(":hover") || body.querySelector("details[open]") !== null;
  return window.scrollY > 40 || reads || currentRow() !== null;
}

function showButton() {
  const count = waiting.length;
  button.hidden = count === 0;
  const noun = region.dataset.noun;
  const text = count === 1 ? `1 new ${noun}` : `${count > 999 ? "999+" : count} new ${noun}s`;
  button.textContent = frozen ? `${text}: to the newest` : `Show ${text}`;
  if (count > 0) announce(text);
}

function settle() {
  if (timer !== 0) return; // not put off by each arrival: a burst without an end is shown as well
  timer = setTimeout(() => {
    timer = 0;
    if (frozen || isBusy()) showButton();
    else refresh();
  }, SETTLE_MS);
}

// The server renders the rows; known ones keep their element, and with it focus and hover.
function merge(fresh) {
  const known = new Map(rows().map((row) => [row.dataset.id, row]));
  const focused = document.activeElement;
  const body = document.getElementById("rows");
  const freshBody = fresh.querySelector("#rows");
  if (body && freshBody) {
    // Spread first: adopting a row takes it out of the live collection.
    const wanted = [...freshBody.children].map((row) => {
      if (!known.has(row.dataset.id)) row.classList.add("arrived");
      return known.get(row.dataset.id) ?? document.adoptNode(row);
    });
    body.replaceChildren(...wanted);
    region.querySelector(".pager").replaceWith(document.adoptNode(fresh.querySelector(".pager")));
  } else {
    for (const child of Array.from(region.children)) if (!child.contains(button)) child.remove();
    for (const child of Array.from(fresh.children)) {
      if (!child.querySelector("#fresh")) region.append(document.adoptNode(child));
    }
  }
  if (focused.isConnected) focused.focus({ preventScroll: true });
}

async function refresh() {
  if (refreshing) return;
  refreshing = true;
  try {
    const answer = await fetch(location.href, { cache: "no-store", credentials: "same-origin" });
    if (!answer.ok) throw new Error(String(answer.status));
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("region");
    merge(fresh);
    after = Number(fresh.dataset.after);
    waiting = waiting.filter((id) => id > after);
    showButton();
  } catch {
    showButton(); // the stream says by itself whether the server is there
  } finally {
    refreshing = false;
  }
  if (waiting.length > 0) settle();
}

function showNew() {
  if (waiting.length === 0) return;
  if (frozen) {
    location.assign(region.dataset.first);
    return;
  }
  window.scrollTo({ top: 0 });
  refresh();
}

button.addEventListener("click", showNew);

function move(step) {
  const all = rows();
  if (all.length === 0) return;
  const at = all.indexOf(currentRow());
  const next = at < 0 ? 0 : Math.min(all.length - 1, Math.max(0, at + step));
  focusable(all[next]).focus();
  all[next].scrollIntoView({ block: "nearest" });
}

onKeys({
  j: () => move(1),
  k: () => move(-1),
  n: showNew,
  "/": () => {
    search.focus();
    search.select();
  },
  Escape: () => {
    document.activeElement.blur();
    if (waiting.length > 0) settle();
  },
});

// Empty fields would only make the URL long.
document.getElementById("filters").addEventListener("submit", (event) => {
  for (const field of event.target.elements) if (field.name && !field.value) field.disabled = true;
});
window.addEventListener("pageshow", () => {
  for (const field of document.getElementById("filters").elements) field.disabled = false;
});

if (region.dataset.stream) {
  follow(region.dataset.stream, (id) => {
    if (id <= after) return;
    waiting.push(id);
    settle();
  });
}
