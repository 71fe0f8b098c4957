// What it took: the numbers, and every call on one axis of time.

import { fill, h } from "./dom.js";
import { count, inWords, money, plural, short, time } from "./words.js";

/** The numbers of an analysis. */
export function ledgerOf(state) {
  const { ledger } = state;
  const cards = Object.values(state.sections).flatMap((section) => Object.values(section.cards)).filter((card) => card.status !== "skipped");
  const there = cards.filter((card) => card.status === "ok" || card.status === "empty").length;
  const cost = ledger.cost_usd === null ? "not known" : money({ amount: ledger.cost_usd, scale: "units", currency: "USD" });
  const gain = ledger.elapsed_ms > 0 && ledger.serial_ms > 1.2 * ledger.elapsed_ms ? `${(ledger.serial_ms / ledger.elapsed_ms).toFixed(1)} times as fast` : "";
  const tiles = [
    ["Components", `${there} / ${cards.length}`, ledger.in_flight > 0 ? `${plural(ledger.in_flight, "call")} in flight` : ledger.fallbacks > 0 ? `${count(ledger.fallbacks)} by fallback` : ""],
    ["Quotes verified", `${count(ledger.verified)} / ${count(ledger.quotes)}`, ledger.quotes === 0 ? "" : ledger.quotes === ledger.verified ? "each word for word" : `${plural(ledger.quotes - ledger.verified, "quote")} not found`],
    ["Calls", count(ledger.calls), [ledger.remembered > 0 && `${count(ledger.remembered)} from the store`, ledger.rejected > 0 && `${count(ledger.rejected)} told to wait`].filter(Boolean).join(", ")],
    ["Tokens in", short(ledger.input_tokens), ledger.cached_tokens > 0 ? `${short(ledger.cached_tokens)} cached` : ""],
    ["Tokens out", short(ledger.output_tokens), ""],
    ["Cost", cost, ledger.cost_usd === null ? "no price for this model" : ""],
    ["Time", time(ledger.elapsed_ms), gain && `${time(ledger.serial_ms)} one after another, ${gain}`],
  ];
  return tiles.map(([name, value, note]) => h("div", { class: "tile" }, h("dt", { text: name }), h("dd", {}, h("span", { class: "value", text: value }), note && h("span", { class: "tile-note", text: note }))));
}

/** Draw the calls of an analysis on one axis of time: a lane for each section, a line for each call. */
export function drawTimeline(element, state) {
  const lanes = Object.entries(state.sections).map(([section, { cards }]) => [section, Object.entries(cards).filter(([, card]) => card.began_ms !== null && card.status !== "skipped")]).filter(([, cards]) => cards.length > 0);
  const lines = lanes.flatMap(([, cards]) => cards.map(([, card]) => card));
  element.hidden = lines.length === 0;
  if (element.hidden) return;
  const first = Math.min(...lines.map((card) => Math.max(0, card.began_ms - card.queued_ms)));
  const last = Math.max(first + 1, ...lines.map((card) => card.ended_ms ?? state.ledger.elapsed_ms));
  const share = (ms) => `${((Math.max(0, ms) / (last - first)) * 100).toFixed(2)}%`;
  const rows = lanes.flatMap(([section, cards]) => {
    const lane = h("div", { class: `lane ${section}` }, cards.flatMap(([name, card], index) => {
      const end = card.ended_ms ?? state.ledger.elapsed_ms;
      const bar = placed(`span ${card.status} ${card.cached ? "cached" : card.origin === "code" ? "code" : ""}`, index, share(card.began_ms - first), share(end - card.began_ms));
      bar.title = `${inWords(name)}: ${time(end - card.began_ms)}`;
      const wait = card.queued_ms > (last - first) / 100 ? placed("span queued", index, share(card.began_ms - card.queued_ms - first), share(card.queued_ms)) : null;
      return [wait, bar].filter(Boolean);
    }));
    lane.style.setProperty("height", `${cards.length * 7}px`);
    return [h("span", { class: "lane-name", text: inWords(section) }), lane];
  });
  const { serial_ms: serial } = state.ledger;
  const gain = serial > 1.2 * (last - first) ? ` One after another they would have taken ${time(serial)}.` : "";
  fill(element, h("h2", { text: `How the time went: ${plural(lines.length, "component")} in ${time(last - first)}.${gain}` }),
    h("div", { class: "lanes", "aria-hidden": "true" }, rows, h("p", { class: "axis" }, h("span", { text: "0" }), h("span", { text: time((last - first) / 2) }), h("span", { text: time(last - first) }))));
}

function placed(kind, index, left, width) {
  const line = h("span", { class: kind });
  line.style.setProperty("top", `${index * 7 + 1}px`);
  line.style.setProperty("left", left);
  line.style.setProperty("width", width);
  return line;
}
