package page

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"infusiond/gateway/infusion"
	"infusiond/gateway/message"
)

// maxHours bounds one history request: a week.
const maxHours = 7 * 24

// answer is what /api/history returns: columns of equal length, oldest first. A null is
// an unknown value; between two rows a value holds, as on the pump.
type answer struct {
	Pump    string  `json:"pump"`
	From    int64   `json:"from_ms"` // Unix time
	To      int64   `json:"to_ms"`
	Begins  int64   `json:"begins_ms,omitzero"` // the first observation ever of this pump; absent: none
	Records int     `json:"records"`            // observations that were read
	BadRows int     `json:"bad_records,omitzero"`
	Thinned bool    `json:"thinned"` // some changes were left out; extremes and stops were not
	TS      []int64 `json:"ts_ms"`
	columns
}

// columns hold the values of the rows. The texts of the contract's decimals are kept.
type columns struct {
	Prescribed   []rate   `json:"prescribed_rate_ml_per_h"`
	Programmed   []rate   `json:"programmed_rate_ml_per_h"`
	PumpReported []rate   `json:"pump_reported_rate_ml_per_h"`
	Status       []string `json:"status"` // running | not_running | unknown
}

// rate is a decimal that is written as null when it is absent.
type rate struct{ message.Decimal }

// MarshalJSON writes the number's text, or null.
func (r rate) MarshalJSON() ([]byte, error) {
	if r.IsZero() {
		return []byte("null"), nil
	}
	return r.Decimal.MarshalJSON()
}

// history answers GET /api/history?pump=NAME&hours=N.
func (p *Page) history(w http.ResponseWriter, r *http.Request) {
	pump, hours, problem := p.historyQuery(r.URL.Query())
	if problem != "" {
		http.Error(w, problem, http.StatusBadRequest)
		return
	}
	if p.options.History == nil {
		http.Error(w, "This gateway keeps no history.", http.StatusNotFound)
		return
	}
	select {
	case p.readers <- struct{}{}:
		defer func() { <-p.readers }()
	default:
		w.Header().Set("Retry-After", "2")
		http.Error(w, "The history is being read for another page. Try again.", http.StatusServiceUnavailable)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), readWithin)
	defer cancel()
	a, err := p.read(ctx, pump, hours)
	if err != nil {
		p.options.Log.Warn("history cannot be read", "pump", pump, "error", err)
		http.Error(w, "The history cannot be read.", http.StatusInternalServerError)
		return
	}
	p.sendJSON(w, r, a)
}

// historyQuery returns the parameters, or what is wrong with them for a person to read.
func (p *Page) historyQuery(q url.Values) (pump string, hours int, problem string) {
	for name, values := range q {
		if name != "pump" && name != "hours" || len(values) != 1 {
			return "", 0, fmt.Sprintf("The parameters are pump and hours, once each; %q is wrong.", name)
		}
	}
	pump = q.Get("pump")
	if !slices.ContainsFunc(p.options.Pumps, func(c Pump) bool { return c.Name == pump }) {
		return "", 0, fmt.Sprintf("There is no pump %q.", pump)
	}
	hours, err := strconv.Atoi(q.Get("hours"))
	if err != nil || hours < 1 || hours > maxHours {
		return "", 0, fmt.Sprintf("The hours must be a whole number from 1 to %d, not %q.", maxHours, q.Get("hours"))
	}
	return pump, hours, ""
}

// read runs the record through the thinner.
func (p *Page) read(ctx context.Context, pump string, hours int) (answer, error) {
	to := p.options.Now()
	from := to.Add(-time.Duration(hours) * time.Hour)
	t := newThinner(from, to)
	bad := 0
	err := p.options.History.Range(ctx, pump, from, to, func(payload []byte) error {
		row, err := rowOf(payload)
		if err != nil {
			bad++ // an unreadable record is told by its count and stays a gap
			return ctx.Err()
		}
		t.add(row)
		return ctx.Err()
	})
	if err != nil {
		return answer{}, fmt.Errorf("read history of %s: %w", pump, err)
	}
	begins, err := p.begins(ctx, pump, to)
	if err != nil {
		return answer{}, err
	}
	rows, thinned := t.rows(to)
	a := answer{Pump: pump, Begins: begins, From: from.UnixMilli(), To: to.UnixMilli(), Records: t.added, BadRows: bad, Thinned: thinned}
	a.fill(rows)
	return a, nil
}

// errFound ends the search for the first record.
var errFound = errors.New("found")

// begins is when the record of a pump begins: before it there is no gap, there was no gateway.
func (p *Page) begins(ctx context.Context, pump string, to time.Time) (int64, error) {
	var at int64
	err := p.options.History.Range(ctx, pump, time.Unix(0, 0), to, func(payload []byte) error {
		row, err := rowOf(payload)
		if err != nil {
			return nil //nolint:nilerr // an unreadable record is counted by read
		}
		at = row.at
		return errFound
	})
	if err != nil && !errors.Is(err, errFound) {
		return 0, fmt.Errorf("find the first record of %s: %w", pump, err)
	}
	return at, nil
}

func (a *answer) fill(rows []row) {
	n := len(rows)
	a.TS = make([]int64, 0, n)
	a.columns = columns{
		Prescribed: make([]rate, 0, n), Programmed: make([]rate, 0, n), PumpReported: make([]rate, 0, n), Status: make([]string, 0, n),
	}
	for _, r := range rows {
		a.TS = append(a.TS, r.at)
		a.Prescribed = append(a.Prescribed, rate{r.prescribed})
		a.Programmed = append(a.Programmed, rate{r.programmed})
		a.PumpReported = append(a.PumpReported, rate{r.reported})
		a.Status = append(a.Status, r.status.String())
	}
}

// rowOf takes what the chart needs out of an observation.
func rowOf(payload []byte) (row, error) {
	// Only the needed fields are decoded: a day is 17,000 observations.
	var o struct {
		TS                     message.Time
		DeliveryStatus         infusion.DeliveryStatus `json:"delivery_status"`
		ProgrammedRateMlPerH   message.Decimal         `json:"programmed_rate_ml_per_h"`
		PumpReportedRateMlPerH message.Decimal         `json:"pump_reported_rate_ml_per_h"`
		Verdict                struct {
			Inputs struct {
				PrescribedRateMlPerH message.Decimal `json:"prescribed_rate_ml_per_h"`
			}
		}
	}
	if err := json.Unmarshal(payload, &o); err != nil {
		return row{}, fmt.Errorf("decode observation: %w", err)
	}
	if o.TS.IsZero() {
		return row{}, errors.New("decode observation: no ts")
	}
	return row{
		at:         o.TS.Time().UnixMilli(),
		prescribed: o.Verdict.Inputs.PrescribedRateMlPerH,
		programmed: o.ProgrammedRateMlPerH,
		reported:   o.PumpReportedRateMlPerH,
		status:     runningOf(o.DeliveryStatus),
	}, nil
}
