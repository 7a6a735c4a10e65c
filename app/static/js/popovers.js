// Menus and tooltips stand where there is room; what is copied says so in one.

import { $, $$, on, typing, words } from "./dom.js";
import { toast } from "./toasts.js";

function place(node, anchor, gap = 4) {
  const a = anchor.getBoundingClientRect();
  const { width, height } = node.getBoundingClientRect();
  const below = a.bottom + gap + height <= innerHeight - 8 || a.top < innerHeight - a.bottom;
  const left = a.left + width > innerWidth - 8 ? a.right - width : a.left;
  node.style.left = `${Math.max(8, Math.min(left, innerWidth - width - 8))}px`;
  node.style.top = `${Math.max(8, below ? a.bottom + gap : a.top - height - gap)}px`;
}

const opener = (menu) => $(`[popovertarget="${CSS.escape(menu.id)}"]`) ?? menu.parentElement?.querySelector("[data-row-menu]");
document.addEventListener("toggle", (event) => {
  const menu = event.target;
  if (!menu.matches?.(".menu")) return;
  const button = opener(menu);
  button?.setAttribute("aria-expanded", String(event.newState === "open"));
  if (event.newState !== "open" && button?.matches("[data-row-menu]")) menu.remove();
  if (event.newState !== "open" || !button) return;
  place(menu, button);
  if (menu.matches("[data-menu]")) $(".menu-item", menu)?.focus({ preventScroll: true });
}, true);
document.addEventListener("scroll", ({ target }) => { if (!target.closest?.(".menu")) $$(".menu:popover-open").forEach((menu) => { const button = opener(menu); if (button) place(menu, button); }); }, { capture: true, passive: true });

// Rows of a list share their menu: it is made beside the row that it is opened for, and taken away when it closes.
on("click", "[data-row-menu]", (button, event) => {
  event.preventDefault();
  const open = button.nextElementSibling;
  if (open?.matches(".menu")) return open.hidePopover();
  const menu = document.getElementById(button.dataset.rowMenu).content.firstElementChild.cloneNode(true);
  menu.id = `${button.dataset.rowMenu}-open`;
  const row = button.closest("tr");
  const first = $(".is-first a", row);
  const own = { "\ue001": first.getAttribute("href"), "\ue002": row.dataset.id, "\ue003": first.textContent };
  for (const node of $$("*", menu)) {
    for (const { name, value } of [...node.attributes]) {
      if (/[\ue001-\ue003]/.test(value)) node.setAttribute(name, value.replace(/[\ue001-\ue003]/g, (place) => own[place]));
    }
  }
  document.getElementById(menu.id)?.remove();
  button.after(menu);
  window.htmx.process(menu);
  menu.showPopover({ source: button });
});
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

// copy
on("click", "[data-copy], [data-copy-from]", async (button, event) => {
  event.preventDefault();
  const code = button.closest(".code");
  const text = code ? $("code", code).innerText.replace(/\n$/, "") : button.dataset.copy || button.previousElementSibling.textContent;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    return toast(words.copyFailed, "warning");
  }
  if (button.classList.contains("is-done")) return;
  button.classList.add("is-done");
  tip.textContent = words.copied;
  tip.showPopover?.();
  place(tip, button, 6);
  setTimeout(() => { button.classList.remove("is-done"); hideTip(); }, 1400);
});
