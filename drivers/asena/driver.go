package asena

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"infusiond/drivers"
	"infusiond/drivers/asena/wire"
)

// The timing of section 8, and what this driver adds to it.
const (
	replyTimeout = time.Second
	attempts     = 3 // one and two repeats
	alarmEvery   = 10 * time.Second
	slowEvery    = 30 * time.Second

	// commandGap is no demand of the document. It is 38 bytes long: a frame that the pump still sends
	// has ended by then, and its program, which answers within a few milliseconds, is not hurried.
	commandGap = 10 * time.Millisecond

	// declaredReply is the longest time to an answer that a pump of this kind declares (section 4); a pump that
	// declares another one is believed within these bounds.
	declaredReply = 4 * time.Second
	shortestWait  = replyTimeout
	longestWait   = 5 * time.Second

	owedFor        = 2 * longestWait // how long a lost answer may still be under way
	unavailableFor = 10 * time.Minute
)

// Driver is the Asena protocol. It has no settings.
type Driver struct{ profile drivers.Profile }

// New returns the driver. It knows no setting; any key is an error.
func New(settings map[string]string) (drivers.Driver, error) {
	if len(settings) > 0 {
		return nil, fmt.Errorf("asena: %s: this protocol has no settings", strings.Join(slices.Sorted(maps.Keys(settings)), ", "))
	}
	return &Driver{profile: profile()}, nil
}

// Profile declares line settings, identity, allow-list and what the protocol cannot tell.
func (d *Driver) Profile() drivers.Profile { return d.profile }

// Open starts a conversation and reads the serial number. It returns an error that wraps
// drivers.ErrSilent when nobody answers. OpenOptions.Now is required.
func (d *Driver) Open(ctx context.Context, p drivers.Port, o drivers.OpenOptions) (drivers.Conn, error) {
	if o.Now == nil {
		return nil, errors.New("asena: OpenOptions.Now is missing")
	}
	c := &Conn{port: p, now: o.Now, patience: declaredReply}
	serial, err := c.identify(ctx)
	if err != nil {
		return nil, fmt.Errorf("asena: open: %w", err)
	}
	c.session = newSession(serial)
	return c, nil
}

// profile builds the declaration. DTR and RTS rest asserted: the document knows no flow
// control, and that is what a port does on its own at open, so nothing toggles.
func profile() drivers.Profile {
	return drivers.Profile{
		Name:             "asena",
		Models:           "BD / CareFusion / Cardinal Health Alaris (Asena) GS, GH, CC, TIVA syringe pumps",
		Line:             drivers.LineSettings{Baud: 38400, DataBits: 8, StopBits: 1, Parity: drivers.ParityNone, DTR: true, RTS: true},
		Identity:         drivers.IdentityStrong,
		SimulatorSerials: regexp.MustCompile(`^SIM[0-9]-[0-9]{5}$`),
		CommandGap:       commandGap,
		MinPollInterval:  2 * time.Second, // section 8: 2 to 5 s
		Allow:            allowList(),
		Alarms:           alarmRows(),
		CannotTell: []string{
			"more than one alarm: it shows one at a time, so another may stand behind it",
			"its event log: only the number of the newest entry, so events between two polls can be missed, and no alarm has an onset",
			"whether it runs: worked out from rate and mode",
			"whether INF's rate is the one it runs at, and INF_RATE's the one that is set: both are inferred",
			"whether the volume to be infused is the programmed one or what is left of it",
			"battery charge, and whether mains are connected, except as alarms",
			"its pressure limit",
			"concentration and dose",
			"its clock",
			"why a request is not answered: the form of its error replies is not known",
			"what reaches the patient",
		},
	}
}

// allowList holds the frames of section 5 and nothing else.
func allowList() drivers.AllowList {
	var list drivers.AllowList
	for _, q := range wire.Requests() {
		list = append(list, drivers.Query{Name: q.String(), Exact: wire.AppendRequest(nil, q), ReplyBytes: replyBytes[q]})
	}
	return list
}

// replyBytes holds the shortest usual length of each reply: the port must not wait for more than comes.
var replyBytes = [...]int{
	wire.SerialNo: 31, wire.Protocol: 37, wire.ResponseMax: 33, wire.Status: 75, wire.VolumeInfused: 22,
	wire.VTBI: 24, wire.Rate: 25, wire.RateMax: 37, wire.Syringe: 36, wire.Alarm: 23,
}
