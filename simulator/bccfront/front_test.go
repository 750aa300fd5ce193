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
