package exchange

import (
	"fmt"

	"infusiond/drivers"
)

// Split cuts a stream into frames and the stretches between them, for drivers.Explainer. span returns where the
// first stretch that looks like a frame begins and ends in b, or len(b) twice; explain explains that stretch. Offsets of the
// explanations are set here.
func Split(b []byte, span func(b []byte) (start, end int), explain func(frame []byte) drivers.Explained) []drivers.Explained {
	var all []drivers.Explained
	for at := 0; at < len(b); {
		start, end := span(b[at:])
		if start > 0 {
			all = append(all, drivers.Explained{
				Offset: at, Bytes: b[at : at+start], Name: "bytes outside frames", Err: fmt.Errorf("no frame begins here: %w", drivers.ErrMalformed),
			})
		}
		if end > start {
			e := explain(b[at+start : at+end])
			e.Offset = at + start
			all = append(all, e)
		}
		at += max(end, start, 1)
	}
	return all
}
