//! Turns "connected" and "not connected", set from any thread, into ordered events for a driver, none of them lost.

use crate::transport::TransportEvent;
use tokio::sync::{mpsc, watch};

/// Whether a transport is connected, and how often that changed for the better.
#[derive(Clone, Debug)]
pub(crate) struct Connectivity(watch::Sender<(bool, u64)>);

impl Connectivity {
    pub(crate) fn new() -> Self {
        Self(watch::Sender::new((false, 0)))
    }

    /// Connected, or better connected than before.
    pub(crate) fn up(&self) {
        self.0.send_modify(|(up, generation)| {
            *up = true;
            *generation += 1;
        });
    }

    /// Better connected than before, if connected at all.
    pub(crate) fn improved(&self) {
        self.0.send_modify(|(_, generation)| *generation += 1);
    }

    /// Connected to nobody.
    pub(crate) fn down(&self) {
        self.0.send_modify(|(up, _)| *up = false);
    }

    /// Sends [`TransportEvent::Ready`] for every improvement, several at once counting as one, and
    /// [`TransportEvent::Lost`] when the last connection goes. Ends with the driver.
    pub(crate) async fn report(self, events: mpsc::Sender<TransportEvent>) {
        let mut state = self.0.subscribe();
        let (mut was_up, mut seen) = (false, 0);
        loop {
            let (up, generation) = *state.borrow_and_update();
            let event = match (was_up, up) {
                (_, true) if generation != seen => Some(TransportEvent::Ready),
                (true, false) => Some(TransportEvent::Lost),
                _ => None,
            };
            if let Some(event) = event
                && events.send(event).await.is_err()
            {
                return;
            }
            (was_up, seen) = (up, generation);
            if state.changed().await.is_err() {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_short_interruption_is_still_a_reason_to_offer_again() {
        let connectivity = Connectivity::new();
        let (tx, mut rx) = mpsc::channel(4);
        tokio::spawn(connectivity.clone().report(tx));
        connectivity.up();
        assert!(matches!(rx.recv().await, Some(TransportEvent::Ready)));
        connectivity.down();
        connectivity.up();
        // Whether the gap was seen or not, the next Ready must come.
        loop {
            match rx.recv().await {
                Some(TransportEvent::Ready) => break,
                Some(TransportEvent::Lost) => {}
                _ => panic!("no Ready after the interruption"),
            }
        }
    }
}
