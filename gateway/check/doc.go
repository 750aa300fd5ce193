// Package check compares what a pump reports with what was ordered, one observation at a
// time. It returns a verdict with everything it was made of, and findings; package
// alert gives findings their life.
//
// This version holds C1 rate, C2 run state, C3 keep-vein-open, C5 as far as an
// unplanned bolus, C8 dose, C11 identity and C16 stale data of domain facts 4.2. What it cannot
// judge is unknown, never ok. It does no I/O, starts no goroutine and reads no clock: the
// time comes with the observation. A Checker belongs to one goroutine and one pump.
package check
