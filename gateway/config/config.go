package config

import (
	"path/filepath"
	"time"
)

// Config is a checked configuration.
type Config struct {
	File      string
	Gateway   string // [a-z0-9-]{1,32}
	Simulated bool   // all pumps are simulators; the topics begin with infusiond-sim
	DataDir   string // spool, embedded broker, session files
	History   time.Duration
	Zone      *time.Location // for days and display; records are UTC

	Pumps         []Pump
	Prescriptions []string // files
	DrugLibrary   string   // file; empty: none

	MQTT   MQTT
	Influx Influx
	Page   Page
	Log    Log
}

// Pump is one pump on one line.
type Pump struct {
	Name     string // [a-z0-9-]{1,32}, unique
	Label    string // how people call it, e.g. "Blue pump"
	Colour   string // CSS colour word of its label
	Port     string // /dev/… path or tcp://host:port
	Address  string // on a line with several pumps; empty: the only one
	Driver   string
	Settings map[string]string // of the driver
	Serial   string
	Interval time.Duration // between polls, 1 s to 15 s
	Line     int           // in the file, for later problems
}

// MQTT is the outside broker; with an empty URL the gateway runs its own on Listen.
type MQTT struct {
	URL          string // tcp://host:1883 or ssl://host:8883
	Username     string
	PasswordFile string
	TLS          TLS
	Insecure     bool // plain text to another host is accepted
	Listen       string
}

// Influx is the database; with an empty URL there is none.
type Influx struct {
	URL       string
	Org       string
	Bucket    string
	TokenFile string
	TLS       TLS
	Insecure  bool
}

// TLS names certificate files.
type TLS struct {
	CA   string
	Cert string
	Key  string
}

// Page is the home page's listener; empty: no page.
type Page struct {
	Listen string
}

// Log is the level of the log: debug, info, warn or error.
type Log struct {
	Level string
}

// relative resolves a path against the configuration file's folder.
func (c *Config) relative(path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(filepath.Dir(c.File), path)
}

// Embedded says whether the gateway runs its own broker.
func (c *Config) Embedded() bool { return c.MQTT.URL == "" }
