package wire

import (
	"bytes"
	"encoding/hex"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

type vector struct {
	id, direction string
	frame         []byte
}

// vectors reads testdata/frames/vectors.hex: id | clause | direction | origin | hex.
func vectors(tb testing.TB) map[string]vector {
	tb.Helper()
	text, err := os.ReadFile("testdata/frames/vectors.hex")
	if err != nil {
		tb.Fatal(err)
	}
	all := make(map[string]vector)
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		cells := strings.Split(line, " | ")
		if len(cells) != 5 {
			tb.Fatalf("%q has %d cells, want 5", line, len(cells))
		}
		frame, err := hex.DecodeString(strings.ReplaceAll(cells[4], " ", ""))
		if err != nil {
			tb.Fatalf("%s: %v", cells[0], err)
		}
		all[cells[0]] = vector{id: cells[0], direction: cells[2], frame: frame}
	}
	return all
}

var goldenRequests = map[string]Request{
	"A1": Status, "A2": SerialNumber, "A4": Protocol, "A9": Alarm, "A12": VTBI, "A13": Syringe, "A15": VolumeInfused,
	"A16": NoRequest, "A17": NoRequest,
}

func num(m int64, d int8) Number { return Number{Mantissa: m, Decimals: d, Valid: true} }

var goldenReplies = map[string]Reply{
	"A3": {Request: SerialNumber, Text: []byte("8002-51740")},
	"A5": {Request: Protocol, Text: []byte("Asena Rev 2.1.5")},
	"A6": {Request: ResponseMax, Value: num(4000, 0), Unit: []byte("ms")},
	"A7": {Request: Status, Infusion: Infusion{
		Serial: []byte("8002-51733"), Alarm: true, Mode: []byte("HLD"), Rate: num(0, 2), RateUnit: []byte("ml/h"), Drug: []byte{},
		Volume: num(969, 3), VolumeUnit: []byte("ml"), Pressure: num(53015, 2), PressureUnit: []byte("mmHg"),
		Remaining: true, RemainingS: 4*60 + 9, LogType: []byte("EVENT"), LogID: []byte("214725"),
	}},
	"A8": {Request: Status, Infusion: Infusion{
		Serial: []byte("8002-51740"), Mode: []byte("SET"), Rate: num(500, 2), RateUnit: []byte("ml/h"), Drug: []byte{},
		Volume: num(1234, 3), VolumeUnit: []byte("ml"), Pressure: num(1791, 2), PressureUnit: []byte("mmHg"),
		Remaining: true, AtLeast: true, RemainingS: 86400, LogType: []byte("EVENT"), LogID: []byte("127904"),
	}},
	"A10": {Request: Alarm, Code: []byte("AL_NOALM"), Texts: [2][]byte{{}, {}}},
	"A11": {Request: Alarm, Code: []byte("AL_OCCLU"), Texts: [2][]byte{{}, {}}},
	"A14": {Request: Syringe, Text: []byte("BD PLASTIPAK"), Value: num(50, 0), Detail: []byte("CONF")},
}

// Covers GW-11.
func TestGoldenFramesDecodeAndReencode(t *testing.T) {
	all := vectors(t)
	for id, v := range all {
		t.Run(id, func(t *testing.T) {
			body, err := DecodeFrame(v.frame)
			if err != nil {
				t.Fatal(err)
			}
			var s Scanner
			if scanned, used := s.Next(v.frame); !bytes.Equal(scanned, body) || used != len(v.frame) {
				t.Errorf("Scanner: %q after %d bytes, want %q", scanned, used, body)
			}
			if again := AppendFrame(nil, body); !bytes.Equal(again, v.frame) {
				t.Errorf("AppendFrame: % X, want % X", again, v.frame)
			}
			if v.direction == "host>pump" {
				want, known := goldenRequests[id]
				if got := RequestOf(body); got != want || !known {
					t.Errorf("RequestOf(%q): %d, want %d", body, got, want)
				}
				return
			}
			want, known := goldenReplies[id]
			if !known {
				t.Fatal("no expectation")
			}
			var got Reply
			if err := Decode(body, want.Request, &got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("Decode (-want +got):\n%s", diff)
			}
			if again := AppendReply(nil, &want); !bytes.Equal(again, body) {
				t.Errorf("AppendReply: %q, want %q", again, body)
			}
		})
	}
	if want := len(goldenRequests) + len(goldenReplies); len(all) != want {
		t.Errorf("%d vectors, want %d: each needs an expectation", len(all), want)
	}
}

// The worked numbers of sections 3 and 11.
func TestWorkedNumbers(t *testing.T) {
	for body, want := range map[string]uint16{"INF": 0x4961, "8002-51740": 0x3CC1, "ALARM": 0x50B2} {
		if got := CRC([]byte(body)); got != want {
			t.Errorf("CRC(%s) is %04X, want %04X", body, got, want)
		}
	}
}
