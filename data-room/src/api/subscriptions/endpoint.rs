//! Where notifications go, and the way there.
//!
//! Invariants: a notification goes to a public address, or to a host that the settings name: whoever may subscribe cannot
//! make the data room speak to the machines around it. The address that was checked is the one that is connected to, so a
//! name that changes its mind in between gains nothing. Of an https address the certificate must be of the name that was given,
//! from the system's authorities or those of the settings. Absent: redirections.

use super::super::ApiSettings;
use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use hyper_util::rt::TokioIo;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto};
use url::Url;

/// How long a receiver may take for one notification.
const PATIENCE: Duration = Duration::from_secs(10);

/// Authorities that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("notify-authorities {path}: {reason}")]
pub struct AuthoritiesError {
    /// The file.
    pub path: PathBuf,
    /// Why.
    pub reason: String,
}

/// Who brings notifications: where they may go, and whom to believe that it is the receiver.
pub(crate) struct Courier {
    allowed_hosts: Vec<String>,
    tls: TlsConnector,
}

impl Courier {
    /// # Errors
    /// A file of authorities that is not there or holds none.
    pub(crate) fn new(settings: &ApiSettings) -> Result<Self, AuthoritiesError> {
        let mut authorities = RootCertStore::empty();
        let system = rustls_native_certs::load_native_certs();
        authorities.add_parsable_certificates(system.certs);
        if let Some(path) = &settings.notify_authorities {
            let error = |reason: String| AuthoritiesError { path: path.clone(), reason };
            let own = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
            let (added, _) = authorities.add_parsable_certificates(own.map_err(|e| error(e.to_string()))?);
            if added == 0 {
                return Err(error("no certificate in it".into()));
            }
        }
        let provider = Arc::new(crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("ring has the suites of TLS 1.2 and 1.3")
            .with_root_certificates(authorities)
            .with_no_client_auth();
        Ok(Self { allowed_hosts: settings.notify_hosts.clone(), tls: TlsConnector::from(Arc::new(config)) })
    }
}

/// A connection, with or without TLS.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// An address of a receiver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Endpoint {
    is_https: bool,
    host: String,
    port: u16,
    /// Path and query.
    target: String,
}

impl Endpoint {
    /// Reads an address.
    pub(super) fn parse(uri: &str) -> Result<Self, String> {
        let url = Url::parse(uri).map_err(|error| format!("`notification.endpoint.uri`: {error}"))?;
        let is_https = url.scheme() == "https";
        if !(is_https || url.scheme() == "http") || !url.username().is_empty() || url.password().is_some() {
            return Err("`notification.endpoint.uri` is an http or https address without a user".into());
        }
        let host = url.host_str().ok_or("`notification.endpoint.uri` names no host")?.to_owned();
        let port = url.port_or_known_default().unwrap_or(80);
        let target = url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
        Ok(Self { is_https, host, port, target })
    }

    /// Finds an address that may be spoken to.
    pub(super) async fn check(&self, courier: &Courier) -> Result<SocketAddr, String> {
        let bare = self.bare_host();
        let found = tokio::net::lookup_host((bare, self.port)).await;
        let found = found.map_err(|error| format!("{}: {error}", self.host))?;
        let is_allowed = courier.allowed_hosts.iter().any(|host| host.eq_ignore_ascii_case(bare));
        found.into_iter().find(|address| is_allowed || is_public(address.ip())).ok_or_else(|| {
            format!("{} is not a public address; name it in notify-hosts if it shall be a receiver", self.host)
        })
    }

    /// The host without the brackets of an IPv6 address.
    fn bare_host(&self) -> &str {
        self.host.trim_start_matches('[').trim_end_matches(']')
    }

    /// Sends a document; `Ok` when the receiver took it.
    pub(super) async fn post(&self, courier: &Courier, media: &str, body: String, link: &str) -> Result<(), String> {
        tokio::time::timeout(PATIENCE, self.send(courier, media, body, link))
            .await
            .map_err(|_| format!("{} took longer than {} s", self.host, PATIENCE.as_secs()))?
    }

