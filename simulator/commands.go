package simulator

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"infusiond/simulator/fault"
	"infusiond/simulator/mivafront"
	"infusiond/simulator/pumpmodel"
)

// ErrCommand says that a command or one of its arguments is not known.
var ErrCommand = errors.New("command not understood")

// command is one act that a person can do to a pump, its patient, line or wire.
type command struct {
	name, usage, help string
	args              []string // keys that it takes
	positions         int      // least number of values without a key
	most              int      // greatest number of them
	act               func(u *unit, a arguments) error
}

// arguments are what follows the name of a command.
type arguments struct {
	values []string
	keys   map[string]string
}

func (a arguments) duration(key string, otherwise time.Duration) (time.Duration, error) {
	value, given := a.keys[key]
	if !given {
		return otherwise, nil
	}
	d, err := time.ParseDuration(value)
	if err != nil || d < 0 {
		return 0, fmt.Errorf("%w: %s=%q is not a duration such as 20s", ErrCommand, key, value)
	}
	return d, nil
}

func (a arguments) number(key string, otherwise float64) (float64, error) {
	value, given := a.keys[key]
	if !given {
		return otherwise, nil
	}
	return parse(value)
}

func parse(value string) (float64, error) {
	v, err := strconv.ParseFloat(value, 64)
	if err != nil {
		return 0, fmt.Errorf("%w: %q is not a number", ErrCommand, value)
	}
	return v, nil
}

// one turns an act with one number into a command's act.
func one(act func(u *unit, v float64) error) func(*unit, arguments) error {
	return func(u *unit, a arguments) error {
		v, err := parse(a.values[0])
		if err != nil {
			return err
		}
		return act(u, v)
	}
}

func plain(act func(u *unit) error) func(*unit, arguments) error {
	return func(u *unit, _ arguments) error { return act(u) }
}

// commands is the table of everything that can be done to a pump.
func commands() []command {
	return append(keypad(), append(world(), wires()...)...)
}

// keypad holds what a person does at the pump.
func keypad() []command {
	return []command{
		{"run", "run", "press start; refused while a stopping alarm is active", nil, 0, 0, plain(func(u *unit) error { return u.model.Run() })},
		{"pause", "pause", "press pause", nil, 0, 0, plain(func(u *unit) error { return u.model.Pause() })},
		{"stop", "stop", "press stop; run resumes the infusion", nil, 0, 0, plain(func(u *unit) error { return u.model.Stop() })},
		{"ack", "ack", "acknowledge the alarms at the pump", nil, 0, 0, plain(func(u *unit) error { return u.model.Acknowledge() })},
		{"rate", "rate ML_PER_H", "program another rate: pause, set, run", nil, 1, 1, one(func(u *unit, v float64) error { return u.model.SetRate(v) })},
		{"vtbi", "vtbi ML", "program another volume to be infused", nil, 1, 1, one(func(u *unit, v float64) error { return u.model.SetVTBI(v) })},
		{"bolus", "bolus ML [rate=ML_PER_H]", "demand dose while running, at 10 times the rate unless said", []string{"rate"}, 1, 1, giveBolus},
		{"bag", "bag ML [set=new]", "hang a new bag: a running pump stops, hangs and begins a new infusion; set=new changes the line too", []string{"set"}, 1, 1, hangBag},
		{"battery", "battery PERCENT", "put in cells with this charge", nil, 1, 1, one(func(u *unit, v float64) error { return u.model.SetBattery(v / 100) })},
		{"power", "power on|off", "switch the pump on or off", nil, 1, 1, func(u *unit, a arguments) error {
			return onOff(a.values[0], u.model.PowerOn, u.model.PowerOff)
		}},
		{"reboot", "reboot", "restart as after a crash: counter at zero, stopped", nil, 0, 0, plain(func(u *unit) error { return u.model.Reboot() })},
		{"clock", "clock STEP", "move the pump's clock, e.g. 1h or -30s", nil, 1, 1, func(u *unit, a arguments) error {
			d, err := time.ParseDuration(strings.TrimPrefix(a.values[0], "+"))
			if err != nil {
				return fmt.Errorf("%w: %q is not a duration such as 1h or -30s", ErrCommand, a.values[0])
			}
			u.model.StepClock(d)
			return nil
		}},
		{"alarm", "alarm CODE [bits=N]", "announce an alarm without its cause; bits is the pump's own fault code", []string{"bits"}, 1, 1, injectAlarm},
	}
}

func giveBolus(u *unit, a arguments) error {
	volume, err := parse(a.values[0])
	if err != nil {
		return err
	}
	rate, err := a.number("rate", min(10*u.model.View().Program.Rate, u.o.Physics.MaxRate))
	if err != nil {
		return err
	}
	return u.model.GiveBolus(volume, rate)
}

func hangBag(u *unit, a arguments) error {
	volume, err := parse(a.values[0])
	if err != nil {
		return err
	}
	if set, given := a.keys["set"]; given && set != "new" {
		return fmt.Errorf("%w: set=%q, known set=new", ErrCommand, set)
	}
	moving := u.model.View().State.Moving()
	if err := u.model.NewBag(volume, a.keys["set"] == "new"); err != nil || !moving {
		return err
	}
	return u.model.Run()
}

func injectAlarm(u *unit, a arguments) error {
	code := pumpmodel.Alarm(a.values[0])
	var known []string
	for _, k := range pumpmodel.Alarms() {
		if mivafront.Describe().Announces(k) {
			known = append(known, string(k))
			if k == code {
				bits, err := a.number("bits", 2)
				if err != nil {
					return err
				}
				return u.model.Inject(code, uint16(bits))
			}
		}
	}
	return fmt.Errorf("%w: alarm %q, this pump knows %s", ErrCommand, code, strings.Join(known, ", "))
}

