// The view of one analysis: it fills as the calls end, and each claim leads to its place in the filing.

import * as api from "./api.js";
import { cardOf } from "./cards.js";
import { columnsFor, arrange } from "./columns.js";
import { fill, h, say, sign } from "./dom.js";
import { drawTimeline, ledgerOf } from "./ledger.js";
import { SourcePane } from "./source.js";
import { drawStrip, drawTicks } from "./strip.js";
import { evidenceIn } from "./values.js";
import { inWords, plural, time } from "./words.js";

const UNDER_WAY = new Set(["waiting", "reading", "running"]);
const TITLES = { waiting: "Waiting for its turn", reading: "Reading the filing", running: "Analysing", done: "Done", partial: "Partly done", failed: "Failed", cancelled: "Cancelled" };
const ENDED = { ok: "done", empty: "nothing stated", failed: "failed" };

/** Show an analysis in `main`; gives what ends it. `span`: a quote to open, as `12-34`. */
export function analysisView(main, id, span) {
  const view = new View(main, id, span);
  view.begin();
  return () => view.end();
}

class View {
  constructor(main, id, span) {
    this.id = id;
    this.span = /^\d+-\d+$/.test(span ?? "") ? span : null;
    this.state = null;
    this.cards = new Map();
    this.drawn = { cards: new Set(), all: true };
    this.frame = null;
    this.heading = h("h1", { text: "…" });
    this.facts = h("p", { class: "facts" });
    this.status = h("p", { class: "status" });
    this.bar = h("progress", { max: 1, value: 0, "aria-label": "Components that are there" });
    this.actions = h("div", { class: "actions" });
    this.note = h("p", { class: "note", role: "alert", hidden: true });
    this.strip = h("section", { class: "strip", "aria-label": "The items of the filing" });
    this.ledger = h("dl", { class: "ledger" });
    this.course = h("section", { class: "course", "aria-label": "How the time went" });
    this.sections = h("div", { class: "sections" });
    fill(main, h("div", { class: "analysis" },
      h("div", { class: "intro" }, h("div", {}, this.heading, this.facts), this.actions),
      this.status, this.bar, this.note, this.strip, this.ledger, this.course, this.sections));
    this.pane = new SourcePane(document.getElementById("source"), {
      load: () => api.source(this.id),
      items: () => this.state?.items ?? [],
      quotes: () => this.quotes(),
      resized: () => this.arrange(),
      opened: (place) => history.replaceState(null, "", `#/a/${this.id}${place === null ? "" : `/q/${place}`}`),
    });
  }

  watch() {
    this.stop = api.watch(this.id, {
      told: (state, change) => this.told(state, change),
      ended: () => this.redraw(),
      lost: (message) => this.complain(message),
    });
  }

  begin() {
    this.watch();
    this.clock = setInterval(() => this.tick(), 100);
    this.sizes = new ResizeObserver(() => this.arrange());
    this.sizes.observe(this.sections);
    this.printing = () => this.arrange(1); // on paper the cards stand in their order
    this.printed = () => this.arrange();
    addEventListener("beforeprint", this.printing);
    addEventListener("afterprint", this.printed);
    this.hides = () => this.hide(document.hidden);
    document.addEventListener("visibilitychange", this.hides);
  }

  /** A page that nobody sees holds no connection: a browser has only six to one host, for all its pages. */
  hide(isHidden) {
    this.stop();
    if (!isHidden) this.watch();
  }

  end() {
    this.sizes.disconnect();
    removeEventListener("beforeprint", this.printing);
    removeEventListener("afterprint", this.printed);
    document.removeEventListener("visibilitychange", this.hides);
    this.stop();
    clearInterval(this.clock);
    if (this.frame !== null) cancelAnimationFrame(this.frame);
    this.pane.close();
  }

  complain(message) {
    this.note.hidden = message === null;
    this.note.textContent = message ?? "";
  }

  told(state, change) {
    this.state = state;
    this.at = performance.now() - state.ledger.elapsed_ms;
    if (change === null || change.items !== undefined) this.drawn.all = true;
    for (const [section, { cards }] of Object.entries(change?.sections ?? {})) {
      for (const [name, card] of Object.entries(cards ?? {})) {
        this.drawn.cards.add(`${section}.${name}`);
        if (change !== null && ENDED[card.status]) say(`${inWords(name)}: ${ENDED[card.status]}.`);
      }
    }
    if (change?.status !== undefined && !UNDER_WAY.has(change.status)) say(`${TITLES[change.status]}. ${plural(state.ledger.verified, "quote")} verified.`);
    this.redraw();
  }

  redraw() {
    if (this.frame === null) this.frame = requestAnimationFrame(() => { this.frame = null; if (this.state !== null) this.draw(); });
  }

  draw() {
    const { state } = this;
    this.drawHead();
    if (this.drawn.all) this.lay();
    for (const [key, card] of this.cards) {
      const [section, name] = key.split(".");
      if (this.drawn.all || this.drawn.cards.has(key)) card.update(state.sections[section].cards[name]);
    }
    for (const [name, section] of Object.entries(state.sections)) this.drawSection(name, section);
    if (this.drawn.all) drawStrip(this.strip, state, (start) => this.pane.go(start));
    else if (this.drawn.cards.size > 0) drawTicks(this.strip, state);
    fill(this.ledger, ...ledgerOf(state));
    this.ledger.hidden = Object.keys(state.sections).length === 0;
    drawTimeline(this.course, state);
    this.drawn = { cards: new Set(), all: false };
    this.pane.refresh();
    this.tick();
    if (this.span !== null && state.length > 0) {
      const [start, end] = this.span.split("-").map(Number);
      this.span = null;
      this.pane.show({ start, end, item: null }, null);
    }
  }

