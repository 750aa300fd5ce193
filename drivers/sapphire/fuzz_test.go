package sapphire

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"infusiond/drivers"
	"infusiond/drivers/drivertest"
	"infusiond/drivers/sapphire/wire"
)

// spoken is what one batch says, by a reading of its own.
type spoken struct {
	sequence         byte
	software, serial uint32
	rate             uint16
	left, delivered  uint32
}

// heard lists the batches that a stream could have carried: at each start byte a header, a length and a sum that fit.
func heard(stream []byte, check bool) []spoken {
	var all []spoken
	for i, b := range stream {
		m := stream[i:]
		if b != 0xBB || len(m) < 9 || m[1] < 100 || m[1] > 103 || m[2] != 0 || m[3] != 101 || m[4] != 1 {
			continue
		}
		n := int(binary.BigEndian.Uint16(m[5:]))
		if n < 171 || n > 2048 || len(m) < n+9 {
			continue
		}
		total := 0
		for _, c := range m[1 : 8+n] {
			total += int(c)
		}
		if check && byte(total) != m[8+n] {
			continue
		}
		d := m[8:]
		number := binary.LittleEndian.Uint32
		all = append(all, spoken{m[7], number(d[34:]), number(d[38:]), binary.LittleEndian.Uint16(d[47:]), number(d[163:]), number(d[167:])})
	}
	return all
}

// says whether a report may be made of the second of two batches.
func (s spoken) says(r drivers.Report) bool {
	if r.Identity.Serial != fmt.Sprint(s.serial) || r.Identity.Firmware != fmt.Sprintf("%08X", s.software) {
		return false
	}
	if q := r.PumpReportedRate; q.Valid && q.Decimal() != fmt.Sprintf("%d.%d", s.rate/10, s.rate%10) ||
		r.State == drivers.RunInfusing && s.rate == 0 || r.State == drivers.RunStopped && s.rate != 0 || q.Valid != (r.State != drivers.RunUnknown) {
		return false
	}
	if !r.VolumeInfused.Valid {
		return !r.VTBI.Valid && !r.VTBIRemaining.Valid
	}
	total := uint64(s.left) + uint64(s.delivered)
	for q, n := range map[drivers.Quantity]uint64{r.VolumeInfused: uint64(s.delivered), r.VTBIRemaining: uint64(s.left), r.VTBI: total} {
		if q.Unit != drivers.Milliliter || q.Decimal() != fmt.Sprintf("%d.%02d", n/100, n%100) {
			return false
		}
	}
	return true
}

// unsaid says what is wrong with a report whose cycle carried these batches; empty when nothing is.
func unsaid(r drivers.Report, batches []spoken) string {
	found := slices.ContainsFunc(batches, func(second spoken) bool {
		return second.says(r) && slices.ContainsFunc(batches, func(first spoken) bool {
			return first.sequence != second.sequence && first.serial == second.serial && first.software == second.software && first.rate == second.rate
		})
	})
	if !found {
		return "no two batches of this cycle say it"
	}
	if r.AlarmsKnown || r.AlarmsReason == "" || !slices.Contains(r.Uncertain, "State") && r.State != drivers.RunUnknown {
		return "it claims more than is known"
	}
	rest := r
	rest.Identity, rest.State, rest.AlarmsReason, rest.Uncertain, rest.Unavailable = drivers.Identity{}, drivers.RunUnknown, "", nil, nil
	rest.PumpReportedRate, rest.VolumeInfused, rest.VTBI, rest.VTBIRemaining = drivers.Quantity{}, drivers.Quantity{}, drivers.Quantity{}, drivers.Quantity{}
	rest.BadFrames, rest.Unsolicited = 0, 0
	if !reflect.DeepEqual(rest, drivers.Report{}) {
		return "it tells what this protocol cannot tell"
	}
	return ""
}

