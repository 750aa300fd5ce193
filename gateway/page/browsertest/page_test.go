package browsertest

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"infusiond/gateway/message"
	"infusiond/gateway/page/pagetest"
)

func must(t *testing.T, errs ...error) {
	t.Helper()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
}

// good puts everything that a gateway with two healthy pumps says.
func good(t *testing.T, g *pagetest.Gateway, at time.Time) {
	t.Helper()
	must(t, g.PutHealth(at, nil))
	for _, p := range pagetest.Pumps() {
		must(t, g.PutState(at, p.Name, nil), g.PutAlerts(at, p.Name))
	}
}

// TestPage runs every behaviour in one Chromium.
// Covers GW-08, GW-14, GW-30, GW-102, GW-103, GW-104, GW-106.
func TestPage(t *testing.T) {
	browser := startBrowser(t)
	tests := map[string]func(*testing.T, *chromium){
		"a change is shown without a reload":                 testLiveChange,
		"an alert appears in a live region":                  testAlertRegion,
		"a state that gets no older copy greys by itself":    testGreysByItself,
		"after two minutes no number is left":                testNumbersVanish,
		"a stopped server is told, and its return":           testServerStopped,
		"a daemon that hangs is told, and its waking":        testServerHangs,
		"a page too many is told":                            testTooMany,
		"a sleep greys everything until asked again":         testSleep,
		"a wrong clock in the browser changes no age":        testWrongBrowserClock,
		"green needs every condition":                        testGreenConditions,
		"a simulated gateway has a band":                     testSimulated,
		"nobody is confirmed to be watching, also when dead": testWatching,
		"an unset gateway clock is told and not believed":    testUnsynced,
		"a removed pump has no state":                        testCleared,
		"an unreadable message hides no other pump":          testUnreadable,
		"the chart keeps a gap open and shows a stop":        testChart,
		"the keyboard reaches the chart's buttons":           testKeyboard,
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) { test(t, browser) })
	}
}

func open(t *testing.T, browser *chromium, g *pagetest.Gateway) (*tab, *server) {
	t.Helper()
	s := serve(t, g, "127.0.0.1:0")
	b := newTab(t, browser, 1280, 900)
	b.run(t, chromedp.Navigate(s.url))
	return b, s
}

func testLiveChange(t *testing.T, browser *chromium) {
	g := pagetest.New("home-1", false)
	good(t, g, time.Now())
	b, _ := open(t, browser, g)
	b.untilTone(t, "milrinone", "ok")
	b.untilText(t, "#pump-milrinone .says", "Running as prescribed (pump-reported).")
	b.untilText(t, "#pump-milrinone h2", "Blue pump – milrinone")
	b.until(t, `/^Checked \d+ s ago\.$/.test(document.querySelector("#pump-milrinone .age").innerText)`)
	b.script(t, `window.sameDocument = true`)

	must(t, g.PutState(time.Now(), "milrinone", pagetest.Tenfold))
	b.untilTone(t, "milrinone", "deviation")
	b.untilText(t, "#pump-milrinone .numbers", "11.1 mL/h")
	b.untilText(t, "#pump-milrinone .reasons", "Perhaps: ten times the prescribed rate")
	if tone := evaluate[string](t, b, `document.querySelector("#pump-dobutamine").dataset.tone`); tone != "ok" {
		t.Errorf("the other pump became %s", tone)
	}
	if !evaluate[bool](t, b, `window.sameDocument === true`) {
		t.Error("the page was loaded anew")
	}
}

