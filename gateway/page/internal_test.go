package page

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"infusiond/gateway/message"
	"infusiond/gateway/retain"
)

func TestHeartbeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, err := New(Options{Listen: "127.0.0.1:0", Set: retain.New(), Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		ctx, cancel := context.WithCancel(t.Context())
		recorder := httptest.NewRecorder()
		done := make(chan error, 1)
		go func() { done <- p.follow(ctx, recorder) }()
		time.Sleep(5*beatEvery + time.Millisecond) // the bubble's time
		synctest.Wait()
		cancel()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		var beats []beat
		for block := range strings.SplitSeq(recorder.Body.String(), "\n\n") {
			data, ok := strings.CutPrefix(block, "event: beat\ndata: ")
			if !ok {
				continue
			}
			var b beat
			if err := json.Unmarshal([]byte(data), &b); err != nil {
				t.Fatal(err)
			}
			beats = append(beats, b)
		}
		if len(beats) != 5 {
			t.Fatalf("%d heartbeats in %s, want 5", len(beats), 5*beatEvery)
		}
		for i, b := range beats {
			after := time.Duration(i+1) * beatEvery
			if b.UptimeMS != after.Milliseconds() || !b.ServerTS.Time().Equal(began.Add(after)) {
				t.Errorf("heartbeat %d: %s, %d ms", i, b.ServerTS, b.UptimeMS)
			}
		}
	})
}

// brokenWriter is a client that went away.
type brokenWriter struct{ http.ResponseWriter }

var errGone = errors.New("gone")

func (brokenWriter) Write([]byte) (int, error) { return 0, errGone }

func TestFollowEndsWithItsClient(t *testing.T) {
	p, err := New(Options{Listen: "127.0.0.1:0", Set: retain.New(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.follow(t.Context(), brokenWriter{httptest.NewRecorder()}); !errors.Is(err, errGone) {
		t.Errorf("got %v", err)
	}
}

// TestTexts: every text that the page uses exists, none is left over, and none asks for what
// the home page must never say.
// Covers GW-105.
func TestTexts(t *testing.T) {
	content, err := static.ReadFile("static/texts.en.json")
	if err != nil {
		t.Fatal(err)
	}
	var texts map[string]string
	if err := json.Unmarshal(content, &texts); err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	var prefixes []string
	whole := regexp.MustCompile(`\bt\(\s*"([a-z_.0-9]+)"|data-t="([a-z.]+)"|: "(fact\.[a-z]+)"`)
	begun := regexp.MustCompile(`"([a-z]+\.)" \+`)
	for _, f := range sources(t) {
		for _, m := range whole.FindAllStringSubmatch(f, -1) {
			for _, key := range m[1:] {
				if key != "" && !strings.HasSuffix(key, ".") {
					used[key] = true
				}
			}
		}
		for _, m := range begun.FindAllStringSubmatch(f, -1) {
			prefixes = append(prefixes, m[1])
		}
	}
	for key := range used {
		if texts[key] == "" {
			t.Errorf("text %q is used and does not exist", key)
		}
	}
	for key, text := range texts {
		quoted := func(source string) bool { return strings.Contains(source, `"`+key+`"`) }
		if !used[key] && !slices.ContainsFunc(sources(t), quoted) && !slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(key, p) }) {
			t.Errorf("text %q is not used", key)
		}
		if strings.Contains(text, "%") || regexp.MustCompile(`(?i)percent|score|half-li|missed|catch up|increase|reduce`).MatchString(text) {
			t.Errorf("text %q says what the home page must not say: %q", key, text)
		}
	}
}

// TestNothingFromOutside: the page needs no network beyond its own server.
// Covers GW-105.
func TestNothingFromOutside(t *testing.T) {
	outside := regexp.MustCompile(`https?://[^\s"')]+`)
	for _, f := range sources(t) {
		for _, url := range outside.FindAllString(f, -1) {
			if url != "http://www.w3.org/2000/svg" {
				t.Errorf("the page names %s", url)
			}
		}
	}
}

// sources are the page's own files.
func sources(t *testing.T) []string {
	t.Helper()
	var out []string
	err := fs.WalkDir(static, "static", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.Contains(name, "vendor/") {
			return err
		}
		content, err := static.ReadFile(name)
		if !strings.HasSuffix(name, "texts.en.json") {
			out = append(out, string(content))
		}
		return err
	})
	if err != nil || len(out) < 10 {
		t.Fatalf("%d files: %v", len(out), err)
	}
	return out
}

var start = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

// story makes rows as a gateway would record them: mostly steady, with short stops, failed
// cycles, silences and rate changes; wild makes every cycle another.
func story(r *rand.Rand, span time.Duration, wild bool) []row {
	var out []row
	rate, status, left := "1.11", runYes, 0
	for at := start; at.Before(start.Add(span)); {
		if left--; left <= 0 || wild {
			left = 1 + r.IntN(400)
			status, rate = runYes, []string{"1.11", "0.5", "11.1", "2.22"}[r.IntN(4)]
			switch r.IntN(6) {
			case 0:
				status, left = runNo, 1+r.IntN(4)
			case 1:
				status, left = runUnknown, 1+r.IntN(30)
			case 2:
				at = at.Add(time.Duration(31+r.IntN(4000)) * time.Second) // nobody recorded
			}
		}
		o := row{at: at.UnixMilli(), prescribed: message.DecimalOf("1.11"), status: status}
		switch status {
		case runYes:
			o.programmed, o.reported = message.DecimalOf(rate), message.DecimalOf(rate)
		case runNo:
			o.programmed, o.reported = message.DecimalOf(rate), message.DecimalOf("0")
		case runUnknown:
		}
		out = append(out, o)
		at = at.Add(time.Duration(4000+r.IntN(3000)) * time.Millisecond)
	}
	return out
}

