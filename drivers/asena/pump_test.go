package asena

import (
	"testing"
	"time"

	"infusiond/drivers"
	"infusiond/drivers/asena/wire"
	"infusiond/drivers/drivertest"
)

// pump is a scripted pump: the bodies of its answers by request. What has no body is not answered.
type pump struct {
	t     testing.TB
	body  map[wire.Request]string
	asked []wire.Request
	// before is called before each answer, with how often its request was put.
	before func(q wire.Request, n int)
	puts   map[wire.Request]int
}

func (p *pump) respond(query []byte) []byte {
	body, err := wire.DecodeFrame(query)
	if err != nil {
		p.t.Fatalf("the pump received % X: %v", query, err)
	}
	h := wire.ParseRequest(body)
	if h.Kind != wire.HostRead {
		p.t.Fatalf("the pump received %q, which is no read request", body)
	}
	p.asked = append(p.asked, h.Request)
	p.puts[h.Request]++
	if p.before != nil {
		p.before(h.Request, p.puts[h.Request])
	}
	if text, ok := p.body[h.Request]; ok {
		return frame(text)
	}
	return nil
}

func frame(body string) []byte { return wire.AppendFrame(nil, []byte(body)) }

// newPump infuses. No two of its values are equal.
func newPump(t testing.TB) *pump {
	return &pump{t: t, puts: map[wire.Request]int{}, body: map[wire.Request]string{
		wire.SerialNo:      "INST_SERIALNO^SIM1-00001",
		wire.Protocol:      "COMMS_PROTOCOL^Asena Rev 2.1.5",
		wire.ResponseMax:   "COMMS_RESPONSE_MAX^4000^ms",
		wire.Status:        "INF^SIM1-00001^-^SET^5.01^ml/h^MILRINONE^1.234^ml^17.91^mmHg^03:04:05^EVENT^127904",
		wire.VolumeInfused: "INF_VI^1.235^ml",
		wire.VTBI:          "INF_VTBI^ACTIV^11.000^ml^STOP",
		wire.Rate:          "INF_RATE^5.02^ml/h",
		wire.RateMax:       "INF_RATE_MAX_SYRINGE^1200.00^ml/h",
		wire.Syringe:       "SYRINGE_STATUS^BD PLASTIPAK^ 50^CONF",
		wire.Alarm:         "ALARM^AL_NOALM^ ^ ",
	}}
}

func otherPump(t testing.TB) *pump {
	p := newPump(t)
	p.body[wire.SerialNo] = "INST_SERIALNO^SIM1-00002"
	p.body[wire.Protocol] = "COMMS_PROTOCOL^Asena Rev 3.0.0"
	p.body[wire.Status] = "INF^SIM1-00002^A^HLD^0.00^ml/h^DOBUTAMINE^7.654^ml^530.15^mmHg^00:04:09^EVENT^214725"
	p.body[wire.VTBI] = "INF_VTBI^ACTIV^22.000^ml^STOP"
	p.body[wire.Rate] = "INF_RATE^7.03^ml/h"
	p.body[wire.Syringe] = "SYRINGE_STATUS^BD PERFUSOR^ 20^CONF"
	p.body[wire.Alarm] = "ALARM^AL_OCCLU^ ^ "
	return p
}

func driver(t testing.TB) drivers.Driver {
	t.Helper()
	d, err := New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// talk is a conversation with a scripted pump.
type talk struct {
	t    testing.TB
	pump *pump
	port *drivertest.Port
	conn drivers.Conn
}

func open(t testing.TB, p *pump) *talk {
	t.Helper()
	d := driver(t)
	port := drivertest.NewPort(d.Profile(), p.respond)
	conn, err := d.Open(t.Context(), port, drivers.OpenOptions{Now: port.Now})
	if err != nil {
		t.Fatal(err)
	}
	return &talk{t: t, pump: p, port: port, conn: conn}
}

// poll makes one cycle that must succeed.
func (k *talk) poll() drivers.Report {
	k.t.Helper()
	k.port.Advance(2 * time.Second)
	reports, err := drivers.Collect(k.t.Context(), k.conn)
	if err != nil || len(reports) != 1 {
		k.t.Fatalf("Poll: %d reports, %v", len(reports), err)
	}
	return reports[0]
}

// fails makes one cycle that must fail without a report.
func (k *talk) fails() error {
	k.t.Helper()
	k.port.Advance(2 * time.Second)
	reports, err := drivers.Collect(k.t.Context(), k.conn)
	if err == nil || len(reports) != 0 {
		k.t.Fatalf("Poll: %d reports, %v", len(reports), err)
	}
	return err
}
