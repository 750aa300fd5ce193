//go:build linux

package probe

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"infusiond/drivers"
	"infusiond/gateway/clock"
	"infusiond/gateway/config"
)

// asker is a protocol of one query, "name?\n", whose answer is one serial number per line, ended by ".\n".
type asker struct {
	name    string
	profile drivers.Profile
}

func (a asker) Profile() drivers.Profile {
	p := a.profile
	p.Name, p.Allow = a.name, append(drivers.AllowList{{Name: "who", Exact: []byte(a.name + "?\n")}}, p.Allow...)
	p.SimulatorSerials = regexp.MustCompile(`^SIM`)
	return p
}

func (a asker) Open(_ context.Context, p drivers.Port, o drivers.OpenOptions) (drivers.Conn, error) {
	if o.Now == nil {
		return nil, errors.New("no clock")
	}
	return &askerConn{a, p}, p.SetReadTimeout(100 * time.Millisecond)
}

type askerConn struct {
	asker
	port drivers.Port
}

func (c *askerConn) Poll(_ context.Context, take func(drivers.Report)) error {
	if _, err := c.port.Write([]byte(c.name + "?\n")); err != nil {
		return err
	}
	var got []byte
	for one := make([]byte, 64); !bytes.HasSuffix(got, []byte(".\n")); {
		n, err := c.port.Read(one)
		got = append(got, one[:n]...)
		if err != nil {
			if len(got) > 0 {
				return drivers.ErrMalformed
			}
			return errors.Join(drivers.ErrSilent, err)
		}
	}
	for i, serial := range strings.Fields(strings.TrimSuffix(string(got), ".\n")) {
		take(drivers.Report{Address: string(rune('1' + i)), Identity: drivers.Identity{Serial: serial, Model: "M" + c.name, Firmware: "2.0"}})
	}
	return nil
}

func (c *askerConn) Close() error { return nil }

func protocol(name string, profile drivers.Profile) Protocol {
	profile.Line = drivers.LineSettings{Baud: 9600, DataBits: 8, StopBits: 1}
	return Protocol{Name: name, Make: func(settings map[string]string) (drivers.Driver, error) {
		for key := range settings {
			if key != "mode" {
				return nil, errors.New("setting " + key + " is not known")
			}
		}
		return asker{name, profile}, nil
	}}
}

// device answers every line that begins with one of the keys, and notes everything it gets.
func device(t *testing.T, answers map[string]string) (path string, heard func() string) {
	t.Helper()
	master, slave, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.SetNonblock(int(master.Fd()), true); err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(t.TempDir(), "pump")
	if err := os.Symlink(slave.Name(), path); err != nil {
		t.Fatal(err)
	}
	var all bytes.Buffer
	done := make(chan struct{})
	go func() {
		defer close(done)
		one := make([]byte, 1)
		line := ""
		for {
			if _, err := io.ReadFull(master, one); err != nil {
				return
			}
			all.Write(one)
			if line += string(one); one[0] != '\n' {
				continue
			}
			if answer, ok := answers[line]; ok {
				if _, err := master.WriteString(answer); err != nil {
					return
				}
			}
			line = ""
		}
	}()
	stop := func() string {
		_ = master.Close()
		_ = slave.Close()
		<-done
		return all.String()
	}
	t.Cleanup(func() { stop() })
	return path, stop
}

func options(t *testing.T, path string, protocols ...Protocol) Options {
	t.Helper()
	system, err := clock.New()
	if err != nil {
		t.Fatal(err)
	}
	return Options{Address: path, NotOnAPatient: true, Clock: system.Now, Protocols: protocols}
}

// Covers GW-01, GW-130.
func TestNothingIsSentWithoutTheStatement(t *testing.T) {
	path, heard := device(t, nil)
	o := options(t, path, protocol("x", drivers.Profile{}))
	o.NotOnAPatient = false
	if _, err := Run(t.Context(), o); !errors.Is(err, ErrOnAPatient) {
		t.Errorf("run = %v", err)
	}
	if got := heard(); got != "" {
		t.Errorf("the device got %q", got)
	}
}

// Covers GW-25, GW-130.
func TestProtocolsAreTriedInOrderAndOnlyThose(t *testing.T) {
	path, heard := device(t, map[string]string{"b?\n": "what do you want", "c?\n": "A1 SIM2\n.\n"})
	o := options(t, path, protocol("a", drivers.Profile{}), protocol("b", drivers.Profile{}), protocol("c", drivers.Profile{SeveralPumps: true, Identity: drivers.IdentityStrong}))
	o.Protocols[2].Settings = map[string]string{"mode": "x"}
	got, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	var outcomes []Outcome
	for _, a := range got {
		outcomes = append(outcomes, a.Outcome)
	}
	if diff := cmp.Diff([]Outcome{Silence, NotUnderstood, Found}, outcomes); diff != "" {
		t.Error(diff)
	}
	if got[1].Bytes < 16 || !strings.HasPrefix(got[1].First, "7768617420646f") || got[0].Bytes != 0 || got[0].Advice == "" || got[1].Advice == "" {
		t.Errorf("attempts %+v", got[:2])
	}
	want := []Pump{
		{Address: "1", Model: "Mc", Serial: "A1", Firmware: "2.0", Entry: got[2].Pumps[0].Entry},
		{Address: "2", Model: "Mc", Serial: "SIM2", Firmware: "2.0", Simulator: true, Entry: got[2].Pumps[1].Entry},
	}
	if diff := cmp.Diff(want, got[2].Pumps); diff != "" {
		t.Error(diff)
	}
	if text := heard(); text != "a?\nb?\nb?\nc?\n" && text != "a?\na?\nb?\nb?\nc?\n" {
		t.Errorf("the device got %q", text)
	}
}

