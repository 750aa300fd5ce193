package asenafront

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"infusiond/simulator/front"
	"infusiond/simulator/pumpmodel"
)

// clock is the time on the wire.
type clock struct{ now time.Duration }

func (c *clock) read() time.Duration { return c.now }

func controlled(t *testing.T) (*Front, *pumpmodel.Pump, *clock) {
	c := &clock{}
	f, p := newFront(t, Options{Now: c.read}, front.Member{Serial: "8002-51740"})
	return f, p, c
}

// A17 takes remote control, A16 stops; both are the document's bytes.
// Covers GW-11.
func TestRemoteControlByTheDocumentsBytes(t *testing.T) {
	f, p, _ := controlled(t)
	if err := p.Run(); err != nil {
		t.Fatal(err)
	}
	stop := unhex(t, "21 49 4E 46 5F 53 54 4F 50 7C 43 44 35 37 0D")
	if out := f.Handle(stop); out != nil || p.View().State != pumpmodel.Running {
		t.Errorf("stopped without remote control: % X", out)
	}
	take := unhex(t, "21 52 45 4D 4F 54 45 5F 43 54 52 4C 5E 45 4E 41 42 4C 45 44 5E 33 43 43 31 7C 42 31 46 31 0D")
	if got := string(f.Handle(take)); got != "!REMOTE_CTRL^ENABLED^****^PERMIT^0^ms|7BB0\r" {
		t.Errorf("remote control: %q", got)
	}
	if out := f.Handle(stop); !bytes.Equal(out, stop) || p.View().State != pumpmodel.Stopped {
		t.Errorf("stop: % X, state %v", out, p.View().State)
	}
	if c := f.Counts(); c.Control != 3 || c.Unknown != 1 {
		t.Errorf("counts %+v", c)
	}
}

// What the published clients send, as their sources have it, and what they want back.
func TestThirdPartyClients(t *testing.T) {
	rows := []struct {
		name     string
		exchange [][2]string // request, what the reply must be
	}{
		{"infupy", [][2]string{
			{"INST_SERIALNO", "INST_SERIALNO^8002-51740"},
			{"REMOTE_CTRL^ENABLED^3CC1", "REMOTE_CTRL^ENABLED^****^PERMIT^0^ms"},
			{"REMOTE_CFG^ENABLED^3CC1", "REMOTE_CFG^ENABLED^****^PERMIT^0^ms"},
			{"INF_RATE^7.5^ml/h", "INF_RATE^7.50^ml/h"},
			{"INF_RATE", "INF_RATE^7.50^ml/h"},
			{"INF_START", "INF_START"},
			{"INF_VI", "INF_VI^0.000^ml"},
			{"INF_STOP", "INF_STOP"},
			{"REMOTE_CTRL^DISABLED", "REMOTE_CTRL^DISABLED^****^PERMIT^0^ms"},
			{"REMOTE_CFG^DISABLED", "REMOTE_CFG^DISABLED^****^PERMIT^0^ms"},
		}},
		{"mdpnp Asena", [][2]string{
			{"INST_SERIALNO", "INST_SERIALNO^8002-51740"},
			{"COMMS_RESPONSE_MAX", "COMMS_RESPONSE_MAX^4000^ms"},
			{"COMMS_PROTOCOL", "COMMS_PROTOCOL^Asena Rev 2.1.5"},
			{"REMOTE_CTRL^ENABLED^3CC1", "REMOTE_CTRL^ENABLED^****^PERMIT^0^ms"},
			{"INF_VTBI", "INF_VTBI^ACTIV^20.000^ml^STOP"},
			{"INF_VTBI^ACTIV^11.000^ml^STOP", "INF_VTBI^ACTIV^11.000^ml^STOP"},
			{"INF_RATE^0.10^ml/h", "INF_RATE^0.10^ml/h"},
			{"INF_START", "INF_START"},
			{"INF_VTBI^DEACT", "INF_VTBI^DEACT^^^"},
			{"INF_VTBI", "INF_VTBI^DEACT^^^"},
			{"INF_BOLUS^ENABLED", "INF_BOLUS^ENABLED"},
			{"INF_VI_CLEAR", "INF_VI_CLEAR"},
			{"REMQUERY^DEACT", "REMQUERY^DEACT^^^^"},
		}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			f, _, _ := controlled(t)
			var sent []string
			for _, e := range row.exchange {
				sent = append(sent, e[0])
				if got := ask(t, f, e[0]); got != e[1] {
					t.Errorf("%s: %q, want %q", e[0], got, e[1])
				}
			}
			if d := cmp.Diff(sent, f.Received()); d != "" {
				t.Errorf("recorded (-want +got):\n%s", d)
			}
			if c := f.Counts(); c.Unknown != 0 || c.BadFrames != 0 || c.Control < 6 {
				t.Errorf("counts %+v", c)
			}
		})
	}
	// infupy wants exactly one bar in a reply, and mdpnp a third field in INF_VTBI and fourteen in INF.
	f, _, _ := controlled(t)
	for _, body := range []string{"INF", "INF_VTBI", "ALARM"} {
		if out := f.Handle(frameOf(body)); bytes.Count(out, []byte("|")) != 1 || out[len(out)-1] != '\r' {
			t.Errorf("%s: %q", body, out)
		}
	}
	if n := len(strings.Split(ask(t, f, "INF"), "^")); n != 14 {
		t.Errorf("INF has %d fields", n)
	}
}

