package main

import (
	"infusiond/drivers/asena"
	"infusiond/drivers/bcc"
	"infusiond/drivers/miva"
	"infusiond/drivers/newera"
	"infusiond/drivers/sapphire"
	"infusiond/gateway/config"
)

// table names every protocol that this program speaks. It is the only place that does.
func table() config.Drivers {
	return config.Drivers{
		"asena":    asena.New,
		"bcc":      bcc.New,
		"miva":     miva.New,
		"newera":   newera.New,
		"sapphire": sapphire.New,
	}
}
