// The first view: drop a file, take a sample, type a ticker; and what was analysed before.

import * as api from "./api.js";
import { fill, h, say, sign } from "./dom.js";
import { ago, count, inWords, plural, time } from "./words.js";

const STATES = {
  waiting: ["◌", "waiting"], reading: ["◐", "reading the filing"], running: ["◐", "running"], done: ["✓", "done"],
  partial: ["◑", "partly done"], failed: ["✕", "failed"], cancelled: ["–", "cancelled"],
};
const UNDER_WAY = new Set(["waiting", "reading", "running"]);

/** Show it in `main`; gives what ends it. */
export function startView(main) {
  document.title = "tenk";
  document.getElementById("source").hidden = true;
  const note = h("p", { class: "note", role: "alert", hidden: true });
  const list = h("div", { class: "recent" });
  const chooser = h("div", { class: "chooser" });
  fill(main, h("div", { class: "start" },
    h("h1", { text: "Read an annual report, with its proof." }),
    h("p", { class: "lead", text: "Drop a company’s 10-K. Four analysts read it at once, each question is a call of its own, and every claim comes with the sentence that it stands on." }),
    chooser, note, list));
  let timer = null;
  let over = false;

  const complain = (problem) => {
    note.textContent = problem.message;
    note.hidden = false;
  };

  api.setUp().then((setup) => over || fill(chooser, ...choices(setup, begin, complain)), complain);

  async function begin(fields, what) {
    note.hidden = true;
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) form.append(name, value);
    chooser.setAttribute("aria-busy", "true");
    say(`Beginning with ${what}.`);
    try {
      const state = await api.begin(form);
      location.hash = `#/a/${state.id}`;
    } catch (problem) {
      complain(problem);
    } finally {
      chooser.removeAttribute("aria-busy");
    }
  }

  async function refresh() {
    clearTimeout(timer);
    try {
      const found = await api.recent();
      if (over) return;
      fill(list, ...rows(found, refresh, complain));
      if (found.some((each) => UNDER_WAY.has(each.status))) timer = setTimeout(refresh, 1500);
    } catch (problem) {
      complain(problem);
    }
  }
  refresh();
  return () => {
    over = true;
    clearTimeout(timer);
  };
}

function choices(setup, begin, complain) {
  const options = choose(setup);
  const take = (file) => {
    if (file.size > setup.upload) complain({ message: `${file.name} is larger than the ${count(setup.upload / 2 ** 20)} MB that are taken.` });
    else begin({ file, ...options.fields() }, file.name);
  };
  const input = h("input", { type: "file", id: "file", class: "unseen", onchange: () => input.files[0] && take(input.files[0]) });
  const zone = h("label", { class: "drop", for: "file" },
    sign("⤓", "big"), h("strong", { text: "Drop a 10-K here" }), h("span", { text: "or choose a file: HTML, text, a full submission, also in gzip" }));
  for (const kind of ["dragenter", "dragover"]) zone.addEventListener(kind, (event) => { event.preventDefault(); zone.classList.add("over"); });
  zone.addEventListener("dragleave", () => zone.classList.remove("over"));
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    zone.classList.remove("over");
    if (event.dataTransfer.files[0]) take(event.dataTransfer.files[0]);
  });
  const samples = setup.samples.map((sample) => {
    const [company, rest] = sample.title.split(": ");
    return h("button", { type: "button", class: "choice", onclick: () => begin({ sample: sample.name, ...options.fields() }, company) },
      h("strong", { text: company }), h("span", { text: rest ?? "" }));
  });
  return [
    h("div", { class: "ways" },
      h("div", { class: "way drop-way" }, input, zone),
      h("div", { class: "way" }, h("h2", { text: "A sample" }), samples),
      h("div", { class: "way" }, h("h2", { text: "By ticker" }), tickerForm(setup, options, begin))),
    options.element,
  ];
}

function tickerForm(setup, options, begin) {
  const why = setup.no_tickers;
  const input = h("input", {
    type: "text", id: "ticker", name: "ticker", maxlength: 9, autocomplete: "off", spellcheck: "false", placeholder: "AAPL",
    disabled: why !== null, "aria-describedby": "ticker-why", pattern: "[A-Za-z][A-Za-z0-9]{0,5}([.\\-][A-Za-z]{1,2})?", required: true,
  });
  const submit = (event) => {
    event.preventDefault();
    begin({ ticker: input.value.trim(), ...options.fields() }, input.value.trim());
  };
  return h("form", { class: "ticker", onsubmit: submit },
    h("label", { class: "unseen", for: "ticker", text: "Ticker of a company" }), input,
    h("button", { type: "submit", class: "button", disabled: why !== null, text: "Fetch" }),
    h("p", { id: "ticker-why", class: "small", text: why ?? "The newest 10-K, from the SEC’s EDGAR." }));
}

/** The sections and the model: what goes with whichever filing is chosen. */
function choose(setup) {
  const boxes = Object.keys(setup.sections).map((name) => [name, h("input", { type: "checkbox", id: `include-${name}`, checked: true })]);
  const model = h("select", { id: "model" }, setup.models.map((name) => h("option", { value: name, text: name })));
  const element = h("fieldset", { class: "options" },
    h("legend", { text: "What to ask" }),
    boxes.map(([name, box]) => h("label", { class: "check", for: box.id }, box, h("span", { text: inWords(name) }))),
    h("label", { class: "model", for: "model" }, h("span", { text: "Answered by" }), model));
  const fields = () => ({ model: model.value, ...Object.fromEntries(boxes.map(([name, box]) => [`include_${name}`, box.checked])) });
  return { element, fields };
}

function rows(found, refresh, complain) {
  if (found.length === 0) return [];
  return [
    h("h2", { text: "Recent analyses" }),
    h("ul", { class: "rows" }, found.slice(0, 50).map((each) => row(each, refresh, complain))),
  ];
}

function row(each, refresh, complain) {
  const [symbol, status] = STATES[each.status];
  const busy = UNDER_WAY.has(each.status);
  const title = each.company ?? each.name;
  const year = each.period_end ? ` · year to ${each.period_end}` : "";
  const facts = each.components === 0 ? (each.reason ?? "") :
    `${each.done} of ${each.components} components · ${each.verified} of ${plural(each.quotes, "quote")} verified · ${time(each.elapsed_ms)}`;
  const end = () => api.remove(each.id).then(refresh, complain);
  return h("li", { class: `row ${each.status}` },
    h("a", { href: `#/a/${each.id}` },
      h("span", { class: `chip ${each.status}` }, sign(symbol), status),
      h("strong", { text: title }), h("span", { class: "small", text: `${each.name === title ? "" : each.name}${year}` }),
      h("span", { class: "small facts", text: facts }), h("span", { class: "small when", text: `${each.model} · ${ago(each.created)}` })),
    h("button", { type: "button", class: "plain", onclick: end, "aria-label": `${busy ? "Cancel" : "Forget"} ${title}`, text: busy ? "Cancel" : "Forget" }));
}
