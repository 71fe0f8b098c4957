// A card for each component: its state, what it took, what it found.

import { fill, h, sign } from "./dom.js";
import { component } from "./values.js";
import { count, inWords, time } from "./words.js";

const STATES = {
  waiting: ["◌", "waiting"], running: ["◐", "running"], again: ["↻", "asked again"], ok: ["✓", "done"], empty: ["∅", "nothing stated"],
  failed: ["✕", "failed"], skipped: ["–", "not in this filing"], cancelled: ["–", "cancelled"],
};
const WIDE = new Set(["income_statement", "balance_sheet", "cash_flow", "ratios"]);
const OPEN = new Set(["waiting", "running", "again"]);

/** The card of a component. `open` shows a quote in the filing, `retry` asks again; `update(card)` shows it anew. */
export function cardOf(section, name, { open, retry }) {
  const id = `card-${section}-${name}`;
  const element = h("article", { class: "card", id, "aria-labelledby": `${id}-name` });
  if (WIDE.has(name)) element.classList.add("wide");
  const title = h("h3", { id: `${id}-name`, text: inWords(name) });
  const status = h("span", { class: "state" });
  const body = h("div", { class: "body" });
  element.append(h("header", {}, title, status), body);
  let before = "";

  const update = (card) => {
    element.dataset.status = card.status;
    element.setAttribute("aria-busy", String(card.status === "running" || card.status === "again"));
    fill(status, ...stateOf(card));
    const now = JSON.stringify([card.value, card.status, card.reason]);
    if (now !== before) {
      before = now;
      fill(body, ...bodyOf(card, open, () => retry(section, name)));
    }
  };
  return { element, update, name, section };
}

function stateOf(card) {
  const [symbol, words] = STATES[card.status];
  const parts = [h("span", { class: `chip ${card.status}` }, sign(symbol, card.status === "running" ? "turning" : ""), words)];
  if (card.cached) parts.push(h("span", { class: "chip cached" }, sign("⚡"), "from the store"));
  else if (card.origin === "code" && !OPEN.has(card.status)) parts.push(h("span", { class: "chip code" }, sign("ƒ"), "by code"));
  else if (["retry", "single"].includes(card.origin) && ["ok", "empty"].includes(card.status)) parts.push(h("span", { class: "chip fallback" }, sign("↻"), "by fallback"));
  if (card.status === "running" || card.status === "again") parts.push(h("span", { class: "clock", "data-began": card.began_ms ?? 0 }));
  else if (card.began_ms !== null && card.ended_ms !== null && card.calls > 0) parts.push(h("span", { class: "took", text: time(card.ended_ms - card.began_ms) }));
  if (card.quotes > 0) {
    const all = card.quotes === card.verified;
    parts.push(h("span", { class: all ? "proof" : "proof gap", title: "Quotes that stand in the filing, word for word" }, sign(all ? "❝" : "⚠"), all ? `${count(card.quotes)} proven` : `${count(card.verified)} of ${count(card.quotes)} proven`));
  }
  return parts;
}

function bodyOf(card, open, retry) {
  if (card.status === "ok" && card.value !== null) return component(card.value, open);
  if (card.status === "empty") return [h("p", { class: "quiet", text: "The text says nothing of this." })];
  if (card.status === "skipped") return [h("p", { class: "quiet", text: card.reason ?? "" })];
  if (card.status === "failed" || card.status === "cancelled") {
    return [
      h("p", { class: "reason", text: card.reason ?? "" }),
      h("button", { type: "button", class: "button again", onclick: (event) => { event.currentTarget.disabled = true; retry(); } }, sign("↻"), "Try again"),
    ];
  }
  const bones = h("div", { class: "bones", "aria-hidden": "true" }, h("i"), h("i"), h("i"));
  return card.status === "again" ? [h("p", { class: "reason", text: card.reason ?? "" }), bones] : [bones];
}
