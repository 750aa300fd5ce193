package main

import (
	"errors"
	"fmt"
	"io"

	"infusiond/gateway"
	"infusiond/gateway/config"
	"infusiond/gateway/prescription"
	"infusiond/gateway/units"
)

type checkCommand struct {
	Config string `arg:"" type:"path" help:"The configuration file."`
}

// Run checks a configuration with everything that it names and says what it means.
func (c *checkCommand) Run(out io.Writer) error {
	conf, err := config.Load(c.Config, table())
	if err != nil {
		return fileError{err}
	}
	book, problems := gateway.LoadBook(conf)
	errs := make([]error, len(problems))
	for i, p := range problems {
		errs[i] = p.Err
	}
	if err := errors.Join(errs...); err != nil {
		return fileError{err}
	}
	explain(out, conf, book)
	return nil
}

func explain(out io.Writer, c *config.Config, book *prescription.Book) {
	kind := "real"
	if c.Simulated {
		kind = "simulated"
	}
	say(out, fmt.Sprintf("%s: gateway %s (%s), records in %s", c.File, c.Gateway, kind, c.DataDir))
	for _, p := range c.Pumps {
		say(out, fmt.Sprintf("  pump %s: %s, %s on %s, asked every %v", p.Name, p.Driver, who(p), p.Port, p.Interval))
		for _, rx := range book.Prescriptions {
			for _, inf := range rx.Infusions {
				if inf.Pump != p.Name {
					continue
				}
				bag := "bag not confirmed: the verdict will be unknown"
				if inf.Bag.Confirmed() {
					bag = "bag confirmed by " + inf.Bag.ConfirmedBy
				}
				say(out, fmt.Sprintf("    %s version %d: %s %s mcg/kg/min for %s kg at %s mcg/mL = %s mL/h; %s", rx.Patient, rx.Version, inf.Drug,
					units.FormatDecimal(inf.DoseMcgPerKgPerMin), units.FormatDecimal(rx.WeightKg), units.FormatDecimal(inf.ConcentrationMcgPerMl), inf.Rate.MlPerH(), bag))
			}
		}
	}
	if c.Embedded() {
		say(out, "  mqtt: the gateway's own broker on "+c.MQTT.Listen+"; nobody outside can receive alerts")
	} else {
		say(out, "  mqtt: "+c.MQTT.URL)
	}
	if c.Influx.URL == "" {
		say(out, "  influxdb: none; this device's own records serve the page")
	} else {
		say(out, "  influxdb: "+c.Influx.URL+", bucket "+c.Influx.Bucket)
	}
	say(out, "ok")
}

// who says by what a pump is known.
func who(p config.Pump) string {
	switch {
	case p.Serial == "":
		return "no serial number, known by its address " + p.Address
	case p.Address != "":
		return "serial number " + p.Serial + " at address " + p.Address
	}
	return "serial number " + p.Serial
}
