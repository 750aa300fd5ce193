package bcc

import (
	"context"
	"errors"
	"fmt"

	"infusiond/drivers"
	"infusiond/drivers/bcc/wire"
	"infusiond/drivers/exchange"
)

// listen takes what a cyclic device sends. The first ACK answers a block that may have come while nobody listened; the device
// sends nothing before it is answered.
//
// What comes next may be the rest of blocks that the device made then: it is acknowledged and not used. Values are taken from blocks
// that began behind the last block of a round, or with the station's own records, which lead a round; and of these none that is old by the device's time.
func (c *Conn) listen(ctx context.Context, report func(drivers.Report)) error {
	c.scan.Reset()
	c.rest = nil
	if err := c.line.Drain(); err != nil {
		return err
	}
	cy := newCycle(c, report)
	if err := c.line.Send(ctx, []byte{wire.ACK}); err != nil {
		return fmt.Errorf("answer ACK: %w", err)
	}
	fresh := false
	for range maxBlocks {
		last := false
		_, err := c.next(ctx, cyclicWait, func(b *wire.Block) (bool, error) {
			last = b.Last
			if c.bed == "" && b.BedID() != nil {
				c.bed = string(b.BedID())
			}
			if string(b.BedID()) != c.bed {
				return false, fmt.Errorf("a block of bed %q, the session is with %q: %w", exchange.Text(b.Address), c.bed, drivers.ErrIdentity)
			}
			if fresh = fresh || leads(b); !fresh {
				return b.Last, nil
			}
			err := cy.block(b)
			if errors.Is(err, errOld) {
				fresh, err = false, nil
			}
			return b.Last, err
		})
		switch {
		case err != nil && (cy.reported == 0 || !errors.Is(err, errNoBlock)):
			return errors.Join(err, cy.failed)
		case err != nil, last && cy.complete():
			return cy.end()
		}
		fresh = fresh || last
	}
	return cy.end()
}

// leads says whether a block begins with records of the station: the first of a round does.
func leads(b *wire.Block) bool {
	records := b.Records()
	var r wire.Record
	ok, err := records.Next(&r)
	return ok && err == nil && string(r.Address[3:]) == ofStation
}
