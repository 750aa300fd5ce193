package bcc

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"infusiond/drivers"
	"infusiond/drivers/exchange"
)

// absent are the values that mean "no value" and "not available for the moment".
func absent(text string) bool { return text == "" || text == "_NV" || text == "_NA" }

// number is one parameter of section 5.2 that goes straight into the report.
type number struct {
	name string
	most float64
	unit drivers.Unit
	into func(r *drivers.Report) *drivers.Quantity
	// field is the report's field when the number's meaning is uncertain; stuck the value at which the pump stops counting.
	uncertain, field, stuck string
}

var numbers = []number{
	{name: "INRT", most: 1800, unit: drivers.MilliliterPerHour, into: func(r *drivers.Report) *drivers.Quantity { return &r.ProgrammedRate }, uncertain: "ProgrammedRate"},
	{name: "INVI", most: 9999.9, unit: drivers.Milliliter, into: func(r *drivers.Report) *drivers.Quantity { return &r.VolumeInfused }, field: "VolumeInfused", stuck: "9999.9"},
	{name: "INVTB", most: 9999.9, unit: drivers.Milliliter, into: func(r *drivers.Report) *drivers.Quantity { return &r.VTBI }, uncertain: "VTBI"},
	{name: "VOLREMAIN", most: 9999.9, unit: drivers.Milliliter, into: func(r *drivers.Report) *drivers.Quantity { return &r.VTBIRemaining }, uncertain: "VTBIRemaining"},
	{name: "INSYR", most: 60, unit: drivers.Milliliter, into: func(r *drivers.Report) *drivers.Quantity { return &r.ContainerSize }},
	{name: "INRMT", most: 65535, unit: drivers.Second, into: func(r *drivers.Report) *drivers.Quantity { return &r.TimeRemaining }, field: "TimeRemaining", stuck: "65535"},
	{name: "INP2", most: 200, unit: drivers.PercentOfLimit, into: func(r *drivers.Report) *drivers.Quantity { return &r.DownstreamSensor }},
}

// modes are the words for OPMODE.
var modes = map[string]string{
	"0": "continuous", "1": "ramp/taper", "2": "program", "3": "piggyback", "4": "PCA", "5": "TCI", "7": "interval bolus",
}

// units are those of section 5.5 that the contract has a word for.
var units = map[string]drivers.Unit{
	"1": drivers.MilliliterPerHour, "30": drivers.NanogramPerMilliliter, "31": drivers.MilligramPerMilliliter, "32": drivers.MicrogramPerMilliliter,
	"47": drivers.MilligramPerMinute, "48": drivers.MilligramPerHour, "50": drivers.MicrogramPerMinute, "51": drivers.MicrogramPerHour,
	"65": drivers.NanogramPerKilogramPerMinute, "68": drivers.MilligramPerKilogramPerMinute, "69": drivers.MilligramPerKilogramPerHour,
	"71": drivers.MicrogramPerKilogramPerMinute, "72": drivers.MicrogramPerKilogramPerHour,
}

// fill turns the parameters of one pump into its report.
func fill(r *drivers.Report, v values) {
	r.Identity.Serial = text(v, "INSERNUM")
	if r.Identity.Serial == "" {
		r.Identity.Serial = text(v, "INNR")
	}
	r.Identity.Firmware = cmp.Or(text(v, "GNMODEL"), text(v, "GNNEW"))
	r.Identity.Model = model(r.Identity.Firmware)
	for _, n := range numbers {
		q := n.read(r, v)
		if !q.Valid {
			continue
		}
		*n.into(r) = q
		if n.uncertain != "" {
			r.Uncertain = append(r.Uncertain, n.uncertain)
		}
		if n.stuck != "" && v[n.name] == n.stuck {
			r.AtLeast = append(r.AtLeast, n.field)
		}
	}
	if r.DownstreamSensor.Valid {
		r.DownstreamThreshold = drivers.Number(100, 0, drivers.PercentOfLimit) // by definition (section 5.2)
	}
	if minutes := (number{name: "INAKKU", most: 1440, unit: drivers.Second}).read(r, v); minutes.Valid && minutes.Exponent == 0 {
		r.BatteryTime = drivers.Number(60*minutes.Mantissa, 0, drivers.Second)
	}
	r.Concentration = withUnit(r, v, "INDCON", "INDCONU")
	r.DoseRate = withUnit(r, v, "DORT", "DORTU")
	r.DrugName = cmp.Or(text(v, "INSOL"), text(v, "INSOLSN"))
	if code := text(v, "OPMODE"); code != "" {
		r.Mode = cmp.Or(modes[code], "OPMODE "+code)
	}
	r.ExternalPower = either(flag(v, "INM8"), bit(v, "STATUS1", 1))
	r.BolusRunning = either(flag(v, "INM2"), either(bit(v, "STATUS1", 10), bit(v, "STATUS1", 11)))
	if r.BolusRunning == drivers.Yes {
		r.BolusRate = number{name: "INBORT", most: 1800, unit: drivers.MilliliterPerHour}.read(r, v)
	}
	alarms(r, v)
	r.State = state(r, v)
}

