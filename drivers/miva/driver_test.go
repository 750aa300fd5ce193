package miva

import (
	"errors"
	"strings"
	"testing"

	"infusiond/drivers"
	"infusiond/drivers/drivertest"
	"infusiond/drivers/miva/wire"
)

func TestNewSaysWhatIsWrongAndWhatIsAllowed(t *testing.T) {
	rows := []struct {
		name     string
		settings map[string]string
		want     []string
	}{
		{"none", nil, nil},
		{"all", map[string]string{"checksum": "xor", "log_readback": "100"}, nil},
		{"unknown key", map[string]string{"baud": "9600"}, []string{`"baud"`, "checksum", "log_readback"}},
		{"unknown checksum", map[string]string{"checksum": "crc"}, []string{"checksum", `"crc"`, "sum", "xor"}},
		{"log_readback of words", map[string]string{"log_readback": "many"}, []string{"log_readback", `"many"`, "18 to 43264"}},
		{"log_readback too small", map[string]string{"log_readback": "17"}, []string{"log_readback", "18 to 43264"}},
		{"log_readback too large", map[string]string{"log_readback": "43265"}, []string{"log_readback", "18 to 43264"}},
		{"two at once", map[string]string{"checksum": "x", "port": "y"}, []string{`"x"`, `"port"`}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			d, err := New(row.settings)
			if (err == nil) != (row.want == nil) || (d == nil) != (err != nil) {
				t.Fatalf("New: %v, %v", d, err)
			}
			for _, want := range row.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q does not name %s", err, want)
				}
			}
		})
	}
}

func TestProfile(t *testing.T) {
	p := driver(t, nil).Profile()
	want := drivers.LineSettings{Baud: 9600, DataBits: 8, StopBits: 1, Parity: drivers.ParityNone, DTR: true, RTS: true}
	if p.Line != want || p.Identity != drivers.IdentityStrong || p.Name != "miva" {
		t.Errorf("profile %+v", p)
	}
	for serial, simulated := range map[string]bool{"SIM00001": true, "SIM99999": true, "SN800008": false, "SIM0000A": false, "SIM000011": false} {
		if p.SimulatorSerials.MatchString(serial) != simulated {
			t.Errorf("%s belongs to a simulator: %v", serial, !simulated)
		}
	}
}

func TestOpenSaysSilentWhenNobodyAnswers(t *testing.T) {
	d := driver(t, nil)
	port := drivertest.NewPort(d.Profile(), func([]byte) []byte { return nil })
	conn, err := d.Open(t.Context(), port, drivers.OpenOptions{Now: port.Now})
	if conn != nil || !errors.Is(err, drivers.ErrSilent) {
		t.Errorf("Open: %v, %v, want ErrSilent", conn, err)
	}
	if n := len(port.Writes()); n != 3 {
		t.Errorf("%d queries, want RN three times", n)
	}
	if _, err := d.Open(t.Context(), port, drivers.OpenOptions{}); err == nil {
		t.Error("Open without a clock succeeds")
	}
}

func TestErrorsTellSilenceFromCorruptionAndFromStrangers(t *testing.T) {
	rows := []struct {
		name   string
		answer []byte
		want   error
	}{
		{"silence", nil, drivers.ErrSilent},
		{"bad checksum", []byte("\x02RNSN80000800\x03"), drivers.ErrChecksum},
		{"control byte inside", []byte("\x02RNSN8\n000871\x03"), drivers.ErrMalformed},
		{"frame begins twice", []byte("\x02RNSN8\x02RN"), drivers.ErrTruncated},
		{"answer to another query", wire.AppendFrame(nil, []byte("Q504D2"), wire.Sum), drivers.ErrMismatch},
		{"serial number too short", wire.AppendFrame(nil, []byte("RNSN8"), wire.Sum), drivers.ErrTruncated},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			d := driver(t, nil)
			port := drivertest.NewPort(d.Profile(), func([]byte) []byte { return row.answer })
			if _, err := d.Open(t.Context(), port, drivers.OpenOptions{Now: port.Now}); !errors.Is(err, row.want) {
				t.Errorf("Open: %v, want %v", err, row.want)
			}
		})
	}
}
