// The console's one script: what HTML and HTMX cannot do by themselves. No framework, no build step.
// Each behaviour hangs on a data- attribute that a macro in templates/components writes.

const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
const words = $("#console-words")?.dataset ?? {};
const fill = (text, values) => (text ?? "").replace(/\{(\w+)\}/g, (all, key) => values[key] ?? all);
const typing = (node) => node.closest?.("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable], .xterm");
const on = (type, selector, act) =>
  document.addEventListener(type, (event) => {
    const found = event.target.closest?.(selector);
    if (found) act(found, event);
  });

const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
if (zone) document.cookie = `antstack-zone=${zone}; path=/; max-age=31536000; samesite=lax`;

// --- toasts -------------------------------------------------------------------------------------
const toasts = $("#toasts");
const icons = { success: "circle-check", error: "circle-alert", warning: "triangle-alert" };

function showToasts() {
  if (!toasts?.showPopover) return;
  if (toasts.matches(":popover-open")) toasts.hidePopover(); // on top of a dialog opened meanwhile
  toasts.showPopover();
}

function leave(toast, after) {
  const timer = setTimeout(() => toast.remove(), after);
  toast.addEventListener("pointerenter", () => clearTimeout(timer), { once: true });
  toast.addEventListener("focusin", () => clearTimeout(timer), { once: true });
}

export function toast(text, kind = "info") {
  if ($$("[data-toast] p").some((shown) => shown.textContent === text)) return;
  const node = $("#toast-template").content.firstElementChild.cloneNode(true);
  node.classList.add(`toast-${kind}`);
  $("p", node).textContent = text;
  $("use", node).setAttribute("href", `${words.sprite}#${icons[kind] ?? "info"}`);
  $(".toasts-list").append(node);
  while ($$("[data-toast]").length > 4) $("[data-toast]").remove();
  if (kind !== "error") leave(node, 6000);
  showToasts();
}

document.addEventListener("toast", ({ detail }) => toast(detail.text ?? detail.value, detail.kind));
on("click", "[data-toast-close]", (button) => button.closest("[data-toast]").remove());
if ($("[data-toast]")) {
  showToasts();
  $$("[data-toast]:not(.toast-error)").forEach((node) => leave(node, 8000));
}

// --- dialog, drawer -----------------------------------------------------------------------------
const returnTo = new Map();

function open(dialog) {
  if (dialog.open) return;
  returnTo.set(dialog, document.activeElement);
  dialog.showModal();
  const first = $("[autofocus], [data-autofocus], .dialog-body :is(input:not([type=hidden]), select, textarea), [data-type-name]", dialog) ?? $("h2", dialog);
  first?.focus();
}

document.addEventListener("close", ({ target: dialog }) => {
  if (dialog.matches("#dialog, #drawer")) dialog.replaceChildren();
  const before = returnTo.get(dialog);
  returnTo.delete(dialog);
  if (before?.isConnected) before.focus();
}, true);
document.addEventListener("htmx:afterSwap", ({ detail }) => {
  const host = detail.target?.closest?.("#dialog, #drawer");
  if (host && host.childElementCount) {
    open(host);
    $("[data-autofocus]", host)?.focus();
  }
});
document.addEventListener("close-dialog", () => $$("dialog[open]").forEach((dialog) => dialog.close()));
on("click", "[data-close]", (button) => { const dialog = button.closest("dialog"); dialog ? dialog.close() : history.back(); });
on("click", "[data-back]", (link, event) => { if (history.length > 1) { event.preventDefault(); history.back(); } });
document.addEventListener("pointerdown", ({ target }) => { if (target.matches("dialog.host-drawer, dialog.palette, #keys")) target.close(); });

on("input", "[data-type-name]", (input) => {
  const submit = $("[data-needs-name]", input.form);
  submit.setAttribute("aria-disabled", String(input.value !== input.dataset.typeName));
});

// --- asking before a write ----------------------------------------------------------------------
const asked = new WeakSet();

function ask(source) {
  const dialog = $("#confirm");
  $("[data-confirm-text]", dialog).textContent = source.dataset.confirm;
  const yes = $("[data-confirm-yes]", dialog);
  yes.textContent = source.dataset.confirmAction || words.confirm;
  yes.className = "confirmDanger" in source.dataset ? "btn btn-danger" : "btn btn-primary";
  dialog.returnValue = "no";
  open(dialog);
  return new Promise((resolve) => dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true }));
}

