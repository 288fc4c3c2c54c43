// One event: copy buttons, and the way back.
import { announce, onKeys } from "./keys.js";

const SHOWN_MS = 1500;

async function copy(button) {
  const words = button.textContent;
  const target = document.getElementById(button.dataset.copy);
  try {
    await navigator.clipboard.writeText(target.textContent);
    button.textContent = "Copied";
  } catch {
    // No clipboard without https, but for localhost: select it, so that Ctrl-C does the rest.
    target.closest("details")?.setAttribute("open", "");
    getSelection().selectAllChildren(target);
    button.textContent = "Selected";
  }
  announce(button.textContent);
  setTimeout(() => (button.textContent = words), SHOWN_MS);
}

for (const button of document.querySelectorAll("[data-copy]")) {
  button.hidden = false;
  button.addEventListener("click", () => copy(button));
}

// Back to the list as it was, filters and place included, if that is where we come from.
const link = document.getElementById("back");
function isFromList() {
  if (!document.referrer) return false;
  const from = new URL(document.referrer);
  return from.origin === location.origin && from.pathname === "/" && history.length > 1;
}
function back(event) {
  if (!isFromList()) return;
  event.preventDefault();
  history.back();
}
link.addEventListener("click", back);
onKeys({ Escape: () => link.click() });
