package poll

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"infusiond/drivers"
	"infusiond/gateway/infusion"
)

const interval = 5 * time.Second

var errUnplugged = errors.New("input/output error")

// bench is a loop in virtual time with a fake line and a fake driver.
type bench struct {
	t      *testing.T
	start  time.Time
	slept  atomic.Int64 // suspend, in ns: only the boot clock counts it
	events chan event
	driver *fakeDriver
	loop   *Loop
	cancel context.CancelFunc
	ended  chan error

	mu       sync.Mutex
	cycles   []Cycle
	emitted  []time.Duration // since start
	emitErr  error
	block    time.Duration // the next Emit takes so long
	troubles []error
	turns    []Turn
	returned []error // what serve returned
	anchors  map[string]string
	anchorIs error
}

// event is one act of the fake line: a link state or a port.
type event struct {
	link infusion.Link
	port drivers.Port
}

func newBench(t *testing.T, change func(*Options)) *bench {
	b := &bench{
		t: t, start: time.Now(), events: make(chan event, 16), ended: make(chan error, 1),
		driver: &fakeDriver{identity: drivers.IdentityStrong}, anchors: map[string]string{},
	}
	o := Options{
		Port: b, Driver: b.driver, Pumps: []Pump{{Name: "milrinone", Serial: "A1"}}, Interval: interval,
		Clock: b.clock, Log: slog.New(slog.DiscardHandler), Emit: b.emit, Anchor: b.anchor,
		Trouble: func(err error) {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.troubles = append(b.troubles, err)
		},
		Watch: func(turn Turn) {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.turns = append(b.turns, turn)
		},
	}
	if change != nil {
		change(&o)
	}
	b.loop = New(o)
	return b
}

// run starts the loop; it is joined at the end of the test.
func (b *bench) run() {
	ctx, cancel := context.WithCancel(b.t.Context())
	b.cancel = cancel
	go func() { b.ended <- b.loop.Run(ctx) }()
}

// stop ends the loop, which must succeed.
func (b *bench) stop() {
	b.t.Helper()
	b.cancel()
	if err := <-b.ended; err != nil {
		b.t.Errorf("run = %v, want nil after cancel", err)
	}
}

func (b *bench) clock() infusion.Instant {
	now := time.Now()
	return infusion.Instant{UTC: now.UTC(), Boot: now.Sub(b.start) + time.Duration(b.slept.Load()), Synced: true}
}

// Run implements Line.
func (b *bench) Run(ctx context.Context, serve func(context.Context, drivers.Port) error, state func(infusion.Link)) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case e, open := <-b.events:
			if !open {
				return nil
			}
			if e.port == nil {
				state(e.link)
				continue
			}
			state(infusion.Link{State: infusion.LinkIdentifying, Since: b.clock()})
			err := serve(ctx, e.port)
			b.mu.Lock()
			b.returned = append(b.returned, err)
			b.mu.Unlock()
		}
	}
}

func (b *bench) tell(s infusion.LinkState, reason string) {
	b.events <- event{link: infusion.Link{State: s, Reason: reason, Since: b.clock()}}
}

// plug gives the loop a port.
func (b *bench) plug() *fakePort {
	p := &fakePort{}
	b.events <- event{port: p}
	return p
}

func (b *bench) emit(ctx context.Context, c Cycle) error {
	b.mu.Lock()
	block, err := b.block, b.emitErr
	b.block = 0
	b.mu.Unlock()
	if block > 0 {
		select {
		case <-time.After(block):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if err != nil {
		return err
	}
	b.cycles = append(b.cycles, c)
	b.emitted = append(b.emitted, time.Since(b.start))
	if c.Report != nil && c.Report.Anchor != "" {
		b.anchors[c.Pump] = c.Report.Anchor
	}
	return nil
}

func (b *bench) anchor(_ context.Context, p Pump) (string, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.anchors[p.Name], b.anchorIs
}

// set changes what the fakes do next.
func (b *bench) set(change func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	change()
}

// pass lets virtual time go by and returns all cycles so far by their time, those of one time in the
// order of the configuration.
func (b *bench) pass(d time.Duration) []Cycle {
	time.Sleep(d)
	synctest.Wait()
	b.mu.Lock()
	defer b.mu.Unlock()
	place := func(c Cycle) int {
		return slices.IndexFunc(b.loop.o.Pumps, func(p Pump) bool { return p.Name == c.Pump })
	}
	return slices.SortedStableFunc(slices.Values(b.cycles), func(x, y Cycle) int {
		return cmp.Or(cmp.Compare(x.At.Boot, y.At.Boot), cmp.Compare(place(x), place(y)))
	})
}

// at returns when the cycles began, on the boot clock.
func at(cycles []Cycle) []time.Duration {
	var all []time.Duration
	for _, c := range cycles {
		all = append(all, c.At.Boot)
	}
	return all
}

// fakeDriver is a driver whose Open and Poll are functions; nil ones succeed with serial number A1.
type fakeDriver struct {
	identity drivers.IdentityStrength
	open     func(ctx context.Context, p drivers.Port, o drivers.OpenOptions) error
	poll     func(ctx context.Context, p drivers.Port) ([]drivers.Report, error)
	stream   func(ctx context.Context, p drivers.Port, take func(drivers.Report)) error // instead of poll
	single   bool                                                                       // one pump only

	opened, closed atomic.Int32
	closeErr       error
}

func (d *fakeDriver) Profile() drivers.Profile {
	return drivers.Profile{Name: "fake", Identity: d.identity, MinPollInterval: 10 * time.Millisecond, SeveralPumps: !d.single}
}

func (d *fakeDriver) Open(ctx context.Context, p drivers.Port, o drivers.OpenOptions) (drivers.Conn, error) {
	d.opened.Add(1)
	if d.open != nil {
		if err := d.open(ctx, p, o); err != nil {
			return nil, err
		}
	}
	return &fakeConn{d, p}, nil
}

type fakeConn struct {
	*fakeDriver
	port drivers.Port
}

func (c *fakeConn) Poll(ctx context.Context, take func(drivers.Report)) error {
	if c.stream != nil {
		return c.stream(ctx, c.port, take)
	}
	if c.poll == nil {
		take(report("", "A1"))
		return nil
	}
	reports, err := c.poll(ctx, c.port)
	for _, r := range reports {
		take(r)
	}
	return err
}

func (c *fakeConn) Close() error { c.closed.Add(1); return c.closeErr }

func report(address, serial string) drivers.Report {
	return drivers.Report{Address: address, Identity: drivers.Identity{Serial: serial}, State: drivers.RunInfusing}
}

// fakePort fails every call once broken, and is silent before.
type fakePort struct {
	broken  atomic.Bool
	timeout time.Duration
}

func (p *fakePort) Read([]byte) (int, error) {
	if p.broken.Load() {
		return 0, errUnplugged
	}
	time.Sleep(p.timeout)
	return 0, os.ErrDeadlineExceeded
}

func (p *fakePort) Write(b []byte) (int, error) {
	if p.broken.Load() {
		return 0, errUnplugged
	}
	return len(b), nil
}

func (p *fakePort) SetReadTimeout(d time.Duration) error { p.timeout = d; return nil }

func (p *fakePort) ResetInputBuffer() error {
	if p.broken.Load() {
		return errUnplugged
	}
	return nil
}
