package bcc

import (
	"bytes"
	"cmp"
	"fmt"
	"math"
	"strings"

	"infusiond/drivers"
	"infusiond/drivers/exchange"
)

// number is one parameter of section 5.2 that goes straight into the report.
type number struct {
	of    parameter
	most  float64
	unit  drivers.Unit
	into  func(r *drivers.Report) *drivers.Quantity
	field string // its name in the report, for Uncertain and AtLeast
	// uncertain says that the document leaves the meaning open; stuck is the value at which the pump stops counting.
	uncertain bool
	stuck     string
	positive  bool // 0 stands for none
}

var numbers = []number{
	{of: inRt, most: 1800, unit: drivers.MilliliterPerHour, into: func(r *drivers.Report) *drivers.Quantity { return &r.ProgrammedRate }, field: "ProgrammedRate", uncertain: true},
	{of: inVI, most: 9999.9, unit: drivers.Milliliter, into: func(r *drivers.Report) *drivers.Quantity { return &r.VolumeInfused }, field: "VolumeInfused", stuck: "9999.9"},
	{of: inVTB, most: 9999.9, unit: drivers.Milliliter, into: func(r *drivers.Report) *drivers.Quantity { return &r.VTBI }, field: "VTBI", uncertain: true},
	{of: volRemain, most: 9999.9, unit: drivers.Milliliter, into: func(r *drivers.Report) *drivers.Quantity { return &r.VTBIRemaining }, field: "VTBIRemaining", uncertain: true},
	{of: inSyr, most: 60, unit: drivers.Milliliter, into: func(r *drivers.Report) *drivers.Quantity { return &r.ContainerSize }, positive: true},
	{of: inRMT, most: 65535, unit: drivers.Second, into: func(r *drivers.Report) *drivers.Quantity { return &r.TimeRemaining }, field: "TimeRemaining", stuck: "65535"},
	{of: inP2, most: 200, unit: drivers.PercentOfLimit, into: func(r *drivers.Report) *drivers.Quantity { return &r.DownstreamSensor }},
}

// bolusNumbers are read while a bolus runs: at other times they tell of the last one, or of the next.
var bolusNumbers = []number{
	{of: inBoRt, most: 1800, unit: drivers.MilliliterPerHour, into: func(r *drivers.Report) *drivers.Quantity { return &r.BolusRate }},
	{of: inBoVal, most: 9999.9, unit: drivers.Milliliter, into: func(r *drivers.Report) *drivers.Quantity { return &r.BolusVTBI }, field: "BolusVTBI", uncertain: true},
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
func fill(r *drivers.Report, v *values) {
	r.Identity.Serial = cmp.Or(text(v, inSerNum), text(v, inNr))
	r.Identity.Firmware = cmp.Or(text(v, gnModel), text(v, gnNew))
	kind := kindOf(r.Identity.Firmware)
	r.Identity.Model = cmp.Or(kind.words, r.Identity.Firmware)
	for i := range numbers {
		numbers[i].fill(r, v)
	}
	if r.DownstreamSensor.Valid {
		r.DownstreamThreshold = drivers.Number(100, 0, drivers.PercentOfLimit) // by definition (section 5.2)
	}
	battery := number{of: inAkku, most: 1440, unit: drivers.Second}
	if minutes := battery.read(r, v); minutes.Valid && minutes.Exponent == 0 {
		r.BatteryTime = drivers.Number(60*minutes.Mantissa, 0, drivers.Second)
	}
	r.Concentration = withUnit(r, v, inDCon, inDConU)
	r.DoseRate = withUnit(r, v, doRt, doRtU)
	r.DrugName = cmp.Or(text(v, inSol), text(v, inSolSN))
	if code := text(v, opMode); code != "" {
		r.Mode = cmp.Or(modes[code], "OPMODE "+code)
	}
	r.ExternalPower = agreed(truth(v.of[inM8]), bit(v, status1, 1))
	r.BolusRunning = agreed(truth(v.of[inM2]), either(bit(v, status1, 10), bit(v, status1, 11)))
	if r.BolusRunning == drivers.Yes {
		for i := range bolusNumbers {
			bolusNumbers[i].fill(r, v)
		}
	}
	alarms(r, v, kind)
	r.State = state(r, v)
}

// text returns a value as text for people, trimmed; empty when the pump gives none.
func text(v *values, p parameter) string {
	if !v.has(p) {
		return ""
	}
	return words(bytes.TrimSpace(v.of[p]))
}

// words makes bytes fit for people. Glyphs of the pump's own display (U+E000 to U+F8FF) become "?".
func words(b []byte) string {
	return strings.Map(func(c rune) rune {
		if c >= 0xE000 && c <= 0xF8FF {
			return '?'
		}
		return c
	}, exchange.Text(b))
}

// fill puts a number into its field.
func (n *number) fill(r *drivers.Report, v *values) {
	q := n.read(r, v)
	if !q.Valid || n.positive && q.Mantissa == 0 {
		return
	}
	*n.into(r) = q
	if n.uncertain {
		r.Uncertain = append(r.Uncertain, n.field)
	}
	if n.stuck != "" && q.Decimal() == n.stuck {
		r.AtLeast = append(r.AtLeast, n.field)
	}
}

// read keeps a number as the pump printed it. What is none, or outside the range, is absent and named.
func (n *number) read(r *drivers.Report, v *values) drivers.Quantity {
	if !v.has(n.of) {
		return drivers.Quantity{}
	}
	value := v.of[n.of]
	q, err := drivers.ParseDecimal(strings.Replace(string(bytes.TrimSpace(value)), ",", ".", 1), n.unit)
	if err != nil || q.Mantissa < 0 || float64(q.Mantissa)*math.Pow10(int(q.Exponent)) > n.most*(1+1e-12) {
		r.Unavailable = append(r.Unavailable, fmt.Sprintf("%s (%q is no number from 0 to %v)", parameterNames[n.of], exchange.Text(value), n.most))
		return drivers.Quantity{}
	}
	return q
}

// withUnit reads a number whose unit stands in another parameter. In a unit without a word of ours it is absent and named.
func withUnit(r *drivers.Report, v *values, of, unitOf parameter) drivers.Quantity {
	if !v.has(of) || !v.has(unitOf) {
		return drivers.Quantity{}
	}
	unit, known := units[string(bytes.TrimSpace(v.of[unitOf]))]
	if !known {
		r.Unavailable = append(r.Unavailable, fmt.Sprintf("%s (in unit %s of the protocol)", parameterNames[of], exchange.Text(v.of[unitOf])))
		return drivers.Quantity{}
	}
	n := number{of: of, most: 1e9, unit: unit}
	return n.read(r, v)
}