// text returns a value as text for people, trimmed; empty when the pump gives none.
func text(v values, name string) string {
	if absent(v[name]) {
		return ""
	}
	trimmed := strings.TrimSpace(v[name])
	return strings.Map(func(c rune) rune {
		if c >= 0xE000 && c <= 0xF8FF { // glyphs of the pump's own display
			return '?'
		}
		return c
	}, exchange.Text([]byte(trimmed)))
}

// model names the pump from its software name (section 5.2).
func model(name string) string {
	for prefix, words := range map[string]string{
		"686": "Infusomat Space", "687": "Infusomat Space P", "688": "Perfusor Space", "586": "Infusomat Space (US)", "587": "Infusomat Space P (US)",
		"588": "Perfusor Space (US)", "I0002": "Perfusor compact plus", "I0003": "Infusomat compact plus",
	} {
		if strings.HasPrefix(name, prefix) {
			return words
		}
	}
	return name
}

// read keeps a number as the pump printed it. What is none, or outside the range, is absent and named.
func (n number) read(r *drivers.Report, v values) drivers.Quantity {
	value := v[n.name]
	if absent(value) {
		return drivers.Quantity{}
	}
	q, err := drivers.ParseDecimal(strings.Replace(strings.TrimSpace(value), ",", ".", 1), n.unit)
	if err != nil || q.Mantissa < 0 || float64(q.Mantissa)*math.Pow10(int(q.Exponent)) > n.most*(1+1e-12) {
		r.Unavailable = append(r.Unavailable, fmt.Sprintf("%s (%q is no number from 0 to %v)", n.name, exchange.Text([]byte(value)), n.most))
		return drivers.Quantity{}
	}
	return q
}

// withUnit reads a number whose unit stands in another parameter. In a unit without a word of ours it is absent and named.
func withUnit(r *drivers.Report, v values, name, unitName string) drivers.Quantity {
	if absent(v[name]) || absent(v[unitName]) {
		return drivers.Quantity{}
	}
	unit, known := units[strings.TrimSpace(v[unitName])]
	if !known {
		r.Unavailable = append(r.Unavailable, fmt.Sprintf("%s (in unit %s of the protocol)", name, exchange.Text([]byte(v[unitName]))))
		return drivers.Quantity{}
	}
	return number{name: name, most: 1e9, unit: unit}.read(r, v)
}

// flag reads 0 or 1.
func flag(v values, name string) drivers.Truth {
	switch v[name] {
	case "0":
		return drivers.No
	case "1":
		return drivers.Yes
	}
	return drivers.Unknown
}

// word reads a 32-bit word like 0x00000400h, with or without 0x and h.
func word(v values, name string) (uint32, bool) {
	value := v[name]
	if absent(value) {
		return 0, false
	}
	digits := strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(value), "0x"), "h")
	n, err := strconv.ParseUint(digits, 16, 32)
	return uint32(n), err == nil && len(digits) == 8
}

func bit(v values, name string, n int) drivers.Truth {
	w, ok := word(v, name)
	switch {
	case !ok:
		return drivers.Unknown
	case w>>n&1 == 1:
		return drivers.Yes
	}
	return drivers.No
}

// either joins two sources of one truth; where they contradict each other nothing is known.
func either(a, b drivers.Truth) drivers.Truth {
	switch {
	case a == drivers.Unknown || a == b:
		return b
	case b == drivers.Unknown:
		return a
	}
	return drivers.Unknown
}

// runBit reads a bit of RUNSTATE, a decimal number of six bits.
func runBit(v values, n int) drivers.Truth {
	if absent(v["RUNSTATE"]) {
		return drivers.Unknown
	}
	w, err := strconv.ParseUint(strings.TrimSpace(v["RUNSTATE"]), 10, 8)
	switch {
	case err != nil || w > 63:
		return drivers.Unknown
	case w>>n&1 == 1:
		return drivers.Yes
	}
	return drivers.No
}

// state says what the pump says that it does; flags, words and RUNSTATE must not contradict each other.
func state(r *drivers.Report, v values) drivers.RunState {
	runs := either(either(flag(v, "INM3"), bit(v, "STATUS1", 7)), runBit(v, 1))
	contradicted := runs == drivers.Unknown && (flag(v, "INM3") != drivers.Unknown || bit(v, "STATUS1", 7) != drivers.Unknown || runBit(v, 1) != drivers.Unknown)
	yes := func(t ...drivers.Truth) bool { return slices.Contains(t, drivers.Yes) }
	switch {
	case v["DSSTATUS"] == "00050":
		return drivers.RunPoweredOff
	case contradicted:
		return drivers.RunUnknown
	case yes(flag(v, "INM10"), bit(v, "STATUS1", 13), runBit(v, 3)):
		return drivers.RunKVO
	case yes(flag(v, "INM14"), bit(v, "STATUS1", 4)):
		return drivers.RunPriming
	case r.BolusRunning == drivers.Yes && runs == drivers.Yes:
		return drivers.RunBolus
	case runs == drivers.Yes:
		return drivers.RunInfusing
	case yes(flag(v, "INM6"), bit(v, "STATUS1", 2)):
		return drivers.RunStandby
	case runs == drivers.No && r.AlarmsKnown && stopping(r.Alarms):
		return drivers.RunStoppedByAlarm
	case runs == drivers.No:
		return drivers.RunStopped
	}
	return drivers.RunUnknown
}
