// Toasts, and what HTMX says when the server does not.

import { $, $$, fill, on, words } from "./dom.js";

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

// what HTMX says when the server does not
let offline = false;
document.addEventListener("htmx:responseError", ({ detail: { xhr } }) => {
  if (!/"toast"/.test(xhr.getResponseHeader("HX-Trigger") ?? "")) toast(fill(words.failed, { status: xhr.status }), "error");
});
document.addEventListener("htmx:sendError", () => { if (!offline) toast(words.offline, "warning"); offline = true; });
document.addEventListener("htmx:afterRequest", ({ detail }) => { if (offline && detail.successful) { offline = false; toast(words.online, "success"); } });
