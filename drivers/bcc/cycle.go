package bcc

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"infusiond/drivers"
	"infusiond/drivers/bcc/wire"
	"infusiond/drivers/exchange"
)

// cycle is what one Poll has taken so far.
type cycle struct {
	*Conn
	report   func(drivers.Report)
	began    time.Duration
	before   int // frames that were dropped before
	reported int
	seen     []string // addresses that were reported
	failed   error    // why a pump has no report; those of the others come all the same
}

func newCycle(c *Conn, report func(drivers.Report)) *cycle {
	return &cycle{Conn: c, report: report, began: c.line.Now(), before: c.bad()}
}

var (
	// errAgain marks a block whose check is right and that is not believed yet: it is to be sent again.
	errAgain = errors.New("to be confirmed")
	// errOld marks a block that was made before the cycle.
	errOld = errors.New("made before this cycle")
)

// maxParameters bounds what one block may hold: section 5 names fewer than 120.
const maxParameters = 512

// spread is how far apart the times of a block's records may lie, in seconds: it is made at once.
const spread = 10

// ofStation is the address of the station itself.
const ofStation = "00"

// content is one block taken apart: what it says of the station, and of one pump. The values are views of it.
type content struct {
	station, pump    values
	address          string // of the pump; empty: the block names none
	earliest, latest uint64
}

// parse takes a block apart. A block that breaks a rule that its check cannot see is malformed; it wraps errNoBlock, so it is asked for again.
func (c *content) parse(b *wire.Block) error {
	*c = content{earliest: longest}
	records := b.Records()
	var r wire.Record
	for n := 0; ; n++ {
		ok, err := records.Next(&r)
		switch {
		case err != nil:
			return fmt.Errorf("%w: %w: %w", errNoBlock, drivers.ErrMalformed, err)
		case ok && n == maxParameters:
			return malformed("more than %d records", maxParameters)
		case ok && r.Time >= longest:
			return malformed("%d s as the device's time", r.Time)
		case ok:
			if err := c.take(&r); err != nil {
				return err
			}
			continue
		case c.latest-c.earliest > spread && n > 0:
			return malformed("records from %d s and from %d s", c.earliest, c.latest)
		}
		return nil
	}
}

func (c *content) take(r *wire.Record) error {
	c.earliest, c.latest = min(c.earliest, r.Time), max(c.latest, r.Time)
	into := &c.pump
	switch xy := r.Address[3:]; {
	case string(xy) == ofStation:
		into = &c.station
	case c.address == "":
		c.address = string(xy)
	case c.address != string(xy):
		return malformed("pumps %s and %s in one block", c.address, xy)
	}
	if !into.put(r) {
		return malformed("%s comes twice and differs", exchange.Text(r.Parameter))
	}
	return nil
}

func malformed(format string, a ...any) error {
	return fmt.Errorf("%w: a block with "+format+": %w", append(append([]any{errNoBlock}, a...), drivers.ErrMalformed)...)
}

// block takes one good block: it hands over the report of the pump in it, if it is believed.
func (cy *cycle) block(b *wire.Block) error {
	c := &cy.content
	if err := c.parse(b); err != nil {
		cy.broken++
		return err
	}
	switch {
	case c.earliest < cy.uptime:
		return fmt.Errorf("a block from %d s of the device's time behind one from %d s: it is old, or the device was restarted: %w", c.earliest, cy.uptime, drivers.ErrMismatch)
	case cy.device.old(c.earliest, cy.began):
		return fmt.Errorf("a block from %d s of the device's time: %w: %w", c.earliest, errOld, drivers.ErrMismatch)
	}
	if !c.station.has(gnErr) && c.address != "" && !c.pump.has(gnErr) {
		if err := cy.pump(c.address, &c.pump); err != nil {
			return err
		}
	}
	cy.uptime = c.latest
	cy.device.hear(c.latest, cy.line.Now())
	if c.station.has(gnErr) {
		return codeError(text(&c.station, gnErr))
	}
	if c.address != "" && c.pump.has(gnErr) {
		cy.missing(c.address, text(&c.pump, gnErr))
	}
	return nil
}

// missing notes that the station has an error in place of a pump.
func (cy *cycle) missing(address, code string) {
	if code == "39" { // whatever is there next is another pump
		delete(cy.pumps, address)
	}
	cy.failed = errors.Join(cy.failed, fmt.Errorf("pump %s: %w", address, codeError(code)))
}

// known is what was heard of the pump at one address in this conversation.
type known struct {
	serial   string
	numbered bool  // it gives INSERNUM, so INNR is not taken in its place
	last     heard // the newest block, believed or not
	believed heard // the newest one that was
}

// pump takes the values of one pump.
func (cy *cycle) pump(address string, v *values) error {
	if slices.Contains(cy.seen, address) {
		return nil // a block that came twice
	}
	k := cy.pumps[address]
	if k == nil {
		k = &known{}
		cy.pumps[address] = k
	}
	r := drivers.Report{Address: address}
	fill(&r, v)
	if k.numbered && !v.has(inSerNum) {
		r.Identity.Serial = ""
	}
	now := cy.line.Now()
	agrees := k.last.agrees(&r, now) || k.believed.agrees(&r, now)
	k.last = heard{r, now}
	if k.serial == "" {
		k.serial = r.Identity.Serial // also when it is not believed yet: another pump may have come since
	}
	if !agrees {
		return fmt.Errorf("pump %s says something new: %w", address, errAgain)
	}
	k.believed = k.last
	k.numbered = k.numbered || v.has(inSerNum)
	cy.seen = append(cy.seen, address)
	if old, serial := k.serial, r.Identity.Serial; serial != "" {
		k.serial = serial
		if old != "" && old != serial {
			cy.failed = errors.Join(cy.failed, fmt.Errorf("serial number %q answers at %s, before it was %q: %w", serial, address, old, drivers.ErrIdentity))
			return nil
		}
	}
	bad := cy.bad()
	r.BadFrames, cy.before = bad-cy.before, bad
	cy.reported++
	cy.report(r)
	return nil
}

// end says how the cycle ended: a pump that changed is an error, one that is missing only when no other one answered.
func (cy *cycle) end() error {
	switch {
	case errors.Is(cy.failed, drivers.ErrIdentity), cy.reported == 0 && cy.failed != nil:
		return cy.failed
	case cy.reported == 0:
		return fmt.Errorf("the station names no pump: %w", drivers.ErrSilent)
	}
	return nil
}

// complete says whether every configured pump was reported; a device that sends at once what changed may leave others out.
func (cy *cycle) complete() bool {
	for _, address := range cy.addresses {
		if !slices.Contains(cy.seen, address) {
			return false
		}
	}
	return cy.reported > 0
}
