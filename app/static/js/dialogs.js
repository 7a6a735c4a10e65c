// Dialogs and drawers, and the question before a write.

import { $, $$, on, words } from "./dom.js";

const returnTo = new Map();

export function open(dialog) {
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

// asking before a write
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
