package check

import (
	"fmt"
	"math/big"
	"time"

	"infusiond/gateway/infusion"
	"infusiond/gateway/message"
	"infusiond/gateway/prescription"
	"infusiond/gateway/units"
)

// Ages of the last reading after which data count as delayed and as stale (design section 3).
const (
	DelayedAfter = 30 * time.Second
	StaleAfter   = 120 * time.Second
)

// Finding is one thing that a check found.
type Finding struct {
	Check   string // "C1" … "C16"
	Code    string // a message.Code…
	Verdict string // message.VerdictDeviation or message.VerdictUnknown
	Text    string // for a person, with numbers and units
	Hint    string // a likely cause, never a certainty
	// Onset is when the condition began as far as can be told: for a stop, when the pump was
	// last seen running as planned.
	Onset infusion.Instant
}

// Result is the judgement of one observation.
type Result struct {
	Verdict  string // message.VerdictOK, VerdictDeviation or VerdictUnknown
	Findings []Finding
	// Order is what the observation was compared with; Ordered is false when nothing applies.
	Order     prescription.Order
	Ordered   bool
	Tolerance units.Rate // of C1
	// ProgrammedDose is the dose in mcg/kg/min of the programmed rate with the confirmed bag; nil
	// when it cannot be told.
	ProgrammedDose *big.Rat
}

// Checker judges the observations of one pump.
type Checker struct {
	started     infusion.Instant
	lastReading infusion.Opt[infusion.Instant]
	lastPlanned infusion.Opt[infusion.Instant]
	onset       map[string]infusion.Instant // of the codes found in the last reading
	dose        lastDose
}

// New returns the checker of one pump, at the time when watching begins.
func New(started infusion.Instant) *Checker {
	return &Checker{started: started, onset: map[string]infusion.Instant{}}
}

// Resume tells a new checker that the pump ran as planned until a time, as an open alert of an
// earlier run of the program knows: its stop is the same stop.
func (c *Checker) Resume(planned infusion.Instant) { c.lastPlanned = infusion.Some(planned) }

// ResumeSilence tells a new checker when the pump was last read, as an open alert of an earlier run of
// the program knows: its silence is the same silence.
func (c *Checker) ResumeSilence(lastReading infusion.Instant) {
	c.lastReading = infusion.Some(lastReading)
}

// Observe judges one observation. Order is what applies to the pump at that time; ordered false
// means that nothing does.
func (c *Checker) Observe(o infusion.Observation, order prescription.Order, ordered bool) Result {
	r := Result{Order: order, Ordered: ordered}
	if o.Gap != nil {
		r.Findings = append(c.silence(o.At), gapFinding(o))
		r.Verdict = message.VerdictUnknown
		return r
	}
	c.lastReading = infusion.Some(o.At)
	j := judge{o: o, r: &r}
	switch {
	case !ordered:
		j.unknown("", message.CodeNoPrescription, "no prescription applies to this pump now")
	case order.Ended(o.At.UTC):
		j.unknown("", message.CodePrescriptionEnd, "the planned end of this infusion has passed")
		j.runState(c)
	default:
		j.runState(c)
		j.rate()
		j.dose(c)
	}
	j.bolus()
	j.kvo()
	if !o.AlarmsKnown {
		j.unknown("", message.CodePumpAlarmsHidden, "the pump's own alarms cannot be told: "+o.AlarmsReason)
	}
	c.settle(&r, o)
	return r
}

// settle sets the verdict and the onset of each finding.
func (c *Checker) settle(r *Result, o infusion.Observation) {
	r.Verdict = message.VerdictOK
	var onset map[string]infusion.Instant // usually nothing is found
	if len(r.Findings) > 0 {
		onset = make(map[string]infusion.Instant, len(r.Findings))
	}
	for i := range r.Findings {
		f := &r.Findings[i]
		switch {
		case f.Verdict == message.VerdictDeviation:
			r.Verdict = message.VerdictDeviation
		case r.Verdict == message.VerdictOK:
			r.Verdict = message.VerdictUnknown
		}
		f.Onset = o.At
		if first, known := c.onset[f.Code]; known {
			f.Onset = first
		} else if planned, known := c.lastPlanned.Get(); known && f.Code == message.CodeStopped {
			f.Onset = planned
		}
		onset[f.Code] = f.Onset
	}
	c.onset = onset
	if r.Ordered && r.Order.Expected && o.Status == infusion.StatusInfusing {
		c.lastPlanned = infusion.Some(o.At)
	}
}