func testAlertRegion(t *testing.T, browser *chromium) {
	g := pagetest.New("home-1", false)
	good(t, g, time.Now())
	b, _ := open(t, browser, g)
	b.untilText(t, "#pump-milrinone .alertbox", "No open alerts.")
	must(t, g.PutAlerts(time.Now(), "milrinone", pagetest.RateMismatch(time.Now()), pagetest.Occlusion(time.Now())))
	b.untilTone(t, "milrinone", "alarm.pump")
	b.untilText(t, "#pump-milrinone .alerts", "line blocked")
	if got := evaluate[string](t, b, `document.querySelector("#pump-milrinone .alerts li").closest("[aria-live]").getAttribute("aria-live")`); got != "assertive" {
		t.Errorf("the alert sits in a region with aria-live %q", got)
	}
	if first := b.text(t, "#pump-milrinone .alerts li:first-child strong"); first != "High" {
		t.Errorf("the first alert has priority %q, want the high one first", first)
	}
	// A region that changes every second would be read aloud every second.
	b.script(t, `window.touched = 0; window.ticks = 0;
		new MutationObserver(() => window.touched++).observe(document.querySelector("#pump-milrinone .alertbox"), {subtree: true, childList: true, characterData: true});
		new MutationObserver(() => window.ticks++).observe(document.querySelector("#connection"), {subtree: true, childList: true, characterData: true});`)
	b.until(t, `window.ticks >= 3`)
	if n := evaluate[int](t, b, `window.touched`); n != 0 {
		t.Errorf("the alert region changed %d times while nothing happened", n)
	}
	must(t, g.PutAlerts(time.Now(), "milrinone"))
	b.untilText(t, "#pump-milrinone .alertbox", "No open alerts.")
}

func testGreysByItself(t *testing.T, browser *chromium) {
	g := pagetest.New("home-1", false)
	at := time.Now()
	good(t, g, at)
	must(t, g.PutState(at.Add(-20*time.Second), "milrinone", nil)) // ten seconds from its end
	b, _ := open(t, browser, g)
	b.untilTone(t, "milrinone", "stale") // the gateway is alive all the time
	b.untilText(t, "#pump-milrinone .badge", "Last known")
	b.untilText(t, "#pump-milrinone .age", "Last known, ")
	if c := evaluate[string](t, b, `document.body.dataset.connection`); c != "live" {
		t.Errorf("connection %s, want live: only the state is old", c)
	}
}

func testNumbersVanish(t *testing.T, browser *chromium) {
	g := pagetest.New("home-1", false)
	at := time.Now()
	good(t, g, at)
	must(t, g.PutState(at, "milrinone", pagetest.NoReply(115*time.Second)))
	b, _ := open(t, browser, g)
	b.untilTone(t, "milrinone", "unknown")
	b.untilTone(t, "milrinone", "noreading") // five seconds later, by itself
	read := at.Add(-115 * time.Second)
	b.untilText(t, "#pump-milrinone .says", "No reading since ")
	says := b.text(t, "#pump-milrinone .says")
	if !strings.Contains(says, read.Local().Format("15:04")) || !strings.Contains(says, "check the pump") {
		t.Errorf("it says %q, want the time %s", says, read.Local().Format("15:04"))
	}
	if n := evaluate[int](t, b, `document.querySelectorAll("#pump-milrinone .numbers dd").length`); n != 0 {
		t.Errorf("%d numbers are left", n)
	}
}

func testServerStopped(t *testing.T, browser *chromium) {
	g := pagetest.New("home-1", false)
	good(t, g, time.Now())
	b, s := open(t, browser, g)
	b.untilTone(t, "milrinone", "ok")
	b.expectOffline()
	s.stop()
	b.untilText(t, "#trouble", "The gateway does not answer – this page shows the past. Check the pump itself.")
	b.untilTone(t, "milrinone", "lost")
	b.untilTone(t, "dobutamine", "lost")
	if evaluate[bool](t, b, `document.querySelector('#trouble').getAttribute('role') !== 'alert' || !document.body.classList.contains('past')`) {
		t.Error("the page is not grey, or the trouble is no alert")
	}
	good(t, g, time.Now())
	serve(t, g, strings.TrimPrefix(s.url, "http://"))
	b.untilTone(t, "milrinone", "ok")
	b.until(t, `document.querySelector("#trouble").innerText === ""`)
}

