// What is asked of the service. The cookie is the token; the header says that it is this page that asks.

const OWN = { "x-tenk-page": "1" };

/** What went wrong, fit to be shown. */
export class Problem extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

async function ask(method, path, { form, json } = {}) {
  let response;
  try {
    response = await fetch(`/api${path}`, {
      method,
      headers: json === undefined ? OWN : { ...OWN, "content-type": "application/json" },
      body: form ?? (json === undefined ? undefined : JSON.stringify(json)),
    });
  } catch {
    throw new Problem("The service does not answer: is `tenk serve` still running?", 0);
  }
  if (response.status === 204) return null;
  const isJson = response.headers.get("content-type")?.startsWith("application/json");
  const answer = isJson ? await response.json() : null;
  if (response.ok) return answer;
  if (response.status === 401) throw new Problem("The service was started anew: open the address that it printed.", 401);
  const detail = answer?.detail;
  const said = Array.isArray(detail) ? detail.map((each) => each.msg).join("; ") : detail;
  throw new Problem(said ?? `The service answered ${response.status}.`, response.status);
}

export const setUp = () => ask("GET", "/setup");
export const recent = () => ask("GET", "/analyses");
export const begin = (form) => ask("POST", "/analyses", { form });
export const remove = (id) => ask("DELETE", `/analyses/${id}`);
export const retry = (id, which = {}) => ask("POST", `/analyses/${id}/retry`, { json: which });
export const source = (id) => ask("GET", `/analyses/${id}/source`);

/**
 * Watch an analysis. `told(state, change)` is called with the state as it is now, and what changed (null: all of it);
 * `ended()` when nothing more will come; `lost(message)` while there is no connection, with null when it is back.
 */
export function watch(id, { told, ended, lost }) {
  const events = new EventSource(`/api/analyses/${id}/events`);
  let state = null;
  events.addEventListener("open", () => lost(null));
  events.addEventListener("snapshot", (event) => {
    state = JSON.parse(event.data);
    told(state, null);
  });
  events.addEventListener("update", (event) => {
    if (state === null) return;
    const change = JSON.parse(event.data);
    merge(state, change);
    told(state, change);
  });
  events.addEventListener("end", () => {
    events.close();
    ended();
  });
  events.addEventListener("error", () => {
    const over = events.readyState === EventSource.CLOSED;
    lost(over ? "The service has no such analysis, or was started anew: open the address that it printed." : "Reconnecting …");
  });
  return () => events.close();
}

/** Merge a change into a state: objects into objects; a card, a list or a plain value takes the place of the old. */
export function merge(state, change, path = "") {
  for (const [name, value] of Object.entries(change)) {
    const inner = value !== null && typeof value === "object" && !Array.isArray(value);
    const isCard = path.endsWith("/cards");
    if (inner && !isCard && state[name] !== null && typeof state[name] === "object") merge(state[name], value, `${path}/${name}`);
    else state[name] = value;
  }
}
