package asenafront

import (
	"fmt"
	"strconv"
	"strings"

	"infusiond/drivers/asena/wire"
	"infusiond/simulator/front"
	"infusiond/simulator/pumpmodel"
)

// command does what a client asks that is no read-only request, and echoes it. A refused or unknown one is not answered.
func (f *Front) command(out []byte, body string) []byte {
	words := strings.Split(body, "^")
	act, known := map[string]func([]string) error{
		"REMOTE_CTRL": f.remoteControl, "REMOTE_CFG": f.accept, "REMQUERY": f.accept, "INF_START": f.start, "INF_STOP": f.stop,
		"INF_RATE": f.setRate, "INF_VTBI": f.setVTBI, "INF_BOLUS": f.bolus, "INF_VI_CLEAR": f.clearVolume,
	}[words[0]]
	if !known {
		f.counts.Unknown++
		return out
	}
	f.counts.Control++
	if f.m.Pump.Elapsed() > f.remote {
		f.held = false
	}
	if err := act(words[1:]); err != nil {
		f.counts.Unknown++
		return out
	}
	return wire.AppendFrame(out, []byte(body))
}

func (f *Front) accept([]string) error { return nil }

// remoteControl takes, renews or gives back remote control. The code is the CRC of the serial number.
func (f *Front) remoteControl(words []string) error {
	if len(words) > 0 && words[0] == "DISABLED" {
		f.held = false
		return nil
	}
	code := string(wire.AppendCRC(nil, wire.CRC([]byte(f.m.Serial))))
	if len(words) != 2 || words[0] != "ENABLED" || words[1] != code {
		return fmt.Errorf("remote control %q: %w", words, errNoControl)
	}
	f.held, f.remote = true, f.m.Pump.Elapsed()+remoteTime
	return nil
}

func (f *Front) controlled(act func() error) error {
	if !f.held {
		return errNoControl
	}
	return act()
}

func (f *Front) start([]string) error { return f.controlled(f.m.Pump.Run) }

func (f *Front) stop([]string) error { return f.controlled(f.m.Pump.Stop) }

func value(words []string, i int) (float64, error) {
	if i >= len(words) {
		return 0, errNoControl
	}
	return strconv.ParseFloat(strings.TrimSpace(words[i]), 64)
}

func (f *Front) setRate(words []string) error {
	rate, err := value(words, 0)
	if err != nil {
		return err
	}
	return f.controlled(func() error { return f.m.Pump.SetRate(rate) })
}

func (f *Front) setVTBI(words []string) error {
	if len(words) > 0 && words[0] == "DEACT" {
		return f.controlled(func() error { f.vtbi = false; return nil })
	}
	i := 0
	if len(words) > 0 && words[0] == "ACTIV" {
		i = 1
	}
	ml, err := value(words, i)
	if err != nil {
		return err
	}
	return f.controlled(func() error {
		f.vtbi = true
		return f.m.Pump.SetVTBI(ml)
	})
}

// bolus takes volume mL and rate mL/h; without a rate the pump uses 200 mL/h.
func (f *Front) bolus(words []string) error {
	ml, err := value(words, 0)
	if err != nil {
		return err
	}
	rate := 200.0
	for i := 1; i < len(words); i++ {
		if r, err := value(words, i); err == nil {
			rate = r
		}
	}
	return f.controlled(func() error { return f.m.Pump.GiveBolus(ml, rate) })
}

// clearVolume counts from zero: the model does so with a new infusion.
func (f *Front) clearVolume([]string) error {
	return f.controlled(f.m.Pump.ClearVolume)
}

// Physics returns the limits and resolutions of a syringe pump of this kind: small strokes, a syringe that
// stretches (0.9 to 2.1 mL/bar), no sensor towards the bag and none for air.
func Physics() pumpmodel.Config {
	c := pumpmodel.Default()
	c.StrokeML, c.CounterStepML, c.RateStep, c.MaxRate = 0.001, 0.001, 0.01, 1200
	c.ComplianceMLPerBar = 1
	c.UpstreamSensor, c.AirDetector = false, false
	return c
}

// Describe declares what such a pump is like.
func Describe() front.Info {
	return front.Info{
		Protocol: "asena", Models: "Alaris / Asena GS, GH, CC, TIVA", Baud: Baud, Gap: Gap, Serial: "SIM0-00001", OneAlarm: true,
		Announces: func(a pumpmodel.Alarm) bool { _, known := codes[a]; return known },
		Physics:   Physics,
		CannotSay: []string{
			"more than one alarm at a time", "its event log: only that something new stands in it", "battery charge or voltage",
			"air in the line and occlusion towards the syringe", "a reservoir count",
		},
	}
}
