// The peer "Go": bench_go <case> <n> does a case's work of size n on two processors (GOMAXPROCS) and prints its figures
// as lines of JSON; it checks its own work and ends with 1 if that was not done.
package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"
)

var cases = map[string]func(n int){
	"fan_out":         fanOut,
	"fan_out_article": fanOutArticle,
	"suspended":       suspended,
	"nested":          nested,
	"failure":         failure,
	"pool":            poolFree,
	"pool_crowded":    poolCrowded,
	"breaker":         breakerClosed,
	"blocking":        blocking,
}

func main() {
	runtime.GOMAXPROCS(2)
	expect(len(os.Args) == 3, "usage: bench_go <case> <n>")
	n, err := strconv.Atoi(os.Args[2])
	expect(err == nil && n > 0, "n is not a number above 0")
	work, known := cases[os.Args[1]]
	if !known {
		fmt.Fprintln(os.Stderr, "no case", os.Args[1], "here")
		os.Exit(2)
	}
	work(n)
}

func report(name string, value float64, unit string) {
	fmt.Printf("{\"case\": \"%s\", \"value\": %.6f, \"unit\": \"%s\"}\n", name, value, unit)
}

func expect(held bool, sentence string) {
	if !held {
		fmt.Fprintln(os.Stderr, sentence)
		os.Exit(1)
	}
}

// perItem is how many nanoseconds each of n took since start.
func perItem(start time.Time, n int) float64 {
	return float64(time.Since(start).Nanoseconds()) / float64(n)
}

// residentBytes is how much of this process is in memory now.
func residentBytes() float64 {
	text, err := os.ReadFile("/proc/self/statm")
	expect(err == nil, "there is no /proc/self/statm")
	pages, err := strconv.Atoi(strings.Fields(string(text))[1])
	expect(err == nil, "/proc/self/statm has no resident set")
	return float64(pages * os.Getpagesize())
}
