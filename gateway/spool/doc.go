// Package spool is the gateway's own record: every observation, event and alert, numbered and on disk
// before anything leaves the house. It is the source of truth for the sinks and for the page's
// history.
//
// One SQLite file (modernc.org/sqlite: SQLite in Go without cgo, actively kept, so the answer to power
// cuts is SQLite's own), in WAL mode with synchronous=full, used append-only. One goroutine numbers (Run), a
// second one, which may hang with the disk, writes; both are joined by Run's return. What is handed over while a
// transaction runs shares the next one. A record is visible to readers only after its commit. A row has a
// checksum: one that does not match is left out, counted and told as a loss.
//
// The disk never stops the gateway. When a commit fails or takes longer than the limit, the spool goes on
// from memory, bounded, under a new epoch with Durable false; it tries the disk again with growing pauses, and when
// it works the memory's records go there in order, with their keys and in one transaction with the notes of the
// same moment, before a new durable epoch begins. A commit that was given up and goes through late is undone
// by the next one.
//
// A damaged file is set aside with its name kept, never deleted, and a new one begun. Found at the start:
// under a new epoch, and what waited in it is only in the file set aside. Found while running:
// what a sink still waits for is carried over; what cannot be read is told as a loss.
//
// While the file cannot even be read, readers go on with what is in memory. A sink's cursor stays before
// the records that it was not given, and Cursor sends it back there when the file can be read again.
//
// Known limits:
//   - Observations are not thinned and dropped from the file when it grows beyond a capacity (design section 5, overflow
//     order): a full disk is a failed commit.
//   - If a hanging commit reaches the disk and the process dies before the next one succeeds, its records are
//     in the file under one key and may have gone out from memory under another.
//   - A file that is damaged in its write-ahead log loses the log's rest without a trace, which SQLite takes for
//     an unfinished commit.
//   - Open reads the file in the caller's goroutine: a disk that hangs then, and does not fail, holds up the start.
package spool
