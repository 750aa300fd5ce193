package message_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"strconv"
	"strings"
	"testing"

	"infusiond/gateway/message/schema"
)

// edit sets (or with absent removes) the member at a path like "verdict.reasons.0.code".
func edit(t *testing.T, doc any, path string, value any) {
	t.Helper()
	first, rest, more := strings.Cut(path, ".")
	switch d := doc.(type) {
	case map[string]any:
		switch {
		case more:
			edit(t, d[first], rest, value)
		case value == absent:
			if _, has := d[first]; !has {
				t.Fatalf("%s is not there to be removed", path)
			}
			delete(d, first)
		default:
			d[first] = value
		}
	case []any:
		i, err := strconv.Atoi(first)
		if err != nil || i >= len(d) {
			t.Fatalf("no item %q", first)
		}
		if more {
			edit(t, d[i], rest, value)
		} else {
			d[i] = value
		}
	default:
		t.Fatalf("nothing at %q", path)
	}
}

const absent = "\x00absent"

// set is one change of a good example.
type set struct {
	path  string
	value any
}

type obj = map[string]any

func badMessages() []badMessage {
	n := func(text string) json.Number { return json.Number(text) }
	finding := obj{"check": "C1", "code": "rate_mismatch", "verdict": "deviation", "text": "x"}
	return []badMessage{
		{"number beside unknown_reason", "observation-unknown-no-reply", []set{{"programmed_rate_ml_per_h", n("1.11")}}},
		{"zero rate beside unknown_reason", "observation-unknown-no-reply", []set{{"pump_reported_rate_ml_per_h", n("0")}}},
		{"volume beside unknown_reason", "state-unknown-last-known", []set{{"pump_reported_volume_infused_ml", n("12.34")}}},
		{"battery beside unknown_reason", "observation-unknown-no-reply", []set{{"battery", obj{"ts": "2026-07-15T14:30:02.118Z"}}}},
		{"mode beside unknown_reason", "observation-unknown-no-reply", []set{{"mode", "CONT"}}},
		{"alarms known beside unknown_reason", "observation-unknown-no-reply", []set{{"pump_alarms", obj{"known": "yes"}}}},
		{"status infusing beside unknown_reason", "observation-unknown-no-reply", []set{{"delivery_status", "infusing"}}},
		{"verdict ok beside unknown_reason", "observation-unknown-no-reply", []set{{"verdict", obj{"verdict": "ok"}}}},
		{"verdict deviation beside unknown_reason", "observation-unknown-no-reply", []set{{"verdict", obj{"verdict": "deviation", "reasons": []any{finding}}}}},
		{"verdict ok with status unknown", "observation-ok", []set{{"delivery_status", "unknown"}}},
		{"verdict ok while the link is silent", "state-ok", []set{{"link.state", "silent"}}},
		{"verdict ok without inputs", "observation-ok", []set{{"verdict.inputs", absent}}},
		{"verdict ok without prescription", "observation-ok", []set{{"verdict.prescription", absent}}},
		{"verdict ok without confirmed bag", "observation-ok", []set{{"verdict.inputs.bag_confirmed", "no"}}},
		{"verdict ok with a reason", "observation-ok", []set{{"verdict.reasons", []any{finding}}}},
		{"verdict unknown without reasons", "observation-unknown-no-reply", []set{{"verdict.reasons", absent}}},
		{"verdict unknown with empty reasons", "observation-unknown-no-reply", []set{{"verdict.reasons", []any{}}}},
		{"verdict deviation without a deviation", "observation-deviation", []set{{"verdict.reasons", []any{obj{"code": "no_reading", "verdict": "unknown", "text": "x"}}}}},
		{"verdict unknown without anything unknown", "observation-unknown-no-reply", []set{{"verdict.reasons", []any{finding}}}},
		{"finding of the wrong check", "observation-deviation", []set{{"verdict.reasons.0.check", "C2"}}},
		{"finding without check", "observation-deviation", []set{{"verdict.reasons.0.check", absent}}},
		{"finding with a code of nobody", "observation-deviation", []set{{"verdict.reasons.0.code", "looks_odd"}}},
		{"unknown finding with a code of nobody", "observation-unknown-no-reply", []set{{"verdict.reasons.0.code", "looks_odd"}}},
		{"check C17", "observation-deviation", []set{{"verdict.reasons.0.check", "C17"}}},
		{"unknown_detail without reason", "observation-ok", []set{{"unknown_detail", "x"}}},
		{"alarms unknown without reason", "observation-ok", []set{{"pump_alarms", obj{"known": "no"}}}},
		{"alarms known with a reason why not", "observation-ok", []set{{"pump_alarms.reason", "x"}}},
		{"alarms unknown and listed", "observation-ok", []set{{"pump_alarms", obj{"known": "no", "reason": "x", "active": []any{}}}}},
		{"observation without verdict", "observation-ok", []set{{"verdict", absent}}},
		{"observation without link", "observation-ok", []set{{"link", absent}}},

		{"unknown field", "observation-ok", []set{{"rate", n("1.11")}}},
		{"unknown field below", "observation-ok", []set{{"verdict.inputs.rate", n("1.11")}}},
		{"wrong enum", "observation-ok", []set{{"delivery_status", "running"}}},
		{"wrong alarm code", "observation-full", []set{{"pump_alarms.active.0.code", "occl"}}},
		{"number as text", "observation-ok", []set{{"programmed_rate_ml_per_h", "1.11"}}},
		{"negative rate", "observation-ok", []set{{"programmed_rate_ml_per_h", n("-1.11")}}},
		{"number with exponent", "observation-ok", []set{{"programmed_rate_ml_per_h", n("1.11e0")}}},
		{"null for absent", "observation-ok", []set{{"vtbi_ml", nil}}},
		{"charge above 100", "observation-full", []set{{"battery.charge_percent", n("101")}}},
		{"dose without unit", "observation-full", []set{{"pump_dose_rate.unit", absent}}},
		{"dose in a unit of nobody", "observation-full", []set{{"pump_dose_rate.unit", "mcg/kg/min"}}},
		{"dose in the unit of a concentration", "observation-full", []set{{"pump_dose_rate.unit", "ug/mL"}}},
		{"concentration in the unit of a dose", "observation-full", []set{{"pump_concentration.unit", "ug/min"}}},
		{"time remaining below zero", "observation-full", []set{{"time_remaining_s", n("-1")}}},
		{"time remaining beside unknown_reason", "observation-unknown-no-reply", []set{{"time_remaining_s", n("60")}}},
		{"dose beside unknown_reason", "observation-unknown-no-reply", []set{{"pump_dose_rate", obj{"value": n("1"), "unit": "ug/min"}}}},
		{"weight zero", "observation-ok", []set{{"verdict.inputs.weight_kg", n("0")}}},
		{"bad_frames zero is absent", "observation-full", []set{{"bad_frames", n("0")}}},

		{"seq 0", "observation-ok", []set{{"seq", n("0")}}},
		{"seq missing on a stream", "observation-ok", []set{{"seq", absent}}},
		{"topic_seq 0", "observation-ok", []set{{"topic_seq", n("0")}}},
		{"seq on a retained message", "state-ok", []set{{"seq", n("5")}}},
		{"late on a retained message", "state-ok", []set{{"late", true}}},
		{"late false", "observation-ok", []set{{"late", false}}},
		{"session on a stream", "observation-ok", []set{{"session", "01jd6w3mzt"}}},
		{"session missing on a retained message", "state-ok", []set{{"session", absent}}},
		{"session missing in the will", "status-offline", []set{{"session_started", absent}}},
		{"valid_until missing in state", "state-ok", []set{{"valid_until", absent}}},
		{"valid_until missing in alerts", "alerts-empty", []set{{"valid_until", absent}}},
		{"valid_until missing in health", "health-ok", []set{{"valid_until", absent}}},
		{"valid_until in the past", "state-ok", []set{{"valid_until", "2026-07-15T14:30:02.118Z"}}},
		{"pump missing", "state-ok", []set{{"pump", absent}}},
		{"pump in health", "health-ok", []set{{"pump", "blue"}}},
		{"pump name in capitals", "state-ok", []set{{"pump", "Blue"}}},
		{"epoch missing", "observation-ok", []set{{"epoch", absent}}},
		{"durable missing", "observation-ok", []set{{"durable", absent}}},
		{"clock missing", "observation-ok", []set{{"clock", absent}}},
		{"source of nowhere", "observation-ok", []set{{"source", "simulator"}}},
		{"another schema", "observation-ok", []set{{"schema", "infusiond/state/1"}}},
		{"time without milliseconds", "observation-ok", []set{{"ts", "2026-07-15T14:30:02Z"}}},
		{"time with a zone", "observation-ok", []set{{"ts", "2026-07-15T14:30:02.118+02:00"}}},
		{"day that does not exist", "observation-ok", []set{{"ts", "2026-02-30T14:30:02.118Z"}}},
		{"old reading beside a current one", "state-ok", []set{{"last_known.reading", obj{"ts": "2026-07-15T14:30:02.118Z", "delivery_status": "infusing"}}}},
		{"old reading without time", "state-unknown-last-known", []set{{"last_known.reading.ts", absent}}},
		{"state without sentence", "state-ok", []set{{"sentence", ""}}},

		{"set without pump_alarms_known", "alerts-empty", []set{{"pump_alarms_known", absent}}},
		{"set is null", "alerts-empty", []set{{"alerts", nil}}},
		{"ended alert in the set", "alerts-open", []set{{"alerts.0.state", "ended"}, {"alerts.0.ended_ts", "2026-07-15T16:49:28.000Z"}}},
		{"alert twice in the set", "alerts-open", []set{{"alerts.1.id", "blue-7"}}},
		{"pump alarm with a check's code", "alert-raised-pump", []set{{"alert.code", "rate_mismatch"}}},
		{"check alert with a pump's code", "alert-raised-check", []set{{"alert.code", "air_in_line"}}},
		{"check alert with pump text", "alert-raised-check", []set{{"alert.pump_text", "x"}}},
		{"check alert derived", "alert-raised-check", []set{{"alert.derived", true}}},
		{"derived false is absent", "alert-raised-pump", []set{{"alert.derived", false}}},
		{"ended without ended_ts", "alert-ended-pump", []set{{"alert.ended_ts", absent}}},
		{"ended_ts before the end", "alert-raised-pump", []set{{"alert.ended_ts", "2026-07-15T16:49:28.000Z"}}},
		{"acknowledged by nobody", "alert-acknowledged", []set{{"alert.acknowledgement", absent}}},
		{"acknowledged without end", "alert-acknowledged", []set{{"alert.acknowledgement.until", absent}}},
		{"transition and state differ", "alert-raised-pump", []set{{"transition", "ended"}}},
		{"raised already acknowledged", "alert-acknowledged", []set{{"transition", "raised"}}},
		{"changed after the end", "alert-ended-pump", []set{{"transition", "changed"}}},
		{"acknowledged after the end", "alert-ended-pump", []set{{"transition", "acknowledged"}}},
		{"priority urgent", "alert-raised-pump", []set{{"alert.priority", "urgent"}}},
		{"alert without onset", "alert-raised-pump", []set{{"alert.onset_ts", absent}}},

		{"event without its detail", "event-link", []set{{"link", absent}}},
		{"event with another's detail", "event-link", []set{{"gap", obj{"reason": "x"}}}},
		{"pump event without pump", "event-link", []set{{"pump", absent}}},
		{"gateway event with pump", "event-started", []set{{"pump", "blue"}}},
		{"identified without serial", "event-pump-identified", []set{{"serial", absent}}},
		{"event of no kind", "event-link", []set{{"event", "link_changed"}}},
		{"half a byte", "event-pump-log", []set{{"pump_log.raw_hex", "094"}}},
		{"log value as text", "event-pump-log", []set{{"pump_log.values.volume_infused_ml", "12.34"}}},
		{"log value without a word", "event-pump-log", []set{{"pump_log.values.Volume mL", n("12.34")}}},
		{"loss from 0", "event-loss", []set{{"loss.from_seq", n("0")}}},

		{"links null", "health-ok", []set{{"links", nil}}},
		{"password in the address", "health-ok", []set{{"broker.url", "tls://home:secret@broker.example.org"}}},
		{"sink waits without reason", "health-broker-unreachable", []set{{"sinks.0.reason", absent}}},
		{"age of nothing", "health-ok", []set{{"sinks.0.oldest_undelivered_age_s", n("0")}}},
		{"not durable without reason", "health-disk-full", []set{{"spool.reason", absent}}},
		{"another notice", "health-ok", []set{{"notice", "A medical device."}}},
		{"status asleep", "status-online", []set{{"status", "asleep"}}},
	}
}

