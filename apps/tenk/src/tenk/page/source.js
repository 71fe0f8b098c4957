// The filing beside its analysis: its plain text, made readable; a quote is highlighted where it stands.

import { fill, h, say, sign } from "./dom.js";
import { count } from "./words.js";

const NUMBER = /^[\s$€£¥(]*[-–—−]?\s*[\d,.]*\d[\d,.]*\s*[)%]*$|^[-–—−]+$|^(19|20)\d\d$/;
const BEFORE = /^[($€£¥\s]+$/; // a cell that belongs to the number after it
const AFTER = /^[)%\s]+$/; // and to the one before
const ASTRAL = /[\ud800-\udbff]/;

/** The pane in `element`. `load()` gives the blocks, `items()` the filing's items, `quotes()` all proofs in order. */
export class SourcePane {
  constructor(element, { load, items, quotes, opened, resized }) {
    Object.assign(this, { element, load, items, quotes, opened, resized });
    this.leaves = null; // [{start, end, text, node}]: every piece of text, in order
    this.from = null;
    this.current = null;
    this.marks = [];
    this.title = h("h2", { text: "The filing" });
    this.place = h("p", { class: "place" });
    this.text = h("div", { class: "filing", tabindex: "0", role: "region", "aria-label": "Text of the filing" });
    this.previous = h("button", { type: "button", class: "plain", "aria-label": "Previous quote", onclick: () => this.step(-1) }, sign("↑"));
    this.next = h("button", { type: "button", class: "plain", "aria-label": "Next quote", onclick: () => this.step(1) }, sign("↓"));
    const close = h("button", { type: "button", class: "plain close", "aria-label": "Close the filing", onclick: () => this.close(true) }, sign("✕"));
    fill(element, h("header", {}, h("div", {}, this.title, this.place), this.previous, this.next, close), this.text);
    this.escape = (event) => { if (event.key === "Escape" && !element.hidden) this.close(true); };
    addEventListener("keydown", this.escape);
  }

  /** Show a proof; `from` is what was clicked, and gets the focus back. */
  async show(proof, from) {
    if (from !== null) this.from = from;
    this.current = proof;
    this.keepInPlace(from, () => this.reveal());
    if (!(await this.open()) || this.current !== proof) return;
    this.highlight(proof.start, proof.end);
    this.opened(`${proof.start}-${proof.end}`);
    this.refresh();
    say(`Shown in the filing${proof.item ? `, Item ${proof.item}` : ""}.`);
  }

  /** Show a place. */
  async go(start) {
    this.current = null;
    if (!(await this.open())) return;
    this.unmark();
    const leaf = this.leaves[this.indexAt(start)];
    if (leaf !== undefined) this.scrollTo(leaf.node, 12);
    this.text.focus({ preventScroll: true });
    this.refresh();
  }

  close(isAsked = false) {
    if (!isAsked) removeEventListener("keydown", this.escape);
    this.keepInPlace(this.from, () => {
      this.element.hidden = true;
      document.body.classList.remove("reading");
      this.resized();
    });
    for (const each of document.querySelectorAll(".quote.open")) each.classList.remove("open");
    if (isAsked) {
      this.opened(null);
      if (this.from?.isConnected) this.from.focus({ preventScroll: true });
    }
  }

  /** What stands above the text: which quote of how many. */
  refresh() {
    if (this.element.hidden) return;
    const quotes = this.quotes();
    const at = this.current === null ? -1 : quotes.findIndex((each) => each.start === this.current.start && each.end === this.current.end);
    this.place.textContent = at < 0 ? `${count(quotes.length)} quotes` : `Quote ${count(at + 1)} of ${count(quotes.length)}${this.current.item ? ` · Item ${this.current.item}` : ""}`;
    this.previous.disabled = at === 0 || quotes.length === 0;
    this.next.disabled = at === quotes.length - 1 || quotes.length === 0;
    for (const each of document.querySelectorAll(".quote[data-start]")) {
      each.classList.toggle("open", this.current !== null && Number(each.dataset.start) === this.current.start && Number(each.dataset.end) === this.current.end);
    }
  }

  step(by) {
    const quotes = this.quotes();
    const at = this.current === null ? -1 : quotes.findIndex((each) => each.start === this.current.start && each.end === this.current.end);
    const next = quotes[at < 0 ? (by > 0 ? 0 : quotes.length - 1) : at + by];
    if (next) this.show(next, null);
  }

  reveal() {
    this.element.hidden = false;
    document.body.classList.add("reading");
    this.resized();
  }

  /** Do what makes the page wider or narrower, and leave an element where it was for the eye. */
  keepInPlace(element, work) {
    const top = element?.getBoundingClientRect().top;
    work();
    if (element?.isConnected) scrollBy({ top: element.getBoundingClientRect().top - top, behavior: "instant" });
  }

