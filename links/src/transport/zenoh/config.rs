//! Zenoh's settings and their translation into Zenoh's own configuration.

use crate::error::LinkError;
use crate::message::check_name;
use crate::settings::{Secret, TlsSettings};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// How this process takes part in the Zenoh network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Talks to every peer and router it is connected to.
    #[default]
    Peer,
    /// Talks to one router.
    Client,
    /// Forwards for others too.
    Router,
}

/// A way to find others without naming them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Discovery {
    /// UDP multicast in the local network.
    Multicast,
    /// Peers tell each other about peers.
    Gossip,
}

/// The Zenoh link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct ZenohSettings {
    /// Part in the network.
    pub mode: Mode,
    /// Endpoints to listen on, such as `tcp/127.0.0.1:7447`; none: does not listen.
    pub listen: Vec<String>,
    /// Endpoints to connect to, such as `tls/router.example:7447`; tried for ever.
    pub connect: Vec<String>,
    /// Ways to find others; none: only `connect` and who connects to `listen`.
    pub discovery: Vec<Discovery>,
    /// User name to show to others.
    pub user: Option<String>,
    /// Password of `user`.
    pub password: Option<Secret>,
    /// File of `user:password` lines that others must match.
    pub users_file: Option<PathBuf>,
    /// Certificates for `tls/` endpoints. With `ca`, `certificate` and `key` both sides must show a certificate.
    pub tls: Option<TlsSettings>,
    /// Longest pause between two attempts to connect, milliseconds; the first is 100 ms, then doubling.
    pub retry_max_ms: u32,
    /// Readers that must all acknowledge an at-least-once message; none: the first that does.
    pub readers: Vec<String>,
}

impl Default for ZenohSettings {
    fn default() -> Self {
        Self {
            mode: Mode::default(),
            listen: Vec::new(),
            connect: Vec::new(),
            discovery: Vec::new(),
            user: None,
            password: None,
            users_file: None,
            tls: None,
            retry_max_ms: 2_000,
            readers: Vec::new(),
        }
    }
}

impl ZenohSettings {
    /// What the link waits for, in words.
    pub(crate) fn waiting_words(&self) -> String {
        let mut words = Vec::new();
        if !self.connect.is_empty() {
            words.push(format!("connecting to {}", self.connect.join(", ")));
        }
        if !self.listen.is_empty() {
            words.push(format!("listening on {}", self.listen.join(", ")));
        }
        if self.discovery.contains(&Discovery::Multicast) {
            words.push("searching by multicast".into());
        }
        format!("nobody connected; {}", words.join(", "))
    }
}

/// See [`to_config`], microseconds.
const WAIT_BEFORE_DROP_US: u64 = 10_000;

