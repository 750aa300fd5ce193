package alert

import (
	"infusiond/drivers"
	"infusiond/gateway/infusion"
	"infusiond/gateway/message"
)

// Log takes the records that the pump wrote to its log since the last reading, oldest first, and
// returns the transitions of alarms that began or ended among them, with the record's
// own times. Active are the alarms that the pump has now: one that was ended and is
// active again is another alert. Update with the same active alarms must follow.
func (m *Machine) Log(at infusion.Instant, records []drivers.LogRecord, active []drivers.Alarm) []Transition {
	var out []Transition
	ended := map[*entry]infusion.Instant{} // by a record, not yet certain: the pump may know better
	finish := func(e *entry, when infusion.Instant) {
		out = append(out, Transition{Kind: message.Ended, Alert: e.end(when, "")})
		m.drop(e)
		delete(ended, e)
	}
	for _, r := range records {
		when := at
		if age, known := seconds(r.AgeS); known && age >= 0 {
			when = at.Add(-age)
		}
		if r.Ends {
			for _, e := range m.entries {
				if _, twice := ended[e]; e.Raised && !twice && e.Alert.Origin == message.OriginPump {
					ended[e] = when
				}
			}
		}
		if r.Alarm == "" {
			continue
		}
		c := Of(at, nil, []drivers.Alarm{{
			Code: r.Alarm, RawCode: r.RawCode, Text: r.Text, Derived: true, PumpTime: r.PumpTime, AgeS: r.AgeS,
		}})[0]
		e := m.find(c)
		if before, over := ended[e]; over {
			finish(e, before)
			e = m.find(c)
		}
		if !e.Raised {
			d, _ := Declared(c.Code)
			e.raise(m.newID(), at, d, c, d.Priority)
			out = append(out, Transition{Kind: message.Raised, Alert: e.Alert})
		}
	}
	for _, e := range append([]*entry(nil), m.entries...) {
		if when, over := ended[e]; over && !e.among(active) {
			finish(e, when)
		}
	}
	return out
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
