//! The world in real time, with the devices that look at it.
//!
//! In: a world, devices, commands of drivers. Out: what the devices send, and a snapshot a step for who watches. The world
//! follows the clock: a machine that is too slow makes simulated time stand still now and then, which is counted, rather
//! than steps longer or frames older than they say.

use crate::actor::ActorId;
use crate::snapshot::Snapshot;
use crate::world::{Command, World};
use masa_edge_node::sources::clock::{Clock, Waited};
use masa_edge_node::sources::stop::StopToken;
use masa_v2x_proto::time::Timestamp;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::{mpsc, watch};

/// Commands that wait for the next step at most; more are refused.
const COMMANDS: usize = 256;
/// How far the world may be behind the clock before it stands still, seconds.
const PATIENCE_S: f64 = 0.25;

/// Something that looks at the world from time to time and tells somebody.
pub trait Device: Send {
    /// Time between looks, seconds.
    fn period_s(&self) -> f64;

    /// Looks once. `at` is the time of `snapshot` by the devices' clock.
    fn look(&mut self, snapshot: &Snapshot, at: Timestamp);
}

/// A command and who is to follow it.
pub type Order = (ActorId, Command);

/// Where drivers and operators put their commands, and where a street takes them from.
pub fn commands() -> (mpsc::Sender<Order>, mpsc::Receiver<Order>) {
    mpsc::channel(COMMANDS)
}

/// A world in real time.
#[derive(Debug)]
pub struct Street {
    stop: StopToken,
    thread: Option<JoinHandle<()>>,
    snapshots: watch::Receiver<Arc<Snapshot>>,
    stood_still_ms: Arc<AtomicU64>,
}

impl Street {
    /// Starts to step `world` by the clock of the operating system; each device has its own pace.
    ///
    /// # Errors
    /// When the system refuses a thread.
    pub fn start(
        world: World,
        devices: Vec<Box<dyn Device>>,
        received: mpsc::Receiver<Order>,
        stop: &StopToken,
    ) -> std::io::Result<Self> {
        let stop = stop.child();
        let (published, snapshots) = watch::channel(Arc::new(world.now().clone()));
        let stood_still_ms = Arc::new(AtomicU64::new(0));
        let runner = Runner { world, devices, received, published, stood_still_ms: Arc::clone(&stood_still_ms) };
        let thread = {
            let stop = stop.clone();
            std::thread::Builder::new().name("street".into()).spawn(move || runner.run(&Clock::system(), &stop))?
        };
        Ok(Self { stop, thread: Some(thread), snapshots, stood_still_ms })
    }

    /// The newest state of the world.
    pub fn snapshots(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.snapshots.clone()
    }

    /// How long the world stood still because the machine was too slow.
    pub fn stood_still(&self) -> Duration {
        Duration::from_millis(self.stood_still_ms.load(Ordering::Relaxed))
    }
}

impl Drop for Street {
    fn drop(&mut self) {
        self.stop.stop();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the street panicked");
        }
    }
}

struct Runner {
    world: World,
    devices: Vec<Box<dyn Device>>,
    received: mpsc::Receiver<Order>,
    published: watch::Sender<Arc<Snapshot>>,
    stood_still_ms: Arc<AtomicU64>,
}

impl Runner {
    fn run(mut self, clock: &Clock, stop: &StopToken) {
        // Devices take turns: their first looks are spread over their periods.
        let count = self.devices.len().max(1) as f64;
        let mut due_s: Vec<f64> =
            self.devices.iter().enumerate().map(|(n, device)| device.period_s() * n as f64 / count).collect();
        let mut start = clock.elapsed().as_secs_f64();
        let mut began = clock.now();
        loop {
            let behind_s = clock.elapsed().as_secs_f64() - start - self.world.now().time_s;
            if behind_s > PATIENCE_S {
                start += behind_s;
                began = began.plus_ns((behind_s * 1e9) as i64);
                self.stood_still_ms.fetch_add((behind_s * 1e3) as u64, Ordering::Relaxed);
            }
            while let Ok((actor, command)) = self.received.try_recv() {
                if !self.world.command(actor, command) {
                    tracing::debug!(actor = actor.0, ?command, "nobody follows this command");
                }
            }
            let snapshot = Arc::new(self.world.step().clone());
            let deadline = Duration::from_secs_f64(start + snapshot.time_s);
            if clock.wait_until(deadline, stop) == Waited::Stopped {
                return;
            }
            let at = began.plus_ns((snapshot.time_s * 1e9) as i64);
            for (device, due_s) in self.devices.iter_mut().zip(&mut due_s) {
                if snapshot.time_s + 1e-9 >= *due_s {
                    device.look(&snapshot, at);
                    *due_s = (*due_s + device.period_s()).max(snapshot.time_s);
                }
            }
            self.published.send_replace(snapshot);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Roads, Weather};
    use std::sync::Mutex;

    struct Noted(f64, Arc<Mutex<Vec<(f64, i64)>>>);

    impl Device for Noted {
        fn period_s(&self) -> f64 {
            self.0
        }

        fn look(&mut self, snapshot: &Snapshot, at: Timestamp) {
            self.1.lock().unwrap().push((snapshot.time_s, at.unix_ms()));
        }
    }

    #[test]
    fn devices_look_at_their_own_pace_and_say_the_time_of_the_world() {
        let notes = [Arc::default(), Arc::default()];
        let devices: Vec<Box<dyn Device>> =
            vec![Box::new(Noted(0.1, Arc::clone(&notes[0]))), Box::new(Noted(0.25, Arc::clone(&notes[1])))];
        let world = World::new(Arc::new(Roads::default()), 0.05, Weather::default());
        let (_, received) = mpsc::channel(1);
        let (published, snapshots) = watch::channel(Arc::default());
        let (stop, clock) = (StopToken::new(), Clock::manual(Timestamp::from_unix_ms(1_000_000)));
        let runner = Runner { world, devices, received, published, stood_still_ms: Arc::default() };
        // A manual clock waits for nobody: the run is stopped by the device that has seen enough.
        struct Enough(StopToken);
        impl Device for Enough {
            fn period_s(&self) -> f64 {
                0.05
            }
            fn look(&mut self, snapshot: &Snapshot, _: Timestamp) {
                if snapshot.time_s > 1.0 {
                    self.0.stop();
                }
            }
        }
        let mut runner = runner;
        runner.devices.push(Box::new(Enough(stop.clone())));
        runner.run(&clock, &stop);
        assert!(snapshots.borrow().time_s > 1.0);
        for (period_s, notes) in [(0.1, &notes[0]), (0.25, &notes[1])] {
            let notes = notes.lock().unwrap();
            let expected = (1.0 / period_s) as usize;
            assert!((expected..=expected + 1).contains(&notes.len()), "{period_s}: {notes:?}");
            for (time_s, at_ms) in &*notes {
                assert_eq!(*at_ms, 1_000_000 + (time_s * 1e3).round() as i64, "{time_s}");
            }
        }
    }
}