document.addEventListener("submit", (event) => {
  const source = event.submitter?.closest("[data-confirm]") ?? event.target.closest("[data-confirm]");
  if (!source || asked.delete(source)) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  const { target: form, submitter } = event;
  ask(source).then((yes) => {
    if (!yes) return;
    asked.add(source);
    form.requestSubmit(submitter ?? undefined);
  });
}, true);
document.addEventListener("htmx:confirm", (event) => {
  const source = event.target.closest?.("[data-confirm]");
  if (!source || event.target.matches("form") || source.matches("form")) return;
  event.preventDefault();
  ask(source).then((yes) => yes && event.detail.issueRequest(true));
});
document.addEventListener("click", (event) => {
  if (!event.target.closest?.("[aria-disabled=true]")) return;
  event.preventDefault();
  event.stopImmediatePropagation();
}, true);

// --- what HTMX says when the server does not --------------------------------------------------------
let offline = false;
document.addEventListener("htmx:responseError", ({ detail: { xhr } }) => {
  if (!/"toast"/.test(xhr.getResponseHeader("HX-Trigger") ?? "")) toast(fill(words.failed, { status: xhr.status }), "error");
});
document.addEventListener("htmx:sendError", () => { if (!offline) toast(words.offline, "warning"); offline = true; });
document.addEventListener("htmx:afterRequest", ({ detail }) => { if (offline && detail.successful) { offline = false; toast(words.online, "success"); } });
document.addEventListener("htmx:afterSwap", () => { mount(); tend(); });

// --- polling: only while visible, slower after errors, never under the pointer -----------------------
const polls = new WeakMap();

function busy(node) {
  const list = node.dataset.merge && document.getElementById(node.dataset.merge);
  if (list) return Boolean($("[popover]:popover-open", list));
  return Boolean($("[popover]:popover-open", node) || $(":is(a, button, input, select, textarea):hover", node));
}

function polled(node, state, successful, stop) {
  state.flying = false;
  state.slow = successful ? 1 : Math.min(state.slow * 2, 16);
  state.due = Date.now() + node.dataset.poll * 1000 * state.slow;
  if (stop) state.stopped = true;
}

// A list is not swapped but merged, so it is fetched here: HTMX would take its search field away.
async function pollList(node, state) {
  try {
    const answer = await fetch(node.dataset.url, { headers: { "HX-Request": "true", "HX-Target": node.dataset.merge } });
    const list = document.getElementById(node.dataset.merge);
    if (answer.ok && list && node.isConnected) merge(list, await answer.text());
    polled(node, state, answer.ok, answer.status === 286);
  } catch {
    polled(node, state, false, false);
  }
}

setInterval(() => {
  if (document.hidden) return;
  const now = Date.now();
  for (const node of $$("[data-poll]")) {
    const state = polls.get(node) ?? { due: now + node.dataset.poll * 1000, slow: 1 };
    polls.set(node, state);
    if (state.stopped || state.flying || now < state.due || busy(node)) continue;
    state.flying = true;
    state.due = now + node.dataset.poll * 1000 * state.slow;
    if (node.dataset.merge) pollList(node, state);
    else node.dispatchEvent(new CustomEvent("poll"));
  }
}, 250);
document.addEventListener("htmx:afterRequest", ({ target, detail }) => {
  const state = polls.get(target);
  if (state) polled(target, state, detail.successful, detail.xhr?.status === 286);
});
document.addEventListener("visibilitychange", () => { if (!document.hidden) $$("[data-poll]").forEach((node) => { const state = polls.get(node); if (state) state.due = 0; }); });

// A polled list: cells change where they are, new rows wait behind 'N new', gone ones are struck through.
function merge(list, html) {
  const fresh = $(`#${CSS.escape(list.id)}`, new DOMParser().parseFromString(html, "text/html"));
  if (!fresh) return;
  const known = new Map($$("tr[data-id]", list).map((row) => [row.dataset.id, row]));
  let added = 0;
  for (const row of $$("tr[data-id]", fresh)) {
    const old = known.get(row.dataset.id);
    known.delete(row.dataset.id);
    if (!old) added += 1;
    else if (old.children.length === row.children.length) {
      [...row.children].forEach((cell, index) => {
        const place = old.children[index];
        if (cell.matches(".col-tick, .col-actions") || place.contains(document.activeElement) || place.innerHTML === cell.innerHTML) return;
        place.innerHTML = cell.innerHTML;
        window.htmx.process(place);
      });
    }
  }
  known.forEach((row) => row.classList.add("is-gone"));
  const more = $("[data-new]", list);
  const count = Math.max(added, Number($("[data-new-count]", fresh)?.textContent) || 0);
  if (more) { more.hidden = !count; $("[data-new-count]", more).textContent = count; }
  const total = $(".list-count", list);
  const now = $(".list-count", fresh)?.textContent;
  if (total && now && total.textContent !== now) total.textContent = now;
}

