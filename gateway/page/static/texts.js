// Texts come from one data file, so that another language is another file.

let texts = {};

export async function loadTexts(url) {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${url}: ${answer.status}`);
  texts = await answer.json();
}

// t fills a text. A missing text shows its key: visible, and found by a test.
export function t(key, values = {}) {
  const text = texts[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

export function known(key) {
  return key in texts;
}

// sentence begins with a capital.
export function sentence(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

// clockTime is hh:mm in the reader's zone, with the day when it is not today's.
export function clockTime(ms, nowMs) {
  const at = new Date(ms);
  const time = at.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
  if (at.toDateString() === new Date(nowMs).toDateString()) return time;
  return at.toLocaleDateString("en-GB", { day: "numeric", month: "short" }) + " " + time;
}

export function clockSeconds(ms) {
  return new Date(ms).toLocaleTimeString("en-GB");
}

// keepTogether stops a line from breaking between number and unit, and inside "pump-reported".
export function keepTogether(text) {
  return text.replaceAll(" mL/h", "\u00a0mL/h").replaceAll("pump-reported", "pump\u2011reported");
}

// span is how long something lasted, to the nearest unit.
export function span(ms) {
  return ms < 119_500 ? t("age.s", { n: Math.round(ms / 1000) }) : duration(Math.round(ms / 60_000) * 60_000);
}

// duration rounds down: an age never looks younger than it is by more than its unit.
export function duration(ms) {
  const s = Math.max(0, Math.floor(ms / 1000));
  if (s < 120) return t("age.s", { n: s });
  const min = Math.floor(s / 60);
  if (min < 120) return t("age.min", { n: min });
  return t("age.h", { h: Math.floor(min / 60), min: min % 60 });
}
