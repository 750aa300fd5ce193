package bccfront

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"infusiond/drivers/bcc/wire"
	"infusiond/simulator/front"
	"infusiond/simulator/pumpmodel"
)

func newFront(t *testing.T, o Options, addresses ...string) (*Front, []*pumpmodel.Pump) {
	t.Helper()
	var members []front.Member
	var pumps []*pumpmodel.Pump
	for i, address := range addresses {
		pump, err := pumpmodel.New(Physics(), pumpmodel.Setup{Program: pumpmodel.Program{Rate: 5, VTBIML: 40}}, rand.New(rand.NewPCG(1, uint64(i))))
		if err != nil {
			t.Fatal(err)
		}
		members = append(members, front.Member{Pump: pump, Address: address, Serial: "SIM0000" + address[1:]})
		pumps = append(pumps, pump)
	}
	f, err := New(o, members)
	if err != nil {
		t.Fatal(err)
	}
	return f, pumps
}

// said decodes what the device sent: address, information, and an ETB as "+".
func said(t *testing.T, out []byte) string {
	t.Helper()
	if len(out) == 0 {
		return ""
	}
	var b wire.Block
	if _, err := wire.DecodeFrame(out, nil, true, &b); err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(string(b.Information), "\x1e", " ")
	if !b.Last {
		text += " +"
	}
	return text
}

func ask(t *testing.T, f *Front, address, request string) string {
	t.Helper()
	return said(t, f.Handle(wire.AppendRequest(nil, address, request, true)))
}

func TestRequestModeSendsABlockForEachACK(t *testing.T) {
	f, pumps := newFront(t, Options{}, "11", "2A")
	if err := pumps[0].Run(); err != nil {
		t.Fatal(err)
	}
	if got := ask(t, f, "1/1/1", "ADMIN:ALIVE"); got != "100,50100,GNACK,0" {
		t.Errorf("ALIVE: %q", got)
	}
	if got := ask(t, f, "SpaceCOM/1/1", "ADMIN:VERSION"); got != "100,50100,V3.30" {
		t.Errorf("VERSION: %q", got)
	}
	if got := ask(t, f, "SpaceCOM/1/1", "MEM:GET"); !strings.HasSuffix(got, " +") || !strings.Contains(got, "FMNOR") {
		t.Errorf("MEM:GET: %q", got)
	}
	first := said(t, f.Handle([]byte{wire.ACK}))
	if !strings.Contains(first, "50111,INSERNUM,SIM00001") || !strings.Contains(first, "50111,INM3,1") || !strings.HasSuffix(first, " +") {
		t.Errorf("first pump: %q", first)
	}
	if again := said(t, f.Handle([]byte{wire.NAK})); again != first {
		t.Errorf("repeated: %q", again)
	}
	if second := said(t, f.Handle([]byte{wire.ACK})); !strings.Contains(second, "5012A,INM3,0") || strings.HasSuffix(second, "+") {
		t.Errorf("second pump: %q", second)
	}
	if more := f.Handle([]byte{wire.ACK}); len(more) != 0 {
		t.Errorf("after the last: %q", more)
	}
	for request, want := range map[string]string{
		"MEM:GETSLOT#13": "GNERR,811", "MEM:GETSLOT#4x": "GNERR,68", "MEM:SET": "GNERR,68",
	} {
		if got := ask(t, f, "SpaceCOM/1/1", request); !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %s", request, got, want)
		}
	}
	if got := ask(t, f, "Other/1/1", "MEM:GET"); !strings.Contains(got, "GNERR,68") {
		t.Errorf("wrong bed: %q", got)
	}
	if c := f.Counts(); c.Control != 0 || c.Unknown != 3 {
		t.Errorf("counts %+v", c)
	}
}

