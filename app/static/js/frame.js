// The frame of the page: navigation, looks, and the reader's time zone for the server.

import { $, on } from "./dom.js";

const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
if (zone) document.cookie = `antstack-zone=${zone}; path=/; max-age=31536000; samesite=lax`;

function drawerNav(openIt) {
  document.body.classList.toggle("nav-is-open", openIt);
  $(".nav-shade").hidden = !openIt;
  const button = $("[data-nav-open]");
  button.setAttribute("aria-expanded", String(openIt));
  (openIt ? $(".nav a[aria-current], .nav summary") : button).focus();
}

on("click", "[data-nav-open]", () => drawerNav(!document.body.classList.contains("nav-is-open")));
on("click", "[data-nav-close]", () => drawerNav(false));
document.addEventListener("keydown", ({ key }) => key === "Escape" && document.body.classList.contains("nav-is-open") && drawerNav(false));
on("click", "[data-nav-fold]", (button) => {
  const closed = document.body.classList.toggle("nav-closed");
  button.setAttribute("aria-pressed", String(closed));
  setTimeout(() => { button.value = closed ? "open" : "closed"; }, 50); // after this click has been sent
});
on("click", ".nav summary", (summary, event) => {
  if (!document.body.classList.contains("nav-closed") || innerWidth <= 900) return;
  event.preventDefault();
  $("[data-nav-fold]").click();
  summary.parentElement.open = true;
});
on("change", "[data-look] input", ({ name, value }) => { document.documentElement.dataset[name] = value; });
