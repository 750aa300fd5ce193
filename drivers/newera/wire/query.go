package wire

// Query is one of the read-only queries of section 5.
type Query uint8

// The queries. NoQuery is the zero value, Status the command without a word.
const (
	NoQuery Query = iota
	Status
	Version
	Rate
	Dispensed
	Volume
	Direction
	Diameter
	Phase
	Function
	Buzzer
	queryCount
)

var words = [queryCount]string{
	Version: "VER", Rate: "RAT", Dispensed: "DIS", Volume: "VOL", Direction: "DIR", Diameter: "DIA", Phase: "PHN", Function: "FUN", Buzzer: "AL",
}

// Word returns the word of the query; empty for Status.
func (q Query) Word() string {
	if q >= queryCount {
		return ""
	}
	return words[q]
}

// String names the query for people.
func (q Query) String() string {
	if q == Status {
		return "status"
	}
	return q.Word()
}

// Queries returns all read-only queries.
func Queries() []Query {
	all := make([]Query, 0, queryCount-1)
	for q := NoQuery + 1; q < queryCount; q++ {
		all = append(all, q)
	}
	return all
}

// AppendQuery appends the frame that asks q of the pump at an address from 0 to 99.
func AppendQuery(dst []byte, address int, q Query, f Framing) []byte {
	var data [8]byte
	d := append(data[:0], byte('0'+address/10%10), byte('0'+address%10))
	d = append(d, q.Word()...)
	if f == Safe {
		return AppendSafe(dst, d)
	}
	return append(append(dst, d...), CR)
}
