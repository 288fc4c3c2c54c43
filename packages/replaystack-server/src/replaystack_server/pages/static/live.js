// The event stream of this page, with a light that says how it is.
const indicator = document.getElementById("live");
const text = document.getElementById("live-text");

function tell(state, words) {
  indicator.hidden = false;
  indicator.dataset.state = state;
  text.textContent = words;
}

// Calls `onArrival(number)` for each event or log, in the order of arrival. Hidden tabs let go of their connection: browsers allow six
// to one server, and the stream goes on where it stopped.
export function follow(url, onArrival) {
  const address = new URL(url, location.href);
  let source = null;

  function arrived(event) {
    address.searchParams.set("after", event.lastEventId);
    // The place among events, or, with one of logs behind it (`0-a34`), that one.
    onArrival(Number(event.lastEventId.split(/-[ap]/).at(-1)));
  }

  function open() {
    if (source !== null) return;
    source = new EventSource(address);
    source.onopen = () => tell("on", "live");
    source.onerror = () => {
      const ended = source.readyState === EventSource.CLOSED;
      tell(ended ? "off" : "wait", ended ? "not live: reload the page" : "connecting again");
    };
    source.addEventListener("event.created", arrived);
    source.addEventListener("event.failed", arrived);
    source.addEventListener("log.created", arrived);
  }

  function close() {
    source?.close();
    source = null;
  }

  document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
  window.addEventListener("pagehide", close);
  window.addEventListener("pageshow", open);
  open();
}
