package miva

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"infusiond/drivers"
	"infusiond/drivers/drivertest"
	"infusiond/drivers/miva/wire"
)

// said collects every payload that a good frame could have carried, by a
// reading of its own: everything between an STX and the next ETX whose checksum fits.
func said(stream []byte) map[string]bool {
	payloads := make(map[string]bool)
	for start, b := range stream {
		if b != wire.STX {
			continue
		}
		end := bytes.IndexByte(stream[start:], wire.ETX)
		if end < 4 {
			continue
		}
		body := stream[start+1 : start+end]
		payload, digits := body[:len(body)-2], string(body[len(body)-2:])
		sum := 0
		for _, c := range payload {
			sum += int(c)
		}
		if fmt.Sprintf("%02X", sum%256) == digits {
			payloads[string(payload)] = true
		}
	}
	return payloads
}

// hexSaid says whether the pump said letters and then these numbers in hex.
func hexSaid(payloads map[string]bool, letters string, want ...int64) bool {
	for p := range payloads {
		digits, ok := strings.CutPrefix(p, letters)
		if !ok || len(digits)%len(want) != 0 {
			continue
		}
		width, all := len(digits)/len(want), true
		for i, w := range want {
			n, err := strconv.ParseInt(digits[i*width:(i+1)*width], 16, 64)
			all = all && err == nil && n == w
		}
		if all {
			return true
		}
	}
	return false
}

// unsaid lists the values of a report that stand in no frame.
func unsaid(r drivers.Report, payloads map[string]bool) []string {
	var wrong []string
	must := func(name string, ok bool) {
		if !ok {
			wrong = append(wrong, name)
		}
	}
	number := func(q drivers.Quantity, letters string) bool {
		return !q.Valid || hexSaid(payloads, letters, q.Mantissa)
	}
	pair := func(a, b drivers.Quantity, letters string) bool {
		if !a.Valid && !b.Valid {
			return true
		}
		return hexSaid(payloads, letters, a.Mantissa, b.Mantissa) || payloadsWith(payloads, "S9")
	}
	rate := func(q drivers.Quantity, unit, old string) bool {
		if !q.Valid {
			return true
		}
		ok := old != "" && hexSaid(payloads, old, q.Mantissa)
		for p := range payloads {
			parsed, err := drivers.ParseDecimal(p, drivers.MilliliterPerHour)
			ok = ok || err == nil && parsed == q
		}
		return ok && payloadsWith(payloads, unit)
	}
	must("serial", payloads["RN"+r.Identity.Serial])
	must("firmware", r.Identity.Firmware == "" || payloads["RS"+r.Identity.Firmware])
	must("programmed rate", rate(r.ProgrammedRate, "QC", ""))
	must("pump-reported rate", rate(r.PumpReportedRate, "Q4", "Q2"))
	must("volume", number(r.VolumeInfused, "Q5"))
	must("VTBI", number(r.VTBI, "Q6"))
	must("bolus rate", number(r.BolusRate, "Q8"))
	must("bolus volume", number(r.BolusInfused, "Q9"))
	must("bolus VTBI", number(r.BolusVTBI, "QA"))
	must("battery", number(r.BatteryVolts, "R7") || payloadsWith(payloads, "S9"))
	must("sensors", pair(r.UpstreamSensor, r.DownstreamSensor, "RD"))
	must("thresholds", !r.UpstreamThreshold.Valid || hexSaid(payloads, "R2", r.UpstreamThreshold.Mantissa, r.DownstreamThreshold.Mantissa))
	must("mode", r.Mode == "" || payloads["Q0"+r.Mode])
	must("program", r.Program == "" || payloads[r.Program])
	must("clock", r.PumpClock == "" || payloads["RC"+r.PumpClock] || payloads["RC"+strings.ToLower(r.PumpClock)] || payloadsWith(payloads, "RC"))
	must("state", r.State == drivers.RunUnknown || payloadsWith(payloads, "Q1") || saidTruth(payloads))
	must("alarms", !r.AlarmsKnown || payloadsWith(payloads, "RI") && (len(r.Alarms) == 0 || payloadsWith(payloads, "RE")))
	for _, record := range r.Log {
		must("log record "+record.ID, payloadsWith(payloads, "RE"+record.ID[:8]) || payloadsWith(payloads, "RE"+strings.ToLower(record.ID[:8])) || payloadsWith(payloads, "RE"))
	}
	must("no values of what this protocol cannot tell", !r.VTBIRemaining.Valid && !r.BatteryLevel.Valid && r.ExternalPower == drivers.Unknown)
	return wrong
}

func payloadsWith(payloads map[string]bool, prefix string) bool {
	for p := range payloads {
		if strings.HasPrefix(p, prefix) {
			return true
		}
	}
	return false
}

func saidTruth(payloads map[string]bool) bool {
	for p := range payloads {
		if strings.EqualFold(p, "TRUE") || strings.EqualFold(p, "FALSE") {
			return true
		}
	}
	return false
}

// FuzzPoll answers a driver with a good pump whose answers are replaced, one by one, by
// arbitrary bytes: no panic, bounded time and memory, no value that stands in no frame.
//
// script is a list of chunks "length, bytes". Length 255 is the pump's own answer, 254 its
// answer behind the next eight bytes, 253 silence.
// Covers GW-09.
func FuzzPoll(f *testing.F) {
	f.Add([]byte{255, 255, 255})
	f.Add([]byte{255, 253, 255, 253, 253, 255})
	f.Add(append([]byte{255, 255, 255, 255, 8}, frame("TRUE")...))
	f.Add(append([]byte{255, 255, 255, 255, 255, 10}, frame("Q504D2")...))
	f.Add(append([]byte{254, 2, 'R', 'N', 2, 3, 0, 2, 'Q', 255, 22}, frame("RI0000000000000010")...))
	f.Fuzz(func(t *testing.T, script []byte) {
		p := newPump(t)
		d := driver(t, nil)
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
			began, queries := port.Now(), len(port.Writes())
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
			if spent := port.Now() - began; spent > 5*time.Minute || len(port.Writes())-queries > 500 {
				t.Fatalf("a cycle of %v and %d queries", spent, len(port.Writes())-queries)
			}
			payloads := said(stream)
			for _, r := range reports {
				if wrong := unsaid(r, payloads); len(wrong) > 0 {
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
	}
	length = min(length, len(script))
	return bytes.Clone(script[:length]), script[length:]
}
