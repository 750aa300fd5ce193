package sapphire

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"infusiond/drivers"
	"infusiond/drivers/exchange"
	"infusiond/drivers/sapphire/wire"
)

// Conn is one conversation with one pump. It belongs to one goroutine.
type Conn struct {
	line  *exchange.Line
	check bool
	scan  *wire.Scanner

	serial   uint32 // of the session, while known
	known    bool
	sequence byte   // of the last heartbeat
	last     []byte // sequence number of the batch of the last report; empty: none
	beatAt   time.Duration
	beaten   bool
	frame    []byte

	unsolicited int
	short       bool // a batch of this cycle was too short
}

// seen is a batch with its sequence number.
type seen struct {
	wire.Batch
	sequence byte
}

// Poll waits for two batches that agree and hands over the second. After an error the next Poll accepts whatever pump is there.
func (c *Conn) Poll(ctx context.Context, report func(drivers.Report)) error {
	bad := c.scan.Bad()
	c.unsolicited = 0
	b, err := c.fresh(ctx)
	if err != nil {
		c.known, c.beaten, c.last = false, false, nil
		return fmt.Errorf("sapphire: %w", err)
	}
	c.last = append(c.last[:0], b.sequence)
	r := c.report(b.Batch)
	r.BadFrames = c.scan.Bad() - bad
	r.Unsolicited = c.unsolicited
	report(r)
	return nil
}

// Close ends the conversation; it writes nothing. The pump stops sending when it hears no heartbeat for 30 s.
func (c *Conn) Close() error {
	c.known, c.beaten = false, false
	return nil
}

// fresh returns a batch that began after the call, confirmed by the one before it.
func (c *Conn) fresh(ctx context.Context) (seen, error) {
	c.scan.Reset()
	c.short = false
	if err := c.line.Drain(); err != nil {
		return seen{}, err
	}
	var first *seen
	bad := c.scan.Bad()
	doubt := false
	for range attempts {
		if err := c.beat(ctx); err != nil {
			return seen{}, err
		}
		b, err := c.listen(ctx, &first, &doubt)
		if err == nil {
			return b, c.same(b.Serial)
		}
		if !exchange.Silent(err) {
			return seen{}, err
		}
		c.beaten = false // it may not have been heard
	}
	return seen{}, c.blame(c.scan.Bad() > bad, doubt || first != nil)
}

// beat sends a heartbeat when one is due.
func (c *Conn) beat(ctx context.Context) error {
	if c.beaten && c.line.Now()-c.beatAt < heartbeatEvery {
		return ctx.Err()
	}
	c.frame = wire.Heartbeat(c.frame[:0], c.sequence)
	if err := c.line.Send(ctx, c.frame); err != nil {
		return fmt.Errorf("send heartbeat: %w", err)
	}
	c.sequence++
	c.beatAt, c.beaten = c.line.Now(), true
	return nil
}

// listen reads until two batches agree. The first of a pair is kept between calls.
func (c *Conn) listen(ctx context.Context, first **seen, doubt *bool) (seen, error) {
	deadline := c.line.Now() + answerTime
	var m wire.Message
	for {
		in, err := c.line.Read(ctx, deadline)
		if exchange.Silent(err) {
			for c.scan.Flush(&m) {
				if b, ok := c.take(&m, first, doubt); ok {
					return b, nil
				}
			}
			return seen{}, err
		}
		if err != nil {
			return seen{}, fmt.Errorf("read batches: %w", err)
		}
		for {
			found, used := c.scan.Next(in, &m)
			in = in[used:]
			if found {
				if b, ok := c.take(&m, first, doubt); ok {
					return b, nil
				}
				continue
			}
			if len(in) == 0 {
				break
			}
		}
	}
}

// take looks at one message: the second of two batches that agree is what is waited for.
func (c *Conn) take(m *wire.Message, first **seen, doubt *bool) (seen, bool) {
	if m.Sender == wire.PC {
		return seen{}, false // the line returns what was sent
	}
	b := seen{sequence: m.Sequence}
	if err := b.Decode(m); err != nil {
		c.short = c.short || errors.Is(err, wire.ErrTruncated)
		c.unsolicited++
		return seen{}, false
	}
	if slices.Equal(c.last, []byte{b.sequence}) {
		*doubt = true // what the last report was made of
		return seen{}, false
	}
	if *first != nil && (*first).agrees(b) {
		return b, true
	}
	*doubt = *doubt || *first != nil
	*first = &b
	return seen{}, false
}