func frameOf(body string) []byte {
	return []byte("!" + body + "|" + map[string]string{"INF": "4961", "INF_VTBI": "8456", "ALARM": "50B2"}[body] + "\r")
}

func TestRemoteControlLapses(t *testing.T) {
	f, p, c := controlled(t)
	ask(t, f, "REMOTE_CTRL^ENABLED^3CC1")
	for range 5 { // kept alive once a second
		c.now += time.Second
		if got := ask(t, f, "INF_RATE^6^ml/h"); got != "INF_RATE^6.00^ml/h" {
			t.Fatalf("at %v: %q", c.now, got)
		}
		ask(t, f, "REMOTE_CTRL^ENABLED^3CC1")
	}
	c.now += 2 * time.Second
	if got := ask(t, f, "INF_START"); got != "" || p.View().State != pumpmodel.Stopped {
		t.Errorf("lapsed, and obeyed: %q", got)
	}
	ask(t, f, "REMOTE_CTRL^ENABLED^3CC1")
	ask(t, f, "REMOTE_CTRL^DISABLED")
	if got := ask(t, f, "INF_START"); got != "" {
		t.Errorf("given back, and obeyed: %q", got)
	}
}

func TestWhatControlRefuses(t *testing.T) {
	f, p, _ := controlled(t)
	ask(t, f, "REMOTE_CTRL^ENABLED^3CC1")
	before := p.View()
	for i, body := range []string{
		"REMOTE_CTRL^ENABLED^3CC2", "REMOTE_CTRL^ENABLED", "REMOTE_CTRL", "REMQUERY^ACTIV", "INF_RATE^0.05^ml/h", "INF_RATE^1200.01^ml/h",
		"INF_RATE^5^ml/min", "INF_RATE^", "INF_RATE^x^ml/h", "INF_RATE^NaN^ml/h", "INF_VTBI^ACTIV^x^ml^STOP", "INF_VTBI^ACTIV^5^ml^KVO",
		"INF_VTBI^ACTIV", "INF_BOLUS^5^ml", "INF_START^1", "INF_VI_CLEAR^1", "INF_PURGE_RATE^1^ml/h", "INF_",
	} {
		if got := ask(t, f, body); got != "" {
			t.Errorf("%s: %q", body, got)
		}
		if c := f.Counts(); c.Unknown != i+1 {
			t.Errorf("%s: counts %+v", body, c)
		}
	}
	if after := p.View(); after.State != before.State || after.Program != before.Program {
		t.Errorf("%+v, before %+v", after, before)
	}
}

func TestClearedVolumeIsShownFromZero(t *testing.T) {
	f, p, _ := controlled(t)
	if err := p.Run(); err != nil {
		t.Fatal(err)
	}
	p.Advance(time.Hour)
	ask(t, f, "REMOTE_CTRL^ENABLED^3CC1")
	if got := ask(t, f, "INF_VI_CLEAR"); got != "INF_VI_CLEAR" || ask(t, f, "INF_VI") != "INF_VI^0.000^ml" {
		t.Errorf("%q, then %q", got, ask(t, f, "INF_VI"))
	}
	p.Advance(time.Hour)
	if got := ask(t, f, "INF_VI"); !aboutFive(got) {
		t.Errorf("%q", got)
	}
	// A new infusion counts from zero by itself.
	if err := p.NewBag(50, false); err != nil {
		t.Fatal(err)
	}
	if err := p.Run(); err != nil {
		t.Fatal(err)
	}
	ask(t, f, "INF")
	p.Advance(time.Hour)
	if got := ask(t, f, "INF_VI"); !aboutFive(got) {
		t.Errorf("new infusion: %q", got)
	}
}

// aboutFive leaves room for a stroke of a microlitre that is under way.
func aboutFive(body string) bool {
	return slices.Contains([]string{"INF_VI^4.999^ml", "INF_VI^5.000^ml", "INF_VI^5.001^ml"}, body)
}
