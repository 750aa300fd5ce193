package pagetest

import (
	"time"

	"infusiond/gateway/message"
)

// Running is the reading of a pump that runs at 1.11 mL/h.
func Running() message.Reading {
	return message.Reading{
		DeliveryStatus: "infusing", Mode: "continuous",
		ProgrammedRateMlPerH: message.DecimalOf("1.11"), PumpReportedRateMlPerH: message.DecimalOf("1.11"),
		VolumeInfusedMl: message.DecimalOf("13.4"),
		Alarms:          &message.PumpAlarms{Known: "yes"},
	}
}

// VerdictOK is the verdict ok with a confirmed bag.
func VerdictOK(pump string) message.Verdict {
	in := message.Inputs{
		Drug: pump, PrescribedRateMlPerH: message.DecimalOf("1.11"), PrescribedDose: message.DecimalOf("0.5"),
		ProgrammedDose: message.DecimalOf("0.5"), WeightKg: message.DecimalOf("7.4"),
		ConcentrationMcgPerMl: message.DecimalOf("200"), RateToleranceMlPerH: message.DecimalOf("0.0111"),
		RoundedPrescribedRateMlPerH: message.DecimalOf("1.11"), BagConfirmed: "yes", Library: "example v1",
	}
	if pump == "dobutamine" {
		in.PrescribedRateMlPerH = message.DecimalOf("2.22")
		in.RoundedPrescribedRateMlPerH = message.DecimalOf("2.22")
		in.PrescribedDose, in.ProgrammedDose = message.DecimalOf("5"), message.DecimalOf("5")
		in.ConcentrationMcgPerMl = message.DecimalOf("1000")
	}
	return message.Verdict{
		Verdict: "ok", Inputs: &in,
		Prescription: &message.PrescriptionRef{Patient: "p-017", Infusion: pump, Version: 3},
	}
}

// Tenfold makes a state deviate: 11.1 mL/h instead of 1.11.
func Tenfold(s *message.State) {
	s.ProgrammedRateMlPerH = message.DecimalOf("11.1")
	s.PumpReportedRateMlPerH = message.DecimalOf("11.1")
	s.Verdict.Verdict = "deviation"
	s.Verdict.Reasons = []message.Finding{{
		Check: "C1", Code: "rate_mismatch", Verdict: "deviation",
		Text: "The pump is set to 11.1 mL/h; prescribed is 1.11 mL/h.",
		Hint: "ten times the prescribed rate; look at the decimal point.",
	}}
}

// StoppedByKey makes a state deviate: the pump reports that it is stopped.
func StoppedByKey(s *message.State) {
	s.DeliveryStatus = "stopped"
	s.PumpReportedRateMlPerH = message.DecimalOf("0")
	s.Verdict.Verdict = "deviation"
	s.Verdict.Reasons = []message.Finding{{
		Check: "C2", Code: "stopped", Verdict: "deviation", Text: "The pump reports that it is stopped; it should be running.",
	}}
}

// NoReply makes a state unknown, with the last reading ago before its ts.
func NoReply(ago time.Duration) func(*message.State) {
	return func(s *message.State) {
		read := message.TimeOf(s.TS.Time().Add(-ago))
		s.LastKnown = &message.LastKnown{Reading: &message.OldRead{
			TS: read, DeliveryStatus: s.DeliveryStatus,
			ProgrammedRateMlPerH: s.ProgrammedRateMlPerH, PumpReportedRateMlPerH: s.PumpReportedRateMlPerH,
		}}
		s.LastReading = read
		s.Reading = message.Reading{
			DeliveryStatus: "unknown", UnknownReason: "no_reply",
			UnknownDetail: "the port is open, the pump does not answer",
			Alarms:        &message.PumpAlarms{Known: "no", Reason: "no reading"},
		}
		s.Verdict.Verdict = "unknown"
		s.Verdict.Reasons = []message.Finding{{
			Check: "C16", Code: "data_delayed", Verdict: "unknown", Text: "There is no reading from the pump.",
		}}
		s.Link = message.Link{State: "silent", Reason: "the pump does not answer", Since: read}
	}
}

// NoBag makes a state unknown: the bag is not confirmed.
func NoBag(s *message.State) {
	s.Verdict.Verdict = "unknown"
	s.Verdict.Inputs.BagConfirmed = "no"
	s.Verdict.Reasons = []message.Finding{{
		Check: "C8", Code: "bag_unconfirmed", Verdict: "unknown", Text: "The drug and concentration in the bag are not confirmed.",
	}}
}

// Occlusion is a pump alarm of high priority.
func Occlusion(at time.Time) message.Alert {
	return message.Alert{
		ID: "al-000017", Code: "occlusion_downstream", Origin: "pump", Priority: "high", State: "raised",
		Text:  "The pump reports: line blocked between pump and patient.",
		Onset: message.TimeOf(at.Add(-7 * time.Second)), RaisedTS: message.TimeOf(at),
		PumpText: "DOWNSTREAM OCCLUSION", PumpCode: "9/2", Derived: true,
	}
}

// RateMismatch is an alert of medium priority.
func RateMismatch(at time.Time) message.Alert {
	return message.Alert{
		ID: "al-000018", Code: "rate_mismatch", Origin: "check", Priority: "medium", State: "raised",
		Text:  "The pump is set to another rate than prescribed.",
		Hint:  "ten times the prescribed rate; look at the decimal point.",
		Onset: message.TimeOf(at.Add(-20 * time.Second)), RaisedTS: message.TimeOf(at),
	}
}

// ReviewDue is an alert of low priority.
func ReviewDue(at time.Time) message.Alert {
	return message.Alert{
		ID: "al-000019", Code: "review_overdue", Origin: "check", Priority: "low", State: "raised",
		Text:  "The review of the prescription is overdue.",
		Onset: message.TimeOf(at.Add(-48 * time.Hour)), RaisedTS: message.TimeOf(at),
	}
}
