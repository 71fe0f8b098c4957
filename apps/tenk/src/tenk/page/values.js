// What a component holds, as one reads it: lists of claims, records, statements, ratios; each claim with its quote.

import { h, sign } from "./dom.js";
import { change, count, inWords, money, number, quantity } from "./words.js";

const HEADS = ["name", "title", "advantage", "risk", "exposure", "subject", "note", "area", "customer", "region", "regime", "segment", "statement", "driver"];
const UNSAID = new Set(["not_stated", "other", "not_found", "", null]);
const FIRST = 3; // claims of a list that are shown at once
const SHORT = 36; // characters of what stands side by side
const LONG = 60; // characters of what takes a line of its own
const LEVELS = { high: 3, medium: 2, low: 1 };
const ARROWS = { up: "▲", down: "▼", flat: "▬", mixed: "◆" };

const isEvidence = (value) => value !== null && typeof value === "object" && "quote" in value && "verified" in value;
const isMoney = (value) => value !== null && typeof value === "object" && "amount" in value && "scale" in value && "currency" in value;
const isQuantity = (value) => value !== null && typeof value === "object" && "value" in value && "unit" in value && !("formula" in value);
const isList = (value) => value !== null && typeof value === "object" && Array.isArray(value.items);
const plain = (text) => text.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, " ").trim();

/** A component's value as elements. `open(evidence)` shows a quote in the filing. */
export function component(value, open) {
  if ("lines" in value) return [statement(value, open)];
  if (isList(value)) {
    const [first] = value.items;
    if (first && "formula" in first) return [ratios(value.items)];
    if (first && "share_of_text_pct" in first) return [profile(value.items)];
    return [claims(value.items, open)];
  }
  return record(value, open);
}

/** All evidence in a value, in order. */
export function evidenceIn(value) {
  if (value === null || typeof value !== "object") return [];
  if (isEvidence(value)) return [value];
  return Object.values(value).flatMap(evidenceIn);
}

function claims(items, open) {
  const entries = items.map((item) => h("li", { class: "claim" }, typeof item === "string" ? item : claim(item, open)));
  const list = h("ul", { class: "claims" }, entries);
  const rest = entries.slice(FIRST);
  if (rest.length < 2) return list;
  const more = h("button", { type: "button", class: "more", "aria-expanded": "false", text: `${rest.length} more` });
  for (const entry of rest) entry.classList.add("later");
  more.addEventListener("click", () => {
    const isOpen = list.classList.toggle("all");
    more.setAttribute("aria-expanded", String(isOpen));
    more.textContent = isOpen ? "Fewer" : `${rest.length} more`;
  });
  return h("div", {}, list, more);
}

function claim(item, open) {
  const headName = HEADS.find((name) => typeof item[name] === "string" && item[name] !== "");
  const head = headName === undefined ? null : item[headName];
  const said = head === null ? [] : [plain(head)];
  const prose = [];
  const marks = [];
  for (const [name, value] of Object.entries(item)) {
    if (name === headName || isEvidence(value) || UNSAID.has(value) || name === "evidence") continue;
    if (["current", "prior", "change_pct", "size_pct"].includes(name)) continue;
    if (typeof value === "string" && value.includes(" ")) {
      if (!said.some((words) => words.includes(plain(value)))) {
        prose.push(h("p", { text: value }));
        said.push(plain(value));
      }
    } else marks.push(mark(name, value));
  }
  const figure = "current" in item ? figures(item) : null;
  const isRepeated = head !== null && head.length > LONG && said.slice(1).some((words) => words.startsWith(plain(head)));
  return [
    head !== null && !isRepeated && h("p", { class: head.length > 90 ? "head long" : "head", text: head }),
    figure, prose, marks.some(Boolean) && h("p", { class: "marks" }, marks),
    item.evidence ? quote(item.evidence, open, said) : null,
  ];
}

