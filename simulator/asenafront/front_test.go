package asenafront

import (
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"infusiond/drivers/asena/wire"
	"infusiond/simulator/front"
	"infusiond/simulator/pumpmodel"
)

func newFront(t testing.TB, o Options, m front.Member) (*Front, *pumpmodel.Pump) {
	t.Helper()
	if m.Serial == "" {
		m.Serial = "SIM1-00001"
	}
	p, err := pumpmodel.New(Physics(), pumpmodel.Setup{Program: pumpmodel.Program{Rate: 5, VTBIML: 20}, BagML: 50}, rand.New(rand.NewPCG(1, 2)))
	if err != nil {
		t.Fatal(err)
	}
	m.Pump = p
	f, err := New(o, []front.Member{m})
	if err != nil {
		t.Fatal(err)
	}
	return f, p
}

// ask frames a body and returns the body of the answer, "" for none.
func ask(t testing.TB, f *Front, body string) string {
	t.Helper()
	out := f.Handle(wire.AppendFrame(nil, []byte(body)))
	if len(out) == 0 {
		return ""
	}
	answer, err := wire.DecodeFrame(out)
	if err != nil {
		t.Fatalf("answer to %s: %v", body, err)
	}
	return string(answer)
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

// TestVectors asks what the protocol document's section 11 asks and wants its bytes. The state is set
// to what they tell.
// Covers GW-11.
func TestVectors(t *testing.T) {
	calm := shown{entry: 127904, View: pumpmodel.View{
		State: pumpmodel.Running, Rate: 5, Program: pumpmodel.Program{Rate: 5, VTBIML: 9999}, InfusedML: 1.234, DownstreamMbar: 23.878,
	}}
	alarm := shown{entry: 214725, View: pumpmodel.View{
		State: pumpmodel.AlarmStop, Program: pumpmodel.Program{Rate: 100, VTBIML: 7.889}, InfusedML: 0.969, DownstreamMbar: 706.8066,
		Alarms: []pumpmodel.Alarm{pumpmodel.AlarmOcclusionDownstream},
	}}
	for _, row := range []struct {
		name, serial, query, answer string
		now                         shown
	}{
		{"A2 A3 serial", "8002-51740", "21 49 4E 53 54 5F 53 45 52 49 41 4C 4E 4F 7C 34 35 37 44 0D", "21 49 4E 53 54 5F 53 45 52 49 41 4C 4E 4F 5E 38 30 30 32 2D 35 31 37 34 30 7C 30 35 30 42 0D", calm},
		{"A4 A5 protocol", "8002-51740", "21 43 4F 4D 4D 53 5F 50 52 4F 54 4F 43 4F 4C 7C 45 38 44 41 0D", "21 43 4F 4D 4D 53 5F 50 52 4F 54 4F 43 4F 4C 5E 41 73 65 6E 61 20 52 65 76 20 32 2E 31 2E 35 7C 36 36 31 41 0D", calm},
		{"A1 A7 alarm", "8002-51733", "21 49 4E 46 7C 34 39 36 31 0D", "21 49 4E 46 5E 38 30 30 32 2D 35 31 37 33 33 5E 41 5E 48 4C 44 5E 30 2E 30 30 5E 6D 6C 2F 68 5E 5E 30 2E 39 36 39 5E 6D 6C 5E 35 33 30 2E 31 35 5E 6D 6D 48 67 5E 30 30 3A 30 34 3A 30 39 5E 45 56 45 4E 54 5E 32 31 34 37 32 35 7C 44 42 39 44 0D", alarm},
		{"A1 A8 infusing", "8002-51740", "21 49 4E 46 7C 34 39 36 31 0D", "21 49 4E 46 5E 38 30 30 32 2D 35 31 37 34 30 5E 2D 5E 53 45 54 5E 35 2E 30 30 5E 6D 6C 2F 68 5E 5E 31 2E 32 33 34 5E 6D 6C 5E 31 37 2E 39 31 5E 6D 6D 48 67 5E 32 34 2B 5E 45 56 45 4E 54 5E 31 32 37 39 30 34 7C 42 42 41 41 0D", calm},
		{"A9 A10 no alarm", "8002-51740", "21 41 4C 41 52 4D 7C 35 30 42 32 0D", "21 41 4C 41 52 4D 5E 41 4C 5F 4E 4F 41 4C 4D 5E 20 5E 20 7C 43 37 33 42 0D", calm},
		{"A9 A11 occlusion", "8002-51740", "21 41 4C 41 52 4D 7C 35 30 42 32 0D", "21 41 4C 41 52 4D 5E 41 4C 5F 4F 43 43 4C 55 5E 20 5E 20 7C 35 42 33 42 0D", alarm},
		{"A13 A14 syringe", "8002-51740", "21 53 59 52 49 4E 47 45 5F 53 54 41 54 55 53 7C 34 31 30 32 0D", "21 53 59 52 49 4E 47 45 5F 53 54 41 54 55 53 5E 42 44 20 50 4C 41 53 54 49 50 41 4B 5E 20 35 30 5E 43 4F 4E 46 7C 31 43 46 38 0D", calm},
		{"a bad checksum", "8002-51740", "21 41 4C 41 52 4D 7C 35 30 42 33 0D", "", calm},
	} {
		f, _ := newFront(t, Options{}, front.Member{Serial: row.serial})
		f.frozen = &row.now
		if got := spaced(f.Handle(unhex(t, row.query))); got != row.answer {
			t.Errorf("%s:\n got %s\nwant %s", row.name, got, row.answer)
		}
	}
	f, _ := newFront(t, Options{}, front.Member{Serial: "8002-51740"})
	if got := ask(t, f, "COMMS_RESPONSE_MAX"); got != "COMMS_RESPONSE_MAX^4000^ms" {
		t.Errorf("A6: %q", got)
	}
}

func TestEveryReadRequestIsAnswered(t *testing.T) {
	f, p := newFront(t, Options{}, front.Member{Drug: "MILRINONE"})
	if err := p.Run(); err != nil {
		t.Fatal(err)
	}
	p.Advance(time.Hour + 500*time.Millisecond) // the last stroke is then done
	for _, q := range wire.Requests() {
		body := ask(t, f, q.String())
		var r wire.Reply
		if err := wire.Decode([]byte(body), q, &r); err != nil {
			t.Errorf("%s: %v", q, err)
		}
		for i := 1; i < r.Count; i++ {
			if !r.Good(i) {
				t.Errorf("%s: field %d is %q", q, i, r.Field(i))
			}
		}
	}
	if c := f.Counts(); c.Control != 0 || c.Unknown != 0 || c.Received != 10 {
		t.Errorf("counts %+v", c)
	}
	for body, want := range map[string]string{
		"INF_VI": "INF_VI^5.000^ml", "INF_RATE": "INF_RATE^5.00^ml/h", "INF_VTBI": "INF_VTBI^ACTIV^20.000^ml^STOP",
	} {
		if got := ask(t, f, body); got != want {
			t.Errorf("%s: %q, want %q", body, got, want)
		}
	}
	inf := strings.Split(ask(t, f, "INF"), "^")
	if inf[6] != "MILRINONE" || inf[3] != "SET" || inf[4] != "5.00" || inf[11] != "03:00:00" {
		t.Errorf("INF %q", inf)
	}
}

// The entry number moves with every event, and one alarm is told, the most urgent.
func TestAlarmsAndTheLogEntry(t *testing.T) {
	f, p := newFront(t, Options{}, front.Member{})
	entry := func() string { f := strings.Split(ask(t, f, "INF"), "^"); return f[2] + " " + f[13] }
	before := entry()
	if err := p.Inject(pumpmodel.AlarmBatteryLow, 0); err != nil {
		t.Fatal(err)
	}
	if got := ask(t, f, "ALARM"); got != "ALARM^AL_LWBAT^ ^ " || entry() != "A 100002" || before != "- 100001" {
		t.Errorf("%q, entry %q, before %q", got, entry(), before)
	}
	if err := p.Inject(pumpmodel.AlarmOcclusionDownstream, 0); err != nil {
		t.Fatal(err)
	}
	if got := ask(t, f, "ALARM"); got != "ALARM^AL_OCCLU^ ^ " || entry() != "A 100003" {
		t.Errorf("%q, entry %q", got, entry())
	}
	f, p = newFront(t, Options{}, front.Member{})
	if err := p.Inject(pumpmodel.AlarmAirInLine, 0); err != nil {
		t.Fatal(err)
	}
	if got := ask(t, f, "ALARM"); got != "ALARM^AL_NOALM^ ^ " || entry() != "- 100002" {
		t.Errorf("no word for air: %q, %q", got, entry())
	}
	for _, a := range pumpmodel.Alarms() {
		if _, known := codes[a]; Describe().Announces(a) != known {
			t.Errorf("%s: announced %v", a, !known)
		}
	}
}

func TestTimeThatIsLeft(t *testing.T) {
	for _, row := range []struct {
		name string
		v    pumpmodel.View
		want string
	}{
		{"by the VTBI", pumpmodel.View{Rate: 1, Program: pumpmodel.Program{Rate: 1, VTBIML: 10}, InfusedML: 9.5}, "00:30:00"},
		{"on hold at the programmed rate", pumpmodel.View{Program: pumpmodel.Program{Rate: 1, VTBIML: 10}, InfusedML: 9.5}, "00:30:00"},
		{"by the syringe", pumpmodel.View{Rate: 1, Program: pumpmodel.Program{Rate: 1, VTBIML: 9999}, Reservoir: true, ReservoirML: 2}, "02:00:00"},
		{"24 hours", pumpmodel.View{Rate: 1, Program: pumpmodel.Program{Rate: 1, VTBIML: 24}}, "24:00:00"},
		{"more", pumpmodel.View{Rate: 1, Program: pumpmodel.Program{Rate: 1, VTBIML: 24.1}}, "24+"},
		{"no end", pumpmodel.View{Rate: 1, Program: pumpmodel.Program{Rate: 1}}, "24+"},
		{"no rate", pumpmodel.View{Program: pumpmodel.Program{VTBIML: 5}}, ""},
	} {
		if got := (&shown{View: row.v}).remaining(); got != row.want {
			t.Errorf("%s: %q, want %q", row.name, got, row.want)
		}
	}
	if got := decimal(-0.001, 2); got != "0.00" {
		t.Errorf("negative zero: %q", got)
	}
	if got := decimal(-12.344, 2); got != "-12.34" {
		t.Errorf("suction: %q", got)
	}
}

// A closed line stretches the plunger: pressure rises in mmHg until the pump stops.
func TestOcclusionOfASyringePump(t *testing.T) {
	f, p := newFront(t, Options{}, front.Member{})
	if err := p.Run(); err != nil {
		t.Fatal(err)
	}
	if err := p.OccludeDownstream(1); err != nil {
		t.Fatal(err)
	}
	minutes := 0
	for ask(t, f, "ALARM") == "ALARM^AL_NOALM^ ^ " && minutes < 60 {
		p.Advance(time.Minute)
		minutes++
	}
	if minutes < 9 || minutes > 17 { // 1.5 mL/bar up to 0.7 bar at 5 mL/h is 12.6 min
		t.Errorf("alarm after %d minutes", minutes)
	}
	inf := strings.Split(ask(t, f, "INF"), "^")
	if d := cmp.Diff([]string{"A", "HLD", "0.00"}, inf[2:5]); d != "" || inf[9] < "480" || inf[9] > "560" {
		t.Errorf("%s, pressure %s", d, inf[9])
	}
}

func TestWhatNewRefuses(t *testing.T) {
	_, p := newFront(t, Options{}, front.Member{})
	good := front.Member{Pump: p, Serial: "SIM1-00001"}
	for name, row := range map[string]struct {
		o Options
		m []front.Member
	}{
		"no pump":     {Options{}, nil},
		"two pumps":   {Options{}, []front.Member{good, good}},
		"no model":    {Options{}, []front.Member{{Serial: "SIM1-00001"}}},
		"an address":  {Options{}, []front.Member{{Pump: p, Serial: "SIM1-00001", Address: "1"}}},
		"no serial":   {Options{}, []front.Member{{Pump: p}}},
		"odd serial":  {Options{}, []front.Member{{Pump: p, Serial: "SIM 1"}}},
		"odd drug":    {Options{}, []front.Member{{Pump: p, Serial: "SIM1-00001", Drug: "A^B"}}},
		"odd syringe": {Options{Syringe: "A|B"}, []front.Member{good}},
		"odd size":    {Options{SyringeML: -50}, []front.Member{good}},
	} {
		if _, err := New(row.o, row.m); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
	if _, err := New(Options{}, []front.Member{good}); err != nil {
		t.Error(err)
	}
}

func TestFreezeRepeatsThePast(t *testing.T) {
	f, p := newFront(t, Options{}, front.Member{})
	if err := p.Run(); err != nil {
		t.Fatal(err)
	}
	f.Freeze("", true)
	before := ask(t, f, "INF")
	p.Advance(time.Hour + 500*time.Millisecond) // the last stroke is then done
	if got := ask(t, f, "INF"); got != before {
		t.Errorf("frozen: %q, then %q", before, got)
	}
	f.Freeze("", false)
	if got := ask(t, f, "INF"); got == before {
		t.Errorf("after the thaw still %q", got)
	}
	if f.Unsolicited() != nil {
		t.Error("it pushes")
	}
}

func TestAPumpThatIsOffIsSilent(t *testing.T) {
	f, p := newFront(t, Options{}, front.Member{})
	if err := p.PowerOff(); err != nil {
		t.Fatal(err)
	}
	if got := ask(t, f, "INF"); got != "" {
		t.Errorf("%q", got)
	}
}
