package simulator

import (
	"fmt"
	"time"

	"infusiond/simulator/fault"
)

// cable holds what happens to a line as a whole: with several pumps on it, to all of them.
func cable() []command {
	return []command{
		{"unplug", "unplug [for=DURATION]", "take the device away, and put it back after a while", []string{"for"}, 0, 0, unplug},
		{"replug", "replug [link=PATH]", "put the device back, perhaps under another name", []string{"link"}, 0, 0, func(p *pump, a arguments) error {
			return p.at.port.replug(a.keys["link"])
		}},
		{"swap", "swap OTHER", "change places with another pump, without a hang-up", nil, 1, 1, func(p *pump, a arguments) error {
			other, err := p.at.fleet.find(a.values[0])
			if err != nil {
				return err
			}
			if other == p {
				return fmt.Errorf("%w: %s with itself", ErrCommand, p.o.Name)
			}
			other.at.catchUp()
			return swap(p, other)
		}},
		{"hang", "hang [for=DURATION]", "the adapter hangs: the device stays, takes bytes and gives none", []string{"for"}, 0, 0, hang},
		{"unhang", "unhang", "the adapter works again; what was written meanwhile is lost", nil, 0, 0, plain(func(p *pump) error { p.at.port.hang(false); return nil })},
		{"drop", "drop", "close the TCP connection of the host", nil, 0, 0, plain(func(p *pump) error {
			if p.at.port.tcp == nil {
				return fmt.Errorf("%w: this pump has no TCP line", ErrCommand)
			}
			return p.at.port.tcp.Drop()
		})},
	}
}

func unplug(p *pump, a arguments) error {
	d, err := a.duration("for", 0)
	if err != nil {
		return err
	}
	port := p.at.port
	if err := port.unplug(); err != nil {
		return err
	}
	if d > 0 {
		port.later(d, "replug", func() error { return port.replug("") })
	}
	return nil
}

func hang(p *pump, a arguments) error {
	d, err := a.duration("for", 0)
	if err != nil {
		return err
	}
	port := p.at.port
	port.hang(true)
	if d > 0 {
		port.later(d, "unhang", func() error { port.hang(false); return nil })
	}
	return nil
}

// wires holds what happens to the bytes of a line.
func wires() []command {
	list := []command{
		{"clean", "clean", "end every wire fault", nil, 0, 0, plain(func(p *pump) error { p.at.port.wire.Clear(); return nil })},
		{"sensors", "sensors on|off", "miva: send S9 frames unasked, one a second", nil, 1, 1, func(p *pump, a arguments) error {
			f, ok := p.at.front.(interface{ SendSensors(on bool) })
			if !ok {
				return fmt.Errorf("%w: a %s has no such frames", ErrCommand, p.o.Model)
			}
			set := func(on bool) func() error { return func() error { f.SendSensors(on); return nil } }
			return onOff(a.values[0], set(true), set(false))
		}},
		{"blank", "blank N", "miva: leave N records of the log unwritten, at most 1000", nil, 1, 1, one(func(p *pump, v float64) error {
			f, ok := p.at.front.(interface{ AppendBlank(n int) })
			if !ok {
				return fmt.Errorf("%w: a %s has no such log", ErrCommand, p.o.Model)
			}
			if !(v >= 1 && v <= 1000) {
				return fmt.Errorf("%w: %v records, known 1 to 1000", ErrCommand, v)
			}
			f.AppendBlank(int(v))
			return nil
		})},
	}
	for _, row := range fault.Rows() {
		usage, keys := fmt.Sprintf("%s [rate=0..1] [for=DURATION]", row.Kind), []string{"rate", "for"}
		if row.Delay {
			usage, keys = usage+" [delay=DURATION]", append(keys, "delay")
		}
		text := fmt.Sprintf("%s; rate %v unless said", row.Help, row.Usual)
		list = append(list, command{string(row.Kind), usage, text, keys, 0, 0, func(p *pump, a arguments) error { return spoil(p, row, a) }})
	}
	return list
}

func spoil(p *pump, row fault.Row, a arguments) error {
	rate, err := a.number("rate", row.Usual)
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
	return p.at.port.wire.Add(p.at.fleet.now(), fault.Fault{Kind: row.Kind, Rate: rate, For: last, Delay: delay})
}
