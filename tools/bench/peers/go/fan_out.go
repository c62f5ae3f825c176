package main

import (
	"context"
	"time"

	"golang.org/x/sync/errgroup"
)

// outcome is what is kept of a task.
type outcome struct {
	value uint64
	err   error
}

// fanOut: n trivial goroutines in one errgroup; each writes its outcome to its place in a slice.
func fanOut(n int) {
	run := func(n int) {
		outcomes := make([]outcome, n)
		group, _ := errgroup.WithContext(context.Background())
		for i := 0; i < n; i++ {
			i := i
			group.Go(func() error {
				outcomes[i] = outcome{value: uint64(i)}
				return nil
			})
		}
		expect(group.Wait() == nil, "the group failed")
		checkSum(outcomes)
	}
	start := time.Now()
	run(n)
	report("fan_out.first", perItem(start, n), "ns/task")
	start = time.Now()
	run(n)
	report("fan_out", perItem(start, n), "ns/task")
}

func checkSum(outcomes []outcome) {
	sum := uint64(0)
	for i := range outcomes {
		expect(outcomes[i].err == nil, "a task failed")
		sum += outcomes[i].value
	}
	n := uint64(len(outcomes))
	expect(sum == n*(n-1)/2, "the values of the tasks do not add up")
}
