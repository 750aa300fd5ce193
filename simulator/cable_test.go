package simulator

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	asenawire "infusiond/drivers/asena/wire"
	bccwire "infusiond/drivers/bcc/wire"
)

// start runs descriptions as a whole simulator and stops it with the test.
func start(t *testing.T, o Options, descriptions ...string) *Running {
	t.Helper()
	for _, d := range descriptions {
		p, err := ParsePump(d)
		must(t, err)
		o.Pumps = append(o.Pumps, p)
	}
	o.Seed = 1
	r, err := Start(t.Context(), o)
	must(t, err)
	t.Cleanup(func() { must(t, r.Stop()) })
	return r
}

// until polls a condition of the real world; the test's own deadline ends it.
func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for tick := time.NewTicker(10 * time.Millisecond); !holds(); {
		select {
		case <-t.Context().Done():
			t.Fatal("never: " + what)
		case <-tick.C:
		}
	}
}

// TestPumpsChangeLines: replugged under another name, changed places with another pump, behind one adapter that hangs.
func TestPumpsChangeLines(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	r := start(t, Options{}, "name=blue,link="+at("blue"), "name=red,link="+at("red"))
	must(t, r.Do("blue", "unplug"))
	must(t, r.Do("blue", "replug link="+at("other")))
	if port, err := r.Port("blue"); err != nil || port != at("other") {
		t.Errorf("after replugging under another name: port %q, %v", port, err)
	}
	f, got := exchange(t, at("other"))
	if !strings.Contains(got, "SIM00001") {
		t.Errorf("got %q from the new name", got)
	}
	must(t, f.Close())
	must(t, r.Do("blue", "swap red"))
	for link, serial := range map[string]string{"other": "SIM00002", "red": "SIM00001"} {
		if _, got := exchange(t, at(link)); !strings.Contains(got, serial) {
			t.Errorf("after the swap %s says %q, want %s", link, got, serial)
		}
	}
	if s, err := r.Status("blue"); err != nil || s.Port != at("red") {
		t.Errorf("blue is at %q, %v", s.Port, err)
	}
	must(t, r.Do("blue", "serial SIM00002"))
	if _, got := exchange(t, at("red")); !strings.Contains(got, "SIM00002") {
		t.Errorf("with another pump's number: %q", got)
	}
	if s, err := r.Status("blue"); err != nil || s.Wire.Queries != 3 {
		t.Errorf("blue was asked %d times, want 3: the counts go with the pump (%v)", s.Wire.Queries, err)
	}
}

// TestAnAdapterThatHangs keeps its device and gives nothing; what was written meanwhile is lost.
func TestAnAdapterThatHangs(t *testing.T) {
	link := filepath.Join(t.TempDir(), "blue")
	r := start(t, Options{}, "name=blue,link="+link)
	f, _ := exchange(t, link)
	must(t, r.Do("blue", "hang"))
	_, err := f.Write([]byte("\x02RNA0\x03"))
	must(t, err)
	must(t, f.SetReadDeadline(time.Now().Add(300*time.Millisecond)))
	if n, err := f.Read(make([]byte, 64)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a hanging adapter gave %d bytes, %v; want silence", n, err)
	}
	if s, err := r.Status("blue"); err != nil || !s.Hung || !s.Plugged || s.Wire.Queries != 1 {
		t.Errorf("%+v %v", s, err)
	}
	must(t, r.Do("blue", "unhang"))
	for asked := 1; asked < 2; { // what is written before the buffer was thrown away is lost
		_, err := f.Write([]byte("\x02RNA0\x03"))
		must(t, err)
		must(t, f.SetReadDeadline(time.Now().Add(time.Second)))
		if n, err := f.Read(make([]byte, 64)); err == nil && n > 0 {
			asked++
		}
	}
}

// TestHangInVirtualTime ends by itself.
func TestHangInVirtualTime(t *testing.T) {
	v := virtual(t, "name=blue")
	must(t, v.Do("hang for=20s"))
	if got := ask(t, v, "RN"); got != "" {
		t.Errorf("answered %q", got)
	}
	v.Pass(20 * time.Second)
	if got := ask(t, v, "RN"); got != "RNSIM00001" {
		t.Errorf("afterwards %q", got)
	}
	must(t, v.Do("unplug for=5s"))
	v.Pass(4 * time.Second)
	if _, err := v.Write([]byte("x")); err == nil {
		t.Error("a line takes bytes before it is replugged")
	}
	v.Pass(time.Second)
	if got := ask(t, v, "RN"); got != "RNSIM00001" {
		t.Errorf("after replugging %q", got)
	}
}

// mixed is one pump of each protocol, two where a line carries several, each line a TCP server.
var mixed = []struct {
	model, query, says string
}{
	{"miva", "\x02RNA0\x03", "SIM00001"},
	{"bcc", string(bccwire.AppendRequest(nil, bccwire.LinkAddress, bccwire.RequestAlive, true)), "GNACK,0"},
	{"asena", string(asenawire.AppendFrame(nil, []byte("INST_SERIALNO"))), "SIM0-00004"},
	{"newera", "1VER\r", "\x0201INEEW"},
	{"sapphire", "\xBB\x65\x00\x67\x03\x00\x01\x00\x16\xE6", "\xBB\x67\x00\x65\x01"},
}

