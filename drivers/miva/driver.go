package miva

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"infusiond/drivers"
	"infusiond/drivers/miva/wire"
)

// The timing of section 8, and what this driver adds to it.
const (
	replyTimeout    = 500 * time.Millisecond
	attempts        = 3 // one and two retries
	commandGap      = 30 * time.Millisecond
	slowEvery       = 30 * time.Second
	unavailableFor  = 10 * time.Minute
	owedFor         = 10 * time.Second // how long a lost answer may still be under way
	recordsPerCycle = 40
	defaultReadback = 500
)

// Driver is the MIVA protocol with its settings.
type Driver struct {
	rule     wire.Checksum
	readback int
	profile  drivers.Profile
}

// New returns the driver. Settings are "checksum" (sum or xor, default sum) and "log_readback", the
// greatest number of log records read back at a first start (18 to 43264, default 500). An
// unknown key or value is an error that names what is allowed.
func New(settings map[string]string) (drivers.Driver, error) {
	d := &Driver{rule: wire.Sum, readback: defaultReadback}
	var wrong []error
	for _, key := range slices.Sorted(maps.Keys(settings)) {
		value := settings[key]
		switch key {
		case "checksum":
			switch value {
			case "sum":
				d.rule = wire.Sum
			case "xor":
				d.rule = wire.XOR
			default:
				wrong = append(wrong, fmt.Errorf("miva: checksum: %q is not one of sum, xor", value))
			}
		case "log_readback":
			n, err := strconv.Atoi(value)
			if err != nil || n < longBlock || n > wire.RingSize {
				wrong = append(wrong, fmt.Errorf("miva: log_readback: %q is not a number from %d to %d", value, longBlock, wire.RingSize))
				continue
			}
			d.readback = n
		default:
			wrong = append(wrong, fmt.Errorf("miva: %q is not a setting; known are checksum, log_readback", key))
		}
	}
	if len(wrong) > 0 {
		return nil, errors.Join(wrong...)
	}
	d.profile = profile(d.rule)
	return d, nil
}

// Profile declares line settings, identity, allow-list and what the protocol cannot tell.
func (d *Driver) Profile() drivers.Profile { return d.profile }

// Open starts a conversation and reads the serial number. It returns an error
// that wraps drivers.ErrSilent when nobody answers. OpenOptions.Now is required.
func (d *Driver) Open(ctx context.Context, p drivers.Port, o drivers.OpenOptions) (drivers.Conn, error) {
	if o.Now == nil {
		return nil, errors.New("miva: OpenOptions.Now is missing")
	}
	anchors := maps.Clone(o.Anchors)
	if anchors == nil {
		anchors = make(map[string]string)
	}
	c := &Conn{
		port: p, rule: d.rule, readback: d.readback, now: o.Now, anchors: anchors,
		scan: wire.NewScanner(d.rule), owed: make(map[wire.Query]time.Duration),
	}
	serial, err := c.identify(ctx)
	if err != nil {
		return nil, fmt.Errorf("miva: open: %w", err)
	}
	c.session = newSession(serial)
	return c, nil
}

// profile builds the declaration. DTR and RTS rest asserted: that is how the vendor's own program
// (pyserial) leaves them, and what a port does on its own at open, so nothing
// toggles; the cable is a three-wire bridge without flow control.
func profile(rule wire.Checksum) drivers.Profile {
	return drivers.Profile{
		Name:             "miva",
		Models:           "Zyno Medical MIVA, Nimbus II, CAPS",
		Line:             drivers.LineSettings{Baud: 9600, DataBits: 8, StopBits: 1, Parity: drivers.ParityNone, DTR: true, RTS: true},
		Identity:         drivers.IdentityStrong,
		SimulatorSerials: regexp.MustCompile(`^SIM[0-9]{5}$`),
		CommandGap:       commandGap,
		MinPollInterval:  time.Second,
		Allow:            allowList(rule),
		Alarms:           alarmRows(),
		CannotTell: []string{
			"which alarms are active: they are worked out from the event log",
			"the unit of its pressure sensors: raw counts only",
			"whether it runs at a keep-vein-open rate",
			"the volume that is left to be infused",
			"the drug, except on pumps that log the long form of the program",
			"battery charge in percent, and whether external power is connected, except as log records",
			"why it is stopped, except as log records",
			"what reaches the patient",
		},
	}
}

// allowList holds the frames of section 5 and nothing else.
func allowList(rule wire.Checksum) drivers.AllowList {
	var list drivers.AllowList
	for _, q := range wire.Queries() {
		entry := drivers.Query{Name: q.String(), ReplyBytes: q.ReplyBytes()}
		if q == wire.LogRecord {
			entry.Form = regexp.MustCompile(`\A\x02RE` + indexForm + `[0-9A-F]{2}\x03\z`)
		} else {
			entry.Exact = wire.AppendFrame(nil, wire.AppendQuery(nil, q, 0), rule)
		}
		list = append(list, entry)
	}
	return list
}

// indexForm matches the indices of the ring: 00000000 to 0000A8FF.
const indexForm = `0000(?:[0-9][0-9A-F]{3}|A[0-8][0-9A-F]{2})`

// model names the pump from its answer to RM; without one it is the C type.
func model(platform []byte) string {
	switch strings.TrimSpace(string(platform)) {
	case "00":
		return "Zyno unified H"
	case "01":
		return "Zyno unified K"
	}
	return "Zyno MIVA"
}
