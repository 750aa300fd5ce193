package gateway

import (
	"cmp"
	"encoding/json"
	"fmt"

	"infusiond/drivers"
	"infusiond/gateway/check"
	"infusiond/gateway/infusion"
	"infusiond/gateway/message"
	"infusiond/gateway/prescription"
	"infusiond/gateway/spool"
	"infusiond/gateway/units"
)

// sender is what all messages of one run have in common.
type sender struct {
	gateway string
	source  string // message.SourcePump or SourceSim
	session string
	version string
	started message.Time
	topics  message.Topics
}

// stream is the envelope of a record.
func (s sender) stream(schema string, key spool.Key, at infusion.Instant, serial string) message.Envelope {
	return message.Envelope{
		Schema: schema, Gateway: s.gateway, Epoch: key.Epoch, Pump: key.Stream, Seq: key.Seq, TopicSeq: key.TopicSeq,
		TS: message.TimeOf(at.UTC), Clock: clockWord(at), Source: s.source, Serial: serial, Durable: key.Durable,
	}
}

// retained is the envelope of a retained message.
func (s sender) retained(schema, pump, epoch string, topicSeq uint64, at infusion.Instant, serial string, durable bool) message.Envelope {
	return message.Envelope{
		Schema: schema, Gateway: s.gateway, Epoch: epoch, Pump: pump, TopicSeq: topicSeq, Session: s.session,
		TS: message.TimeOf(at.UTC), Clock: clockWord(at), Source: s.source, Serial: serial, Durable: durable,
	}
}

func clockWord(at infusion.Instant) string {
	if at.Synced {
		return message.ClockSynced
	}
	return message.ClockUnsynced
}

func encode(v any) ([]byte, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encode %T: %w", v, err)
	}
	return b, nil
}

func rate(o infusion.Opt[units.Rate]) message.Decimal {
	if r, ok := o.Get(); ok {
		return message.DecimalOf(r.MlPerH())
	}
	return message.Decimal{}
}

func volume(o infusion.Opt[units.Volume]) message.Decimal {
	if v, ok := o.Get(); ok {
		return message.DecimalOf(v.Ml())
	}
	return message.Decimal{}
}

// plain prints a quantity's number as a plain decimal without changing it.
func plain(q drivers.Quantity) message.Decimal {
	if !q.Valid {
		return message.Decimal{}
	}
	return message.DecimalOf(q.Decimal())
}

func truth(t drivers.Truth) string {
	switch t {
	case drivers.Yes:
		return message.Yes
	case drivers.No:
		return message.No
	case drivers.Unknown:
	}
	return message.CannotBeTold
}

func yesNo(b bool) string {
	if b {
		return message.Yes
	}
	return message.No
}

// reading translates an observation's reading; a gap has no number in it.
func reading(o infusion.Observation) message.Reading {
	if o.Gap != nil {
		return message.Reading{
			DeliveryStatus: string(infusion.StatusUnknown), UnknownReason: string(o.Gap.Reason), UnknownDetail: o.Gap.Detail,
			Problems: o.Problems, BadFrames: o.BadFrames,
		}
	}
	r := message.Reading{
		DeliveryStatus:         string(o.Status),
		Mode:                   o.Mode,
		ProgrammedRateMlPerH:   rate(o.Programmed),
		PumpReportedRateMlPerH: rate(o.PumpReported),
		VolumeInfusedMl:        volume(o.VolumeInfused),
		VTBIMl:                 volume(o.VTBI),
		VTBIRemainingMl:        volume(o.VTBIRemaining),
		Program:                o.Program,
		DrugName:               o.DrugName,
		TimeRemainingS:         plain(o.TimeRemaining),
		ContainerSizeMl:        volume(o.ContainerSize),
		Concentration:          measure(o.Concentration),
		DoseRate:               measure(o.DoseRate),
		Uncertain:              fields(o.Uncertain),
		AtLeast:                fields(o.AtLeast),
		Unavailable:            o.Unavailable,
		Problems:               o.Problems,
		BadFrames:              o.BadFrames,
	}
	ts := message.TimeOf(o.At.UTC)
	if o.BolusRunning != drivers.Unknown || o.BolusRate.Present() || o.BolusInfused.Present() || o.BolusVTBI.Present() {
		r.Bolus = &message.Bolus{
			Running: truth(o.BolusRunning), RateMlPerH: rate(o.BolusRate), VolumeInfusedMl: volume(o.BolusInfused), VTBIMl: volume(o.BolusVTBI),
		}
	}
	if o.BatteryVolts.Valid || o.BatteryLevel.Valid || o.BatteryTime.Valid || o.BatteryStatus != "" || o.ExternalPower != drivers.Unknown {
		r.Battery = &message.Battery{
			TS: ts, VoltageV: plain(o.BatteryVolts), ChargePercent: plain(o.BatteryLevel), RemainingS: plain(o.BatteryTime), Status: o.BatteryStatus,
		}
		if o.ExternalPower != drivers.Unknown {
			r.Battery.ExternalPower = truth(o.ExternalPower)
		}
	}
	if unit, told := sensorUnit(o); told {
		r.Occlusion = &message.Occlusion{
			TS: ts, Unit: unit, Upstream: plain(o.UpstreamSensor), Downstream: plain(o.DownstreamSensor),
			UpstreamThreshold: plain(o.UpstreamThreshold), DownstreamThreshold: plain(o.DownstreamThreshold),
		}
	}
	if o.PumpClock != "" {
		r.PumpClock = &message.PumpClock{TS: ts, Raw: o.PumpClock, Seconds: plain(o.PumpClockS)}
	}
	r.Alarms = pumpAlarms(o)
	return r
}

