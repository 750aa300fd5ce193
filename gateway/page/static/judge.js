// What one pump's messages mean at one moment. Pure: everything is an argument.
//
// Nothing here concludes that a pump does well; it only takes away: what is too old, what is not
// known, what lacks a condition for green.

import { t, known, sentence, duration, clockTime } from "./texts.js";

export const OLD = 30_000; // ms: grey, "last known"
export const TOO_OLD = 120_000; // ms: no numbers
const AHEAD = 5_000; // ms by which a message may be ahead of the gateway's time
const ORDER = ["high", "medium", "low", "info"];

const parse = (text) => (text ? Date.parse(text) : NaN);

// expired is true also for a message that does not say how long it holds.
export function expired(payload, now) {
  return !(parse(payload.valid_until) >= now);
}

// openAlerts are sorted by priority; known tells whether the set can be believed now.
export function openAlerts(message, now) {
  const payload = message?.payload;
  if (!payload) return { list: [], known: false, payload: null };
  const list = [...(payload.alerts ?? [])].sort(
    (a, b) => ORDER.indexOf(a.priority) - ORDER.indexOf(b.priority) || String(a.onset_ts).localeCompare(String(b.onset_ts)),
  );
  return { list, known: !expired(payload, now), payload };
}

function reading(state, now) {
  const unknown = state.delivery_status === "unknown" || !state.delivery_status;
  const old = state.last_known?.reading;
  const at = unknown ? parse(old?.ts ?? state.last_reading_ts) : parse(state.last_reading_ts ?? state.ts);
  const values = unknown ? old : state;
  return {
    unknown,
    at,
    age: now - at,
    status: values?.delivery_status ?? "unknown",
    reported: values?.pump_reported_rate_ml_per_h,
    programmed: values?.programmed_rate_ml_per_h,
  };
}

// missing lists the conditions for green that are not met (HZ-38).
function missing(state, alerts) {
  const out = [];
  if (state.link?.state !== "online") {
    out.push(t("missing.link", { state: t("link." + (state.link?.state ?? "absent")) }));
  }
  if (!state.verdict?.prescription) out.push(t("missing.prescription"));
  else if (state.verdict.inputs?.bag_confirmed !== "yes") out.push(t("missing.bag"));
  if (!alerts.known) out.push(t("missing.alerts"));
  if (!alerts.complete) out.push(t("missing.alarms"));
  return out;
}

function toneOf(state, r, alerts, lacking, now, certain) {
  const high = alerts.known && alerts.list.find((a) => a.priority === "high");
  if (high) return high.origin === "pump" ? "alarm.pump" : "alarm.check";
  if (Number.isNaN(r.age)) return "unknown";
  if (r.age > TOO_OLD) return "noreading";
  if (expired(state, now) || now - parse(state.ts) > OLD || (!r.unknown && r.age > OLD)) return "stale";
  if (!certain) return "unknown";
  if (r.unknown) return "unknown";
  if (state.verdict?.verdict === "deviation") return "deviation";
  if (alerts.known && alerts.list.some((a) => a.priority !== "low" && a.priority !== "info")) return "attention";
  if (state.verdict?.verdict !== "ok" || lacking.length > 0) return "unknown";
  if (alerts.list.length > 0) return "notice";
  return "ok";
}

function says(tone, r, certain, now) {
  const status = t("status." + r.status);
  if (tone.startsWith("alarm")) return r.unknown || !(r.age <= OLD) ? t("says.alarm.unknown") : sentence(t("says.alarm", { status }));
  if (Number.isNaN(r.at)) return t("says.never");
  if (r.age > TOO_OLD) return t("says.since", { time: clockTime(r.at, now) });
  if (!certain) return t("says.clock");
  if (r.unknown) return t("says.noreading");
  if (tone === "stale") return t("says.stale", { status });
  if (tone === "unknown") return sentence(t("says.unverified", { status }));
  return sentence(t("says." + tone, { status }));
}

function numbers(state, r) {
  const perHour = (n) => (n === undefined || n === null ? t("rate.none") : t("rate.ml_per_h", { n }));
  const rx = state.verdict?.inputs?.prescribed_rate_ml_per_h;
  return [
    { name: t("rate.reported"), value: perHour(r.reported) },
    { name: t("rate.programmed"), value: perHour(r.programmed) },
    { name: t("rate.prescribed"), value: state.prescribed_text || (rx === undefined ? "" : perHour(rx)) },
  ].filter((n) => n.value !== "");
}

function reasons(state, r, lacking, certain) {
  const out = (state.verdict?.reasons ?? []).map((f) => ({ text: f.text, hint: f.hint }));
  if (r.unknown && state.unknown_reason) {
    const key = "gap." + state.unknown_reason;
    const reason = known(key) ? t(key) : state.unknown_detail || state.unknown_reason;
    out.push({ text: t("missing.reason", { reason }) });
  }
  if (!certain) out.push({ text: t("missing.unsynced") });
  if (!r.unknown) for (const text of lacking) if (!out.some((o) => o.text === text)) out.push({ text });
  return out;
}

// judgePump gives what a card shows. connection is live, or anything else for "the past".
export function judgePump(pump, now, connection) {
  const state = pump.state?.payload;
  const alerts = openAlerts(pump.alerts, now);
  // An empty set means none only while the pump's own alarms can be told.
  alerts.complete = alerts.payload?.pump_alarms_known === "yes" && state?.pump_alarms?.known !== "no";
  const label = state?.label?.text ? state.label : pump.label;
  const base = { label, drug: state?.drug ?? "", alerts, numbers: [], reasons: [], age: "", fresh: false };
  const past = connection !== "live";
  if (!state) return { ...base, tone: past ? "lost" : "unknown", says: t("says.nostate") };

  const r = reading(state, now);
  // A message of an unset clock, or from the future, tells no age.
  const certain = !(state.clock === "unsynced" && !pump.state.live) && parse(state.ts) - now < AHEAD && !(r.age < -AHEAD);
  const lacking = missing(state, alerts);
  let tone = toneOf(state, r, alerts, lacking, now, certain);
  if (past) tone = "lost";
  const view = { ...base, tone, says: says(past ? "stale" : tone, r, certain, now) };
  view.fresh = !past && certain && !r.unknown && r.age <= OLD && !expired(state, now);
  // What an open alert says in full is not said twice.
  const said = new Set((alerts.payload?.alerts ?? []).map((a) => a.detail));
  view.reasons = past ? [] : reasons(state, r, lacking, certain).filter((reason) => !said.has(reason.text));
  if (!Number.isNaN(r.age) && r.age <= TOO_OLD && certain) {
    view.numbers = numbers(state, r);
    view.age = t(view.fresh ? "age.checked" : "age.last", { age: duration(r.age) });
  }
  return view;
}
