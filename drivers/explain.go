package drivers

// Direction is who sent bytes on a line.
type Direction uint8

// The directions of a line.
const (
	FromPump Direction = iota
	ToPump
)

// Explainer is a Driver that can explain bytes field by field, for infusiond decode.
type Explainer interface {
	// Explain splits the bytes that went in one direction into frames. The result covers every byte
	// exactly once and in order; bytes that belong to no good frame become an Explained with Err. It
	// keeps no state between calls and sends nothing.
	Explain(d Direction, b []byte) []Explained
}

// Explained is one frame, or a stretch of bytes that is none.
type Explained struct {
	Offset int    // of its first byte
	Bytes  []byte // as they stood on the wire, with stars for the characters of a secret
	Name   string // what it is, e.g. "reply RN: serial number"
	Err    error  // why it is not a good frame; nil for a good one
	Fields []ExplainedField
}

// ExplainedField is one field of a frame. Offset and Length count in Explained.Bytes.
type ExplainedField struct {
	Offset, Length int
	Name           string // lower_snake_case, with the unit where it has one
	Value          string // as the pump means it; empty: it says that it has none
	Note           string // doubts, the meaning of a code; may be empty
}
