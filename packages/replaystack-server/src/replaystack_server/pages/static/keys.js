// Single keys, as long as nobody is typing.
const hints = document.getElementById("keys");
if (hints) hints.hidden = false;

const TYPING = "input, select, textarea, [contenteditable]";

// `actions`: key -> function. Escape also works while typing.
export function onKeys(actions) {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key !== "Escape" && event.target.closest?.(TYPING)) return;
    const action = Object.hasOwn(actions, event.key) ? actions[event.key] : null;
    if (action === null) return;
    event.preventDefault();
    action();
  });
}

// Says something to those who listen to the page.
export function announce(words) {
  document.getElementById("said").textContent = words;
}
