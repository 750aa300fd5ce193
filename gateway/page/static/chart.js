// Rates over time, drawn by uPlot.

import { t, span, clockTime } from "./texts.js";
import { el, setText } from "./dom.js";
import { Series, bands, columns } from "./series.js";

const HOURS = [1, 6, 24];
const REDRAW = 5000; // ms between redraws when nothing new came
const LEAST = 600_000; // ms, the shortest window

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

export class RateChart {
  constructor(pump, hasHistory) {
    this.pump = pump;
    this.hasHistory = hasHistory;
    this.hours = 6;
    this.series = new Series();
    this.drawn = 0;
    this.now = 0;
    this.plot = null;
    this.bands = [];
    this.build();
  }

  build() {
    this.buttons = HOURS.map((n) => {
      const b = el("button", { type: "button", "aria-label": t("chart.hours.long", { n }), "aria-pressed": String(n === this.hours) }, t("chart.hours", { n }));
      b.addEventListener("click", () => this.choose(n));
      return b;
    });
    this.note = el("p", { class: "chart-note" });
    this.values = el("p", { class: "chart-values" });
    this.box = el("div", { class: "chart", role: "img" });
    this.summary = el("p", { class: "chart-summary" });
    const key = (cls, text) => el("li", {}, el("span", { class: "key " + cls, "aria-hidden": "true" }), text);
    this.root = el(
      "section",
      { class: "chartbox", "aria-label": t("chart.title") },
      el("div", { class: "chart-head" }, el("h3", {}, t("chart.title") + ", " + t("chart.unit")), el("div", { class: "hours", role: "group" }, ...this.buttons)),
      this.box,
      this.values,
      el(
        "ul",
        { class: "keys" },
        key("rep", t("chart.reported")),
        key("set", t("chart.programmed")),
        key("rx", t("chart.prescribed")),
        key("stop", t("chart.stop")),
        key("nodata", t("chart.nodata")),
      ),
      this.summary,
      this.note,
    );
    new ResizeObserver(() => this.resize()).observe(this.box);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.rebuild());
  }

  choose(n) {
    this.hours = n;
    this.buttons.forEach((b, i) => b.setAttribute("aria-pressed", String(HOURS[i] === n)));
    this.load();
  }

  // load reads the history; live rows that come meanwhile are kept.
  async load() {
    this.drawn = 0;
    if (!this.hasHistory) {
      setText(this.note, t("chart.nohistory"));
      return;
    }
    const asked = this.hours;
    setText(this.note, t("chart.loading"));
    try {
      const answer = await fetch(`/api/history?pump=${encodeURIComponent(this.pump)}&hours=${asked}`);
      if (!answer.ok) throw new Error(await answer.text());
      const data = await answer.json();
      if (asked !== this.hours) return;
      this.series.setHistory(data);
      setText(this.note, data.thinned ? t("chart.thinned") : "");
    } catch (error) {
      if (asked === this.hours) setText(this.note, t("chart.error", { error: error.message }));
    }
    this.drawn = 0;
  }

  append(state) {
    this.series.append(state);
    this.drawn = 0;
  }

  tick(now) {
    this.now = now;
    if (Math.abs(now - this.drawn) < REDRAW || this.box.clientWidth === 0) return;
    this.drawn = now;
    const from = this.from(now);
    const rows = this.series.between(from, now);
    this.bands = bands(rows);
    const data = columns(rows);
    if (!this.plot) this.plot = new uPlot(this.options(), data, this.box);
    else this.plot.setData(data);
    this.summarize();
  }

  // from is where the window begins: not before the gateway's record of this pump does, but at least ten minutes long.
  from(now) {
    const wanted = now - this.hours * 3600_000;
    const begins = this.series.begins ?? -Infinity;
    return Math.max(wanted, Math.min(begins, now - LEAST));
  }

  summarize() {
    const sum = (kind) => this.bands.filter((b) => b.kind === kind).reduce((s, b) => s + b.to - b.from, 0);
    const n = this.bands.filter((b) => b.kind === "stop").length;
    const stops = n === 0 ? t("chart.never") : n === 1 ? t("chart.once") : t("chart.times", { n });
    const begun = (this.series.begins ?? -Infinity) > this.now - this.hours * 3600_000;
    const window = begun ? t("chart.since", { time: clockTime(this.series.begins, this.now) }) : t("chart.last", { hours: this.hours });
    const text = t("chart.summary", { window, stops, stopped: span(sum("stop")), gap: span(sum("nodata")) });
    setText(this.summary, text);
    this.box.setAttribute("aria-label", text);
  }

  resize() {
    if (this.plot && this.box.clientWidth > 0) this.plot.setSize(this.size());
    else this.drawn = 0;
  }

  rebuild() {
    this.plot?.destroy();
    this.plot = null;
    this.drawn = 0;
  }

  size() {
    return { width: this.box.clientWidth, height: 190 };
  }

  options() {
    const stepped = uPlot.paths.stepped({ align: 1 });
    const line = (label, name, width, dash) => ({ label, stroke: colour(name), width, dash, paths: stepped, points: { show: false } });
    const axis = { stroke: colour("--muted"), font: "13px system-ui, sans-serif", grid: { stroke: colour("--line"), width: 1 }, ticks: { stroke: colour("--line"), width: 1 } };
    return {
      ...this.size(),
      ms: 1,
      legend: { show: false },
      cursor: { drag: { x: false, y: false }, y: false, points: { show: false } },
      scales: {
        x: { time: true, range: () => [this.from(this.now), this.now] },
        y: { range: (_u, _min, max) => [0, (max > 0 ? max : 1) * 1.25] },
      },
      series: [
        {},
        line(t("chart.reported"), "--rep", 3),
        line(t("chart.programmed"), "--set", 2, [2, 3]),
        line(t("chart.prescribed"), "--rx", 1.5, [8, 5]),
      ],
      axes: [
        { ...axis, size: 34, space: 60, values: (_u, splits) => splits.map(hourMinute) },
        { ...axis, size: 46, space: 36 },
      ],
      hooks: { drawClear: [(u) => this.drawBands(u)], setCursor: [(u) => this.showValues(u)] },
    };
  }

  // drawBands lies under the lines. A short stop keeps a width that can be seen.
  drawBands(u) {
    const { ctx } = u;
    const { left, top, width, height } = u.bbox;
    const px = devicePixelRatio || 1;
    ctx.save();
    for (const band of this.bands) {
      const a = Math.max(left, u.valToPos(band.from, "x", true));
      const b = Math.min(left + width, Math.max(u.valToPos(band.to, "x", true), a + 2 * px));
      if (b <= a) continue;
      ctx.fillStyle = colour(band.kind === "stop" ? "--stop-soft" : "--nodata-soft");
      ctx.fillRect(a, top, b - a, height);
      if (band.kind === "stop") {
        ctx.fillStyle = colour("--stop");
        ctx.fillRect(a, top + height - 7 * px, b - a, 7 * px);
      } else hatch(ctx, a, top, b - a, height, px);
    }
    ctx.restore();
  }

  showValues(u) {
    const i = u.cursor.idx;
    if (i === null || i === undefined || u.cursor.left < 0) {
      setText(this.values, "");
      return;
    }
    const value = (s) => u.data[s][i] ?? t("chart.nodata");
    setText(this.values, `${clockTime(u.data[0][i], this.now)}: ` + [1, 2, 3].map((s) => `${u.series[s].label} ${value(s)}`).join(" · "));
  }
}

const hourMinute = (ms) => new Date(Math.round(ms / 1000) * 1000).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });

function hatch(ctx, x, y, width, height, px) {
  ctx.save();
  ctx.beginPath();
  ctx.rect(x, y, width, height);
  ctx.clip();
  ctx.strokeStyle = colour("--nodata");
  ctx.lineWidth = px;
  ctx.setLineDash([]); // the library leaves the last line's behind
  ctx.beginPath();
  const step = 8 * px;
  for (let d = Math.floor((x - height) / step) * step; d < x + width; d += step) {
    ctx.moveTo(d, y + height);
    ctx.lineTo(d + height, y);
  }
  ctx.stroke();
  ctx.restore();
}
