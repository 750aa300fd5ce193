package config

import (
	"fmt"
	"maps"
	"net"
	"strings"
	"time"

	"infusiond/drivers"
	"infusiond/gateway/document"
)

// AddressChecker is a driver that can tell whether an address is one of its protocol's, in the one
// form in which its reports carry it.
type AddressChecker interface {
	CheckAddress(address string) error
}

// entry is one pump of the list while it is read.
type entry struct {
	*Pump
	document.Mapping
	profile drivers.Profile
	check   func(address string) error
}

// pumpReader reads the list of pumps; first holds the line of each value that must stand once.
type pumpReader struct {
	*Config
	table   Drivers
	entries []entry
	first   map[place]int
}

type place struct{ what, value string }

func (c *Config) readPumps(n document.Node, table Drivers) {
	list := n.List()
	if n.Present() && len(list) == 0 {
		n.Fail("holds no pump", "list at least one pump")
	}
	r := pumpReader{Config: c, table: table, first: map[place]int{}}
	for _, item := range list {
		r.read(item)
	}
	for i := range r.entries {
		r.shared(i)
	}
	for _, e := range r.entries {
		c.Pumps = append(c.Pumps, *e.Pump)
	}
}

// read reads one pump by itself.
func (r *pumpReader) read(item document.Node) {
	m := item.Mapping("name", "label", "colour", "port", "address", "driver", "settings", "serial", "poll_interval")
	p := &Pump{
		Name:    m.Get("name").Need(`name the pump, e.g. "blue"`).Name(),
		Label:   m.Get("label").Text(),
		Colour:  m.Get("colour").OneOf("blue", "green", "yellow", "red", "orange", "purple", "grey", "white", "black"),
		Address: m.Get("address").Text(),
		Serial:  m.Get("serial").Text(),
		Line:    item.Line(),
	}
	if p.Label == "" {
		p.Label = p.Name
	}
	p.Port = r.port(m.Get("port").Need("name the serial port, e.g. /dev/serial/by-id/… or tcp://host:port"))
	e := entry{Pump: p, Mapping: m}
	r.readDriver(&e)
	r.checkIdentity(e)
	e.checkAddress()
	r.unique(m.Get("name"), "name", p.Name)
	r.unique(m.Get("serial"), "serial number", p.Serial)
	r.entries = append(r.entries, e)
}

func (r *pumpReader) unique(n document.Node, what, value string) {
	if value == "" {
		return
	}
	if line, twice := r.first[place{what, value}]; twice {
		n.Fail("is the "+what+" of the pump in line "+fmt.Sprint(line)+", too", "give each pump its own")
		return
	}
	r.first[place{what, value}] = n.Line()
}

func (c *Config) port(n document.Node) string {
	text := n.Text()
	if rest, isTCP := strings.CutPrefix(text, "tcp://"); isTCP {
		if host, port, err := net.SplitHostPort(rest); err != nil || host == "" || port == "" {
			n.Fail("is not a host and port", `write it like "tcp://192.0.2.7:4001"`)
		}
		return text
	}
	if strings.Contains(text, "://") {
		n.Fail("is not a port", "write a device path, e.g. /dev/serial/by-id/…, or tcp://host:port")
	}
	return c.relative(text)
}

func (r *pumpReader) readDriver(e *entry) {
	p, names := e.Pump, r.table.Names()
	p.Driver = e.Get("driver").Need("name the protocol, one of " + strings.Join(names, ", ")).OneOf(names...)
	p.Settings = map[string]string{}
	settings := e.Get("settings")
	keys := settings.Keys()
	values := settings.Mapping(keys...)
	for _, key := range keys {
		p.Settings[key] = values.Get(key).Text()
	}
	if p.Driver == "" {
		return
	}
	driver, err := r.table[p.Driver](p.Settings)
	if err != nil {
		settings.Fail(err.Error(), "mend or remove the setting")
		return
	}
	e.profile = driver.Profile()
	if c, can := driver.(AddressChecker); can {
		e.check = c.CheckAddress
	}
	least := max(time.Second, e.profile.MinPollInterval)
	p.Interval = e.Get("poll_interval").Duration(least, 15*time.Second, max(DefaultInterval, least))
}

