package main

import (
	"encoding/hex"
	"testing"

	"infusiond/gateway/proof/parts"
)

// decode measures one good frame through scanner and decoder into a struct that the caller owns. The line
// of each driver is of the frame that is slowest per byte.
func (b *bench) decode(t parts.TB) {
	b.say("decode: one good frame, bytes to fields, into a caller-owned struct (goal 10 ns per byte, 0 allocations)")
	b.say("  %-10s %-20s %6s %8s %12s %7s", "driver", "frame", "bytes", "ns", "ns per byte", "allocs")
	var drivers []string
	slowest, lines := map[string]float64{}, map[string]func(){}
	for _, f := range goodFrames() {
		frame, err := hex.DecodeString(f.hex)
		if err != nil {
			t.Fatalf("%s: %v", f.name, err)
		}
		var failed error
		result := testing.Benchmark(func(tb *testing.B) {
			one := f.decode()
			tb.ReportAllocs()
			for tb.Loop() {
				if err := one(frame); err != nil {
					failed = err
				}
			}
		})
		if failed != nil || result.N == 0 {
			t.Fatalf("%s of %s is not decoded: %v", f.name, f.driver, failed)
		}
		ns := float64(result.T.Nanoseconds()) / float64(result.N)
		perByte := ns / float64(len(frame))
		b.say("  %-10s %-20s %6d %8.1f %12.2f %7d", f.driver, f.name, len(frame), ns, perByte, result.AllocsPerOp())
		if lines[f.driver] == nil {
			drivers = append(drivers, f.driver)
		}
		if perByte > slowest[f.driver] {
			slowest[f.driver] = perByte
			lines[f.driver] = func() {
				b.say("bench: decode driver=%s ns=%.1f bytes=%d allocs=%d ns_per_byte=%.2f frame=%s", f.driver, ns, len(frame), result.AllocsPerOp(), perByte, f.name)
			}
		}
	}
	for _, name := range drivers {
		lines[name]()
	}
}
