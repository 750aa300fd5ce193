package alert

import (
	"infusiond/drivers"
	"infusiond/gateway/infusion"
	"infusiond/gateway/message"
)

// Log takes the records that the pump wrote to its log since the last reading, oldest first, and
// returns the transitions of alarms that began or ended among them, with the record's
// own times. Active are the alarms that the pump has now, when known: one that was ended and is
// active again is another alert. While they are not known (a long log is still being read) a record that
// ends alarms is remembered, and Log or Update end them with its time once the pump's alarms are
// known. Update with the same active alarms must follow.
func (m *Machine) Log(at infusion.Instant, records []drivers.LogRecord, active []drivers.Alarm, known bool) []Transition {
	var out []Transition
	for _, r := range records {
		when := at
		if age, told := seconds(r.AgeS); told && age >= 0 {
			when = at.Add(-age)
		}
		if r.Ends {
			m.over(when)
		}
		if r.Alarm == "" {
			continue
		}
		c := Of(at, nil, []drivers.Alarm{{
			Code: r.Alarm, RawCode: r.RawCode, Text: r.Text, Derived: true, PumpTime: r.PumpTime, AgeS: r.AgeS,
		}})[0]
		e := m.find(c)
		if e.Over != nil { // ended before: this is another one
			out = append(out, m.finish(e))
			e = m.find(c)
		}
		if !e.Raised {
			d, _ := Declared(c.Code)
			e.raise(m.newID(), at, d, c, d.Priority)
			out = append(out, Transition{Kind: message.Raised, Alert: e.Alert})
		}
	}
	if !known {
		return out
	}
	for _, e := range append([]*entry(nil), m.entries...) {
		switch {
		case e.Over == nil:
		case e.among(active):
			e.Over = nil // the pump knows better: the record did not mean this alarm
		default:
			out = append(out, m.finish(e))
		}
	}
	return out
}

// over remembers that a record of the log ends the pump's alarms; the first one counts.
func (m *Machine) over(when infusion.Instant) {
	for _, e := range m.entries {
		if e.Raised && e.Over == nil && e.Alert.Origin == message.OriginPump {
			e.Over = &when
		}
	}
}

// finish ends an alert at the time of the record that ended it.
func (m *Machine) finish(e *entry) Transition {
	m.drop(e)
	return Transition{Kind: message.Ended, Alert: e.end(*e.Over, "")}
}

func (e *entry) among(active []drivers.Alarm) bool {
	for _, c := range Of(infusion.Instant{}, nil, active) {
		if c.Code == e.Code && c.Instance == e.Instance {
			return true
		}
	}
	return false
}

func (m *Machine) drop(e *entry) {
	for i, other := range m.entries {
		if other == e {
			m.entries = append(m.entries[:i], m.entries[i+1:]...)
			return
		}
	}
}