  /** Make it visible, with its text; false where that cannot be had. */
  async open() {
    this.reveal();
    if (this.leaves !== null) return true;
    fill(this.text, h("p", { class: "quiet", text: "Loading the filing …" }));
    this.loading ??= this.load();
    try {
      const { blocks } = await this.loading;
      if (this.leaves === null) this.lay(blocks);
      return true;
    } catch (problem) {
      this.loading = null;
      fill(this.text, h("p", { class: "note", text: problem.message }));
      return false;
    }
  }

  lay(blocks) {
    this.leaves = [];
    const parts = document.createDocumentFragment();
    const heads = this.items().filter((item) => item.end > item.start).sort((a, b) => a.start - b.start);
    let rows = [];
    const flush = () => { if (rows.length) parts.append(this.table(rows)); rows = []; };
    for (const [start, kind, words] of blocks) {
      while (heads.length && heads[0].start < start + words.length) {
        flush();
        const head = heads.shift();
        parts.append(h("p", { class: "item-mark", text: `Item ${head.item}` }));
      }
      if (kind === "row") rows.push([start, words]);
      else {
        flush();
        parts.append(this.leaf(h(kind === "pre" ? "pre" : "p", { class: kind }), start, words));
      }
    }
    flush();
    fill(this.text, parts);
    for (const wide of this.text.querySelectorAll(".rows, pre")) {
      if (wide.scrollWidth <= wide.clientWidth) continue;
      wide.setAttribute("tabindex", "0"); // so that the keyboard can scroll it
      wide.setAttribute("role", "group");
      wide.setAttribute("aria-label", "Wide table");
    }
  }

  leaf(node, start, text) {
    node.textContent = text;
    const length = ASTRAL.test(text) ? [...text].length : text.length;
    this.leaves.push({ start, end: start + length, text, node });
    return node;
  }

  /** Rows as a table, their numbers below each other from the right; a currency sign goes with its number. */
  table(rows) {
    const lines = rows.map(([start, words]) => cells(start, words));
    const most = Math.max(...lines.map((line) => line.length));
    return h("div", { class: "rows" }, h("table", { role: "presentation" }, lines.map((line) => {
      const isLabelled = line.length === most || !NUMBER.test(line[0].text);
      const gap = most - line.length;
      const entries = line.map((cell, index) => {
        const isNumber = NUMBER.test(cell.text) && (index > 0 || !isLabelled || most > 1 && line.length === most && index > 0);
        const entry = h("td", { class: isNumber ? "number" : null, colspan: index === 0 && isLabelled && gap > 0 ? gap + 1 : null });
        for (const piece of cell.pieces) entry.append(this.leaf(h("span"), piece.start, piece.text));
        return entry;
      });
      if (!isLabelled && gap > 0) entries.unshift(h("td", { colspan: gap > 1 ? gap : null }));
      return h("tr", {}, entries);
    })));
  }

  /** The index of the piece in which a place is, or of the first after it. */
  indexAt(place) {
    let [low, high] = [0, this.leaves.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.leaves[middle].end > place) high = middle;
      else low = middle + 1;
    }
    return Math.min(low, this.leaves.length - 1);
  }

  highlight(start, end) {
    this.unmark();
    for (let index = this.indexAt(start); index < this.leaves.length && this.leaves[index].start < end; index += 1) {
      const { node, text, start: begin } = this.leaves[index];
      const [from, to] = [Math.max(0, start - begin), end - begin];
      const letters = ASTRAL.test(text) ? [...text] : text;
      const cut = (a, b) => (typeof letters === "string" ? letters.slice(a, b) : letters.slice(a, b).join(""));
      const mark = h("mark", { text: cut(from, to) });
      node.replaceChildren(cut(0, from), mark, cut(to));
      this.marks.push({ node, text, mark });
    }
    const first = this.marks[0]?.mark;
    if (first === undefined) return;
    first.setAttribute("tabindex", "-1");
    this.scrollTo(first, Math.max(12, (this.text.clientHeight - first.getBoundingClientRect().height) / 3));
    first.focus({ preventScroll: true });
  }

  /** Scroll the text, and nothing else, so that a node stands `above` pixels below its upper edge. */
  scrollTo(node, above) {
    this.text.scrollTop += node.getBoundingClientRect().top - this.text.getBoundingClientRect().top - above;
  }

  unmark() {
    for (const { node, text } of this.marks) node.textContent = text;
    this.marks = [];
  }
}

/** The cells of a row, each with its pieces and their places. */
function cells(start, words) {
  const found = [];
  let at = start;
  let isOpen = false; // the cell waits for its number
  for (const text of words.split("\t")) {
    const piece = { start: at, text };
    at += (ASTRAL.test(text) ? [...text].length : text.length) + 1;
    if (text.trim() === "") continue;
    const last = found.at(-1);
    if (last && (isOpen || AFTER.test(text))) {
      last.pieces.push(piece);
      last.text += text;
    } else found.push({ text, pieces: [piece] });
    isOpen = BEFORE.test(text);
  }
  return found;
}