/** A figure, the one before it, and the change between. */
function figures({ current, prior, change_pct: moved, size_pct: size, direction }) {
  const percent = moved ?? size ?? null;
  const way = percent === null ? direction : percent > 0 ? "up" : percent < 0 ? "down" : "flat";
  return h("p", { class: "figures" },
    current && h("span", { class: "now", text: quantity(current) }),
    prior && h("span", { class: "before" }, h("span", { class: "unseen", text: "before: " }), quantity(prior)),
    percent !== null && h("span", { class: `moved ${way}` }, ARROWS[way] && sign(ARROWS[way]), change(percent)));
}

/** A small property: a word, a number, a level. */
function mark(name, value) {
  if (value === null || value === undefined) return null;
  if (isList(value)) return value.items.length ? h("span", { class: "mark" }, `${inWords(name).toLowerCase()}: ${value.items.map(plainly).join(", ")}`) : null;
  if (name === "specific") return value ? h("span", { class: "mark", text: "specific to this company" }) : h("span", { class: "mark dim", text: "boilerplate" });
  if (typeof value === "boolean") return value ? h("span", { class: "mark", text: inWords(name).toLowerCase() }) : null;
  if (name === "severity" && LEVELS[value]) {
    const dots = h("span", { class: "dots", "aria-hidden": "true", text: "●".repeat(LEVELS[value]) + "○".repeat(3 - LEVELS[value]) });
    return h("span", { class: `mark level-${value}` }, dots, `${value} severity`);
  }
  if (name === "direction") return h("span", { class: `mark ${value}` }, ARROWS[value] && sign(ARROWS[value]), value);
  if (isMoney(value) || isQuantity(value) || typeof value === "number") return h("span", { class: "mark figure" }, h("span", { class: "key", text: `${inWords(name.replace(/_?pct$/, "") || "share").toLowerCase()} ` }), plainly(value, name));
  if (typeof value === "object") return h("span", { class: "mark", text: inWords(name) });
  return h("span", { class: "mark", text: String(value).replaceAll("_", " ") });
}

function plainly(value, name = "") {
  if (typeof value === "string") return value;
  if (typeof value === "number") return /pct$/.test(name) ? `${number(value)}%` : number(value);
  if (isMoney(value)) return money(value);
  if (isQuantity(value)) return quantity(value);
  return Object.values(value).filter((each) => typeof each === "string").join(" ");
}

/** A component that is no list: what it says first, then its fields by name. */
function record(value, open) {
  const lead = ["summary", "landscape", "adequacy_statement"].find((name) => typeof value[name] === "string" && value[name] !== "");
  const parts = [];
  if (lead) parts.push(h("p", { class: "lead-text", text: value[lead] }));
  const pairs = [];
  for (const [name, held] of Object.entries(value)) {
    if (name === lead || isEvidence(held) || held === null || UNSAID.has(held)) continue;
    if (isList(held)) {
      if (held.items.length === 0) continue;
      pairs.push([name, typeof held.items[0] === "object" ? claims(held.items, open) : words(held.items)]);
    } else if (typeof held === "boolean") pairs.push([name, held ? "yes" : "no"]);
    else if (typeof held === "number") pairs.push([name, name === "founded" ? String(held) : plainly(held, name)]);
    else if (typeof held === "string") pairs.push([name, held.includes(" ") ? held : held.replaceAll("_", " ")]);
    else pairs.push([name, plainly(held, name)]);
  }
  if (pairs.length) parts.push(h("dl", { class: "fields" }, pairs.map(([name, what]) => h("div", { class: isLong(what) ? "stacked" : null }, h("dt", { text: inWords(name) }), h("dd", {}, what)))));
  if (value.evidence) parts.push(quote(value.evidence, open, lead ? [plain(value[lead])] : []));
  return parts;
}

const isLong = (what) => (typeof what === "string" ? what.length > LONG : !what.classList.contains("words"));

/** Short texts side by side, longer ones one below the other. */
function words(items) {
  const isShort = items.every((each) => each.length <= SHORT);
  return h("ul", { class: isShort ? "words" : "sentences" }, items.map((each) => h("li", { text: each })));
}

