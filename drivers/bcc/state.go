package bcc

import (
	"bytes"
	"slices"
	"strconv"

	"infusiond/drivers"
)

// truth reads a flag, 0 or 1.
func truth(value []byte) drivers.Truth {
	switch string(value) {
	case "0":
		return drivers.No
	case "1":
		return drivers.Yes
	}
	return drivers.Unknown
}

// word reads a 32-bit word like 0x00000400h, with or without 0x and h.
func word(v *values, p parameter) (uint32, bool) {
	if !v.has(p) {
		return 0, false
	}
	digits := bytes.TrimSuffix(bytes.TrimPrefix(bytes.TrimSpace(v.of[p]), []byte("0x")), []byte("h"))
	n, err := strconv.ParseUint(string(digits), 16, 32)
	return uint32(n), err == nil && len(digits) == 8
}

func bit(v *values, p parameter, n int) drivers.Truth {
	w, ok := word(v, p)
	switch {
	case !ok:
		return drivers.Unknown
	case w>>n&1 == 1:
		return drivers.Yes
	}
	return drivers.No
}

// either is true when one of two is, and false when both are.
func either(a, b drivers.Truth) drivers.Truth {
	switch {
	case a == drivers.Yes || b == drivers.Yes:
		return drivers.Yes
	case a == drivers.Unknown || b == drivers.Unknown:
		return drivers.Unknown
	}
	return drivers.No
}

// agreed joins what several places say of one thing. Where they contradict each other, nothing is known.
func agreed(sources ...drivers.Truth) drivers.Truth {
	yes, no := slices.Contains(sources, drivers.Yes), slices.Contains(sources, drivers.No)
	switch {
	case yes && !no:
		return drivers.Yes
	case no && !yes:
		return drivers.No
	}
	return drivers.Unknown
}

// The bits of RUNSTATE (section 5.2).
const (
	runStop = iota
	runRun
	runAlarm
	runKVO
	runMenu
	runPreAlarm
	runBits
)

// runBit reads a bit of RUNSTATE, a decimal number of six bits.
func runBit(v *values, n int) drivers.Truth {
	if !v.has(runState) {
		return drivers.Unknown
	}
	w, err := strconv.ParseUint(string(bytes.TrimSpace(v.of[runState])), 10, 8)
	switch {
	case err != nil || w >= 1<<runBits:
		return drivers.Unknown
	case w>>n&1 == 1:
		return drivers.Yes
	}
	return drivers.No
}

// running says what up to four places say of the motor: INM3, STATUS1, and the bits stop and run of RUNSTATE, of which a cleared one
// says nothing. contradicted: they do not agree.
func running(v *values) (runs drivers.Truth, contradicted bool) {
	sources := [4]drivers.Truth{truth(v.of[inM3]), bit(v, status1, 7), runBit(v, runRun), drivers.Unknown}
	if sources[2] == drivers.No {
		sources[2] = drivers.Unknown
	}
	if runBit(v, runStop) == drivers.Yes {
		sources[3] = drivers.No
	}
	runs = agreed(sources[:]...)
	return runs, runs == drivers.Unknown && sources != [4]drivers.Truth{}
}

// state says what the pump says that it does; flags, words and RUNSTATE must not contradict each other.
func state(r *drivers.Report, v *values) drivers.RunState {
	runs, contradicted := running(v)
	yes := func(t ...drivers.Truth) bool { return slices.Contains(t, drivers.Yes) }
	off := string(v.of[dsStatus]) == "00050"
	switch {
	case contradicted, off && runs == drivers.Yes:
		return drivers.RunUnknown
	case off:
		return drivers.RunPoweredOff
	case yes(truth(v.of[inM10]), bit(v, status1, 13), runBit(v, runKVO)):
		return drivers.RunKVO
	case yes(truth(v.of[inM14]), bit(v, status1, 4)):
		return drivers.RunPriming
	case r.BolusRunning == drivers.Yes && runs == drivers.Yes:
		return drivers.RunBolus
	case runs == drivers.Yes:
		return drivers.RunInfusing
	case yes(truth(v.of[inM6]), bit(v, status1, 2)):
		return drivers.RunStandby
	case runs == drivers.No && r.AlarmsKnown && stopping(r.Alarms):
		return drivers.RunStoppedByAlarm
	case runs == drivers.No:
		return drivers.RunStopped
	}
	return drivers.RunUnknown
}
