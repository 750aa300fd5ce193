package simulator

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"infusiond/simulator/fault"
	"infusiond/simulator/line"
	"infusiond/simulator/mivafront"
	"infusiond/simulator/pumpmodel"
)

// pace is the line of the only protocol so far.
func pace() line.Pace { return line.Pace{Baud: mivafront.Baud, Gap: mivafront.Gap} }

// unit is one pump with its front, its wire and its lines. It is what a line
// calls a line.Pump.
type unit struct {
	o     PumpOptions
	log   *slog.Logger
	speed float64
	now   func() time.Duration // time on the wire; the model's passes speed times as fast
	pty   *line.Pty            // nil when there is none
	tcp   *line.TCP

	mu    sync.Mutex // guards what follows
	model *pumpmodel.Pump
	front *mivafront.Front
	wire  *fault.Wire
	last  time.Duration // of now, up to which the model was advanced
	due   []timed
}

// timed is an act that waits for its time on the wire.
type timed struct {
	at   time.Duration
	name string
	act  func() error
}

func newUnit(o PumpOptions, seed uint64, speed float64, now func() time.Duration, log *slog.Logger) (*unit, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	rng := rand.New(rand.NewPCG(seed, nameSeed(o.Name)))
	model, err := pumpmodel.New(o.Physics, pumpmodel.Setup{
		Program: pumpmodel.Program{Name: o.Program, Rate: o.Rate, VTBIML: o.VTBI}, BagML: o.Bag,
	}, rng)
	if err != nil {
		return nil, fmt.Errorf("pump %q: %w", o.Name, err)
	}
	front := o.Front
	front.Serial, front.Drug = o.Serial, o.Drug
	f, err := mivafront.New(model, front)
	if err != nil {
		return nil, fmt.Errorf("pump %q: %w", o.Name, err)
	}
	u := &unit{o: o, log: log.With("pump", o.Name), speed: speed, now: now, model: model, front: f, wire: fault.New(rng)}
	if !o.Stopped {
		if err := model.Run(); err != nil {
			return nil, fmt.Errorf("start pump %q: %w", o.Name, err)
		}
	}
	return u, nil
}

// nameSeed makes the pumps of one seed differ, whatever their order.
func nameSeed(name string) uint64 {
	h := uint64(14695981039346656037)
	for _, b := range []byte(name) {
		h = (h ^ uint64(b)) * 1099511628211
	}
	return h
}

// Exchange is called by the line with what the host sent.
func (u *unit) Exchange(in []byte) (out []byte, delay time.Duration) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.catchUp()
	return u.wire.Shape(u.last, in, u.front.Handle(in))
}

// Unsolicited is called by the line while the host is quiet.
func (u *unit) Unsolicited() []byte {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.catchUp()
	return u.front.Unsolicited()
}

// tick lets time pass for a pump that nobody asks.
func (u *unit) tick() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.catchUp()
}

func (u *unit) catchUp() {
	now := u.now()
	u.model.Advance(time.Duration(float64(now-u.last) * u.speed))
	u.last = now
	for len(u.due) > 0 && u.due[0].at <= now {
		act := u.due[0]
		u.due = u.due[1:]
		if err := act.act(); err != nil {
			u.log.Warn("timed act failed", "act", act.name, "error", err)
		}
	}
}

func (u *unit) later(d time.Duration, name string, act func() error) {
	u.due = append(u.due, timed{u.last + d, name, act})
	slices.SortStableFunc(u.due, func(a, b timed) int { return int(a.at - b.at) })
}
