// What the arrow keys move in: tabs, trees, pods; and what of a tree is open survives a refresh in place.

import { $, $$, on } from "./dom.js";

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

// tree: arrows, Home, End, first letters
document.addEventListener("click", (event) => { // a caret must not follow the link nor ask the server
  const caret = event.target.closest?.(".tree [data-caret]");
  const node = caret?.closest("[aria-expanded]");
  if (!node) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  unfold(node, node.getAttribute("aria-expanded") !== "true");
}, true);

function unfold(node, yes) {
  if ("open" in node) { node.open = yes; return; }
  node.setAttribute("aria-expanded", String(yes));
  document.getElementById(node.getAttribute("aria-owns")).hidden = !yes;
}

on("click", ".tree [role=treeitem]", (node) => {
  const tree = node.closest("[data-tree]");
  $$("[aria-selected=true]", tree).forEach((other) => other.setAttribute("aria-selected", "false"));
  node.setAttribute("aria-selected", "true");
  rove(tree, node);
  const box = tree.parentElement;
  if (!node.hasAttribute("hx-get") || box.offsetWidth < innerWidth / 2) return;
  document.addEventListener("htmx:afterSettle", () => $("[data-detail]")?.scrollIntoView(), { once: true });
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

// what is open and how far it is scrolled survives a refresh in place, if it has an id
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (!detail.target.matches("[data-poll], :has([data-tree])")) return;
  const opened = new Map($$("[role=treeitem][aria-expanded], details[id]", detail.target).map((node) => [node.id, isOpen(node)]));
  const scrolled = $$("[id]", detail.target).filter((node) => node.scrollTop).map((node) => [node.id, node.scrollTop]);
  document.addEventListener("htmx:afterSwap", () => {
    opened.forEach((value, id) => { const node = document.getElementById(id); if (node && isOpen(node) !== value) unfold(node, value); });
    scrolled.forEach(([id, top]) => { const node = document.getElementById(id); if (node) node.scrollTop = top; });
  }, { once: true });
});
for (const node of $$(".tree [aria-selected=true]")) {
  const box = node.closest("[data-tree]").parentElement;
  box.scrollTop = node.offsetTop - box.clientHeight / 2;
}
const isOpen = (node) => node.open ?? node.getAttribute("aria-expanded") === "true";
