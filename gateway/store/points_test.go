package store

import (
	"errors"
	"strings"
	"testing"

	"infusiond/gateway/message"
	"infusiond/gateway/spool"
)

// Covers GW-58, GW-61.
func TestLines(t *testing.T) {
	gap := message.Observation{Envelope: envelope(1)}
	gap.DeliveryStatus, gap.UnknownReason = "unknown", "no_reply"
	gap.Link.State = "silent"
	gap.Link.Since = message.TimeOf(began)
	gap.Verdict = message.Verdict{
		Verdict: message.VerdictUnknown, Reasons: []message.Finding{{Code: message.CodeNoReading}, {Code: message.CodeDataDelayed}},
		// Even with inputs there must be no number of a reading.
		Inputs: &message.Inputs{Drug: "milrinone", PrescribedRateMlPerH: message.DecimalOf("1.2")},
	}
	gap.ProgrammedRateMlPerH = message.DecimalOf("7") // must not be there; if it is, it stays out
	full := observation(2, "0.30")
	full.Battery = &message.Battery{TS: message.TimeOf(began), VoltageV: message.DecimalOf("3.71"), Status: `half "full" \`}
	full.Occlusion = &message.Occlusion{TS: message.TimeOf(began), Unit: "count", Upstream: message.DecimalOf("512")}
	full.TimeRemainingS, full.ContainerSizeMl = message.DecimalOf("600"), message.DecimalOf("50.0")
	full.Concentration = &message.Measure{Value: message.DecimalOf("0.20"), Unit: "mg/mL"}
	full.DoseRate = &message.Measure{Value: message.DecimalOf("0.5"), Unit: "ug/kg/min"}
	full.Uncertain, full.AtLeast, full.Battery.RemainingS = []string{"vtbi_ml", "delivery_status"}, []string{"time_remaining_s"}, message.DecimalOf("3600")
	full.Alarms = &message.PumpAlarms{Known: "yes", Active: []message.PumpAlarm{{Code: "occlusion"}, {Code: "battery_low"}}}

	event := message.Event{Envelope: envelope(1_000_003), Event: message.EventLoss, Text: "two\nlines", Loss: &message.Loss{Stream: "p1", FromSeq: 4, ToSeq: 9, Reason: "overflow"}}
	event.TS = message.TimeOf(began)
	event.Pump = ""
	alert := message.AlertTransition{Envelope: envelope(12), Transition: message.Raised, Alert: message.Alert{ID: "a1", Code: "stopped", Priority: "high", Onset: message.TimeOf(began), RaisedTS: message.TimeOf(began)}}
	alert.TS = message.TimeOf(began)
	log := message.Event{Envelope: envelope(7), Event: message.EventPumpLog, PumpLog: &message.PumpLog{
		RecordID: "r1", RawCode: "9/2", Name: "paused", RawHex: "00ff", Values: map[string]message.Decimal{"volume_ml": message.DecimalOf("3.10"), "a_ml": message.DecimalOf("1")},
	}}
	log.TS = message.TimeOf(began)

	for _, tt := range []struct {
		name string
		r    spool.Record
		want string
	}{
		{
			"a cycle without a reading", record(t, spool.Observation, gap),
			`infusion,drug=milrinone,gateway=g1,pump=p1,source=sim seq=1i,epoch="e1",clock="synced",durable=true,no_data=true,` +
				`delivery_status="unknown",unknown_reason="no_reply",link_state="silent",verdict="unknown",verdict_codes="no_reading,data_delayed" 1772366401000000000`,
		},
		{
			"a good cycle", record(t, spool.Observation, full),
			`infusion,drug=milrinone\ 200\ µg/mL,gateway=g1,pump=p1,source=sim seq=2i,epoch="e1",clock="synced",durable=true,no_data=false,` +
				`delivery_status="infusing",link_state="online",verdict="ok",prescription_infusion="inf-1",prescription_version=3i,` +
				`programmed_rate_ml_per_h=1.2,pump_reported_rate_ml_per_h=0.3,time_remaining_s=600,container_size_ml=50,pump_concentration=0.2,pump_concentration_unit="mg/mL",` +
				`pump_dose_rate=0.5,pump_dose_rate_unit="ug/kg/min",uncertain="vtbi_ml,delivery_status",at_least="time_remaining_s",` +
				`battery_voltage_v=3.71,battery_remaining_s=3600,battery_status="half \"full\" \\",` +
				`occlusion_unit="count",occlusion_upstream=512,pump_alarms_known="yes",pump_alarms="occlusion,battery_low",prescribed_rate_ml_per_h=1.2 1772366402000000000`,
		},
		{
			"an event of the gateway", record(t, spool.Event, event),
			`infusion_event,gateway=g1,source=sim seq=1000003i,epoch="e1",clock="synced",durable=true,event="loss",text="two` + "\n" + `lines",` +
				`loss_stream="p1",loss_from_seq=4i,loss_to_seq=9i,loss_reason="overflow" 1772366400000000003`,
		},
		{
			"a record of the pump's log", record(t, spool.Event, log),
			`infusion_event,gateway=g1,pump=p1,source=sim seq=7i,epoch="e1",clock="synced",durable=true,event="pump_log",` +
				`record_id="r1",raw_code="9/2",log_name="paused",raw_hex="00ff",log_a_ml=1,log_volume_ml=3.1 1772366400000000007`,
		},
		{
			"an alert", record(t, spool.Alert, alert),
			`infusion_alert,gateway=g1,pump=p1,source=sim seq=12i,epoch="e1",clock="synced",durable=true,transition="raised",` +
				`alert_id="a1",code="stopped",priority="high",onset_ts="2026-03-01T12:00:00.000Z",raised_ts="2026-03-01T12:00:00.000Z" 1772366400000000012`,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := point(&tt.r)
			must(t, err)
			if got != tt.want {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
		})
	}
}

func TestRefusedLines(t *testing.T) {
	for _, tt := range []struct {
		name, payload string
		cause         error
	}{
		{"infinite number", `{"gateway":"g1","ts":"2026-03-01T12:00:00.000Z","delivery_status":"infusing","vtbi_ml":1e999}`, nil},
		{"number beyond a float", `{"gateway":"g1","ts":"2026-03-01T12:00:00.000Z","delivery_status":"infusing","vtbi_ml":` + strings.Repeat("9", 400) + `}`, errNumber},
		{"no time", `{"gateway":"g1","delivery_status":"infusing"}`, nil},
		{"no gateway", `{"ts":"2026-03-01T12:00:00.000Z"}`, nil},
		{"sequence number beyond an integer", `{"gateway":"g1","ts":"2026-03-01T12:00:00.000Z","seq":18446744073709551615}`, nil},
		{"text for a number", `{"gateway":"g1","ts":"2026-03-01T12:00:00.000Z","vtbi_ml":"NaN"}`, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			line, err := point(&spool.Record{Kind: spool.Observation, Payload: []byte(tt.payload)})
			if err == nil || (tt.cause != nil && !errors.Is(err, tt.cause)) {
				t.Errorf("point = %q, %v", line, err)
			}
		})
	}
}

// Covers GW-61.
func TestTagsCannotBreakOut(t *testing.T) {
	l := newLine("m", "drug", "a b,c=d\\\n", "empty", "")
	l.flag("x", true)
	got, err := l.end(1)
	must(t, err)
	if want := `m,drug=a\ b\,c\=d/\  x=true 1`; got != want || strings.Contains(got, "\n") {
		t.Errorf("got %q, want %q", got, want)
	}
}
