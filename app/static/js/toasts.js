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

export function toast(text, kind = "info", href = "", label = "") {
  if ($$("[data-toast] p").some((shown) => shown.textContent.startsWith(text))) return;
  const node = $("#toast-template").content.firstElementChild.cloneNode(true);
  node.classList.add(`toast-${kind}`);
  $("p", node).textContent = text;
  if (href) {
    const link = Object.assign(document.createElement("a"), { href, textContent: label, target: "_blank" });
    $("p", node).append(" ", link);
  }
  $("use", node).setAttribute("href", `${words.sprite}#${icons[kind] ?? "info"}`);
  const inside = href && $("dialog[open] .dialog-body"); // what is outside of an open dialog cannot be clicked
  if (inside) {
    node.setAttribute("role", "alert");
    inside.prepend(node);
    return;
  }
  $(".toasts-list").append(node);
  while ($$("[data-toast]").length > 4) $("[data-toast]").remove();
  if (kind !== "error") leave(node, 6000);
  showToasts();
}

document.addEventListener("toast", ({ detail }) => toast(detail.text ?? detail.value, detail.kind, detail.href, detail.label));
on("click", "[data-toast-close]", (button) => button.closest("[data-toast]").remove());
if ($("[data-toast]")) {
  showToasts();
  $$("[data-toast]:not(.toast-error)").forEach((node) => leave(node, 8000));
}

// A refusal is swapped in where the console sent something to show, such as the form with its reason; nothing, or the page of
// a proxy before it, leaves what is there.
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (detail.xhr.status < 400) return;
  detail.shouldSwap = Boolean(detail.xhr.getResponseHeader("traceparent") && detail.serverResponse.trim());
  detail.isError = !detail.shouldSwap;
});
// whoever signed in again elsewhere sends the forms of this page on
document.addEventListener("csrf-token", ({ detail }) => {
  $$("input[name=csrf_token]").forEach((input) => { input.value = detail.value; });
  document.body.setAttribute("hx-headers", JSON.stringify({ "X-CSRF-Token": detail.value }));
});

// what HTMX says when the server does not
let offline = false;
document.addEventListener("htmx:responseError", ({ detail: { xhr } }) => {
  if (!/"toast"/.test(xhr.getResponseHeader("HX-Trigger") ?? "")) toast(fill(words.failed, { status: xhr.status }), "error");
});
document.addEventListener("htmx:sendError", () => { if (!offline) toast(words.offline, "warning"); offline = true; });
document.addEventListener("htmx:afterRequest", ({ detail }) => { if (offline && detail.successful) { offline = false; toast(words.online, "success"); } });
