package newera

import (
	"bytes"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"infusiond/drivers"
	"infusiond/drivers/drivertest"
	"infusiond/drivers/newera/wire"
)

// heard lists the data of every frame that a stream could have carried, by a reading of its own: printable bytes between STX and
// ETX, and what a length and a CRC behind STX fit.
func heard(stream []byte) []string {
	var all []string
	for i, b := range stream {
		if b != 2 {
			continue
		}
		rest := stream[i+1:]
		if end := bytes.IndexByte(rest, 3); end >= 0 && printed.Match(rest[:end]) {
			all = append(all, string(rest[:end]))
		}
		if len(rest) == 0 || rest[0] < 4 || len(rest) < int(rest[0]) || rest[rest[0]-1] != 3 {
			continue
		}
		packet := rest[1 : rest[0]-1]
		data, told := packet[:len(packet)-2], packet[len(packet)-2:]
		crc := uint16(0)
		for _, c := range data {
			for bit := 7; bit >= 0; bit-- {
				top := crc>>15 ^ uint16(c>>bit&1)
				crc = crc<<1 ^ top*0x1021
			}
		}
		if uint16(told[0])<<8|uint16(told[1]) == crc {
			all = append(all, string(data))
		}
	}
	return all
}

var (
	printed   = regexp.MustCompile(`\A[ -~]*\z`)
	numberOf  = regexp.MustCompile(`\A0*([0-9]+)(\.[0-9]+)?\.?\z`)
	answerOf  = regexp.MustCompile(`\A([0-9]{2})([IWSPTUX])(.*)\z`)
	measured  = regexp.MustCompile(`\A([0-9.]+)(MH|MM|UH|UM|ML|UL)\z`)
	delivered = regexp.MustCompile(`\AI([0-9.]+)W[0-9.]+(ML|UL)\z`)
)

// spoken is a number with its unit in the pump's words: without the zeros that stand before it.
func spoken(number, unit string) string {
	return numberOf.ReplaceAllString(number, "$1$2") + unit
}

func written(q drivers.Quantity) string {
	return q.Decimal() + map[drivers.Unit]string{
		drivers.MilliliterPerHour: "MH", drivers.MilliliterPerMinute: "MM", drivers.MicroliterPerHour: "UH", drivers.MicroliterPerMinute: "UM",
		drivers.Milliliter: "ML", drivers.Microliter: "UL",
	}[q.Unit]
}

// told counts what the frames of one address say.
func told(frames []string, address string) map[string]int {
	count := map[string]int{}
	for _, data := range frames {
		if raw, alarm := strings.CutPrefix(data, address+"A?"); alarm {
			count["alarm A?"+raw]++
		}
		answer := answerOf.FindStringSubmatch(data)
		if answer == nil || answer[1] != address {
			continue
		}
		count["status "+answer[2]]++
		count["text "+answer[3]]++
		if m := measured.FindStringSubmatch(answer[3]); m != nil {
			count["measured "+spoken(m[1], m[2])]++
		}
		if m := delivered.FindStringSubmatch(answer[3]); m != nil {
			count["infused "+spoken(m[1], m[2])]++
		}
	}
	return count
}

