package asenafront

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"infusiond/drivers/asena/wire"
	"infusiond/simulator/front"
	"infusiond/simulator/pumpmodel"
)

func newFront(t *testing.T) (*Front, *pumpmodel.Pump) {
	t.Helper()
	setup := pumpmodel.Setup{Program: pumpmodel.Program{Rate: 5, VTBIML: 40}}
	pump, err := pumpmodel.New(Physics(), setup, rand.New(rand.NewPCG(1, 2)))
	if err != nil {
		t.Fatal(err)
	}
	f, err := New(Options{}, []front.Member{{Pump: pump, Serial: "SIM0-00001", Drug: "DOBUTAMINE"}})
	if err != nil {
		t.Fatal(err)
	}
	return f, pump
}

// ask sends one body and returns the body of the answer, empty when there is none.
func ask(t *testing.T, f *Front, body string) string {
	t.Helper()
	out := f.Handle(wire.AppendFrame(nil, []byte(body)))
	if len(out) == 0 {
		return ""
	}
	answer, err := wire.DecodeFrame(out)
	if err != nil {
		t.Fatal(err)
	}
	return string(answer)
}

func TestReadOnlyRequestsAreAnsweredAsTheDocumentSays(t *testing.T) {
	f, pump := newFront(t)
	if err := pump.Run(); err != nil {
		t.Fatal(err)
	}
	pump.Advance(30 * time.Minute)
	for body, want := range map[string]string{
		"INST_SERIALNO": "INST_SERIALNO^SIM0-00001", "COMMS_PROTOCOL": "COMMS_PROTOCOL^Asena Rev 2.1.5", "COMMS_RESPONSE_MAX": "COMMS_RESPONSE_MAX^4000^ms",
		"INF_RATE": "INF_RATE^5.00^ml/h", "INF_VI": "INF_VI^2.500^ml", "INF_VTBI": "INF_VTBI^ACTIV^40.0^ml^STOP",
		"INF_RATE_MAX_SYRINGE": "INF_RATE_MAX_SYRINGE^1200.00^ml/h", "SYRINGE_STATUS": "SYRINGE_STATUS^BD PLASTIPAK^ 50^CONF", "ALARM": "ALARM^AL_NOALM^ ^ ",
	} {
		if got := ask(t, f, body); got != want && (body != "INF_VI" || !strings.HasPrefix(got, "INF_VI^2.")) {
			t.Errorf("%s: %q, want %q", body, got, want)
		}
	}
	inf := strings.Split(ask(t, f, "INF"), "^")
	if len(inf) != 14 || inf[1] != "SIM0-00001" || inf[2] != "-" || inf[3] != "SET" || inf[4] != "5.00" || inf[11] != "07:30:00" && !strings.HasPrefix(inf[11], "07:") {
		t.Errorf("INF: %q", inf)
	}
	if c := f.Counts(); c.Control != 0 || c.Unknown != 0 {
		t.Errorf("counts %+v", c)
	}
}

// The order of a known client: serial number, remote control, rate, start, stop.
func TestControlNeedsRemoteControlThatLapses(t *testing.T) {
	f, pump := newFront(t)
	if got := ask(t, f, "INF_START"); got != "" || pump.View().State != pumpmodel.Stopped {
		t.Errorf("start without remote control: %q", got)
	}
	code := string(wire.AppendCRC(nil, wire.CRC([]byte("SIM0-00001"))))
	if got := ask(t, f, "REMOTE_CTRL^ENABLED^0000"); got != "" {
		t.Errorf("a wrong code is taken: %q", got)
	}
	for _, body := range []string{"REMOTE_CTRL^ENABLED^" + code, "INF_RATE^7.50^ml/h", "INF_START"} {
		if got := ask(t, f, body); got != body {
			t.Errorf("%s: %q", body, got)
		}
	}
	if v := pump.View(); v.State != pumpmodel.Running || v.Rate != 7.5 {
		t.Errorf("the pump does %v at %v", v.State, v.Rate)
	}
	pump.Advance(3 * time.Second)
	if got := ask(t, f, "INF_STOP"); got != "" || pump.View().State != pumpmodel.Running {
		t.Errorf("stop after remote control lapsed: %q", got)
	}
	if c := f.Counts(); c.Control != 6 {
		t.Errorf("%d control commands counted, want 6", c.Control)
	}
}

func TestOneAlarmIsShownTheMostUrgent(t *testing.T) {
	f, pump := newFront(t)
	for _, a := range []pumpmodel.Alarm{pumpmodel.AlarmBatteryLow, pumpmodel.AlarmOcclusionDownstream} {
		if err := pump.Inject(a, 0); err != nil {
			t.Fatal(err)
		}
	}
	if got := ask(t, f, "ALARM"); !strings.HasPrefix(got, "ALARM^AL_OCCLU") {
		t.Errorf("ALARM: %q", got)
	}
	if got := ask(t, f, "INF"); !strings.Contains(got, "^A^HLD^0.00^") {
		t.Errorf("INF: %q", got)
	}
}

func TestFrozenPumpRepeatsItself(t *testing.T) {
	f, pump := newFront(t)
	if err := pump.Run(); err != nil {
		t.Fatal(err)
	}
	pump.Advance(time.Minute)
	f.Freeze("", true)
	before := ask(t, f, "INF")
	pump.Advance(10 * time.Minute)
	if after := ask(t, f, "INF"); after != before {
		t.Errorf("frozen: %q, then %q", before, after)
	}
	f.Freeze("", false)
	if after := ask(t, f, "INF"); after == before {
		t.Error("the pump stays frozen")
	}
}
