package simulator

import (
	"errors"
	"io"
	"math"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"infusiond/drivers/miva/wire"
)

func virtual(t *testing.T, description string) *Virtual {
	t.Helper()
	o, err := ParsePump(description)
	if err != nil {
		t.Fatal(err)
	}
	v, err := NewVirtual(o, 1)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// ask holds one exchange in virtual time; "" is silence.
func ask(t *testing.T, v *Virtual, payload string) string {
	t.Helper()
	if _, err := v.Write(wire.AppendFrame(nil, []byte(payload), wire.Sum)); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 256)
	n, err := v.Read(b)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return ""
	}
	if err != nil {
		t.Fatal(err)
	}
	answer, err := wire.DecodeFrame(b[:n], wire.Sum)
	if err != nil {
		return "bad frame"
	}
	return string(answer)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestADayInVirtualTime polls every 5 s through real bytes and compares counter and truth.
// Covers GW-121.
func TestADayInVirtualTime(t *testing.T) {
	v := virtual(t, "name=blue,rate=1.11,vtbi=100,bag=50")
	for v.Now() < 24*time.Hour {
		if got := ask(t, v, ":INFU:RATE?"); got != "1.11" {
			t.Fatalf("at %v: rate %q", v.Now(), got)
		}
		v.Pass(5*time.Second - v.Now()%(5*time.Second))
	}
	if got := ask(t, v, "Q5"); got != "Q50A67" && got != "Q50A68" { // 26.63 or 26.64 mL
		t.Errorf("after a day: %q, want 26.64 mL less at most one stroke", got)
	}
	tr := v.Truth()
	if e := tr.PatientML/26.64 - 1; math.Abs(e) > 0.09 {
		t.Errorf("patient got %.2f mL, %+.1f %% of the commanded 26.64", tr.PatientML, 100*e)
	}
	if s := v.Status(); s.Wire.Control != 0 || *s.Says.Reservoir > 23.5 {
		t.Errorf("%+v", s)
	}
}

