package fronts

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"infusiond/drivers"
	"infusiond/drivers/asena"
	"infusiond/drivers/bcc"
	"infusiond/drivers/miva"
	"infusiond/drivers/newera"
	"infusiond/drivers/sapphire"
	"infusiond/simulator"
	"infusiond/simulator/line"
)

// kind is one driver with a simulated pump of its protocol.
type kind struct {
	name   string
	driver func(map[string]string) (drivers.Driver, error)
	setup  map[string]string // of the driver
	pump   string            // keys of the pump beside name and model
	// occlusion is the alarm that a closed line gives; empty where the protocol has none.
	occlusion drivers.AlarmCode
	// stopped are the states that a pump may have that a person paused; ended those of one that an occlusion stopped.
	stopped, ended []drivers.RunState
	programmed     bool // it tells a programmed rate
	reported       bool // it tells the rate at which it runs
}

func kinds() []kind {
	stopped := []drivers.RunState{drivers.RunStopped, drivers.RunPaused}
	alarmed := []drivers.RunState{drivers.RunStoppedByAlarm, drivers.RunStopped}
	return []kind{
		{"miva", miva.New, nil, "", drivers.AlarmOcclusionDownstream, stopped, alarmed, true, true},
		{"bcc", bcc.New, nil, "", drivers.AlarmOcclusionDownstream, stopped, alarmed, true, false},
		{"bcc", bcc.New, nil, "alarms=words,device=perfusor", drivers.AlarmOcclusionDownstream, stopped, alarmed, true, false},
		{"bcc", bcc.New, map[string]string{"stuffing": "off"}, "stuffing=off", drivers.AlarmOcclusionDownstream, stopped, alarmed, true, false},
		{"asena", asena.New, nil, "", drivers.AlarmOcclusion, stopped, alarmed, true, true},
		{"newera", newera.New, nil, "", drivers.AlarmOcclusion, stopped, alarmed, true, false},
		{"sapphire", sapphire.New, nil, "", "", []drivers.RunState{drivers.RunStopped}, []drivers.RunState{drivers.RunStopped}, false, true},
		{"sapphire", sapphire.New, nil, "unknown=noise,length=300,heartbeats=2", "", []drivers.RunState{drivers.RunStopped}, []drivers.RunState{drivers.RunStopped}, false, true},
	}
}

func (k kind) String() string { return strings.TrimSuffix(k.name+" "+k.pump, " ") }

// guarded is a line behind the driver's allow-list and command gap, as gateway/link keeps them.
type guarded struct {
	*line.Memory
	profile drivers.Profile
	written int
}

func (g *guarded) Write(b []byte) (int, error) {
	if _, ok := g.profile.Allow.Match(b); !ok {
		return 0, fmt.Errorf("% X: %w", b, drivers.ErrForbidden)
	}
	g.written++
	g.Pass(g.profile.CommandGap)
	return g.Memory.Write(b)
}

// bench is a driver at a simulated pump.
type bench struct {
	t    *testing.T
	line *simulator.VirtualLine
	d    drivers.Driver
	port *guarded
	conn drivers.Conn
	last map[string]string // anchors
}

const pump = "p"

func newBench(t *testing.T, k kind, keys string, seed uint64) *bench {
	t.Helper()
	parts := []string{"name=" + pump, "model=" + k.name}
	for _, more := range []string{k.pump, keys} {
		if more != "" {
			parts = append(parts, more)
		}
	}
	o, err := simulator.ParsePump(strings.Join(parts, ","))
	if err != nil {
		t.Fatal(err)
	}
	l, err := simulator.NewVirtualLine([]simulator.PumpOptions{o}, seed)
	if err != nil {
		t.Fatal(err)
	}
	d, err := k.driver(k.setup)
	if err != nil {
		t.Fatal(err)
	}
	return &bench{t: t, line: l, d: d, port: &guarded{Memory: l.Memory, profile: d.Profile()}, last: map[string]string{}}
}

// try makes one cycle, opening first when there is no conversation. After an error the conversation goes on, as the gateway lets it.
func (b *bench) try() ([]drivers.Report, error) {
	b.line.Pass(5 * time.Second)
	if b.conn == nil {
		conn, err := b.d.Open(b.t.Context(), b.port, drivers.OpenOptions{Now: b.port.Now, Anchors: b.last})
		if err != nil {
			return nil, err
		}
		b.conn = conn
	}
	reports, err := drivers.Collect(b.t.Context(), b.conn)
	for _, r := range reports {
		if r.Anchor != "" {
			b.last[drivers.AnchorKey(r.Identity.Serial, r.Address)] = r.Anchor
		}
	}
	return reports, err
}

func (b *bench) poll() drivers.Report {
	b.t.Helper()
	var err error
	for range 3 { // a first contact may need more than one
		var reports []drivers.Report
		if reports, err = b.try(); err == nil && len(reports) == 1 {
			return reports[0]
		}
	}
	b.t.Fatalf("no report: %v", err)
	return drivers.Report{}
}

func (b *bench) do(text string) {
	b.t.Helper()
	if err := b.line.Do(pump, text); err != nil {
		b.t.Fatalf("%s: %v", text, err)
	}
}

// untouched demands that the pump received nothing that could change it.
func (b *bench) untouched() {
	b.t.Helper()
	status, err := b.line.Status(pump)
	if err != nil {
		b.t.Fatal(err)
	}
	if status.Wire.Control != 0 || b.port.written == 0 {
		b.t.Errorf("the pump received %+v after %d writes", status.Wire, b.port.written)
	}
}

// value is a quantity in mL or mL/h; NaN when it is absent.
func value(t *testing.T, q drivers.Quantity) float64 {
	t.Helper()
	if !q.Valid {
		return math.NaN()
	}
	v, err := strconv.ParseFloat(q.Decimal(), 64)
	if err != nil {
		t.Fatal(err)
	}
	switch q.Unit { //nolint:exhaustive // the others are those of the protocols here
	case drivers.MicroliterPerHour, drivers.Microliter:
		return v / 1000
	case drivers.MilliliterPerMinute:
		return v * 60
	case drivers.MilliliterPerHour, drivers.Milliliter:
		return v
	}
	t.Fatalf("a value in %v", q.Unit)
	return 0
}

func codes(list []drivers.Alarm) []drivers.AlarmCode {
	var out []drivers.AlarmCode
	for _, a := range list {
		out = append(out, a.Code)
	}
	slices.Sort(out)
	return out
}
