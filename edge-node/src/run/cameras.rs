//! What a node's cameras need before they start: networks and anonymisers.

use super::RunError;
use super::engine::{Freshness, NetworkSpec, Pool, PoolError, Sight, UnderLoad};
use super::pictures::Privacy;
use crate::config::{CameraSection, Configuration};
use crate::sources::clock::Clock;
use crate::sources::queue::WhenFull;

/// The networks of a node, and each camera's way to them with its anonymiser, in the order of the configuration.
pub(crate) struct Prepared {
    pub(crate) pool: Pool,
    pub(crate) cameras: Vec<(Sight, Privacy)>,
}

/// Loads the networks, which takes seconds of CPU: off the async threads.
pub(crate) async fn prepare(configuration: &Configuration, clock: &Clock) -> Result<Prepared, RunError> {
    let (configuration, clock) = (configuration.clone(), clock.clone());
    let prepared = tokio::task::spawn_blocking(move || load(&configuration, &clock));
    prepared.await.map_err(|error| RunError::Thread(std::io::Error::other(error)))?
}

fn load(configuration: &Configuration, clock: &Clock) -> Result<Prepared, RunError> {
    let node = &configuration.node;
    let admit = configuration.emits_pictures().then_some(node.privacy.least_score);
    let spec_of = |section: &CameraSection| NetworkSpec {
        model: section.model.clone(),
        model_file: section.model_file.clone(),
        admit,
    };
    let mut names: Vec<&str> = configuration.cameras().map(|(_, section, _)| section.id.as_str()).collect();
    let mut specs: Vec<NetworkSpec> = configuration.cameras().map(|(_, section, _)| spec_of(section)).collect();
    let light = match &node.inference.under_load {
        UnderLoad::LighterModel { model, model_file } if !specs.is_empty() => {
            Some(NetworkSpec { model: model.clone(), model_file: model_file.clone(), admit })
        }
        _ => None,
    };
    names.extend(light.iter().map(|_| "inference.under-load"));
    specs.extend(light.clone());
    for (camera, spec) in names.iter().zip(&specs) {
        tracing::info!(camera, model = %spec.model.display(), "loading model");
    }
    let cameras = configuration.cameras().count();
    let pool = Pool::start(&specs, node.inference.threads, cameras, &node.engine, clock);
    let pool = pool.map_err(|(position, error)| match error {
        PoolError::Network(source) => {
            let camera = names.get(position).copied().unwrap_or_default().to_owned();
            RunError::Detector { camera, source }
        }
        PoolError::Thread(error) => RunError::Thread(error),
    })?;
    let prepared = configuration.cameras().map(|(_, section, _)| {
        let freshness = match section.source.queue().1 {
            WhenFull::Block => Freshness::EveryPicture,
            WhenFull::DropOldest | WhenFull::DropNewest => Freshness::Live,
        };
        let sight = Sight::new(&pool, &spec_of(section), light.as_ref(), &node.inference, freshness, clock.clone());
        let sight = sight.expect("the pool was started with every camera's network");
        Ok((sight, Privacy::open(&section.id, &node.privacy, &node.engine)?))
    });
    let cameras = prepared.collect::<Result<_, RunError>>()?;
    Ok(Prepared { pool, cameras })
}