// Silence returns what the absence of readings means at a time: nothing, data_delayed,
// data_stale or never_seen. It is also part of the findings of a cycle without reading.
func (c *Checker) Silence(at infusion.Instant) []Finding { return c.silence(at) }

func (c *Checker) silence(at infusion.Instant) []Finding {
	last, seen := c.lastReading.Get()
	if !seen {
		if at.Since(c.started) <= StaleAfter {
			return nil
		}
		return []Finding{{
			Check: "C16", Code: message.CodeNeverSeen, Verdict: message.VerdictUnknown, Onset: c.started,
			Text: "this pump was never read since the gateway began to watch it",
		}}
	}
	age := at.Since(last)
	f := Finding{Check: "C16", Verdict: message.VerdictUnknown, Onset: last}
	switch {
	case age > StaleAfter:
		f.Code, f.Text = message.CodeDataStale, "no reading since "+last.UTC.Format("15:04:05")+" UTC: what the pump does is unknown"
	case age > DelayedAfter:
		f.Code, f.Text = message.CodeDataDelayed, "no reading since "+last.UTC.Format("15:04:05")+" UTC"
	default:
		return nil
	}
	return []Finding{f}
}

func gapFinding(o infusion.Observation) Finding {
	f := Finding{Code: message.CodeNoReading, Verdict: message.VerdictUnknown, Onset: o.At, Text: "no reading: " + o.Gap.Detail}
	if o.Gap.Reason == infusion.GapWrongIdentity {
		f.Check, f.Code = "C11", message.CodeIdentityMismatch
		f.Text = "pump not confirmed for this patient: " + o.Gap.Detail
	}
	return f
}

// judge holds one observation while it is judged.
type judge struct {
	o infusion.Observation
	r *Result
}

func (j *judge) unknown(check, code, text string) {
	j.r.Findings = append(j.r.Findings, Finding{Check: check, Code: code, Verdict: message.VerdictUnknown, Text: text})
}

func (j *judge) deviation(check, code, text, hint string) {
	j.r.Findings = append(j.r.Findings, Finding{Check: check, Code: code, Verdict: message.VerdictDeviation, Text: text, Hint: hint})
}

// runState is check C2.
func (j *judge) runState(c *Checker) {
	s := j.o.Status
	switch {
	case !s.Known():
		j.unknown("C2", message.CodeRunStateUnknown, "the pump does not tell whether it runs")
	case j.r.Order.Expected && stopped(s):
		text := fmt.Sprintf("the pump reports %s; %s should be running", words(s), j.r.Order.Drug)
		if c.lastPlanned.Present() {
			j.deviation("C2", message.CodeStopped, text, "")
		} else {
			j.deviation("C2", message.CodeNotStarted, text+" since "+j.r.Order.Start.Format("2006-01-02 15:04")+" UTC", "")
		}
	case !j.r.Order.Expected && !stopped(s):
		j.deviation("C2", message.CodeUnplannedRun, fmt.Sprintf("the pump reports %s; no infusion is planned now", words(s)), "")
	}
}

func stopped(s infusion.DeliveryStatus) bool {
	switch s {
	case infusion.StatusStopped, infusion.StatusPaused, infusion.StatusStoppedByAlarm, infusion.StatusComplete,
		infusion.StatusStandby, infusion.StatusDelayed, infusion.StatusPriming, infusion.StatusPoweredOff:
		return true
	case infusion.StatusInfusing, infusion.StatusKVO, infusion.StatusBolus, infusion.StatusUnknown:
	}
	return false
}

func words(s infusion.DeliveryStatus) string {
	switch s {
	case infusion.StatusStoppedByAlarm:
		return "stopped by an alarm"
	case infusion.StatusPoweredOff:
		return "switched off"
	case infusion.StatusComplete:
		return "that the programmed volume was infused"
	case infusion.StatusKVO:
		return "keep-vein-open"
	case infusion.StatusInfusing, infusion.StatusBolus, infusion.StatusStopped, infusion.StatusPaused, infusion.StatusStandby,
		infusion.StatusDelayed, infusion.StatusPriming, infusion.StatusUnknown:
	}
	return string(s)
}
