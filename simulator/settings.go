package simulator

import (
	"fmt"
	"strconv"
	"time"

	"infusiond/simulator/pumpmodel"
)

// setting is one key that every pump description may hold.
type setting struct {
	key, help string
	set       func(o *PumpOptions, value string) error
}

func number(target func(*PumpOptions) *float64) func(*PumpOptions, string) error {
	return func(o *PumpOptions, value string) error {
		v, err := strconv.ParseFloat(value, 64)
		if err != nil {
			return fmt.Errorf("%q is not a number", value)
		}
		*target(o) = v
		return nil
	}
}

func text(target func(*PumpOptions) *string) func(*PumpOptions, string) error {
	return func(o *PumpOptions, value string) error {
		*target(o) = value
		return nil
	}
}

func percent(target func(*PumpOptions) *float64) func(*PumpOptions, string) error {
	set := number(target)
	return func(o *PumpOptions, value string) error {
		if err := set(o, value); err != nil {
			return err
		}
		*target(o) /= 100
		return nil
	}
}

// settings is the table of what any pump description may hold.
func settings() []setting {
	return []setting{
		{"name", "name of the pump, a-z 0-9 and hyphen", text(func(o *PumpOptions) *string { return &o.Name })},
		{"model", "protocol: " + modelNames(), text(func(o *PumpOptions) *string { return &o.Model })},
		{"serial", "serial number; a simulator's form unless pretend=yes", text(func(o *PumpOptions) *string { return &o.Serial })},
		{"pretend", "yes allows a serial number that a real pump may have", choose(map[string]func(*PumpOptions){
			"yes": func(o *PumpOptions) { o.Pretend = true }, "no": func(o *PumpOptions) { o.Pretend = false },
		})},
		{"link", "symbolic link to the pseudo-terminal", text(func(o *PumpOptions) *string { return &o.Link })},
		{"tcp", "host:port of a simulated serial server", text(func(o *PumpOptions) *string { return &o.TCP })},
		{"line", "pumps with the same line, link or tcp share one line", text(func(o *PumpOptions) *string { return &o.Line })},
		{"address", "address on a shared line; the next free one unless said", text(func(o *PumpOptions) *string { return &o.Address })},
		{"baud", "speed of the line, bits per second", func(o *PumpOptions, value string) (err error) {
			if o.Baud, err = strconv.Atoi(value); err != nil {
				return fmt.Errorf("%q: known %v", value, bauds)
			}
			return nil
		}},
		{"program", "name of the program, e.g. DAILY 1", text(func(o *PumpOptions) *string { return &o.Program })},
		{"drug", "drug; the pump says it only where its protocol can", text(func(o *PumpOptions) *string { return &o.Drug })},
		{"rate", "programmed rate, mL/h", number(func(o *PumpOptions) *float64 { return &o.Rate })},
		{"vtbi", "volume to be infused, mL", number(func(o *PumpOptions) *float64 { return &o.VTBI })},
		{"bag", "bag, mL; the pump then counts it down", number(func(o *PumpOptions) *float64 { return &o.Bag })},
		{"start", "running or stopped", choose(map[string]func(*PumpOptions){
			"running": func(o *PumpOptions) { o.Stopped = false }, "stopped": func(o *PumpOptions) { o.Stopped = true },
		})},
		{"kvo", "keep-vein-open after the end: mL/h, 0 stops; set: the set rate goes on; byrate: 3, 1 mL/h or the set rate", setKVO},
		{"stroke", "volume of a stroke, mL", number(func(o *PumpOptions) *float64 { return &o.Physics.StrokeML })},
		{"resolution", "resolution of the volume counter, mL", number(func(o *PumpOptions) *float64 { return &o.Physics.CounterStepML })},
		{"compliance", "compliance of the line, mL/bar", number(func(o *PumpOptions) *float64 { return &o.Physics.ComplianceMLPerBar })},
		{"limit", "downstream occlusion limit, mbar", number(func(o *PumpOptions) *float64 { return &o.Physics.LimitMbar })},
		{"rollover", "the volume counter goes back to zero here, mL", number(func(o *PumpOptions) *float64 { return &o.Physics.RolloverML })},
		{"overfill", "mL in a bag beyond its label; 2 mL cannot be drawn out", number(func(o *PumpOptions) *float64 { return &o.Physics.OverfillML })},
		{"battery", "charge at start, percent", percent(func(o *PumpOptions) *float64 { return &o.Physics.StartupCharge })},
		{"drift", "drift of the pump's clock, ppm", number(func(o *PumpOptions) *float64 { return &o.Physics.ClockDriftPPM })},
		{"unattended", "paused so long raises the unattended alarm, e.g. 5m; 0s never", span(func(o *PumpOptions) *time.Duration { return &o.Physics.UnattendedTime })},
		{"reminder", "stopped so long raises a reminder, e.g. 1m; 0s never", span(func(o *PumpOptions) *time.Duration { return &o.Physics.ReminderTime })},
		{"nearend", "so long before the end the pump warns, e.g. 30m; 0s never", span(func(o *PumpOptions) *time.Duration { return &o.Physics.NearEndTime })},
		{"reservoirlow", "reservoir count at which the pump warns, mL; 0 never", number(func(o *PumpOptions) *float64 { return &o.Physics.ReservoirLowML })},
		{"temperature", "of the room, degrees Celsius", number(func(o *PumpOptions) *float64 { return &o.Physics.TemperatureC })},
		{"airdetector", "yes or no: an empty bag ends in an air alarm, or collapses", choose(map[string]func(*PumpOptions){
			"yes": func(o *PumpOptions) { o.Physics.AirDetector = true }, "no": func(o *PumpOptions) { o.Physics.AirDetector = false },
		})},
		{"bagsigma", "relative error of a bag's filling, 0.03 unless said", number(func(o *PumpOptions) *float64 { return &o.Physics.BagSigma })},
		{"cells", "what a change of the battery resets: nothing, counter, clock or both", choose(map[string]func(*PumpOptions){
			"nothing": func(o *PumpOptions) { o.Physics.BatteryResetsCounter, o.Physics.BatteryResetsClock = false, false },
			"counter": func(o *PumpOptions) { o.Physics.BatteryResetsCounter = true },
			"clock":   func(o *PumpOptions) { o.Physics.BatteryResetsClock = true },
			"both":    func(o *PumpOptions) { o.Physics.BatteryResetsCounter, o.Physics.BatteryResetsClock = true, true },
		})},
		{"counter", "new, keeps or sticks: begins anew with an infusion and after its greatest value, does not, stays there", choose(map[string]func(*PumpOptions){
			"new":    func(o *PumpOptions) { o.Physics.CounterKeeps, o.Physics.CounterSticks = false, false },
			"keeps":  func(o *PumpOptions) { o.Physics.CounterKeeps = true },
			"sticks": func(o *PumpOptions) { o.Physics.CounterSticks = true },
		})},
	}
}

