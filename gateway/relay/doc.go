// Package relay reads the spool and drives the sinks, with one durable cursor each. The cursor moves
// only over what a sink confirmed or refused for good; everything else is tried again, after a pause with
// full jitter. A sink that fails never blocks another, nor the acquisition. Run owns one goroutine that
// reads ahead; both are joined by its return.
package relay