func onOff(word string, on, off func() error) error {
	switch word {
	case "on":
		return on()
	case "off":
		return off()
	}
	return fmt.Errorf("%w: %q, known on and off", ErrCommand, word)
}

// world holds what happens to line, bag and patient.
func world() []command {
	return []command{
		{"occlude", "occlude [side=downstream|upstream] [in=DURATION] [share=0..1]", "close the line; in: it was closed before, the alarm comes about then", []string{"side", "in", "share"}, 0, 0, occlude},
		{"release", "release", "open and join the line, unblock the set, mend the motor", nil, 0, 0, plain(func(u *unit) error { u.model.Release(); return nil })},
		{"disconnect", "disconnect", "take the line off the patient: no alarm, the counter goes on", nil, 0, 0, plain(func(u *unit) error { u.model.Disconnect(true); return nil })},
		{"block", "block [share=0..1]", "block the set without pressure or alarm; share still flows", []string{"share"}, 0, 0, func(u *unit, a arguments) error {
			share, err := a.number("share", 0)
			if err != nil {
				return err
			}
			return u.model.Block(share)
		}},
		{"motor", "motor FACTOR", "command this share of the strokes while the pump reports its rate", nil, 1, 1, one(func(u *unit, v float64) error { return u.model.SlowMotor(v) })},
		{"freeze", "freeze on|off", "repeat the present values with good checksums", nil, 1, 1, func(u *unit, a arguments) error {
			set := func(on bool) func() error { return func() error { u.front.Freeze("", on); return nil } }
			return onOff(a.values[0], set(true), set(false))
		}},
	}
}

func occlude(u *unit, a arguments) error {
	in, err := a.duration("in", 0)
	if err != nil {
		return err
	}
	share, err := a.number("share", 1)
	if err != nil {
		return err
	}
	switch side := a.keys["side"]; {
	case side == "upstream" && in == 0 && share == 1:
		u.model.OccludeUpstream(true)
		return nil
	case side == "upstream":
		return fmt.Errorf("%w: in and share are for side=downstream", ErrCommand)
	case side != "" && side != "downstream":
		return fmt.Errorf("%w: side=%q, known downstream and upstream", ErrCommand, side)
	case in > 0 && share != 1:
		return fmt.Errorf("%w: in needs a closed line, share=1", ErrCommand)
	case in > 0:
		return u.model.Pressurise(time.Duration(float64(in) * u.speed))
	}
	return u.model.OccludeDownstream(share)
}

// wires holds what happens to the serial line.
func wires() []command {
	list := []command{
		{"unplug", "unplug [for=DURATION]", "take the device away, and put it back after a while", []string{"for"}, 0, 0, unplug},
		{"replug", "replug [link=PATH]", "put the device back, perhaps under another name", []string{"link"}, 0, 0, func(u *unit, a arguments) error { return u.replug(a.keys["link"]) }},
		{"drop", "drop", "close the TCP connection of the host", nil, 0, 0, plain(func(u *unit) error {
			if u.tcp == nil {
				return fmt.Errorf("%w: this pump has no TCP line", ErrCommand)
			}
			return u.tcp.Drop()
		})},
		{"clean", "clean", "end every wire fault", nil, 0, 0, plain(func(u *unit) error { u.wire.Clear(); return nil })},
		{"sensors", "sensors on|off", "send S9 frames unasked, one a second", nil, 1, 1, func(u *unit, a arguments) error {
			set := func(on bool) func() error { return func() error { u.front.SendSensors(on); return nil } }
			return onOff(a.values[0], set(true), set(false))
		}},
		{"blank", "blank N", "leave N records of the log unwritten, at most 1000", nil, 1, 1, one(func(u *unit, v float64) error {
			if !(v >= 1 && v <= 1000) {
				return fmt.Errorf("%w: %v records, known 1 to 1000", ErrCommand, v)
			}
			u.front.AppendBlank(int(v))
			return nil
		})},
	}
	share := map[fault.Kind]float64{fault.Noise: 0.01, fault.Drop: 0.01}
	help := map[fault.Kind]string{
		fault.Noise: "turn bits of answers", fault.Drop: "lose bytes of answers", fault.Checksum: "spoil checksums", fault.Late: "answer late",
		fault.Silence: "do not answer", fault.Stale: "give the answer to the query before", fault.Echo: "return the query first", fault.Garbage: "send random bytes first",
	}
	for _, kind := range fault.Kinds() {
		usual := 1.0
		if s, less := share[kind]; less {
			usual = s
		}
		usage, keys := fmt.Sprintf("%s [rate=0..1] [for=DURATION]", kind), []string{"rate", "for"}
		if kind == fault.Late {
			usage, keys = usage+" [delay=DURATION]", append(keys, "delay")
		}
		text := fmt.Sprintf("%s; rate %v unless said", help[kind], usual)
		list = append(list, command{string(kind), usage, text, keys, 0, 0, func(u *unit, a arguments) error { return spoil(u, kind, usual, a) }})
	}
	return list
}

func spoil(u *unit, kind fault.Kind, usual float64, a arguments) error {
	rate, err := a.number("rate", usual)
	if err != nil {
		return err
	}
	last, err := a.duration("for", 0)
	if err != nil {
		return err
	}
	delay, err := a.duration("delay", 700*time.Millisecond)
	if err != nil {
		return err
	}
	return u.wire.Add(u.last, fault.Fault{Kind: kind, Rate: rate, For: last, Delay: delay})
}
