package browsertest

import (
	"context"
	"log/slog"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	home "infusiond/gateway/page"
	"infusiond/gateway/page/pagetest"
)

// patience is how long a condition may take on a slow machine; nothing is timed with it.
const patience = 90 * time.Second

// chromium is one running browser.
type chromium struct{ ctx context.Context }

// startBrowser starts one Chromium for all tests.
func startBrowser(t *testing.T) *chromium {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		t.Fatal("no Chromium found: install the package chromium")
	}
	options := append([]chromedp.ExecAllocatorOption{}, chromedp.DefaultExecAllocatorOptions[:]...)
	options = append(
		options, chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.NoFirstRun, chromedp.DisableGPU,
		chromedp.UserDataDir(t.TempDir()), chromedp.WSURLReadTimeout(patience),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
	)
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(stop)
	browser, closeBrowser := chromedp.NewContext(allocator)
	t.Cleanup(closeBrowser)
	if err := chromedp.Do(browser); err != nil {
		t.Fatalf("start %s: %v", path, err)
	}
	return &chromium{ctx: browser}
}

// tab is one open page with a watch on its console.
type tab struct {
	ctx context.Context

	mu         sync.Mutex
	complaints []string
	offline    bool // the server was stopped: failing requests are expected
}

// newTab opens a tab. Anything the console says in error fails the test.
func newTab(t *testing.T, browser *chromium, width, height int64) *tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(browser.ctx)
	b := &tab{ctx: ctx}
	err := chromedp.Listen(ctx, b.listen)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, c := range b.complaints {
			t.Errorf("browser console: %s", c)
		}
	})
	b.run(t, chromedp.EmulateViewport(width, height))
	hook := page.AddScriptToEvaluateOnNewDocumentParams{Source: clockHook}
	if _, err := chromedp.Call(ctx, page.AddScriptToEvaluateOnNewDocument, hook); err != nil {
		t.Fatal(err)
	}
	return b
}

// listen collects what the console says in error.
func (b *tab) listen(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		text := e.ExceptionDetails.Text
		if e.ExceptionDetails.Exception != nil {
			text += " " + e.ExceptionDetails.Exception.Description
		}
		b.complaints = append(b.complaints, text)
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeWarning {
			b.complaints = append(b.complaints, "console: "+string(e.Args[0].Value))
		}
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError && (!b.offline || e.Entry.Source != log.EntrySourceNetwork) {
			b.complaints = append(b.complaints, e.Entry.Text+" "+e.Entry.URL)
		}
	}
}

// clockHook lets a test move the browser's two clocks: skew.wall and skew.mono are added.
const clockHook = `
	window.skew = {wall: 0, mono: 0};
	const wall = Date.now.bind(Date), mono = performance.now.bind(performance);
	Date.now = () => wall() + window.skew.wall;
	performance.now = () => mono() + window.skew.mono;
	window.seen = [];
	document.addEventListener("DOMContentLoaded", () => {
		const note = () => window.seen.push(document.body.dataset.connection);
		new MutationObserver(note).observe(document.body, {attributes: true, attributeFilter: ["data-connection"]});
	});`

func (b *tab) expectOffline() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.offline = true
}

func (b *tab) run(t *testing.T, actions ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		t.Fatalf("browser: %v", err)
	}
}

// until waits for a JavaScript condition; what the page shows is printed when it does not come.
func (b *tab) until(t *testing.T, condition string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	_, err := chromedp.Run(ctx, chromedp.Poll[chromedp.Void](condition, chromedp.WithPollingTimeout(0), chromedp.WithPollingInterval(100*time.Millisecond)))
	if err != nil {
		t.Fatalf("never true: %s: %v\nthe page shows:\n%s", condition, err, b.text(t, "body"))
	}
}

// untilText waits until an element's text contains a part.
func (b *tab) untilText(t *testing.T, selector, part string) {
	t.Helper()
	b.until(t, `(document.querySelector(`+quote(selector)+`)?.innerText ?? "").replaceAll("\u2011", "-").replaceAll("\u00a0", " ").includes(`+quote(part)+`)`)
}

func (b *tab) untilTone(t *testing.T, pump, tone string) {
	t.Helper()
	b.until(t, `document.querySelector("#pump-`+pump+`")?.dataset.tone === `+quote(tone))
}

func (b *tab) text(t *testing.T, selector string) string {
	t.Helper()
	return evaluate[string](t, b, `document.querySelector(`+quote(selector)+`)?.innerText ?? "(there is no such element)"`)
}

func evaluate[T any](t *testing.T, b *tab, expression string) T {
	t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatalf("evaluate %s: %v", expression, err)
	}
	return v
}

// script runs statements.
func (b *tab) script(t *testing.T, statements string) {
	t.Helper()
	evaluate[chromedp.Void](t, b, statements+"; undefined")
}

func quote(s string) string { return "`" + strings.ReplaceAll(s, "`", "\\`") + "`" }

// server is a page served over a paper gateway.
type server struct {
	url  string
	stop func()

	mu   sync.Mutex
	skew time.Duration
}

// Now is the server's clock.
func (s *server) Now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Now().Add(s.skew)
}

func (s *server) move(by time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.skew += by
}

func serve(t *testing.T, g *pagetest.Gateway, listen string) *server {
	t.Helper()
	s := &server{}
	p, err := home.New(home.Options{
		Listen: listen, Set: g.Set, Topics: g.Topics, Gateway: g.Name, Simulated: g.Simulated, Pumps: pagetest.Pumps(),
		History: g, Log: slog.New(slog.DiscardHandler), Now: s.Now, Version: "test",
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	s.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("page: %v", err)
		}
	})
	t.Cleanup(s.stop)
	select {
	case <-p.Ready():
	case err := <-done:
		t.Fatalf("page did not start: %v", err)
	}
	s.url = "http://" + p.Addr()
	return s
}
