package wire

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Covers GW-10.
func TestDecodeRefusesAndSaysWhere(t *testing.T) {
	rows := []struct {
		name    string
		query   Query
		payload string
		cause   error
		offset  int
	}{
		{"other letters", VolumeInfused, "Q604D2", ErrEcho, 0},
		{"the query itself comes back", VolumeInfused, "Q5", ErrTruncated, 2},
		{"serial number too short", Serial, "RNSN80000", ErrTruncated, 9},
		{"serial number too long", Serial, "RNSN8000081", ErrMalformed, 10},
		{"serial number with a blank", Serial, "RNSN80000 ", ErrMalformed, 9},
		{"nine digits", VTBI, "Q6123456789", ErrMalformed, 10},
		{"not a hex digit", VTBI, "Q612G4", ErrMalformed, 4},
		{"battery too long", Battery, "R7011D0", ErrMalformed, 6},
		{"second number wrong", OcclusionSensors, "RD01F4020X", ErrMalformed, 9},
		{"refused", AutomaticBolus, "QHERROR", ErrUnsupported, 2},
		{"platform 02", Platform, "RM02", ErrMalformed, 2},
		{"clock of nine digits", PumpClock, "RCF00124000", ErrTruncated, 11},
		{"clock of thirteen digits", PumpClock, "RC0102030405061", ErrMalformed, 14},
		{"sensors too short", CombinedSensors, "S95F420811", ErrTruncated, 10},
		{"record without its last digit", LogRecord, "RE0000001001452301F0000000000000000000000", ErrTruncated, 41},
		{"yes is not TRUE", TextRunning, "YES", ErrMalformed, 0},
		{"rate with an exponent", TextRate, "1E1", ErrMalformed, 1},
		{"rate without a digit after the point", TextRate, "1.", ErrMalformed, 2},
		{"rate with two points", TextRate, "1.2.3", ErrMalformed, 3},
		{"negative rate", TextRate, "-1", ErrMalformed, 0},
		{"empty rate", TextRate, "", ErrMalformed, 0},
		{"rate of eighteen digits", TextRate, "123456789012345678", ErrMalformed, 18},
		{"program name that is a query", TextProgram, ":PROTOCOL:NAME?", ErrMalformed, 0},
		{"no query", NoQuery, "RN", ErrUnsupported, 0},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			var r Reply
			err := Decode([]byte(row.payload), row.query, &r)
			var at *DecodeError
			if !errors.As(err, &at) || !errors.Is(err, row.cause) {
				t.Fatalf("error %v, want a DecodeError with cause %v", err, row.cause)
			}
			if at.Offset != row.offset || string(at.Raw) != row.payload {
				t.Errorf("offset %d of %q, want %d of %q", at.Offset, at.Raw, row.offset, row.payload)
			}
		})
	}
}

func TestDecodeReadsEveryForm(t *testing.T) {
	rows := []struct {
		name    string
		payload string
		want    Reply
	}{
		{"firmware", "RS1.2-b7", Reply{Query: Firmware, Text: []byte("1.2-b7")}},
		{"library", "RLHOME 3              ", Reply{Query: Library, Text: []byte("HOME 3              ")}},
		{"platform K", "RM01", Reply{Query: Platform, Text: []byte("01")}},
		{"motor life", "R80190012345", Reply{Query: MotorLife, N: [2]uint32{0x190, 0x12345}}},
		{"power-on time", "R900015180", Reply{Query: PowerOnTime, N: [2]uint32{0x15180}}},
		{"sensor calibration", "RX3F800000414570A4000000003f800000", Reply{Query: SensorCalibration, Bits: [4]uint32{0x3F800000, 0x414570A4, 0, 0x3F800000}}},
		{"mode", "Q0CONT", Reply{Query: Mode, Text: []byte("CONT")}},
		{"one hex digit", "Q56", Reply{Query: VolumeInfused, N: [2]uint32{6}}},
		{"eight hex digits", "Q500BC614E", Reply{Query: VolumeInfused, N: [2]uint32{12345678}}},
		{"bolus flag", "Q71", Reply{Query: BolusRunning, Text: []byte("1")}},
		{"rate unit", "Q4ML/HR", Reply{Query: RateUnit, Text: []byte("ML/HR")}},
		{"old clock", "RC0E031A0C1E2D", Reply{Query: PumpClock, Clock: Clock{Old: true, Date: Date{Day: 14, Month: 3, Year: 26, Hour: 12, Minute: 30, Second: 45}}}},
		{"false in lower case", "false", Reply{Query: TextRunning}},
		{"rate", "1.11", Reply{Query: TextRate, Text: []byte("1.11")}},
		{"program name", "DAILY 1", Reply{Query: TextProgram, Text: []byte("DAILY 1")}},
		{"service time", "1F", Reply{Query: TextServiceTime, N: [2]uint32{31}}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			got := Reply{Query: row.want.Query}
			if err := Decode([]byte(row.payload), row.want.Query, &got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("Decode (-want +got):\n%s", diff)
			}
		})
	}
}

func TestEncodeRefusesWhatDoesNotFit(t *testing.T) {
	rows := map[string]Reply{
		"battery of five digits": {Query: Battery, N: [2]uint32{0x10000}},
		"thirteen-bit sensor":    {Query: CombinedSensors, Sensors: Sensors{Downstream: 0x1000}},
		"eleven-bit sensor":      {Query: CombinedSensors, Sensors: Sensors{Upstream: 0x400}},
		"serial of seven":        {Query: Serial, Text: []byte("SN80000")},
		"rate as words":          {Query: TextRate, Text: []byte("ten")},
		"no query":               {},
	}
	for name, r := range rows {
		t.Run(name, func(t *testing.T) {
			if got, err := AppendReply([]byte("x"), &r); err == nil || string(got) != "x" {
				t.Errorf("AppendReply: %q, %v, want an error and nothing appended", got, err)
			}
		})
	}
}

func TestParseRequestKnowsEveryQueryAndControlCommand(t *testing.T) {
	for _, q := range Queries() {
		got := ParseRequest(AppendQuery(nil, q, 0xA8FF))
		want := Request{Kind: RequestRead, Query: q}
		if q == LogRecord {
			want.Index = 0xA8FF
		}
		if got != want {
			t.Errorf("%s: %+v, want %+v", q, got, want)
		}
	}
	rows := map[string]Request{
		":INFUSION:RUN?": {Kind: RequestRead, Query: TextRunning},
		":PROT:RATE?":    {Kind: RequestRead, Query: TextProgrammedRate},
		"WT00":           {Kind: RequestControl}, "WT01": {Kind: RequestControl}, "W01": {Kind: RequestControl},
		"KE01": {Kind: RequestControl}, "LB": {Kind: RequestControl}, "LIabc": {Kind: RequestControl},
		":POWER": {Kind: RequestControl}, ":POWER:OFF?": {Kind: RequestControl}, ":INFU:RUN": {Kind: RequestControl}, "*RST": {Kind: RequestControl},
		"": {}, "RE": {}, "RE0000001G": {}, "ZZ": {}, "RN1": {},
	}
	for payload, want := range rows {
		if got := ParseRequest([]byte(payload)); got != want {
			t.Errorf("%q: %+v, want %+v", payload, got, want)
		}
	}
}
