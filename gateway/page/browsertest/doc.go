// Package browsertest holds the tests of the home page in a real Chromium, driven through
// github.com/chromedp/chromedp (v0.22.1, released this month, plain DevTools protocol, no
// node and no driver program). `go test -artifacts ./gateway/page/browsertest` keeps the screenshots.
package browsertest