func TestCommandsDoWhatTheySay(t *testing.T) {
	for _, row := range []struct {
		commands string // divided by ;
		pass     time.Duration
		holds    func(Status) bool
	}{
		{"stop", 0, func(s Status) bool { return s.Says.State == "stopped" }},
		{"pause;run", 0, func(s Status) bool { return s.Says.State == "running" }},
		{"rate 2.22", 0, func(s Status) bool { return s.Says.RunningRate == 2.22 && s.Says.ProgrammedRate == 2.22 }},
		{"vtbi 50", 0, func(s Status) bool { return s.Says.VTBI == 50 }},
		{"bolus 0.5 rate=60", time.Minute, func(s Status) bool { return s.Says.Infused >= 0.5 && s.Says.State == "running" }},
		{"bag 250 set=new", time.Minute, func(s Status) bool { return *s.Says.Reservoir > 249.9 && s.Says.State == "running" }},
		{"battery 8", time.Second, func(s Status) bool { return len(s.Says.Alarms) == 1 && s.Says.Alarms[0] == "battery_low" }},
		{"battery 0", 10 * time.Minute, func(s Status) bool { return s.Says.State == "off" }},
		{"power off", 0, func(s Status) bool { return s.Says.State == "off" }},
		{"power off;power on;run", 0, func(s Status) bool { return s.Says.State == "running" }},
		{"reboot", 0, func(s Status) bool { return s.Says.State == "stopped" && s.Says.Infused == 0 }},
		{"clock +1h", 0, func(s Status) bool { return s.Says.ClockS >= 74752+3600 }},
		{"clock -30s", 0, func(s Status) bool { return s.Says.ClockS < 74752 }},
		{"alarm pump_fault", 0, func(s Status) bool { return s.Says.State == "alarm_stop" }},
		{"alarm pump_fault bits=512;ack;run", 0, func(s Status) bool { return s.Says.State == "running" && len(s.Says.Alarms) == 0 }},
		{"occlude in=10s", 15 * time.Second, func(s Status) bool { return s.Says.State == "alarm_stop" && s.Truth.StoredVolume > 0.3 }},
		{"occlude in=10s;release", 15 * time.Second, func(s Status) bool { return s.Says.State == "running" && s.Truth.PatientVolume > 0.3 }},
		{"occlude share=0.5", 0, func(s Status) bool { return s.Truth.Occlusion == 0.5 }},
		{"occlude side=upstream", 6 * time.Hour, func(s Status) bool { return len(s.Says.Alarms) == 1 && s.Says.Alarms[0] == "occlusion_upstream" }},
		{"disconnect", time.Hour, func(s Status) bool { return s.Truth.LostVolume > 0.8 && s.Says.State == "running" }},
		{"block", time.Hour, func(s Status) bool {
			return s.Truth.SetShare == 0 && s.Says.Infused > 1 && s.Truth.PatientVolume < 0.01
		}},
		{"block share=0.5", time.Hour, func(s Status) bool { return s.Truth.PatientVolume > 0.4 && s.Truth.PatientVolume < 0.65 }},
		{"motor 0.5", time.Hour, func(s Status) bool { return s.Says.RunningRate == 1.11 && s.Says.Infused > 0.5 && s.Says.Infused < 0.6 }},
		{"door open", time.Second, func(s Status) bool { return s.Truth.DoorOpen && s.Says.State != "running" }},
		{"detach;attach", time.Second, func(s Status) bool { return !s.Truth.SetDetached }},
		{"clear", time.Second, func(s Status) bool { return s.Says.Infused == 0 }},
		{"stop;load 0.5 rate=60", time.Minute, func(s Status) bool { return s.Says.Infused >= 0.5 && s.Says.State == "running" }},
		{"crash on", time.Hour, func(s Status) bool {
			return s.Truth.ProgramHung && s.Says.RunningRate == 1.11 && s.Truth.CommandedVolume < 0.05
		}},
		{"heat 20 for=2h", time.Hour, func(s Status) bool { return s.Truth.TemperatureC > 35 }},
		{"height 40", time.Minute, func(s Status) bool { return s.Truth.HeightCM == 40 }},
		{"bubble 200;alarm battery_low;quiet", time.Second, func(s Status) bool { return len(s.Says.Alarms) == 1 && s.Truth.AirVolume == 0.2 }},
		{"noise;silence for=20s;late rate=0.5 delay=1s", 0, func(s Status) bool { return len(s.Wire.Faults) == 3 }},
		{"silence for=20s", 21 * time.Second, func(s Status) bool { return len(s.Wire.Faults) == 0 }},
		{"garbage;clean", 0, func(s Status) bool { return len(s.Wire.Faults) == 0 }},
		{"blank 3", 0, func(s Status) bool { return s.Says.LogHead == 8 }},
	} {
		t.Run(row.commands, func(t *testing.T) {
			v := virtual(t, "name=blue,rate=1.11,vtbi=100,bag=50")
			for c := range strings.SplitSeq(row.commands, ";") {
				must(t, v.Do(c))
			}
			v.Pass(row.pass)
			if s := v.Status(); !row.holds(s) {
				t.Errorf("%+v", s)
			}
		})
	}
}

func TestWrongCommandsSayWhatIsKnown(t *testing.T) {
	for command, known := range map[string]string{
		"": "occlude", "nonsense": "occlude", "rate": "rate ML_PER_H", "rate x": "not a number", "rate 1 2": "rate ML_PER_H",
		"occlude for=10s": "side=downstream|upstream", "occlude side=left": "downstream and upstream", "occlude in=soon": "20s",
		"occlude side=upstream in=10s": "side=downstream", "alarm air_in_line": "pump_fault", "alarm x": "occlusion_downstream", "power maybe": "on and off",
		"bag 50 set=old": "set=new", "clock later": "1h", "noise rate=2": "0 to 1", "blank 0": "1 to 1000", "drop2": "replug", "replug link=/x": "no pseudo-terminal", "swap green": "known blue", "door ajar": "open and closed", "heat warm": "not a number", "swap blue": "itself", "serial 1": "SIM00001",
	} {
		v := virtual(t, "name=blue,start=stopped")
		err := v.Do(command)
		if err == nil || !strings.Contains(err.Error(), known) {
			t.Errorf("%q: %v, want an error that names %q", command, err, known)
		}
	}
	v := virtual(t, "name=blue,start=stopped")
	if err := v.Do("occlude in=10s"); err == nil || errors.Is(err, ErrCommand) {
		t.Errorf("the pump's own refusal: %v", err)
	}
}

