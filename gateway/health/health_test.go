package health

import (
	"testing"
	"time"

	"infusiond/gateway/infusion"
	"infusiond/gateway/message"
)

func fixed() infusion.Instant {
	return infusion.Instant{UTC: time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)}
}

func codes(cs []message.Condition) []string {
	var out []string
	for _, c := range cs {
		out = append(out, c.Code+"/"+c.Subject)
	}
	return out
}

// Covers GW-98.
func TestAConditionIsRaisedOnceUpdatedAndEnded(t *testing.T) {
	tr := New(fixed)
	tr.Report("broker_refused", "mqtt", "connection refused", "")
	tr.Report("broker_refused", "mqtt", "connection refused", "")
	tr.Report("broker_refused", "mqtt", "connection refused again", "")
	tr.Report("broker_refused", "other", "", "") // the end of something that never was
	open := tr.Open()
	if len(open) != 1 || open[0].Detail != "connection refused again" || open[0].Priority != message.PriorityMedium || open[0].Hint == "" || open[0].Text == "" {
		t.Fatalf("%+v", open)
	}
	if changes := tr.Take(); len(changes) != 1 || changes[0].Ended {
		t.Errorf("%+v", changes)
	}
	select {
	case <-tr.Changed():
	default:
		t.Error("nobody was told")
	}
	tr.Report("broker_refused", "mqtt", "", "")
	if changes := tr.Take(); len(tr.Open()) != 0 || len(changes) != 1 || !changes[0].Ended {
		t.Errorf("open %v, changes %+v", codes(tr.Open()), changes)
	}
}

func TestSubjectsAreApartAndAHintOfTheReporterWins(t *testing.T) {
	tr := New(fixed)
	tr.Report("prescription_invalid", "a.yaml", "line 1", "mend a")
	tr.Report("prescription_invalid", "b.yaml", "line 2", "")
	open := tr.Open()
	if len(open) != 2 || open[0].Hint != "mend a" || open[1].Hint == "" || open[1].Hint == "mend a" {
		t.Errorf("%+v", open)
	}
	tr.Report("prescription_invalid", "a.yaml", "", "")
	if got := codes(tr.Open()); len(got) != 1 || got[0] != "prescription_invalid/b.yaml" {
		t.Errorf("%v", got)
	}
}

func TestACodeThatNobodyDeclaredIsShownAllTheSame(t *testing.T) {
	tr := New(fixed)
	tr.Report("brand_new", "", "something", "")
	if open := tr.Open(); len(open) != 1 || open[0].Code != "brand_new" || open[0].Text == "" {
		t.Errorf("%+v", open)
	}
}

func TestFlappingKeepsABoundedNumberOfChanges(t *testing.T) {
	tr := New(fixed)
	for range 5000 {
		tr.Report("broker_refused", "mqtt", "x", "")
		tr.Report("broker_refused", "mqtt", "", "")
	}
	if n := len(tr.Take()); n != 1000 {
		t.Errorf("%d changes kept", n)
	}
}

func TestEveryDeclarationIsComplete(t *testing.T) {
	seen := map[string]bool{}
	for _, d := range table {
		if d.Code == "" || d.Text == "" || d.Hint == "" || d.Priority == "" || seen[d.Code] {
			t.Errorf("incomplete or doubled: %+v", d)
		}
		seen[d.Code] = true
	}
}
