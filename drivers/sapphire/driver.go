package sapphire

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"time"

	"infusiond/drivers"
	"infusiond/drivers/exchange"
	"infusiond/drivers/sapphire/wire"
)

// The timing of section 4, and what this driver adds to it.
const (
	heartbeatEvery = 10 * time.Second
	answerTime     = time.Second // without two good batches: another heartbeat
	attempts       = 3
	commandGap     = 20 * time.Millisecond
)

// Driver is the Sapphire protocol with its settings.
type Driver struct {
	baud  int
	check bool
}

// New returns the driver. Settings are "baud" (9600, 19200, 38400, 57600, 115200; default 9600) and
// "verify_checksum" (on or off, default on).
func New(settings map[string]string) (drivers.Driver, error) {
	s, err := exchange.Settings("sapphire", settings, map[string][]string{
		"baud": {"9600", "19200", "38400", "57600", "115200"}, "verify_checksum": {"on", "off"},
	})
	if err != nil {
		return nil, err
	}
	return &Driver{baud: exchange.Baud(s["baud"]), check: s["verify_checksum"] == "on"}, nil
}

// Open starts a conversation and waits for the pump's batches. It returns an error that wraps
// drivers.ErrSilent when none come. OpenOptions.Now is required.
func (d *Driver) Open(ctx context.Context, p drivers.Port, o drivers.OpenOptions) (drivers.Conn, error) {
	if o.Now == nil {
		return nil, errors.New("sapphire: OpenOptions.Now is missing")
	}
	c := &Conn{line: exchange.New(p, o.Now), check: d.check, scan: wire.NewScanner(d.check)}
	if _, err := c.fresh(ctx); err != nil {
		return nil, fmt.Errorf("sapphire: open: %w", err)
	}
	return c, nil
}

// Profile declares line settings, identity, allow-list and what the protocol cannot tell. DTR and RTS rest asserted,
// as a port raises them at open, so nothing toggles; the protocol uses no flow control.
func (d *Driver) Profile() drivers.Profile {
	return drivers.Profile{
		Name:             "sapphire",
		Models:           "Q Core Sapphire Multi-Therapy, Plus, H100, Epidural (basic telemetry)",
		Line:             drivers.LineSettings{Baud: d.baud, DataBits: 8, StopBits: 1, Parity: drivers.ParityNone, DTR: true, RTS: true},
		Identity:         drivers.IdentityStrong,
		SimulatorSerials: regexp.MustCompile(`^42900[0-9]{5}$`),
		CommandGap:       commandGap,
		MinPollInterval:  time.Second,
		Allow:            allowList(),
		CannotTell: []string{
			"whether an alarm is active, and which",
			"why it is stopped, and whether it is: a flow of zero is all that is known",
			"the rate that is programmed, apart from the flow rate",
			"battery, line pressure, air, drug and program",
			"whether it runs at a keep-vein-open rate or gives a bolus",
			"what happened while nobody listened: it has no readable log",
			"what reaches the patient",
		},
	}
}

func allowList() drivers.AllowList {
	list := make(drivers.AllowList, 256)
	for i := range list {
		list[i] = drivers.Query{
			Name: "ThisIsPc", Exact: wire.Heartbeat(nil, byte(i)),
			SideEffect: "the pump sends its status by itself for the next 30 s",
		}
	}
	return list
}
