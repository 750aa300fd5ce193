// Package store is the InfluxDB sink: it writes the records of the spool as points through
// the v2 write API, in explicit batches, and counts a record as stored on the answer 204
// only. It works with InfluxDB 2.x and 1.8 and any engine that takes v2 writes, and
// depends on no habit of one of them.
//
// A point that the server will never take is found by halving the batch and set aside with
// the server's words; whether it is the point's fault is proven first by a harmless
// point of our own. Everything else waits. A decimal is written so that its shortest
// reading is the same decimal; NaN and infinity cannot be written. No number is
// written where there is none: a failed cycle is a point with no_data=true and no reading.
//
// The package starts no goroutine (the HTTP client has its own). It is the only importer of
// influxdb-client-go.
package store
