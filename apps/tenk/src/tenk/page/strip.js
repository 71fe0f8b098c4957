// The filing at a glance: its items side by side, as long as they are, with a tick where a quote stands.

import { fill, h, sign } from "./dom.js";
import { evidenceIn } from "./values.js";
import { count, inWords } from "./words.js";

const STATUS = {
  present: ["✓", "present"], incorporated_by_reference: ["↗", "in another document"], pointer_within_document: ["↪", "elsewhere in the filing"],
  not_applicable: ["–", "not applicable"], absent: ["–", "absent"],
};

/** Draw the strip. `go(start)` shows a place of the filing. */
export function drawStrip(element, state, go) {
  if (state.length === 0) {
    fill(element);
    return;
  }
  const share = (characters) => `${((characters / state.length) * 100).toFixed(3)}%`;
  const asked = new Set(Object.values(state.sections).map((section) => section.item));
  const segments = state.items.filter((item) => item.end > item.start).map((item) => {
    const segment = h("button", {
      type: "button", class: asked.has(item.item) ? "segment asked" : "segment", title: `Item ${item.item}: ${item.title}, ${count(item.words)} words`,
      "aria-label": `Item ${item.item}, ${item.title}: show in the filing`, onclick: () => go(item.start), tabindex: "-1",
    }, h("span", { text: item.item }));
    segment.style.setProperty("left", share(item.start));
    segment.style.setProperty("width", share(item.end - item.start));
    return segment;
  });
  for (const { item, target_start: start, target_end: end } of state.items) {
    if (start === null || !asked.has(item)) continue;
    const target = h("span", { class: "segment target", "aria-hidden": "true" });
    target.style.setProperty("left", share(start));
    target.style.setProperty("width", share(end - start));
    segments.push(target);
  }
  const ticks = h("div", { class: "ticks", "aria-hidden": "true" });
  element.replaceChildren(h("div", { class: "map", role: "group", "aria-label": "The filing from beginning to end" }, segments, ticks), chips(state, go));
  drawTicks(element, state);
}

/** Draw a tick for each verified quote. */
export function drawTicks(element, state) {
  const ticks = element.querySelector(".ticks");
  if (ticks === null) return;
  const places = new Set();
  for (const section of Object.values(state.sections)) {
    for (const card of Object.values(section.cards)) {
      for (const proof of evidenceIn(card.value)) if (proof.verified) places.add(Math.round((proof.start / state.length) * 1000));
    }
  }
  fill(ticks, [...places].map((place) => {
    const tick = h("i");
    tick.style.setProperty("left", `${place / 10}%`);
    return tick;
  }));
}

function chips(state, go) {
  return h("ul", { class: "items" }, Object.entries(state.sections).map(([name, section]) => {
    const [symbol, status] = STATUS[section.item_status];
    const isThere = section.end > section.start;
    const facts = [`${count(section.words)} words`, section.place].filter(Boolean).join(" · ");
    return h("li", {}, h("button", { type: "button", class: `item ${section.item_status}`, disabled: !isThere, onclick: () => go(section.start) },
      h("strong", { text: `Item ${section.item}` }), h("span", { text: inWords(name) }),
      h("span", { class: "small" }, sign(symbol), `${status} · ${facts}`)));
  }));
}