  drawHead() {
    const { state } = this;
    const busy = UNDER_WAY.has(state.status);
    const title = state.company ?? state.name;
    document.title = `${busy ? "… " : ""}${title} · tenk`;
    this.heading.textContent = title;
    const facts = [state.form && `Form ${state.form}`, state.period_end && `fiscal year ended ${state.period_end}`, title !== state.name && state.name, `answered by ${state.model}`];
    this.facts.textContent = facts.filter(Boolean).join(" · ");
    const cards = this.due();
    const there = cards.filter((card) => card.status === "ok" || card.status === "empty").length;
    this.bar.hidden = !busy;
    if (state.status === "running" && cards.length > 0) this.bar.value = there / cards.length;
    else this.bar.removeAttribute("value");
    fill(this.status, h("span", { class: `chip ${state.status}` }, sign(busy ? "◐" : { done: "✓", partial: "◑", failed: "✕", cancelled: "–" }[state.status], busy ? "turning" : ""), TITLES[state.status]),
      state.reason && h("span", { class: "reason", text: state.reason }),
      state.model.startsWith("offline/") && h("span", { class: "small", text: "A baseline that finds sentences by their words; it is no language model." }));
    this.drawActions(busy, cards);
  }

  drawActions(busy, cards) {
    const failed = cards.filter((card) => card.status === "failed" || card.status === "cancelled").length;
    const key = `${busy} ${failed} ${this.state.length > 0}`;
    if (this.actions.dataset.key === key) return;
    this.actions.dataset.key = key;
    const canRetry = !busy && (failed > 0 || Object.keys(this.state.sections).length === 0);
    fill(this.actions,
      busy && h("button", { type: "button", class: "button stop", onclick: () => this.cancel() }, sign("■"), "Cancel"),
      canRetry && h("button", { type: "button", class: "button again", onclick: () => this.retry() }, sign("↻"), failed > 1 ? `Try all ${failed} again` : "Try again"),
      this.state.length > 0 && h("button", { type: "button", class: "button", onclick: () => this.pane.go(0) }, sign("¶"), "The filing"),
      !busy && this.state.length > 0 && [
        h("a", { class: "button", href: `/api/analyses/${this.id}/report.md`, download: `${this.state.name}.md` }, sign("⤓"), "Report"),
        h("a", { class: "button", href: `/api/analyses/${this.id}/analysis.json`, download: `${this.state.name}.json` }, sign("⤓"), "JSON"),
      ]);
  }

  /** Make the sections and their cards. */
  lay() {
    const { sections } = this.state;
    const key = Object.entries(sections).map(([name, section]) => `${name}:${Object.keys(section.cards)}`).join();
    if (this.laid === key) return;
    this.laid = key;
    this.cards.clear();
    fill(this.sections, Object.entries(sections).map(([name, section]) => {
      const cards = Object.keys(section.cards).map((component) => {
        const card = cardOf(name, component, { open: (proof, from) => this.pane.show(proof, from), retry: (...which) => this.retry(...which) });
        this.cards.set(`${name}.${component}`, card);
        return card.element;
      });
      return h("section", { class: "part", id: `part-${name}`, "aria-labelledby": `part-${name}-name` },
        h("header", {}, h("h2", { id: `part-${name}-name`, text: inWords(name) }), h("p", { class: "part-facts" })),
        h("div", { class: "cards", "data-section": name }, cards));
    }));
    this.columns = 0;
    this.arrange();
  }

  /** Put the cards into as many columns as there is room for. */
  arrange(many = columnsFor(this.sections.clientWidth)) {
    if (this.laid === undefined) return;
    if (many === this.columns) return;
    this.columns = many;
    for (const element of this.sections.querySelectorAll(".cards")) {
      arrange(element, [...this.cards.values()].filter((card) => card.section === element.dataset.section).map((card) => card.element), many);
    }
  }

  drawSection(name, section) {
    const element = document.getElementById(`part-${name}`);
    element.dataset.status = section.status;
    const cards = Object.values(section.cards);
    const there = cards.filter((card) => card.status === "ok" || card.status === "empty").length;
    const facts = section.status === "skipped" ? section.reason : [`Item ${section.item}`, section.place, `${there} of ${cards.length} components`, section.status === "failed" && section.reason].filter(Boolean).join(" · ");
    element.querySelector(".part-facts").textContent = facts;
  }

  due() {
    return Object.values(this.state.sections).flatMap((section) => Object.values(section.cards)).filter((card) => card.status !== "skipped");
  }

  /** All proofs, as they stand in the filing one after another. */
  quotes() {
    const proofs = Object.values(this.state?.sections ?? {}).flatMap((section) => Object.values(section.cards)).flatMap((card) => evidenceIn(card.value));
    const byPlace = new Map(proofs.filter((proof) => proof.verified).map((proof) => [`${proof.start}-${proof.end}`, proof]));
    return [...byPlace.values()].sort((a, b) => a.start - b.start || a.end - b.end);
  }

  tick() {
    if (this.state === null || !UNDER_WAY.has(this.state.status)) return;
    const now = performance.now() - this.at;
    for (const clock of this.sections.querySelectorAll(".clock")) clock.textContent = time(Math.max(0, now - Number(clock.dataset.began)));
  }

  async cancel() {
    try {
      await api.remove(this.id);
    } catch (problem) {
      this.complain(problem.message);
    }
  }

  async retry(section, component) {
    try {
      await api.retry(this.id, section === undefined ? {} : { section, component });
      this.complain(null);
    } catch (problem) {
      this.complain(problem.message);
    }
    this.stop();
    this.drawn.all = true;
    this.watch();
  }
}