// testServerHangs: connections stay open and say nothing, as with a stopped process or a dead tunnel.
func testServerHangs(t *testing.T, browser *chromium) {
	g := pagetest.New("home-1", false)
	good(t, g, time.Now())
	s := serve(t, g, "127.0.0.1:0")
	proxy := startProxy(t, strings.TrimPrefix(s.url, "http://"))
	b := newTab(t, browser, 1280, 900)
	b.expectOffline()
	b.run(t, chromedp.Navigate("http://"+proxy.address))
	b.untilTone(t, "milrinone", "ok")
	proxy.freeze()
	frozen := time.Now()
	b.untilText(t, "#trouble", "The gateway does not answer")
	t.Logf("told %s after the last byte, on this machine", time.Since(frozen).Round(100*time.Millisecond))
	b.untilTone(t, "milrinone", "lost")
	good(t, g, time.Now())
	proxy.thaw()
	b.untilTone(t, "milrinone", "ok")
}

func testTooMany(t *testing.T, browser *chromium) {
	g := pagetest.New("home-1", false)
	good(t, g, time.Now())
	s := serve(t, g, "127.0.0.1:0")
	var others []io.Closer
	for status := http.StatusOK; status == http.StatusOK; {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/api/live", nil)
		must(t, err)
		response, err := http.DefaultClient.Do(r) //nolint:bodyclose // closed below, all at once
		must(t, err)
		others = append(others, response.Body)
		status = response.StatusCode
	}
	b := newTab(t, browser, 1280, 900)
	b.expectOffline()
	b.run(t, chromedp.Navigate(s.url))
	b.untilText(t, "#trouble", "Too many pages are open")
	for _, o := range others {
		must(t, o.Close())
	}
	b.untilTone(t, "milrinone", "ok")
}

func testSleep(t *testing.T, browser *chromium) {
	for name, jump := range map[string]string{
		"wall clock only (monotonic stood still)": `window.skew.wall += 3600e3`,
		"both clocks":          `window.skew.wall += 3600e3; window.skew.mono += 3600e3`,
		"wall clock set back":  `window.skew.wall -= 3600e3`,
		"monotonic clock only": `window.skew.mono += 3600e3`,
	} {
		t.Run(name, func(t *testing.T) {
			g := pagetest.New("home-1", false)
			good(t, g, time.Now())
			b, _ := open(t, browser, g)
			b.untilTone(t, "milrinone", "ok")
			b.script(t, `window.seen = []; `+jump)
			b.until(t, `window.seen.includes("live")`)
			seen := evaluate[[]string](t, b, `window.seen`)
			if seen[0] == "live" || !slices.Contains(seen, "asleep") && !slices.Contains(seen, "lost") {
				t.Errorf("after the jump the page went through %v, want grey first", seen)
			}
			good(t, g, time.Now())
			b.untilTone(t, "milrinone", "ok")
		})
	}
}

func testWrongBrowserClock(t *testing.T, browser *chromium) {
	g := pagetest.New("home-1", false)
	s := serve(t, g, "127.0.0.1:0")
	s.move(-90 * time.Minute) // to the browser, the gateway lives in the past
	good(t, g, s.Now())
	b := newTab(t, browser, 1280, 900)
	b.run(t, chromedp.Navigate(s.url))
	b.untilTone(t, "milrinone", "ok")
	b.until(t, `/^Checked \d+ s ago\.$/.test(document.querySelector("#pump-milrinone .age").innerText)`)
	s.move(45 * time.Second) // the gateway's clock goes on, its states do not
	b.untilTone(t, "milrinone", "stale")
	s.move(-10 * time.Minute) // its clock is set back: a reading from the future is not certain
	b.untilTone(t, "milrinone", "unknown")
}

