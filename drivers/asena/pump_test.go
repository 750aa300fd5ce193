package asena

import (
	"testing"

	"infusiond/drivers/asena/wire"
)

// pump is a scripted pump. A request that is missing is not answered.
type pump struct {
	t       testing.TB
	replies map[wire.Request]string
	asked   []wire.Request
}

func (p *pump) respond(query []byte) []byte {
	body, err := wire.DecodeFrame(query)
	if err != nil {
		p.t.Fatalf("the pump received % X: %v", query, err)
	}
	r := wire.RequestOf(body)
	if r == wire.NoRequest {
		p.t.Fatalf("the pump received %q, which is no read-only request", body)
	}
	p.asked = append(p.asked, r)
	reply, ok := p.replies[r]
	if !ok {
		return nil
	}
	return frame(reply)
}

func frame(body string) []byte { return wire.AppendFrame(nil, []byte(body)) }

// newPump is a pump that infuses. No two of its values are equal.
func newPump(t testing.TB) *pump {
	return &pump{t: t, replies: map[wire.Request]string{
		wire.SerialNumber: "INST_SERIALNO^SIM0-51740",
		wire.Protocol:     "COMMS_PROTOCOL^Asena Rev 2.1.5",
		wire.ResponseMax:  "COMMS_RESPONSE_MAX^4000^ms",
		wire.Status:       "INF^SIM0-51740^A^SET^5.00^ml/h^DOBUTAMINE^1.234^ml^17.91^mmHg^11:12:13^EVENT^127904",
		wire.Rate:         "INF_RATE^5.10^ml/h",
		wire.VTBI:         "INF_VTBI^ACTIV^47.5^ml^STOP",
		wire.Syringe:      "SYRINGE_STATUS^BD PLASTIPAK^ 50^CONF",
		wire.Alarm:        "ALARM^AL_LWBAT^low^battery",
	}}
}

func otherPump(t testing.TB) *pump {
	return &pump{t: t, replies: map[wire.Request]string{
		wire.SerialNumber: "INST_SERIALNO^SIM0-00007",
		wire.Protocol:     "COMMS_PROTOCOL^Asena Rev 2.0",
		wire.ResponseMax:  "COMMS_RESPONSE_MAX^3000^ms",
		wire.Status:       "INF^SIM0-00007^-^HLD^0.00^ml/h^MILRINONE^9.876^ml^-3.50^mmHg^24+^EVENT^11",
		wire.Rate:         "INF_RATE^1.10^ml/h",
		wire.VTBI:         "INF_VTBI^ACTIV^20.0^ml^KVO",
		wire.Syringe:      "SYRINGE_STATUS^TERUMO^ 20^CONF",
		wire.Alarm:        "ALARM^AL_NOALM^ ^ ",
	}}
}
