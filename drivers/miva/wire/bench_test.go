package wire

import "testing"

// BenchmarkDecode is the decode benchmark of design section 12: one good frame
// through Scanner and Decode into a caller-owned struct. Goal: at most 10 ns per byte, no allocation.
func BenchmarkDecode(b *testing.B) {
	all := vectors(b)
	for _, row := range []struct {
		name, vector string
		query        Query
	}{
		{"record", "M9", LogRecord},
		{"indices", "M4", LogIndices},
		{"volume", "M12", VolumeInfused},
		{"serial", "M2", Serial},
		{"clock", "M10", PumpClock},
		{"sensors", "M19", CombinedSensors},
		{"running", "M17", TextRunning},
	} {
		b.Run(row.name, func(b *testing.B) {
			frame := all[row.vector].frame
			s := NewScanner(Sum)
			var r Reply
			b.SetBytes(int64(len(frame)))
			b.ReportAllocs()
			for b.Loop() {
				payload, _ := s.Next(frame)
				if err := Decode(payload, row.query, &r); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(len(frame)), "bytes")
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(frame)), "ns/byte")
		})
	}
}
