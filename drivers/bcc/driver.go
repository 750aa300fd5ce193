package bcc

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"time"

	"infusiond/drivers"
	"infusiond/drivers/bcc/wire"
	"infusiond/drivers/exchange"
)

// The timing of section 7, and what this driver adds to it.
const (
	firstByte  = 3 * time.Second
	nextByte   = time.Second
	ackGap     = 100 * time.Millisecond // before ACK; kept before every write
	requestGap = 500 * time.Millisecond // before the next MEM:GET
	attempts   = 3
	repeats    = 2               // of a damaged block, and of one to be confirmed
	cyclicWait = 7 * time.Second // a cyclic device sends every 5 s
	maxBlocks  = 64              // of one answer: 24 pumps and the station, with room
)

// Driver is the BCC protocol with its settings.
type Driver struct {
	stuffed, cyclic bool
	baud            int
}

// New returns the driver. Settings are "stuffing" (on or off, default on), "mode" (request or cyclic, default request) and "baud"
// (9600, 19200, 38400, 57600, 115200; default 9600), as they are set on the device.
func New(settings map[string]string) (drivers.Driver, error) {
	s, err := exchange.Settings("bcc", settings, map[string][]string{
		"stuffing": {"on", "off"}, "mode": {"request", "cyclic"}, "baud": {"9600", "19200", "38400", "57600", "115200"},
	})
	if err != nil {
		return nil, err
	}
	return &Driver{stuffed: s["stuffing"] == "on", cyclic: s["mode"] == "cyclic", baud: exchange.Baud(s["baud"])}, nil
}

// CheckAddress says whether an address is one that reports carry.
func (d *Driver) CheckAddress(address string) error {
	if !wire.ValidSlot(address) {
		return fmt.Errorf("address %q: known are pillar 1 to 3 and slot 1 to 9 or A to O, like 11 or 2A", address)
	}
	return nil
}

// Open starts a session. It returns an error that wraps drivers.ErrSilent when no station answers. OpenOptions.Now is required.
func (d *Driver) Open(ctx context.Context, p drivers.Port, o drivers.OpenOptions) (drivers.Conn, error) {
	if o.Now == nil {
		return nil, errors.New("bcc: OpenOptions.Now is missing")
	}
	for _, address := range o.Addresses {
		if err := d.CheckAddress(address); err != nil {
			return nil, fmt.Errorf("bcc: %w", err)
		}
	}
	c := &Conn{
		line: exchange.New(p, o.Now), stuffed: d.stuffed, cyclic: d.cyclic, addresses: o.Addresses, scan: wire.NewScanner(d.stuffed),
		pumps: map[string]*known{},
	}
	if d.cyclic {
		return c, nil // the device is spoken to when it speaks
	}
	if err := c.begin(ctx); err != nil {
		return nil, fmt.Errorf("bcc: open: %w", err)
	}
	return c, nil
}

// Profile declares line settings, identity, allow-list and what the protocol cannot tell. DTR and RTS rest asserted,
// as a port raises them at open, so nothing toggles; the protocol uses no handshake.
func (d *Driver) Profile() drivers.Profile {
	return drivers.Profile{
		Name:             "bcc",
		Models:           "B. Braun Perfusor Space, Infusomat Space, Compact plus behind a SpaceCom",
		Line:             drivers.LineSettings{Baud: d.baud, DataBits: 8, StopBits: 1, Parity: drivers.ParityNone, DTR: true, RTS: true},
		Identity:         drivers.IdentityStrong,
		SimulatorSerials: regexp.MustCompile(`^SIM[0-9]{5}$`),
		CommandGap:       ackGap,
		MinPollInterval:  2 * time.Second,
		Allow:            d.allowList(),
		SeveralPumps:     true,
		Addressing:       "pillar 1 to 3 and slot 1 to 9 or A to O, counted from the bottom, like 11 or 2A",
		Alarms:           alarmRows(),
		CannotTell: []string{
			"what happened between two questions: it has no readable log, only the number of the last device alarm",
			"line pressure in a physical unit: percent of the pump's own limit",
			"whether its rate is what is set or what runs, in so many words",
			"what reaches the patient",
		},
	}
}

const sinceLast = "the station's counters since the last request (mean rate, boluses) begin anew"

// allowList holds the four requests of section 5, ACK and NAK. Requests other than the first carry the bed id; their length and check
// must agree.
func (d *Driver) allowList() drivers.AllowList {
	list := drivers.AllowList{
		{Name: "ACK", Exact: []byte{wire.ACK}},
		{Name: "NAK", Exact: []byte{wire.NAK}},
		{Name: wire.RequestAlive, Exact: wire.AppendRequest(nil, wire.LinkAddress, wire.RequestAlive, d.stuffed), ReplyBytes: 44, SideEffect: "the station's mean rates begin anew"},
	}
	for _, r := range []struct {
		name, slot, effect string
		reply              int
	}{{wire.RequestVersion, "", "", 42}, {wire.RequestAll, "", sinceLast, 0}, {wire.RequestSlot, `[1-3](?:[1-9]|[A-O])`, sinceLast, 0}} {
		list = append(list, drivers.Query{
			Name: r.name, Form: d.form(r.name, r.slot), Check: d.agrees, ReplyBytes: r.reply, SideEffect: r.effect,
		})
	}
	return list
}

// form matches a request with any bed id. On a stuffed line D, E, d and e stand as pairs, in the slot, too.
func (d *Driver) form(request, slot string) *regexp.Regexp {
	bed, text := `[/-9A-Za-z\[\\\]^_\x60]{1,15}`, request
	if d.stuffed {
		bed, text = `(?:[/-9A-CF-Za-cf-z\[\\\]^_\x60]|E[EX]|e[ex]){1,15}`, string(wire.AppendStuffed(nil, []byte(request)))
		if slot != "" {
			slot = `[1-3](?:[1-9]|[A-CF-O]|E[EX])`
		}
	}
	return regexp.MustCompile(`\A\x01[0-9]{5}\x02` + bed + `/1/1>` + regexp.QuoteMeta(text) + slot + `\x03[0-9]{5}\x04\z`)
}

// agrees says whether length and check of a frame are right.
func (d *Driver) agrees(frame []byte) bool {
	var b wire.Block
	_, err := wire.DecodeFrame(frame, nil, d.stuffed, &b)
	return err == nil
}
