package mivafront

import (
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"infusiond/drivers/miva/wire"
	"infusiond/simulator/pumpmodel"
)

func newPump(t testing.TB) *pumpmodel.Pump {
	t.Helper()
	p, err := pumpmodel.New(pumpmodel.Default(), pumpmodel.Setup{Program: pumpmodel.Program{Name: "DAILY 1", Rate: 1.11, VTBIML: 100}},
		rand.New(rand.NewPCG(1, 2)))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func newFront(t testing.TB, o Options) (*Front, *pumpmodel.Pump) {
	t.Helper()
	if o.Serial == "" {
		o.Serial = "SIM00001"
	}
	p := newPump(t)
	f, err := New(p, o)
	if err != nil {
		t.Fatal(err)
	}
	return f, p
}

func unhex(t testing.TB, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func spaced(b []byte) string { return strings.ToUpper(strings.TrimSpace(fmt.Sprintf("% x", b))) }

// ask frames a payload with the front's rule and returns the payload of the answer, "" for none.
func ask(t testing.TB, f *Front, payload string) string {
	t.Helper()
	out := f.Handle(wire.AppendFrame(nil, []byte(payload), f.o.Checksum))
	if len(out) == 0 {
		return ""
	}
	answer, err := wire.DecodeFrame(out, f.o.Checksum)
	if err != nil {
		t.Fatalf("answer to %s: %v", payload, err)
	}
	return string(answer)
}

// TestVectors asks what the protocol document's section 11 asks and wants its bytes. The
// queries and answers are the document's, M numbers too; the state is set to what they tell.
// Covers GW-11, GW-120.
func TestVectors(t *testing.T) {
	f, _ := newFront(t, Options{Serial: "SN800008", LogFill: 0x0C}) // the pump's own power-on record is 0x0C
	at := 74565 * time.Second
	for _, e := range []pumpmodel.Event{
		{Kind: pumpmodel.KindBattery, Code: uint16(pumpmodel.BatteryLow), A: 2.85, B: 12.3, Clock: at},
		{Kind: pumpmodel.KindPause, A: 12.34, Clock: at},
		{Kind: pumpmodel.KindOcclusion, Code: 2, Clock: at},
		{Kind: pumpmodel.KindRun, Clock: at},
	} {
		f.write(e)
	}
	f.frozen = &pumpmodel.View{
		State: pumpmodel.Running, Program: pumpmodel.Program{VTBIML: 100}, InfusedML: 12.34, BatteryVolts: 2.85,
		SuctionMbar: 250, DownstreamMbar: 733.4, Clock: 74752 * time.Second,
	}
	for _, row := range []struct{ name, query, answer string }{
		{"M1 M2 serial", "02 52 4E 41 30 03", "02 52 4E 53 4E 38 30 30 30 30 38 37 31 03"},
		{"M3 M4 indices", "02 52 49 39 42 03", "02 52 49 30 30 30 30 30 30 30 30 30 30 30 30 30 30 31 30 39 43 03"},
		{"M5 M6 run record", "02 52 45 30 30 30 30 30 30 31 30 31 38 03", "02 52 45 30 30 30 30 30 30 31 30 30 31 34 35 32 33 30 31 46 30 30 30 30 30 30 30 30 30 30 30 30 30 30 30 30 30 30 30 30 30 30 30 33 45 03"},
		{"M7 occlusion record", "02 52 45 30 30 30 30 30 30 30 46 32 44 03", "02 52 45 30 30 30 30 30 30 30 46 30 39 34 35 32 33 30 31 46 30 30 30 30 32 30 30 30 30 30 30 30 30 30 30 30 30 30 30 30 30 30 30 35 44 03"},
		{"M8 pause record", "02 52 45 30 30 30 30 30 30 30 45 32 43 03", "02 52 45 30 30 30 30 30 30 30 45 30 32 34 35 32 33 30 31 46 30 30 30 30 30 34 31 34 35 37 30 41 34 30 30 30 30 30 30 30 30 30 30 37 44 03"},
		{"M9 battery record", "02 52 45 30 30 30 30 30 30 30 44 32 42 03", "02 52 45 30 30 30 30 30 30 30 44 30 44 34 35 32 33 30 31 46 30 30 30 30 32 34 30 33 36 36 36 36 36 34 31 34 34 43 43 43 44 30 30 45 35 03"},
		{"M10 clock", "02 52 43 39 35 03", "02 52 43 46 30 30 31 32 34 30 30 33 32 03"},
		{"M11 M12 volume", "02 51 35 38 36 03", "02 51 35 30 34 44 32 36 30 03"},
		{"M13 VTBI", "02 51 36 38 37 03", "02 51 36 32 37 31 30 35 31 03"},
		{"M14 battery", "02 52 37 38 39 03", "02 52 37 30 31 31 44 35 46 03"},
		{"M15 sensors", "02 52 44 39 36 03", "02 52 44 30 31 46 34 30 32 30 38 33 42 03"},
		{"M16 M17 running", "02 3A 49 4E 46 55 3A 52 55 4E 3F 44 41 03", "02 54 52 55 45 34 30 03"},
		{"M19 combined sensors", "02 53 39 38 43 03", "02 53 39 35 46 34 32 30 38 31 31 44 37 42 03"},
		{"M21 bad checksum", "02 51 35 30 30 03", ""},
	} {
		if got := spaced(f.Handle(unhex(t, row.query))); got != row.answer {
			t.Errorf("%s:\n got %s\nwant %s", row.name, got, row.answer)
		}
	}
	if c := f.Counts(); c.Control != 0 || c.BadFrames != 1 {
		t.Errorf("counts %+v", c)
	}
}

func TestControlCommandsActAndAreCounted(t *testing.T) {
	f, p := newFront(t, Options{})
	for _, row := range []struct {
		command string
		want    pumpmodel.State
	}{{"WT01", pumpmodel.Running}, {"WT02", pumpmodel.Stopped}, {"WT01", pumpmodel.Running}, {"KE01", pumpmodel.Running}, {"WT00", pumpmodel.Off}} {
		if got := ask(t, f, row.command); got != "" {
			t.Errorf("%s was answered with %q", row.command, got)
		}
		if got := p.View().State; got != row.want {
			t.Errorf("after %s: %v, want %v", row.command, got, row.want)
		}
	}
	// M20, the stop command as bytes.
	f2, p2 := newFront(t, Options{})
	if err := p2.Run(); err != nil {
		t.Fatal(err)
	}
	f2.Handle(unhex(t, "02 57 54 30 32 30 44 03"))
	if p2.View().State != pumpmodel.Stopped || f2.Counts().Control != 1 {
		t.Errorf("state %v, counts %+v", p2.View().State, f2.Counts())
	}
	if got := f.Counts().Control; got != 5 {
		t.Errorf("%d control commands counted, want 5", got)
	}
	if d := cmp.Diff([]string{"WT01", "WT02", "WT01", "KE01", "WT00"}, f.Received()); d != "" {
		t.Error(d)
	}
	if got := ask(t, f, "RN"); got != "" {
		t.Errorf("a pump that is off answered %q", got)
	}
}

// TestEveryQuery asks all read-only queries; what a pump does not answer is listed.
func TestEveryQuery(t *testing.T) {
	for _, row := range []struct {
		name   string
		o      Options
		silent []string
	}{
		{"new", Options{}, []string{"RM", "Q1", "Q2"}},
		{"old", Options{OldFirmware: true}, []string{"RM", ":INFU:RUN?", ":INFU:RATE?"}},
		{"platform K xor", Options{Platform: "01", Checksum: wire.XOR}, []string{"Q1", "Q2"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			f, p := newFront(t, row.o)
			if err := p.Run(); err != nil {
				t.Fatal(err)
			}
			p.Advance(2 * time.Hour)
			var silent []string
			for _, q := range wire.Queries() {
				out := f.Handle(wire.AppendFrame(nil, wire.AppendQuery(nil, q, 0), row.o.Checksum))
				if len(out) == 0 {
					silent = append(silent, q.String())
					continue
				}
				payload, err := wire.DecodeFrame(out, row.o.Checksum)
				if err != nil {
					t.Fatalf("%s: %v", q, err)
				}
				var r wire.Reply
				if err := wire.Decode(payload, q, &r); err != nil && string(payload[2:]) != "ERROR" {
					t.Errorf("%s: %v", q, err)
				}
			}
			if d := cmp.Diff(row.silent, silent); d != "" {
				t.Errorf("not answered: %s", d)
			}
			if c := f.Counts(); c.Unknown != 0 || c.Control != 0 {
				t.Errorf("counts %+v", c)
			}
		})
	}
}

func TestAnswersFollowThePump(t *testing.T) {
	f, p := newFront(t, Options{})
	row := func(when string, want map[string]string) {
		t.Helper()
		for query, answer := range want {
			if got := ask(t, f, query); got != answer {
				t.Errorf("%s: %s is %q, want %q", when, query, got, answer)
			}
		}
	}
	row("before the start", map[string]string{":INFU:RUN?": "FALSE", ":INFU:RATE?": "0.00", ":PROTOCOL:RATE?": "1.11", "Q5": "Q50000", "Q7": "Q70"})
	if err := p.Run(); err != nil {
		t.Fatal(err)
	}
	p.Advance(2 * time.Hour) // 2.22 mL: 44 strokes of 0.05 mL, shown at 0.1 mL
	row("running", map[string]string{
		":INFU:RUN?": "TRUE", ":INFU:RATE?": "1.11", ":PROT:RATE?": "1.11", ":INFUSION:RUN?": "TRUE", "Q5": "Q500DC", "Q6": "Q62710", "QD": "QD2710",
		"Q0": "Q0CONT", "Q4": "Q4ML/HR", ":PROTOCOL:NAME?": "DAILY 1", "QH": "QHERROR", "Q3": "Q31C20", "R3": "R30016", "R8": "R807D00000DC",
	})
	if err := p.Pause(); err != nil {
		t.Fatal(err)
	}
	row("paused", map[string]string{":INFU:RUN?": "FALSE", ":INFU:RATE?": "0.00", ":PROTOCOL:RATE?": "1.11", "Q5": "Q500DC"})
	row("unknown", map[string]string{"RZ": "", "RN1": "", "rn": "", ":NONSENSE?": "", "RE0000000G": ""})
	if got := f.Counts().Unknown; got != 5 {
		t.Errorf("%d unknown queries, want 5", got)
	}
}

func TestKVOShowsAsALowerRate(t *testing.T) {
	cfg := pumpmodel.Default()
	cfg.KVORate = 0.2
	p, err := pumpmodel.New(cfg, pumpmodel.Setup{Program: pumpmodel.Program{Rate: 60, VTBIML: 1}}, rand.New(rand.NewPCG(1, 2)))
	if err != nil {
		t.Fatal(err)
	}
	f, err := New(p, Options{Serial: "SIM00001"})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Run(); err != nil {
		t.Fatal(err)
	}
	p.Advance(5 * time.Minute)
	if run, rate := ask(t, f, ":INFU:RUN?"), ask(t, f, ":INFU:RATE?"); run != "TRUE" || rate != "0.20" {
		t.Errorf("running %s at %s, want TRUE at 0.20", run, rate)
	}
}

func TestOldFirmware(t *testing.T) {
	f, p := newFront(t, Options{OldFirmware: true, Epoch: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC).Add(-74752 * time.Second)})
	if err := p.Run(); err != nil {
		t.Fatal(err)
	}
	p.Advance(26*time.Hour + 3*time.Minute + 4*time.Second)
	for query, want := range map[string]string{"Q1": "Q11", "Q2": "Q2006F", "RC": "RC02031A020305" /* 20 ppm are 1.9 s by then */} {
		if got := ask(t, f, query); got != want {
			t.Errorf("%s is %q, want %q", query, got, want)
		}
	}
	var r wire.Reply
	if err := wire.Decode([]byte(ask(t, f, "RE00000000")), wire.LogRecord, &r); err != nil {
		t.Fatal(err)
	}
	want := wire.Date{Year: 26, Month: 3, Day: 1}
	if d := cmp.Diff(want, r.Record.Event().Date()); d != "" {
		t.Errorf("date of the first record: %s", d)
	}
}

func TestHandleTakesPiecesAndSeveralFrames(t *testing.T) {
	f, _ := newFront(t, Options{})
	query := unhex(t, "0D 0A 02 52 4E 41 30 03 02 52 37 38 39 03")
	whole := f.Handle(query)
	var pieces []byte
	for _, b := range query {
		pieces = append(pieces, f.Handle([]byte{b})...)
	}
	if len(whole) != 14+10 || string(whole) != string(pieces) {
		t.Errorf("whole %q, in pieces %q", whole, pieces)
	}
}

func TestUnsolicitedSensors(t *testing.T) {
	f, p := newFront(t, Options{})
	p.Advance(5 * time.Second)
	if got := f.Unsolicited(); got != nil {
		t.Errorf("sent %q unasked", got)
	}
	f.SendSensors(true)
	var n int
	for range 100 {
		p.Advance(500 * time.Millisecond)
		if out := f.Unsolicited(); out != nil {
			n++
			if !strings.HasPrefix(string(out), "\x02S9") {
				t.Fatalf("sent %q", out)
			}
		}
	}
	if n < 48 || n > 50 {
		t.Errorf("%d frames in 50 s, want one a second", n)
	}
}

func TestFreezeRepeatsEverything(t *testing.T) {
	f, p := newFront(t, Options{})
	if err := p.Run(); err != nil {
		t.Fatal(err)
	}
	p.Advance(time.Hour)
	f.Freeze("", true)
	before := ask(t, f, "Q5") + ask(t, f, "RC") + ask(t, f, "RI") + ask(t, f, "RD")
	p.Advance(time.Hour)
	if err := p.Pause(); err != nil {
		t.Fatal(err)
	}
	if after := ask(t, f, "Q5") + ask(t, f, "RC") + ask(t, f, "RI") + ask(t, f, "RD"); after != before {
		t.Errorf("frozen pump said %q, then %q", before, after)
	}
	f.Freeze("", false)
	if got := ask(t, f, ":INFU:RUN?"); got != "FALSE" {
		t.Errorf("after thawing: running %q", got)
	}
}

func TestRefusedOptions(t *testing.T) {
	for name, o := range map[string]Options{
		"short serial": {Serial: "SIM1"}, "no serial": {}, "platform": {Serial: "SIM00001", Platform: "02"},
		"log start": {Serial: "SIM00001", LogStart: wire.RingSize}, "log fill": {Serial: "SIM00001", LogFill: wire.RingSize + 1},
		"firmware": {Serial: "SIM00001", Firmware: "4 1"},
	} {
		if _, err := New(newPump(t), o); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// FuzzHandle feeds anything from the host: no panic, no answer to anything that is not a
// good frame, every answer a good frame, and the pump moves only by a control command.
func FuzzHandle(f *testing.F) {
	f.Add([]byte("\x02RNA0\x03"), false)
	f.Add([]byte("\x02RE0000001018\x03\x02Q586\x03"), true)
	f.Add([]byte("\x02WT020D\x03"), false)
	f.Add([]byte("\x02:INFU:RUN?DA\x03\x00\r\n\x02"), false)
	f.Fuzz(func(t *testing.T, in []byte, old bool) {
		front, p := newFront(t, Options{OldFirmware: old})
		if err := p.Run(); err != nil {
			t.Fatal(err)
		}
		out := front.Handle(in)
		scanner, rest, frames := wire.NewScanner(wire.Sum), out, 0
		for len(rest) > 0 {
			payload, used := scanner.Next(rest)
			if payload != nil {
				frames++
			}
			rest = rest[used:]
		}
		c := front.Counts()
		if scanner.Bad() > 0 || frames > c.Received {
			t.Errorf("answer %q: %d frames to %d queries, %d bad", out, frames, c.Received, scanner.Bad())
		}
		if c.Control == 0 && p.View().State != pumpmodel.Running {
			t.Errorf("the pump is %v without a control command", p.View().State)
		}
	})
}
