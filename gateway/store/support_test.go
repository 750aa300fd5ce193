package store

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"infusiond/gateway/message"
	"infusiond/gateway/spool"
)

var began = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func envelope(seq uint64) message.Envelope {
	return message.Envelope{
		Gateway: "g1", Epoch: "e1", Pump: "p1", Seq: seq, TopicSeq: seq,
		TS: message.TimeOf(began.Add(time.Duration(seq) * time.Second)), Clock: message.ClockSynced, Source: message.SourceSim, Durable: true,
	}
}

// observation is a good cycle with the given pump-reported rate.
func observation(seq uint64, rate string) message.Observation {
	o := message.Observation{Envelope: envelope(seq)}
	o.DeliveryStatus = "infusing"
	o.ProgrammedRateMlPerH = message.DecimalOf("1.2")
	o.PumpReportedRateMlPerH = message.DecimalOf(rate)
	o.Link.State = "online"
	o.Link.Since = message.TimeOf(began)
	o.Verdict = message.Verdict{
		Verdict: message.VerdictOK, Prescription: &message.PrescriptionRef{Patient: "pt", Infusion: "inf-1", Version: 3},
		Inputs: &message.Inputs{Drug: "milrinone 200 µg/mL", PrescribedRateMlPerH: message.DecimalOf("1.2"), BagConfirmed: "yes"},
	}
	return o
}

func record(t *testing.T, kind spool.Kind, m any) spool.Record {
	t.Helper()
	payload, err := json.Marshal(m)
	must(t, err)
	return spool.Record{Kind: kind, Payload: payload}
}

func observations(t *testing.T, n int) []spool.Record {
	t.Helper()
	out := make([]spool.Record, n)
	for i := range out {
		out[i] = record(t, spool.Observation, observation(uint64(i+1), fmt.Sprintf("%d.%d", i/10, i%10)))
	}
	return out
}

func newStore(t *testing.T, o Options) *Store {
	t.Helper()
	o.Log = slog.New(slog.NewTextHandler(t.Output(), nil))
	if o.Bucket == "" {
		o.Bucket = "edge"
	}
	s, err := New(o)
	must(t, err)
	t.Cleanup(s.Close)
	return s
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// reply is an answer of a server, as data.
type reply struct {
	status int
	ctype  string
	header map[string]string
	body   string
}

func (r reply) write(w http.ResponseWriter) {
	if r.ctype != "" {
		w.Header().Set("Content-Type", r.ctype)
	}
	for k, v := range r.header {
		w.Header().Set(k, v)
	}
	w.WriteHeader(r.status)
	io.WriteString(w, r.body)
}

// server is a scripted InfluxDB: it answers each write by what judge says of its lines.
type server struct {
	*httptest.Server
	mu     sync.Mutex
	stored []string // lines that it kept, probes left out
	writes int
	asked  []*http.Request
}

// newServer starts one. Judge gets the lines of a write and says what is kept and answered.
func newServer(t *testing.T, judge func(lines []string) (keep []string, r reply)) *server {
	t.Helper()
	s := &server{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body := r.Body
		if r.Header.Get("Content-Encoding") == "gzip" {
			z, err := gzip.NewReader(r.Body)
			if err != nil {
				t.Errorf("gzip: %v", err)
				return
			}
			body = z
		}
		text, err := io.ReadAll(body)
		if err != nil {
			t.Errorf("read the body: %v", err)
		}
		keep, answer := judge(strings.Split(strings.TrimSuffix(string(text), "\n"), "\n"))
		s.mu.Lock()
		s.writes++
		s.asked = append(s.asked, r.Clone(r.Context()))
		for _, line := range keep {
			if !strings.HasPrefix(line, measurementHealth) && !slices.Contains(s.stored, line) {
				s.stored = append(s.stored, line)
			}
		}
		s.mu.Unlock()
		answer.write(w)
	}))
	t.Cleanup(s.Close)
	return s
}
