package main

import (
	"infusiond/drivers/miva"
	"infusiond/gateway/config"
)

// table names every protocol that this program speaks. It is the only place that does.
func table() config.Drivers {
	return config.Drivers{
		"miva": miva.New,
	}
}
