package main

import (
	"errors"
	"sync"
	"time"
)

// breaker is the article's: a state, a count and a time behind a mutex.
type breaker struct {
	mutex      sync.Mutex
	state      int
	failures   int
	most       int
	openFor    time.Duration
	openedAt   time.Time
	succeeded  uint64
	probeUnder bool
}

const (
	closed = iota
	open
	halfOpen
)

var errOpen = errors.New("circuit breaker is open")

func (b *breaker) admit() error {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	switch b.state {
	case open:
		if time.Since(b.openedAt) < b.openFor {
			return errOpen
		}
		b.state = halfOpen
		b.probeUnder = true
	case halfOpen:
		if b.probeUnder {
			return errOpen
		}
		b.probeUnder = true
	}
	return nil
}

func (b *breaker) report(err error) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	b.probeUnder = false
	if err == nil {
		b.state = closed
		b.failures = 0
		b.succeeded++
		return
	}
	b.failures++
	if b.state == halfOpen || b.failures >= b.most {
		b.state = open
		b.openedAt = time.Now()
	}
}

func (b *breaker) execute(fn func() (uint64, error)) (uint64, error) {
	if err := b.admit(); err != nil {
		return 0, err
	}
	value, err := fn()
	b.report(err)
	return value, err
}

func breakerClosed(n int) {
	guard := &breaker{most: 5, openFor: 30 * time.Second}
	calls := uint64(0)
	call := func(times int) {
		for i := 0; i < times; i++ {
			_, err := guard.execute(func() (uint64, error) { calls++; return calls, nil })
			expect(err == nil, "a call failed")
		}
	}
	call(n/10 + 1)
	start := time.Now()
	call(n)
	took := perItem(start, n)
	expect(calls == uint64(n+n/10+1) && guard.succeeded == calls, "not every call was made and counted")
	report("breaker", took, "ns/call")
}