// --- lists: ticks, bulk bar, keys ---------------------------------------------------------------------
function bulk(list) {
  const bar = $(".bulk", list);
  if (!bar) return;
  const ticks = $$("[data-tick]", list);
  const chosen = ticks.filter((tick) => tick.checked);
  const every = $("[data-tick-all]", list);
  every.checked = chosen.length > 0 && chosen.length === ticks.length;
  every.indeterminate = chosen.length > 0 && chosen.length < ticks.length;
  const all = $("[data-bulk-all]", bar);
  if (!every.checked) bar.elements.all.value = "";
  if (all) all.hidden = !every.checked || bar.elements.all.value === "1";
  $("[data-bulk-count]", bar).textContent = bar.elements.all.value === "1" ? all.dataset.total : chosen.length;
  bar.hidden = chosen.length === 0;
}

let lastTick = null;
on("click", "[data-tick]", (tick, event) => {
  const list = tick.closest("[data-list]");
  const ticks = $$("[data-tick]", list);
  if (event.shiftKey && lastTick && ticks.includes(lastTick)) {
    const [a, b] = [ticks.indexOf(lastTick), ticks.indexOf(tick)].sort((x, y) => x - y);
    ticks.slice(a, b + 1).forEach((other) => { other.checked = tick.checked; });
  }
  lastTick = tick;
  bulk(list);
});
on("change", "[data-tick-all]", (every) => {
  const list = every.closest("[data-list]");
  $$("[data-tick]", list).forEach((tick) => { tick.checked = every.checked; });
  bulk(list);
});
on("click", "[data-bulk-all]", (button) => { button.form.elements.all.value = "1"; bulk(button.closest("[data-list]")); });
on("click", "[data-bulk-clear]", (button) => {
  const list = button.closest("[data-list]");
  $$("[data-tick]", list).forEach((tick) => { tick.checked = false; });
  bulk(list);
  $("[data-row]", list)?.focus();
});

function step(by) {
  const rows = $$("[data-row]");
  if (!rows.length) return;
  const at = rows.indexOf(document.activeElement?.closest("[data-row]"));
  const next = rows[at < 0 ? 0 : Math.max(0, Math.min(rows.length - 1, at + by))];
  rows.forEach((row) => { row.tabIndex = row === next ? 0 : -1; });
  next.focus();
  next.scrollIntoView({ block: "nearest" });
}

// --- keys ------------------------------------------------------------------------------------------------
document.addEventListener("keydown", (event) => {
  const { key, target } = event;
  if ((event.ctrlKey || event.metaKey) && key.toLowerCase() === "k") {
    event.preventDefault();
    return palette();
  }
  if (event.ctrlKey || event.metaKey || event.altKey || typing(target) || $("dialog[open]")) return;
  const row = target.closest?.("[data-row]");
  const acts = {
    "/": () => $("[data-filter]")?.focus(),
    "?": () => $("#keys") && open($("#keys")),
    j: () => step(1),
    k: () => step(-1),
    x: () => row && $("[data-tick]", row)?.click(),
    ".": () => row && ($(".col-actions [popovertarget]", row) ?? $(".col-actions :is(button, a)", row))?.click(),
    y: () => ($("[data-views] [role=tab][aria-selected=false]") ?? $("[data-yaml]"))?.click(),
    n: () => $(".page-actions .btn-primary")?.click(),
    "[": () => $("[data-nav-fold]")?.click(),
  };
  if (key === "Enter" && row === target) return row.querySelector(".is-first a")?.click();
  if (acts[key]) { event.preventDefault(); acts[key](); }
});
on("click", "[data-keys-open]", () => { $("#user-menu")?.hidePopover(); open($("#keys")); });

// --- palette -----------------------------------------------------------------------------------------------
function palette() {
  const dialog = $("#palette");
  if (!dialog || dialog.open) return;
  $$("dialog[open]").forEach((other) => other.close());
  open(dialog);
  const input = $("input", dialog);
  input.select();
  input.focus();
  input.dispatchEvent(new CustomEvent("palette"));
}

