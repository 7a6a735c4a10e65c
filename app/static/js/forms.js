// Fields of forms: secrets, changes, pairs, transfer, upload; and folds that are narrowed.

import { $, $$, fill, on, words } from "./dom.js";

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

// transfer: a tick moves its line to the other pane
export function arrange(box) {
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

// sequence: an item changes places with its neighbour
function sequence(box, items) {
  const places = items.map((item) => Number(item.dataset.sequenceItem));
  const moved = places.some((place, at) => place < places[at - 1]);
  $("input", box).value = moved ? "1" : "";
  $("[data-sequence-restore]", box).hidden = !moved;
}
on("click", "[data-move-by]", (button) => {
  const item = button.closest("[data-sequence-item]");
  const up = button.dataset.moveBy === "-1";
  const other = up ? item.previousElementSibling : item.nextElementSibling;
  if (!other?.matches("[data-sequence-item]")) return;
  if (up) other.before(item); else other.after(item);
  button.focus();
  const box = item.closest("[data-sequence]");
  sequence(box, $$("[data-sequence-item]", box));
});
on("click", "[data-sequence-restore] button", (button) => {
  const box = button.closest("[data-sequence]");
  const items = $$("[data-sequence-item]", box).sort((a, b) => a.dataset.sequenceItem - b.dataset.sequenceItem);
  items.forEach((item) => $("[data-sequence-restore]", box).before(item));
  sequence(box, items);
});

// tally: how much is chosen
export function tally(output) {
  const chosen = $$(output.dataset.tally, output.form);
  output.textContent = output.dataset.by ? new Set(chosen.map((control) => control[output.dataset.by])).size : chosen.length;
}
on("change", "form:has([data-tally]) *", (control) => $$("[data-tally]", control.form).forEach(tally));

// a field that only matters with another one
export function appear(part) {
  const [name, value] = part.dataset.when.split("=");
  const given = part.closest("form").elements[name].value;
  part.hidden = value ? given !== value : !given;
}
on("change", "form:has([data-when]) *", (control) => $$("[data-when]", control.form).forEach(appear));

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