// TestMixedProtocolsOverTCP: every protocol in one process, each pump speaks its own.
func TestMixedProtocolsOverTCP(t *testing.T) {
	r := start(t, Options{}, "name=miva,tcp=127.0.0.1:0,baud=19200", "name=bcc,model=bcc,line=station,tcp=127.0.0.1:0",
		"name=bcc-2,model=bcc,line=station,device=perfusor,drug=milrinone", "name=asena,model=asena,tcp=127.0.0.1:0",
		"name=newera-2,model=newera,line=bench,tcp=127.0.0.1:0,version=NEEW", "name=newera,model=newera,line=bench", "name=sapphire,model=sapphire,tcp=127.0.0.1:0")
	for _, row := range mixed {
		port, err := r.Port(row.model)
		must(t, err)
		if got := dial(t, port, row.query, row.says); !strings.Contains(got, row.says) {
			t.Errorf("%s: %q, want %q in it", row.model, got, row.says)
		}
		if s, err := r.Status(row.model); err != nil || s.Wire.Control != 0 || s.Wire.Queries != 1 {
			t.Errorf("%s: %+v, %v", row.model, s.Wire, err)
		}
	}
	if err := r.Do("asena", "blank 3"); !errors.Is(err, ErrCommand) {
		t.Errorf("a command of another model: %v", err)
	}
	must(t, r.Do("miva", "swap asena")) // of different protocols, each alone on its line
	port, err := r.Port("asena")
	must(t, err)
	if got := dial(t, port, mixed[2].query, "\r"); !strings.Contains(got, "SIM0-00004") {
		t.Errorf("asena on the other line: %q", got)
	}
}

// TestTruthLog: a record at the start, at the interval, with every event, after a command, and at the end.
func TestTruthLog(t *testing.T) {
	var lines strings.Builder
	p := DefaultPump("blue")
	r, err := Start(t.Context(), Options{Pumps: []PumpOptions{p}, Seed: 1, Speed: 60, Truth: &lines, TruthEvery: 20 * time.Second})
	must(t, err)
	until(t, "ten seconds", func() bool {
		s, err := r.Status("blue")
		return err != nil || s.Truth.ElapsedS > 60
	})
	must(t, r.Do("blue", "disconnect"))
	must(t, r.Do("blue", "pause"))
	must(t, r.Stop())
	why := map[string]int{}
	var events []string
	for line := range strings.Lines(lines.String()) {
		var record Record
		if err := json.Unmarshal([]byte(line), &record); err != nil || record.Pump != "blue" || record.TS == "" || record.Says.ProgrammedRate != 1.11 {
			t.Fatalf("%s: %v", line, err)
		}
		why[record.Why]++
		for _, e := range record.Events {
			events = append(events, e.Kind)
		}
		if record.Command == "disconnect" && !record.Truth.Disconnected {
			t.Error("the record after the command does not show what it did")
		}
	}
	if why["start"] != 1 || why["command"] != 2 || why["end"] != 1 || why["interval"] < 2 {
		t.Errorf("records %v", why)
	}
	if got := strings.Join(events, " "); got != "power_on begin run pause" {
		t.Errorf("events %q, want each once", got)
	}
}

// TestSixtyFourPumpsAndNoGoroutineLeft runs a plan, asks every line, and leaves nothing behind.
func TestSixtyFourPumpsAndNoGoroutineLeft(t *testing.T) {
	before := runtime.NumGoroutine()
	dir := t.TempDir()
	pumps, err := ParsePlan("miva:20,asena:8,bcc:16@4,newera:12@6,sapphire:8", dir, "")
	must(t, err)
	last := DefaultPump("tcp")
	last.TCP = "127.0.0.1:0"
	r, err := Start(t.Context(), Options{Pumps: append(pumps, last), Seed: 1})
	must(t, err)
	port, err := r.Port("tcp")
	must(t, err)
	host, err := net.DialTimeout("tcp", strings.TrimPrefix(port, "tcp://"), time.Minute) // stays until the end
	must(t, err)
	defer host.Close()
	for i := range 20 {
		f, got := exchange(t, filepath.Join(dir, fmt.Sprintf("miva-%02d", i+1)))
		if want := fmt.Sprintf("SIM%05d", i+1); !strings.Contains(got, want) {
			t.Errorf("pump %d says %q, want %s", i+1, got, want)
		}
		must(t, f.Close())
	}
	if list := r.Statuses(); len(list) != 65 || list[63].Model != "sapphire" || list[63].Says.State != "running" {
		t.Errorf("%d pumps, the last %+v", len(list), list[len(list)-1])
	}
	must(t, r.Stop())
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
	until(t, "no goroutine left", func() bool { return runtime.NumGoroutine() <= before })
}