// mostMoved is how far, in hundredths of mL, a volume may move between two batches: at 999 mL/h that takes 3.6 s.
const mostMoved = 100

// agrees says whether two different batches tell the same, but for the little that was delivered between them.
func (s *seen) agrees(b seen) bool {
	moved := int64(b.Delivered) - int64(s.Delivered)
	return s.sequence != b.sequence && s.Serial == b.Serial && s.Software == b.Software && s.Rate == b.Rate &&
		moved >= 0 && moved <= mostMoved && uint64(s.Remaining)+uint64(s.Delivered) == uint64(b.Remaining)+uint64(b.Delivered)
}

// same compares a serial number with the session's.
func (c *Conn) same(serial uint32) error {
	if c.known && serial != c.serial {
		return fmt.Errorf("serial number %d answers, the session began with %d: %w", serial, c.serial, drivers.ErrIdentity)
	}
	c.serial, c.known = serial, true
	return nil
}

// blame says why there was no batch to be trusted.
func (c *Conn) blame(corrupt, doubt bool) error {
	switch {
	case corrupt && errors.Is(c.scan.LastBad(), wire.ErrChecksum) && !doubt:
		return fmt.Errorf("messages come and no checksum agrees: check the line's speed (setting baud), or whether this pump "+
			"forms its checksum otherwise (setting verify_checksum): %w", drivers.ErrChecksum)
	case corrupt && errors.Is(c.scan.LastBad(), wire.ErrChecksum):
		return drivers.ErrChecksum
	case doubt:
		return fmt.Errorf("no two new batches agree: %w", drivers.ErrMismatch)
	case corrupt:
		return drivers.ErrTruncated
	case c.short:
		return fmt.Errorf("batches are shorter than 171 bytes: %w", drivers.ErrUnsupported)
	}
	return drivers.ErrSilent
}

// The largest numbers that this pump can mean (section 1 and its VTBI of at most 9999 mL).
const (
	maxRate   = 9990    // tenths of mL/h
	maxVolume = 999_999 // hundredths of mL
)

// report turns a confirmed batch into a report.
func (c *Conn) report(b wire.Batch) drivers.Report {
	r := drivers.Report{
		Identity:     drivers.Identity{Serial: strconv.FormatUint(uint64(b.Serial), 10), Model: "Q Core Sapphire", Firmware: fmt.Sprintf("%08X", b.Software)},
		AlarmsReason: "this pump's alarms cannot be read with what is public of its protocol",
	}
	if b.Rate <= maxRate {
		r.PumpReportedRate = drivers.Number(int64(b.Rate), -1, drivers.MilliliterPerHour)
		r.State = drivers.RunStopped
		if b.Rate > 0 {
			r.State = drivers.RunInfusing
		}
		r.Uncertain = append(r.Uncertain, "PumpReportedRate", "State")
	} else {
		r.Unavailable = append(r.Unavailable, fmt.Sprintf("flow rate (%d.%d mL/h is beyond 999)", b.Rate/10, b.Rate%10))
	}
	if total := uint64(b.Remaining) + uint64(b.Delivered); total <= maxVolume {
		r.VTBIRemaining = drivers.Number(int64(b.Remaining), -2, drivers.Milliliter)
		r.VolumeInfused = drivers.Number(int64(b.Delivered), -2, drivers.Milliliter)
		r.VTBI = drivers.Number(int64(total), -2, drivers.Milliliter)
		r.Uncertain = append(r.Uncertain, "VolumeInfused", "VTBI", "VTBIRemaining")
	} else {
		r.Unavailable = append(r.Unavailable, "volumes (beyond 9999.99 mL)")
	}
	if !c.check {
		r.Uncertain = append(r.Uncertain, "Identity")
	}
	return r
}
