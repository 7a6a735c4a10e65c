// A log that is followed: pause, search, wrap. Loaded by console.js where a log stands.

const LIMIT = 5000; // lines kept in the page; older ones are had by 'download'

export function mount(box) {
  const lines = box.querySelector("[data-lines]");
  const state = box.querySelector("[data-state]");
  const follow = box.querySelector("[data-follow]");
  const search = box.querySelector("[data-search]");
  const hits = box.querySelector("[data-hits]");
  const said = box.dataset;
  let following = true;
  let waiting = [];
  let sought = "";

  const say = (text) => { if (state.textContent !== text) state.textContent = text; };
  const bottom = () => { lines.scrollTop = lines.scrollHeight; };

  function mark(line) {
    const text = line.textContent;
    const low = text.toLowerCase();
    line.replaceChildren();
    let from = 0;
    let found = 0;
    for (let at = sought ? low.indexOf(sought) : -1; at >= 0; at = low.indexOf(sought, from)) {
      const hit = document.createElement("mark");
      hit.textContent = text.slice(at, at + sought.length);
      line.append(text.slice(from, at), hit);
      from = at + sought.length;
      found += 1;
    }
    line.append(text.slice(from));
    line.classList.toggle("is-hit", found > 0);
    return found;
  }

  function add(texts) {
    const batch = texts.map((text) => {
      const line = document.createElement("span");
      line.className = "l";
      line.textContent = `${text}\n`;
      if (sought) mark(line);
      return line;
    });
    lines.append(...batch);
    while (lines.childElementCount > LIMIT) lines.firstElementChild.remove();
    bottom();
  }

  function take(texts) {
    if (!following) {
      waiting = waiting.concat(texts).slice(-LIMIT);
      say(said.saidPaused.replace("{n}", waiting.length));
    } else add(texts);
  }

  function setFollowing(yes) {
    if (following === yes) return;
    following = yes;
    follow?.setAttribute("aria-pressed", String(yes));
    if (yes) { add(waiting); waiting = []; say(said.saidLive); } else say(said.saidPaused.replace("{n}", 0));
  }

  follow?.addEventListener("click", () => setFollowing(!following));
  lines.addEventListener("scroll", () => {
    const away = lines.scrollHeight - lines.scrollTop - lines.clientHeight;
    if (away > 60 && following && said.url) setFollowing(false);
    else if (away < 4 && !following) setFollowing(true);
  }, { passive: true });

  let timer;
  search.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      sought = search.value.trim().toLowerCase();
      const count = [...lines.children].reduce((sum, line) => sum + mark(line), 0);
      hits.textContent = sought ? said.saidHits.replace("{n}", count) : "";
      box.classList.toggle("is-filtered", Boolean(sought));
      if (!sought) bottom();
    }, 120);
  });
  box.querySelector("[data-wrap]").addEventListener("click", ({ currentTarget: button }) => {
    const wrapped = box.classList.toggle("is-wrapped");
    button.setAttribute("aria-pressed", String(wrapped));
  });

  bottom();
  if (said.url) (said.mode === "poll" ? poll : stream)();

  function stream() {
    let source;
    let last = ""; // the id of the last line, so that a new connection goes on after it
    const start = () => {
      const address = new URL(said.url, location);
      if (last) address.searchParams.set("after", last);
      source = new EventSource(address);
      source.onopen = () => following && say(said.saidLive);
      source.onmessage = ({ data, lastEventId }) => { last = lastEventId || last; take(data.split("\n")); };
      source.addEventListener("end", () => { source.close(); source = null; say(said.saidEnd); document.removeEventListener("visibilitychange", watch); });
      source.onerror = () => say(said.saidLost);
    };
    const watch = () => {
      if (!box.isConnected) return document.removeEventListener("visibilitychange", watch);
      if (document.hidden) { source?.close(); source = null; } else if (!source) start();
    };
    document.addEventListener("visibilitychange", watch);
    new MutationObserver((_, self) => { if (!box.isConnected) { source?.close(); self.disconnect(); } }).observe(document.body, { childList: true, subtree: true });
    start();
  }

  async function poll() {
    let next = "";
    let pause = 2000;
    while (box.isConnected) {
      if (!document.hidden) {
        try {
          const address = new URL(said.url, location);
          if (next) address.searchParams.set("after", next);
          const answer = await fetch(address, { headers: { "HX-Request": "true" } });
          if (!answer.ok) throw new Error(answer.status);
          const text = await answer.text();
          next = answer.headers.get("X-Next") ?? next;
          pause = 2000;
          if (text) take(text.replace(/\n$/, "").split("\n"));
          if (answer.status === 286) return say(said.saidEnd);
          if (following) say(said.saidLive);
        } catch {
          pause = Math.min(pause * 2, 30000);
          say(said.saidLost);
        }
      }
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }
}
