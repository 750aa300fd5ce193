package spool

import (
	"cmp"
	"errors"
	"log/slog"
	"time"
)

// Options says where and how to record. Path, NewEpoch, Now and Log are required.
type Options struct {
	Path     string
	NewEpoch func() string    // makes an id that never comes again
	Now      func() time.Time // UTC wall clock
	Log      *slog.Logger
	// CommitLimit is how long a commit may take before the spool goes on from memory; 2 s when 0.
	CommitLimit time.Duration
	// RetryEvery is the first pause before the disk is tried again; it doubles up to 30 times itself. 1 s when 0.
	RetryEvery time.Duration
	// CursorDelay is how long a moved cursor may wait for a commit to go with; 1 s when 0.
	CursorDelay time.Duration
	// MemoryRecords bounds what is held while the disk does not work; 50,000 when 0.
	MemoryRecords int
}

const (
	longestRetry = 30   // times RetryEvery
	recentSize   = 1024 // records kept for readers that are up to date
	groupRecords = 1024 // bounds one transaction
)

func (o *Options) check() error {
	if o.Path == "" || o.NewEpoch == nil || o.Now == nil || o.Log == nil {
		return errors.New("spool: Path, NewEpoch, Now and Log are required")
	}
	o.CommitLimit = cmp.Or(o.CommitLimit, 2*time.Second)
	o.RetryEvery = cmp.Or(o.RetryEvery, time.Second)
	o.CursorDelay = cmp.Or(o.CursorDelay, time.Second)
	o.MemoryRecords = cmp.Or(o.MemoryRecords, 50_000)
	return nil
}

// ErrClosed says that the spool takes nothing any more.
var ErrClosed = errors.New("spool is closed")

// ErrNewer says that the file was written by a newer infusiond. Such a file is never set aside.
var ErrNewer = errors.New("record file was written by a newer infusiond")

// ErrInUse says that another process has the file open. Two writers would give the same
// number to two records.
var ErrInUse = errors.New("record file is in use by another process")

// Loss is a range of records of one stream that no longer exist. Count is at most the range's length:
// other records of the range may still be there.
type Loss struct {
	Epoch          string
	Stream         string
	FromSeq, ToSeq uint64
	Count          uint64
	Reason         string
}

// The reasons of a loss.
const (
	reasonMemoryFull = "memory full while the disk did not work"
	reasonDamaged    = "damaged on disk"
)

// Status is the spool's condition.
type Status struct {
	Durable bool
	Records uint64 // held, on disk and in memory
	Bytes   uint64 // of the file and its write-ahead log
	Reason  string // why it is not durable
	Lost    uint64 // records lost since Open; TakeLosses tells which
	Losses  []Loss // those that TakeLosses has not given yet
}

// RejectedRecord is a record that a sink will never take; it is set aside with its reason.
type RejectedRecord struct {
	Sink    string
	Pos     int64
	Reason  string
	Payload []byte
}
