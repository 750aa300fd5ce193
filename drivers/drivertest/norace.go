//go:build !race

package drivertest

const slower = 1
