package main

import (
	"context"
	"errors"
	"sort"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"
)

// sleep sleeps for d unless ctx is cancelled before.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// suspended: n goroutines of one errgroup sleep for an hour; then they are cancelled and joined.
func suspended(n int) {
	parent, cancel := context.WithCancel(context.Background())
	group, ctx := errgroup.WithContext(parent)
	var waiting, cancelled int64
	before := residentBytes()
	for i := 0; i < n; i++ {
		group.Go(func() error {
			atomic.AddInt64(&waiting, 1)
			err := sleep(ctx, time.Hour)
			if errors.Is(err, context.Canceled) {
				atomic.AddInt64(&cancelled, 1)
			}
			return err
		})
	}
	for atomic.LoadInt64(&waiting) != int64(n) {
		time.Sleep(time.Millisecond)
	}
	time.Sleep(2 * time.Millisecond) // those who counted themselves have gone to sleep
	report("suspended", (residentBytes()-before)/float64(n), "bytes/task")

	start := time.Now()
	cancel()
	err := group.Wait()
	report("suspended.stop", perItem(start, n), "ns/task")
	expect(errors.Is(err, context.Canceled) && cancelled == int64(n), "not every sleeper was cancelled")
}

// failure: a thousand siblings in an errgroup wait until they are cancelled; then one more fails. n times.
func failure(n int) {
	const siblings = 1000
	onPurpose := errors.New("on purpose")
	once := func() float64 {
		group, ctx := errgroup.WithContext(context.Background())
		var waiting, cancelled int64
		for i := 0; i < siblings; i++ {
			group.Go(func() error {
				atomic.AddInt64(&waiting, 1)
				err := sleep(ctx, time.Hour)
				if errors.Is(err, context.Canceled) {
					atomic.AddInt64(&cancelled, 1)
				}
				return err
			})
		}
		var failed time.Time
		fail := make(chan struct{})
		group.Go(func() error {
			<-fail
			failed = time.Now()
			return onPurpose
		})
		for atomic.LoadInt64(&waiting) != siblings {
			time.Sleep(time.Millisecond)
		}
		time.Sleep(2 * time.Millisecond)
		close(fail)
		err := group.Wait()
		took := float64(time.Since(failed).Nanoseconds()) / 1000
		expect(err == onPurpose && cancelled == siblings, "the group did not fail as a whole")
		return took
	}
	once()
	took := make([]float64, n)
	for i := range took {
		took[i] = once()
	}
	sort.Float64s(took)
	report("failure", took[(n-1)/2], "us")
}

// blocking: n goroutines block their threads for 50 ms in a system call. (time.Sleep would only park the goroutine.)
func blocking(n int) {
	var group sync.WaitGroup
	var slept int64
	start := time.Now()
	group.Add(n)
	for i := 0; i < n; i++ {
		go func() {
			defer group.Done()
			t := syscall.Timespec{Nsec: 50_000_000}
			for {
				left := syscall.Timespec{}
				if err := syscall.Nanosleep(&t, &left); err == nil {
					break
				}
				t = left // one of the runtime's signals
			}
			atomic.AddInt64(&slept, 1)
		}()
	}
	group.Wait()
	took := time.Since(start)
	expect(slept == int64(n), "not every goroutine slept to the end")
	report("blocking", float64(took.Nanoseconds())/1e6, "ms")
}
