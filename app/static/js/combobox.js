// A searchable select: the <select> stays and is what the form sends.

import { $, $$, words } from "./dom.js";

export function combobox(select_) {
  const many = select_.multiple;
  const box = document.createElement("div");
  box.className = "combo";
  box.innerHTML = '<div class="combo-box"><input type="text" role="combobox" aria-autocomplete="list" aria-expanded="false" autocomplete="off" spellcheck="false"></div><ul class="combo-list" role="listbox" hidden></ul>';
  const field = box.firstElementChild;
  const input = $("input", box);
  const list = $("ul", box);
  input.id = select_.id;
  select_.id = `${input.id}-native`;
  list.id = `${input.id}-list`;
  list.setAttribute("aria-label", select_.labels?.[0]?.textContent.trim() ?? $(`#${CSS.escape(input.id)}-label`)?.firstChild.textContent ?? "");
  input.setAttribute("aria-controls", list.id);
  for (const name of ["aria-describedby", "aria-invalid"]) if (select_.hasAttribute(name)) input.setAttribute(name, select_.getAttribute(name));
  input.placeholder = select_.dataset.placeholder;
  input.disabled = select_.disabled;
  if (many) list.setAttribute("aria-multiselectable", "true");
  let at = -1;
  let shown = [];
  let timer;

  const chosen = () => [...select_.selectedOptions].filter((option) => option.value);
  const rest = () => { input.value = many ? "" : (chosen()[0]?.textContent ?? ""); };
  function chips() {
    $$(".combo-chip", field).forEach((chip) => chip.remove());
    if (!many) return;
    for (const option of chosen()) {
      const chip = document.createElement("span");
      chip.className = "combo-chip";
      chip.textContent = option.textContent;
      const cross = document.createElement("button");
      cross.type = "button";
      cross.setAttribute("aria-label", `${select_.dataset.remove} ${option.textContent}`);
      cross.innerHTML = `<svg class="icon" width="12" height="12" aria-hidden="true"><use href="${words.sprite}#x"/></svg>`;
      cross.addEventListener("click", () => { option.selected = false; chips(); tell(); input.focus(); });
      chip.append(cross);
      input.before(chip);
    }
  }
  const tell = () => select_.dispatchEvent(new Event("change", { bubbles: true }));
  function draw() {
    const sought = input.value.trim().toLowerCase();
    const all = [...select_.options].filter((option) => option.value || !select_.required);
    shown = all.filter((option) => select_.dataset.source || !sought || sought === chosen()[0]?.textContent.toLowerCase() || option.textContent.toLowerCase().includes(sought)).slice(0, 100);
    list.replaceChildren(...shown.map((option, index) => {
      const li = document.createElement("li");
      li.id = `${list.id}-${index}`;
      li.setAttribute("role", "option");
      li.setAttribute("aria-selected", String(option.selected));
      li.classList.toggle("is-at", index === at);
      li.textContent = option.textContent || "–";
      if (option.dataset.help) { const help = document.createElement("span"); help.className = "help"; help.textContent = option.dataset.help; li.append(help); }
      li.addEventListener("pointerdown", (event) => { event.preventDefault(); take(index); });
      return li;
    }));
    if (!shown.length) { const none = document.createElement("li"); none.className = "muted"; none.setAttribute("role", "option"); none.setAttribute("aria-disabled", "true"); none.setAttribute("aria-selected", "false"); none.textContent = select_.dataset.none; list.append(none); }
    if (shown[at]) { input.setAttribute("aria-activedescendant", `${list.id}-${at}`); list.children[at].scrollIntoView({ block: "nearest" }); } else input.removeAttribute("aria-activedescendant");
  }
  function show(yes) {
    list.hidden = !yes;
    input.setAttribute("aria-expanded", String(yes));
    if (!yes) { at = -1; input.removeAttribute("aria-activedescendant"); rest(); } else draw();
  }
  function take(index) {
    const option = shown[index];
    if (!option) return;
    if (many) option.selected = !option.selected;
    else select_.value = option.value;
    chips();
    tell();
    if (many) { input.value = ""; draw(); } else show(false);
  }
  async function fetchMore() {
    const address = new URL(select_.dataset.source, location);
    address.searchParams.set("q", input.value);
    const answer = await fetch(address, { headers: { "HX-Request": "true" } });
    if (!answer.ok) return;
    const keep = chosen();
    const found = new DOMParser().parseFromString(`<select>${await answer.text()}</select>`, "text/html");
    const fresh = $$("option", found).filter((option) => !keep.some((kept) => kept.value === option.value));
    select_.replaceChildren(...keep, ...fresh);
    keep.forEach((option) => { option.selected = true; });
    if (!many && !keep.length) select_.selectedIndex = -1;
    draw();
  }
  input.addEventListener("focus", () => input.select());
  input.addEventListener("click", () => show(true));
  input.addEventListener("input", () => { at = 0; show2(); });
  function show2() {
    list.hidden = false;
    input.setAttribute("aria-expanded", "true");
    draw();
    if (select_.dataset.source) { clearTimeout(timer); timer = setTimeout(fetchMore, 200); }
  }
  input.addEventListener("blur", () => setTimeout(() => show(false), 100));
  input.addEventListener("keydown", (event) => {
    const { key } = event;
    if (key === "ArrowDown" || key === "ArrowUp") {
      event.preventDefault();
      if (list.hidden) return show(true);
      at = Math.max(0, Math.min(shown.length - 1, at + (key === "ArrowDown" ? 1 : -1)));
      draw();
    } else if (key === "Enter" && !list.hidden) { event.preventDefault(); take(at); } else if (key === "Escape" && !list.hidden) { event.preventDefault(); event.stopPropagation(); show(false); } else if (key === "Backspace" && many && !input.value) { const last = chosen().at(-1); if (last) { last.selected = false; chips(); tell(); } }
  });
  const focused = select_ === document.activeElement;
  select_.hidden = true;
  select_.parentElement.prepend(box);
  if (focused) input.focus();
  chips();
  rest();
}
