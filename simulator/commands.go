package simulator

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

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
	act               func(p *pump, a arguments) error
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
func one(act func(p *pump, v float64) error) func(*pump, arguments) error {
	return func(p *pump, a arguments) error {
		v, err := parse(a.values[0])
		if err != nil {
			return err
		}
		return act(p, v)
	}
}

func plain(act func(p *pump) error) func(*pump, arguments) error {
	return func(p *pump, _ arguments) error { return act(p) }
}

// commands is the table of everything that can be done to a pump.
func commands() []command {
	return slices.Concat(keypad(), world(), cable(), wires())
}

// keypad holds what a person does at the pump.
func keypad() []command {
	return []command{
		{"run", "run", "press start; refused while a stopping alarm is active", nil, 0, 0, plain(func(p *pump) error { return p.model.Run() })},
		{"pause", "pause", "press pause", nil, 0, 0, plain(func(p *pump) error { return p.model.Pause() })},
		{"stop", "stop", "press stop; run resumes the infusion", nil, 0, 0, plain(func(p *pump) error { return p.model.Stop() })},
		{"ack", "ack", "acknowledge the alarms at the pump", nil, 0, 0, plain(func(p *pump) error { return p.model.Acknowledge() })},
		{"rate", "rate ML_PER_H", "program another rate: pause, set, run", nil, 1, 1, one(func(p *pump, v float64) error { return p.model.SetRate(v) })},
		{"vtbi", "vtbi ML", "program another volume to be infused", nil, 1, 1, one(func(p *pump, v float64) error { return p.model.SetVTBI(v) })},
		{"bolus", "bolus ML [rate=ML_PER_H]", "demand dose while running, at 10 times the rate unless said", []string{"rate"}, 1, 1, giveBolus},
		{"load", "load ML [rate=ML_PER_H]", "loading dose, also as the start of an infusion, at 10 times the rate unless said", []string{"rate"}, 1, 1, giveLoad},
		{"clear", "clear", "set the volume counter to zero", nil, 0, 0, plain(func(p *pump) error { return p.model.ClearVolume() })},
		{"quiet", "quiet", "switch the sound of the alarms off for a while; they stay announced", nil, 0, 0, plain(func(p *pump) error { return p.model.Silence() })},
		{"door", "door open|closed", "open or close the door; a running pump stops", nil, 1, 1, func(p *pump, a arguments) error {
			return either(a.values[0], "open", "closed", func(open bool) error { p.model.OpenDoor(open); return nil })
		}},
		{"detach", "detach", "take the set off the pump: one that runs stops at once, one that stands warns later", nil, 0, 0, plain(func(p *pump) error { p.model.Detach(true); return nil })},
		{"attach", "attach", "put the set on", nil, 0, 0, plain(func(p *pump) error { p.model.Detach(false); return nil })},
		{"bag", "bag ML [set=new]", "hang a new bag: a running pump stops, hangs and begins a new infusion; set=new changes the line too", []string{"set"}, 1, 1, hangBag},
		{"battery", "battery PERCENT", "put in cells with this charge", nil, 1, 1, one(func(p *pump, v float64) error { return p.model.SetBattery(v / 100) })},
		{"mains", "mains on|off", "plug the pump into the mains, or take it off", nil, 1, 1, func(p *pump, a arguments) error {
			return either(a.values[0], "on", "off", func(on bool) error { p.model.SetMains(on); return nil })
		}},
		{"power", "power on|off", "switch the pump on or off", nil, 1, 1, func(p *pump, a arguments) error {
			return onOff(a.values[0], p.model.PowerOn, p.model.PowerOff)
		}},
		{"reboot", "reboot", "restart as after a crash: counter at zero, stopped", nil, 0, 0, plain(func(p *pump) error { return p.model.Reboot() })},
		{"clock", "clock STEP", "move the pump's clock, e.g. 1h or -30s", nil, 1, 1, func(p *pump, a arguments) error {
			d, err := time.ParseDuration(strings.TrimPrefix(a.values[0], "+"))
			if err != nil {
				return fmt.Errorf("%w: %q is not a duration such as 1h or -30s", ErrCommand, a.values[0])
			}
			p.model.StepClock(d)
			return nil
		}},
		{"serial", "serial NUMBER", "answer with this serial number from now on, perhaps another pump's", nil, 1, 1, renumber},
		{"alarm", "alarm CODE [bits=N]", "announce an alarm without its cause; bits is the pump's own fault code", []string{"bits"}, 1, 1, injectAlarm},
	}
}

func renumber(p *pump, a arguments) error {
	if err := p.at.protocol.checkSerial(a.values[0], p.o.Pretend); err != nil {
		return fmt.Errorf("%w: %w", ErrCommand, err)
	}
	before := p.o.Serial
	p.o.Serial = a.values[0]
	if err := p.at.again(); err != nil {
		p.o.Serial = before
		return err
	}
	return nil
}

func giveBolus(p *pump, a arguments) error { return give(p, a, p.model.GiveBolus) }

