package fault

import "slices"

// Kind is one way to spoil an answer.
type Kind string

// The kinds of wire faults. Rate is a share per byte for Noise and Drop and per
// answer for the others.
const (
	Noise    Kind = "noise"
	Drop     Kind = "lose" // "drop" as a command closes a TCP connection
	Checksum Kind = "checksum"
	Late     Kind = "late"
	Silence  Kind = "silence"
	Stale    Kind = "stale"
	Echo     Kind = "echo"
	Garbage  Kind = "garbage"
	Truncate Kind = "truncate"
	Split    Kind = "split"
	Joined   Kind = "joined"
	Twice    Kind = "twice"
	Stray    Kind = "stray"
	Babble   Kind = "babble"
)

// Row describes one kind for people.
type Row struct {
	Kind  Kind
	Help  string
	Usual float64 // rate unless said
	Delay bool    // takes a delay
	spoil func(w *Wire, f *active, x *exchange)
}

// exchange is one answer on its way. out may be changed in place.
type exchange struct {
	query, previous, out []byte
	held                 bool  // something of earlier answers goes out before it
	late                 *bool // Late spoiled it
}

// Rows is the table of all kinds.
func Rows() []Row {
	return []Row{
		{Noise, "turn bits of answers", 0.01, false, perByte},
		{Drop, "lose bytes of answers", 0.01, false, perByte},
		{Checksum, "spoil checksums", 1, false, spoilChecksum},
		{Late, "answer late", 1, true, func(_ *Wire, _ *active, x *exchange) { *x.late = true }},
		{Silence, "do not answer", 1, false, func(_ *Wire, _ *active, x *exchange) { x.out = nil }},
		{Stale, "give the answer to the query before", 1, false, func(_ *Wire, _ *active, x *exchange) { x.out = slices.Clone(x.previous) }},
		{Echo, "return the query first", 1, false, func(_ *Wire, _ *active, x *exchange) { x.out = slices.Concat(x.query, x.out) }},
		{Garbage, "send random bytes first", 1, false, func(w *Wire, _ *active, x *exchange) { x.out = append(w.junk(), x.out...) }},
		{Truncate, "lose the end of answers", 1, false, truncate},
		{Split, "send the end of answers after a pause", 1, true, split},
		{Joined, "hold answers back until the next: two come together", 0.5, false, hold},
		{Twice, "send answers twice", 1, false, func(_ *Wire, _ *active, x *exchange) { x.out = slices.Concat(x.out, x.out) }},
		{Stray, "give the answer to the most similar other query: with several pumps on a line, another pump's", 1, false, stray},
		{Babble, "send random bytes unasked", 1, false, nil},
	}
}

// Kinds lists all kinds.
func Kinds() []Kind {
	var kinds []Kind
	for _, r := range Rows() {
		kinds = append(kinds, r.Kind)
	}
	return kinds
}

func perByte(w *Wire, f *active, x *exchange) {
	out := x.out[:0]
	for _, b := range x.out {
		if w.rng.Float64() < f.Rate {
			if f.Kind == Drop {
				continue
			}
			b ^= 1 << w.rng.UintN(8)
		}
		out = append(out, b)
	}
	x.out = out
}

// spoilChecksum makes the byte before the last another one: a digit another digit.
func spoilChecksum(w *Wire, _ *active, x *exchange) {
	n := len(x.out)
	if n < 2 {
		return
	}
	b := &x.out[n-2]
	switch {
	case *b >= '0' && *b <= '9':
		*b = '0' + (*b-'0'+1+byte(w.rng.UintN(9)))%10
	case *b >= 'A' && *b <= 'F':
		*b = 'A' + (*b-'A'+1+byte(w.rng.UintN(5)))%6
	default:
		*b += 1 + byte(w.rng.UintN(255))
	}
}

func truncate(w *Wire, _ *active, x *exchange) {
	if n := len(x.out); n > 0 {
		x.out = x.out[:w.rng.IntN(n)]
	}
}

// split keeps the end of the answer: it comes after a pause or, if nobody asks Unasked, before the next answer.
func split(w *Wire, f *active, x *exchange) {
	if n := len(x.out); n > 1 {
		at := 1 + w.rng.IntN(n-1)
		w.held, w.heldUntil = append(w.held, x.out[at:]...), w.now+f.Delay
		x.out = x.out[:at]
	}
}

func hold(w *Wire, _ *active, x *exchange) {
	if x.held {
		return
	}
	w.held, w.heldUntil = append(w.held, x.out...), -1
	x.out = nil
}

// stray gives the answer to the query of the same length that differs least from this one.
func stray(w *Wire, _ *active, x *exchange) {
	least, n := len(x.query)+1, len(w.kept)
	for i := range n { // the newest first
		k := &w.kept[(w.next+n-1-i)%n]
		if d := distance(k.query, x.query); d > 0 && d < least {
			least, x.out = d, slices.Clone(k.answer)
		}
	}
}

// distance is how many bytes differ; -1 when the lengths do.
func distance(a, b []byte) int {
	if len(a) != len(b) {
		return -1
	}
	n := 0
	for i := range b {
		if a[i] != b[i] {
			n++
		}
	}
	return n
}
