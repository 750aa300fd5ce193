package wire

// Query is one read-only query of the protocol document's section 5.
type Query uint8

// The read-only queries, by the letters that go over the wire.
const (
	NoQuery             Query = iota
	Serial                    // RN
	Firmware                  // RS
	Library                   // RL
	Platform                  // RM
	BaseYear                  // RB
	TotalVolume               // R3, 1/10 mL
	Battery                   // R7, 1/100 V
	MotorLife                 // R8, calibration and rotations
	PowerOnTime               // R9, s
	BatteryCalibration        // RA, 1/1000 and 1/100 V
	PumpClock                 // RC
	OcclusionSensors          // RD, raw counts upstream and downstream
	OcclusionThresholds       // R2, raw counts upstream and downstream
	MotorCalibration          // R1
	SensorCalibration         // RX, four floats
	CombinedSensors           // S9
	Mode                      // Q0
	InfusionTime              // Q3, s
	RateUnit                  // Q4
	VolumeInfused             // Q5, 1/100 mL
	VTBI                      // Q6, 1/100 mL
	BolusRunning              // Q7
	BolusRate                 // Q8, 1/100 mL/h
	BolusInfused              // Q9, 1/100 mL
	BolusVTBI                 // QA, 1/100 mL
	ProgrammedRateUnit        // QC
	ProgrammedVTBI            // QD, 1/100 mL
	ProgrammedTime            // QE, s
	ProgrammedTimeUnit        // QF
	ProgrammedBolusRate       // QG, 1/100
	AutomaticBolus            // QH, 1/100 mL
	DemandBolus               // QI, 1/100 mL
	OldRunning                // Q1, older firmware
	OldRate                   // Q2, older firmware, 1/100
	LogIndices                // RI, tail and head
	LogRecord                 // RE with an index
	TextIdentity              // *IDN?
	TextSerial                // :SERIAL?
	TextRunning               // :INFU:RUN?
	TextRate                  // :INFU:RATE?, decimal in the unit of Q4
	TextProgram               // :PROTOCOL:NAME?
	TextProgrammedRate        // :PROTOCOL:RATE?, decimal
	TextTotalTime             // :TOTAL:TIME?, s
	TextServiceTime           // :SERV:TIME?, s
	queryCount
)

// form is the shape of a reply's value.
type form uint8

const (
	formText      form = iota // printable text of least to most characters
	formSerial                // exactly 8 alphanumerics
	formVersion               // letters, digits, point and hyphen
	formPlatform              // 00 or 01
	formFlag                  // 1 or another text
	formNumbers               // one or two hex numbers of fixed width
	formShort                 // one hex number of 1 to 8 digits
	formShortErr              // the same, or the word ERROR
	formClock                 // 8 or 12 hex digits
	formSensors               // 9 hex digits
	formFloats                // four floats
	formRecord                // 8 hex index and 32 hex digits
	formBool                  // TRUE or FALSE
	formDecimal               // digits with at most one point between them
	formTextWords             // printable text without echo
)

// layout is one row of the table of queries.
type layout struct {
	letters     string
	form        form
	first       int // width of the first number, or least characters of a text
	second      int // width of the second number, or most characters of a text
	usualLength int // characters of the reply's payload, for pacing; 0 is not known
}

