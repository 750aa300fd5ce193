package check

import (
	"math/big"
	"strings"
	"testing"
	"time"

	"infusiond/gateway/infusion"
	"infusiond/gateway/message"
	"infusiond/gateway/prescription"
	"infusiond/gateway/units"
)

var start = infusion.Instant{UTC: time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC), Boot: time.Hour}

func after(d time.Duration) infusion.Instant { return start.Add(d) }

func mlPerH(text string) units.Rate {
	v, err := units.ParseDecimal(text)
	if err != nil {
		panic(err)
	}
	r, _, err := units.RateOf(v)
	if err != nil {
		panic(err)
	}
	return r
}

func ml(n int64) infusion.Opt[units.Volume] {
	return infusion.Some(units.Volume(n) * units.Milliliter)
}

// order is milrinone 0.5 mcg/kg/min for 7.4 kg at 200 mcg/mL: 1.11 mL/h.
func order(alter func(*prescription.Prescription, *prescription.Infusion)) prescription.Order {
	i := &prescription.Infusion{
		Name: "milrinone", Pump: "blue", Drug: "milrinone", DoseMcgPerKgPerMin: big.NewRat(1, 2), ConcentrationMcgPerMl: big.NewRat(200, 1),
		Start: start.UTC.Add(-time.Hour), Step: mlPerH("0.01"), Rate: mlPerH("1.11"), Rounded: mlPerH("1.11"),
		Bag: &prescription.Bag{Drug: "milrinone", ConcentrationMcgPerMl: big.NewRat(200, 1), ConfirmedBy: "two", ConfirmedAt: start.UTC},
		Limits: &prescription.Drug{Name: "milrinone", Stop: prescription.Slow, Dose: prescription.Limits{
			HardLow: big.NewRat(1, 20), SoftLow: big.NewRat(1, 4), SoftHigh: big.NewRat(3, 4), HardHigh: big.NewRat(1, 1),
		}},
	}
	p := &prescription.Prescription{Patient: "p", Version: 3, WeightKg: big.NewRat(74, 10)}
	if alter != nil {
		alter(p, i)
	}
	at := start.UTC
	return prescription.Order{Prescription: p, Infusion: i, Expected: !at.Before(i.Start) && !i.Ended(at)}
}

func running(alter func(*infusion.Observation)) infusion.Observation {
	o := infusion.Observation{
		Pump: "blue", At: start, Status: infusion.StatusInfusing, AlarmsKnown: true,
		Programmed: infusion.Some(mlPerH("1.11")), PumpReported: infusion.Some(mlPerH("1.11")),
		VolumeInfused: ml(12), VTBI: ml(100),
	}
	if alter != nil {
		alter(&o)
	}
	return o
}

func codes(fs []Finding) string {
	var out []string
	for _, f := range fs {
		out = append(out, f.Check+" "+f.Code+" "+f.Verdict)
	}
	return strings.Join(out, ", ")
}

