// Short names for what every module does to the page; `words` are its texts in the reader's language.

export const $ = (selector, root = document) => root.querySelector(selector);
export const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
export const words = $("#console-words")?.dataset ?? {};
export const fill = (text, values) => (text ?? "").replace(/\{(\w+)\}/g, (all, key) => values[key] ?? all);
// Whether keys are text here. A field whose dialog has just closed keeps the focus until the next frame.
export const typing = (node) =>
  node.closest?.("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable], .xterm")?.checkVisibility();
export const on = (type, selector, act) =>
  document.addEventListener(type, (event) => {
    const found = event.target.closest?.(selector);
    if (found) act(found, event);
  });
