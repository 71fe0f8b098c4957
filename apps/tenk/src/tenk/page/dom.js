// Elements from words. All text goes in as text: nothing in a filing or an answer is ever markup here.

/** An element: `props` are attributes, `on…` listeners, `text` its text; null and false are left out. */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "text") element.textContent = value;
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Put other children into an element, if it is there. */
export function fill(element, ...children) {
  element.replaceChildren(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

let waiting = null;

/** Say something to who listens to the page instead of looking at it; what comes at once is said in one. */
export function say(words) {
  if (waiting === null) {
    waiting = [];
    setTimeout(() => {
      document.getElementById("says").textContent = waiting.slice(-3).join(" ");
      waiting = null;
    }, 700);
  }
  waiting.push(words);
}

/** An icon: a sign that stands beside a word, never for one. */
export const sign = (symbol, name = "") => h("span", { class: `sign ${name}`, "aria-hidden": "true", text: symbol });
