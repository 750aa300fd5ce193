package config

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"infusiond/drivers"
)

// fake stands for a protocol: only its profile matters here.
type fake struct{ profile drivers.Profile }

func (f fake) Profile() drivers.Profile { return f.profile }

func (f fake) Open(context.Context, drivers.Port, drivers.OpenOptions) (drivers.Conn, error) {
	return nil, errors.New("not opened in this test")
}

// checked is a protocol that knows its addresses.
type checked struct{ fake }

func (checked) CheckAddress(a string) error {
	if len(a) != 1 || a < "0" || a > "9" {
		return errors.New("not one digit")
	}
	return nil
}

var table = Drivers{
	"miva": func(settings map[string]string) (drivers.Driver, error) {
		if c, set := settings["checksum"]; set && c != "sum" && c != "xor" {
			return nil, errors.New("checksum is neither sum nor xor")
		}
		return fake{drivers.Profile{Name: "miva", Identity: drivers.IdentityStrong, MinPollInterval: time.Second, SimulatorSerials: regexp.MustCompile(`^SIM`)}}, nil
	},
	"bench": func(map[string]string) (drivers.Driver, error) {
		return fake{drivers.Profile{Name: "bench", Identity: drivers.IdentityWeak}}, nil
	},
	"tower": func(map[string]string) (drivers.Driver, error) {
		return checked{fake{drivers.Profile{Name: "tower", SeveralPumps: true, Addressing: "a digit", Identity: drivers.IdentityStrong, SimulatorSerials: regexp.MustCompile(`^SIM`)}}}, nil
	},
	"line": func(map[string]string) (drivers.Driver, error) {
		return fake{drivers.Profile{Name: "line", SeveralPumps: true, Addressing: "00 to 99", Identity: drivers.IdentityWeak}}, nil
	},
}

const good = `gateway: home-1
data_dir: data
pumps:
- name: blue
  port: /dev/ttyUSB0
  driver: miva
  serial: SN800008
`

// Covers GW-15.
func TestDefaults(t *testing.T) {
	c, err := Parse("/etc/infusiond/infusiond.yaml", []byte(good), table)
	if err != nil {
		t.Fatal(err)
	}
	p := c.Pumps[0]
	if p.Interval != 5*time.Second || p.Label != "blue" || c.DataDir != "/etc/infusiond/data" || c.Simulated || !c.Embedded() ||
		c.MQTT.Listen != "127.0.0.1:1883" || c.Page.Listen != "127.0.0.1:8080" || c.History != 30*24*time.Hour || c.Zone != time.UTC || c.Log.Level != "info" {
		t.Errorf("%+v", c)
	}
}

// Covers GW-111.
func TestExampleIsValid(t *testing.T) {
	c, err := Load("../../configs/infusiond.example.yaml", table)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Pumps) != 2 || c.Influx.URL == "" || c.MQTT.TLS.Cert == "" || c.Embedded() {
		t.Errorf("%+v", c)
	}
}

