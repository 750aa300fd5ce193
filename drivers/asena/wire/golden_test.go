package wire

import (
	"bytes"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

type vector struct {
	id, direction string
	frame         []byte
}

// vectors reads testdata/frames/*.hex: id | clause | direction | rule | hex.
func vectors(tb testing.TB) map[string]vector {
	tb.Helper()
	files, err := filepath.Glob("testdata/frames/*.hex")
	if err != nil || len(files) == 0 {
		tb.Fatalf("no golden frames: %v", err)
	}
	all := make(map[string]vector)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			tb.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			line = strings.TrimSpace(line)
			if line == "" || strings.HasPrefix(line, "#") {
				continue
			}
			cells := strings.Split(line, " | ")
			if len(cells) != 5 {
				tb.Fatalf("%s: %q has %d cells, want 5", file, line, len(cells))
			}
			frame, err := hex.DecodeString(strings.ReplaceAll(cells[4], " ", ""))
			if err != nil {
				tb.Fatalf("%s: %s: %v", file, cells[0], err)
			}
			all[cells[0]] = vector{id: cells[0], direction: cells[2], frame: frame}
		}
	}
	return all
}

var goldenRequests = map[string]HostBody{
	"A1":  {Kind: HostRead, Request: Status},
	"A2":  {Kind: HostRead, Request: SerialNo},
	"A4":  {Kind: HostRead, Request: Protocol},
	"A9":  {Kind: HostRead, Request: Alarm},
	"A12": {Kind: HostRead, Request: VTBI},
	"A13": {Kind: HostRead, Request: Syringe},
	"A15": {Kind: HostRead, Request: VolumeInfused},
	"A16": {Kind: HostControl, Command: StopInfusion},
	"A17": {Kind: HostControl, Command: RemoteControl, Args: []byte("ENABLED^3CC1")},
}

var goldenReplies = map[string]string{
	"A3":  "INST_SERIALNO^8002-51740",
	"A5":  "COMMS_PROTOCOL^Asena Rev 2.1.5",
	"A6":  "COMMS_RESPONSE_MAX^4000^ms",
	"A7":  "INF^8002-51733^A^HLD^0.00^ml/h^^0.969^ml^530.15^mmHg^00:04:09^EVENT^214725",
	"A8":  "INF^8002-51740^-^SET^5.00^ml/h^^1.234^ml^17.91^mmHg^24+^EVENT^127904",
	"A10": "ALARM^AL_NOALM^ ^ ",
	"A11": "ALARM^AL_OCCLU^ ^ ",
	"A14": "SYRINGE_STATUS^BD PLASTIPAK^ 50^CONF",
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
			if v.direction == "pump>host" {
				checkReply(t, body, goldenReplies[id])
				return
			}
			want := goldenRequests[id]
			if diff := cmp.Diff(want, ParseRequest(body)); diff != "" {
				t.Errorf("ParseRequest (-want +got):\n%s", diff)
			}
			if want.Kind == HostRead && !bytes.Equal(AppendRequest(nil, want.Request), v.frame) {
				t.Errorf("AppendRequest: % X, want % X", AppendRequest(nil, want.Request), v.frame)
			}
		})
	}
	if want := len(goldenRequests) + len(goldenReplies); len(all) != want {
		t.Errorf("%d vectors, want %d: each needs an expectation", len(all), want)
	}
}

// checkReply compares the fields with those that stand in want, split by hand.
func checkReply(t *testing.T, body []byte, want string) {
	t.Helper()
	fields := strings.Split(want, "^")
	q := Identify(body)
	if q.String() != fields[0] {
		t.Fatalf("Identify: %s, want %s", q, fields[0])
	}
	var r Reply
	if err := Decode(body, q, &r); err != nil {
		t.Fatal(err)
	}
	for i, text := range fields {
		if string(r.Field(i)) != text || i > 0 && !r.Good(i) {
			t.Errorf("field %d: %q (good %v), want %q", i, r.Field(i), r.Good(i), text)
		}
	}
	if r.Count != len(fields) {
		t.Errorf("%d fields, want %d", r.Count, len(fields))
	}
	again, err := AppendReply(nil, &r)
	if err != nil || !bytes.Equal(again, body) {
		t.Errorf("AppendReply: %q, %v, want %q", again, err, body)
	}
}

// The checksums that the protocol document prints beside the frames.
// Covers GW-11.
func TestPrintedChecksums(t *testing.T) {
	for body, want := range map[string]uint16{
		"INF": 0x4961, "INST_SERIALNO": 0x457D, "INST_SERIALNO^8002-51740": 0x050B, "COMMS_PROTOCOL": 0xE8DA,
		"COMMS_PROTOCOL^Asena Rev 2.1.5": 0x661A, "COMMS_RESPONSE_MAX^4000^ms": 0xDFDF, "ALARM": 0x50B2,
		"ALARM^AL_NOALM^ ^ ": 0xC73B, "INF_VTBI": 0x8456, "SYRINGE_STATUS": 0x4102, "INF_STOP": 0xCD57,
		"SYRINGE_STATUS^BD PLASTIPAK^ 50^CONF": 0x1CF8, "REMOTE_CTRL^ENABLED^3CC1": 0xB1F1, "8002-51740": 0x3CC1,
		"123456789": 0x29B1, // the check value of the algorithm
	} {
		if got := Checksum([]byte(body)); got != want {
			t.Errorf("%s: %04X, want %04X", body, got, want)
		}
	}
}