// measure is a number with its unit in UCUM; nil when the pump did not tell it.
func measure(q drivers.Quantity) *message.Measure {
	if !q.Valid {
		return nil
	}
	return &message.Measure{Value: plain(q), Unit: q.Unit.String()}
}

// sensorUnit is the contract's word for the unit of the occlusion sensors, which normalize made one.
func sensorUnit(o infusion.Observation) (string, bool) {
	for _, q := range []drivers.Quantity{o.DownstreamSensor, o.DownstreamThreshold, o.UpstreamSensor, o.UpstreamThreshold} {
		if !q.Valid {
			continue
		}
		switch q.Unit { //nolint:exhaustive // normalize lets no other unit pass
		case drivers.Millibar:
			return "mbar", true
		case drivers.MillimetreOfMercury:
			return "mmHg", true
		case drivers.PercentOfLimit:
			return "percent_of_limit", true
		}
		return "count", true
	}
	return "", false
}

// fieldNames are the contract's names of the fields of a report.
var fieldNames = map[string]string{
	"Identity": "serial", "Serial": "serial", "State": "delivery_status", "Mode": "mode", "ProgrammedRate": "programmed_rate_ml_per_h", "PumpReportedRate": "pump_reported_rate_ml_per_h",
	"VolumeInfused": "pump_reported_volume_infused_ml", "VTBI": "vtbi_ml", "VTBIRemaining": "vtbi_remaining_ml", "Program": "program",
	"DrugName": "pump_drug_name", "Concentration": "pump_concentration", "DoseRate": "pump_dose_rate", "TimeRemaining": "time_remaining_s",
	"ContainerSize": "container_size_ml", "BolusRunning": "bolus.running", "BolusRate": "bolus.rate_ml_per_h",
	"BolusInfused": "bolus.pump_reported_volume_infused_ml", "BolusVTBI": "bolus.vtbi_ml", "BatteryVolts": "battery.voltage_v",
	"BatteryLevel": "battery.charge_percent", "BatteryTime": "battery.remaining_s", "BatteryStatus": "battery.status",
	"ExternalPower": "battery.external_power", "UpstreamSensor": "occlusion_sensors.upstream", "DownstreamSensor": "occlusion_sensors.downstream",
	"UpstreamThreshold": "occlusion_sensors.upstream_threshold", "DownstreamThreshold": "occlusion_sensors.downstream_threshold",
	"PumpClock": "pump_clock.raw", "PumpClockS": "pump_clock.seconds", "Alarms": "pump_alarms",
}

// fields translates names of a report's fields. A name that is not in the table stays as it is: a doubt is
// never dropped.
func fields(names []string) []string {
	var out []string
	for _, name := range names {
		out = append(out, cmp.Or(fieldNames[name], name))
	}
	return out
}

func pumpAlarms(o infusion.Observation) *message.PumpAlarms {
	if !o.AlarmsKnown {
		return &message.PumpAlarms{Known: message.No, Reason: cmp.Or(o.AlarmsReason, "the driver does not say why")}
	}
	a := &message.PumpAlarms{Known: message.Yes}
	for _, alarm := range o.Alarms {
		a.Active = append(a.Active, message.PumpAlarm{Code: string(alarm.Code), RawCode: alarm.RawCode, Text: alarm.Text, Derived: alarm.Derived})
	}
	return a
}

func linkOf(l infusion.Link) message.Link {
	return message.Link{State: string(l.State), Reason: l.Reason, Since: message.TimeOf(l.Since.UTC)}
}

// verdict translates a judgement with everything that it was made of.
func verdict(r check.Result) message.Verdict {
	v := message.Verdict{Verdict: r.Verdict}
	for _, f := range r.Findings {
		v.Reasons = append(v.Reasons, message.Finding{Check: f.Check, Code: f.Code, Verdict: f.Verdict, Text: f.Text, Hint: f.Hint})
	}
	if !r.Ordered {
		return v
	}
	v.Prescription = reference(r.Order)
	v.Inputs = inputs(r)
	return v
}

func reference(o prescription.Order) *message.PrescriptionRef {
	return &message.PrescriptionRef{Patient: o.Patient, Infusion: o.Name, Version: o.Version}
}

func inputs(r check.Result) *message.Inputs {
	o := r.Order
	in := &message.Inputs{
		Drug: o.Drug, PrescribedDose: message.DecimalOf(units.FormatDecimal(o.DoseMcgPerKgPerMin)),
		WeightKg: message.DecimalOf(units.FormatDecimal(o.WeightKg)), BagConfirmed: yesNo(o.Bag.Confirmed()), Library: o.Library.Title(),
	}
	if o.Expected {
		in.PrescribedRateMlPerH = message.DecimalOf(o.Rate.MlPerH())
		in.RoundedPrescribedRateMlPerH = message.DecimalOf(o.Rounded.MlPerH())
	}
	if o.Bag.Confirmed() {
		in.ConcentrationMcgPerMl = message.DecimalOf(units.FormatDecimal(o.Bag.ConcentrationMcgPerMl))
	}
	if r.Tolerance > 0 {
		in.RateToleranceMlPerH = message.DecimalOf(r.Tolerance.MlPerH())
	}
	if r.ProgrammedDose != nil {
		in.ProgrammedDose = message.DecimalOf(units.FormatDecimal(r.ProgrammedDose))
	}
	return in
}
