package store

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"infusiond/gateway/message"
	"infusiond/gateway/spool"
)

// The measurements. Their tags are gateway, pump, channel, drug and source, and nothing else; no
// payload tells a channel yet.
const (
	measurementInfusion = "infusion"
	measurementEvent    = "infusion_event"
	measurementAlert    = "infusion_alert"
	measurementHealth   = "gateway_health"
)

// point turns a record into one line.
func point(r *spool.Record) (string, error) {
	switch r.Kind {
	case spool.Observation:
		return decode(r, observationLine)
	case spool.Event:
		return decode(r, eventLine)
	case spool.Alert:
		return decode(r, alertLine)
	}
	return "", fmt.Errorf("record kind %d is unknown", r.Kind)
}

func decode[T any](r *spool.Record, build func(*T) (string, error)) (string, error) {
	var m T
	if err := json.Unmarshal(r.Payload, &m); err != nil {
		return "", fmt.Errorf("decode record: %w", err)
	}
	return build(&m)
}

// begin starts a point with the tags and the fields that every point has.
func begin(measurement string, e *message.Envelope, drug string) *line {
	l := newLine(measurement, "drug", drug, "gateway", e.Gateway, "pump", e.Pump, "source", e.Source)
	if e.TS.IsZero() || e.Gateway == "" {
		l.fail(fmt.Errorf("the record has no time or no gateway"))
	}
	l.count("seq", e.Seq)
	l.text("epoch", e.Epoch)
	l.text("clock", e.Clock)
	l.text("serial", e.Serial)
	l.flag("durable", e.Durable)
	return l
}

// observationLine is one cycle, at its millisecond.
func observationLine(o *message.Observation) (string, error) {
	drug := ""
	if o.Verdict.Inputs != nil {
		drug = o.Verdict.Inputs.Drug
	}
	l := begin(measurementInfusion, &o.Envelope, drug)
	noData := o.UnknownReason != ""
	l.flag("no_data", noData)
	l.text("delivery_status", o.DeliveryStatus)
	l.text("unknown_reason", o.UnknownReason)
	l.text("unknown_detail", o.UnknownDetail)
	l.text("link_state", o.Link.State)
	l.text("verdict", o.Verdict.Verdict)
	codes := make([]string, 0, len(o.Verdict.Reasons))
	for _, f := range o.Verdict.Reasons {
		codes = append(codes, f.Code)
	}
	l.text("verdict_codes", strings.Join(codes, ","))
	if p := o.Verdict.Prescription; p != nil {
		l.text("prescription_infusion", p.Infusion)
		l.whole("prescription_version", int64(p.Version))
	}
	if !noData {
		readingFields(l, &o.Reading)
		if in := o.Verdict.Inputs; in != nil {
			l.decimal("prescribed_rate_ml_per_h", in.PrescribedRateMlPerH)
			l.decimal("prescribed_dose_mcg_per_kg_per_min", in.PrescribedDose)
			l.decimal("programmed_dose_mcg_per_kg_per_min", in.ProgrammedDose)
		}
	}
	return l.end(o.TS.Time().UnixMilli() * 1_000_000)
}

// readingFields are what the pump said in this cycle.
func readingFields(l *line, r *message.Reading) {
	l.text("mode", r.Mode)
	l.decimal("programmed_rate_ml_per_h", r.ProgrammedRateMlPerH)
	l.decimal("pump_reported_rate_ml_per_h", r.PumpReportedRateMlPerH)
	l.decimal("pump_reported_volume_infused_ml", r.VolumeInfusedMl)
	l.decimal("vtbi_ml", r.VTBIMl)
	l.decimal("vtbi_remaining_ml", r.VTBIRemainingMl)
	l.decimal("time_remaining_s", r.TimeRemainingS)
	l.decimal("container_size_ml", r.ContainerSizeMl)
	if m := r.Concentration; m != nil {
		l.decimal("pump_concentration", m.Value)
		l.text("pump_concentration_unit", m.Unit)
	}
	if m := r.DoseRate; m != nil {
		l.decimal("pump_dose_rate", m.Value)
		l.text("pump_dose_rate_unit", m.Unit)
	}
	l.text("uncertain", strings.Join(r.Uncertain, ","))
	l.text("at_least", strings.Join(r.AtLeast, ","))
	if b := r.Bolus; b != nil {
		l.text("bolus_running", b.Running)
		l.decimal("bolus_rate_ml_per_h", b.RateMlPerH)
		l.decimal("bolus_pump_reported_volume_infused_ml", b.VolumeInfusedMl)
		l.decimal("bolus_vtbi_ml", b.VTBIMl)
	}
	if b := r.Battery; b != nil {
		l.decimal("battery_voltage_v", b.VoltageV)
		l.decimal("battery_charge_percent", b.ChargePercent)
		l.decimal("battery_remaining_s", b.RemainingS)
		l.text("battery_status", b.Status)
		l.text("external_power", b.ExternalPower)
	}
	if s := r.Occlusion; s != nil {
		l.text("occlusion_unit", s.Unit)
		l.decimal("occlusion_upstream", s.Upstream)
		l.decimal("occlusion_downstream", s.Downstream)
		l.decimal("occlusion_upstream_threshold", s.UpstreamThreshold)
		l.decimal("occlusion_downstream_threshold", s.DownstreamThreshold)
	}
	if a := r.Alarms; a != nil {
		l.text("pump_alarms_known", a.Known)
		codes := make([]string, 0, len(a.Active))
		for _, alarm := range a.Active {
			codes = append(codes, alarm.Code)
		}
		l.text("pump_alarms", strings.Join(codes, ","))
	}
}

