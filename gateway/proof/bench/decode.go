package main

import (
	"encoding/hex"
	"testing"

	"infusiond/drivers/miva/wire"
	"infusiond/gateway/proof/parts"
)

// goodFrame is a reply of the protocol document's section 11.
type goodFrame struct {
	name, hex string
	query     wire.Query
}

var goodFrames = []goodFrame{
	{"log_record", "02524530303030303030443044343532333031463030303032343033363636363634313434434343443030453503", wire.LogRecord},
	{"log_indices", "02524930303030303030303030303030303130394303", wire.LogIndices},
	{"volume_infused", "02513530344432363003", wire.VolumeInfused},
	{"serial_number", "02524E534E383030303038373103", wire.Serial},
	{"pump_clock", "0252434630303132343030333203", wire.PumpClock},
	{"combined_sensors", "025339354634323038313144374203", wire.CombinedSensors},
	{"running", "0254525545343003", wire.TextRunning},
}

// decode measures one good frame through scanner and decoder into a struct that the caller owns. The
// line is of the frame that is slowest per byte.
func (b *bench) decode(t parts.TB) {
	b.say("decode: one good frame, bytes to fields, into a caller-owned struct (goal 10 ns per byte, 0 allocations)")
	b.say("  %-18s %6s %8s %12s %7s", "miva frame", "bytes", "ns", "ns per byte", "allocs")
	var slowest float64
	var line func()
	for _, f := range goodFrames {
		frame, err := hex.DecodeString(f.hex)
		if err != nil {
			t.Fatalf("%s: %v", f.name, err)
		}
		var failed error
		result := testing.Benchmark(func(tb *testing.B) { failed = decodeOne(tb, frame, f.query) })
		if failed != nil || result.N == 0 {
			t.Fatalf("%s is not decoded: %v", f.name, failed)
		}
		ns := float64(result.T.Nanoseconds()) / float64(result.N)
		perByte := ns / float64(len(frame))
		b.say("  %-18s %6d %8.1f %12.2f %7d", f.name, len(frame), ns, perByte, result.AllocsPerOp())
		if perByte > slowest {
			slowest = perByte
			line = func() {
				b.say("bench: decode driver=miva ns=%.1f bytes=%d allocs=%d ns_per_byte=%.2f frame=%s", ns, len(frame), result.AllocsPerOp(), perByte, f.name)
			}
		}
	}
	line()
}

func decodeOne(tb *testing.B, frame []byte, q wire.Query) error {
	scanner := wire.NewScanner(wire.Sum)
	var reply wire.Reply
	tb.ReportAllocs()
	for tb.Loop() {
		payload, _ := scanner.Next(frame)
		if err := wire.Decode(payload, q, &reply); err != nil {
			return err
		}
	}
	return nil
}
