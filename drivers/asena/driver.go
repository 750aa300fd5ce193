package asena

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"time"

	"infusiond/drivers"
	"infusiond/drivers/asena/wire"
	"infusiond/drivers/exchange"
)

// The timing of section 8, and what this driver adds to it.
const (
	replyTimeout   = time.Second
	longestReply   = 4 * time.Second // COMMS_RESPONSE_MAX of the known pumps
	attempts       = 3               // one and two repeats
	commandGap     = 5 * time.Millisecond
	alarmEvery     = 10 * time.Second
	slowEvery      = 30 * time.Second
	unavailableFor = 10 * time.Minute
)

// Driver is the Alaris / Asena protocol.
type Driver struct{}

// New returns the driver. It has no settings.
func New(settings map[string]string) (drivers.Driver, error) {
	if _, err := exchange.Settings("asena", settings, nil); err != nil {
		return nil, err
	}
	return Driver{}, nil
}

// Open starts a conversation and reads the serial number. It returns an error
// that wraps drivers.ErrSilent when nobody answers. OpenOptions.Now is required.
func (Driver) Open(ctx context.Context, p drivers.Port, o drivers.OpenOptions) (drivers.Conn, error) {
	if o.Now == nil {
		return nil, errors.New("asena: OpenOptions.Now is missing")
	}
	c := &Conn{line: exchange.New(p, o.Now), anchors: map[string]string{}}
	maps.Copy(c.anchors, o.Anchors)
	serial, err := c.identify(ctx, replyTimeout, attempts)
	if err != nil {
		return nil, fmt.Errorf("asena: open: %w", err)
	}
	c.session = newSession(serial)
	return c, nil
}

// Profile declares line settings, identity, allow-list and what the protocol cannot tell. DTR and RTS rest
// asserted, as a port raises them at open, so nothing toggles; the protocol uses no flow control.
func (Driver) Profile() drivers.Profile {
	return drivers.Profile{
		Name:             "asena",
		Models:           "Alaris / Asena GS, GH, CC, TIVA",
		Line:             drivers.LineSettings{Baud: 38400, DataBits: 8, StopBits: 1, Parity: drivers.ParityNone, DTR: true, RTS: true},
		Identity:         drivers.IdentityStrong,
		SimulatorSerials: regexp.MustCompile(`^SIM[0-9]-[0-9]{5}$`),
		CommandGap:       commandGap,
		MinPollInterval:  time.Second,
		Allow:            allowList(),
		Alarms:           alarmRows(),
		CannotTell: []string{
			"more than one alarm at a time",
			"its event log: only that something new stands in it",
			"whether it runs, in so many words: it is derived from rate and mode",
			"the battery's charge, except as alarms",
			"whether the volume to be infused counts down",
			"what reaches the patient",
		},
	}
}

// replyBytes are the usual lengths of the replies on the wire.
var replyBytes = map[wire.Request]int{
	wire.SerialNumber: 31, wire.Protocol: 37, wire.ResponseMax: 34, wire.Status: 80, wire.VolumeInfused: 23, wire.VTBI: 36, wire.Rate: 25,
	wire.MaxRate: 40, wire.Syringe: 42, wire.Alarm: 25,
}

func allowList() drivers.AllowList {
	var list drivers.AllowList
	for _, r := range wire.Requests() {
		list = append(list, drivers.Query{Name: r.String(), Exact: wire.AppendFrame(nil, []byte(r.String())), ReplyBytes: replyBytes[r]})
	}
	return list
}
