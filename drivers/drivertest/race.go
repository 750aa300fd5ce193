//go:build race

package drivertest

// slower is how many times fewer cases run: the race detector makes each ten times slower, and nothing here is concurrent.
const slower = 10
