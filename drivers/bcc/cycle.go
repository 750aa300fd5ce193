package bcc

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"infusiond/drivers"
	"infusiond/drivers/bcc/wire"
	"infusiond/drivers/exchange"
)

// cycle is what one Poll has taken so far.
type cycle struct {
	*Conn
	report   func(drivers.Report)
	bad      int
	reported int
	removed  bool
	seen     []string // addresses that were reported
}

func newCycle(c *Conn, report func(drivers.Report)) *cycle {
	return &cycle{Conn: c, report: report, bad: c.scan.Bad()}
}

// values are the parameters of one address within one block.
type values map[string]string

// private are the parameters that identify people: they are dropped unread.
var private = []string{"PATID", "PATIDBADGE", "PATIDDRUG", "NURSEID"}

// maxParameters bounds what one block may hold: section 5 names fewer than 120.
const maxParameters = 512

// block takes one good block: it hands over a report for each pump in it.
func (cy *cycle) block(b *wire.Block) error {
	byAddress := map[string]values{}
	var order []string
	latest := cy.uptime
	records := b.Records()
	var r wire.Record
	n := 0
	for {
		ok, err := records.Next(&r)
		if err != nil {
			return fmt.Errorf("%w: %w", drivers.ErrMalformed, err)
		}
		if !ok {
			break
		}
		if n++; n > maxParameters {
			return fmt.Errorf("a block of more than %d records: %w", maxParameters, drivers.ErrMalformed)
		}
		if r.Time < cy.uptime {
			return fmt.Errorf("a block from %d s of the device's time behind one from %d s: it is old, or the device was restarted: %w", r.Time, cy.uptime, drivers.ErrMismatch)
		}
		latest = max(latest, r.Time)
		address := string(r.Address[3:])
		v, known := byAddress[address]
		if !known {
			v = values{}
			byAddress[address] = v
			order = append(order, address)
		}
		name := string(r.Parameter)
		if slices.Contains(private, name) {
			continue
		}
		value := string(r.Value)
		if old, twice := v[name]; twice && old != value {
			return fmt.Errorf("parameter %s of %s comes twice and differs: %w", exchange.Text(r.Parameter), address, drivers.ErrMalformed)
		}
		v[name] = value
	}
	cy.uptime = latest
	for _, address := range order {
		if err := cy.pump(address, byAddress[address]); err != nil {
			return err
		}
	}
	return nil
}

// pump takes the values of one address.
func (cy *cycle) pump(address string, v values) error {
	if code, failed := v["GNERR"]; failed {
		if code == "39" && address != "00" {
			cy.removed = true
			delete(cy.serials, address)
			return nil
		}
		return codeError(code)
	}
	if address == "00" || slices.Contains(cy.seen, address) {
		return nil // the station itself; or a block that came twice
	}
	r := drivers.Report{Address: address}
	fill(&r, v)
	if old, known := cy.serials[address]; known && old != r.Identity.Serial {
		cy.serials[address] = r.Identity.Serial
		return fmt.Errorf("serial number %q answers at %s, before it was %q: %w", r.Identity.Serial, address, old, drivers.ErrIdentity)
	}
	cy.serials[address] = r.Identity.Serial
	r.BadFrames = cy.scan.Bad() - cy.bad
	cy.bad = cy.scan.Bad()
	cy.seen = append(cy.seen, address)
	cy.reported++
	cy.report(r)
	return nil
}

// listen takes what a cyclic device sends. The first ACK answers a block that may have come while nobody listened; the device
// sends nothing before it is answered.
func (c *Conn) listen(ctx context.Context, report func(drivers.Report)) error {
	c.scan.Reset()
	c.rest = nil
	if err := c.line.Drain(); err != nil {
		return err
	}
	if err := c.line.Send(ctx, []byte{wire.ACK}); err != nil {
		return fmt.Errorf("answer ACK: %w", err)
	}
	cy := newCycle(c, report)
	until := c.line.Now() + cyclicWait
	for n := 0; n < maxBlocks && c.line.Now() < until; n++ {
		last := false
		_, err := c.next(ctx, until-c.line.Now(), func(b *wire.Block) (bool, error) {
			last = b.Last
			if c.bed == "" && b.BedID() != nil {
				c.bed = string(b.BedID())
			}
			if string(b.BedID()) != c.bed {
				return false, fmt.Errorf("a block of bed %q, the session is with %q: %w", exchange.Text(b.Address), c.bed, drivers.ErrIdentity)
			}
			return b.Last, cy.block(b)
		})
		switch {
		case err != nil && (cy.reported == 0 || !errors.Is(err, errNoBlock)):
			return err
		case err != nil, last && cy.complete():
			return nil
		}
	}
	if cy.reported == 0 {
		return fmt.Errorf("the device sends no pump: %w", drivers.ErrSilent)
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