// Covers GW-07, GW-19, GW-74, GW-75, GW-76, GW-77, GW-78, GW-79, GW-80.
func TestVerdict(t *testing.T) {
	set := func(text string) func(*infusion.Observation) {
		return func(o *infusion.Observation) {
			o.Programmed, o.PumpReported = infusion.Some(mlPerH(text)), infusion.Some(mlPerH(text))
		}
	}
	status := func(s infusion.DeliveryStatus) func(*infusion.Observation) {
		return func(o *infusion.Observation) { o.Status = s }
	}
	type alterOrder = func(*prescription.Prescription, *prescription.Infusion)
	for _, row := range []struct {
		name        string
		observation func(*infusion.Observation)
		order       alterOrder
		none        bool // no order at all
		verdict     string
		codes       string
	}{
		{name: "as prescribed", verdict: "ok"},
		{name: "inside the tolerance of one percent", observation: set("1.12"), verdict: "ok"},
		{name: "just outside the tolerance", observation: set("1.13"), verdict: "deviation", codes: "C1 rate_mismatch deviation"},
		{name: "tenfold", observation: set("11.1"), verdict: "deviation", codes: "C1 rate_mismatch deviation, C8 dose_limit deviation"},
		{name: "half a coarse step is tolerated", observation: set("1.1"), order: func(_ *prescription.Prescription, i *prescription.Infusion) {
			i.Step, i.Rounded = mlPerH("0.1"), mlPerH("1.1")
		}, verdict: "ok"},
		{
			name: "pump says it runs faster than it is set", observation: func(o *infusion.Observation) { o.PumpReported = infusion.Some(mlPerH("2.22")) },
			verdict: "deviation", codes: "C1 rate_mismatch deviation",
		},
		{name: "stopped before it ever ran", observation: status(infusion.StatusStopped), verdict: "deviation", codes: "C2 not_started deviation"},
		{name: "paused before it ever ran", observation: status(infusion.StatusPaused), verdict: "deviation", codes: "C2 not_started deviation"},
		{name: "state not told", observation: status(infusion.StatusUnknown), verdict: "unknown", codes: "C2 run_state_unknown unknown"},
		{name: "KVO flag", observation: status(infusion.StatusKVO), verdict: "deviation", codes: "C3 kvo deviation"},
		{name: "running although the programmed volume was infused", observation: func(o *infusion.Observation) { o.VolumeInfused = ml(100) }, verdict: "deviation", codes: "C3 kvo deviation"},
		{
			name: "a counter of several infusions is not held against the programmed volume", observation: func(o *infusion.Observation) {
				o.VolumeInfused, o.Uncertain = ml(100), []string{"VTBI"}
			}, verdict: "ok",
		},
		{
			name: "running below 0.9 of the set rate", observation: func(o *infusion.Observation) { o.PumpReported = infusion.Some(mlPerH("0.2")) },
			verdict: "deviation", codes: "C3 kvo deviation",
		},
		{name: "bolus", observation: status(infusion.StatusBolus), verdict: "deviation", codes: "C5 bolus_unplanned deviation"},
		{
			name: "no rate told", observation: func(o *infusion.Observation) {
				o.Programmed, o.PumpReported = infusion.Opt[units.Rate]{}, infusion.Opt[units.Rate]{}
			},
			verdict: "unknown", codes: "C1 rate_unknown unknown",
		},
		{name: "only the reported rate told", observation: func(o *infusion.Observation) { o.Programmed = infusion.Opt[units.Rate]{} }, verdict: "ok"},
		{name: "no prescription", none: true, verdict: "unknown", codes: " no_prescription unknown"},
		{
			name: "bag not confirmed", order: func(_ *prescription.Prescription, i *prescription.Infusion) { i.Bag.ConfirmedBy = "" },
			verdict: "unknown", codes: "C8 bag_unconfirmed unknown",
		},
		{
			name: "no bag", order: func(_ *prescription.Prescription, i *prescription.Infusion) { i.Bag = nil },
			verdict: "unknown", codes: "C8 bag_unconfirmed unknown",
		},
		{
			name: "rate right, bag five times as strong", order: func(_ *prescription.Prescription, i *prescription.Infusion) {
				i.Bag.ConcentrationMcgPerMl = big.NewRat(1000, 1)
			},
			verdict: "deviation", codes: "C8 dose_mismatch deviation, C8 dose_limit deviation",
		},
		{
			name: "another drug in the bag", order: func(_ *prescription.Prescription, i *prescription.Infusion) { i.Bag.Drug = "dobutamine" },
			verdict: "deviation", codes: "C8 dose_mismatch deviation",
		},
		{
			name: "drug without limits", order: func(_ *prescription.Prescription, i *prescription.Infusion) { i.Limits = nil },
			verdict: "unknown", codes: "C8 no_library_limits unknown",
		},
		{
			name: "dose beyond a soft limit that the prescription does not exceed", order: func(_ *prescription.Prescription, i *prescription.Infusion) {
				i.Limits.Dose.SoftHigh = big.NewRat(4, 10)
			},
			verdict: "deviation", codes: "C8 dose_limit deviation",
		},
		{
			name: "dose beyond a soft limit that was ordered with a reason", order: func(_ *prescription.Prescription, i *prescription.Infusion) {
				i.Limits.Dose.SoftHigh, i.Soft = big.NewRat(4, 10), true
			},
			verdict: "ok",
		},
		{
			name: "planned end passed and stopped", observation: status(infusion.StatusStopped),
			order:   func(_ *prescription.Prescription, i *prescription.Infusion) { i.End = start.UTC.Add(-time.Minute) },
			verdict: "unknown", codes: " prescription_end unknown",
		},
		{
			name:    "planned end passed and running",
			order:   func(_ *prescription.Prescription, i *prescription.Infusion) { i.End = start.UTC.Add(-time.Minute) },
			verdict: "deviation", codes: " prescription_end unknown, C2 unplanned_run deviation",
		},
		{
			name: "not begun and not running", observation: status(infusion.StatusStopped),
			order:   func(_ *prescription.Prescription, i *prescription.Infusion) { i.Start = start.UTC.Add(time.Minute) },
			verdict: "ok",
		},
		{
			name:    "not begun and running",
			order:   func(_ *prescription.Prescription, i *prescription.Infusion) { i.Start = start.UTC.Add(time.Minute) },
			verdict: "deviation", codes: "C2 unplanned_run deviation",
		},
		{name: "alarms cannot be told", observation: func(o *infusion.Observation) { o.AlarmsKnown = false }, verdict: "unknown", codes: " pump_alarms_unknown unknown"},
		{
			name: "no reading", observation: func(o *infusion.Observation) { o.Gap = &infusion.Gap{Reason: infusion.GapNoReply} },
			verdict: "unknown", codes: " no_reading unknown",
		},
		{
			name: "another pump answers", observation: func(o *infusion.Observation) { o.Gap = &infusion.Gap{Reason: infusion.GapWrongIdentity} },
			verdict: "unknown", codes: "C11 identity_mismatch unknown",
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			var rx prescription.Order
			if !row.none {
				rx = order(row.order)
			}
			r := New(start).Observe(running(row.observation), rx, !row.none)
			if r.Verdict != row.verdict || codes(r.Findings) != row.codes {
				t.Errorf("verdict %s, findings %q\nwant %s, %q", r.Verdict, codes(r.Findings), row.verdict, row.codes)
			}
			for _, f := range r.Findings {
				if f.Text == "" {
					t.Errorf("%s says nothing to a person", f.Code)
				}
			}
		})
	}
}