    async fn connect(&self, courier: &Courier) -> Result<Box<dyn Stream>, String> {
        let words = |error: &dyn std::fmt::Display| format!("{}: {error}", self.host);
        let address = self.check(courier).await?;
        let stream = TcpStream::connect(address).await.map_err(|error| words(&error))?;
        let _ = stream.set_nodelay(true);
        if !self.is_https {
            return Ok(Box::new(stream));
        }
        let name = ServerName::try_from(self.bare_host().to_owned()).map_err(|error| words(&error))?;
        Ok(Box::new(courier.tls.connect(name, stream).await.map_err(|error| words(&error))?))
    }

    async fn send(&self, courier: &Courier, media: &str, body: String, link: &str) -> Result<(), String> {
        let words = |error: &dyn std::fmt::Display| format!("{}: {error}", self.host);
        let stream = self.connect(courier).await?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|error| words(&error))?;
        let request = Request::builder()
            .method(Method::POST)
            .uri(&self.target)
            .header(header::HOST, format!("{}:{}", self.host, self.port))
            .header(header::CONTENT_TYPE, media)
            .header(header::LINK, link)
            .body(Body::from(body))
            .map_err(|error| words(&error))?;
        let mut connection = Box::pin(connection);
        let mut exchange = std::pin::pin!(sender.send_request(request));
        let answer = tokio::select! {
            answer = &mut exchange => answer,
            // A receiver that closes at once ends the connection with its answer still to be taken.
            _ = &mut connection => {
                drop(connection);
                exchange.await
            }
        };
        let answer = answer.map_err(|error| words(&error))?;
        match answer.status() {
            status if status.is_success() => Ok(()),
            StatusCode::GONE => Err(words(&"410: nobody wants it there")),
            status => Err(words(&status)),
        }
    }
}

/// Whether an address is one of the internet: neither of this machine, a private network, nor a link.
fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            let [a, b, ..] = ip.octets();
            !(ip.is_loopback()
                || ip.is_private()
                || ip.is_link_local()
                || ip.is_unspecified()
                || ip.is_broadcast()
                || ip.is_multicast()
                || ip.is_documentation()
                || a == 0
                || (a == 100 && (64..128).contains(&b))
                || a >= 240)
        }
        IpAddr::V6(ip) => match ip.to_ipv4_mapped() {
            Some(inner) => is_public(IpAddr::V4(inner)),
            None => {
                !(ip.is_loopback()
                    || ip.is_unspecified()
                    || ip.is_multicast()
                    || ip.is_unique_local()
                    || ip.is_unicast_link_local())
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn courier(hosts: &[&str]) -> Courier {
        let notify_hosts = hosts.iter().map(|host| (*host).to_owned()).collect();
        Courier::new(&ApiSettings { notify_hosts, ..ApiSettings::default() }).unwrap()
    }

    #[tokio::test]
    async fn only_public_addresses_and_named_hosts_are_spoken_to() {
        for uri in [
            "http://127.0.0.1:9/x",
            "http://[::1]/",
            "http://169.254.169.254/latest/meta-data",
            "http://10.1.2.3/",
            "http://192.168.0.1/",
            "http://100.64.0.1/",
            "http://[::ffff:127.0.0.1]/",
            "http://[fd00::1]/",
            "http://0.0.0.0/",
            "http://2130706433/",
        ] {
            let endpoint = Endpoint::parse(uri).unwrap();
            assert!(endpoint.check(&courier(&[])).await.is_err(), "{uri}");
        }
        let here = Endpoint::parse("http://127.0.0.1:9/x").unwrap();
        assert!(here.check(&courier(&["127.0.0.1"])).await.is_ok());
        assert!(Endpoint::parse("https://8.8.8.8/").unwrap().check(&courier(&[])).await.is_ok());
    }

    #[test]
    fn other_schemes_and_users_are_refused() {
        for uri in ["file:///etc/passwd", "ftp://x/", "http://user:secret@example.org/", "x", "http://"] {
            assert!(Endpoint::parse(uri).is_err(), "{uri}");
        }
    }
}