func (r *pumpReader) checkIdentity(e entry) {
	if e.profile.Name == "" {
		return
	}
	p, serial := e.Pump, e.Get("serial")
	if e.profile.Identity == drivers.IdentityWeak {
		switch {
		case !r.Simulated:
			e.Get("driver").Fail("this pump cannot be told from another (no serial number) and is for the bench only",
				"use it on a gateway with simulated: true")
		case p.Serial != "":
			serial.Fail("cannot be compared: this protocol tells no serial number", "remove it")
		}
		return
	}
	serial.Need("write the serial number that is printed on the pump; without it another pump's values would be taken for this patient's")
	if p.Serial == "" || e.profile.SimulatorSerials == nil {
		return
	}
	switch sim := e.profile.SimulatorSerials.MatchString(p.Serial); {
	case sim && !r.Simulated:
		serial.Fail("is a simulator's serial number, and this gateway is real", "set simulated: true at the top, or write the real pump's number")
	case !sim && r.Simulated:
		serial.Fail("is not a simulator's serial number, and this gateway is simulated",
			"a gateway is wholly real or wholly simulated: mend the number or remove simulated: true")
	}
}

func (e *entry) checkAddress() {
	if e.profile.Name == "" {
		return
	}
	address := e.Get("address")
	if !e.profile.SeveralPumps {
		if e.Address != "" {
			address.Fail("is not for this driver: its protocol has no addresses", "remove it")
		}
		return
	}
	if e.Address == "" {
		if e.profile.Identity == drivers.IdentityWeak {
			address.Need("without a serial number the address is all that tells the pump from another; it is " + e.profile.Addressing)
		}
		return
	}
	if e.check == nil {
		return
	}
	if err := e.check(e.Address); err != nil {
		address.Fail("is no address of this protocol: "+err.Error(), "an address is "+e.profile.Addressing)
	}
}

// shared compares a pump with those before it on the same port: one line has one protocol, one way to
// speak it and one rhythm, and addresses tell its pumps apart.
func (r *pumpReader) shared(i int) {
	e := r.entries[i]
	if e.Port == "" || e.profile.Name == "" {
		return
	}
	told := false
	for _, o := range r.entries[:i] {
		if o.Port != e.Port || o.profile.Name == "" {
			continue
		}
		if !told {
			told = true
			e.like(o)
		}
		if e.Address != "" && o.Address == e.Address {
			e.Get("address").Fail(fmt.Sprintf("is the address of the pump in line %d on the same port, too", o.Get("address").Line()), "give each pump on a port its own")
			return
		}
	}
}

// like reports what differs between e and the first pump on its port.
func (e *entry) like(first entry) {
	line := first.Get("port").Line()
	beside := fmt.Sprintf("the pump in line %d on the same port", first.Line)
	switch {
	case e.Driver != first.Driver:
		e.Get("driver").Fail("differs from "+first.Driver+" of "+beside, "pumps on one port speak one protocol; mend the driver or the port")
		return
	case !e.profile.SeveralPumps:
		e.Get("port").Fail(fmt.Sprintf("is the port of the pump in line %d, too", line), "give each pump its own")
		return
	case e.Address == "":
		e.Get("address").Need("on a port with several pumps each needs its own; it is " + e.profile.Addressing)
	case first.Address == "":
		first.Get("address").Need(fmt.Sprintf("the pump in line %d is on the same port; each needs its own; it is %s", e.Line, e.profile.Addressing))
	}
	if !maps.Equal(e.Settings, first.Settings) {
		e.Get("settings").Fail("differ from those of "+beside, "write the same settings for all pumps of a port")
	}
	if e.Interval != first.Interval {
		e.Get("poll_interval").Fail(fmt.Sprintf("is %v, and %v for %s", e.Interval, first.Interval, beside), "write the same interval for all pumps of a port")
	}
}