// Covers GW-77.
func TestAStopBeginsWhenThePumpLastRanAsPlanned(t *testing.T) {
	c := New(start)
	c.Observe(running(nil), order(nil), true)
	stop := func(d time.Duration) Result {
		return c.Observe(running(func(o *infusion.Observation) { o.At, o.Status = after(d), infusion.StatusPaused }), order(nil), true)
	}
	for _, d := range []time.Duration{5 * time.Second, 10 * time.Second, time.Hour} {
		r := stop(d)
		if codes(r.Findings) != "C2 stopped deviation" || r.Findings[0].Onset != start {
			t.Errorf("after %v: %s since %v", d, codes(r.Findings), r.Findings[0].Onset.UTC)
		}
	}
	c.Observe(running(func(o *infusion.Observation) { o.At = after(2 * time.Hour) }), order(nil), true)
	if r := stop(3 * time.Hour); r.Findings[0].Onset != after(2*time.Hour) {
		t.Errorf("the second stop began at %v", r.Findings[0].Onset.UTC)
	}
}

// Covers GW-74.
func TestTheVerdictCarriesWhatItWasMadeOf(t *testing.T) {
	r := New(start).Observe(running(nil), order(nil), true)
	if r.Tolerance != mlPerH("0.0111") || r.ProgrammedDose == nil || r.ProgrammedDose.Cmp(big.NewRat(1, 2)) != 0 || r.Order.Version != 3 {
		t.Errorf("tolerance %v, dose %v, version %d", r.Tolerance, r.ProgrammedDose, r.Order.Version)
	}
}