type badMessage struct {
	name, example string
	edits         []set
}

// Each row breaks one rule of the contract in a good example.
// Covers GW-48.
func TestBadMessagesAreRefused(t *testing.T) {
	examples := goldens(t)
	for _, row := range badMessages() {
		t.Run(row.name, func(t *testing.T) {
			d := json.NewDecoder(bytes.NewReader(examples[row.example]))
			d.UseNumber()
			var doc any
			if err := d.Decode(&doc); err != nil {
				t.Fatalf("%s: %v", row.example, err)
			}
			for _, e := range row.edits {
				edit(t, doc, e.path, e.value)
			}
			payload, err := json.Marshal(doc)
			if err != nil {
				t.Fatal(err)
			}
			if err := schema.Validate(kindOf(row.example), payload); !errors.Is(err, schema.ErrInvalid) {
				t.Errorf("got %v, want ErrInvalid for\n%s", err, payload)
			}
		})
	}
}

// What no edit of a parsed message can express.
func TestBadTextIsRefused(t *testing.T) {
	good := string(goldens(t)["alerts-empty"])
	for _, row := range []struct{ name, text string }{
		{"empty", ""},
		{"no JSON", "online"},
		{"array", "[]"},
		{"cut off", good[:len(good)-3]},
		{"two messages", good + good},
		{"key twice", strings.Replace(good, `"clock": "synced"`, `"clock": "unsynced", "clock": "synced"`, 1)},
		{"exponent", strings.Replace(good, `"topic_seq": 343`, `"topic_seq": 3.43e2`, 1)},
		{"nested without end", strings.Repeat(`{"a":`, 100) + "1" + strings.Repeat("}", 100)},
	} {
		t.Run(row.name, func(t *testing.T) {
			if row.text == good {
				t.Fatal("the example has changed: nothing was replaced")
			}
			if err := schema.Validate("alerts", []byte(row.text)); !errors.Is(err, schema.ErrInvalid) {
				t.Errorf("got %v, want ErrInvalid", err)
			}
		})
	}
}