// FuzzPoll answers a driver with a good pump whose batches are replaced by arbitrary bytes: no panic, bounded time, and every
// report is said by two batches of its own cycle.
//
// script is a list of chunks "length, bytes". Length 255 are the pump's own three batches, 254 the same behind the
// next eight bytes, 253 silence, 252 two batches whose sequence number, rate and volumes are the next bytes, 251 one of those,
// 250 two whose sums are wrong.
// Covers GW-01, GW-09, GW-10.
func FuzzPoll(f *testing.F) {
	f.Add([]byte{255, 255, 255}, true)
	f.Add([]byte{253, 255, 253, 253, 253, 255}, true)
	f.Add([]byte{255, 252, 9, 50, 0, 1, 2, 3, 251, 9, 50, 0, 1, 2, 3}, true)
	f.Add([]byte{255, 251, 9, 51, 0, 1, 2, 3, 253}, true)
	f.Add([]byte{255, 250, 9, 51, 0, 1, 2, 3, 253}, true)
	f.Add([]byte{255, 254, 0xBB, 103, 0, 101, 1, 0, 172, 7, 255}, false)
	f.Add([]byte{8, 0xBB, 103, 0, 101, 1, 8, 0, 7, 255, 252, 1, 255, 255, 255, 255, 255}, true)
	f.Fuzz(func(t *testing.T, script []byte, check bool) {
		p := newPump(t)
		d := driver(t, map[string]string{"verify_checksum": map[bool]string{true: "on", false: "off"}[check]})
		port := drivertest.NewPort(d.Profile(), p.respond)
		var stream []byte
		port.SetTamper(func(_ int, _, reply []byte) []drivertest.Piece {
			var answer []byte
			answer, script = chunk(p, script, reply)
			stream = append(stream, answer...)
			return []drivertest.Piece{{After: time.Millisecond, Bytes: answer}}
		})
		var conn drivers.Conn
		for range 5 {
			port.Advance(12 * time.Second)
			if conn == nil {
				var err error
				if conn, err = d.Open(t.Context(), port, drivers.OpenOptions{Now: port.Now}); err != nil {
					conn = nil
					continue
				}
				port.Advance(12 * time.Second) // the next cycle begins with a heartbeat
			}
			stream = nil
			began, asked := port.Now(), len(port.Writes())
			reports, err := drivers.Collect(t.Context(), conn)
			if n := len(port.Writes()) - asked; n > attempts || port.Now()-began > attempts*(answerTime+commandGap) {
				t.Fatalf("a cycle of %v and %d heartbeats", port.Now()-began, n)
			}
			if len(reports) > 1 || err != nil && len(reports) > 0 {
				t.Fatalf("%d reports, %v", len(reports), err)
			}
			for _, r := range reports {
				if wrong := unsaid(r, heard(stream, check)); wrong != "" {
					t.Fatalf("%s: %+v\nin % X", wrong, r, stream)
				}
			}
		}
		if refused := port.Refused(); len(refused) > 0 {
			t.Fatalf("refused writes % X", refused)
		}
	})
}

// chunk takes one chunk of the script.
func chunk(p *pump, script, reply []byte) (answer, rest []byte) {
	if len(script) == 0 {
		return reply, nil
	}
	length := int(script[0])
	script = script[1:]
	switch length {
	case 255:
		return reply, script
	case 254:
		n := min(8, len(script))
		return append(bytes.Clone(script[:n]), reply...), script[n:]
	case 253:
		return nil, script
	case 250, 251, 252:
		n := min(6, len(script))
		var b [6]byte
		copy(b[:], script[:n])
		other := *p
		other.sequence = b[0]
		other.batch.Rate = binary.LittleEndian.Uint16(b[1:])
		other.batch.Remaining, other.batch.Delivered = uint32(b[3])<<12, uint32(b[4])<<12|uint32(b[5])
		answer = other.message()
		if length != 251 {
			answer = append(answer, other.message()...)
		}
		if length == 250 {
			answer[len(answer)/2-1]++
			answer[len(answer)-1]++
		}
		return answer, script[n:]
	}
	length = min(length, len(script))
	return bytes.Clone(script[:length]), script[length:]
}

// covered demands that every byte stands in one piece, in order, and every field in its piece, without overlapping.
func covered(t *testing.T, list []drivers.Explained, stream []byte) {
	t.Helper()
	at := 0
	for _, e := range list {
		if e.Offset != at || len(e.Bytes) == 0 || len(e.Bytes) > len(stream)-at || !bytes.Equal(e.Bytes, stream[at:at+len(e.Bytes)]) {
			t.Fatalf("piece at %d: % X at %d", at, e.Bytes, e.Offset)
		}
		at += len(e.Bytes)
		behind := 0
		for _, f := range e.Fields {
			if f.Offset < behind || f.Length < 0 || f.Offset+f.Length > len(e.Bytes) {
				t.Fatalf("field %+v in % X", f, e.Bytes)
			}
			behind = f.Offset + f.Length
		}
	}
	if at != len(stream) {
		t.Fatalf("%d of %d bytes are explained", at, len(stream))
	}
}

func explainer(t *testing.T) drivers.Explainer {
	t.Helper()
	e, ok := driver(t, nil).(drivers.Explainer)
	if !ok {
		t.Fatal("the driver explains nothing")
	}
	return e
}

// FuzzExplain: every byte is explained once, in order, and nothing panics.
// Covers GW-25.
func FuzzExplain(f *testing.F) {
	p := newPump(f)
	f.Add(slices.Concat([]byte{1, 0xBB, 3}, p.message(), wire.Heartbeat(nil, 9), p.message()[:50]))
	f.Add(slices.Concat(p.message()[:100], p.message(), []byte{0xBB}))
	f.Fuzz(func(t *testing.T, stream []byte) {
		for _, d := range []drivers.Direction{drivers.FromPump, drivers.ToPump} {
			covered(t, explainer(t).Explain(d, stream), stream)
		}
	})
}
