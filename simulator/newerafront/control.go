package newerafront

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"infusiond/drivers/newera/wire"
	"infusiond/simulator/front"
	"infusiond/simulator/pumpmodel"
)

// The errors that stand in place of data.
const (
	notRecognised = "?"
	notApplicable = "?NA"
	outOfRange    = "?OOR"
)

// factors of the units to mL/h and mL.
var factors = map[wire.Unit]float64{
	wire.MilliliterPerHour: 1, wire.MilliliterPerMinute: 60, wire.MicroliterPerHour: 0.001, wire.MicroliterPerMinute: 0.06,
	wire.Milliliter: 1, wire.Microliter: 0.001,
}

var unitWords = map[string]wire.Unit{
	"MH": wire.MilliliterPerHour, "MM": wire.MilliliterPerMinute, "UH": wire.MicroliterPerHour, "UM": wire.MicroliterPerMinute,
	"ML": wire.Milliliter, "UL": wire.Microliter,
}

func fromMLPerH(rate float64, u wire.Unit) float64 { return rate / factors[u] }

// ignored are commands that are taken and change nothing in the model.
var ignored = []string{"PHN", "FUN", "BUZ", "LOC", "TRG", "LN", "KEY", "ROM", "PF", "ADR", "*"}

// control does a command that changes a pump, and returns an error or nothing.
func (f *Front) control(p *pump, body string) string {
	f.counts.Control++
	argument := func(word string) (string, bool) { return strings.CutPrefix(body, word) }
	result := notRecognised
	if body == "RUN" || strings.HasPrefix(body, "RUN") && isNumber(body[3:]) {
		p.purging = false
		result = outcome(p.Pump.Run())
	} else if body == "STP" {
		p.purging = false
		result = outcome(p.Pump.Pause())
	} else if body == "PUR" {
		p.purging = true
		result = ""
	} else if a, ok := argument("CLD"); ok {
		result = f.clear(p, a)
	} else if a, ok := argument("SAF"); ok {
		result = f.safe(p, a)
	} else if a, ok := argument("DIR"); ok {
		result = direct(p, a)
	} else if a, ok := argument("RAT"); ok {
		result = setRate(p, strings.TrimPrefix(strings.TrimPrefix(a, "C"), "I"))
	} else if a, ok := argument("VOL"); ok {
		result = setVolume(p, a)
	} else if a, ok := argument("DIA"); ok {
		result = setDiameter(p, a)
	} else if a, ok := argument("AL"); ok {
		n, err := strconv.Atoi(a)
		if result = outOfRange; err == nil && (n == 0 || n == 1) {
			p.buzzer, result = n, ""
		}
	} else if slices.ContainsFunc(ignored, func(word string) bool { return strings.HasPrefix(body, word) }) {
		result = ""
	}
	if result != "" {
		f.counts.Unknown++
	}
	return result
}

func isNumber(text string) bool {
	_, err := strconv.Atoi(text)
	return err == nil
}

// outcome translates a refusal of the model.
func outcome(err error) string {
	switch {
	case err == nil:
		return ""
	case errors.Is(err, pumpmodel.ErrRange):
		return outOfRange
	}
	return notApplicable
}

func (f *Front) clear(p *pump, which string) string {
	if which != "INF" && which != "WDR" {
		return notRecognised
	}
	if p.view().State.Moving() {
		return notApplicable
	}
	if which == "INF" {
		p.cleared = p.view().InfusedML
	}
	return ""
}

// safe enters or leaves safe mode.
func (f *Front) safe(p *pump, seconds string) string {
	n, err := strconv.Atoi(seconds)
	if err != nil || n < 0 || n > 255 {
		return outOfRange
	}
	p.timeout = time.Duration(n) * time.Second
	p.heardAt = f.o.Now()
	return ""
}

func direct(p *pump, which string) string {
	switch which {
	case "INF":
		p.withdraw = false
	case "WDR":
		p.withdraw = true
	case "REV":
		p.withdraw = !p.withdraw
	default:
		return notRecognised
	}
	return ""
}

// measure reads a number with an optional unit.
func measure(text string) (float64, wire.Unit, bool) {
	end := len(text)
	for end > 0 && (text[end-1] < '0' || text[end-1] > '9') && text[end-1] != '.' {
		end--
	}
	unit, known := unitWords[text[end:]]
	v, err := strconv.ParseFloat(text[:end], 64)
	return v, unit, err == nil && v >= 0 && (known || end == len(text))
}

func setRate(p *pump, text string) string {
	v, unit, ok := measure(text)
	if !ok || unit > wire.MicroliterPerMinute {
		return outOfRange
	}
	if unit != wire.UnitNone {
		p.rate = unit
	}
	return outcome(p.Pump.SetRate(step(v * factors[p.rate])))
}

// step rounds to the model's step of a rate.
func step(mlPerH float64) float64 {
	s := Physics().RateStep
	return float64(int64(mlPerH/s+0.5)) * s
}

func setVolume(p *pump, text string) string {
	if unit, known := unitWords[text]; known && unit >= wire.Milliliter {
		return "" // the unit alone: this line speaks mL
	}
	v, unit, ok := measure(text)
	if !ok {
		return outOfRange
	}
	if unit == wire.Microliter {
		v /= 1000
	}
	return outcome(p.Pump.SetVTBI(v))
}

func setDiameter(p *pump, text string) string {
	v, err := strconv.ParseFloat(text, 64)
	switch {
	case err != nil || v < 0.1 || v > 80:
		return outOfRange
	case p.view().State.Moving():
		return notApplicable
	}
	p.diameter = v
	return ""
}

// Physics returns the limits and resolutions of such a bench pump with a 60 mL syringe.
func Physics() pumpmodel.Config {
	c := pumpmodel.Default()
	c.StrokeML, c.CounterStepML, c.RateStep, c.MaxRate = 0.001, 0.001, 0.001, 1699
	c.ComplianceMLPerBar = 1
	c.UpstreamSensor, c.AirDetector = false, false
	c.Mains = true
	return c
}

// Describe declares what such a pump is like.
func Describe() front.Info {
	return front.Info{
		Protocol: "newera", Models: "New Era NE-1000, WPI Aladdin (bench pumps)", Baud: Baud, Gap: Gap, Addresses: "00 to 99",
		Announces: func(a pumpmodel.Alarm) bool { _, has := letters[a]; return has },
		OneAlarm:  true, Physics: Physics,
		CannotSay: []string{
			"who it is: it has no serial number", "an alarm twice: telling it acknowledges it", "the side of an occlusion: its motor stalls",
			"battery, line pressure, air, drug", "a log",
		},
	}
}
