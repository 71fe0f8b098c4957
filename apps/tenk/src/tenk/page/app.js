// The page: which view an address names, and how one follows the other.

import { analysisView } from "./analysis.js";
import { fill, h } from "./dom.js";
import { startView } from "./start.js";

const main = document.getElementById("main");
let leave = () => {};
let shown = null;

function show() {
  const [, kind, id, , span] = location.hash.split("/");
  const analysis = kind === "a" && /^[0-9a-f]{16}$/.test(id ?? "") ? id : null;
  if (analysis !== null && shown === analysis) return; // only the quote in the address is another
  leave();
  const first = shown === null && leave === nothing;
  shown = analysis;
  leave = analysis === null ? startView(main) : analysisView(main, analysis, span);
  if (!first) main.focus({ preventScroll: true });
  scrollTo(0, 0);
}

function nothing() {}
leave = nothing;

for (const kind of ["dragover", "drop"]) addEventListener(kind, (event) => event.preventDefault()); // beside the zone, too
addEventListener("hashchange", show);
addEventListener("unhandledrejection", (event) => {
  fill(document.querySelector(".alone") ?? document.body.appendChild(h("div", { class: "alone", role: "alert" })), String(event.reason?.message ?? event.reason));
});
show();