// Each kind of event has its own detail and no other's.
func TestEventsHaveTheirOwnDetail(t *testing.T) {
	details := map[string]any{}
	events := map[string]obj{}
	for name, payload := range goldens(t) {
		if kindOf(name) != "event" {
			continue
		}
		d := json.NewDecoder(bytes.NewReader(payload))
		d.UseNumber()
		var doc obj
		if err := d.Decode(&doc); err != nil {
			t.Fatal(err)
		}
		events[name] = doc
		for key, value := range doc {
			if _, is := value.(obj); is {
				details[key] = value
			}
		}
	}
	if len(details) != 7 {
		t.Fatalf("the examples have %d details", len(details))
	}
	for name, doc := range events {
		for detail, value := range details {
			changed := maps.Clone(doc)
			if _, own := doc[detail]; own {
				delete(changed, detail)
			} else {
				changed[detail] = value
			}
			payload, err := json.Marshal(changed)
			if err != nil {
				t.Fatal(err)
			}
			err = schema.Validate("event", payload)
			if name == "event-prescription-change" && detail == "prescription" {
				if err != nil {
					t.Errorf("no prescription applies any more: %v", err)
				}
			} else if !errors.Is(err, schema.ErrInvalid) {
				t.Errorf("%s with or without %s is taken: %v", name, detail, err)
			}
		}
	}
}
