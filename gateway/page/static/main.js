// The home page: keeps what the gateway said, and shows it anew every second with its age.

import { t, loadTexts, clockSeconds } from "./texts.js";
import { setText, setAttr, icon, el } from "./dom.js";
import { GatewayClock } from "./clock.js";
import { Live } from "./live.js";
import { judgePump } from "./judge.js";
import { Card } from "./card.js";
import { showGateway, watching } from "./facts.js";

const byId = (id) => document.getElementById(id);

class Page {
  constructor() {
    this.clock = new GatewayClock();
    this.pumps = new Map(); // name -> {name, label, state, alerts}
    this.cards = new Map();
    this.health = null;
    this.gateway = "";
    this.simulated = false;
    this.begun = false;
    this.live = new Live({
      snapshot: (data, asked) => this.snapshot(data, asked),
      message: (data) => this.message(data, true),
      beat: (data) => this.beat(data),
      failed: () => this.show(),
    });
  }

  start() {
    this.live.begin();
    setInterval(() => this.tick(), 1000);
    // What was painted before a sleep is the first thing seen after it: leave it grey.
    document.addEventListener("visibilitychange", () => (document.hidden ? this.sleep() : this.askAgain()));
    window.addEventListener("pageshow", (event) => event.persisted && this.askAgain());
    document.addEventListener("freeze", () => this.sleep());
    document.addEventListener("resume", () => this.askAgain());
    this.show();
  }

  tick() {
    if (this.clock.ticked()) this.askAgain();
    else this.live.tick();
    this.show();
  }

  sleep() {
    this.clock.forget();
    this.show();
  }

  // askAgain believes nothing until the gateway has sent everything anew.
  askAgain() {
    this.clock.forget();
    this.live.begin();
    this.show();
  }

  beat(data) {
    if (this.clock.trusted && !this.clock.beat(Date.parse(data.server_ts))) this.askAgain();
  }

  snapshot(data, asked) {
    this.clock.anchor(Date.parse(data.server_ts), asked);
    this.gateway = data.gateway;
    this.simulated = data.simulated;
    setText(byId("notice"), data.notice);
    this.health = null;
    this.pumps = new Map(data.pumps.map((p) => [p.name, { ...p, state: null, alerts: null }]));
    this.buildCards(data);
    for (const m of data.messages) this.keep(m, false);
    for (const card of this.cards.values()) card.chart.load();
    this.begun = true;
    this.show();
  }

  buildCards(data) {
    const names = data.pumps.map((p) => p.name).join();
    if (names === [...this.cards.keys()].join()) return;
    this.cards = new Map(data.pumps.map((p) => [p.name, new Card(p, data.history)]));
    byId("pumps").replaceChildren(...[...this.cards.values()].map((c) => c.root));
  }

  message(data) {
    this.keep(data, true);
    this.show();
  }

  // keep puts a message in the place of the one before. Without a payload nothing is known.
  keep(m, live) {
    const kept = m.payload ? { payload: m.payload, live } : null;
    if (m.payload?.source === "sim") this.simulated = true;
    if (m.kind === "health") this.health = kept;
    const pump = this.pumps.get(m.pump);
    if (!pump) return;
    if (m.kind === "state") {
      pump.state = kept;
      if (kept) this.cards.get(m.pump).chart.append(kept.payload);
    }
    if (m.kind === "alerts") pump.alerts = kept;
  }

  get connection() {
    if (this.live.lost) return this.live.busy ? "busy" : "lost";
    if (!this.begun) return "starting";
    return this.clock.trusted ? "live" : "asleep";
  }

  // show never leaves an old picture standing when it fails.
  show() {
    try {
      this.render();
    } catch (error) {
      console.error(error);
      document.body.classList.add("past");
      byId("pumps").replaceChildren();
      byId("trouble").replaceChildren(el("p", { class: "trouble" }, icon("unknown"), el("span", {}, t("trouble.broken"))));
    }
  }

  render() {
    const connection = this.connection;
    const now = this.clock.now();
    const live = connection === "live";
    document.body.classList.toggle("past", !live);
    document.body.dataset.connection = connection;
    byId("first").hidden = this.begun || connection === "lost" || connection === "busy";
    setText(byId("title"), this.gateway ? t("title", { gateway: this.gateway }) : "infusiond");
    setText(byId("connection"), t("connection." + (connection === "busy" ? "lost" : connection), { time: clockSeconds(now) }));
    this.showBanners(connection, now, live);
    let calm = true;
    for (const [name, pump] of this.pumps) {
      const view = judge(pump, now, connection);
      this.cards.get(name).show(view, now);
      this.cards.get(name).chart.tick(now);
      calm = calm && view.tone === "ok";
    }
    if (this.begun) showGateway(this.health, (name) => this.pumps.get(name)?.label?.text || name, now, live);
    document.title = `${t(!live ? "title.past" : calm ? "title.ok" : "title.attention")} · ${this.gateway || "infusiond"}`;
  }

  showBanners(connection, now, live) {
    const lines = [];
    if (!live && (this.begun || connection !== "starting")) lines.push(["lost", t("trouble." + connection)]);
    if (this.health?.payload?.clock === "unsynced") lines.push(["attention", t("trouble.unsynced")]);
    const trouble = byId("trouble");
    const key = lines.join("|");
    if (trouble.dataset.key !== key) {
      trouble.dataset.key = key;
      trouble.replaceChildren(...lines.map(([tone, text]) => el("p", { class: "trouble" }, icon(tone), el("span", {}, text))));
    }
    byId("simulated").hidden = !this.simulated;
    setText(byId("simulated"), t("simulated"));
    const w = watching(this.health, now, live);
    const box = byId("watching");
    setAttr(box, "data-confirmed", String(w.confirmed));
    if (box.dataset.text !== w.text) {
      box.dataset.text = w.text;
      box.replaceChildren(icon(w.confirmed ? "notice" : "attention"), el("span", {}, w.text));
    }
  }
}

// judge keeps one pump's unreadable message from hiding the other pumps.
function judge(pump, now, connection) {
  try {
    return judgePump(pump, now, connection);
  } catch {
    const alerts = { list: [], known: false, payload: null };
    return { label: pump.label, drug: "", tone: "unknown", says: t("says.unreadable"), age: "", numbers: [], reasons: [], alerts, fresh: false };
  }
}

function fillTexts() {
  for (const node of document.querySelectorAll("[data-t]")) setText(node, t(node.dataset.t));
}

await loadTexts("/static/texts.en.json");
fillTexts();
new Page().start();
