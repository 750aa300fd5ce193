package miva

import (
	"bytes"

	"infusiond/drivers"
	"infusiond/drivers/miva/wire"
)

// hundredths reads the integers that stand for value/100.
func hundredths(v *wire.Reply, unit drivers.Unit) drivers.Quantity {
	return drivers.Number(int64(v.N[0]), -2, unit)
}

func counts(n uint32) drivers.Quantity { return drivers.Number(int64(n), 0, drivers.RawCount) }

// rateUnit knows the one word of the protocol document. Other units are not guessed.
func rateUnit(word []byte) (drivers.Unit, bool) {
	if bytes.EqualFold(bytes.TrimSpace(word), []byte("ML/HR")) {
		return drivers.MilliliterPerHour, true
	}
	return drivers.UnitNone, false
}

// flag reads the answers of Q1 and Q7: 1 is yes, zeros are no. The document says "1 or other"; another
// word than these two is not taken for a no.
func flag(text []byte) drivers.Truth {
	if string(text) == "1" {
		return drivers.Yes
	}
	if len(bytes.Trim(text, "0")) == 0 {
		return drivers.No
	}
	return drivers.Unknown
}

// state refines the pump's yes or no by its last log record.
func (c *Conn) state(running drivers.Truth, r *drivers.Report) drivers.RunState {
	switch running {
	case drivers.Unknown:
		return drivers.RunUnknown
	case drivers.Yes:
		if r.BolusRunning == drivers.Yes {
			return drivers.RunBolus
		}
		return drivers.RunInfusing
	case drivers.No:
	}
	if r.BolusRunning == drivers.Yes {
		return drivers.RunUnknown // it says both
	}
	if !r.AlarmsKnown {
		return drivers.RunStopped
	}
	return c.session.log.derived.stopped()
}