function pick(items, index) {
  const input = $("#palette input");
  items.forEach((item, at) => item.setAttribute("aria-selected", String(at === index)));
  if (items[index]) {
    items[index].scrollIntoView({ block: "nearest" });
    input.setAttribute("aria-activedescendant", items[index].id);
  } else input.removeAttribute("aria-activedescendant");
}

on("click", "[data-palette-open]", palette);
on("keydown", "#palette input", (input, event) => {
  const items = $$("#palette-list a");
  const at = items.findIndex((item) => item.getAttribute("aria-selected") === "true");
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    pick(items, (at + (event.key === "ArrowDown" ? 1 : -1) + items.length) % items.length);
  } else if (event.key === "Enter") {
    event.preventDefault();
    (items[at] ?? items[0])?.click();
  }
});
document.addEventListener("htmx:afterSwap", ({ detail }) => { if (detail.target?.id === "palette-list") pick($$("#palette-list a"), 0); });

// --- menus and tooltips stand where there is room -------------------------------------------------------------
function place(node, anchor, gap = 4) {
  const a = anchor.getBoundingClientRect();
  const { width, height } = node.getBoundingClientRect();
  const below = a.bottom + gap + height <= innerHeight - 8 || a.top < innerHeight - a.bottom;
  const left = a.left + width > innerWidth - 8 ? a.right - width : a.left;
  node.style.left = `${Math.max(8, Math.min(left, innerWidth - width - 8))}px`;
  node.style.top = `${Math.max(8, below ? a.bottom + gap : a.top - height - gap)}px`;
}

document.addEventListener("toggle", (event) => {
  const menu = event.target;
  if (!menu.matches?.(".menu")) return;
  const button = $(`[popovertarget="${CSS.escape(menu.id)}"]`);
  button?.setAttribute("aria-expanded", String(event.newState === "open"));
  if (event.newState !== "open" || !button) return;
  place(menu, button);
  if (menu.matches("[data-menu]")) $(".menu-item", menu)?.focus({ preventScroll: true });
}, true);
document.addEventListener("scroll", ({ target }) => { if (!target.closest?.(".menu")) $$(".menu:popover-open").forEach((menu) => { const button = $(`[popovertarget="${CSS.escape(menu.id)}"]`); if (button) place(menu, button); }); }, { capture: true, passive: true });
on("keydown", ".menu", (menu, event) => {
  const items = $$(".menu-item", menu);
  const at = items.indexOf(document.activeElement);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
  if (to === undefined || typing(event.target)) return;
  event.preventDefault();
  items[(to + items.length) % items.length]?.focus();
});
on("click", ".menu[data-menu] .menu-item", (item) => { if (!item.matches("[aria-disabled=true]")) item.closest(".menu").hidePopover?.(); });

const tip = document.createElement("div");
tip.className = "tip";
tip.id = "tip";
tip.setAttribute("role", "tooltip");
tip.popover = "manual";
document.body.append(tip);
let tipTimer;

function showTip(node, wait) {
  clearTimeout(tipTimer);
  const text = node.dataset.tip ?? (document.body.matches(".nav-closed") && innerWidth > 900 ? node.dataset.tipNav : "");
  if (!text) return;
  tipTimer = setTimeout(() => {
    if (!node.isConnected) return;
    tip.textContent = text;
    tip.showPopover?.();
    place(tip, node, 6);
    if (node.getAttribute("aria-label") !== text) node.setAttribute("aria-describedby", "tip");
  }, wait);
}

function hideTip() {
  clearTimeout(tipTimer);
  if (tip.matches(":popover-open")) tip.hidePopover();
  $$("[aria-describedby=tip]").forEach((node) => node.removeAttribute("aria-describedby"));
}

document.addEventListener("pointerover", ({ target, pointerType }) => { const node = target.closest?.("[data-tip], [data-tip-nav]"); if (pointerType !== "touch") { if (node) showTip(node, 350); else if (!target.closest?.(".tip")) hideTip(); } });
document.addEventListener("focusin", ({ target }) => { if (target.matches?.("[data-tip]:focus-visible, [data-tip-nav]:focus-visible")) showTip(target, 100); else hideTip(); });
document.addEventListener("pointerdown", hideTip);
document.addEventListener("keydown", ({ key }) => key === "Escape" && hideTip());
document.addEventListener("htmx:beforeSwap", hideTip);

// --- frame: navigation and looks -----------------------------------------------------------------------------------
function drawerNav(openIt) {
  document.body.classList.toggle("nav-is-open", openIt);
  $(".nav-shade").hidden = !openIt;
  const button = $("[data-nav-open]");
  button.setAttribute("aria-expanded", String(openIt));
  (openIt ? $(".nav a[aria-current], .nav summary") : button).focus();
}

