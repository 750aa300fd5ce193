// Package infusion is the vocabulary that the gateway's parts share: time, the
// value that may be absent, delivery status and the normalized observation.
// It does no I/O, starts no goroutine and reads no clock.
package infusion
