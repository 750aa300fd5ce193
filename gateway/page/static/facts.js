// The gateway's own condition in words.

import { t, known, clockTime } from "./texts.js";
import { el, setText, setAttr, list, icon } from "./dom.js";
import { expired } from "./judge.js";

const SINKS = { mqtt: "fact.broker", influxdb: "fact.influxdb" };
const byId = (id) => document.getElementById(id);

function facts(h, labels, now) {
  const since = (ts) => (ts ? ", " + t("since", { time: clockTime(Date.parse(ts), now) }) : "");
  const out = (h.links ?? []).map((l) => ({
    key: "link-" + l.pump,
    name: t("fact.link", { pump: labels(l.pump) }),
    good: l.state === "online",
    text: (known("link." + l.state) ? t("link." + l.state) : l.state) + since(l.since),
    more: l.state === "online" ? "" : l.reason,
  }));
  for (const s of h.sinks ?? []) {
    const broker = s.name === "mqtt" ? ` (${t("broker." + h.broker.kind)})` : "";
    out.push({
      key: "sink-" + s.name,
      name: (SINKS[s.name] ? t(SINKS[s.name]) : s.name) + broker,
      good: s.state === "delivering" && (s.name !== "mqtt" || h.broker.connected),
      off: s.state === "disabled",
      text: t("sink." + s.state, { n: s.undelivered }) + since(s.since),
      more: s.reason,
    });
  }
  out.push({ key: "disk", name: t("fact.disk"), good: h.spool?.durable === true, text: t(h.spool?.durable ? "disk.ok" : "disk.memory"), more: h.spool?.reason });
  out.push({ key: "clock", name: t("fact.clock"), good: h.clock === "synced", text: t(h.clock === "synced" ? "clock.synced" : "clock.unsynced") });
  return out;
}

export function showGateway(message, labels, now, live) {
  const h = message?.payload;
  const section = byId("gateway");
  section.hidden = false;
  const current = Boolean(h) && live && !expired(h, now);
  setAttr(section, "data-current", String(current));
  const title = section.querySelector("h2");
  if (!h) setText(title, t("gateway.title") + ": " + t("gateway.none"));
  else if (!current) setText(title, t("gateway.title") + " – " + t("gateway.old", { time: clockTime(Date.parse(h.ts), now) }));
  else setText(title, t("gateway.title"));
  list(
    byId("facts"),
    h ? facts(h, labels, now) : [],
    () => el("li", {}, el("span", { class: "shape" }), el("span", { class: "fact" }, el("strong"), el("span"), el("span", { class: "hint" }))),
    (node, f) => {
      const tone = !current ? "stale" : f.off ? "notice" : f.good ? "ok" : "attention";
      if (node.dataset.tone !== tone) {
        node.dataset.tone = tone;
        node.firstChild.replaceChildren(icon(tone));
      }
      const [name, text, more] = node.lastChild.children;
      setText(name, f.name + ": ");
      setText(text, f.text);
      setText(more, f.more ?? "");
    },
  );
  showConditions(h, now);
}

function showConditions(h, now) {
  list(
    byId("conditions"),
    (h?.conditions ?? []).map((c) => ({ ...c, key: `${c.code}/${c.subject ?? ""}` })),
    () => el("div", { class: "condition" }, el("strong"), el("span"), el("span", { class: "hint" })),
    (node, c) => {
      setAttr(node, "data-priority", c.priority);
      setText(node.children[0], t("priority." + c.priority) + " · ");
      setText(node.children[1], [c.text, c.detail, t("alerts.since", { time: clockTime(Date.parse(c.since), now) })].filter(Boolean).join(" · "));
      setText(node.children[2], c.hint ? t("condition.hint", { hint: c.hint }) : "");
    },
  );
}

// watchingText is what the gateway says while it is to be believed. A stale message confirms nobody.
export function watching(message, now, live) {
  const h = message?.payload;
  const confirmed = Boolean(h) && live && !expired(h, now) && h.watching?.confirmed === true;
  const text = (confirmed || (h && h.watching?.confirmed === false)) && h.watching.text;
  return { confirmed, text: text || t("watching.nobody") };
}
