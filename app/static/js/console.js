// The console's script: what HTML and HTMX cannot do by themselves. No framework, no build step.
// Each behaviour hangs on a data- attribute that a macro in templates/components writes.

import { $, $$ } from "./dom.js";
import "./toasts.js";
import "./dialogs.js";
import "./polling.js";
import { bulk } from "./lists.js";
import "./keys.js";
import "./popovers.js";
import "./frame.js";
import { appear, arrange, tally } from "./forms.js";
import { combobox } from "./combobox.js";
import "./roving.js";

function mount() {
  $$("select[data-combobox]:not([hidden])").forEach(combobox);
  $$("[data-transfer]").forEach(arrange);
  $$("[data-tally]").forEach(tally);
  $$("[data-when]").forEach(appear);
  $$("[data-needs-name]:not([aria-disabled])").forEach((button) => button.setAttribute("aria-disabled", "true"));
  for (const node of $$("[data-module]:not([data-mounted])")) {
    node.dataset.mounted = "";
    import(node.dataset.module).then((module) => module.mount(node));
  }
}

function tend() {
  $$(".tabs").forEach((tabs) => { const tab = $("[aria-current], [aria-selected=true]", tabs); if (tab) tabs.scrollLeft = tab.offsetLeft - (tabs.clientWidth - tab.offsetWidth) / 2; });
  $$("[data-list]").forEach((list) => {
    bulk(list);
    const input = $("[data-filter]", list);
    if (input && input !== document.activeElement && input.value !== list.dataset.q) input.value = list.dataset.q;
  });
}

document.addEventListener("htmx:afterSwap", () => { mount(); tend(); });
mount();
tend();