// own is the time of an event or alert: two of the same millisecond never fall together.
func own(e *message.Envelope) int64 {
	return e.TS.Time().UnixMilli()*1_000_000 + int64(e.Seq%1_000_000)
}

// eventLine is something that happened, of a pump or of the gateway.
func eventLine(e *message.Event) (string, error) {
	l := begin(measurementEvent, &e.Envelope, "")
	l.text("event", e.Event)
	l.text("text", e.Text)
	if p := e.PumpLog; p != nil {
		logFields(l, p)
	}
	if g := e.Gap; g != nil {
		l.text("gap_reason", g.Reason)
		l.text("gap_from_record_id", g.From)
		l.text("gap_to_record_id", g.To)
	}
	if c := e.LinkChange; c != nil {
		l.text("link_from", c.From)
		l.text("link_to", c.To)
		l.text("link_reason", c.Reason)
	}
	if p := e.Prescription; p != nil {
		l.text("prescription_infusion", p.Infusion)
		l.whole("prescription_version", int64(p.Version))
	}
	if x := e.Loss; x != nil {
		l.text("loss_stream", x.Stream)
		l.count("loss_from_seq", x.FromSeq)
		l.count("loss_to_seq", x.ToSeq)
		l.text("loss_reason", x.Reason)
	}
	if c := e.ClockStep; c != nil {
		l.whole("clock_step_ms", c.StepMS)
	}
	if c := e.Condition; c != nil {
		l.text("condition_code", c.Code)
		l.text("condition_subject", c.Subject)
		l.text("condition_priority", c.Priority)
		l.text("condition_detail", c.Detail)
	}
	return l.end(own(&e.Envelope))
}

func logFields(l *line, p *message.PumpLog) {
	l.text("record_id", p.RecordID)
	l.text("raw_code", p.RawCode)
	l.text("log_name", p.Name)
	l.text("alarm", p.Alarm)
	l.text("pump_time", p.PumpTime)
	l.moment("occurred_ts", p.Occurred)
	l.text("raw_hex", p.RawHex)
	for _, name := range slices.Sorted(maps.Keys(p.Values)) {
		l.decimal("log_"+tagEscapes.Replace(name), p.Values[name])
	}
}

// alertLine is one step in the life of an alert.
func alertLine(t *message.AlertTransition) (string, error) {
	l := begin(measurementAlert, &t.Envelope, "")
	a := &t.Alert
	l.text("transition", t.Transition)
	l.text("alert_id", a.ID)
	l.text("code", a.Code)
	l.text("origin", a.Origin)
	l.text("priority", a.Priority)
	l.text("state", a.State)
	l.text("text", a.Text)
	l.text("detail", a.Detail)
	l.text("hint", a.Hint)
	l.moment("onset_ts", a.Onset)
	l.moment("raised_ts", a.RaisedTS)
	l.moment("ended_ts", a.EndedTS)
	l.text("ended_reason", a.EndedWhy)
	l.text("pump_text", a.PumpText)
	l.text("pump_code", a.PumpCode)
	l.text("pump_time", a.PumpTime)
	if a.Derived {
		l.flag("derived", true)
	}
	if k := a.Acknowledgement; k != nil {
		l.text("acknowledged_by", k.By)
		l.text("acknowledged_role", k.Role)
		l.moment("acknowledged_ts", k.TS)
		l.moment("acknowledged_until", k.Until)
	}
	return l.end(own(&t.Envelope))
}
