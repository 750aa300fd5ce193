package wire

import (
	"errors"
	"testing"
)

// Covers GW-10.
func TestDecodeRefuses(t *testing.T) {
	const inf = "INF^8002-51740^-^SET^5.00^ml/h^^1.234^ml^17.91^mmHg^24+^EVENT^127904"
	rows := []struct {
		name, body string
		request    Request
		cause      error
	}{
		{"the request itself", "INF", Status, ErrMalformed},
		{"another reply", "INF_RATE^5.00^ml/h", Status, ErrOther},
		{"a longer name", "INF_RATE_MAX_SYRINGE^5.00^ml/h", Rate, ErrOther},
		{"a shorter name", inf, Rate, ErrOther},
		{"a field too many", inf + "^", Status, ErrMalformed},
		{"a field too few", inf[:len(inf)-7], Status, ErrMalformed},
		{"no serial number", "INST_SERIALNO^", SerialNo, ErrMalformed},
		{"blank in the serial number", "INST_SERIALNO^8002 51740", SerialNo, ErrMalformed},
		{"long serial number", "INST_SERIALNO^8002-51740-51740-51740", SerialNo, ErrMalformed},
		{"log entry is no number", inf[:len(inf)-1] + "x", Status, ErrMalformed},
		{"volume without unit", "INF_VTBI^ACTIV^11.000", VTBI, ErrMalformed},
		{"no alarm code", "ALARM^ ^ ^ ", Alarm, ErrMalformed},
		{"no such request", "INF^", NoRequest, ErrMalformed},
		{"empty", "", Status, ErrOther},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			var r Reply
			if err := Decode([]byte(row.body), row.request, &r); !errors.Is(err, row.cause) {
				t.Errorf("%v, want %v", err, row.cause)
			}
			if r.Request != NoRequest || r.Field(1) != nil {
				t.Errorf("a refused body left %+v", r)
			}
		})
	}
}

func TestFormsOfFields(t *testing.T) {
	rows := []struct {
		form form
		good []string
		bad  []string
	}{
		{formTwo, []string{"0.00", "5.00", "1200.00"}, []string{"", "5", "5.0", "5.000", "-5.00", ".00", "05.00", "5.0x", "5,00", " 5.00", "1234567.00"}},
		{formThree, []string{"0.969", "50.000"}, []string{"0.96", "0.9690", "00.969", "-0.969"}},
		{formPressure, []string{"530.15", "-50.00", "0.00"}, []string{"--5.00", "-", "- 5.00", "5.0"}},
		{formTime, []string{"00:04:09", "23:59:59", "24:00:00", "24+"}, []string{"24:00:01", "0:04:09", "00:60:00", "00:00:60", "25+", "", "00-04-09"}},
		{formSize, []string{" 50", "5", "  10"}, []string{"", " ", "5 ", "50ml", "12345"}},
		{formSerial, []string{"8002-51740", "SIM0-00001"}, []string{"", "8002 51740", "8002_51740"}},
		{formCount, []string{"0", "214725"}, []string{"", "-1", "12345678901", "1 "}},
		{formWord, []string{"SET", "-", "A"}, []string{"", " "}},
	}
	for _, row := range rows {
		for _, text := range row.good {
			if !row.form.fits([]byte(text)) {
				t.Errorf("form %d refuses %q", row.form, text)
			}
		}
		for _, text := range row.bad {
			if row.form.fits([]byte(text)) {
				t.Errorf("form %d accepts %q", row.form, text)
			}
		}
	}
}

func TestVTBIWithoutAVolume(t *testing.T) {
	for _, body := range []string{"INF_VTBI^DEACT^^^", "INF_VTBI^DEACT^^", "INF_VTBI^DEACT^"} {
		var r Reply
		if err := Decode([]byte(body), VTBI, &r); err != nil || len(r.Field(VTBIVolumeField)) != 0 {
			t.Errorf("%s: %v, volume %q", body, err, r.Field(VTBIVolumeField))
		}
	}
}

// A reply that is used again keeps no field of the longer one before it.
func TestDecodeForgetsEarlierFields(t *testing.T) {
	var r Reply
	for _, id := range []string{"A7", "A3"} {
		body, err := DecodeFrame(vectors(t)[id].frame)
		if err != nil {
			t.Fatal(err)
		}
		if err := Decode(body, Identify(body), &r); err != nil {
			t.Fatal(err)
		}
	}
	if r.Count != 2 || r.Field(2) != nil || r.Fields[13] != nil || r.Good(2) {
		t.Errorf("%+v", r)
	}
}

func TestAppendReplyRefusesWhatCannotBeSaid(t *testing.T) {
	for name, r := range map[string]Reply{
		"no request":      {Count: 2},
		"no fields":       {Request: SerialNo, Count: 1},
		"caret in a text": {Request: Protocol, Count: 2, Fields: [maxFields][]byte{1: []byte("a^b")}},
		"end in a text":   {Request: Protocol, Count: 2, Fields: [maxFields][]byte{1: []byte("a\rb")}},
		"too long":        {Request: Protocol, Count: 2, Fields: [maxFields][]byte{1: make([]byte, 300)}},
		"no serial":       {Request: SerialNo, Count: 2},
	} {
		if out, err := AppendReply([]byte("x"), &r); !errors.Is(err, ErrMalformed) || string(out) != "x" {
			t.Errorf("%s: %q, %v", name, out, err)
		}
	}
}

func TestParseRequest(t *testing.T) {
	for body, want := range map[string]HostKind{
		"INF": HostRead, "INF_RATE": HostRead, "INF_VTBI": HostRead, "INF_VI": HostRead,
		"INF_RATE^5.0^ml/h": HostControl, "INF_VTBI^DEACT": HostControl, "INF_VI_CLEAR": HostControl, "INF_START": HostControl,
		"INF_BOLUS^ENABLED": HostControl, "REMQUERY^DEACT": HostControl, "REMOTE_CFG^ENABLED^3CC1": HostControl,
		"INF^": HostUnknown, "INF_VI^": HostUnknown, "inf": HostUnknown, "INF_RATE_MAX_SYRINGE^1": HostUnknown, "": HostUnknown,
	} {
		if got := ParseRequest([]byte(body)).Kind; got != want {
			t.Errorf("%q: %d, want %d", body, got, want)
		}
	}
}