func testGreenConditions(t *testing.T, browser *chromium) {
	g := pagetest.New("home-1", false)
	good(t, g, time.Now())
	b, _ := open(t, browser, g)
	b.untilTone(t, "milrinone", "ok")
	state := func(edit func(*message.State)) func() error {
		return func() error { return g.PutState(time.Now(), "milrinone", edit) }
	}
	falsely := func(edit func(*message.State)) func() error {
		return func() error { return g.PutFalseState(time.Now(), "milrinone", edit) }
	}
	alerts := func(known string, list ...message.Alert) func() error {
		return func() error { return g.PutAlertSet(time.Now(), "milrinone", known, list...) }
	}
	for _, test := range []struct {
		name string
		put  func() error
		tone string
	}{
		{"bag not confirmed", state(pagetest.NoBag), "unknown"},
		{"bag not confirmed but verdict ok", falsely(func(s *message.State) { s.Verdict.Inputs.BagConfirmed = "no" }), "unknown"},
		{"no prescription but verdict ok", falsely(func(s *message.State) { s.Verdict.Prescription = nil }), "unknown"},
		{"link silent but verdict ok", falsely(func(s *message.State) { s.Link.State = "silent" }), "unknown"},
		{"verdict unknown without a reason", falsely(func(s *message.State) { s.Verdict.Verdict = "unknown" }), "unknown"},
		{"no reading", state(pagetest.NoReply(10 * time.Second)), "unknown"},
		{"stopped", state(pagetest.StoppedByKey), "deviation"},
		{"never read, without a reason", falsely(func(s *message.State) {
			s.Reading = message.Reading{DeliveryStatus: "unknown", UnknownReason: "port_absent"}
			s.LastReading, s.Verdict.Verdict = message.Time{}, "unknown"
		}), "unknown"},
		{"pump alarms not known", alerts("no"), "unknown"},
		{"pump alarms not known in this reading", state(func(s *message.State) {
			s.Alarms = &message.PumpAlarms{Known: "no", Reason: "the log could not be read"}
		}), "unknown"},
		{"alerts expired", func() error { return g.PutAlerts(time.Now().Add(-time.Minute), "milrinone") }, "unknown"},
		{"low alert", alerts("yes", pagetest.ReviewDue(time.Now())), "notice"},
		{"medium alert", alerts("yes", pagetest.RateMismatch(time.Now())), "attention"},
		{"high pump alarm", alerts("yes", pagetest.Occlusion(time.Now())), "alarm.pump"},
	} {
		t.Run(test.name, func(t *testing.T) {
			must(t, test.put())
			b.untilTone(t, "milrinone", test.tone)
			good(t, g, time.Now())
			b.untilTone(t, "milrinone", "ok")
		})
	}
}

func testSimulated(t *testing.T, browser *chromium) {
	patient, sim := pagetest.New("home-1", false), pagetest.New("demo", true)
	good(t, patient, time.Now())
	good(t, sim, time.Now())
	b, _ := open(t, browser, sim)
	b.untilText(t, "#simulated", "SIMULATED - not a patient")
	b.untilTone(t, "milrinone", "ok")
	r, _ := open(t, browser, patient)
	r.untilTone(t, "milrinone", "ok")
	if text := r.text(t, "body"); strings.Contains(text, "SIMULATED") {
		t.Error("the real gateway's page says SIMULATED")
	}
	if footer := r.text(t, "footer"); footer != message.Notice {
		t.Errorf("footer %q", footer)
	}
	if pos := evaluate[string](t, r, `getComputedStyle(document.querySelector("footer")).position`); pos != "sticky" {
		t.Errorf("the notice is not always visible: position %s", pos)
	}
}

func testWatching(t *testing.T, browser *chromium) {
	g := pagetest.New("home-1", false)
	good(t, g, time.Now())
	b, s := open(t, browser, g)
	const nobody = "Nobody is confirmed to be watching - watch the pump yourself."
	b.untilTone(t, "milrinone", "ok")
	b.untilText(t, "#watching", nobody)
	must(t, g.PutHealth(time.Now(), func(h *message.Health) {
		h.Watching = message.Watching{Confirmed: true, Text: "The centre confirmed at 14:02 that it is watching."}
	}))
	b.untilText(t, "#watching", "The centre confirmed at 14:02")
	b.expectOffline()
	s.stop()
	b.untilText(t, "#watching", nobody)
}

func testUnsynced(t *testing.T, browser *chromium) {
	g := pagetest.New("home-1", false)
	g.Clock = message.ClockUnsynced
	good(t, g, time.Now())
	b, _ := open(t, browser, g)
	b.untilText(t, "#trouble", "The gateway's clock is not set.")
	b.untilTone(t, "milrinone", "unknown") // a retained state of an unset clock tells no age
	if n := evaluate[int](t, b, `document.querySelectorAll("#pump-milrinone .numbers dd").length`); n != 0 {
		t.Errorf("%d numbers are shown", n)
	}
	good(t, g, time.Now())
	b.untilTone(t, "milrinone", "ok") // a live one does
}

