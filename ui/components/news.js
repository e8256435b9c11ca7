// Shows how far something is, and asks the server for news of it. Streamlit calls the default function at mount and
// whenever news.py sends other data, always with the same parent element. What charts and tables show by now is passed
// on to them in an event of the window.

const watches = new WeakMap(); // parent element -> what is known there
const PATIENCE = 5000; // milliseconds until the page is asked once more to draw itself anew

export default function ({ data, parentElement, setTriggerValue }) {
  if (!watches.has(parentElement)) watches.set(parentElement, { calls: 0, timer: null, askedAt: -PATIENCE });
  const watch = watches.get(parentElement);
  if (watch.drawn !== data.version) watch.askedAt = -PATIENCE; // the page has answered
  watch.drawn = data.version;
  watch.data = data;
  watch.parent = parentElement;
  watch.askForPage = (version) => setTriggerValue("news", version);
  const wasUrgent = watch.isUrgent;
  show(watch, data);
  const call = ++watch.calls;
  if (call === 1) {
    watch.onShown = () => !document.hidden && look(watch);
    document.addEventListener("visibilitychange", watch.onShown);
  }
  if (call === 1 || (watch.isUrgent && !wasUrgent)) wait(watch);

  // Streamlit also runs the clean-up of a call that a newer one overtook; only the newest ends the asking.
  return () => {
    if (call !== watch.calls) return;
    clearTimeout(watch.timer);
    document.removeEventListener("visibilitychange", watch.onShown);
    watches.delete(parentElement);
    watch.isGone = true;
  };
}

function show(watch, news, askedAt) {
  watch.tag = news.tag;
  watch.version = news.version;
  watch.edition = news.edition;
  watch.isUrgent = news.is_urgent;
  const { contents } = news;
  if (contents) window.dispatchEvent(new CustomEvent("dropout-lab:contents", { detail: { contents, askedAt } }));
  const percent = Math.round(100 * news.share);
  watch.parent.querySelector(".text").textContent = news.text;
  const track = watch.parent.querySelector(".track");
  watch.parent.querySelector(".text").hidden = track.hidden = watch.data.is_quiet;
  track.setAttribute("aria-valuenow", percent);
  track.setAttribute("aria-label", news.text);
  track.firstElementChild.style.width = `${100 * news.share}%`;
}

function wait(watch) {
  clearTimeout(watch.timer);
  const seconds = watch.isUrgent ? watch.data.urgent_seconds : watch.data.seconds;
  if (!watch.isGone) watch.timer = setTimeout(() => look(watch), 1000 * seconds);
}

async function look(watch) {
  clearTimeout(watch.timer);
  if (document.hidden) return; // nobody looks on; `onShown` goes on
  try {
    const known = new URLSearchParams({ since: watch.tag, edition: watch.edition });
    const { calls } = watch;
    const askedAt = performance.now();
    const response = await fetch(`${watch.data.url}?${known}`, { cache: "no-store" });
    const news = response.status === 200 ? await response.json() : null;
    if (watch.isGone) return;
    // Where the page was drawn meanwhile, an answer may be older than what it shows; the next one tells it again.
    if (news && calls === watch.calls) show(watch, news, askedAt);
    // A server that started anew does not know this page; drawing it once more tells it.
    if (response.status === 404) watch.version = "unknown";
    if (watch.version !== watch.drawn && performance.now() - watch.askedAt >= PATIENCE) {
      watch.askedAt = performance.now();
      watch.askForPage(watch.version);
    }
  } catch {
    // The connection is down, which Streamlit itself tells the visitor.
  }
  wait(watch);
}