func TestParsePump(t *testing.T) {
	o, err := ParsePump("name=red, rate=2.22,vtbi=120,drug=dobutamine,serial=SIM12345,checksum=xor,firmware=old,form=long,battery=50,kvo=0.2,unattended=5m,logfill=40")
	must(t, err)
	if o.Rate != 2.22 || o.Drug != "dobutamine" || o.Settings["checksum"] != "xor" || o.Settings["firmware"] != "old" || o.Settings["form"] != "long" ||
		o.Physics.StartupCharge != 0.5 || o.Physics.KVORate != 0.2 || o.Physics.UnattendedTime != 5*time.Minute || o.Settings["logfill"] != "40" {
		t.Errorf("%+v", o)
	}
	for text, known := range map[string]string{
		"": "known key=value", "name=blue,colour=1": "compliance", "name=Blue": "a-z", "name=blue,rate=x": "not a number", "name=blue,model=nonsense": "miva",
		"name=blue,serial=SN800008": "pretend=yes", "name=blue,checksum=crc": "sum, xor", "name=blue,start": "key=value", "name=blue,logfill=50000": "43264",
	} {
		if _, err := ParsePump(text); err == nil || !strings.Contains(err.Error(), known) {
			t.Errorf("%q: %v, want an error that names %q", text, err, known)
		}
	}
	_, err = ParsePump("name=blue,serial=SN800008,pretend=yes")
	must(t, err)
}

func TestUnplugInVirtualTime(t *testing.T) {
	v := virtual(t, "name=blue")
	must(t, v.Do("unplug"))
	if _, err := v.Write([]byte("x")); err == nil {
		t.Error("an unplugged line takes bytes")
	}
	must(t, v.Do("replug"))
	if got := ask(t, v, "RN"); got != "RNSIM00001" {
		t.Errorf("after replugging: %q", got)
	}
}

func TestPumpsOfOneSeedDiffer(t *testing.T) {
	a, b, again := virtual(t, "name=a"), virtual(t, "name=b"), virtual(t, "name=a")
	for _, v := range []*Virtual{a, b, again} {
		v.Pass(time.Hour)
	}
	if a.Truth().SetError == b.Truth().SetError || a.Truth() != again.Truth() {
		t.Error("seed 1: pumps must differ by name and repeat by seed")
	}
}

// exchange opens the device as any program would and asks for the serial number.
func exchange(t *testing.T, path string) (*os.File, string) {
	t.Helper()
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	must(t, err)
	f := os.NewFile(uintptr(fd), path)
	t.Cleanup(func() { _ = f.Close() })
	return f, converse(t, f, "\x02RNA0\x03", "\x03")
}

// dial connects to a tcp:// port and holds one exchange.
func dial(t *testing.T, port, query, end string) string {
	t.Helper()
	c, err := net.DialTimeout("tcp", strings.TrimPrefix(port, "tcp://"), time.Minute)
	must(t, err)
	defer c.Close()
	return converse(t, c, query, end)
}

// converse sends a query and reads until end is in the answer.
func converse(t *testing.T, c interface {
	io.ReadWriter
	SetReadDeadline(at time.Time) error
}, query, end string,
) string {
	t.Helper()
	must(t, c.SetReadDeadline(time.Now().Add(time.Minute)))
	_, err := c.Write([]byte(query))
	must(t, err)
	var got []byte
	for !strings.Contains(string(got), end) {
		b := make([]byte, 64)
		n, err := c.Read(b)
		if err != nil {
			t.Fatalf("after %q: %v, want %q", got, err, end)
		}
		got = append(got, b[:n]...)
	}
	return string(got)
}

