package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"infusiond/gateway/message"
	"infusiond/gateway/proof/parts"
	"infusiond/gateway/relay"
	"infusiond/gateway/spool"
)

func realStore(t *testing.T, s *parts.InfluxServer, change func(*Options)) *Store {
	t.Helper()
	o := Options{URL: s.URL, Bucket: s.Bucket, Token: func() (string, error) { return s.Token, nil }}
	if change != nil {
		change(&o)
	}
	return newStore(t, o)
}

func query(t *testing.T, s *parts.InfluxServer, q string) []parts.Row {
	t.Helper()
	rows, err := s.Query(t.Context(), q)
	must(t, err)
	return rows
}

// Covers GW-21.
func TestDecimalsComeBackEqual(t *testing.T) {
	server := parts.Influx(t)
	s := realStore(t, server, nil)
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 1))
	texts := []string{"0", "0.1", "0.30", "1.11", "-0.5", "123456.789", "0.000000001", "999999.999999999", "9007199254740993"[:15], "100000000000000"}
	for range 500 {
		texts = append(texts, fmt.Sprintf("%d.%0*d", random.IntN(1_000_000), 1+random.IntN(9), random.IntN(10)))
	}
	batch := make([]spool.Record, len(texts))
	for i, text := range texts {
		batch[i] = record(t, spool.Observation, observation(uint64(i+1), text))
	}
	out, err := s.Deliver(t.Context(), batch)
	must(t, err)
	if out.Accepted != len(batch) || len(out.Rejected) != 0 {
		t.Fatalf("Outcome = %+v", out)
	}
	rows := query(t, server, "SELECT seq, pump_reported_rate_ml_per_h FROM infusion")
	if len(rows) != len(texts) {
		t.Fatalf("%d rows, want %d", len(rows), len(texts))
	}
	for _, row := range rows {
		seq, err := row["seq"].(json.Number).Int64()
		must(t, err)
		got, _ := new(big.Rat).SetString(row["pump_reported_rate_ml_per_h"].(json.Number).String())
		want, _ := new(big.Rat).SetString(texts[seq-1])
		if got.Cmp(want) != 0 {
			t.Errorf("wrote %s, read %v", texts[seq-1], row["pump_reported_rate_ml_per_h"])
		}
	}
}

// Covers GW-57, GW-58.
func TestPointsReadBack(t *testing.T) {
	server := parts.Influx(t)
	s := realStore(t, server, nil)
	gap := message.Observation{Envelope: envelope(2)}
	gap.DeliveryStatus, gap.UnknownReason, gap.Link.State = "unknown", "no_reply", "silent"
	gap.Link.Since = message.TimeOf(began)
	gap.Verdict.Verdict = message.VerdictUnknown
	first, second := message.Event{Envelope: envelope(3), Event: "link", Text: "a \"quoted\"\nline \\ µ"}, message.Event{Envelope: envelope(4), Event: "gap"}
	second.TS = first.TS // the same millisecond
	alert := message.AlertTransition{Envelope: envelope(5), Transition: message.Raised, Alert: message.Alert{ID: "a1", Code: "stopped", Onset: message.TimeOf(began), RaisedTS: message.TimeOf(began)}}
	batch := []spool.Record{
		record(t, spool.Observation, observation(1, "1.11")), record(t, spool.Observation, gap),
		record(t, spool.Event, first), record(t, spool.Event, second), record(t, spool.Alert, alert),
	}
	all := func() []parts.Row {
		return slices.Concat(query(t, server, "SELECT * FROM infusion"), query(t, server, "SELECT * FROM infusion_event"), query(t, server, "SELECT * FROM infusion_alert"))
	}
	_, err := s.Deliver(t.Context(), batch)
	must(t, err)
	before := all()
	if len(before) != len(batch) {
		t.Fatalf("%d rows, want %d: %v", len(before), len(batch), before)
	}
	_, err = s.Deliver(t.Context(), batch)
	must(t, err)
	if diff := cmp.Diff(before, all()); diff != "" {
		t.Errorf("writing the batch again changed something (-before +after):\n%s", diff)
	}
	if got := before[2]["text"]; got != "a \"quoted\"\nline \\ µ" {
		t.Errorf("text came back as %q", got)
	}
	want := parts.Row{
		"time": json.Number(fmt.Sprint(gap.TS.Time().UnixNano())), "gateway": "g1", "pump": "p1", "source": "sim", "seq": json.Number("2"), "epoch": "e1",
		"clock": "synced", "durable": true, "no_data": true, "delivery_status": "unknown", "unknown_reason": "no_reply", "link_state": "silent", "verdict": "unknown",
	}
	if diff := cmp.Diff(want, before[1]); diff != "" {
		t.Errorf("the cycle without a reading (-want +got):\n%s", diff)
	}
}

