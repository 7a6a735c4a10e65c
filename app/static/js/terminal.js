// A terminal on a WebSocket. Loaded by console.js where a terminal stands, and xterm only then.

// xterm writes its rules into <style> elements, which the Content-Security-Policy refuses;
// the same rules go into constructed style sheets instead, which it allows.
function withoutStyleElements(act) {
  const make = document.createElement.bind(document);
  document.createElement = (name, options) => {
    if (name !== "style") return make(name, options);
    const node = make("template"); // stands where the <style> would, and holds nothing
    const sheet = new CSSStyleSheet();
    document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
    const write = (text) => sheet.replaceSync(text);
    Object.defineProperty(node, "textContent", { set: write, get: () => "" });
    Object.defineProperty(node, "innerHTML", { set: write, get: () => "" });
    Object.defineProperty(node, "sheet", { get: () => sheet });
    node.remove = () => {
      document.adoptedStyleSheets = document.adoptedStyleSheets.filter((other) => other !== sheet);
      HTMLElement.prototype.remove.call(node);
    };
    return node;
  };
  try {
    return act();
  } finally {
    delete document.createElement;
  }
}

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

export async function mount(box) {
  const said = box.dataset;
  const state = box.querySelector("[data-state]");
  const again = box.querySelector("[data-again]");
  const host = box.querySelector("[data-host]");
  const style = document.createElement("link");
  style.rel = "stylesheet";
  style.href = said.css;
  const styled = new Promise((resolve) => { style.onload = resolve; style.onerror = resolve; });
  document.head.append(style);
  const [{ Terminal }, { FitAddon }] = await Promise.all([import(said.xterm), import(said.fit), styled]);

  const terminal = new Terminal({
    fontFamily: colour("--mono"), fontSize: 13, rows: Number(said.rows), cursorBlink: false, scrollback: 5000, screenReaderMode: false,
    theme: { background: colour("--gray-11"), foreground: colour("--gray-3"), cursor: colour("--yellow-5"), selectionBackground: colour("--indigo-9") },
  });
  const fit = new FitAddon();
  terminal.loadAddon(fit);
  withoutStyleElements(() => { terminal.open(host); });
  host.querySelector("textarea")?.setAttribute("aria-label", said.title);
  const size = () => { if (box.isConnected) fit.fit(); };
  host.style.height = `${Number(said.rows) * 17 + 16}px`;
  new ResizeObserver(size).observe(host);
  size();

  let socket;
  const send = (message) => { if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message)); };
  terminal.onData((data) => send({ type: "input", data }));
  terminal.onResize(({ cols, rows }) => send({ type: "resize", cols, rows }));

  if (said.text) terminal.write(said.text.replace(/\r?\n/g, "\r\n"));

  function connect() {
    if (!said.url) { state.textContent = said.saidShut; return; }
    const address = new URL(said.url, location);
    address.protocol = address.protocol.replace("http", "ws");
    state.textContent = said.saidWait;
    if (again) again.hidden = true;
    socket = new WebSocket(address);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => { state.textContent = said.saidOpen; send({ type: "resize", cols: terminal.cols, rows: terminal.rows }); terminal.focus(); };
    socket.onmessage = ({ data }) => terminal.write(typeof data === "string" ? data : new Uint8Array(data));
    socket.onclose = ({ reason }) => {
      state.textContent = reason ? `${said.saidShut}: ${reason}` : said.saidShut;
      if (again) again.hidden = false;
    };
  }

  again?.addEventListener("click", () => { terminal.reset(); connect(); });
  box.querySelector("[data-full]").addEventListener("click", () => {
    const full = box.classList.toggle("is-full");
    host.style.height = full ? "" : `${Number(said.rows) * 17 + 16}px`;
    size();
    terminal.focus();
  });
  box.terminal = terminal;
  connect();
}
