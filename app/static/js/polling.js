// Polling: only while visible, slower after errors, never under the pointer.

import { $, $$ } from "./dom.js";

const polls = new WeakMap();

function busy(node) {
  const list = node.dataset.merge && document.getElementById(node.dataset.merge);
  if (list) return Boolean($("[popover]:popover-open", list));
  const focused = document.activeElement;
  const typed = $$("input:not([type=hidden]), textarea", node).some((field) => field.value !== field.defaultValue);
  const kept = focused?.id && !focused.matches("input, select, textarea"); // HTMX gives it the focus again
  return Boolean(typed || (node.contains(focused) && focused.matches(":focus-visible") && !kept) || $("[popover]:popover-open", node) || $(":is(a, button, input, select, textarea):hover", node));
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
    document.dispatchEvent(new CustomEvent("htmx:afterRequest", { detail: { successful: answer.ok } }));
  } catch {
    polled(node, state, false, false);
    document.dispatchEvent(new CustomEvent("htmx:sendError"));
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
