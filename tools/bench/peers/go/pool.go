package main

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

type thing struct{ uses uint64 }

// pool is the usual one in Go: a channel of what is free. Waiting ends when the context is cancelled, and a cancelled
// caller gets nothing.
type pool struct{ free chan *thing }

func newPool(size int) *pool {
	p := &pool{free: make(chan *thing, size)}
	for i := 0; i < size; i++ {
		p.free <- &thing{}
	}
	return p
}

func (p *pool) acquire(ctx context.Context) (*thing, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	select {
	case t := <-p.free:
		return t, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (p *pool) giveBack(t *thing) { p.free <- t }

// use acquires and gives back, also if fn panics.
func (p *pool) use(ctx context.Context, fn func(t *thing)) error {
	t, err := p.acquire(ctx)
	if err != nil {
		return err
	}
	defer p.giveBack(t)
	fn(t)
	return nil
}

func (p *pool) uses() (sum uint64) {
	for i := 0; i < cap(p.free); i++ {
		sum += (<-p.free).uses
	}
	return
}

func poolFree(n int) {
	things := newPool(8)
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel()
	use := func(times int) {
		for i := 0; i < times; i++ {
			expect(things.use(ctx, func(t *thing) { t.uses++ }) == nil, "acquiring failed")
		}
	}
	use(n/10 + 1)
	start := time.Now()
	use(n)
	took := perItem(start, n)
	expect(things.uses() == uint64(n+n/10+1), "not every use was counted")
	report("pool", took, "ns/use")
}

func poolCrowded(n int) {
	const users = 64
	things := newPool(8)
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel()
	each := n/users + 1
	var inside, most int64
	run := func(times int) {
		var group sync.WaitGroup
		group.Add(users)
		for u := 0; u < users; u++ {
			go func() {
				defer group.Done()
				for i := 0; i < times; i++ {
					err := things.use(ctx, func(t *thing) {
						now := atomic.AddInt64(&inside, 1)
						for seen := atomic.LoadInt64(&most); now > seen && !atomic.CompareAndSwapInt64(&most, seen, now); {
							seen = atomic.LoadInt64(&most)
						}
						t.uses++
						runtime.Gosched()
						atomic.AddInt64(&inside, -1)
					})
					expect(err == nil, "acquiring failed")
				}
			}()
		}
		group.Wait()
	}
	run(each/10 + 1)
	start := time.Now()
	run(each)
	took := perItem(start, each*users)
	expect(most <= 8, "more resources were lent than there are")
	expect(things.uses() == uint64(users*(each+each/10+1)), "not every use was counted")
	report("pool.crowded", took, "ns/use")
}