// Covers GW-81.
func TestHintsAreThoseOfTheDomainFacts(t *testing.T) {
	for set, want := range map[string]string{
		"11.1": "decimal point, or a loading dose", "0.111": "decimal point", "26.64": "mL/24 h", "2.447": "pounds used as kilograms",
		"0.503": "kilograms used as pounds", "66.6": "minutes and hours", "0.555": "twice the concentration", "3.7": "",
	} {
		r := New(start).Observe(running(func(o *infusion.Observation) {
			o.Programmed, o.PumpReported = infusion.Some(mlPerH(set)), infusion.Some(mlPerH(set))
		}), order(nil), true)
		hint := r.Findings[0].Hint
		if (want == "") != (hint == "") || !strings.Contains(hint, want) {
			t.Errorf("%s mL/h: hint %q, want %q", set, hint, want)
		}
	}
}

// Covers GW-82.
func TestSilence(t *testing.T) {
	never := New(start)
	for d, want := range map[time.Duration]string{
		119 * time.Second: "", 120 * time.Second: "", 121 * time.Second: "C16 never_seen unknown", 48 * time.Hour: "C16 never_seen unknown",
	} {
		if got := codes(never.Silence(after(d))); got != want {
			t.Errorf("never read, after %v: %q, want %q", d, got, want)
		}
	}
	seen := New(start)
	seen.Observe(running(nil), order(nil), true)
	for d, want := range map[time.Duration]string{
		30 * time.Second: "", 31 * time.Second: "C16 data_delayed unknown", 120 * time.Second: "C16 data_delayed unknown",
		121 * time.Second: "C16 data_stale unknown", 48 * time.Hour: "C16 data_stale unknown",
	} {
		fs := seen.Silence(after(d))
		if got := codes(fs); got != want || want != "" && fs[0].Onset != start {
			t.Errorf("read once, after %v: %q, want %q", d, got, want)
		}
	}
	// A failed cycle is not a reading: silence counts from the last reading.
	gap := running(func(o *infusion.Observation) {
		o.At, o.Gap = after(125*time.Second), &infusion.Gap{Reason: infusion.GapNoReply}
	})
	if r := seen.Observe(gap, order(nil), true); codes(r.Findings) != "C16 data_stale unknown,  no_reading unknown" || r.Verdict != message.VerdictUnknown {
		t.Errorf("failed cycle: %s %q", r.Verdict, codes(r.Findings))
	}
}

// FuzzVerdict holds that whatever is missing, the verdict is never ok.
// Covers GW-75.
func FuzzVerdict(f *testing.F) {
	f.Add(true, true, true, true, true, uint8(0), int64(111))
	f.Add(true, false, true, true, true, uint8(1), int64(1110))
	statuses := []infusion.DeliveryStatus{
		infusion.StatusInfusing, infusion.StatusUnknown, infusion.StatusStopped, infusion.StatusKVO, infusion.StatusBolus, infusion.StatusPaused, "",
	}
	f.Fuzz(func(t *testing.T, reading, ordered, bag, alarms, rated bool, status uint8, hundredths int64) {
		if hundredths < 0 || hundredths > 300_000 {
			return
		}
		set := units.Rate(hundredths) * units.MilliliterPerHour / 100
		o := running(func(o *infusion.Observation) {
			o.Status, o.AlarmsKnown = statuses[int(status)%len(statuses)], alarms
			o.Programmed, o.PumpReported = infusion.Some(set), infusion.Some(set)
			if !rated {
				o.Programmed, o.PumpReported = infusion.Opt[units.Rate]{}, infusion.Opt[units.Rate]{}
			}
			if !reading {
				o.Gap = &infusion.Gap{Reason: infusion.GapNoReply}
			}
		})
		rx := order(func(_ *prescription.Prescription, i *prescription.Infusion) {
			if !bag {
				i.Bag.ConfirmedAt = time.Time{}
			}
		})
		r := New(start).Observe(o, rx, ordered)
		good := reading && ordered && bag && alarms && rated && o.Status == infusion.StatusInfusing && hundredths >= 110 && hundredths <= 112
		if (r.Verdict == message.VerdictOK) != good {
			t.Errorf("verdict %s, findings %q", r.Verdict, codes(r.Findings))
		}
		if (r.Verdict == message.VerdictOK) != (len(r.Findings) == 0) {
			t.Errorf("verdict %s with %d findings", r.Verdict, len(r.Findings))
		}
	})
}