/// Zenoh's configuration for these settings; everything with an unwanted default is set explicitly.
///
/// # Errors
/// A setting that cannot work, with Zenoh's reason.
pub(crate) fn to_config(settings: &ZenohSettings) -> Result<zenoh::Config, LinkError> {
    let bad = |setting, reason: &str| Err(LinkError::Setting { setting, reason: reason.to_owned() });
    for reader in &settings.readers {
        check_name("zenoh.readers", reader)?;
    }
    let multicast = settings.discovery.contains(&Discovery::Multicast);
    if settings.mode == Mode::Client && settings.connect.is_empty() && !multicast {
        return bad("zenoh.connect", "a client needs a router to connect to");
    }
    if settings.listen.is_empty() && settings.connect.is_empty() && !multicast {
        return bad("zenoh", "neither listen, connect nor multicast discovery: nobody could ever be reached");
    }
    if settings.password.is_some() && settings.user.is_none() {
        return bad("zenoh.user", "a password needs a user");
    }
    let mut config = zenoh::Config::default();
    let mut set = |setting: &'static str, key: &str, value: serde_json::Value| {
        config
            .insert_json5(key, &value.to_string())
            .map_err(|e| LinkError::Setting { setting, reason: format!("{value}: {e}") })
    };
    set("zenoh.mode", "mode", serde_json::to_value(settings.mode).unwrap_or_default())?;
    // A client cannot listen; Zenoh takes the list by mode.
    set("zenoh.listen", "listen/endpoints", settings.listen.clone().into())?;
    set("zenoh.connect", "connect/endpoints", settings.connect.clone().into())?;
    // A peer connects in the background. A client's `open` would wait for its router for ever and could not be stopped:
    // it tries once and is repeated by [`super::session::open`]. Once connected both reconnect by themselves.
    let client = settings.mode == Mode::Client;
    set("zenoh.connect", "connect/timeout_ms", if client { 0 } else { -1 }.into())?;
    set("zenoh.connect", "connect/exit_on_failure", client.into())?;
    let retry = serde_json::json!({
        "period_init_ms": 100, "period_max_ms": settings.retry_max_ms.max(100), "period_increase_factor": 2,
    });
    set("zenoh.retry-max-ms", "connect/retry", retry)?;
    // Zenoh drops what finds its queue full for so long. Its 1 ms is less than a busy machine needs to come back to the sender,
    // and a warning to a reader of places is not said again; ours wait in queues of their own meanwhile, the newest first.
    set("zenoh", "transport/link/tx/queue/congestion_control/drop/wait_before_drop", WAIT_BEFORE_DROP_US.into())?;
    set("zenoh.discovery", "scouting/multicast/enabled", multicast.into())?;
    set("zenoh.discovery", "scouting/gossip/enabled", settings.discovery.contains(&Discovery::Gossip).into())?;
    if let Some(user) = &settings.user {
        let password = settings.password.as_ref().map_or("", Secret::reveal);
        let both = serde_json::json!({ "user": user, "password": password });
        set("zenoh.user", "transport/auth/usrpwd", both)
            .map_err(|_| LinkError::Setting { setting: "zenoh.user", reason: "refused by Zenoh".into() })?;
    }
    if let Some(file) = &settings.users_file {
        set("zenoh.users-file", "transport/auth/usrpwd/dictionary_file", path_value(file))?;
    }
    if let Some(tls) = &settings.tls {
        if let Some(ca) = &tls.ca {
            set("zenoh.tls.ca", "transport/link/tls/root_ca_certificate", path_value(ca))?;
        }
        match (&tls.certificate, &tls.key) {
            (Some(certificate), Some(key)) => {
                for side in ["listen", "connect"] {
                    let at = |part: &str| format!("transport/link/tls/{side}_{part}");
                    set("zenoh.tls.certificate", &at("certificate"), path_value(certificate))?;
                    set("zenoh.tls.key", &at("private_key"), path_value(key))?;
                }
                set("zenoh.tls", "transport/link/tls/enable_mtls", tls.ca.is_some().into())?;
            }
            (None, None) => {}
            _ => return bad("zenoh.tls", "certificate and key go together"),
        }
    }
    Ok(config)
}

fn path_value(path: &Path) -> serde_json::Value {
    path.display().to_string().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(settings: &ZenohSettings, key: &str) -> String {
        to_config(settings).unwrap().get_json(key).unwrap()
    }

    #[test]
    fn nothing_is_opened_that_was_not_asked_for() {
        let settings = ZenohSettings { connect: vec!["tcp/127.0.0.1:7447".into()], ..ZenohSettings::default() };
        assert_eq!(get(&settings, "listen/endpoints"), "[]");
        assert_eq!(get(&settings, "scouting/multicast/enabled"), "false");
        assert_eq!(get(&settings, "scouting/gossip/enabled"), "false");
        assert_eq!(get(&settings, "mode"), "\"peer\"");
    }

    #[test]
    fn settings_that_cannot_work_are_refused() {
        let unreachable = ZenohSettings::default();
        let client =
            ZenohSettings { mode: Mode::Client, listen: vec!["tcp/127.0.0.1:0".into()], ..unreachable.clone() };
        let endpoint = ZenohSettings { connect: vec!["nonsense".into()], ..unreachable.clone() };
        let half_tls = ZenohSettings {
            connect: vec!["tls/a:1".into()],
            tls: Some(TlsSettings { key: Some("key.pem".into()), ..TlsSettings::default() }),
            ..unreachable.clone()
        };
        for bad in [unreachable, client, endpoint, half_tls] {
            assert!(matches!(to_config(&bad), Err(LinkError::Setting { .. })), "{bad:?}");
        }
    }

    #[test]
    fn a_password_is_never_printed() {
        let settings = ZenohSettings { password: Some(Secret::new("hunter2")), ..ZenohSettings::default() };
        assert!(!format!("{settings:?}").contains("hunter2"));
        assert!(!serde_json::to_string(&settings).unwrap().contains("hunter2"));
    }
}
