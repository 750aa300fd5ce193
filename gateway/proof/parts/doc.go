// Package parts starts the real servers that tests and proofs run against: a
// Mosquitto broker, an InfluxDB 1.8.10 and a certificate authority of the test's own,
// and a subscriber that remembers what it was sent. Everything listens on loopback, on
// a free port, keeps its files in the test's directory and ends with the test. What a
// server wrote is shown when the test fails.
//
// A missing program is a failure that says how to mend it, never a skipped test.
package parts
