// How things are said: names, numbers, money, time.

const SMALL = { mda: "Management’s discussion", risk_factors: "Risk factors", business: "Business", financials: "Financial statements" };
const SYMBOLS = { USD: "$", EUR: "€", GBP: "£", JPY: "¥" };
const whole = new Intl.NumberFormat("en-US");
const fine = new Intl.NumberFormat("en-US", { maximumFractionDigits: 2 });
const finer = new Intl.NumberFormat("en-US", { maximumFractionDigits: 4 });

/** `key_products` as *Key products*. */
export function inWords(name) {
  const words = (SMALL[name] ?? name.replaceAll("_", " ")).replace(/\bpct\b/, "percent").replace(/\beps\b/, "EPS");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

export const number = (value) => finer.format(value);
export const count = (value) => whole.format(value);

/** 398,005 as *398k*. */
export function short(value) {
  if (value < 10_000) return whole.format(value);
  return value < 1_000_000 ? `${whole.format(Math.round(value / 1000))}k` : `${fine.format(value / 1_000_000)}M`;
}

/** `{amount: -1.5, scale: "billions"}` as *−$1.5 billion*. */
export function money({ amount, scale, currency }) {
  const symbol = SYMBOLS[currency] ?? `${currency} `;
  const unit = scale === "units" ? "" : ` ${scale.replace(/s$/, "")}`;
  return `${amount < 0 ? "−" : ""}${symbol}${finer.format(Math.abs(amount))}${unit}`;
}

/** `{value: 60922, unit: "USD millions"}` as *60,922 USD millions*. */
export function quantity({ value, unit }) {
  const said = finer.format(value).replace("-", "−");
  return unit === "percent" || unit === "%" ? `${said}%` : `${said} ${unit}`;
}

/** A change in percent with its sign. */
export const change = (percent) => `${percent > 0 ? "+" : percent < 0 ? "−" : ""}${fine.format(Math.abs(percent))}%`;

/** Milliseconds as one says them. */
export function time(ms) {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  const seconds = ms / 1000;
  if (seconds < 100) return `${seconds.toFixed(1)} s`;
  return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}

/** When something was, from now. */
export function ago(created) {
  const seconds = Math.max(0, Date.now() / 1000 - created);
  if (seconds < 60) return "just now";
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`;
  return new Date(created * 1000).toLocaleDateString();
}

export const plural = (many, one, more = `${one}s`) => `${count(many)} ${many === 1 ? one : more}`;
