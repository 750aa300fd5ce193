package gateway

import (
	"fmt"
	"time"

	"infusiond/gateway/check"
	"infusiond/gateway/infusion"
	"infusiond/gateway/message"
	"infusiond/gateway/prescription"
	"infusiond/gateway/units"
)

// validFor is how long a pump's retained state may be taken for the present (design section 6).
const validFor = 30 * time.Second

// remember keeps slow values, and the last reading for the time when there is none.
func (c *channel) remember(o infusion.Observation) {
	if o.Gap != nil {
		return
	}
	r := reading(o)
	c.known.at = o.At
	c.known.reading = &message.OldRead{
		TS: message.TimeOf(o.At.UTC), DeliveryStatus: r.DeliveryStatus, ProgrammedRateMlPerH: r.ProgrammedRateMlPerH,
		PumpReportedRateMlPerH: r.PumpReportedRateMlPerH, VolumeInfusedMl: r.VolumeInfusedMl,
	}
	if r.Battery != nil {
		c.known.slow.Battery = r.Battery
	}
	if r.Occlusion != nil {
		c.known.slow.Occlusion = r.Occlusion
	}
	if r.PumpClock != nil {
		c.known.slow.PumpClock = r.PumpClock
	}
}

// putState replaces the pump's retained state.
func (c *channel) putState(o infusion.Observation, r check.Result) error {
	s := message.State{
		ValidUntil:     message.TimeOf(o.At.UTC.Add(validFor)),
		ObservationSeq: c.lastSeq,
		Label:          message.Label{Text: c.Pump.Label, Colour: c.Pump.Colour},
		Sentence:       sentence(c.Pump.Label, o, r),
		Reading:        reading(o),
		Verdict:        verdict(r),
		Link:           linkOf(o.Link),
	}
	if r.Ordered {
		s.Drug, s.PrescribedText = r.Order.Drug, prescribedText(r.Order)
	}
	if c.known.reading != nil {
		s.LastReading = c.known.reading.TS
	}
	known := c.known.slow
	if o.Gap != nil {
		known.Reading = c.known.reading
	}
	if known != (message.LastKnown{}) {
		s.LastKnown = &known
	}
	topic := c.Sender.topics.State(c.Pump.Name)
	return c.Set.Put(topic, func(topicSeq uint64) ([]byte, error) {
		s.Envelope = c.Sender.retained(message.SchemaState, c.Pump.Name, c.epoch, topicSeq, o.At, o.Identity.Serial, c.durable)
		return encode(s)
	})
}

// putAlerts replaces the pump's retained set of open alerts.
func (c *channel) putAlerts(at infusion.Instant) error {
	a := message.Alerts{ValidUntil: message.TimeOf(at.UTC.Add(validFor)), Alerts: c.machine.Open(), PumpAlarmsKnown: yesNo(c.alarms)}
	topic := c.Sender.topics.Alerts(c.Pump.Name)
	return c.Set.Put(topic, func(topicSeq uint64) ([]byte, error) {
		a.Envelope = c.Sender.retained(message.SchemaAlerts, c.Pump.Name, c.epoch, topicSeq, at, c.serial, c.durable)
		return encode(a)
	})
}

// prescribedText says for people what was ordered.
func prescribedText(o prescription.Order) string {
	text := fmt.Sprintf("%s %s mcg/kg/min = %s mL/h", o.Drug, units.FormatDecimal(o.DoseMcgPerKgPerMin), o.Rate.MlPerH())
	if o.Rounded != o.Rate {
		text += ", set as " + o.Rounded.MlPerH()
	}
	return text
}

// sentence says in one sentence what is known of a pump. It claims nothing about what reaches
// the patient and gives no advice to stop, continue or catch up.
func sentence(label string, o infusion.Observation, r check.Result) string {
	who := label
	if r.Ordered {
		who += " – " + r.Order.Drug
	}
	switch {
	case o.Gap != nil:
		return who + ": unknown – " + gapWords(o.Gap.Reason) + ". Look at the pump."
	case r.Verdict == message.VerdictOK && r.Order.Expected:
		return who + ": running as prescribed (pump-reported)."
	case r.Verdict == message.VerdictOK:
		return who + ": not running, as planned (pump-reported)."
	}
	for _, want := range []string{message.VerdictDeviation, message.VerdictUnknown} {
		for _, f := range r.Findings {
			if f.Verdict == want && want == message.VerdictDeviation {
				return who + ": " + f.Text + ". Look at the pump."
			}
			if f.Verdict == want {
				return who + ": cannot be verified – " + f.Text + "."
			}
		}
	}
	return who + ": unknown. Look at the pump."
}

func gapWords(r infusion.GapReason) string {
	switch r {
	case infusion.GapPortAbsent:
		return "the cable to the pump is not connected"
	case infusion.GapPortLost:
		return "the connection to the pump was lost"
	case infusion.GapNoReply:
		return "the pump does not answer"
	case infusion.GapCorruptReply:
		return "the pump's answers are damaged"
	case infusion.GapWrongIdentity:
		return "another pump answers on this line"
	case infusion.GapInexact:
		return "a value could not be read exactly"
	case infusion.GapInternal:
	}
	return "the gateway failed to read the pump"
}
