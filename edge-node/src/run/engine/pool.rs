//! A few threads that run the networks of all cameras.
//!
//! Every thread has a session of each network. Pictures wait in the order of their deadlines; a thread takes the most
//! urgent one and, where its network takes several at once, the next urgent ones of the same network with it.

use super::{Network, Threads};
use crate::sources::clock::Clock;
use masa_inference::{Detection, Detector, EngineSettings, Error, ExecutionProvider, RgbImage, StageTimes};
use std::path::PathBuf;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// A network by its files.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct NetworkSpec {
    pub(crate) model: PathBuf,
    pub(crate) model_file: Option<PathBuf>,
    /// Detections down to this score are wanted, also where the description has a higher threshold.
    pub(crate) admit: Option<f32>,
}

impl NetworkSpec {
    fn open(&self, engine: &EngineSettings) -> Result<Detector, Error> {
        let mut detector = Detector::open(&self.model, self.model_file.as_deref(), engine)?;
        if let Some(score) = self.admit {
            detector.admit_weaker(score);
        }
        Ok(detector)
    }
}

/// Why a picture has no detections.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Missed {
    /// Its time was over before a thread was free.
    #[error("its deadline passed before a network was free")]
    Deadline,
    /// The network failed, in its words.
    #[error("{0}")]
    Failed(String),
    /// The pool has stopped.
    #[error("the networks have stopped")]
    Stopped,
}

/// What was seen in a picture, and what it cost; times of a run of several pictures are shared out evenly.
type Answer = Result<(Vec<Detection>, StageTimes), Missed>;

struct Job {
    network: usize,
    /// On the clock's [`Clock::elapsed`].
    deadline: Duration,
    image: Arc<RgbImage>,
    /// The camera's list, given back filled.
    found: Vec<Detection>,
    answer: SyncSender<Answer>,
}

#[derive(Default)]
struct Waiting {
    jobs: Vec<Job>,
    has_stopped: bool,
}

#[derive(Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// See the module. Dropping it ends the threads; pictures that wait get no detections.
pub(crate) struct Pool {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
    networks: Vec<(NetworkSpec, Network)>,
    provider: Option<ExecutionProvider>,
}

impl Pool {
    /// Loads every network once a thread, which takes seconds of CPU. `specs` may repeat.
    ///
    /// # Errors
    /// The position in `specs` of a network that cannot be used with what the engine says; or that the system refuses a
    /// thread.
    pub(crate) fn start(
        specs: &[NetworkSpec],
        threads: Threads,
        cameras: usize,
        engine: &EngineSettings,
        clock: &Clock,
    ) -> Result<Self, (usize, PoolError)> {
        let mut pool = Self { shared: Arc::default(), threads: Vec::new(), networks: Vec::new(), provider: None };
        let count = if specs.is_empty() { 0 } else { threads.count(cameras) };
        let mut sessions: Vec<Vec<Detector>> = (0..count).map(|_| Vec::new()).collect();
        for (position, spec) in specs.iter().enumerate() {
            if pool.networks.iter().any(|(known, _)| known == spec) {
                continue;
            }
            for own in &mut sessions {
                own.push(spec.open(engine).map_err(|error| (position, PoolError::Network(error)))?);
            }
            let Some(opened) = sessions.first().and_then(|own| own.last()) else { continue };
            pool.provider.get_or_insert(opened.provider());
            let network = Network { index: pool.networks.len(), description: opened.description().clone() };
            pool.networks.push((spec.clone(), network));
        }
        for (number, own) in sessions.into_iter().enumerate() {
            let (shared, clock) = (Arc::clone(&pool.shared), clock.clone());
            let thread = std::thread::Builder::new().name(format!("network-{number}"));
            let thread = thread.spawn(move || serve(&shared, own, &clock));
            pool.threads.push(thread.map_err(|error| (0, PoolError::Thread(error)))?);
        }
        Ok(pool)
    }

    /// The network of a specification that the pool was started with.
    pub(crate) fn network(&self, spec: &NetworkSpec) -> Option<&Network> {
        self.networks.iter().find(|(known, _)| known == spec).map(|(_, network)| network)
    }

    /// The names of the networks.
    pub(crate) fn models(&self) -> impl Iterator<Item = &str> {
        self.networks.iter().map(|(_, network)| network.description.model.name.as_str())
    }

    /// The hardware path in use.
    pub(crate) fn provider(&self) -> Option<ExecutionProvider> {
        self.provider
    }

    /// A camera's way to the networks.
    pub(crate) fn client(&self) -> Client {
        Client { shared: Arc::clone(&self.shared) }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shared.lock().has_stopped = true;
        self.shared.changed.notify_all();
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a network's thread panicked");
            }
        }
        for job in self.shared.lock().jobs.drain(..) {
            let _ = job.answer.try_send(Err(Missed::Stopped));
        }
    }
}

/// Why a pool cannot start.
#[derive(Debug)]
pub(crate) enum PoolError {
    Network(Error),
    Thread(std::io::Error),
}

/// A camera's way to the networks: one picture at a time.
pub(crate) struct Client {
    shared: Arc<Shared>,
}

