package simulator

import (
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"infusiond/simulator/fault"
	"infusiond/simulator/front"
	"infusiond/simulator/line"
	"infusiond/simulator/pumpmodel"
)

// pump is one simulated pump.
type pump struct {
	o     PumpOptions
	log   *slog.Logger
	model *pumpmodel.Pump
	at    *station
}

// station is what hangs on a line: one front and the pumps that it speaks for. The places of the
// pumps, which are their addresses, belong to the station.
type station struct {
	fleet    *fleet
	protocol *protocol
	settings map[string]string // of the line
	baud     int
	places   []string
	pumps    []*pump // one a place
	front    front.Front
	before   front.Counts // of fronts that were replaced
	port     *port
	last     time.Duration // on the wire, up to which the models were advanced
}

// fill makes the station of l with its pumps.
func (f *fleet) fill(l *lineOptions, seed uint64) (*station, error) {
	s := &station{fleet: f, protocol: l.protocol, settings: l.settings, baud: l.baud, last: f.now()}
	for _, o := range l.pumps {
		rng := rand.New(rand.NewPCG(seed, nameSeed(o.Name)))
		model, err := pumpmodel.New(o.Physics, pumpmodel.Setup{
			Program: pumpmodel.Program{Name: o.Program, Rate: o.Rate, VTBIML: o.VTBI}, BagML: o.Bag,
		}, rng)
		if err != nil {
			return nil, fmt.Errorf("pump %q: %w", o.Name, err)
		}
		p := &pump{o: o, log: f.log.With("pump", o.Name), model: model, at: s}
		s.pumps, s.places = append(s.pumps, p), append(s.places, o.Address)
		f.pumps = append(f.pumps, p)
		f.named[o.Name] = p
		if s.port == nil {
			s.port = &port{fleet: f, station: s, wire: fault.New(rng)}
		}
	}
	var err error
	if s.front, err = s.speak(); err != nil {
		return nil, fmt.Errorf("pump %q: %w", l.pumps[0].Name, err)
	}
	for _, p := range s.pumps {
		if p.o.Stopped {
			continue
		}
		if err := p.model.Run(); err != nil {
			return nil, fmt.Errorf("start pump %q: %w", p.o.Name, err)
		}
	}
	return s, nil
}

// nameSeed makes the pumps of one seed differ, whatever their order.
func nameSeed(name string) uint64 {
	h := uint64(14695981039346656037)
	for _, b := range []byte(name) {
		h = (h ^ uint64(b)) * 1099511628211
	}
	return h
}

// speak makes a front for the pumps as they stand now.
func (s *station) speak() (front.Front, error) {
	var members []front.Member
	settings := maps.Clone(s.settings)
	for i, p := range s.pumps {
		for k, v := range p.o.Settings {
			if s.protocol.own(k) {
				settings[settingOf(k, s.places[i])] = v
			}
		}
		members = append(members, front.Member{Pump: p.model, Serial: p.o.Serial, Address: s.places[i], Drug: p.o.Drug})
	}
	build, err := s.protocol.prepare(settings)
	if err != nil {
		return nil, err
	}
	return build(members, s.fleet.now)
}

// again replaces the front after pumps or numbers changed. A conversation begins anew, counts go on.
func (s *station) again() error {
	next, err := s.speak()
	if err != nil {
		return err
	}
	s.before, s.front = s.counts(), next
	return nil
}

func (s *station) counts() front.Counts {
	c := s.front.Counts()
	return front.Counts{
		Received: s.before.Received + c.Received, Control: s.before.Control + c.Control,
		Unknown: s.before.Unknown + c.Unknown, BadFrames: s.before.BadFrames + c.BadFrames,
	}
}

// place returns where p sits.
func (s *station) place(p *pump) string { return s.places[slices.Index(s.pumps, p)] }

func (s *station) pace() line.Pace { return line.Pace{Baud: s.baud, Gap: s.protocol.Gap} }

// catchUp lets the models live up to now.
func (s *station) catchUp() {
	now := s.fleet.now()
	if now == s.last {
		return
	}
	d := time.Duration(float64(now-s.last) * s.fleet.speed)
	s.last = now
	for _, p := range s.pumps {
		p.model.Advance(d)
	}
}

// swap lets two pumps change places. The places keep their addresses, and the lines do not hang up.
func swap(p, other *pump) error {
	a, b := p.at, other.at
	if a != b && len(a.pumps) == 1 && len(b.pumps) == 1 {
		a.port.station, b.port.station = b, a
		a.port, b.port = b.port, a.port
		return nil
	}
	if a.protocol.Protocol != b.protocol.Protocol {
		return fmt.Errorf("%w: %s speaks %s and %s speaks %s: on lines of several pumps only pumps of one protocol change places",
			ErrCommand, p.o.Name, a.protocol.Protocol, other.o.Name, b.protocol.Protocol)
	}
	i, j := slices.Index(a.pumps, p), slices.Index(b.pumps, other)
	a.pumps[i], b.pumps[j] = other, p
	p.at, other.at = b, a
	if err := a.again(); err != nil {
		return err
	}
	if a == b {
		return nil
	}
	return b.again()
}
