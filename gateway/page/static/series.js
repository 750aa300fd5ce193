// The rows of one pump's chart: history from the gateway, continued by the live states.
//
// A row is {ts, rx, set, rep, status}; its values hold until the next row, null is unknown. Where
// nothing was heard a blank row stands: a gap is never bridged and never zero.

const HOLD = 30_000; // ms that a value may stand for the present
const STEP = 5_000; // ms after which a value ends when silence follows

const RUNNING = new Set(["infusing", "bolus"]);

export const blank = (ts) => ({ ts, rx: null, set: null, rep: null, status: "unknown" });

const same = (a, b) => a.rx === b.rx && a.set === b.set && a.rep === b.rep && a.status === b.status;
const num = (n) => n ?? null;

function rowOf(state) {
  const known = state.delivery_status && state.delivery_status !== "unknown";
  return {
    ts: Date.parse(state.ts),
    rx: num(state.verdict?.inputs?.prescribed_rate_ml_per_h),
    set: num(state.programmed_rate_ml_per_h),
    rep: num(state.pump_reported_rate_ml_per_h),
    status: !known ? "unknown" : RUNNING.has(state.delivery_status) ? "running" : "not_running",
  };
}

export class Series {
  constructor() {
    this.history = [];
    this.recent = [];
    this.begins = null; // when the gateway's record of this pump begins
  }

  // setHistory takes the answer of /api/history and keeps the newer live rows.
  setHistory(a) {
    this.begins = a.begins_ms ?? this.recent[0]?.ts ?? null;
    this.history = a.ts_ms.map((ts, i) => ({
      ts,
      rx: a.prescribed_rate_ml_per_h[i],
      set: a.programmed_rate_ml_per_h[i],
      rep: a.pump_reported_rate_ml_per_h[i],
      status: a.status[i],
    }));
    const last = this.history.at(-1)?.ts ?? -Infinity;
    const newer = this.recent.filter((row) => row.ts > last);
    this.recent = [];
    for (const row of newer) this.push(row);
  }

  append(state) {
    const row = rowOf(state);
    const last = this.recent.at(-1) ?? this.history.at(-1);
    if (last && row.ts <= last.ts) return; // told before, or a clock that was set back
    this.push(row);
  }

  push(row) {
    const last = this.recent.at(-1) ?? this.history.at(-1);
    if (last && row.ts - last.ts > HOLD) this.recent.push(blank(last.ts + STEP));
    const [a, b] = this.recent.slice(-2);
    if (b && same(a, b) && same(b, row)) b.ts = row.ts;
    else this.recent.push(row);
  }

  // between gives the rows of a window, the last of them at its end.
  between(from, now) {
    const all = [...this.history, ...this.recent].filter((row) => row.ts <= now);
    const start = all.findLastIndex((row) => row.ts <= from);
    const rows = start < 0 ? [blank(from), ...all] : [{ ...all[start], ts: from }, ...all.slice(start + 1)];
    const last = all.at(-1);
    if (!last) return [blank(from), blank(now)];
    if (now - last.ts > HOLD) rows.push(blank(last.ts + STEP), blank(now));
    else rows.push({ ...last, ts: now });
    return rows;
  }
}

// bands are the stretches in which the pump reported that it did not run, and those without data.
export function bands(rows) {
  const out = [];
  for (let i = 0; i + 1 < rows.length; i++) {
    const kind = { not_running: "stop", unknown: "nodata" }[rows[i].status];
    if (!kind) continue;
    const last = out.at(-1);
    if (last && last.kind === kind && last.to === rows[i].ts) last.to = rows[i + 1].ts;
    else out.push({ kind, from: rows[i].ts, to: rows[i + 1].ts });
  }
  return out;
}

// columns are the rows as the chart library takes them. A value is drawn up to the moment at which it ends.
export function columns(rows) {
  const out = [[], [], [], []];
  const put = (ts, row) => [ts, row.rep, row.set, row.rx].forEach((v, i) => out[i].push(v));
  rows.forEach((row, i) => {
    const before = rows[i - 1];
    const ends = before && ["rx", "set", "rep"].some((k) => before[k] !== null && row[k] === null);
    if (ends) put(Math.max(before.ts, row.ts - 1), before);
    put(row.ts, row);
  });
  return out;
}