func giveLoad(p *pump, a arguments) error { return give(p, a, p.model.GiveLoad) }

func give(p *pump, a arguments, dose func(volume, rate float64) error) error {
	volume, err := parse(a.values[0])
	if err != nil {
		return err
	}
	rate, err := a.number("rate", min(10*p.model.View().Program.Rate, p.o.Physics.MaxRate))
	if err != nil {
		return err
	}
	return dose(volume, rate)
}

func hangBag(p *pump, a arguments) error {
	volume, err := parse(a.values[0])
	if err != nil {
		return err
	}
	if set, given := a.keys["set"]; given && set != "new" {
		return fmt.Errorf("%w: set=%q, known set=new", ErrCommand, set)
	}
	moving := p.model.View().State.Moving()
	if err := p.model.NewBag(volume, a.keys["set"] == "new"); err != nil || !moving {
		return err
	}
	return p.model.Run()
}

func injectAlarm(p *pump, a arguments) error {
	code, announces := pumpmodel.Alarm(a.values[0]), p.at.protocol.Announces
	var known []string
	for _, k := range pumpmodel.Alarms() {
		if announces(k) {
			known = append(known, string(k))
			if k == code {
				bits, err := a.number("bits", 2)
				if err != nil {
					return err
				}
				return p.model.Inject(code, uint16(bits))
			}
		}
	}
	return fmt.Errorf("%w: alarm %q, a %s knows %s", ErrCommand, code, p.o.Model, strings.Join(known, ", "))
}

func onOff(word string, on, off func() error) error {
	return either(word, "on", "off", func(first bool) error {
		if first {
			return on()
		}
		return off()
	})
}

// either calls act with whether word is the first of two.
func either(word, first, second string, act func(first bool) error) error {
	if word != first && word != second {
		return fmt.Errorf("%w: %q, known %s and %s", ErrCommand, word, first, second)
	}
	return act(word == first)
}

// world holds what happens to line, bag and patient.
func world() []command {
	return []command{
		{"occlude", "occlude [side=downstream|upstream] [in=DURATION] [share=0..1]", "close the line; in: it was closed before, the alarm comes about then", []string{"side", "in", "share"}, 0, 0, occlude},
		{"release", "release", "open and join the line, unblock the set, mend the motor", nil, 0, 0, plain(func(p *pump) error { p.model.Release(); return nil })},
		{"disconnect", "disconnect", "take the line off the patient: no alarm, the counter goes on", nil, 0, 0, plain(func(p *pump) error { p.model.Disconnect(true); return nil })},
		{"block", "block [share=0..1]", "block the set without pressure or alarm; share still flows", []string{"share"}, 0, 0, func(p *pump, a arguments) error {
			share, err := a.number("share", 0)
			if err != nil {
				return err
			}
			return p.model.Block(share)
		}},
		{"motor", "motor FACTOR", "command this share of the strokes while the pump reports its rate", nil, 1, 1, one(func(p *pump, v float64) error { return p.model.SlowMotor(v) })},
		{"bubble", "bubble MICROLITRES", "let a bubble of air pass the pump", nil, 1, 1, one(func(p *pump, v float64) error { return p.model.Bubble(v) })},
		{"heat", "heat DEGREES [for=DURATION]", "sun or frost: surroundings so much warmer or, below 0, colder, for so long of simulated time, 1h unless said", []string{"for"}, 1, 1, heat},
		{"height", "height CM", "put the pump so far below the patient, above is negative", nil, 1, 1, one(func(p *pump, v float64) error { return p.model.SetHeight(v) })},
		{"crash", "crash on|off", "the pump's program hangs: the motor stands, nothing alarms, it says what it last knew", nil, 1, 1, func(p *pump, a arguments) error {
			return either(a.values[0], "on", "off", func(on bool) error { p.model.Hang(on); return nil })
		}},
		{"freeze", "freeze on|off", "repeat the present values with good checksums", nil, 1, 1, func(p *pump, a arguments) error {
			set := func(on bool) func() error {
				return func() error { p.at.front.Freeze(p.at.place(p), on); return nil }
			}
			return onOff(a.values[0], set(true), set(false))
		}},
	}
}

func heat(p *pump, a arguments) error {
	degrees, err := parse(a.values[0])
	if err != nil {
		return err
	}
	d, err := a.duration("for", time.Hour)
	if err != nil {
		return err
	}
	return p.model.Heat(degrees, d)
}

func occlude(p *pump, a arguments) error {
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
		p.model.OccludeUpstream(true)
		return nil
	case side == "upstream":
		return fmt.Errorf("%w: in and share are for side=downstream", ErrCommand)
	case side != "" && side != "downstream":
		return fmt.Errorf("%w: side=%q, known downstream and upstream", ErrCommand, side)
	case in > 0 && share != 1:
		return fmt.Errorf("%w: in needs a closed line, share=1", ErrCommand)
	case in > 0:
		return p.model.Pressurise(time.Duration(float64(in) * p.at.fleet.speed))
	}
	return p.model.OccludeDownstream(share)
}