// held is the row of a series that holds at a moment.
func held(rows []row, at int64) row {
	i, _ := slices.BinarySearchFunc(rows, at, func(r row, at int64) int {
		if r.at <= at {
			return -1
		}
		return 1
	})
	if i == 0 {
		return blank(at)
	}
	return rows[i-1]
}

// Covers GW-106.
func TestThinningProperties(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed=%d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	for n := range 60 {
		span := []time.Duration{time.Hour, 6 * time.Hour, 24 * time.Hour, 7 * 24 * time.Hour}[n%4]
		in := story(r, span, n%3 == 0)
		th := newThinner(start, start.Add(span))
		for _, o := range in {
			th.add(o)
		}
		out, thinned := th.rows(start.Add(span))
		t.Run(strconv.Itoa(n), func(t *testing.T) { checkThinning(t, th, in, out, thinned) })
	}
}

func checkThinning(t *testing.T, th *thinner, in, out []row, thinned bool) {
	t.Helper()
	if len(out) > buckets*perBucket {
		t.Errorf("%d rows of %d", len(out), len(in))
	}
	if !slices.IsSortedFunc(out, func(a, b row) int { return int(a.at - b.at) }) {
		t.Error("not in the order of time")
	}
	bucketOf := func(at int64) int64 { return min((at-th.from)/th.width, buckets-1) }
	type spot struct {
		bucket int64
		status running
	}
	kept := map[spot]bool{}
	for _, o := range out {
		kept[spot{bucketOf(o.at), o.status}] = true
	}
	low, high := math.Inf(1), math.Inf(-1)
	for i, o := range in {
		if v, err := strconv.ParseFloat(o.reported.String(), 64); err == nil {
			low, high = min(low, v), max(high, v)
		}
		// Every stop and every gap survives where it was, unless the row before holds it already.
		if !kept[spot{bucketOf(o.at), o.status}] && held(out, o.at).status != o.status {
			t.Errorf("row %d at %d (%s) is lost", i, o.at, o.status)
		}
		if thinned {
			continue
		}
		if got := held(out, o.at); !got.same(o) {
			t.Errorf("row %d at %d: %v became %v without thinning", i, o.at, o, got)
		}
		if i > 0 && o.at-in[i-1].at > holdAtMost.Milliseconds() {
			if got := held(out, o.at-1); !got.same(blank(0)) {
				t.Errorf("the hole before row %d is bridged with %v", i, got)
			}
		}
	}
	gotLow, gotHigh := math.Inf(1), math.Inf(-1)
	for _, o := range out {
		if v, err := strconv.ParseFloat(o.reported.String(), 64); err == nil {
			gotLow, gotHigh = min(gotLow, v), max(gotHigh, v)
		}
	}
	if gotLow != low || gotHigh != high {
		t.Errorf("extremes %g…%g became %g…%g", low, high, gotLow, gotHigh)
	}
}

// TestOneShortStopInADay: one failed and one stopped cycle among 17,280.
// Covers GW-106.
func TestOneShortStopInADay(t *testing.T) {
	th := newThinner(start, start.Add(24*time.Hour))
	for i := range 17280 {
		o := row{at: start.Add(time.Duration(i) * 5 * time.Second).UnixMilli(), reported: message.DecimalOf("1.11"), status: runYes}
		switch i {
		case 9000:
			o.status, o.reported = runNo, message.DecimalOf("0")
		case 12000:
			o = blank(o.at)
		}
		th.add(o)
	}
	rows, thinned := th.rows(start.Add(24 * time.Hour))
	var got []string
	for i, o := range rows {
		if i == 0 || o.status != rows[i-1].status {
			got = append(got, o.status.String()+" "+strconv.FormatInt((o.at-start.UnixMilli())/5000, 10))
		}
	}
	want := []string{"running 0", "not_running 9000", "running 9001", "unknown 12000", "running 12001"}
	if !slices.Equal(got, want) || thinned || len(rows) > 8 {
		t.Errorf("got %v in %d rows, thinned %v; want %v", got, len(rows), thinned, want)
	}
}

// TestRowsOutOfOrder: after a clock step back the rows stand in the order of their times.
func TestRowsOutOfOrder(t *testing.T) {
	th := newThinner(start, start.Add(time.Hour))
	for _, second := range []int64{600, 605, 610, 300, 305, 310} {
		th.add(row{at: start.UnixMilli() + second*1000, reported: message.DecimalOf(strconv.FormatInt(second, 10)), status: runYes})
	}
	rows, _ := th.rows(start.Add(311 * time.Second))
	if !slices.IsSortedFunc(rows, func(a, b row) int { return int(a.at - b.at) }) || len(rows) != 6 {
		t.Errorf("%d rows: %v", len(rows), rows)
	}
}
