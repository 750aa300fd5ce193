// Package page is the home page: what a patient or caretaker beside the pump sees, and
// nothing that acts on a pump. It serves static files, the contract's retained messages
// (gateway/message) as server-sent events, and a thinned series of the local history.
//
// What it promises (domain.md HZ-01, HZ-22, HZ-38, HZ-39, HZ-42):
//   - The page shows exactly what the retained topics say; it draws no conclusion of its own
//     about a pump except that something is too old or that a condition for green is missing.
//   - Age is judged in the browser by itself, on two clocks, against the server time of the
//     heartbeat: grey after valid_until or 30 s, no numbers after 120 s, and within ten
//     seconds of a silent daemon the whole page says that it shows the past.
//   - Green needs a fresh reading, an online link, verdict ok, a known prescription, a confirmed
//     bag, known pump alarms and no open alert. Everything else has its own shape and word.
//   - No percentages, scores, half-lives, missed volume or advice to change a rate.
//
// What it does not do: it has no log-in and therefore serves loopback only; it
// acknowledges nothing; it never writes. All goroutines belong to Run: the HTTP server's and
// one per live client, of which there is a fixed maximum.
//
// The chart is uPlot 1.6.32 (MIT, static/vendor/uplot), taken unchanged from the npm registry:
// a small library for time series without dependencies, still maintained, that draws
// stepped lines and leaves null values as gaps. All texts are in static/texts.en.json.
package page