// Covers GW-08, GW-54, GW-110.
func TestBadConfigurationsNameLineValueAndMend(t *testing.T) {
	pump := "- name: red\n  port: /dev/ttyUSB1\n  driver: miva\n  serial: SN800009\n"
	for _, row := range []struct{ name, old, replacement, want string }{
		{"unknown key", "data_dir", "data_dirr", `c.yaml:2: data_dirr: this key is not known; did you mean "data_dir"?`},
		{"wrong type", "gateway: home-1", "gateway: [home-1]", "c.yaml:1: gateway: is not a name"},
		{"no gateway", "gateway: home-1\n", "", `gateway: is missing; name the gateway`},
		{"no pump", "pumps:\n", "pumps: []\nx:\n", "c.yaml:3: pumps: holds no pump"},
		{"unknown driver", "driver: miva", "driver: mivaa", `c.yaml:6: pumps[0].driver: "mivaa": is not one of bench, line, miva, tower; did you mean "miva"?`},
		{"driver setting", "driver: miva", "driver: miva\n  settings: {checksum: crc}", "c.yaml:7: pumps[0].settings: checksum is neither sum nor xor"},
		{"no serial number", "  serial: SN800008\n", "", "c.yaml:4: pumps[0].serial: is missing; write the serial number"},
		{"simulator on a real gateway", "SN800008", "SIM00001", `c.yaml:7: pumps[0].serial: "SIM00001": is a simulator's serial number, and this gateway is real; set simulated: true`},
		{"real pump on a simulated gateway", "gateway: home-1", "gateway: home-1\nsimulated: true", "is not a simulator's serial number, and this gateway is simulated"},
		{"weak identity on a real gateway", "driver: miva", "driver: bench", "cannot be told from another (no serial number)"},
		{"poll interval too short", "driver: miva", "driver: miva\n  poll_interval: 100ms", `"100ms": is not between 1s and 15s`},
		{"poll interval without unit", "driver: miva", "driver: miva\n  poll_interval: 5", "is not a duration"},
		{"name twice", "serial: SN800008\n", "serial: SN800008\n" + strings.Replace(pump, "red", "blue", 1), `"blue": is the name of the pump in line 4, too`},
		{"serial twice", "serial: SN800008\n", "serial: SN800008\n" + strings.Replace(pump, "SN800009", "SN800008", 1), "is the serial number of the pump in line 7, too"},
		{"port twice", "serial: SN800008\n", "serial: SN800008\n" + strings.Replace(pump, "USB1", "USB0", 1), "is the port of the pump in line 5, too"},
		{"tcp port without port", "/dev/ttyUSB0", "tcp://pump", `write it like "tcp://192.0.2.7:4001"`},
		{"port of another scheme", "/dev/ttyUSB0", "udp://pump:1", "is not a port"},
		{"plain MQTT to another host", "data_dir: data", "data_dir: data\nmqtt: {url: tcp://broker.example:1883}", "sends patient data in plain text to another host; use ssl:// with tls, or say insecure: true"},
		{"secret in the file", "data_dir: data", "data_dir: data\nmqtt: {url: tcp://u:p@127.0.0.1:1883}", "secrets do not stand in this file"},
		{"scheme", "data_dir: data", "data_dir: data\nmqtt: {url: http://127.0.0.1:1883}", "use one of mqtt, mqtts, ssl, tcp, tls"},
		{"both brokers", "data_dir: data", "data_dir: data\nmqtt: {url: tcp://127.0.0.1:1883, listen: 127.0.0.1:1884}", "remove listen or url"},
		{"half a certificate", "data_dir: data", "data_dir: data\nmqtt: {url: ssl://b:8883, tls: {cert: a.crt}}", "holds only one of cert and key"},
		{"database without bucket", "data_dir: data", "data_dir: data\ninfluxdb: {url: http://127.0.0.1:8086, token_file: t}", "influxdb.bucket: is missing; name the bucket"},
		{"plain database on another host", "data_dir: data", "data_dir: data\ninfluxdb: {url: http://db:8086, bucket: b, token_file: t}", "use https:// with tls"},
		{"page on the LAN", "data_dir: data", "data_dir: data\npage: {listen: 0.0.0.0:8080}", "is not a loopback address"},
		{"zone", "data_dir: data", "data_dir: data\nzone: Mars", "is not a known time zone"},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, err := Parse("c.yaml", []byte(strings.Replace(good, row.old, row.replacement, 1)), table)
			if err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("got  %v\nwant %s", err, row.want)
			}
		})
	}
}

const shared = `gateway: home-1
data_dir: data
pumps:
- name: blue
  port: /dev/ttyUSB0
  address: 1
  driver: tower
  serial: SN1
  settings: {baud: 9600}
- name: red
  port: /dev/ttyUSB0
  address: 2
  driver: tower
  serial: SN2
  settings: {baud: "9600"}
`

