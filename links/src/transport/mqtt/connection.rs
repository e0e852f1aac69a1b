//! A connection to a broker that comes back by itself; shared by the link and the reader.

use crate::error::LinkError;
use crate::message::check_name;
use crate::settings::{Secret, TlsSettings};
use crate::transport::mqtt::MqttSettings;
use bytes::Bytes;
use rumqttc::{
    AsyncClient, ConnectReturnCode, ConnectionError, Event, EventLoop, MqttOptions, NetworkOptions, Packet,
    SessionMode, SubscribeReasonCode, TlsConfiguration, Transport,
};
use std::path::Path;
use std::time::Duration;

/// Publications waiting for the event loop.
const REQUESTS: usize = 256;
/// QoS 1 publications the broker may owe us an acknowledgement for.
const IN_FLIGHT: u16 = 100;
/// Time for the TCP and MQTT handshakes, seconds.
const CONNECT_S: u64 = 5;
const RETRY_FIRST: Duration = Duration::from_millis(100);

/// What happened on the connection.
pub(crate) enum Happening {
    /// The broker accepted us; subscriptions must be made again.
    Connected,
    /// The connection is gone or could not be made.
    Lost { words: String, needs_operator: bool },
    /// A subscription was refused.
    SubscriptionDenied,
    /// A message arrived.
    Message { topic: String, payload: Bytes },
}

/// A client and its event loop, not connected yet. A persistent session is for a client id that comes back.
pub(crate) fn connect(
    settings: &MqttSettings,
    client_id: &str,
    session: SessionMode,
) -> Result<(AsyncClient, EventLoop), LinkError> {
    check_name("mqtt.client-id", client_id)?;
    check_name("mqtt.instance", &settings.instance)?;
    let mut options = MqttOptions::new(client_id, (settings.host.clone(), settings.port));
    options
        .set_keep_alive(settings.keep_alive_s.max(1))
        .set_session_mode(session)
        .set_inflight(IN_FLIGHT)
        .set_max_packet_size(settings.max_packet_bytes, settings.max_packet_bytes);
    match (&settings.user, &settings.password) {
        (Some(user), password) => {
            let password = password.as_ref().map_or("", Secret::reveal).to_owned();
            options.set_credentials(user.clone(), password);
        }
        (None, Some(_)) => {
            return Err(LinkError::Setting { setting: "mqtt.user", reason: "a password needs a user".into() });
        }
        (None, None) => {}
    }
    if let Some(tls) = &settings.tls {
        options.set_transport(Transport::tls_with_config(tls_configuration(tls)?));
    }
    let (client, mut event_loop) = AsyncClient::builder(options)
        .capacity(REQUESTS)
        .try_build()
        .map_err(|e| LinkError::Setting { setting: "mqtt", reason: e.to_string() })?;
    let mut network = NetworkOptions::new();
    // Nagle against delayed acknowledgements costs 40 ms a message.
    network.set_tcp_nodelay(true);
    network.set_connection_timeout(CONNECT_S);
    event_loop.set_network_options(network);
    Ok((client, event_loop))
}

fn tls_configuration(tls: &TlsSettings) -> Result<TlsConfiguration, LinkError> {
    let read = |path: &Path| std::fs::read(path).map_err(|source| LinkError::File { path: path.to_owned(), source });
    let client_auth = match (&tls.certificate, &tls.key) {
        (Some(certificate), Some(key)) => Some((read(certificate)?, read(key)?)),
        (None, None) => None,
        _ => {
            let reason = "certificate and key go together".into();
            return Err(LinkError::Setting { setting: "mqtt.tls", reason });
        }
    };
    match (&tls.ca, client_auth) {
        (Some(ca), client_auth) => Ok(TlsConfiguration::Simple { ca: read(ca)?, alpn: None, client_auth }),
        (None, None) => TlsConfiguration::try_default_rustls()
            .map_err(|e| LinkError::Setting { setting: "mqtt.tls.ca", reason: format!("the system's: {e}") }),
        (None, Some(_)) => {
            let reason = "needed with a client certificate".into();
            Err(LinkError::Setting { setting: "mqtt.tls.ca", reason })
        }
    }
}

/// Polls for ever, reconnecting with pauses from 100 ms to `retry_max`; returns after a DISCONNECT of ours. `on` must
/// not wait.
pub(crate) async fn poll(mut event_loop: EventLoop, retry_max: Duration, on: impl Fn(Happening)) {
    let mut pause = RETRY_FIRST;
    loop {
        match event_loop.poll().await {
            Ok(Event::Incoming(Packet::ConnAck(_))) => {
                pause = RETRY_FIRST;
                on(Happening::Connected);
            }
            Ok(Event::Incoming(Packet::Publish(publish))) => match String::from_utf8(publish.topic.to_vec()) {
                Ok(topic) => on(Happening::Message { topic, payload: publish.payload }),
                Err(_) => tracing::debug!("mqtt topic is not UTF-8"),
            },
            Ok(Event::Incoming(Packet::SubAck(ack))) if ack.return_codes.contains(&SubscribeReasonCode::Failure) => {
                on(Happening::SubscriptionDenied);
            }
            Ok(_) => {}
            Err(ConnectionError::RequestsDone) => return,
            Err(e) => {
                let needs_operator = matches!(
                    e,
                    ConnectionError::ConnectionRefused(
                        ConnectReturnCode::BadUserNamePassword
                            | ConnectReturnCode::NotAuthorized
                            | ConnectReturnCode::BadClientId
                            | ConnectReturnCode::RefusedProtocolVersion
                    ) | ConnectionError::Tls(_)
                );
                on(Happening::Lost { words: e.to_string(), needs_operator });
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(retry_max.max(RETRY_FIRST));
            }
        }
    }
}
