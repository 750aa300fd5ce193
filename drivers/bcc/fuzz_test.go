package bcc

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"infusiond/drivers"
	"infusiond/drivers/bcc/wire"
	"infusiond/drivers/drivertest"
)

// told collects the blocks that a stream could have carried, by a reading of its own: everything between SOH and an EOT whose length and
// check fit, as parameter and value by address.
func told(stream []byte) []map[string]string {
	var all []map[string]string
	for start, b := range stream {
		if b != 1 {
			continue
		}
		for i := start; i < len(stream) && i < start+2*wire.MaxFrame && (i == start || stream[i] != 1); i++ {
			if stream[i] != 4 {
				continue
			}
			if block := oneBlock(stream[start : i+1]); block != nil {
				all = append(all, block)
			}
		}
	}
	return all
}

func oneBlock(frame []byte) map[string]string {
	plain := make([]byte, 0, len(frame))
	for i := 0; i < len(frame); i++ {
		c := frame[i]
		if (c == 'E' || c == 'e') && i+1 < len(frame) {
			if i++; frame[i] != c {
				c--
			}
		}
		plain = append(plain, c)
	}
	if len(plain) < 16 || five(string(plain[1:6])) != len(plain) {
		return nil
	}
	sum := byte(0)
	for _, c := range plain[:len(plain)-6] {
		sum += c
	}
	_, text, ok := strings.Cut(string(plain[7:len(plain)-7]), ">")
	if !ok || five(string(plain[len(plain)-6:len(plain)-1])) != int(sum) {
		return nil
	}
	block := map[string]string{}
	for record := range strings.SplitSeq(text, "\x1e") {
		if cells := strings.SplitN(record, ",", 4); len(cells) == 4 {
			block[strings.TrimPrefix(cells[1], "501")+" "+cells[2]] = cells[3]
		}
	}
	return block
}

// unsaid lists the values of a report that do not stand together in one block.
func unsaid(r drivers.Report, blocks []map[string]string) string {
	say := map[string]string{}
	for name, q := range map[string]drivers.Quantity{
		"INRT": r.ProgrammedRate, "INVI": r.VolumeInfused, "INVTB": r.VTBI, "VOLREMAIN": r.VTBIRemaining, "INRMT": r.TimeRemaining, "INSYR": r.ContainerSize,
		"INP2": r.DownstreamSensor, "DORT": r.DoseRate, "INDCON": r.Concentration,
	} {
		if q.Valid {
			say[name] = q.Decimal()
		}
	}
	for _, a := range r.Alarms {
		if strings.HasPrefix(a.RawCode, "INA") {
			say[a.RawCode] = "1"
		}
	}
	if r.AlarmsKnown && len(r.Alarms) == 0 && len(r.Uncertain) == 0 {
		say["INA3"] = "0"
	}
	worst := "nothing"
	for _, b := range blocks {
		wrong := ""
		for name, value := range say {
			got := strings.Replace(strings.TrimSpace(b[r.Address+" "+name]), ",", ".", 1)
			if q, err := drivers.ParseDecimal(got, drivers.UnitNone); err == nil { // without leading zeros
				got = q.Decimal()
			}
			if got != value {
				wrong = fmt.Sprintf("%s is %q, in the block %q", name, value, got)
			}
		}
		if serial := r.Identity.Serial; serial != "" && !strings.Contains(b[r.Address+" INSERNUM"]+b[r.Address+" INNR"], strings.Trim(serial, "?")) && !strings.Contains(serial, "?") {
			wrong = "serial number " + serial
		}
		if wrong == "" {
			return ""
		}
		worst = wrong
	}
	return worst
}

// FuzzPoll answers a driver with a good station whose answers are replaced, one by one, by arbitrary bytes: no panic, bounded
// time and memory, and every report stands in one block with a good check.
//
// script is a list of chunks "length, bytes". Length 255 is the station's own answer, 254 its answer behind the
// next eight bytes, 253 silence, 252 a block whose records are the next bytes up to a zero, which is sent again when it is asked for.
// Covers GW-01, GW-09, GW-10.
func FuzzPoll(f *testing.F) {
	f.Add([]byte{255, 255, 255, 255, 255}, false)
	f.Add([]byte{255, 253, 255, 253, 253, 255}, true)
	whole := "900000,50111,INSERNUM,SIM1\x1e900000,50111,INRT,6,50\x1e900000,50111,INA3,1\x00"
	f.Add(append(append([]byte{255, 252}, whole...), append([]byte{252}, whole...)...), false)
	f.Add(append(append([]byte{252}, whole...), append([]byte{252}, whole...)...), true)
	f.Add([]byte{254, 1, '0', '0', 'E', 1, 0, 6, 3, 255, 25, 255}, false)
	f.Fuzz(func(t *testing.T, script []byte, cyclic bool) {
		s := newStation(t)
		mode := "request"
		if cyclic {
			mode = "cyclic"
		}
		d := driver(t, map[string]string{"mode": mode})
		port := drivertest.NewPort(d.Profile(), s.respond)
		var stream []byte
		port.SetTamper(func(_ int, query, reply []byte) []drivertest.Piece {
			answer := reply
			if len(query) != 1 || query[0] != wire.NAK {
				answer, script = chunk(s, script, reply)
				s.last = answer
			}
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
			reports, _ := drivers.Collect(t.Context(), conn) // what was handed over before an error must be true, too
			if spent := port.Now() - began; spent > 20*time.Minute || len(port.Writes())-requests > 400 {
				t.Fatalf("a cycle of %v and %d requests", spent, len(port.Writes())-requests)
			}
			if len(reports) == 0 {
				continue
			}
			blocks := told(stream)
			for _, r := range reports {
				if wrong := unsaid(r, blocks); wrong != "" {
					t.Fatalf("the station did not say this: %s: %+v\nin %q", wrong, r, stream)
				}
			}
		}
		if refused := port.Refused(); len(refused) > 0 {
			t.Fatalf("refused writes % X", refused)
		}
	})
}

// chunk takes one chunk of the script.
func chunk(s *station, script, reply []byte) (answer, rest []byte) {
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
		info, after, _ := bytes.Cut(script, []byte{0})
		return s.frame(string(info), len(info)%2 == 1), after
	}
	length = min(length, len(script))
	return bytes.Clone(script[:length]), script[length:]
}