on("click", "[data-nav-open]", () => drawerNav(!document.body.classList.contains("nav-is-open")));
on("click", "[data-nav-close]", () => drawerNav(false));
document.addEventListener("keydown", ({ key }) => key === "Escape" && document.body.classList.contains("nav-is-open") && drawerNav(false));
on("click", "[data-nav-fold]", (button) => {
  const closed = document.body.classList.toggle("nav-closed");
  button.setAttribute("aria-pressed", String(closed));
  setTimeout(() => { button.value = closed ? "open" : "closed"; }, 50); // after this click has been sent
});
on("click", ".nav summary", (summary, event) => {
  if (!document.body.classList.contains("nav-closed") || innerWidth <= 900) return;
  event.preventDefault();
  $("[data-nav-fold]").click();
  summary.parentElement.open = true;
});
on("change", "[data-look] input", ({ name, value }) => { document.documentElement.dataset[name] = value; });

// --- copy -----------------------------------------------------------------------------------------------------------
on("click", "[data-copy], [data-copy-from]", async (button, event) => {
  event.preventDefault();
  const code = button.closest(".code");
  const text = button.dataset.copy ?? $("code", code).innerText.replace(/\n$/, "");
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    return toast(words.copyFailed, "warning");
  }
  const use = $("use", button);
  const before = use.getAttribute("href");
  if (button.classList.contains("is-done")) return;
  button.classList.add("is-done");
  use.setAttribute("href", `${words.sprite}#check`);
  tip.textContent = words.copied;
  tip.showPopover?.();
  place(tip, button, 6);
  setTimeout(() => { button.classList.remove("is-done"); use.setAttribute("href", before); hideTip(); }, 1400);
});

// --- forms -------------------------------------------------------------------------------------------------------------
on("click", "[data-reveal]", (button) => {
  const input = document.getElementById(button.dataset.reveal);
  const shown = input.type === "text";
  input.type = shown ? "password" : "text";
  button.setAttribute("aria-pressed", String(!shown));
  button.setAttribute("aria-label", shown ? words.show : words.hide);
  button.dataset.tip = shown ? words.show : words.hide;
  $("use", button).setAttribute("href", `${words.sprite}#${shown ? "eye" : "eye-off"}`);
});
on("input", "[data-initial]", (input) => {
  const mark = $(".changed", input.closest(".field"));
  if (mark) mark.hidden = input.value === input.dataset.initial;
});
on("click", "[data-kv-add]", (button) => {
  const box = button.closest("[data-kv]");
  $("[data-kv-rows]", box).append($("template", box).content.cloneNode(true));
  $("[data-kv-rows] .kv-row:last-child input", box).focus();
});
on("click", "[data-kv-remove]", (button) => {
  const box = button.closest("[data-kv]");
  button.closest(".kv-row").remove();
  $("[data-kv-add]", box).focus();
});

// tabs on one page
function select(tab, focus = true) {
  const box = tab.closest("[data-panes]");
  $$("[role=tab]", tab.parentElement).forEach((other) => {
    const chosen = other === tab;
    other.setAttribute("aria-selected", String(chosen));
    other.tabIndex = chosen ? 0 : -1;
    document.getElementById(other.getAttribute("aria-controls")).hidden = !chosen;
  });
  if (focus && box.contains(document.activeElement)) tab.focus();
}
on("click", "[data-panes] [role=tab]", (tab) => select(tab));
on("keydown", "[role=tab], [data-tabs] a", (tab, event) => {
  const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!by) return;
  event.preventDefault();
  const all = [...tab.parentElement.children];
  const next = all[(all.indexOf(tab) + by + all.length) % all.length];
  next.focus();
  if (next.matches("[role=tab]")) select(next);
});

