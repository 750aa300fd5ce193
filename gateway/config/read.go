package config

import (
	"net"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"infusiond/drivers"
	"infusiond/gateway/document"
)

// Drivers makes a driver from its settings; the table in the command names them all.
type Drivers map[string]func(settings map[string]string) (drivers.Driver, error)

// Names lists the drivers in alphabetical order.
func (d Drivers) Names() []string {
	names := make([]string, 0, len(d))
	for name := range d {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Defaults of the configuration.
const (
	DefaultHistory    = 30 * 24 * time.Hour
	DefaultInterval   = 5 * time.Second
	DefaultPageListen = "127.0.0.1:8080"
	DefaultMQTTListen = "127.0.0.1:1883"
)

// Load reads a configuration file. The error is document.Problems.
func Load(path string, table Drivers) (*Config, error) {
	return read(document.Open(path), table)
}

// Parse reads the content of a configuration file. The error is document.Problems.
func Parse(path string, data []byte, table Drivers) (*Config, error) {
	return read(document.Parse(path, data), table)
}

func read(d *document.Document, table Drivers) (*Config, error) {
	root := d.Root("gateway", "simulated", "data_dir", "history", "zone", "pumps", "prescriptions",
		"drug_library", "mqtt", "influxdb", "page", "log")
	c := &Config{
		File:      d.File(),
		Gateway:   root.Get("gateway").Need(`name the gateway, e.g. "home-7f3a"`).Name(),
		Simulated: root.Get("simulated").Bool(false),
		History:   root.Get("history").Duration(time.Hour, 366*24*time.Hour, DefaultHistory),
	}
	c.DataDir = c.relative(root.Get("data_dir").Need("name a folder for the gateway's records, e.g. /var/lib/infusiond").Text())
	c.Zone = zone(root.Get("zone"))
	c.readPumps(root.Get("pumps").Need("list at least one pump"), table)
	for _, n := range root.Get("prescriptions").List() {
		c.Prescriptions = append(c.Prescriptions, c.relative(n.Text()))
	}
	c.DrugLibrary = c.relative(root.Get("drug_library").Text())
	c.readMQTT(root.Get("mqtt"))
	c.readInflux(root.Get("influxdb"))
	page := root.Get("page").Mapping("listen")
	c.Page.Listen = listen(page.Get("listen"), DefaultPageListen)
	log := root.Get("log").Mapping("level")
	if c.Log.Level = log.Get("level").OneOf("debug", "info", "warn", "error"); c.Log.Level == "" {
		c.Log.Level = "info"
	}
	if err := d.Err(); err != nil {
		return nil, err
	}
	return c, nil
}

func zone(n document.Node) *time.Location {
	name := n.Text()
	if name == "" {
		return time.UTC
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		n.Fail("is not a known time zone", `write it like "Europe/Berlin"`)
		return time.UTC
	}
	return loc
}

func (c *Config) readMQTT(n document.Node) {
	m := n.Mapping("url", "username", "password_file", "tls", "insecure", "listen")
	c.MQTT = MQTT{
		URL:          c.url(m.Get("url"), map[string]bool{"tcp": false, "mqtt": false, "ssl": true, "tls": true, "mqtts": true}),
		Username:     m.Get("username").Text(),
		PasswordFile: c.relative(m.Get("password_file").Text()),
		TLS:          c.tls(m.Get("tls")),
		Insecure:     m.Get("insecure").Bool(false),
		Listen:       listen(m.Get("listen"), DefaultMQTTListen),
	}
	if c.MQTT.URL != "" && m.Get("listen").Present() {
		m.Get("listen").Fail("is for the gateway's own broker, which does not run beside an outside one", "remove listen or url")
	}
	c.plain(m.Get("url"), c.MQTT.URL, c.MQTT.Insecure, "ssl://")
}

func (c *Config) readInflux(n document.Node) {
	m := n.Mapping("url", "org", "bucket", "token_file", "tls", "insecure")
	c.Influx = Influx{
		URL:       c.url(m.Get("url"), map[string]bool{"http": false, "https": true}),
		Org:       m.Get("org").Text(),
		Bucket:    m.Get("bucket").Text(),
		TokenFile: c.relative(m.Get("token_file").Text()),
		TLS:       c.tls(m.Get("tls")),
		Insecure:  m.Get("insecure").Bool(false),
	}
	if n.Present() {
		m.Get("url").Need("write the database's address, or remove influxdb")
		m.Get("bucket").Need(`name the bucket (InfluxDB 1.8: "database/retention-policy")`)
		m.Get("token_file").Need(`name a file that holds the token (InfluxDB 1.8: "user:password")`)
	}
	c.plain(m.Get("url"), c.Influx.URL, c.Influx.Insecure, "https://")
}

func (c *Config) url(n document.Node, schemes map[string]bool) string {
	text := n.Text()
	if text == "" {
		return ""
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		n.Fail("is not an address", "write it as scheme://host:port")
		return ""
	}
	if _, known := schemes[u.Scheme]; !known {
		names := make([]string, 0, len(schemes))
		for s := range schemes {
			names = append(names, s)
		}
		slices.Sort(names)
		n.Fail("has an unknown scheme", "use one of "+strings.Join(names, ", "))
		return ""
	}
	if u.User != nil {
		n.Fail("holds a user or password", "secrets do not stand in this file: use username and a file")
		return ""
	}
	return text
}

// plain refuses an unencrypted connection to another host unless the file says so in words.
func (c *Config) plain(n document.Node, text string, insecure bool, better string) {
	u, err := url.Parse(text)
	if text == "" || err != nil || insecure || Loopback(u.Hostname()) {
		return
	}
	if u.Scheme == "tcp" || u.Scheme == "mqtt" || u.Scheme == "http" {
		n.Fail("sends patient data in plain text to another host", "use "+better+" with tls, or say insecure: true")
	}
}

// Loopback says whether a host name or address is this machine's own.
func Loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

func (c *Config) tls(n document.Node) TLS {
	m := n.Mapping("ca", "cert", "key")
	t := TLS{CA: c.relative(m.Get("ca").Text()), Cert: c.relative(m.Get("cert").Text()), Key: c.relative(m.Get("key").Text())}
	if (t.Cert == "") != (t.Key == "") {
		n.Fail("holds only one of cert and key", "name both or none")
	}
	return t
}

func listen(n document.Node, def string) string {
	if !n.Present() {
		return def
	}
	text := n.Text()
	host, port, err := net.SplitHostPort(text)
	switch {
	case text == "off":
		return ""
	case err != nil || port == "":
		n.Fail("is not an address to listen on", `write it like "127.0.0.1:8080"`)
	case !Loopback(host):
		n.Fail("is not a loopback address; this version serves this machine only", `write it like "127.0.0.1:`+port+`"`)
	}
	return text
}

// Dir is the folder of the configuration file.
func (c *Config) Dir() string { return filepath.Dir(c.File) }
