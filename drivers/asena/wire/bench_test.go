package wire

import "testing"

// BenchmarkDecode is the decode benchmark of design section 12: one good frame through Scanner and
// Decode into a caller-owned struct. Goal: at most 10 ns per byte, no allocation.
func BenchmarkDecode(b *testing.B) {
	all := vectors(b)
	for _, row := range []struct {
		name, vector string
		request      Request
	}{
		{"status", "A7", Status},
		{"alarm", "A11", Alarm},
		{"serial", "A3", SerialNo},
		{"syringe", "A14", Syringe},
		{"response_max", "A6", ResponseMax},
	} {
		b.Run(row.name, func(b *testing.B) {
			frame := all[row.vector].frame
			var s Scanner
			var r Reply
			b.SetBytes(int64(len(frame)))
			b.ReportAllocs()
			for b.Loop() {
				body, _ := s.Next(frame)
				if err := Decode(body, row.request, &r); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(len(frame)), "bytes")
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(frame)), "ns/byte")
		})
	}
}
