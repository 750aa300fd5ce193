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
		Uncertain:              o.Uncertain,
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
	if o.BatteryVolts.Valid || o.BatteryLevel.Valid || o.BatteryStatus != "" {
		r.Battery = &message.Battery{TS: ts, VoltageV: plain(o.BatteryVolts), ChargePercent: plain(o.BatteryLevel), Status: o.BatteryStatus}
		if o.ExternalPower != drivers.Unknown {
			r.Battery.ExternalPower = truth(o.ExternalPower)
		}
	}
	if o.UpstreamSensor.Valid || o.DownstreamSensor.Valid {
		r.Occlusion = &message.Occlusion{
			TS: ts, Unit: sensorUnit(o), Upstream: plain(o.UpstreamSensor), Downstream: plain(o.DownstreamSensor),
			UpstreamThreshold: plain(o.UpstreamThreshold), DownstreamThreshold: plain(o.DownstreamThreshold),
		}
	}
	if o.PumpClock != "" {
		r.PumpClock = &message.PumpClock{TS: ts, Raw: o.PumpClock, Seconds: plain(o.PumpClockS)}
	}
	r.Alarms = pumpAlarms(o)
	return r
}

// sensorUnit is the contract's word for the unit of the occlusion sensors.
func sensorUnit(o infusion.Observation) string {
	q := o.DownstreamSensor
	if !q.Valid {
		q = o.UpstreamSensor
	}
	switch q.Unit { //nolint:exhaustive // normalize lets no other unit pass
	case drivers.Millibar:
		return "mbar"
	case drivers.MillimetreOfMercury:
		return "mmHg"
	case drivers.PercentOfLimit:
		return "percent_of_limit"
	}
	return "count"
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