// unsaid lists what a report says and the pump did not: now within the cycle, ever since the conversation began.
func unsaid(r drivers.Report, now, ever map[string]int) []string {
	var wrong []string
	must := func(what string, ok bool) {
		if !ok {
			wrong = append(wrong, what)
		}
	}
	must("rate twice", !r.ProgrammedRate.Valid || now["measured "+written(r.ProgrammedRate)] > 1)
	must("target twice", !r.VTBI.Valid || now["measured "+written(r.VTBI)] > 1)
	must("volume", !r.VolumeInfused.Valid || now["infused "+written(r.VolumeInfused)] > 0)
	if r.Identity != (drivers.Identity{}) {
		must("version twice", ever["text "+strings.Replace(r.Identity.Model, "NE-", "NE", 1)+"V"+r.Identity.Firmware] > 1)
	}
	must("status twice", r.Mode == "" || now["status "+letterOf(r.Mode)] > 1)
	must("a state that follows from the status", (r.State == drivers.RunUnknown) == (r.Mode == "" || r.Mode == "withdrawing"))
	moved := ever["status I"] > 1 || ever["status W"] > 1 || ever["status X"] > 1
	must("no alarms without having been seen to run", !r.AlarmsKnown || len(r.Alarms) > 0 || moved)
	must("a reason for alarms that are not known", r.AlarmsKnown == (r.AlarmsReason == ""))
	for _, a := range r.Alarms {
		must("alarm "+a.RawCode, ever["alarm "+a.RawCode] > 0)
	}
	rest := r // nothing that this protocol cannot tell
	rest.Address, rest.Identity, rest.State, rest.Mode, rest.Anchor = "", drivers.Identity{}, drivers.RunUnknown, "", ""
	rest.ProgrammedRate, rest.VTBI, rest.VolumeInfused = drivers.Quantity{}, drivers.Quantity{}, drivers.Quantity{}
	rest.AlarmsKnown, rest.AlarmsReason, rest.Alarms, rest.Uncertain, rest.Unavailable = false, "", nil, nil, nil
	rest.BadFrames, rest.Unsolicited = 0, 0
	must("nothing else", reflect.DeepEqual(rest, drivers.Report{}))
	return wrong
}

func letterOf(mode string) string {
	return map[string]string{
		"infusing": "I", "withdrawing": "W", "stopped": "S", "paused": "P", "timed pause phase": "T", "waiting for trigger": "U", "purging": "X",
	}[mode]
}

// The most that a cycle of two pumps can ask: VER, RAT, DIS, VOL and the status five times each, every one with its tries and
// the alarms that do not count as tries; and a live pump that fails is visited again.
const (
	mostAsks = 2 * steadyReads * 5 * (1 + attempts + 2*5)
	mostTime = mostAsks * (replyTimeout + 2*commandGap)
)

// FuzzPoll answers a driver with two good pumps whose answers are replaced, one by one, by arbitrary bytes: no panic, bounded
// time, and no value that did not stand in a frame of this cycle, twice where two must agree.
//
// script is a list of chunks "length, bytes". Length 255 is the pump's own answer, 254 its answer behind the
// next eight bytes, 253 silence, 252 a frame whose data are the next bytes up to a zero, 251 that frame once more.
// Covers GW-01, GW-09, GW-10.
func FuzzPoll(f *testing.F) {
	f.Add([]byte{255, 255, 255}, false)
	f.Add([]byte{255, 253, 255, 253, 253, 255}, true)
	f.Add([]byte("\xff\xff\xff\xff\xfc00I9.99MH\x00\xfb"), false)
	f.Add([]byte("\xff\xff\xff\xff\xfc07I9.99MH\x00\xfb"), true) // another pump's answer
	still := []byte("\xfc00SNE1000V3.928\x00\xfb\xfb\xfb\xfc00S5.000MH\x00\xfb\xfc00SI1.234W0.000ML\x00\xfb\xfc00S10.00ML\x00\xfb")
	f.Add(still, false) // a pump that stood still before it was seen to run
	f.Add([]byte("\xff\xff\xff\xff\xfc00A?S\x00\xfc00S\x00\xfb\xfb\xfb\xfb\xfb\xfb"), true)
	f.Add([]byte("\xff\xff\xfe\x0207I1.0\xff\xfc00I05.0UM\x00\xfb\xfc00II1.0W0.0ML\x00\xfc00II2.0W0.0ML\x00\xfc00II3.0W0.0ML\x00"), false)
	f.Fuzz(func(t *testing.T, script []byte, safe bool) {
		framing := wire.Basic
		if safe {
			framing = wire.Safe
		}
		s := line(t)
		d := driver(t, map[string]string{"framing": map[bool]string{false: "basic", true: "safe"}[safe]})
		port := drivertest.NewPort(d.Profile(), s.framed(framing))
		c := chunks{script: script, framing: framing}
		var ever []string
		port.SetTamper(func(_ int, _, reply []byte) []drivertest.Piece {
			return []drivertest.Piece{{After: time.Millisecond, Bytes: c.next(reply)}}
		})
		var conn drivers.Conn
		for range 4 {
			port.Advance(40 * time.Second)
			began, asked := port.Now(), len(port.Writes())
			c.stream = nil
			if conn == nil {
				var err error
				if conn, err = d.Open(t.Context(), port, drivers.OpenOptions{Now: port.Now, Addresses: []string{"00", "07"}}); err != nil {
					conn = nil
					continue
				}
			}
			greeting := len(c.stream)
			reports, _ := drivers.Collect(t.Context(), conn) // what was handed over before an error must be true, too
			if n := len(port.Writes()) - asked; n > mostAsks || port.Now()-began > mostTime {
				t.Fatalf("a cycle of %v and %d queries", port.Now()-began, n)
			}
			ever = append(ever, heard(c.stream)...)
			now := heard(c.stream[greeting:])
			for _, r := range reports {
				if wrong := unsaid(r, told(now, r.Address), told(ever, r.Address)); len(wrong) > 0 {
					t.Fatalf("the pump did not say: %s: %+v\nin %q", strings.Join(wrong, "; "), r, c.stream)
				}
			}
		}
		if refused := port.Refused(); len(refused) > 0 {
			t.Fatalf("refused writes % X", refused)
		}
	})
}

