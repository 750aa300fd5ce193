package asena

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"time"

	"infusiond/drivers"
	"infusiond/drivers/drivertest"
)

// said collects the fields of every body that a good frame could have carried, by a reading of its own:
// everything between an exclamation mark and the next carriage return whose checksum fits.
func said(stream []byte) map[string][][]string {
	bodies := make(map[string][][]string)
	for start, b := range stream {
		if b != '!' {
			continue
		}
		end := bytes.IndexByte(stream[start:], '\r')
		if end < 7 {
			continue
		}
		inside := string(stream[start+1 : start+end])
		body, digits := inside[:len(inside)-5], inside[len(inside)-4:]
		crc := uint16(0xFFFF)
		for _, c := range []byte(body) {
			crc ^= binary.BigEndian.Uint16([]byte{c, 0})
			for range 8 {
				top := crc >> 15
				crc = crc<<1 ^ top*0x1021
			}
		}
		if inside[len(body)] == '|' && fmt.Sprintf("%04X", crc) == digits {
			fields := strings.Split(body, "^")
			bodies[fields[0]] = append(bodies[fields[0]], fields)
		}
	}
	return bodies
}

// unsaid lists the values of a report that stand in no frame.
func unsaid(r drivers.Report, bodies map[string][][]string) []string {
	var wrong []string
	has := func(name string, want map[int]string) bool {
		for _, fields := range bodies[name] {
			fits := true
			for i, text := range want {
				fits = fits && i < len(fields) && strings.TrimSpace(fields[i]) == text
			}
			if fits {
				return true
			}
		}
		return false
	}
	must := func(name string, ok bool) {
		if !ok {
			wrong = append(wrong, name)
		}
	}
	serial := r.Identity.Serial
	must("serial", has("INF", map[int]string{1: serial}))
	closing := map[int]string{1: serial, 3: r.Mode, 6: r.DrugName} // all of these stand in one INF
	if r.PumpReportedRate.Valid {
		closing[4], closing[5] = r.PumpReportedRate.Decimal(), "ml/h"
	}
	if r.VolumeInfused.Valid {
		closing[7], closing[8] = r.VolumeInfused.Decimal(), "ml"
	}
	if r.DownstreamSensor.Valid {
		closing[9], closing[10] = r.DownstreamSensor.Decimal(), "mmHg"
	}
	if s := r.TimeRemaining.Mantissa; r.TimeRemaining.Valid && len(r.AtLeast) == 0 {
		closing[11] = fmt.Sprintf("%02d:%02d:%02d", s/3600, s/60%60, s%60)
	}
	if r.AlarmsKnown && len(r.Alarms) == 0 {
		closing[2] = "-"
	}
	must("one INF", has("INF", closing))
	must("programmed rate", !r.ProgrammedRate.Valid || has("INF_RATE", map[int]string{1: r.ProgrammedRate.Decimal(), 2: "ml/h"}))
	must("VTBI", !r.VTBI.Valid || has("INF_VTBI", map[int]string{1: "ACTIV", 2: r.VTBI.Decimal(), 3: "ml"}))
	must("container", !r.ContainerSize.Valid || has("SYRINGE_STATUS", map[int]string{2: r.ContainerSize.Decimal(), 3: "CONF"}) || has("SYRINGE_STATUS", nil))
	for _, a := range r.Alarms {
		must("alarm "+a.RawCode, has("ALARM", map[int]string{1: a.RawCode}) || a.RawCode == codeFlag && has("INF", map[int]string{2: "A"}))
	}
	must("nothing that this protocol cannot tell", !r.VTBIRemaining.Valid && !r.BatteryLevel.Valid && !r.BatteryVolts.Valid &&
		r.ExternalPower == drivers.Unknown && len(r.Log) == 0 && r.Anchor == "" && !r.UpstreamSensor.Valid && r.PumpClock == "")
	return wrong
}

// FuzzPoll answers a driver with a good pump whose answers are replaced, one by one, by arbitrary
// bytes: no panic, bounded time and memory, no value that stands in no frame.
//
// script is a list of chunks "length, bytes". Length 255 is the pump's own answer, 254 its answer behind the
// next eight bytes, 253 silence, 252 a frame whose body are the next bytes up to a zero.
// Covers GW-09.
func FuzzPoll(f *testing.F) {
	f.Add([]byte{255, 255, 255})
	f.Add([]byte{255, 253, 255, 253, 253, 255})
	f.Add(append(append([]byte{255, 252}, inf(map[int]string{2: "A", 4: "0.00"})...), 0, 255, 255))
	f.Add(append([]byte{255, 255, 255, 255, 255, 255, 255, 252}, "ALARM^AL_OCCLU^X^Y\x00"...))
	f.Add(append([]byte{254, '!', 'I', 'N', 0x1B, '!', 0, 2, 3, 255, 25}, frame("INF_RATE^9.99^ml/h")...))
	f.Fuzz(func(t *testing.T, script []byte) {
		p := newPump(t)
		d := driver(t)
		port := drivertest.NewPort(d.Profile(), p.respond)
		var stream []byte
		port.SetTamper(func(_ int, _, reply []byte) []drivertest.Piece {
			answer, rest := next(script, reply)
			script = rest
			stream = append(stream, answer...)
			return []drivertest.Piece{{After: time.Millisecond, Bytes: answer}}
		})
		var conn drivers.Conn
		for range 4 {
			port.Advance(10 * time.Second)
			began, requests := port.Now(), len(port.Writes())
			if conn == nil {
				var err error
				if conn, err = d.Open(t.Context(), port, drivers.OpenOptions{Now: port.Now}); err != nil {
					conn = nil
					continue
				}
			}
			reports, err := drivers.Collect(t.Context(), conn)
			if err != nil && len(reports) > 0 {
				t.Fatalf("reports beside the error %v", err)
			}
			if spent := port.Now() - began; spent > 5*time.Minute || len(port.Writes())-requests > 200 {
				t.Fatalf("a cycle of %v and %d requests", spent, len(port.Writes())-requests)
			}
			bodies := said(stream)
			for _, r := range reports {
				if wrong := unsaid(r, bodies); len(wrong) > 0 {
					t.Fatalf("the pump did not say %v: %+v\nin %q", wrong, r, stream)
				}
			}
		}
		if refused := port.Refused(); len(refused) > 0 {
			t.Fatalf("refused writes % X", refused)
		}
	})
}

// next takes one chunk of the script.
func next(script, reply []byte) (answer, rest []byte) {
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
	case 252:
		body, after, _ := bytes.Cut(script, []byte{0})
		return frame(string(body)), after
	}
	length = min(length, len(script))
	return bytes.Clone(script[:length]), script[length:]
}
