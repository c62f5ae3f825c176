package main

import (
	"context"
	"errors"
	"sync"
	"time"
)

// The design of the article that Muster comes from, as lean as it can be written: a manager makes scopes; a scope has a
// context, a list of its tasks and a list of their errors, each kept by a mutex; a task is a goroutine with a
// context.WithTimeout of its own.

type manager struct {
	mutex  sync.Mutex
	scopes []*scope
	ctx    context.Context
	cancel context.CancelFunc
}

type scope struct {
	name   string
	ctx    context.Context
	cancel context.CancelFunc
	group  sync.WaitGroup
	mutex  sync.Mutex
	tasks  []*task
	errs   []error
}

type task struct {
	name    string
	timeout time.Duration
	body    func(ctx context.Context) (uint64, error)
	done    outcome
	ended   bool
	late    bool
}

func newManager() *manager {
	ctx, cancel := context.WithCancel(context.Background())
	return &manager{ctx: ctx, cancel: cancel}
}

func (m *manager) newScope(name string) *scope {
	ctx, cancel := context.WithCancel(m.ctx)
	s := &scope{name: name, ctx: ctx, cancel: cancel}
	m.mutex.Lock()
	m.scopes = append(m.scopes, s)
	m.mutex.Unlock()
	return s
}

func (s *scope) execute(name string, timeout time.Duration, body func(ctx context.Context) (uint64, error)) *task {
	t := &task{name: name, timeout: timeout, body: body}
	s.mutex.Lock()
	s.tasks = append(s.tasks, t)
	s.mutex.Unlock()
	s.group.Add(1)
	go s.run(t)
	return t
}

func (s *scope) run(t *task) {
	defer s.group.Done()
	ctx, cancel := context.WithTimeout(s.ctx, t.timeout)
	defer cancel()
	value, err := t.body(ctx)
	s.mutex.Lock()
	t.done = outcome{value, err}
	t.ended = true
	t.late = errors.Is(ctx.Err(), context.DeadlineExceeded)
	if err != nil {
		s.errs = append(s.errs, err)
	}
	s.mutex.Unlock()
	if err != nil {
		s.cancel()
	}
}

func (s *scope) wait() error {
	s.group.Wait()
	s.cancel()
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if len(s.errs) > 0 {
		return s.errs[0]
	}
	return nil
}

// fanOutArticle: n trivial tasks in one scope, each with a timeout of 5 s; every outcome is kept and looked at.
func fanOutArticle(n int) {
	site := newManager()
	run := func(n int) {
		crew := site.newScope("fan_out")
		for i := 0; i < n; i++ {
			i := i
			crew.execute("task", 5*time.Second, func(context.Context) (uint64, error) { return uint64(i), nil })
		}
		expect(crew.wait() == nil, "the scope failed")
		sum := uint64(0)
		for _, t := range crew.tasks {
			expect(t.ended && t.done.err == nil, "a task did not end well")
			sum += t.done.value
		}
		expect(sum == uint64(n)*uint64(n-1)/2, "the values of the tasks do not add up")
		site.mutex.Lock()
		site.scopes = site.scopes[:0]
		site.mutex.Unlock()
	}
	run(n)
	start := time.Now()
	run(n)
	report("fan_out_timeout", perItem(start, n), "ns/task")
}
