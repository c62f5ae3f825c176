//! The peer "tokio": `bench_tokio <case> <n>` does a case's work of size n on two worker threads and prints its figures
//! as lines of JSON; it checks its own work and panics (ending with 101) if that was not done.
//!
//! fan_out: a JoinSet; every result is kept, then looked at. fan_out_timeout: each task within `timeout(5 s)`.
//! suspended: tasks that wait for what never comes within `timeout(1 h)`; then the set is aborted and joined.
//! The spawning code runs as a task itself, on a worker, where spawning is cheapest.

use std::future::pending;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::{JoinError, JoinSet};
use tokio::time::{error::Elapsed, sleep, timeout};

fn report(case: &str, value: f64, unit: &str) {
    println!("{{\"case\": \"{case}\", \"value\": {value:.6}, \"unit\": \"{unit}\"}}");
}

async fn fan_out(n: u64) {
    let mut set = JoinSet::new();
    for i in 0..n {
        set.spawn(async move { i });
    }
    let mut outcomes: Vec<Result<u64, JoinError>> = Vec::with_capacity(n as usize);
    while let Some(outcome) = set.join_next().await {
        outcomes.push(outcome);
    }
    let sum: u64 = outcomes.iter().map(|outcome| *outcome.as_ref().expect("a task panicked")).sum();
    assert_eq!(sum, n * (n - 1) / 2);
    assert_eq!(outcomes.len() as u64, n);
}

async fn fan_out_timeout(n: u64) {
    let mut set = JoinSet::new();
    for i in 0..n {
        set.spawn(timeout(Duration::from_secs(5), async move { i }));
    }
    let mut outcomes: Vec<Result<Result<u64, Elapsed>, JoinError>> = Vec::with_capacity(n as usize);
    while let Some(outcome) = set.join_next().await {
        outcomes.push(outcome);
    }
    let sum: u64 =
        outcomes.iter().map(|outcome| *outcome.as_ref().expect("a task panicked").as_ref().expect("timed out")).sum();
    assert_eq!(sum, n * (n - 1) / 2);
    assert_eq!(outcomes.len() as u64, n);
}

fn resident_bytes() -> f64 {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("statm");
    statm.split(' ').nth(1).expect("resident").parse::<f64>().expect("number") * 4096.0
}

async fn suspended(n: u64) {
    let waiting = Arc::new(AtomicU64::new(0));
    let mut set = JoinSet::new();
    let before = resident_bytes();
    for _ in 0..n {
        let waiting = waiting.clone();
        set.spawn(timeout(Duration::from_secs(3600), async move {
            waiting.fetch_add(1, SeqCst);
            pending::<()>().await
        }));
    }
    while waiting.load(SeqCst) != n {
        sleep(Duration::from_millis(1)).await;
    }
    sleep(Duration::from_millis(2)).await; // those who counted themselves have gone to sleep
    report("suspended", (resident_bytes() - before) / n as f64, "bytes/task");

    let start = Instant::now();
    set.abort_all();
    let mut cancelled = 0;
    while let Some(outcome) = set.join_next().await {
        assert!(outcome.expect_err("it ended by itself").is_cancelled());
        cancelled += 1;
    }
    report("suspended.stop", start.elapsed().as_nanos() as f64 / n as f64, "ns/task");
    assert_eq!(cancelled, n);
}

async fn run(case: String, n: u64) {
    match case.as_str() {
        "fan_out" => {
            let first = Instant::now();
            fan_out(n).await;
            report("fan_out.first", first.elapsed().as_nanos() as f64 / n as f64, "ns/task");
            let start = Instant::now();
            fan_out(n).await;
            report("fan_out", start.elapsed().as_nanos() as f64 / n as f64, "ns/task");
        }
        "fan_out_timeout" => {
            fan_out_timeout(n).await;
            let start = Instant::now();
            fan_out_timeout(n).await;
            report("fan_out_timeout", start.elapsed().as_nanos() as f64 / n as f64, "ns/task");
        }
        "suspended" => suspended(n).await,
        _ => panic!("no case {case} here"),
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let (case, n) = match &arguments[..] {
        [_, case, n] => (case.clone(), n.parse::<u64>().expect("n is a number")),
        _ => panic!("usage: bench_tokio <case> <n>"),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build().expect("runtime");
    runtime.block_on(async { tokio::spawn(run(case, n)).await }).expect("the case failed");
}
