// Package gateway wires the parts of infusiond: New builds them from a configuration, Run
// starts and joins them. Data goes one way:
//
//	link → poll → normalize → check → alert → spool → relay → publish and store
//	                                             └→ retain → publish and page
//
// One goroutine per port polls, one per pump (channel.go) judges and records, one writes the
// spool, one per sink delivers. Shutdown follows the data: the ports stop first, the broker last.
package gateway
