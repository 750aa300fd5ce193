package browsertest

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"infusiond/gateway/message"
	"infusiond/gateway/page/pagetest"
)

// fillHistory records six hours with one short stop and one gap.
func fillHistory(t *testing.T, g *pagetest.Gateway, now time.Time) {
	t.Helper()
	for _, p := range pagetest.Pumps() {
		for at := now.Add(-6 * time.Hour); at.Before(now); at = at.Add(10 * time.Second) {
			ago := now.Sub(at)
			if ago > 100*time.Minute && ago < 125*time.Minute {
				continue // the gateway was off
			}
			must(t, g.Record(at, p.Name, func(o *message.Observation) {
				if p.Name == "dobutamine" {
					o.ProgrammedRateMlPerH, o.PumpReportedRateMlPerH = message.DecimalOf("2.22"), message.DecimalOf("2.22")
				}
				if ago > 200*time.Minute && ago < 203*time.Minute {
					o.DeliveryStatus, o.PumpReportedRateMlPerH = "stopped", message.DecimalOf("0")
				}
			}))
		}
	}
}

// contrast returns the texts that do not reach WCAG AA against their background.
const contrast = `(() => {
	const parse = (c) => { const n = c.match(/[\d.]+/g).map(Number); return [n[0], n[1], n[2], n.length > 3 ? n[3] : 1]; };
	const lum = ([r, g, b]) => { const f = (v) => { v /= 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; }; return 0.2126 * f(r) + 0.7152 * f(g) + 0.0722 * f(b); };
	const ground = (e) => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor); if (c[3] === 1) return c; } return [255, 255, 255, 1]; };
	const bad = [];
	const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	while (walker.nextNode()) {
		const text = walker.currentNode.textContent.trim(), e = walker.currentNode.parentElement;
		if (!text || !e.checkVisibility() || ["SCRIPT", "NOSCRIPT"].includes(e.tagName)) continue;
		const s = getComputedStyle(e), a = lum(parse(s.color)), b = lum(ground(e));
		const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
		if (ratio < 4.5) bad.push(text.slice(0, 40) + ": " + ratio.toFixed(2));
	}
	return bad;
})()`

// TestScreens takes a picture of every state on a phone and on a desktop, and checks
// contrast and that nothing is wider than the screen.
func TestScreens(t *testing.T) {
	browser := startBrowser(t)
	dir := t.ArtifactDir()
	for _, scene := range scenes() {
		for _, screen := range []screen{
			{name: "phone", width: 390, height: 844, scheme: "light"},
			{name: "desktop", width: 1280, height: 900, scheme: "light"},
			{name: "desktop-dark", width: 1280, height: 900, scheme: "dark"},
		} {
			t.Run(scene.name+"-"+screen.name, func(t *testing.T) { scene.shoot(t, browser, screen, dir) })
		}
	}
}

type screen struct {
	name          string
	width, height int64
	scheme        string
}

type scene struct {
	name      string
	tone      string
	simulated bool
	dead      bool // the server is stopped once everything is shown
	put       func(*testing.T, *pagetest.Gateway, time.Time)
}

func (s scene) shoot(t *testing.T, browser *chromium, screen screen, dir string) {
	t.Helper()
	g := pagetest.New("home-1", s.simulated)
	fillHistory(t, g, time.Now())
	good(t, g, time.Now())
	served := serve(t, g, "127.0.0.1:0")
	b := newTab(t, browser, screen.width, screen.height)
	b.scheme(t, screen.scheme)
	b.run(t, chromedp.Navigate(served.url))
	b.until(t, `document.querySelectorAll("canvas").length === 2 && document.querySelector(".chart-summary").innerText.includes("once")`)
	good(t, g, time.Now()) // anew: getting here can take longer than a state holds
	if s.put != nil {
		s.put(t, g, time.Now())
	}
	if s.dead {
		b.expectOffline()
		served.stop()
	}
	b.untilTone(t, "milrinone", s.tone)
	for _, bad := range evaluate[[]string](t, b, contrast) {
		t.Errorf("contrast below 4.5: %s", bad)
	}
	if wide := evaluate[int64](t, b, `document.documentElement.scrollWidth`); wide > screen.width {
		t.Errorf("the page is %d wide", wide)
	}
	b.picture(t, filepath.Join(dir, s.name+"-"+screen.name))
}

// scheme sets the preference for light or dark.
func (b *tab) scheme(t *testing.T, scheme string) {
	t.Helper()
	media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}}
	if _, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, media); err != nil {
		t.Fatal(err)
	}
}

// picture writes what the screen shows, and the whole page.
func (b *tab) picture(t *testing.T, path string) {
	t.Helper()
	for _, name := range []string{".png", "-whole.png"} {
		shot := chromedp.CaptureScreenshot()
		if name == "-whole.png" { // what sticks to the screen's edges would lie in the middle of it
			b.script(t, `document.querySelectorAll("footer, .band").forEach((e) => e.style.position = "static")`)
			shot = chromedp.FullScreenshot(100)
		}
		content, err := chromedp.Run(b.ctx, shot)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path+name, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func scenes() []scene {
	return []scene{
		{name: "ok", tone: "ok"},
		{name: "simulated", tone: "ok", simulated: true},
		{name: "dead", tone: "lost", dead: true},
		{name: "deviation", tone: "deviation", put: func(t *testing.T, g *pagetest.Gateway, at time.Time) {
			t.Helper()
			must(t, g.PutState(at, "milrinone", pagetest.Tenfold), g.PutAlerts(at, "milrinone", pagetest.RateMismatch(at)))
		}},
		{name: "alarm", tone: "alarm.pump", put: func(t *testing.T, g *pagetest.Gateway, at time.Time) {
			t.Helper()
			must(t, g.PutState(at, "milrinone", pagetest.StoppedByKey), g.PutAlerts(at, "milrinone", pagetest.Occlusion(at), pagetest.ReviewDue(at)))
		}},
		{name: "unknown", tone: "unknown", put: func(t *testing.T, g *pagetest.Gateway, at time.Time) {
			t.Helper()
			must(t, g.PutState(at, "milrinone", pagetest.NoReply(40*time.Second)), g.PutState(at, "dobutamine", pagetest.NoBag))
			must(t, g.PutHealth(at, trouble))
		}},
		{name: "stale", tone: "stale", put: func(t *testing.T, g *pagetest.Gateway, at time.Time) {
			t.Helper()
			must(t, g.PutState(at.Add(-45*time.Second), "milrinone", nil), g.PutState(at, "dobutamine", pagetest.NoReply(10*time.Minute)))
		}},
	}
}

// trouble is a gateway with a lost broker, an unset clock and a disk that does not work.
func trouble(h *message.Health) {
	since := message.TimeOf(h.TS.Time().Add(-25 * time.Minute))
	h.Clock = message.ClockUnsynced
	h.Broker.Kind, h.Broker.Connected = "outside", false
	h.Sinks[0] = message.Sink{Name: "mqtt", State: "waiting", Since: since, Reason: "connection refused", Undelivered: 312, OldestUndelivered: message.DecimalOf("1500.000")}
	h.Sinks[1].State = "disabled"
	h.Spool.Durable, h.Spool.Reason = false, "no space left on device"
	h.Conditions = []message.Condition{{
		Code: "spool_not_durable", Priority: "medium", Text: "Records are not written to disk.", Detail: "no space left on device",
		Hint: "Free space on the gateway's disk.", Since: since,
	}}
	h.Links[0].Link = message.Link{State: "silent", Reason: "the pump does not answer", Since: since}
}
