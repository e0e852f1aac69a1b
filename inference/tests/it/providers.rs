//! A GPU that is asked for and not there: one visible warning, the processor instead, and the choice can be read.

#![allow(clippy::unwrap_used)]

use std::sync::{Arc, Mutex};

use crate::support::{self, onnx_writer};
use masa_inference::{Detector, EngineSettings, ExecutionProvider};
use tracing::{Event, Level, Metadata, Subscriber, field::Field, span};

/// Collects what a user would see at level `warn`.
struct Visible(Arc<Mutex<Vec<String>>>);

impl Subscriber for Visible {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= Level::WARN
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut line = String::new();
        event.record(&mut |field: &Field, value: &dyn std::fmt::Debug| line += &format!("{field}={value:?} "));
        self.0.lock().unwrap().push(line);
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

/// The provider in use and the visible lines after opening a tiny model with `settings`.
fn open(settings: &EngineSettings) -> (ExecutionProvider, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("tiny.onnx"), onnx_writer::reshaping(&[1, 3, 2, 2], &[1, 2, 6])).unwrap();
    let description = "[model]\nname = 'tiny'\nfile = 'tiny.onnx'\nlicence = 'MIT'\n\
        [input]\nwidth = 2\nheight = 2\ncolour = 'rgb'\nresize = 'stretch'\n\
        [head]\ntype = 'end-to-end'\nscore-threshold = 0.3\n[classes]\n0 = 'car'\n";
    std::fs::write(folder.path().join("tiny.toml"), description).unwrap();
    let lines = Arc::new(Mutex::new(Vec::new()));
    let subscriber = Visible(Arc::clone(&lines));
    let detector = tracing::subscriber::with_default(subscriber, || {
        Detector::open(&folder.path().join("tiny.toml"), None, settings).unwrap_or_else(|error| panic!("{error}"))
    });
    let lines = lines.lock().unwrap().clone();
    (detector.provider(), lines)
}

#[test]
fn tract_says_once_that_it_has_no_gpu() {
    let (provider, lines) = open(&EngineSettings::default());
    assert_eq!((provider, lines), (ExecutionProvider::Cpu, Vec::<String>::new()));
    let settings = EngineSettings { provider: ExecutionProvider::Cuda, ..EngineSettings::default() };
    let (provider, lines) = open(&settings);
    assert_eq!(provider, ExecutionProvider::Cpu);
    assert_eq!(lines.len(), 1, "{lines:#?}");
    assert!(lines[0].contains("wished=cuda") && lines[0].contains("used=cpu"), "{lines:#?}");
}

#[test]
fn onnxruntime_falls_back_with_one_warning() {
    let test = "onnxruntime_falls_back_with_one_warning";
    let Some(settings) = support::onnxruntime(test) else { return };
    let (provider, lines) = open(&settings);
    assert_eq!((provider, lines), (ExecutionProvider::Cpu, Vec::<String>::new()));
    for wished in [ExecutionProvider::Cuda, ExecutionProvider::Tensorrt] {
        let (provider, lines) = open(&EngineSettings { provider: wished, ..settings.clone() });
        if provider == wished {
            println!("skipped: {test}: a machine without {wished}");
            continue;
        }
        assert_eq!(lines.len(), 1, "{lines:#?}");
        let expected = format!("wished={wished} used={provider}");
        assert!(lines[0].contains(&expected) && lines[0].contains("reason="), "{lines:#?}");
    }
}