// TestStartServesAPty runs the whole simulator in process: talk, unplug for a while, talk again, stop.
// Covers GW-120.
func TestStartServesAPty(t *testing.T) {
	link := filepath.Join(t.TempDir(), "blue")
	o, err := ParsePump("name=blue,link=" + link)
	must(t, err)
	red := DefaultPump("red")
	red.TCP = "127.0.0.1:0"
	r, err := Start(t.Context(), Options{Pumps: []PumpOptions{o, red}, Seed: 1, Speed: 60})
	must(t, err)
	port, err := r.Port("blue")
	must(t, err)
	f, got := exchange(t, port)
	if got != "\x02RNSIM000017A\x03" {
		t.Errorf("got %q", got)
	}
	must(t, r.Do("blue", "unplug for=200ms"))
	if _, err := f.Read(make([]byte, 8)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("unplugged: %v, want a hang-up", err)
	}
	for tick := time.NewTicker(20 * time.Millisecond); ; {
		s, err := r.Status("blue")
		must(t, err)
		if s.Plugged {
			break
		}
		select {
		case <-t.Context().Done():
			t.Fatal("not replugged")
		case <-tick.C:
		}
	}
	if _, got := exchange(t, port); got != "\x02RNSIM000017A\x03" {
		t.Errorf("after replugging: %q", got)
	}
	if tcp, err := r.Port("red"); err != nil || !strings.HasPrefix(tcp, "tcp://127.0.0.1:") {
		t.Errorf("port of red: %q %v", tcp, err)
	}
	if queries, err := r.Queries("blue"); err != nil || len(queries) != 2 || queries[0] != "RN" {
		t.Errorf("queries %q %v", queries, err)
	}
	if entries, err := r.Entries("blue", 0); err != nil || len(entries) != 3 || entries[2].Kind != "run" {
		t.Errorf("log %+v %v", entries, err)
	}
	if err := r.Do("green", "stop"); !errors.Is(err, ErrPump) {
		t.Errorf("unknown pump: %v", err)
	}
	must(t, r.Stop())
	if _, err := os.Lstat(link); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("link after the end: %v", err)
	}
}

func TestNewRefuses(t *testing.T) {
	for name, o := range map[string]Options{
		"no pump": {}, "two of a name": {Pumps: []PumpOptions{DefaultPump("a"), DefaultPump("a")}},
		"speed": {Pumps: []PumpOptions{DefaultPump("a")}, Speed: -1}, "tcp": {Pumps: []PumpOptions{func() PumpOptions { p := DefaultPump("a"); p.TCP = "nowhere"; return p }()}},
	} {
		if _, err := New(o); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// BenchmarkVirtualPoll is one polling cycle of four queries and the 5 s after it.
func BenchmarkVirtualPoll(b *testing.B) {
	v, err := NewVirtual(DefaultPump("a"), 1)
	if err != nil {
		b.Fatal(err)
	}
	var frames [][]byte
	for _, q := range []string{":INFU:RUN?", ":INFU:RATE?", "Q5", "RI"} {
		frames = append(frames, wire.AppendFrame(nil, []byte(q), wire.Sum))
	}
	buffer := make([]byte, 256)
	for b.Loop() {
		if v.View().BatteryCharge < 0.3 {
			if err := errors.Join(v.Do("battery 100"), v.Do("bag 100")); err != nil {
				b.Fatal(err)
			}
		}
		for _, f := range frames {
			if _, err := v.Write(f); err != nil {
				b.Fatal(err)
			}
			if _, err := v.Read(buffer); err != nil {
				b.Fatal(err)
			}
		}
		v.Pass(5 * time.Second)
	}
}

func TestCommandNamesAreUnique(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range commands() {
		if seen[c.name] || !strings.HasPrefix(c.usage, c.name) || c.help == "" {
			t.Errorf("command %q: twice, or its usage %q begins otherwise, or it has no help", c.name, c.usage)
		}
		seen[c.name] = true
	}
}
