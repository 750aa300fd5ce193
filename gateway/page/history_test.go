package page_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"infusiond/gateway/message"
	"infusiond/gateway/page/pagetest"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func TestHistoryColumns(t *testing.T) {
	g := pagetest.New("home-1", false)
	at := func(s int) time.Time { return noon.Add(time.Duration(s-3600) * time.Second) }
	must(
		t,
		g.Record(at(-5), "milrinone", nil), // before the window
		g.Record(at(0), "milrinone", nil),
		g.Record(at(5), "milrinone", nil), // changes nothing
		g.Record(at(10), "milrinone", func(o *message.Observation) {
			o.DeliveryStatus, o.PumpReportedRateMlPerH = "stopped", message.DecimalOf("0")
		}),
		g.Record(at(15), "milrinone", func(o *message.Observation) {
			o.Reading = message.Reading{DeliveryStatus: "unknown", UnknownReason: "no_reply"}
			o.Verdict.Verdict = "unknown"
			o.Verdict.Reasons = []message.Finding{{Check: "C16", Code: "data_delayed", Verdict: "unknown", Text: "There is no reading."}}
		}),
		g.Record(at(20), "milrinone", nil),
		g.Record(at(25), "milrinone", func(o *message.Observation) { o.DeliveryStatus = "kvo" }),
		// nobody recorded for a while
		g.Record(at(3500), "milrinone", func(o *message.Observation) { o.PumpReportedRateMlPerH = message.Decimal{} }),
		g.Record(at(3599), "dobutamine", nil), // another pump
	)
	g.RecordRaw(at(3505), "milrinone", []byte(`{"ts":`))
	o := options(g)
	o.Now = func() time.Time { return noon }
	response, body := request(t, http.MethodGet, start(t, o)+"/api/history?pump=milrinone&hours=1", "")
	if response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s", response.Status, body)
	}
	var got map[string]any
	must(t, json.Unmarshal([]byte(body), &got))
	ms := func(s int) any { return float64(at(s).UnixMilli()) }
	want := map[string]any{
		"pump": "milrinone", "from_ms": ms(0), "to_ms": ms(3600), "begins_ms": ms(-5), "records": 7.0, "bad_records": 1.0, "thinned": false,
		"ts_ms":                       []any{ms(0), ms(10), ms(15), ms(20), ms(25), ms(30), ms(3500), ms(3505)},
		"prescribed_rate_ml_per_h":    []any{1.11, 1.11, 1.11, 1.11, 1.11, nil, 1.11, nil},
		"programmed_rate_ml_per_h":    []any{1.11, 1.11, nil, 1.11, 1.11, nil, 1.11, nil},
		"pump_reported_rate_ml_per_h": []any{1.11, 0.0, nil, 1.11, 1.11, nil, nil, nil},
		"status":                      []any{"running", "not_running", "unknown", "running", "not_running", "unknown", "running", "unknown"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestHistoryRefusesBadParameters(t *testing.T) {
	url := start(t, options(pagetest.New("home-1", false)))
	for _, query := range []string{
		"", "?pump=milrinone", "?hours=6", "?pump=other&hours=6", "?pump=milrinone&hours=0", "?pump=milrinone&hours=-1",
		"?pump=milrinone&hours=169", "?pump=milrinone&hours=1.5", "?pump=milrinone&hours=x", "?pump=milrinone&hours=6&hours=7",
		"?pump=milrinone&pump=dobutamine&hours=6", "?pump=milrinone&hours=6&from=0", "?pump=milrinone&hours=99999999999999999999", "?pump=%00&hours=6",
	} {
		response, body := request(t, http.MethodGet, url+"/api/history"+query, "")
		if response.StatusCode != http.StatusBadRequest || len(strings.Fields(body)) < 4 {
			t.Errorf("%q: %s: %s", query, response.Status, body)
		}
	}
}

// faulty is a history that cannot be read.
type faulty struct{}

func (faulty) Range(context.Context, string, time.Time, time.Time, func([]byte) error) error {
	return errors.New("disk image is malformed at /private/path")
}

func TestHistoryFailures(t *testing.T) {
	const query = "/api/history?pump=milrinone&hours=6"
	o := options(pagetest.New("home-1", false))
	o.History = faulty{}
	response, body := request(t, http.MethodGet, start(t, o)+query, "")
	if response.StatusCode != http.StatusInternalServerError || strings.Contains(body, "private") {
		t.Errorf("a broken history: %s: %s", response.Status, body)
	}
	o.History = nil
	response, body = request(t, http.MethodGet, start(t, o)+query, "")
	if response.StatusCode != http.StatusNotFound || !strings.Contains(body, "no history") {
		t.Errorf("no history: %s: %s", response.Status, body)
	}
}

func TestHistoryOfNothing(t *testing.T) {
	_, body := request(t, http.MethodGet, start(t, options(pagetest.New("home-1", false)))+"/api/history?pump=milrinone&hours=24", "")
	var got struct {
		TS     []int64  `json:"ts_ms"`
		Status []string `json:"status"`
	}
	must(t, json.Unmarshal([]byte(body), &got))
	if got.TS == nil || got.Status == nil || len(got.TS)+len(got.Status) != 0 {
		t.Errorf("want empty columns, got %s", body)
	}
}