// transfer: a tick moves its line to the other pane
function arrange(box) {
  const [off, chosen] = ["off", "on"].map((pane) => $(`[data-pane=${pane}]`, box));
  for (const input of $$("li input", box)) {
    const pane = input.checked ? chosen : off;
    if (!pane.contains(input)) pane.append(input.closest("li"));
  }
  for (const pane of [off, chosen]) {
    const sought = $("[data-transfer-filter]", pane.parentElement).value.trim().toLowerCase();
    $$("li", pane).forEach((li) => { li.hidden = Boolean(sought) && !li.textContent.toLowerCase().includes(sought); });
    $("[data-count]", pane.parentElement).textContent = pane.children.length;
  }
  return chosen.children.length;
}
on("change", "[data-transfer] li input", (input) => {
  const box = input.closest("[data-transfer]");
  const pane = input.closest("ul");
  const next = input.closest("li").nextElementSibling ?? input.closest("li").previousElementSibling;
  const said = $("[data-transfer-said]", box);
  said.textContent = fill(said.dataset.words, { n: arrange(box) });
  ($("input", next ?? pane) ?? $("[data-transfer-filter]", pane.parentElement)).focus();
});
on("input", "[data-transfer-filter]", (input) => arrange(input.closest("[data-transfer]")));
on("click", "[data-transfer] [data-move]", (button) => {
  const all = button.dataset.move === "all";
  $$("li:not([hidden]) input", button.closest(".transfer-pane")).forEach((input) => { input.checked = all; });
  arrange(button.closest("[data-transfer]"));
});

// folds: only those whose title holds what is typed
on("input", "[data-narrow]", (input) => {
  const sought = input.value.trim().toLowerCase();
  const folds = $$(".fold", document.getElementById(input.dataset.narrow));
  folds.forEach((fold) => { fold.hidden = !fold.dataset.words.includes(sought); });
  $("[data-narrow-count]", input.closest(".list-bar")).textContent = folds.filter((fold) => !fold.hidden).length;
});

// upload
on("change", "[data-upload] .drop-input", (input) => {
  const form = input.form;
  const state = $(".upload-state", form);
  const big = [...input.files].find((file) => form.dataset.limit && file.size > form.dataset.limit);
  state.hidden = false;
  if (big) {
    $("[data-upload-text]", form).textContent = fill(form.dataset.limitText, { name: big.name });
    $("progress", form).value = 0;
    input.value = "";
    return;
  }
  if (!input.files.length) return;
  $("[data-upload-text]", form).textContent = fill(form.dataset.sending, { name: [...input.files].map((file) => file.name).join(", ") });
  form.requestSubmit();
});
document.addEventListener("htmx:xhr:progress", ({ target, detail }) => {
  const form = target.closest?.("[data-upload]");
  if (!form || !detail.total) return;
  const part = Math.round((100 * detail.loaded) / detail.total);
  $("progress", form).value = part;
  $("[data-upload-part]", form).textContent = `${part} %`;
  if (part === 100) $("[data-upload-text]", form).textContent = form.dataset.checking;
});
for (const type of ["dragenter", "dragover", "dragleave", "drop"]) on(type, ".drop", (drop) => drop.classList.toggle("is-over", type === "dragenter" || type === "dragover"));