func setKVO(o *PumpOptions, value string) error {
	switch value {
	case "set":
		o.Physics.KVO = pumpmodel.KVOSetRate
	case "byrate":
		o.Physics.KVO = pumpmodel.KVOByRate
	default:
		v, err := strconv.ParseFloat(value, 64)
		if err != nil {
			return fmt.Errorf("%q: known a rate in mL/h, set, byrate", value)
		}
		o.Physics.KVO, o.Physics.KVORate = pumpmodel.KVOFixed, v
	}
	return nil
}

// span makes a setter for a time that may be 0.
func span(target func(*PumpOptions) *time.Duration) func(*PumpOptions, string) error {
	return func(o *PumpOptions, value string) error {
		d, err := time.ParseDuration(value)
		if err != nil || d < 0 {
			return fmt.Errorf("%q is not a duration such as 30s or 5m", value)
		}
		*target(o) = d
		return nil
	}
}

// PumpSettings returns one line of help for every key of a pump description.
func PumpSettings() []string {
	var lines []string
	for _, s := range settings() {
		lines = append(lines, fmt.Sprintf("%-12s %s", s.key, s.help))
	}
	for _, p := range protocols() {
		for _, k := range p.keys {
			lines = append(lines, fmt.Sprintf("%-12s %s: %s", k.name, p.Protocol, k.help))
		}
	}
	return lines
}