/** The proof of a claim: a button to its place in the filing; one that the filing has not says so. */
export function quote(evidence, open, said = []) {
  const words = evidence.quote;
  if (!evidence.verified) {
    return h("p", { class: "quote unproven" }, h("q", { text: words }),
      h("span", { class: "where" }, sign("⚠"), "not found in the filing"));
  }
  const isSaid = said.some((each) => each.includes(plain(words)));
  const where = evidence.item ? `Item ${evidence.item}` : "in the filing";
  return h("button", {
    type: "button", class: isSaid ? "quote brief" : "quote", "data-start": evidence.start, "data-end": evidence.end,
    "aria-label": `Show in the filing, ${where}: ${words}`, onclick: (event) => open(evidence, event.currentTarget),
  }, isSaid ? null : h("q", { text: words }), h("span", { class: "where" }, sign("❝"), isSaid ? `word for word in ${where === "in the filing" ? "the filing" : where}` : where));
}

function statement({ scale, currency, lines }, open) {
  const years = [...new Set(lines.items.flatMap((line) => line.values.items.map((each) => each.fiscal_year)))].sort((a, b) => b - a);
  const source = lines.items[0]?.values.items[0]?.source;
  const from = { xbrl: "the filing’s XBRL tags", schedule: "the filing’s data schedule", text: "the text, each line checked against its quote" }[source];
  const rows = lines.items.map((line) => {
    const cells = years.map((year) => {
      const found = line.values.items.find((each) => each.fiscal_year === year);
      return h("td", { text: found === undefined ? "" : number(found.value).replace("-", "−") });
    });
    const label = line.evidence?.verified
      ? h("button", { type: "button", class: "cell-quote", "aria-label": `Show in the filing: ${line.label}`, onclick: (event) => open(line.evidence, event.currentTarget) }, line.label)
      : line.label;
    return h("tr", { class: /^total|net_income|^revenue$|equity$/.test(line.concept) ? "strong" : null }, h("th", { scope: "row" }, label), cells);
  });
  return h("div", { class: "table", role: "group", tabindex: "0", "aria-label": "Table, scrolls sideways" },
    h("table", { class: "figures-table" },
      h("caption", { text: `${currency} ${scale}${from ? ` · from ${from}` : ""}` }),
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, h("span", { class: "unseen", text: "Line" })), years.map((year) => h("th", { scope: "col", text: year })))),
      h("tbody", {}, rows)));
}

function ratios(items) {
  const years = [...new Set(items.map((each) => each.fiscal_year))].sort((a, b) => b - a);
  const names = [...new Set(items.map((each) => each.name))];
  const said = ({ value, unit, scale }) => unit === "percent" ? `${value.toFixed(1)}%` : unit === "times" ? `${value.toFixed(2)}×` : `${number(value)} ${scale}`;
  return h("div", { class: "table", role: "group", tabindex: "0", "aria-label": "Table, scrolls sideways" },
    h("table", { class: "figures-table" },
      h("caption", { text: "Computed by code from the statements" }),
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, h("span", { class: "unseen", text: "Ratio" })), years.map((year) => h("th", { scope: "col", text: year })))),
      h("tbody", {}, names.map((name) => {
        const own = items.filter((each) => each.name === name);
        return h("tr", {}, h("th", { scope: "row", title: own[0].formula.replaceAll("_", " ") }, inWords(name), h("span", { class: "formula", text: own[0].formula.replaceAll("_", " ") })),
          years.map((year) => { const found = own.find((each) => each.fiscal_year === year); return h("td", { text: found === undefined ? "" : said(found).replace("-", "−") }); }));
      }))));
}

function profile(items) {
  const most = Math.max(...items.map((each) => each.share_of_text_pct));
  return h("ul", { class: "bars" }, items.map((each) => {
    const bar = h("span", { class: "bar", "aria-hidden": "true" });
    bar.style.setProperty("--share", `${(100 * each.share_of_text_pct) / most}%`);
    return h("li", {},
      h("span", { class: "bar-name", text: inWords(each.category) }),
      h("span", { class: "bar-facts", text: `${count(each.count)} · ${number(each.share_of_text_pct)}%` }),
      bar, h("span", { class: "bar-head", text: each.headline }));
  }));
}
