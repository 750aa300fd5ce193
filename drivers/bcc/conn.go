package bcc

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"infusiond/drivers"
	"infusiond/drivers/bcc/wire"
	"infusiond/drivers/exchange"
)

var (
	// errNoBlock marks a wait that ended without a good block; the cause is wrapped beside it.
	errNoBlock = errors.New("no block")
	// errStation marks an error that the station reports.
	errStation = errors.New("the station reports an error")
)

// Conn is one conversation with the pumps of one station. It belongs to one goroutine.
type Conn struct {
	line            *exchange.Line
	stuffed, cyclic bool
	addresses       []string
	scan            *wire.Scanner
	frame           []byte
	rest            []byte // received behind the last block

	bed     string            // empty: no session
	uptime  uint64            // of the last block of the session
	device  clock             // the device's, in this session
	ended   time.Duration     // when the last block was received
	pumps   map[string]*known // by address
	content content           // of the block at hand
	broken  int               // blocks with a right check that broke another rule
}

// bad counts frames that were dropped so far.
func (c *Conn) bad() int { return c.scan.Bad() + c.broken }

// Poll reads all pumps once. An error ends the session; the next Poll begins anew with ADMIN:ALIVE.
func (c *Conn) Poll(ctx context.Context, report func(drivers.Report)) error {
	err := c.poll(ctx, report)
	if err != nil {
		c.bed, c.uptime, c.device = "", 0, clock{}
		return fmt.Errorf("bcc: %w", err)
	}
	return nil
}

// Close ends the conversation; it writes nothing.
func (c *Conn) Close() error {
	c.bed = ""
	return nil
}

func (c *Conn) poll(ctx context.Context, report func(drivers.Report)) error {
	if c.cyclic {
		return c.listen(ctx, report)
	}
	if c.bed == "" {
		if err := c.begin(ctx); err != nil {
			return err
		}
	}
	cy := newCycle(c, report)
	if err := c.pause(ctx); err != nil {
		return err
	}
	request := wire.RequestAll
	if len(c.addresses) == 1 {
		request = wire.RequestSlot + c.addresses[0]
	}
	if err := c.ask(ctx, request, cy.block); err != nil {
		return errors.Join(err, cy.failed)
	}
	return cy.end()
}

// begin starts a session: link and bed id. The station's version is not asked: it says nothing of a pump.
func (c *Conn) begin(ctx context.Context) error {
	bed, uptime := "", uint64(0)
	var err error
	for range attempts {
		err = c.converse(ctx, wire.LinkAddress, wire.RequestAlive, func(b *wire.Block) (bool, error) {
			r, ok := single(b, "GNACK")
			if !ok {
				return false, stationError(b)
			}
			if string(r.Value) != "0" || b.BedID() == nil || r.Time >= longest {
				return false, nil
			}
			bed, uptime = string(b.BedID()), r.Time
			return true, nil
		})
		if !errors.Is(err, errNoBlock) {
			break
		}
	}
	if err != nil {
		return err
	}
	if !wire.ValidBedID(bed) {
		return fmt.Errorf("bed id %q: %w", exchange.Text([]byte(bed)), drivers.ErrMalformed)
	}
	c.bed, c.uptime, c.device = bed, uptime, clock{}
	c.device.hear(uptime, c.line.Now())
	return nil
}

func (c *Conn) address() string { return c.bed + "/1/1" }

// single returns the only record of a block, when it has the parameter.
func single(b *wire.Block, parameter string) (wire.Record, bool) {
	records := b.Records()
	var r, more wire.Record
	ok, err := records.Next(&r)
	if err != nil || !ok || parameter != "" && string(r.Parameter) != parameter {
		return wire.Record{}, false
	}
	again, err := records.Next(&more)
	return r, !again && err == nil && string(r.Address) == "50100"
}

// stationError returns the error that a block of the station reports, nil when it reports none.
func stationError(b *wire.Block) error {
	r, ok := single(b, "GNERR")
	if !ok {
		return nil
	}
	return codeError(string(r.Value))
}

// codeError explains a GNERR code of section 6.
func codeError(code string) error {
	switch code {
	case "11":
		return fmt.Errorf("%w: no pumps or no further data (GNERR 11): %w", errStation, drivers.ErrSilent)
	case "39":
		return fmt.Errorf("%w: the pump was removed or cannot be reached (GNERR 39): %w", errStation, drivers.ErrSilent)
	case "68":
		return fmt.Errorf("%w: it did not understand the request (GNERR 68): %w", errStation, drivers.ErrMismatch)
	case "811":
		return fmt.Errorf("%w: there is no such slot (GNERR 811): check the address: %w", errStation, drivers.ErrUnsupported)
	}
	return fmt.Errorf("%w: GNERR %s: %w", errStation, exchange.Text([]byte(code)), drivers.ErrUnsupported)
}

