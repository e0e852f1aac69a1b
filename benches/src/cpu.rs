//! CPU time of this process, as Linux counts it.
//!
//! Out: seconds of the process and of its threads by name. A thread that has ended counts in the process only.

use anyhow::Context;
use std::collections::BTreeMap;
use std::fs;

/// CPU time of this process so far, seconds; to a hundredth.
///
/// # Errors
/// `/proc/self/stat` is not there or not what Linux writes.
pub fn process_s() -> anyhow::Result<f64> {
    let stat = fs::read_to_string("/proc/self/stat").context("/proc/self/stat")?;
    // User and system time are fields 14 and 15; the name before them, in brackets, may hold spaces.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |index: usize| fields.get(index).and_then(|field| field.parse::<f64>().ok());
    let (user, system) = (ticks(11).context("utime")?, ticks(12).context("stime")?);
    // Linux tells user space 100 ticks a second on every architecture.
    Ok((user + system) / 100.0)
}

/// CPU time of the threads that are there so far, seconds, by the first 15 bytes of their names; those of one name together.
///
/// # Errors
/// `/proc/self/task` is not there.
pub fn threads_s() -> anyhow::Result<BTreeMap<String, f64>> {
    let mut by_name = BTreeMap::new();
    for task in fs::read_dir("/proc/self/task").context("/proc/self/task")? {
        let path = task?.path();
        // A thread may end between the listing and the reading.
        let read = |file: &str| fs::read_to_string(path.join(file)).ok();
        let (Some(name), Some(times)) = (read("comm"), read("schedstat")) else { continue };
        let on_cpu_ns: f64 = times.split_whitespace().next().and_then(|field| field.parse().ok()).unwrap_or(0.0);
        *by_name.entry(name.trim().to_owned()).or_default() += on_cpu_ns * 1e-9;
    }
    Ok(by_name)
}