func testCleared(t *testing.T, browser *chromium) {
	g := pagetest.New("home-1", false)
	good(t, g, time.Now())
	b, _ := open(t, browser, g)
	b.untilTone(t, "milrinone", "ok")
	g.Set.Clear(g.Topics.State("milrinone"))
	b.untilText(t, "#pump-milrinone .says", "No reading yet")
	b.untilTone(t, "milrinone", "unknown")
	if n := evaluate[int](t, b, `document.querySelectorAll("#pump-milrinone .numbers dd").length`); n != 0 {
		t.Errorf("%d numbers are left", n)
	}
}

func testUnreadable(t *testing.T, browser *chromium) {
	g := pagetest.New("home-1", false)
	good(t, g, time.Now())
	b, _ := open(t, browser, g)
	b.untilTone(t, "milrinone", "ok")
	for _, payload := range []string{`{"label":5,"ts":12,"verdict":"fine"}`, `[]`, `not JSON`, `{}`} {
		good(t, g, time.Now())
		b.untilTone(t, "milrinone", "ok")
		must(t, g.Set.Put(g.Topics.State("milrinone"), func(uint64) ([]byte, error) { return []byte(payload), nil }))
		b.untilTone(t, "milrinone", "unknown")
		if n := evaluate[int](t, b, `document.querySelectorAll("#pump-milrinone .numbers dd").length`); n != 0 {
			t.Errorf("%s: %d numbers are left", payload, n)
		}
		if tone := evaluate[string](t, b, `document.querySelector("#pump-dobutamine").dataset.tone`); tone != "ok" {
			t.Errorf("%s: the other pump became %s", payload, tone)
		}
	}
}

func testChart(t *testing.T, browser *chromium) {
	g := pagetest.New("home-1", false)
	now := time.Now()
	fillHistory(t, g, now)
	good(t, g, now)
	b, _ := open(t, browser, g)
	b.untilText(t, "#pump-milrinone .chart-summary", "the pump reported that it was not running once (")
	summary := b.text(t, "#pump-milrinone .chart-summary")
	if strings.Contains(summary, "No data for 0 s") {
		t.Errorf("the gap is not told: %q", summary)
	}
	if evaluate[int](t, b, `document.querySelectorAll("#pump-milrinone canvas").length`) != 1 {
		t.Error("there is no chart")
	}
	// The columns that are drawn: a stop is a zero, a gap is null in every rate.
	type drawn struct{ Zero, Null int }
	got := evaluate[drawn](t, b, `(async () => {
		const {Series, columns} = await import("/static/series.js");
		const s = new Series();
		s.setHistory(await (await fetch("/api/history?pump=milrinone&hours=6")).json());
		const now = Date.now();
		const c = columns(s.between(now - 6*3600e3, now));
		return {Zero: c[1].filter((v) => v === 0).length, Null: c[0].filter((_, i) => c[1][i] === null && c[2][i] === null && c[3][i] === null).length};
	})()`)
	if got.Zero == 0 || got.Null == 0 {
		t.Errorf("drawn columns hold %d zeros and %d blanks, want some of each", got.Zero, got.Null)
	}
}

func testKeyboard(t *testing.T, browser *chromium) {
	g := pagetest.New("home-1", false)
	good(t, g, time.Now())
	b, _ := open(t, browser, g)
	b.untilTone(t, "milrinone", "ok")
	const focused = `document.activeElement.innerText`
	b.run(t, chromedp.KeyEvent("\t"))
	if got := evaluate[string](t, b, focused); got != "Skip to the pumps" {
		t.Errorf("the first tab stop is %q", got)
	}
	b.run(t, chromedp.KeyEvent("\r"), chromedp.KeyEvent("\t"), chromedp.KeyEvent("\r"))
	b.until(t, `document.querySelector("#pump-milrinone .hours [aria-pressed=true]").innerText === "1 h"`)
}