// Covers GW-60.
func TestConditionsOfARealServer(t *testing.T) {
	server := parts.Influx(t)
	for _, tt := range []struct {
		name   string
		change func(*Options)
		want   string
	}{
		{"bad token", func(o *Options) { o.Token = func() (string, error) { return "edge:wrong", nil } }, CodeUnauthorized},
		{"empty token", func(o *Options) { o.Token = func() (string, error) { return "", nil } }, CodeUnauthorized},
		{"no right to write", func(o *Options) { o.Token = func() (string, error) { return "stranger:strangerpw", nil } }, CodeForbidden},
		{"missing bucket", func(o *Options) {
			o.Bucket = "nosuch/autogen"
			o.Token = func() (string, error) { return server.Admin, nil }
		}, CodeNotFound},
		{"missing retention policy", func(o *Options) { o.Bucket = "edge/nosuch" }, CodeNotFound},
	} {
		t.Run(tt.name, func(t *testing.T) {
			out, err := realStore(t, server, tt.change).Deliver(t.Context(), observations(t, 3))
			var f *relay.Failure
			if !errors.As(err, &f) || f.Code != tt.want || !f.Refuse || f.Hint == "" || out.Accepted != 0 {
				t.Errorf("Deliver = %+v, %v; want %s", out, err, tt.want)
			}
		})
	}
}

// Covers GW-59.
func TestConflictingPointAmongGoodOnes(t *testing.T) {
	server := parts.Influx(t)
	s := realStore(t, server, nil)
	batch := observations(t, 200)
	_, err := s.Deliver(t.Context(), batch[:1])
	must(t, err)
	// A field that already is text arrives as a number.
	conflict := message.Event{Envelope: envelope(900), Event: "pump_log", PumpLog: &message.PumpLog{Values: map[string]message.Decimal{"x": message.DecimalOf("1")}}}
	must(t, s.send(t.Context(), fmt.Sprintf(`%s,gateway=g1,pump=p1,source=sim log_x="text" %d`, measurementEvent, began.UnixNano())))
	batch[117] = record(t, spool.Event, conflict)
	out, err := s.Deliver(t.Context(), batch)
	must(t, err)
	if out.Accepted != len(batch) || len(out.Rejected) != 1 || out.Rejected[0].Index != 117 || !strings.Contains(out.Rejected[0].Reason, "field type conflict") {
		t.Errorf("Outcome = %+v", out)
	}
	if rows := query(t, server, "SELECT count(seq) FROM infusion"); fmt.Sprint(rows[0]["count"]) != "199" {
		t.Errorf("stored %v of 199 good observations", rows)
	}
}

// Covers GW-60.
func TestServerDownThenUp(t *testing.T) {
	server := parts.Influx(t)
	s := realStore(t, server, nil)
	batch := observations(t, 50)
	must(t, server.Stop())
	out, err := s.Deliver(t.Context(), batch)
	var f *relay.Failure
	if !errors.As(err, &f) || f.Code != CodeUnreachable || out.Accepted != 0 {
		t.Errorf("while it is down: %+v, %v", out, err)
	}
	must(t, server.Start())
	out, err = s.Deliver(t.Context(), batch)
	if err != nil || out.Accepted != len(batch) {
		t.Errorf("when it is back: %+v, %v", out, err)
	}
	if rows := query(t, server, "SELECT count(seq) FROM infusion"); fmt.Sprint(rows[0]["count"]) != "50" {
		t.Errorf("stored %v, want 50", rows)
	}
}
