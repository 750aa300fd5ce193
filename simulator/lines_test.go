package simulator

import (
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// parsed reads descriptions that must be right.
func parsed(t *testing.T, descriptions ...string) []PumpOptions {
	t.Helper()
	var pumps []PumpOptions
	for _, d := range descriptions {
		p, err := ParsePump(d)
		must(t, err)
		pumps = append(pumps, p)
	}
	return pumps
}

func TestLinesAreShared(t *testing.T) {
	list, err := lines(parsed(t,
		"name=a,model=newera,line=bench,link=/tmp/x,address=01", "name=b,model=newera,line=bench,baud=9600", "name=c,model=newera,link=/tmp/x,version=NE1000X2V4.1",
		"name=d,tcp=127.0.0.1:0", "name=e,tcp=127.0.0.1:0", "name=f,model=newera,tcp=127.0.0.1:7,address=00", "name=g,model=newera,tcp=127.0.0.1:7"))
	must(t, err)
	var got []string
	for _, l := range list {
		text := l.protocol.Protocol
		for _, p := range l.pumps {
			text += " " + p.Name + p.Address
		}
		got = append(got, text)
	}
	if want := "newera a01 b00 c02|miva d|miva e|newera f00 g01"; strings.Join(got, "|") != want {
		t.Errorf("got  %s\nwant %s", strings.Join(got, "|"), want)
	}
	if l := list[0]; l.baud != 9600 || l.link != "/tmp/x" || l.settings["version"] != "NE1000X2V4.1" || list[3].baud != 19200 {
		t.Errorf("%+v", l)
	}
	for says, pumps := range map[string][]string{
		"two pumps are named":      {"name=a", "name=a"},
		"alone on its line":        {"name=a,line=x", "name=b,line=x"},
		"its pumps speak newera":   {"name=a,line=x,model=newera", "name=b,line=x"},
		"have address 05":          {"name=a,line=x,model=newera,address=05", "name=b,line=x,model=newera,address=05"},
		"baud=9600 and baud=19200": {"name=a,line=x,model=newera,baud=9600", "name=b,line=x,model=newera,baud=19200"},
		"version=one and":          {"name=a,line=x,model=newera,version=one", "name=b,line=x,model=newera,version=two"},
		"link=/a and link=/b":      {"name=a,line=x,model=newera,link=/a", "name=b,line=x,model=newera,link=/b"},
	} {
		if _, err := lines(parsed(t, pumps...)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v, want it to say %q", pumps, err, says)
		}
	}
	if _, err := lines(nil); err == nil {
		t.Error("no pump is no error")
	}
	plan, err := ParsePlan("newera:101@101", "/tmp/x", "")
	must(t, err)
	if _, err := lines(plan); err == nil || !strings.Contains(err.Error(), "place for 100") {
		t.Errorf("101 pumps on a line: %v", err)
	}
}

// rate asks one NE-1000 of a line in virtual time for its rate.
func rate(t *testing.T, l *VirtualLine, address string) string {
	t.Helper()
	_, err := l.Write([]byte(address + "RAT\r"))
	must(t, err)
	b := make([]byte, 64)
	n, err := l.Read(b)
	if err != nil {
		return ""
	}
	return string(b[:n])
}

// TestPumpsOnOneLine: each is asked by its address and has its own commands, physics and truth; the cable is everybody's.
func TestPumpsOnOneLine(t *testing.T) {
	l, err := NewVirtualLine(parsed(t, "name=a,model=newera,rate=1", "name=b,model=newera,rate=2"), 1)
	must(t, err)
	if a, b := rate(t, l, "00"), rate(t, l, "01"); a != "\x0200I1.000MH\x03" || b != "\x0201I2.000MH\x03" {
		t.Errorf("%q %q", a, b)
	}
	must(t, l.Do("b", "rate 5"))
	l.Pass(time.Hour)
	if a, b := l.View("a").InfusedML, l.View("b").InfusedML; a < 0.9 || a > 1.1 || b < 4.9 || b > 5.1 || l.Truth("b").PatientML < 4 {
		t.Errorf("after an hour a counts %v and b %v mL", a, b)
	}
	must(t, l.Do("a", "swap b"))
	if a, b := rate(t, l, "00"), rate(t, l, "01"); a != "\x0200I5.000MH\x03" || b != "\x0201I1.000MH\x03" {
		t.Errorf("after the swap %q %q", a, b)
	}
	if s, err := l.Status("a"); err != nil || s.Address != "01" || s.Serial != "" || s.Wire.Queries != 4 {
		t.Errorf("%+v %v", s, err)
	}
	must(t, l.Do("b", "stray"))
	if got := rate(t, l, "00"); !strings.HasPrefix(got, "\x0201") {
		t.Errorf("stray: %q, want the other pump's answer", got)
	}
	must(t, l.Do("a", "clean"))
	must(t, l.Do("a", "power off"))
	if a, b := rate(t, l, "01"), rate(t, l, "00"); a != "" || b == "" {
		t.Errorf("one pump is off: %q %q", a, b)
	}
	must(t, l.Do("a", "unplug"))
	if _, err := l.Write([]byte("00\r")); err == nil {
		t.Error("the line takes bytes although one of its pumps said unplug")
	}
}

// TestSwapBetweenSharedLines: the pumps of one protocol change places, those of two do not where others stay behind.
func TestSwapBetweenSharedLines(t *testing.T) {
	r := start(t, Options{}, "name=a,model=newera,rate=1,tcp=127.0.0.1:0,line=x", "name=b,model=newera,rate=2,line=x", "name=c,model=newera,rate=3,tcp=127.0.0.1:0", "name=m")
	must(t, r.Do("b", "swap c"))
	one, err := r.Port("a")
	must(t, err)
	two, err := r.Port("b")
	must(t, err)
	if got := dial(t, one, "1RAT\r", "\x03"); got != "\x0201I3.000MH\x03" {
		t.Errorf("second place of the first line: %q", got)
	}
	if got := dial(t, two, "0RAT\r", "\x03"); got != "\x0200I2.000MH\x03" {
		t.Errorf("the second line: %q", got)
	}
	if err := r.Do("a", "swap m"); err == nil || !strings.Contains(err.Error(), "one protocol") {
		t.Errorf("a miva on a line of newera: %v", err)
	}
}

// TestPushedInVirtualTime: a Sapphire that hears a PC sends five batches a second through a long pass.
func TestPushedInVirtualTime(t *testing.T) {
	v := virtual(t, "name=a,model=sapphire")
	_, err := v.Write([]byte{0xBB, 0x65, 0, 0x67, 3, 0, 1, 0, 0x16, 0xE6})
	must(t, err)
	v.Pass(10 * time.Second)
	must(t, v.SetReadTimeout(0))
	var got int
	for b := make([]byte, 4096); ; {
		n, err := v.Read(b)
		if err != nil {
			break
		}
		got += n
	}
	if batches := got / 180; batches < 48 || batches > 50 {
		t.Errorf("%d batches in 10 s, want about 49", batches)
	}
}

// TestPlanOfSharedLines puts eight pumps on two lines with names of their own.
func TestPlanOfSharedLines(t *testing.T) {
	dir := t.TempDir()
	pumps, err := ParsePlan("miva:1,newera:8@4", dir, "")
	must(t, err)
	r, err := Start(t.Context(), Options{Pumps: pumps, Seed: 1})
	must(t, err)
	defer func() { must(t, r.Stop()) }()
	if port, err := r.Port("newera-08"); err != nil || port != filepath.Join(dir, "newera-line-2") {
		t.Errorf("port %q, %v", port, err)
	}
	if s, err := r.Status("newera-08"); err != nil || s.Address != "03" {
		t.Errorf("address %q, %v", s.Address, err)
	}
}

// TestVirtualFleet: lines share one time; pumps change ports in it; what a line pushes while another one is used comes at its time.
func TestVirtualFleet(t *testing.T) {
	v, err := NewVirtualFleet(parsed(t, "name=a,model=newera,rate=1", "name=b,model=newera,rate=2", "name=s,model=sapphire"), 1)
	must(t, err)
	one, err := v.Port("a")
	must(t, err)
	two, err := v.Port("s")
	must(t, err)
	_, err = two.Write([]byte{0xBB, 0x65, 0, 0x67, 3, 0, 1, 0, 0x16, 0xE6})
	must(t, err)
	begin := v.Now()
	for v.Now() < begin+10*time.Second { // exchanges of 15 ms on the other line
		_, err = one.Write([]byte("0RAT\r"))
		must(t, err)
		_, err = one.Read(make([]byte, 64))
		must(t, err)
	}
	if s, err := v.Status("s"); err != nil || s.Truth.ElapsedS < 9.5 {
		t.Errorf("%v s passed for the other pump, %v", s.Truth.ElapsedS, err)
	}
	var got int
	must(t, two.SetReadTimeout(0))
	for b := make([]byte, 4096); ; {
		n, err := two.Read(b)
		if err != nil {
			break
		}
		got += n
	}
	if batches := got / 180; batches < 47 || batches > 50 {
		t.Errorf("%d batches in 10 s, want about 49", batches)
	}
	must(t, v.Do("a", "swap b"))
	if now, err := v.Port("a"); err != nil || now == one {
		t.Errorf("a is still at its first port, %v", err)
	}
	must(t, v.Do("b", "unplug for=5s"))
	if _, err := one.Write([]byte("0\r")); err == nil {
		t.Error("b's new line takes bytes although it is unplugged")
	}
	v.Pass(5 * time.Second)
	_, err = one.Write([]byte("0RAT\r"))
	must(t, err)
	b := make([]byte, 64)
	n, err := one.Read(b)
	if err != nil || string(b[:n]) != "\x0200I2.000MH\x03" {
		t.Errorf("%q, %v; want b's rate", b[:n], err)
	}
}