// searchable select: the <select> stays and is what the form sends
function combobox(select_) {
  const many = select_.multiple;
  const box = document.createElement("div");
  box.className = "combo";
  box.innerHTML = '<div class="combo-box"><input type="text" role="combobox" aria-autocomplete="list" aria-expanded="false" autocomplete="off" spellcheck="false"></div><ul class="combo-list" role="listbox" hidden></ul>';
  const field = box.firstElementChild;
  const input = $("input", box);
  const list = $("ul", box);
  input.id = select_.id;
  select_.id = `${input.id}-native`;
  list.id = `${input.id}-list`;
  list.setAttribute("aria-label", select_.labels?.[0]?.textContent.trim() ?? $(`#${CSS.escape(input.id)}-label`)?.firstChild.textContent ?? "");
  input.setAttribute("aria-controls", list.id);
  for (const name of ["aria-describedby", "aria-invalid"]) if (select_.hasAttribute(name)) input.setAttribute(name, select_.getAttribute(name));
  input.placeholder = select_.dataset.placeholder;
  input.disabled = select_.disabled;
  if (many) list.setAttribute("aria-multiselectable", "true");
  let at = -1;
  let shown = [];
  let timer;

  const chosen = () => [...select_.selectedOptions].filter((option) => option.value);
  const rest = () => { input.value = many ? "" : (chosen()[0]?.textContent ?? ""); };
  function chips() {
    $$(".combo-chip", field).forEach((chip) => chip.remove());
    if (!many) return;
    for (const option of chosen()) {
      const chip = document.createElement("span");
      chip.className = "combo-chip";
      chip.textContent = option.textContent;
      const cross = document.createElement("button");
      cross.type = "button";
      cross.setAttribute("aria-label", `${select_.dataset.remove} ${option.textContent}`);
      cross.innerHTML = `<svg class="icon" width="12" height="12" aria-hidden="true"><use href="${words.sprite}#x"/></svg>`;
      cross.addEventListener("click", () => { option.selected = false; chips(); tell(); input.focus(); });
      chip.append(cross);
      input.before(chip);
    }
  }
  const tell = () => select_.dispatchEvent(new Event("change", { bubbles: true }));
  function draw() {
    const sought = input.value.trim().toLowerCase();
    const all = [...select_.options].filter((option) => option.value || !select_.required);
    shown = all.filter((option) => select_.dataset.source || !sought || sought === chosen()[0]?.textContent.toLowerCase() || option.textContent.toLowerCase().includes(sought)).slice(0, 100);
    list.replaceChildren(...shown.map((option, index) => {
      const li = document.createElement("li");
      li.id = `${list.id}-${index}`;
      li.setAttribute("role", "option");
      li.setAttribute("aria-selected", String(option.selected));
      li.classList.toggle("is-at", index === at);
      li.textContent = option.textContent || "–";
      if (option.dataset.help) { const help = document.createElement("span"); help.className = "help"; help.textContent = option.dataset.help; li.append(help); }
      li.addEventListener("pointerdown", (event) => { event.preventDefault(); take(index); });
      return li;
    }));
    if (!shown.length) { const none = document.createElement("li"); none.className = "muted"; none.setAttribute("role", "option"); none.setAttribute("aria-disabled", "true"); none.setAttribute("aria-selected", "false"); none.textContent = select_.dataset.none; list.append(none); }
    if (shown[at]) { input.setAttribute("aria-activedescendant", `${list.id}-${at}`); list.children[at].scrollIntoView({ block: "nearest" }); } else input.removeAttribute("aria-activedescendant");
  }
  function show(yes) {
    list.hidden = !yes;
    input.setAttribute("aria-expanded", String(yes));
    if (!yes) { at = -1; input.removeAttribute("aria-activedescendant"); rest(); } else draw();
  }
  function take(index) {
    const option = shown[index];
    if (!option) return;
    if (many) option.selected = !option.selected;
    else select_.value = option.value;
    chips();
    tell();
    if (many) { input.value = ""; draw(); } else show(false);
  }
  async function fetchMore() {
    const address = new URL(select_.dataset.source, location);
    address.searchParams.set("q", input.value);
    const answer = await fetch(address, { headers: { "HX-Request": "true" } });
    if (!answer.ok) return;
    const keep = chosen();
    const found = new DOMParser().parseFromString(`<select>${await answer.text()}</select>`, "text/html");
    const fresh = $$("option", found).filter((option) => !keep.some((kept) => kept.value === option.value));
    select_.replaceChildren(...keep, ...fresh);
    keep.forEach((option) => { option.selected = true; });
    if (!many && !keep.length) select_.selectedIndex = -1;
    draw();
  }
  input.addEventListener("focus", () => input.select());
  input.addEventListener("click", () => show(true));
  input.addEventListener("input", () => { at = 0; show2(); });
  function show2() {
    list.hidden = false;
    input.setAttribute("aria-expanded", "true");
    draw();
    if (select_.dataset.source) { clearTimeout(timer); timer = setTimeout(fetchMore, 200); }
  }
  input.addEventListener("blur", () => setTimeout(() => show(false), 100));
  input.addEventListener("keydown", (event) => {
    const { key } = event;
    if (key === "ArrowDown" || key === "ArrowUp") {
      event.preventDefault();
      if (list.hidden) return show(true);
      at = Math.max(0, Math.min(shown.length - 1, at + (key === "ArrowDown" ? 1 : -1)));
      draw();
    } else if (key === "Enter" && !list.hidden) { event.preventDefault(); take(at); } else if (key === "Escape" && !list.hidden) { event.preventDefault(); event.stopPropagation(); show(false); } else if (key === "Backspace" && many && !input.value) { const last = chosen().at(-1); if (last) { last.selected = false; chips(); tell(); } }
  });
  select_.hidden = true;
  select_.parentElement.prepend(box);
  chips();
  rest();
}

// tree: arrows, Home, End, first letters
on("click", ".tree [data-caret]", (caret, event) => {
  const node = caret.closest("[role=treeitem]");
  if (!node.hasAttribute("aria-expanded")) return;
  event.preventDefault();
  event.stopPropagation();
  unfold(node, node.getAttribute("aria-expanded") !== "true");
});
document.addEventListener("click", (event) => { // a caret must not follow the link nor ask the server
  const caret = event.target.closest?.(".tree [data-caret]");
  const node = caret?.closest("[aria-expanded]");
  if (!node) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  unfold(node, node.getAttribute("aria-expanded") !== "true");
}, true);