func TestAlarmsAsFlagsAndAsWords(t *testing.T) {
	for _, words := range []bool{false, true} {
		f, pumps := newFront(t, Options{Words: words}, "11")
		if err := pumps[0].Inject(pumpmodel.AlarmOcclusionDownstream, 0); err != nil {
			t.Fatal(err)
		}
		ask(t, f, "SpaceCOM/1/1", "MEM:GETSLOT#11")
		got := said(t, f.Handle([]byte{wire.ACK}))
		want := "INA3,1"
		if words {
			want = "ALARM1,0x00000400h"
		}
		if !strings.Contains(got, want) || !strings.Contains(got, "RUNSTATE,5") {
			t.Errorf("words %v: %q", words, got)
		}
	}
}

func TestCyclicModeWaitsForACK(t *testing.T) {
	f, pumps := newFront(t, Options{Cyclic: 5 * time.Second}, "11")
	if got := said(t, f.Unsolicited()); !strings.Contains(got, "FMNOR") {
		t.Errorf("first: %q", got)
	}
	pumps[0].Advance(time.Minute)
	if got := f.Unsolicited(); got != nil {
		t.Errorf("without an ACK: %q", got)
	}
	if got := said(t, f.Handle([]byte{wire.ACK})); !strings.Contains(got, "INSERNUM") {
		t.Errorf("second: %q", got)
	}
	f.Handle([]byte{wire.ACK})
	if got := f.Unsolicited(); got == nil {
		t.Error("nothing after 60 s")
	}
	f.Handle([]byte{wire.ACK, wire.ACK})
	if got := f.Unsolicited(); got != nil {
		t.Errorf("at once again: %q", got)
	}
	if err := pumps[0].Run(); err != nil {
		t.Fatal(err)
	}
	if got := f.Unsolicited(); got == nil {
		t.Error("nothing when the state changed")
	}
}

func TestAPumpThatIsOffIsToldOnce(t *testing.T) {
	f, pumps := newFront(t, Options{}, "11", "12")
	if err := pumps[1].PowerOff(); err != nil {
		t.Fatal(err)
	}
	texts := func() string {
		all := ask(t, f, "SpaceCOM/1/1", "MEM:GET")
		for out := f.Handle([]byte{wire.ACK}); len(out) > 0; out = f.Handle([]byte{wire.ACK}) {
			all += said(t, out)
		}
		return all
	}
	if got := texts(); !strings.Contains(got, "50112,GNERR,39") {
		t.Errorf("first: %q", got)
	}
	if got := texts(); strings.Contains(got, "50112") {
		t.Errorf("second: %q", got)
	}
}

// What a pump has not is _NV, and an alarm has the words of its kind.
func TestModelsSayWhatTheyHave(t *testing.T) {
	for _, row := range []struct {
		name, model string
		words       bool
		alarm       pumpmodel.Alarm
		has, not    []string
	}{
		{"Infusomat", "687L030007", false, pumpmodel.AlarmDoorOpen, []string{"INA2,_NV", "INA13,1", "INA15,0", "INSYR,_NV", "INBORT,_NV", "RUNSTATE,5"}, []string{"INA9,0"}},
		{"Perfusor", "688L030007", false, pumpmodel.AlarmReservoirEmpty, []string{"INA2,1", "INA7,0", "INA13,_NV", "INA15,_NV", "INSYR,50.0"}, []string{"INA9,_NV"}},
		{"Perfusor, words", "688L030007", true, pumpmodel.AlarmReservoirEmpty, []string{"ALARM1,0x00000200h", "ALARM2,0x00000000h", "PREALARM,0x00000000h"}, []string{"INA2", "INM3"}},
		{"Infusomat, words", "687L030007", true, pumpmodel.AlarmReservoirEmpty, []string{"ALARM1,0x00002000h"}, []string{"INA7"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			f, pumps := newFront(t, Options{Words: row.words, Models: map[string]string{"11": row.model}}, "11")
			if err := pumps[0].Inject(row.alarm, 0); err != nil {
				t.Fatal(err)
			}
			ask(t, f, "SpaceCOM/1/1", "MEM:GET")
			got := said(t, f.Handle([]byte{wire.ACK}))
			for _, text := range row.has {
				if !strings.Contains(got, text) {
					t.Errorf("%s is missing: %q", text, got)
				}
			}
			for _, text := range row.not {
				if strings.Contains(got, text) {
					t.Errorf("%s: %q", text, got)
				}
			}
		})
	}
}

