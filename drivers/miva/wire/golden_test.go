package wire

import (
	"bytes"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

type vector struct {
	id, direction string
	rule          Checksum
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
			rule := Sum
			if cells[3] == "xor" {
				rule = XOR
			}
			all[cells[0]] = vector{id: cells[0], direction: cells[2], rule: rule, frame: frame}
		}
	}
	return all
}

var goldenRequests = map[string]Request{
	"M1":  {Kind: RequestRead, Query: Serial},
	"M3":  {Kind: RequestRead, Query: LogIndices},
	"M5":  {Kind: RequestRead, Query: LogRecord, Index: 0x10},
	"M11": {Kind: RequestRead, Query: VolumeInfused},
	"M16": {Kind: RequestRead, Query: TextRunning},
	"M18": {Kind: RequestRead, Query: TextRate},
	"M20": {Kind: RequestControl},
	"X1":  {Kind: RequestRead, Query: Serial},
}

var goldenReplies = map[string]Reply{
	"M2":  {Query: Serial, Text: []byte("SN800008")},
	"M4":  {Query: LogIndices, N: [2]uint32{0, 0x10}},
	"M6":  {Query: LogRecord, Index: 0x10, Record: Event{Type: EventRun, Stamp: SecondsStamp(74565)}.Record()},
	"M7":  {Query: LogRecord, Index: 0x0F, Record: Event{Type: EventOcclusion, Stamp: SecondsStamp(74565), Subtype: 2}.Record()},
	"M8":  {Query: LogRecord, Index: 0x0E, Record: Event{Type: EventPaused, Stamp: SecondsStamp(74565), First: FloatBits(12.34)}.Record()},
	"M9":  {Query: LogRecord, Index: 0x0D, Record: Event{Type: EventBattery, Stamp: SecondsStamp(74565), Subtype: 2, First: FloatBits(2.85), Second: FloatBits(12.3)}.Record()},
	"M10": {Query: PumpClock, Clock: NewClock(74752)},
	"M12": {Query: VolumeInfused, N: [2]uint32{1234}},
	"M13": {Query: VTBI, N: [2]uint32{10000}},
	"M14": {Query: Battery, N: [2]uint32{285}},
	"M15": {Query: OcclusionSensors, N: [2]uint32{500, 520}},
	"M17": {Query: TextRunning, True: true},
	"M19": {Query: CombinedSensors, Sensors: Sensors{MotorRunning: true, Upstream: 500, Downstream: 0x208, Battery: 285}},
}

// Covers GW-11.
func TestGoldenFramesDecodeAndReencode(t *testing.T) {
	all := vectors(t)
	for id, v := range all {
		t.Run(id, func(t *testing.T) {
			payload, err := DecodeFrame(v.frame, v.rule)
			if id == "M21" {
				if !errors.Is(err, ErrChecksum) {
					t.Fatalf("DecodeFrame: %v, want ErrChecksum", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if scanned, used := NewScanner(v.rule).Next(v.frame); !bytes.Equal(scanned, payload) || used != len(v.frame) {
				t.Errorf("Scanner: %q after %d bytes, want %q", scanned, used, payload)
			}
			if again := AppendFrame(nil, payload, v.rule); !bytes.Equal(again, v.frame) {
				t.Errorf("AppendFrame: % X, want % X", again, v.frame)
			}
			if v.direction == "pump>host" {
				checkReply(t, payload, goldenReplies[id])
				return
			}
			checkRequest(t, payload, goldenRequests[id])
		})
	}
	if want := len(goldenRequests) + len(goldenReplies) + 1; len(all) != want {
		t.Errorf("%d vectors, want %d: each needs an expectation", len(all), want)
	}
}

func checkReply(t *testing.T, payload []byte, want Reply) {
	t.Helper()
	var got Reply
	if err := Decode(payload, want.Query, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Decode (-want +got):\n%s", diff)
	}
	again, err := AppendReply(nil, &want)
	if err != nil || !bytes.Equal(again, payload) {
		t.Errorf("AppendReply: %q, %v, want %q", again, err, payload)
	}
}

func checkRequest(t *testing.T, payload []byte, want Request) {
	t.Helper()
	got := ParseRequest(payload)
	if got != want {
		t.Errorf("ParseRequest(%q): %+v, want %+v", payload, got, want)
	}
	if want.Kind != RequestRead {
		return
	}
	if again := AppendQuery(nil, want.Query, want.Index); !bytes.Equal(again, payload) {
		t.Errorf("AppendQuery: %q, want %q", again, payload)
	}
}

// The worked numbers of the protocol document, beside the frames.
func TestWorkedNumbers(t *testing.T) {
	if got := FloatBits(12.34); got != 0x414570A4 {
		t.Errorf("12.34 is %08X, want 414570A4 (section 3)", got)
	}
	if got := FloatBits(1.0); got != 0x3F800000 {
		t.Errorf("1.0 is %08X, want 3F800000 (section 12)", got)
	}
	event := goldenReplies["M6"].Record.Event()
	if age := goldenReplies["M10"].Clock.Seconds() - event.Seconds(); age != 187 {
		t.Errorf("the M6 event is %d s old at M10, want 187", age)
	}
}
