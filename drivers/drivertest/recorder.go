package drivertest

import (
	"slices"
	"strings"
	"testing"

	"infusiond/drivers"
)

// recorder keeps each byte string that was written over all runs of a suite, and each that was refused.
type recorder struct{ written, refused map[string]int }

func newRecorder() *recorder {
	return &recorder{written: make(map[string]int), refused: make(map[string]int)}
}

func (r *recorder) write(b []byte) {
	if r != nil {
		r.written[string(b)]++
	}
}

func (r *recorder) refuse(b []byte) {
	if r != nil {
		r.refused[string(b)]++
	}
}

// writtenOnly proves that nothing but allowed queries was written over all runs: against the driver's
// allow-list once more, and against the test's own list, which knows nothing of the allow-list.
func (s Suite) writtenOnly(t *testing.T) {
	allow := s.Driver.Profile().Allow
	total := 0
	for query, n := range s.record.written {
		total += n
		if _, ok := allow.Match([]byte(query)); !ok {
			t.Errorf("% X was written, which the allow-list does not hold", query)
		}
		if s.Written == nil || !s.Written([]byte(query)) {
			t.Errorf("% X was written, which the test's own list does not hold", query)
		}
	}
	for query := range s.record.refused {
		t.Errorf("the driver tried to write % X", query)
	}
	if total == 0 {
		t.Error("nothing was written")
	}
	t.Logf("written: driver=%s writes=%d different=%d refused=%d", s.Driver.Profile().Name, total, len(s.record.written), len(s.record.refused))
}

// OneOf returns a list of queries for Suite.Written.
func OneOf(queries ...string) func(query []byte) bool {
	return func(query []byte) bool { return slices.Contains(queries, string(query)) }
}

// alarms checks the driver's alarm table: every raw code once, with words, a canonical code and a term of the standard.
func alarms(t *testing.T, rows []drivers.AlarmRow) {
	seen := make(map[string]bool)
	for _, r := range rows {
		switch {
		case strings.TrimSpace(r.Raw) == "" || strings.TrimSpace(r.Text) == "":
			t.Errorf("alarm %+v has no raw code or no text", r)
		case seen[r.Raw]:
			t.Errorf("alarm %q stands twice in the table", r.Raw)
		case r.Code != "" && !slices.Contains(drivers.AlarmCodes(), r.Code):
			t.Errorf("alarm %q has the code %q, which is not in the canonical vocabulary", r.Raw, r.Code)
		case r.Term != drivers.Term{} && !slices.Contains(drivers.Terms(), r.Term):
			t.Errorf("alarm %q has the term %v, which is not in drivers.Terms", r.Raw, r.Term)
		case r.Term == drivers.Term{} && r.Code != "" && r.Code.Term() != drivers.Term{}:
			t.Errorf("alarm %q has no term, but its code %q has %s", r.Raw, r.Code, r.Code.Term().RefID)
		case r.Code == drivers.AlarmUnknown && r.Term != drivers.TermUnknown:
			t.Errorf("alarm %q is unknown and has the term %s", r.Raw, r.Term.RefID)
		}
		seen[r.Raw] = true
	}
}
