// Lists: ticks, bulk bar, and a step from row to row.

import { $, $$, on } from "./dom.js";

export function bulk(list) {
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

export function step(by) {
  const rows = $$("[data-row]");
  if (!rows.length) return;
  const at = rows.indexOf(document.activeElement?.closest("[data-row]"));
  const next = rows[at < 0 ? 0 : Math.max(0, Math.min(rows.length - 1, at + by))];
  rows.forEach((row) => { row.tabIndex = row === next ? 0 : -1; });
  next.focus();
  next.scrollIntoView({ block: "nearest" });
}