// A pump is new once, and the mean rate is that since it was asked last.
func TestWhatTheDeviceCountsSinceTheLastRequest(t *testing.T) {
	f, pumps := newFront(t, Options{}, "11")
	if err := pumps[0].Run(); err != nil {
		t.Fatal(err)
	}
	get := func() string {
		ask(t, f, "SpaceCOM/1/1", "MEM:GET")
		return said(t, f.Handle([]byte{wire.ACK}))
	}
	if got := get(); !strings.Contains(got, "GNNEW,687L030007") || !strings.Contains(got, "INAVRT,_NV") {
		t.Errorf("first: %q", got)
	}
	pumps[0].Advance(time.Hour)
	got := get()
	if !strings.Contains(got, "GNMODEL,687L030007") || !strings.Contains(got, "INAVRT,5.0") && !strings.Contains(got, "INAVRT,4.9") {
		t.Errorf("second: %q", got)
	}
	f.Freeze("11", true)
	pumps[0].Advance(time.Hour)
	frozen := get()
	if !strings.Contains(frozen, "INVI,5.0") && !strings.Contains(frozen, "INVI,4.9") {
		t.Errorf("frozen: %q", frozen)
	}
}

// Clients that others wrote answer every block with ACK, the answers to ADMIN requests and the last block, too, and ask again without
// waiting for the end; one asks before it knows a bed id, with an address of its own.
func TestThirdPartyClients(t *testing.T) {
	f, _ := newFront(t, Options{}, "11", "12")
	if got := ask(t, f, "", "MEM:GET"); !strings.Contains(got, "GNERR,68") {
		t.Errorf("without a bed id: %q", got)
	}
	if got := ask(t, f, "1/1/1", "MEM:GET"); !strings.Contains(got, "GNERR,68") {
		t.Errorf("with the address of ADMIN:ALIVE: %q", got)
	}
	for range 2 {
		if got := ask(t, f, "1/1/1", "ADMIN:ALIVE"); !strings.Contains(got, "GNACK,0") {
			t.Errorf("ALIVE: %q", got)
		}
		if out := f.Handle([]byte{wire.ACK}); len(out) > 0 {
			t.Errorf("ACK behind the answer: %q", out)
		}
		if got := ask(t, f, "SpaceCOM/1/1", "MEM:GET"); !strings.Contains(got, "FMNOR") {
			t.Errorf("MEM:GET: %q", got)
		}
		if got := said(t, f.Handle([]byte{wire.ACK})); !strings.Contains(got, "50111,") {
			t.Errorf("first pump: %q", got)
		}
		// The next request comes in place of an ACK.
		if got := ask(t, f, "SpaceCOM/1/1", "MEM:GET"); !strings.Contains(got, "FMNOR") {
			t.Errorf("asked again: %q", got)
		}
		for _, want := range []string{"50111,", "50112,"} {
			if got := said(t, f.Handle([]byte{wire.ACK})); !strings.Contains(got, want) {
				t.Errorf("%s: %q", want, got)
			}
		}
		if out := f.Handle([]byte{wire.ACK, wire.ACK}); len(out) > 0 {
			t.Errorf("behind the last: %q", out)
		}
	}
	if c := f.Counts(); c.Control != 0 || c.Unknown != 2 || c.BadFrames != 0 {
		t.Errorf("counts %+v", c)
	}
	if got := f.Handle([]byte("\x0100034\x02SpaceCOM/1/1>MEM:GEX\x0300191\x04")); len(got) == 0 || f.Counts().BadFrames != 1 {
		t.Errorf("a bad frame: %q, %+v", got, f.Counts())
	}
}