// pause waits until the station may be asked again; what it sends meanwhile is dropped by the next request.
func (c *Conn) pause(ctx context.Context) error {
	for until := c.ended + requestGap; c.ended > 0 && c.line.Now() < until; {
		if _, err := c.line.Read(ctx, until); err != nil && !exchange.Silent(err) {
			return err
		}
	}
	return ctx.Err()
}

// ask sends a request of the session and takes its blocks until the last.
func (c *Conn) ask(ctx context.Context, request string, take func(b *wire.Block) error) error {
	return c.converse(ctx, c.address(), request, func(b *wire.Block) (bool, error) {
		if !slices.Equal(b.BedID(), []byte(c.bed)) {
			return false, fmt.Errorf("a block of bed %q, the session is with %q: %w", exchange.Text(b.Address), c.bed, drivers.ErrIdentity)
		}
		return b.Last, take(b)
	})
}

// converse sends a request and answers blocks until take is done with one.
func (c *Conn) converse(ctx context.Context, address, request string, take func(b *wire.Block) (bool, error)) error {
	c.scan.Reset()
	c.rest = nil
	if err := c.line.Drain(); err != nil {
		return err
	}
	c.frame = wire.AppendRequest(c.frame[:0], address, request, c.stuffed)
	if err := c.line.Send(ctx, c.frame); err != nil {
		return fmt.Errorf("ask %s: %w", request, err)
	}
	for range maxBlocks {
		done, err := c.next(ctx, firstByte, take)
		if err != nil {
			return fmt.Errorf("ask %s: %w", request, err)
		}
		if done {
			return nil
		}
	}
	return fmt.Errorf("ask %s: more than %d blocks: %w: %w", request, maxBlocks, errNoBlock, drivers.ErrMalformed)
}

// next receives one good block, hands it to take and answers it. Damaged ones are answered by NAK, at most twice, and so are
// those that have to be confirmed.
func (c *Conn) next(ctx context.Context, wait time.Duration, take func(b *wire.Block) (bool, error)) (bool, error) {
	var b wire.Block
	for damaged, again := 0, 0; ; {
		err := c.receive(ctx, wait, &b)
		done := false
		if err == nil {
			c.ended = c.line.Now()
			done, err = take(&b)
		}
		switch {
		case err == nil:
			if err := c.line.Send(ctx, []byte{wire.ACK}); err != nil {
				return false, fmt.Errorf("answer ACK: %w", err)
			}
			return done, nil
		case errors.Is(err, errAgain) && again < repeats:
			again++
		case errors.Is(err, errNoBlock) && !errors.Is(err, drivers.ErrSilent) && damaged < repeats:
			damaged++
		default:
			return false, err
		}
		wait = firstByte
		if err := c.line.Send(ctx, []byte{wire.NAK}); err != nil {
			return false, fmt.Errorf("answer NAK: %w", err)
		}
	}
}

// receive waits for one frame. The views of b are valid until the next call.
func (c *Conn) receive(ctx context.Context, wait time.Duration, b *wire.Block) error {
	deadline := c.line.Now() + wait
	seen := false
	for taken := 0; taken < 4*wire.MaxFrame; {
		if len(c.rest) == 0 {
			in, err := c.line.Read(ctx, deadline)
			if exchange.Silent(err) {
				break
			}
			if err != nil {
				return fmt.Errorf("read a block: %w", err)
			}
			c.rest, seen = in, true
			taken += len(in)
			deadline = max(deadline, c.line.Now()+nextByte)
			if c.scan.Pending() {
				deadline = c.line.Now() + nextByte
			}
		}
		e, used := c.scan.Next(c.rest, b)
		c.rest = c.rest[used:]
		switch e {
		case wire.Good:
			if c.echo(b) {
				continue
			}
			return nil
		case wire.Broken:
			c.rest = nil
			return fmt.Errorf("%w: %w", errNoBlock, cause(c.scan.LastBad()))
		case wire.Nothing, wire.Positive, wire.Negative:
		}
	}
	if c.scan.Pending() {
		c.scan.GiveUp()
		return fmt.Errorf("%w: %w", errNoBlock, drivers.ErrTruncated)
	}
	if seen {
		return fmt.Errorf("%w: bytes that are no block: %w", errNoBlock, drivers.ErrMalformed)
	}
	return fmt.Errorf("%w: %w", errNoBlock, drivers.ErrSilent)
}

// echo says whether a frame is a request: the line returns what was sent.
func (c *Conn) echo(b *wire.Block) bool {
	for _, request := range []string{"ADMIN:", wire.RequestAll} {
		if len(b.Information) >= len(request) && string(b.Information[:len(request)]) == request {
			return true
		}
	}
	return false
}

func cause(err error) error {
	switch {
	case errors.Is(err, wire.ErrTruncated):
		return drivers.ErrTruncated
	case errors.Is(err, wire.ErrChecksum):
		return drivers.ErrChecksum
	}
	return drivers.ErrMalformed
}
