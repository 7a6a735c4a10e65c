// Keys of every page, and the palette.

import { open } from "./dialogs.js";
import { $, $$, on, typing } from "./dom.js";
import { step } from "./lists.js";

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
    ".": () => row && ($(".col-actions :is([popovertarget], [data-row-menu])", row) ?? $(".col-actions :is(button, a)", row))?.click(),
    y: () => ($("[data-views] [role=tab][aria-selected=false]") ?? $("[data-yaml]"))?.click(),
    n: () => $(".page-actions .btn-primary")?.click(),
    "[": () => $("[data-nav-fold]")?.click(),
  };
  if (key === "Enter" && row === target) return row.querySelector(".is-first a")?.click();
  if (acts[key]) { event.preventDefault(); acts[key](); }
});
on("click", "[data-keys-open]", () => { $("#user-menu")?.hidePopover(); open($("#keys")); });

// palette
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