// framed answers queries of either framing.
func (s *scripted) framed(f wire.Framing) drivertest.Responder {
	if f == wire.Basic {
		return s.respond
	}
	return func(query []byte) []byte {
		data, framing, err := wire.DecodeFrame(query)
		if err != nil || framing != wire.Safe {
			s.t.Fatalf("the pumps received % X", query)
		}
		reply := s.respond(append(bytes.Clone(data), '\r'))
		if len(reply) == 0 {
			return nil
		}
		return wire.AppendSafe(nil, reply[1:len(reply)-1])
	}
}

// chunks gives the answers of a script.
type chunks struct {
	script, made, stream []byte
	framing              wire.Framing
}

func (c *chunks) next(reply []byte) []byte {
	answer := c.take(reply)
	c.stream = append(c.stream, answer...)
	return answer
}

func (c *chunks) take(reply []byte) []byte {
	if len(c.script) == 0 {
		return reply
	}
	length := int(c.script[0])
	c.script = c.script[1:]
	switch length {
	case 255:
		return reply
	case 254:
		return slices.Concat(c.cut(8), reply)
	case 253:
		return nil
	case 252:
		data, after, _ := bytes.Cut(c.script, []byte{0})
		c.made = wire.AppendReplyFrame(nil, data[:min(len(data), wire.MaxData)], c.framing)
		c.script = after
		return bytes.Clone(c.made)
	case 251:
		return bytes.Clone(c.made)
	}
	return c.cut(length)
}

func (c *chunks) cut(n int) []byte {
	n = min(n, len(c.script))
	b := bytes.Clone(c.script[:n])
	c.script = c.script[n:]
	return b
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
			if f.Name == "address" && f.Length == 2 && string(e.Bytes[f.Offset:behind]) != f.Value {
				t.Fatalf("address %s is at another place than %d in % X", f.Value, f.Offset, e.Bytes)
			}
		}
	}
	if at != len(stream) {
		t.Fatalf("%d of %d bytes are explained", at, len(stream))
	}
}

// FuzzExplain: every byte is explained once, in order, and nothing panics.
// Covers GW-25.
func FuzzExplain(f *testing.F) {
	f.Add([]byte("xx\x0200I5.000MH\x03\x0200A?S\x03junk"))
	f.Add([]byte("\x0200RAT\r00RUN\r"))
	f.Add(wire.AppendSafe(nil, []byte("00DIS")))
	f.Fuzz(func(t *testing.T, stream []byte) {
		e, ok := driver(t, nil).(drivers.Explainer)
		if !ok {
			t.Fatal("the driver explains nothing")
		}
		for _, d := range []drivers.Direction{drivers.FromPump, drivers.ToPump} {
			list := e.Explain(d, stream)
			covered(t, list, stream)
			for _, x := range list {
				if d == drivers.FromPump && x.Err == nil && !slices.Contains(heard(x.Bytes), inside(x.Bytes)) {
					t.Fatalf("%s: % X is no frame", x.Name, x.Bytes)
				}
			}
		}
	})
}

// inside is the data of a frame whose kind its second byte tells.
func inside(frame []byte) string {
	if len(frame) > 4 && frame[1] < '0' {
		return string(frame[2 : len(frame)-3])
	}
	return strings.Trim(string(frame), "\x02\x03")
}
