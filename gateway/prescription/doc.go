// Package prescription holds what was ordered: for which patient (a pseudonym), on which
// pump, from when to when, at which dose, with which bag confirmed by whom. It reads
// the files strictly and computes the rate in exact arithmetic:
//
//	rate [mL/h] = dose [mcg/kg/min] · weight [kg] · 60 / concentration [mcg/mL]
//
// This version knows the continuous schedule. It starts no goroutine and reads no clock.
// Drug limits come from a library file; the shipped one is an example and says so.
package prescription