// Covers GW-25, GW-110. What a probe prints is a configuration.
func TestTheEntryIsAcceptedByTheConfiguration(t *testing.T) {
	for _, tt := range []struct {
		name    string
		profile drivers.Profile
		answer  string
		head    string
	}{
		{name: "strong", profile: drivers.Profile{Identity: drivers.IdentityStrong}, answer: "SN800008\n.\n"},
		{name: "several", profile: drivers.Profile{Identity: drivers.IdentityStrong, SeveralPumps: true, Addressing: "a digit"}, answer: "00123 A:1\n.\n"},
		{name: "simulator", profile: drivers.Profile{Identity: drivers.IdentityStrong}, answer: "SIM00001\n.\n", head: "simulated: true\n"},
		{name: "weak", profile: drivers.Profile{SeveralPumps: true, Addressing: "a digit"}, answer: "x\n.\n", head: "simulated: true\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path, _ := device(t, map[string]string{"c?\n": tt.answer})
			p := protocol("c", tt.profile)
			p.Settings = map[string]string{"mode": "yes: no"}
			got, err := Run(t.Context(), options(t, path, p))
			if err != nil || len(got) != 1 || got[0].Outcome != Found {
				t.Fatalf("%+v, %v", got, err)
			}
			text := tt.head + "gateway: home\ndata_dir: data\npumps:\n"
			for _, pump := range got[0].Pumps {
				text += pump.Entry
			}
			c, err := config.Parse("c.yaml", []byte(text), config.Drivers{"c": p.Make})
			if err != nil || len(c.Pumps) != len(got[0].Pumps) {
				t.Fatalf("%v\n%s", err, text)
			}
			for i, pump := range got[0].Pumps {
				q := c.Pumps[i]
				if q.Port != path || q.Settings["mode"] != "yes: no" || tt.profile.Identity == drivers.IdentityStrong && q.Serial != pump.Serial {
					t.Errorf("%+v of %s", q, text)
				}
			}
		})
	}
}

func TestAPortThatCannotBeOpenedEndsIt(t *testing.T) {
	path := filepath.Join(t.TempDir(), "none")
	got, err := Run(t.Context(), options(t, path, protocol("a", drivers.Profile{}), protocol("b", drivers.Profile{})))
	if err != nil || len(got) != 1 || got[0].Outcome != PortFailed || !strings.Contains(got[0].Error, "plug in the pump's cable") {
		t.Errorf("%+v, %v", got, err)
	}
}

// Covers GW-130.
func TestSelect(t *testing.T) {
	table := map[string]func(map[string]string) (drivers.Driver, error){
		"harmless": protocol("harmless", drivers.Profile{}).Make,
		"beats":    protocol("beats", drivers.Profile{Allow: drivers.AllowList{{Name: "beat", Exact: []byte("!"), SideEffect: "it starts to send"}}}).Make,
	}
	for _, tt := range []struct {
		words string
		want  []string
		left  map[string]string
		err   string
	}{
		{words: "harmless", want: []string{"harmless"}, left: map[string]string{}},
		{words: "beats", want: []string{"beats"}, left: map[string]string{}},
		{words: "all", want: []string{"harmless"}, left: map[string]string{"beats": "it starts to send"}},
		{words: "all beats", want: []string{"harmless", "beats"}, left: map[string]string{}},
		{words: "beats beats", want: []string{"beats"}, left: map[string]string{}},
		{words: "harmles", err: `protocol "harmles" is not known; known are beats, harmless and all`},
		{words: "", err: "no protocol is named"},
	} {
		t.Run(tt.words, func(t *testing.T) {
			names, left, err := Select(strings.Fields(tt.words), table)
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Errorf("select = %v, want %s", err, tt.err)
				}
				return
			}
			if diff := cmp.Diff(tt.want, names); diff != "" || err != nil {
				t.Errorf("%v, %s", err, diff)
			}
			if diff := cmp.Diff(tt.left, left); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// The speed is tried where it is a setting that was not given, and never behind a device server.
func TestSpeeds(t *testing.T) {
	p := Protocol{Name: "x", Make: func(s map[string]string) (drivers.Driver, error) {
		baud := map[string]int{"": 19200, "9600": 9600, "19200": 19200, "38400": 38400}[s["baud"]]
		if baud == 0 {
			return nil, errors.New("baud")
		}
		return asker{"x", drivers.Profile{Line: drivers.LineSettings{Baud: baud}}}, nil
	}}
	tries := func(address string) int { return len(candidates(p, address)) }
	if n := tries("/dev/x"); n != 3 {
		t.Errorf("%d tries, want the default and two", n)
	}
	if n := tries("tcp://127.0.0.1:1"); n != 1 {
		t.Errorf("%d tries over TCP", n)
	}
	p.Settings = map[string]string{"baud": "9600"}
	if n := tries("/dev/x"); n != 1 {
		t.Errorf("%d tries of a given speed", n)
	}
}
