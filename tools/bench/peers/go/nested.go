package main

import (
	"sync"
	"time"
)

type counted struct {
	value, calls uint64
}

// fib computes by fork and join: both halves are goroutines, and a WaitGroup waits for them.
func fib(n int) counted {
	if n < 2 {
		return counted{uint64(n), 1}
	}
	var left, right counted
	var group sync.WaitGroup
	group.Add(2)
	go func() {
		defer group.Done()
		left = fib(n - 1)
	}()
	go func() {
		defer group.Done()
		right = fib(n - 2)
	}()
	group.Wait()
	return counted{left.value + right.value, left.calls + right.calls + 1}
}

func nested(n int) {
	fib(n/2 + 1)
	before, now := uint64(0), uint64(1)
	for i := 0; i < n; i++ {
		before, now = now, before+now
	}
	start := time.Now()
	got := fib(n)
	took := perItem(start, int(got.calls))
	expect(got.value == before, "that is not the Fibonacci number")
	report("nested", took, "ns/call")
}
