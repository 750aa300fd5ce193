package asenafront

import (
	"strconv"
	"strings"
	"time"

	"infusiond/drivers/asena/wire"
	"infusiond/simulator/pumpmodel"
)

// remoteFor is how long remote control lasts without another REMOTE_CTRL^ENABLED; clients repeat it about once a second.
const remoteFor = 2 * time.Second

// leastRate is the slowest rate that a client can set, mL/h (section 1).
const leastRate = 0.1

// obey does what a control body says, as a real pump would, and returns the answer's body; false: refused. The
// gateway must never send one.
func (f *Front) obey(h wire.HostBody) (string, bool) {
	args := strings.Split(string(h.Args), "^")
	switch h.Command {
	case wire.RemoteControl, wire.RemoteConfig:
		return f.remote(h.Command, args)
	case wire.RemoteQuery:
		return "REMQUERY^DEACT^^^^", args[0] == "DEACT"
	case wire.StartInfusion, wire.StopInfusion, wire.SetRate, wire.SetVTBI, wire.Bolus, wire.ClearVolume:
		if f.o.Now() >= f.remoteUntil {
			return "", false
		}
	case wire.NoCommand:
		return "", false
	}
	switch h.Command { //nolint:exhaustive // the others were answered above
	case wire.StartInfusion:
		return h.Command.String(), h.Args == nil && f.pump.Run() == nil
	case wire.StopInfusion:
		return h.Command.String(), h.Args == nil && f.stop()
	case wire.SetRate:
		return f.setRate(args)
	case wire.SetVTBI:
		return f.setVTBI(args)
	case wire.Bolus: // its volume and rate are not known; clients only switch it on and off
		return "INF_BOLUS^" + args[0], args[0] == "ENABLED" || args[0] == "DISABLED"
	case wire.ClearVolume:
		if h.Args == nil {
			f.clearedML = f.pump.View().InfusedML
		}
		return h.Command.String(), h.Args == nil
	}
	return "", false
}

// remote takes, keeps or gives back remote control. The code is the checksum of the serial number.
func (f *Front) remote(c wire.Command, args []string) (string, bool) {
	code := string(wire.AppendCode(nil, wire.Checksum([]byte(f.member.Serial))))
	switch {
	case args[0] == "ENABLED" && len(args) == 2 && args[1] == code:
		if c == wire.RemoteControl {
			f.remoteUntil = f.o.Now() + remoteFor
		}
	case args[0] == "DISABLED":
		if c == wire.RemoteControl {
			f.remoteUntil = 0
		}
	default:
		return "", false
	}
	return c.String() + "^" + args[0] + "^****^PERMIT^0^ms", true
}

// stop ends a movement; a pump that stands still stays so, which is no refusal.
func (f *Front) stop() bool {
	return !f.pump.View().State.Moving() || f.pump.Stop() == nil
}

func (f *Front) setRate(args []string) (string, bool) {
	if len(args) != 2 || args[1] != "ml/h" {
		return "", false
	}
	rate, err := strconv.ParseFloat(args[0], 64)
	if err != nil || !(rate >= leastRate) || f.pump.SetRate(rate) != nil {
		return "", false
	}
	return "INF_RATE^" + decimal(rate, 2) + "^ml/h", true
}

// setVTBI takes ACTIV^volume^ml^STOP or DEACT. A volume that was infused already is refused, as it would
// end the infusion at once.
func (f *Front) setVTBI(args []string) (string, bool) {
	if args[0] == "DEACT" {
		return "INF_VTBI^DEACT^^^", f.pump.SetVTBI(noVTBI) == nil
	}
	if len(args) != 4 || args[0] != "ACTIV" || args[2] != "ml" || args[3] != "STOP" {
		return "", false
	}
	ml, err := strconv.ParseFloat(args[1], 64)
	if err != nil || !(ml > f.infusing()) || ml >= noVTBI || f.pump.SetVTBI(ml) != nil {
		return "", false
	}
	return "INF_VTBI^ACTIV^" + decimal(ml, 3) + "^ml^STOP", true
}

// infusing is the volume of an infusion that is going, zero when the next start begins a new one.
func (f *Front) infusing() float64 {
	if v := f.pump.View(); v.State == pumpmodel.Running || v.State == pumpmodel.Bolus || v.State == pumpmodel.Paused {
		return v.InfusedML
	}
	return 0
}
