package infusion

// Opt is a value that may be absent. The zero Opt is absent; a plain zero never
// means absent.
type Opt[T any] struct {
	v  T
	ok bool
}

// Some is a present value.
func Some[T any](v T) Opt[T] { return Opt[T]{v: v, ok: true} }

// Get returns the value and whether there is one.
func (o Opt[T]) Get() (T, bool) { return o.v, o.ok }

// Present says whether there is a value.
func (o Opt[T]) Present() bool { return o.ok }
