package main

import (
	"time"

	"infusiond/drivers"
	"infusiond/drivers/asena"
	"infusiond/drivers/bcc"
	"infusiond/drivers/miva"
	"infusiond/drivers/newera"
	"infusiond/drivers/sapphire"
	"infusiond/simulator/asenafront"
	"infusiond/simulator/bccfront"
	"infusiond/simulator/front"
	"infusiond/simulator/mivafront"
	"infusiond/simulator/newerafront"
	"infusiond/simulator/sapphirefront"
)

// protocol is one driver with its simulated pump.
type protocol struct {
	name string
	make func(settings map[string]string) (drivers.Driver, error)
	info front.Info
	// pushed is how long the pump's own rhythm makes a cycle at least, for a pump that is not asked.
	pushed time.Duration
}

func protocols() []protocol {
	return []protocol{
		{name: "miva", make: miva.New, info: mivafront.Describe()},
		{name: "bcc", make: bcc.New, info: bccfront.Describe()},
		{name: "asena", make: asena.New, info: asenafront.Describe()},
		{name: "newera", make: newera.New, info: newerafront.Describe()},
		// A cycle takes two whole batches that begin after it, and the pump begins one each 200 ms.
		{name: "sapphire", make: sapphire.New, info: sapphirefront.Describe(), pushed: 400 * time.Millisecond},
	}
}
