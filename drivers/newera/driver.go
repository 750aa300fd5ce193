package newera

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"strings"
	"time"

	"infusiond/drivers"
	"infusiond/drivers/exchange"
	"infusiond/drivers/newera/wire"
)

// The timing of section 8, and what this driver adds to it.
const (
	replyTimeout = 500 * time.Millisecond
	attempts     = 3 // one and two retries
	commandGap   = 10 * time.Millisecond
	slowEvery    = 30 * time.Second
)

// Driver is the NE-1000 protocol with its settings.
type Driver struct {
	baud    int
	framing wire.Framing
}

// New returns the driver. Settings are "baud" (19200, 9600, 2400, 1200, 300; default 19200, which two of the known clients use)
// and "framing" (basic, or safe for a pump that somebody put into safe mode; default basic).
func New(settings map[string]string) (drivers.Driver, error) {
	s, err := exchange.Settings("newera", settings, map[string][]string{
		"baud": {"19200", "9600", "2400", "1200", "300"}, "framing": {"basic", "safe"},
	})
	if err != nil {
		return nil, err
	}
	d := &Driver{baud: exchange.Baud(s["baud"])}
	if s["framing"] == "safe" {
		d.framing = wire.Safe
	}
	return d, nil
}

// Open starts a conversation with the configured addresses, or with address 00. It returns an error that wraps
// drivers.ErrSilent when none of them answers. OpenOptions.Now is required.
func (d *Driver) Open(ctx context.Context, p drivers.Port, o drivers.OpenOptions) (drivers.Conn, error) {
	if o.Now == nil {
		return nil, errors.New("newera: OpenOptions.Now is missing")
	}
	c := &Conn{line: exchange.New(p, o.Now), framing: d.framing, anchors: maps.Clone(o.Anchors)}
	addresses := o.Addresses
	if len(addresses) == 0 {
		addresses = []string{"00"}
	}
	for _, text := range addresses {
		if err := d.CheckAddress(text); err != nil {
			return nil, fmt.Errorf("newera: %w", err)
		}
		c.pumps = append(c.pumps, &pump{name: text, number: int(text[0]-'0')*10 + int(text[1]-'0')})
	}
	if err := c.greet(ctx); err != nil {
		return nil, fmt.Errorf("newera: open: %w", err)
	}
	return c, nil
}

// CheckAddress says whether an address is one that reports carry. It has two digits always, so that one pump has one spelling.
func (d *Driver) CheckAddress(address string) error {
	if len(address) != 2 || strings.Trim(address, "0123456789") != "" {
		return fmt.Errorf("address %q: known are 00 to 99, with two digits", address)
	}
	return nil
}

// Profile declares line settings, identity, allow-list and what the protocol cannot tell. DTR and RTS rest asserted,
// as a port raises them at open, so nothing toggles; the protocol uses no flow control.
func (d *Driver) Profile() drivers.Profile {
	return drivers.Profile{
		Name:            "newera",
		Models:          "New Era NE-1000, NE-1600, NE-4000, WPI Aladdin (bench pumps)",
		Line:            drivers.LineSettings{Baud: d.baud, DataBits: 8, StopBits: 1, Parity: drivers.ParityNone, DTR: true, RTS: true},
		Identity:        drivers.IdentityWeak,
		CommandGap:      commandGap,
		MinPollInterval: time.Second,
		Allow:           allowList(d.framing),
		SeveralPumps:    true,
		Addressing:      "the pump's address, 00 to 99",
		Alarms:          alarmTable,
		CannotTell: []string{
			"who it is: it has no serial number",
			"alarms that somebody else's query, or its own keypad, acknowledged before",
			"on which side a line is closed: a stalled motor is the nearest thing to an occlusion",
			"the rate at which it runs, apart from the programmed one",
			"battery, line pressure, air, drug, and what happened while nobody asked",
			"in safe mode: it stops by itself when nobody asks it for its time-out",
			"what reaches the patient",
		},
	}
}

// replyBytes are the usual lengths of the replies, framing left out.
var replyBytes = map[wire.Query]int{
	wire.Status: 3, wire.Version: 15, wire.Rate: 10, wire.Dispensed: 17, wire.Volume: 10, wire.Direction: 6, wire.Diameter: 8,
	wire.Phase: 4, wire.Function: 6, wire.Buzzer: 4,
}

const sideEffect = "an alarm that the answer tells is acknowledged by it; the driver keeps it"

func allowList(f wire.Framing) drivers.AllowList {
	var list drivers.AllowList
	for _, q := range wire.Queries() {
		entry := drivers.Query{Name: q.String(), ReplyBytes: replyBytes[q] + 2, SideEffect: sideEffect}
		if f == wire.Basic {
			entry.Form = regexp.MustCompile(`\A[0-9]{2}` + q.Word() + `\r\z`)
			list = append(list, entry)
			continue
		}
		entry.ReplyBytes += 3
		for address := range 100 { // one by one, because a pattern cannot form the checksum
			entry.Exact = wire.AppendQuery(nil, address, q, f)
			list = append(list, entry)
		}
	}
	return list
}

// alarmTable is the one place that says what each alarm means.
var alarmTable = []drivers.AlarmRow{
	{Raw: "A?R", Text: "pump was reset: power interrupted", Code: drivers.AlarmPumpReset, Term: drivers.TermPwrLoss},
	{Raw: "A?S", Text: "motor stalled: the nearest thing to an occlusion", Code: drivers.AlarmOcclusion, Term: drivers.TermFluidLineOccl},
	{Raw: "A?T", Text: "safe-mode communication time-out: stopped", Code: drivers.AlarmCommunication},
	{Raw: "A?E", Text: "program error", Code: drivers.AlarmPumpFault, Term: drivers.TermMalf},
	{Raw: "A?O", Text: "program phase out of range", Code: drivers.AlarmPumpFault, Term: drivers.TermMalf},
}

func lookup(raw string) drivers.AlarmRow {
	for _, r := range alarmTable {
		if r.Raw == raw {
			return r
		}
	}
	return drivers.AlarmRow{Raw: raw, Text: "an alarm that the protocol document does not name", Code: drivers.AlarmUnknown, Term: drivers.TermUnknown}
}