// Covers GW-110, GW-127.
func TestSeveralPumpsOnOnePort(t *testing.T) {
	c, err := Parse("c.yaml", []byte(shared), table)
	if err != nil || len(c.Pumps) != 2 || c.Pumps[1].Address != "2" {
		t.Fatalf("%+v, %v", c, err)
	}
	for _, row := range []struct{ name, old, replacement, want string }{
		{"another driver", "driver: tower\n  serial: SN2", "driver: miva\n  serial: SN2", `c.yaml:13: pumps[1].driver: "miva": differs from tower of the pump in line 4 on the same port; pumps on one port speak one protocol`},
		{"other settings", `"9600"`, "19200", "c.yaml:15: pumps[1].settings: differ from those of the pump in line 4 on the same port; write the same settings"},
		{"settings missing", `  settings: {baud: "9600"}` + "\n", "", "c.yaml:10: pumps[1].settings: differ from those of the pump in line 4"},
		{"another interval", "serial: SN2", "serial: SN2\n  poll_interval: 1s", `c.yaml:15: pumps[1].poll_interval: "1s": is 1s, and 5s for the pump in line 4 on the same port; write the same interval`},
		{"interval missing", "serial: SN1", "serial: SN1\n  poll_interval: 1s", "pumps[1].poll_interval: is 5s, and 1s for the pump in line 4"},
		{"same address", "address: 2", "address: 1", `c.yaml:12: pumps[1].address: "1": is the address of the pump in line 6 on the same port, too; give each`},
		{"second without address", "  address: 2\n", "", "c.yaml:10: pumps[1].address: is missing; on a port with several pumps each needs its own; it is a digit"},
		{"first without address", "  address: 1\n", "", "c.yaml:4: pumps[0].address: is missing; the pump in line 9 is on the same port"},
		{"no address of the protocol", "address: 2", "address: x", `c.yaml:12: pumps[1].address: "x": is no address of this protocol: not one digit; an address is a digit`},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, err := Parse("c.yaml", []byte(strings.Replace(shared, row.old, row.replacement, 1)), table)
			if err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("got  %v\nwant %s", err, row.want)
			}
		})
	}
}

// Covers GW-128.
func TestPumpsWithoutSerialNumberNeedAnAddress(t *testing.T) {
	text := "gateway: home-1\nsimulated: true\ndata_dir: data\npumps:\n- {name: blue, port: /dev/a, driver: line, address: 00}\n- {name: red, port: /dev/b, driver: line, address: 00}\n"
	c, err := Parse("c.yaml", []byte(text), table)
	if err != nil || c.Pumps[0].Address != "00" {
		t.Fatalf("%+v, %v", c, err)
	}
	for _, row := range []struct{ name, old, replacement, want string }{
		{"no address", ", address: 00", "", "pumps[0].address: is missing; without a serial number the address is all that tells the pump from another; it is 00 to 99"},
		{"serial number", "address: 00", "address: 00, serial: SN1", "cannot be compared: this protocol tells no serial number; remove it"},
		{"address of a protocol that has none", "driver: line", "driver: bench", "is not for this driver: its protocol has no addresses; remove it"},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, err := Parse("c.yaml", []byte(strings.Replace(text, row.old, row.replacement, 1)), table)
			if err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("got  %v\nwant %s", err, row.want)
			}
		})
	}
}

// Covers GW-54.
func TestPlainTextIsAcceptedOnThisMachineOrInWords(t *testing.T) {
	for _, mqtt := range []string{"{url: tcp://127.0.0.1:1883}", "{url: mqtt://localhost:1883}", "{url: tcp://broker:1883, insecure: true}", "{url: ssl://broker:8883}"} {
		if _, err := Parse("c.yaml", []byte(good+"mqtt: "+mqtt+"\n"), table); err != nil {
			t.Errorf("%s: %v", mqtt, err)
		}
	}
}

func TestMissingFileIsNamed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "none.yaml")
	if _, err := Load(path, table); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("got %v", err)
	}
}

// Covers GW-110.
func FuzzParse(f *testing.F) {
	f.Add([]byte(good))
	example, err := os.ReadFile("../../configs/infusiond.example.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(example)
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := Parse("c.yaml", data, table)
		if err != nil {
			return
		}
		if c.Gateway == "" || c.DataDir == "" || len(c.Pumps) == 0 {
			t.Errorf("accepted without what the gateway needs: %+v", c)
		}
		for _, p := range c.Pumps {
			if p.Name == "" || p.Port == "" || p.Interval < time.Second || p.Driver == "miva" && p.Serial == "" {
				t.Errorf("accepted a pump without what it needs: %+v", p)
			}
			if p.Driver == "miva" && strings.HasPrefix(p.Serial, "SIM") != c.Simulated {
				t.Errorf("mixed real and simulated: %+v", p)
			}
		}
	})
}
