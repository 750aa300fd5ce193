package wire

// Record is one record of a block: time,address,parameter,value. Texts are views.
type Record struct {
	Time      uint64 // seconds since the device was switched on
	Address   []byte // 501xy; 50100 is the station
	Parameter []byte
	Value     []byte
	HasValue  bool // the answer to ADMIN:VERSION has no value field
}

// Records goes through the records of a block.
type Records struct {
	info []byte
	at   int
	done bool
}

// Records begins with the first record.
func (b *Block) Records() Records { return Records{info: b.Information} }

// Next puts the next record into r. It returns false at the end. The error is a DecodeError with cause ErrMalformed or ErrTruncated.
func (rs *Records) Next(r *Record) (bool, error) {
	if rs.done {
		return false, nil
	}
	end := rs.at
	for end < len(rs.info) && rs.info[end] != RS {
		end++
	}
	text, offset := rs.info[rs.at:end], rs.at
	rs.at, rs.done = end+1, end == len(rs.info)
	var comma [3]int
	n := 0
	for i, c := range text {
		if c == ',' {
			comma[n] = i
			if n++; n == 3 {
				break
			}
		}
	}
	if n < 2 {
		return false, fail(rs.info, offset, ErrTruncated, "a record has three or four fields")
	}
	*r = Record{}
	if r.Time, n = decimal(text[:comma[0]]), min(n, 3); text[0] == ',' || r.Time == badTime {
		return false, fail(rs.info, offset, ErrMalformed, "time")
	}
	r.Address = text[comma[0]+1 : comma[1]]
	if !validAddress(r.Address) {
		return false, fail(rs.info, offset+comma[0]+1, ErrMalformed, "address")
	}
	r.Parameter = text[comma[1]+1:]
	if n == 3 {
		r.Parameter, r.Value, r.HasValue = text[comma[1]+1:comma[2]], text[comma[2]+1:], true
	}
	if len(r.Parameter) == 0 {
		return false, fail(rs.info, offset+comma[1]+1, ErrMalformed, "no parameter")
	}
	return true, nil
}

const badTime = ^uint64(0)

func decimal(b []byte) uint64 {
	if len(b) == 0 || len(b) > 12 {
		return badTime
	}
	var n uint64
	for _, c := range b {
		if c < '0' || c > '9' {
			return badTime
		}
		n = n*10 + uint64(c-'0')
	}
	return n
}

// validAddress says whether an address is 50100, or 501 with pillar 1 to 3 and slot 1 to 9 or A to O.
func validAddress(a []byte) bool {
	if len(a) != 5 || string(a[:3]) != "501" {
		return false
	}
	return string(a[3:]) == "00" || ValidSlot(string(a[3:]))
}

// ValidSlot says whether a text names a slot: pillar 1 to 3, and 1 to 9 or A to O from the bottom.
func ValidSlot(xy string) bool {
	return len(xy) == 2 && xy[0] >= '1' && xy[0] <= '3' && (xy[1] >= '1' && xy[1] <= '9' || xy[1] >= 'A' && xy[1] <= 'O')
}

// AppendRecord appends a record, behind RS unless it is the first of the information that dst is.
func AppendRecord(dst []byte, r *Record) []byte {
	if len(dst) > 0 {
		dst = append(dst, RS)
	}
	var digits [20]byte
	i := len(digits)
	for n := r.Time; ; {
		i--
		digits[i] = byte('0' + n%10)
		if n /= 10; n == 0 {
			break
		}
	}
	dst = append(append(dst, digits[i:]...), ',')
	dst = append(append(dst, r.Address...), ',')
	dst = append(dst, r.Parameter...)
	if r.HasValue {
		dst = append(append(dst, ','), r.Value...)
	}
	return dst
}

// The requests of section 5.
const (
	RequestAlive   = "ADMIN:ALIVE"
	RequestVersion = "ADMIN:VERSION"
	RequestAll     = "MEM:GET"
	RequestSlot    = "MEM:GETSLOT#" // and pillar and slot
)
