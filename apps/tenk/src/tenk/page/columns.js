// Cards in columns: each keeps its column, so that one that fills in moves only those below it.

import { fill, h } from "./dom.js";

const NARROWEST = 350; // pixels of a column
const GAP = 16;

/** How many columns there is room for. */
export const columnsFor = (width) => Math.max(1, Math.min(3, Math.floor((width + GAP) / (NARROWEST + GAP))));

/** Put `cards` into `element`: the wide ones across, the others in `many` columns, each in its turn. */
export function arrange(element, cards, many) {
  const groups = [];
  for (const card of cards) {
    if (card.classList.contains("wide")) groups.push(card);
    else if (Array.isArray(groups.at(-1))) groups.at(-1).push(card);
    else groups.push([card]);
  }
  fill(element, groups.map((group) => (Array.isArray(group) ? columns(group, many) : group)));
}

function columns(cards, many) {
  const found = Array.from({ length: many }, () => h("div", { class: "column" }));
  cards.forEach((card, index) => found[index % many].append(card));
  return h("div", { class: "columns" }, found);
}