function unfold(node, yes) {
  node.setAttribute("aria-expanded", String(yes));
  document.getElementById(node.getAttribute("aria-owns")).hidden = !yes;
}

on("click", ".tree [role=treeitem]", (node) => {
  const tree = node.closest("[data-tree]");
  $$("[aria-selected=true]", tree).forEach((other) => other.setAttribute("aria-selected", "false"));
  node.setAttribute("aria-selected", "true");
  rove(tree, node);
});

function rove(tree, node) {
  $$("[role=treeitem]", tree).forEach((other) => { other.tabIndex = other === node ? 0 : -1; });
  node?.focus();
}

on("keydown", ".tree [role=treeitem]", (node, event) => {
  const tree = node.closest("[data-tree]");
  const seen = $$("[role=treeitem]", tree).filter((item) => item.offsetParent);
  const at = seen.indexOf(node);
  const expanded = node.getAttribute("aria-expanded");
  const acts = {
    ArrowDown: () => rove(tree, seen[at + 1] ?? node),
    ArrowUp: () => rove(tree, seen[at - 1] ?? node),
    Home: () => rove(tree, seen[0]),
    End: () => rove(tree, seen.at(-1)),
    ArrowRight: () => (expanded === "false" ? unfold(node, true) : expanded && rove(tree, seen[at + 1])),
    ArrowLeft: () => (expanded === "true" ? unfold(node, false) : rove(tree, node.closest("ul[role=group]")?.previousElementSibling ?? node)),
    " ": () => node.click(),
  };
  const act = acts[event.key] ?? (event.key.length === 1 && !event.ctrlKey && !event.metaKey && /[\p{L}\p{N}]/u.test(event.key)
    ? () => { const from = [...seen.slice(at + 1), ...seen.slice(0, at)]; rove(tree, from.find((item) => $(".tree-title", item).textContent.trim().toLowerCase().startsWith(event.key.toLowerCase())) ?? node); }
    : null);
  if (!act) return;
  event.preventDefault();
  event.stopPropagation();
  act();
});

// pods: arrows move in the grid
on("keydown", "[data-pods] a.pod", (pod, event) => {
  const all = $$("a.pod", pod.closest("[data-pods]"));
  const box = pod.getBoundingClientRect();
  const near = (up) => all.filter((other) => { const y = other.getBoundingClientRect().top; return up ? y < box.top - 4 : y > box.top + 4; })
    .sort((a, b) => { const [p, q] = [a, b].map((o) => o.getBoundingClientRect()); return Math.abs(p.top - box.top) - Math.abs(q.top - box.top) || Math.abs(p.left - box.left) - Math.abs(q.left - box.left); })[0];
  const next = { ArrowRight: () => all[all.indexOf(pod) + 1], ArrowLeft: () => all[all.indexOf(pod) - 1], ArrowDown: () => near(false), ArrowUp: () => near(true) }[event.key]?.();
  if (next) { event.preventDefault(); next.focus(); }
});

// what is open and where the keyboard is survives a refresh in place
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  const place_ = detail.target;
  const trees = $$("[data-tree]", place_);
  if (!trees.length) return;
  const state = new Map($$("[aria-expanded]", place_).map((node) => [node.id, node.getAttribute("aria-expanded")]));
  place_.addEventListener("htmx:afterSwap", () => restore(state), { once: true });
  document.addEventListener("htmx:afterSwap", () => restore(state), { once: true });
});
function restore(state) {
  state.forEach((value, id) => { const node = document.getElementById(id); if (node?.hasAttribute("aria-expanded") && node.getAttribute("aria-expanded") !== value) unfold(node, value === "true"); });
}

// --- things that stand ready --------------------------------------------------------------------------------------------------
function mount() {
  $$("select[data-combobox]:not([hidden])").forEach(combobox);
  $$("[data-transfer]").forEach(arrange);
  $$("[data-needs-name]:not([aria-disabled])").forEach((button) => button.setAttribute("aria-disabled", "true"));
  for (const node of $$("[data-module]:not([data-mounted])")) {
    node.dataset.mounted = "";
    import(node.dataset.module).then((module) => module.mount(node));
  }
}

function tend() {
  $$("[data-list]").forEach((list) => {
    bulk(list);
    const input = $("[data-filter]", list);
    if (input && input !== document.activeElement && input.value !== list.dataset.q) input.value = list.dataset.q;
  });
}

mount();
tend();
