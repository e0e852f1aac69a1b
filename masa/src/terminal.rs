//! Logging set-up and what several commands print alike.

use masa_v2x_proto::time::Timestamp;
use std::io;
use std::time::Duration;
use tracing_subscriber::EnvFilter;

/// Sends logs to the standard error stream; an unreadable filter falls back to `info` and says so.
pub(crate) fn init_logging(filter: &str) {
    // The libraries below talk at `info` about every connection; their warnings matter.
    let quiet = "zenoh=warn,rumqttd=warn,rumqttc=warn,tract=error,ort=warn,retina=warn";
    let (parsed, problem) = match format!("{quiet},{filter}").parse::<EnvFilter>() {
        Ok(parsed) => (parsed, None),
        Err(error) => (EnvFilter::new(format!("{quiet},info")), Some(error)),
    };
    tracing_subscriber::fmt().with_env_filter(parsed).with_writer(io::stderr).with_target(false).init();
    if let Some(error) = problem {
        tracing::warn!(filter, %error, "unreadable log filter, using info");
    }
}

/// Whether the error is that whoever read our output has gone.
pub(crate) fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .any(|cause| cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe))
}

/// Time of day in UTC, `HH:MM:SS.mmm`.
pub(crate) fn time_of_day(at: Timestamp) -> String {
    let ms = at.unix_ms().rem_euclid(86_400_000);
    format!("{:02}:{:02}:{:02}.{:03}", ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60, ms % 1000)
}

/// Completes when the process is asked to stop, with the signal's name.
pub(crate) async fn stop_signal() -> io::Result<&'static str> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(tokio::select! {
        _ = terminate.recv() => "SIGTERM",
        _ = interrupt.recv() => "SIGINT",
    })
}

/// Completes when the process is asked to stop, or after `duration` if there is one.
pub(crate) async fn until_stopped(duration: Option<Duration>) -> io::Result<()> {
    let time_over = async {
        match duration {
            Some(duration) => tokio::time::sleep(duration).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = time_over => {}
        signal = stop_signal() => tracing::info!(signal = signal?, "stopping"),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_of_day_is_utc() {
        // 2021-02-09T15:07:12.894Z, the first line of the MASA tracker recording.
        assert_eq!(time_of_day(Timestamp::from_unix_ms(1_612_883_232_894)), "15:07:12.894");
    }
}
