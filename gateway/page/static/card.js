// One pump's card.

import { t, clockTime, sentence, keepTogether } from "./texts.js";
import { el, setText, setAttr, list, icon } from "./dom.js";
import { RateChart } from "./chart.js";

const COLOURS = new Set(["blue", "red", "green", "yellow", "orange", "purple", "pink", "brown", "white", "black", "grey", "gray", "turquoise"]);

export class Card {
  constructor(pump, hasHistory) {
    this.name = pump.name;
    const id = "pump-" + pump.name;
    this.swatch = el("span", { class: "swatch", "aria-hidden": "true" });
    this.label = el("span", { class: "label" });
    this.word = el("span", { class: "word" });
    this.badge = el("p", { class: "badge" }, this.word);
    this.says = el("p", { class: "says", "aria-live": "polite" });
    this.age = el("p", { class: "age" });
    this.numbers = el("dl", { class: "numbers" });
    this.reasons = el("ul", { class: "reasons" });
    this.alertsTitle = el("h3", { id: id + "-alerts" });
    this.alerts = el("ul", { class: "alerts" });
    this.alertsBox = el("div", { class: "alertbox", role: "region", "aria-labelledby": id + "-alerts", "aria-live": "assertive" }, this.alertsTitle, this.alerts);
    this.chart = new RateChart(pump.name, hasHistory);
    this.root = el(
      "article",
      { class: "card", id, "aria-labelledby": id + "-title" },
      el("div", { class: "head" }, el("h2", { id: id + "-title" }, this.swatch, this.label), this.badge),
      this.says,
      this.age,
      this.alertsBox,
      this.reasons,
      this.numbers,
      this.chart.root,
    );
  }

  show(view, now) {
    this.head(view);
    setText(this.says, keepTogether(view.says));
    setText(this.age, view.age);
    setAttr(this.root, "data-fresh", String(view.fresh));
    list(
      this.numbers,
      view.numbers.map((n) => ({ ...n, key: n.name })),
      (n) => el("div", {}, el("dt", {}, n.name), el("dd")),
      (node, n) => setText(node.lastChild, keepTogether(n.value)),
    );
    const told = new Set(view.alerts.list.map((a) => a.hint));
    list(
      this.reasons,
      view.reasons.map((r) => ({ ...r, key: r.text })),
      (r) => el("li", {}, el("span", {}, r.text), el("span", { class: "hint" })),
      (node, r) => setText(node.lastChild, r.hint && !told.has(r.hint) ? t("alerts.hint", { hint: r.hint }) : ""),
    );
    this.showAlerts(view.alerts, now, view.tone === "lost");
  }

  head(view) {
    const colour = (view.label.colour ?? "").toLowerCase();
    const text = view.label.text || this.name;
    const named = !colour || text.toLowerCase().includes(colour) ? text : `${text} (${colour})`;
    setText(this.label, view.drug ? `${named} – ${view.drug}` : named);
    setAttr(this.swatch, "data-colour", COLOURS.has(colour) ? colour : "none");
    if (this.root.dataset.tone !== view.tone) {
      this.root.dataset.tone = view.tone;
      this.badge.replaceChildren(icon(view.tone), this.word);
    }
    setText(this.word, t("tone." + view.tone));
  }

  showAlerts(alerts, now, past) {
    const current = alerts.known && !past;
    setAttr(this.alertsBox, "data-current", String(current));
    if (alerts.list.length > 0) setText(this.alertsTitle, t(current ? "alerts.title" : "alerts.last"));
    else if (current) setText(this.alertsTitle, t(alerts.complete ? "alerts.none" : "alerts.incomplete"));
    else setText(this.alertsTitle, t("alerts.unknown"));
    list(
      this.alerts,
      alerts.list.map((a) => ({ ...a, key: a.id })),
      () => el("li", {}, el("p", { class: "alert-head" }), el("p", { class: "alert-text" }), el("p", { class: "hint" }), el("p", { class: "alert-more" })),
      (node, a) => this.fillAlert(node, a, now),
    );
  }

  fillAlert(node, a, now) {
    setAttr(node, "data-priority", a.priority);
    const [head, text, hint, more] = node.children;
    if (head.childElementCount === 0 || node.dataset.shape !== a.priority) {
      node.dataset.shape = a.priority;
      const shape = { high: "alarm", medium: "attention" }[a.priority] ?? "notice";
      head.replaceChildren(icon(shape), el("strong"), el("span"));
    }
    setText(head.children[1], t("priority." + a.priority));
    setText(head.children[2], t("alerts.since", { time: clockTime(Date.parse(a.onset_ts), now) }));
    setText(text, sentence(a.text) + (a.detail ? ": " + a.detail : ""));
    setText(hint, a.hint ? t("alerts.hint", { hint: a.hint }) : "");
    const lines = [];
    if (a.pump_text) lines.push(t("alerts.pump", { text: a.pump_text }));
    const ack = a.acknowledgement;
    if (ack) {
      lines.push(
        t("alerts.ack", { by: ack.by, role: ack.role, time: clockTime(Date.parse(ack.ts), now), until: clockTime(Date.parse(ack.until), now) }),
      );
    }
    setText(more, lines.join(" "));
  }
}