var layouts = [queryCount]layout{
	Serial:              {"RN", formSerial, 8, 8, 10},
	Firmware:            {"RS", formVersion, 1, 64, 8},
	Library:             {"RL", formText, 20, 20, 22},
	Platform:            {"RM", formPlatform, 2, 2, 4},
	BaseYear:            {"RB", formNumbers, 4, 0, 6},
	TotalVolume:         {"R3", formNumbers, 4, 0, 6},
	Battery:             {"R7", formNumbers, 4, 0, 6},
	MotorLife:           {"R8", formNumbers, 4, 6, 12},
	PowerOnTime:         {"R9", formNumbers, 8, 0, 10},
	BatteryCalibration:  {"RA", formNumbers, 4, 4, 10},
	PumpClock:           {"RC", formClock, 0, 0, 10},
	OcclusionSensors:    {"RD", formNumbers, 4, 4, 10},
	OcclusionThresholds: {"R2", formNumbers, 4, 4, 10},
	MotorCalibration:    {"R1", formNumbers, 4, 0, 6},
	SensorCalibration:   {"RX", formFloats, 0, 0, 34},
	CombinedSensors:     {"S9", formSensors, 0, 0, 11},
	Mode:                {"Q0", formText, 1, 64, 6},
	InfusionTime:        {"Q3", formShort, 0, 0, 6},
	RateUnit:            {"Q4", formText, 1, 64, 7},
	VolumeInfused:       {"Q5", formShort, 0, 0, 6},
	VTBI:                {"Q6", formShort, 0, 0, 6},
	BolusRunning:        {"Q7", formFlag, 1, 8, 3},
	BolusRate:           {"Q8", formShort, 0, 0, 6},
	BolusInfused:        {"Q9", formShort, 0, 0, 6},
	BolusVTBI:           {"QA", formShort, 0, 0, 6},
	ProgrammedRateUnit:  {"QC", formText, 1, 64, 7},
	ProgrammedVTBI:      {"QD", formShort, 0, 0, 6},
	ProgrammedTime:      {"QE", formShort, 0, 0, 6},
	ProgrammedTimeUnit:  {"QF", formText, 1, 64, 0},
	ProgrammedBolusRate: {"QG", formShort, 0, 0, 6},
	AutomaticBolus:      {"QH", formShortErr, 0, 0, 6},
	DemandBolus:         {"QI", formShortErr, 0, 0, 6},
	OldRunning:          {"Q1", formFlag, 1, 8, 3},
	OldRate:             {"Q2", formShort, 0, 0, 6},
	LogIndices:          {"RI", formNumbers, 8, 8, 18},
	LogRecord:           {"RE", formRecord, 0, 0, 42},
	TextIdentity:        {"*IDN?", formTextWords, 1, 128, 0},
	TextSerial:          {":SERIAL?", formTextWords, 1, 64, 8},
	TextRunning:         {":INFU:RUN?", formBool, 0, 0, 4},
	TextRate:            {":INFU:RATE?", formDecimal, 0, 0, 4},
	TextProgram:         {":PROTOCOL:NAME?", formTextWords, 1, 64, 7},
	TextProgrammedRate:  {":PROTOCOL:RATE?", formDecimal, 0, 0, 4},
	TextTotalTime:       {":TOTAL:TIME?", formShort, 0, 0, 8},
	TextServiceTime:     {":SERV:TIME?", formShort, 0, 0, 8},
}

// String returns the letters of the query, without the index of RE; empty when
// there is no such query.
func (q Query) String() string {
	if q >= queryCount {
		return ""
	}
	return layouts[q].letters
}

// Echoed says whether the reply repeats the letters of the query. The text queries do not.
func (q Query) Echoed() bool { return len(q.String()) == 2 }

// ReplyBytes returns the usual length of the reply's frame on the wire in
// bytes, 0 when it is not known.
func (q Query) ReplyBytes() int {
	if q >= queryCount || layouts[q].usualLength == 0 {
		return 0
	}
	return layouts[q].usualLength + 4
}

// Queries returns all read-only queries.
func Queries() []Query {
	all := make([]Query, 0, queryCount-1)
	for q := NoQuery + 1; q < queryCount; q++ {
		all = append(all, q)
	}
	return all
}

// AppendQuery appends the payload that asks q. The index counts for LogRecord only.
func AppendQuery(dst []byte, q Query, index uint32) []byte {
	dst = append(dst, q.String()...)
	if q == LogRecord {
		dst = appendHex(dst, index, 8)
	}
	return dst
}