impl Client {
    /// Waits until a network has seen `image`; `found` is replaced. It is of use until `deadline` on the pool's clock. Once the
    /// networks have the picture and before the wait, `meanwhile` runs.
    pub(crate) fn detect(
        &self,
        network: usize,
        image: &Arc<RgbImage>,
        deadline: Duration,
        found: &mut Vec<Detection>,
        meanwhile: impl FnOnce(),
    ) -> Result<StageTimes, Missed> {
        // One of its own for each picture: should a thread die with it, the wait ends.
        let (answer, answers) = sync_channel(1);
        {
            let mut waiting = self.shared.lock();
            if waiting.has_stopped {
                return Err(Missed::Stopped);
            }
            let (image, found) = (Arc::clone(image), std::mem::take(found));
            waiting.jobs.push(Job { network, deadline, image, found, answer });
        }
        self.shared.changed.notify_one();
        meanwhile();
        let (seen, times) = answers.recv().map_err(|_| Missed::Stopped)??;
        *found = seen;
        Ok(times)
    }
}

fn serve(shared: &Shared, mut networks: Vec<Detector>, clock: &Clock) {
    let limits: Vec<usize> = networks.iter().map(Detector::max_batch).collect();
    loop {
        let jobs = {
            let mut waiting = shared.lock();
            while waiting.jobs.is_empty() && !waiting.has_stopped {
                waiting = shared.changed.wait(waiting).unwrap_or_else(PoisonError::into_inner);
            }
            if waiting.has_stopped {
                return;
            }
            take_urgent(&mut waiting.jobs, clock.elapsed(), &limits)
        };
        if let Some(job) = jobs.first() {
            infer(&mut networks[job.network], jobs);
        }
    }
}

/// Takes the most urgent pictures of one network out of `jobs`, as many as go in at once. Those whose time is over are
/// answered and go too.
fn take_urgent(jobs: &mut Vec<Job>, now: Duration, limits: &[usize]) -> Vec<Job> {
    jobs.retain(|job| {
        let in_time = now < job.deadline;
        if !in_time {
            let _ = job.answer.try_send(Err(Missed::Deadline));
        }
        in_time
    });
    jobs.sort_by_key(|job| job.deadline);
    let Some(network) = jobs.first().map(|job| job.network) else { return Vec::new() };
    let limit = limits.get(network).copied().unwrap_or(1);
    let mut taken = 0;
    jobs.extract_if(.., |job| {
        let take = job.network == network && taken < limit;
        taken += usize::from(take);
        take
    })
    .collect()
}

fn infer(detector: &mut Detector, mut jobs: Vec<Job>) {
    let mut found: Vec<Vec<Detection>> = jobs.iter_mut().map(|job| std::mem::take(&mut job.found)).collect();
    let images: Vec<&RgbImage> = jobs.iter().map(|job| job.image.as_ref()).collect();
    let count = u32::try_from(images.len()).unwrap_or(u32::MAX).max(1);
    let outcome = detector.detect_batch(&images, &mut found).map(|times| StageTimes {
        preprocess_us: times.preprocess_us / count,
        inference_us: times.inference_us / count,
        postprocess_us: times.postprocess_us / count,
    });
    for (job, seen) in jobs.into_iter().zip(found) {
        let answer = match &outcome {
            Ok(times) => Ok((seen, *times)),
            Err(error) => Err(Missed::Failed(error.to_string())),
        };
        // A camera that has gone does not wait for it.
        let _ = job.answer.try_send(answer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::Receiver;

    /// Pictures as (network, deadline in ms).
    fn jobs(of: &[(usize, u64)]) -> (Vec<Job>, Vec<Receiver<Answer>>) {
        let image = Arc::new(RgbImage::new(1, 1, vec![0; 3]).unwrap());
        of.iter()
            .map(|(network, deadline_ms)| {
                let (answer, answers) = sync_channel(1);
                let deadline = Duration::from_millis(*deadline_ms);
                let job = Job { network: *network, deadline, image: Arc::clone(&image), found: Vec::new(), answer };
                (job, answers)
            })
            .unzip()
    }

    fn deadlines(jobs: &[Job]) -> Vec<u128> {
        jobs.iter().map(|job| job.deadline.as_millis()).collect()
    }

    #[test]
    fn the_most_urgent_go_first_and_together_where_their_network_takes_several() {
        let (mut waiting, _answers) = jobs(&[(0, 50), (1, 30), (0, 40), (1, 60), (1, 20), (1, 70)]);
        let now = Duration::from_millis(10);
        assert_eq!(deadlines(&take_urgent(&mut waiting, now, &[1, 3])), [20, 30, 60]);
        assert_eq!(deadlines(&take_urgent(&mut waiting, now, &[1, 3])), [40]);
        assert_eq!(deadlines(&take_urgent(&mut waiting, now, &[1, 3])), [50]);
        assert_eq!(deadlines(&take_urgent(&mut waiting, now, &[1, 3])), [70]);
        assert!(take_urgent(&mut waiting, now, &[1, 3]).is_empty());
    }

    #[test]
    fn what_has_had_its_time_is_not_inferred_and_is_told() {
        let (mut waiting, answers) = jobs(&[(0, 50), (0, 90)]);
        assert_eq!(deadlines(&take_urgent(&mut waiting, Duration::from_millis(60), &[8])), [90]);
        assert!(matches!(answers[0].try_recv(), Ok(Err(Missed::Deadline))));
        assert!(answers[1].try_recv().is_err(), "not answered yet");
    }
}
