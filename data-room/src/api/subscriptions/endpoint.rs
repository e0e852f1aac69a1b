//! Where notifications go, and the way there.
//!
//! Invariants: a notification goes to a public address, or to a host that the settings name: whoever may subscribe cannot
//! make the data room speak to the machines around it. The address that was checked is the one that is connected to, so a
//! name that changes its mind in between gains nothing. Absent: HTTPS from here (a city's proxy does that); redirections.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use hyper_util::rt::TokioIo;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use tokio::net::TcpStream;
use url::Url;

/// How long a receiver may take for one notification.
const PATIENCE: Duration = Duration::from_secs(10);

/// An address of a receiver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Endpoint {
    host: String,
    port: u16,
    /// Path and query.
    target: String,
}

impl Endpoint {
    /// Reads an address.
    pub(super) fn parse(uri: &str) -> Result<Self, String> {
        let url = Url::parse(uri).map_err(|error| format!("`notification.endpoint.uri`: {error}"))?;
        if url.scheme() != "http" || !url.username().is_empty() || url.password().is_some() {
            return Err("`notification.endpoint.uri` is an http address without a user".into());
        }
        let host = url.host_str().ok_or("`notification.endpoint.uri` names no host")?.to_owned();
        let port = url.port_or_known_default().unwrap_or(80);
        let target = url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
        Ok(Self { host, port, target })
    }

    /// Finds an address that may be spoken to.
    pub(super) async fn check(&self, allowed_hosts: &[String]) -> Result<SocketAddr, String> {
        let bare = self.host.trim_start_matches('[').trim_end_matches(']');
        let found = tokio::net::lookup_host((bare, self.port)).await;
        let found = found.map_err(|error| format!("{}: {error}", self.host))?;
        let is_allowed = allowed_hosts.iter().any(|host| host.eq_ignore_ascii_case(bare));
        found.into_iter().find(|address| is_allowed || is_public(address.ip())).ok_or_else(|| {
            format!("{} is not a public address; name it in notify-hosts if it shall be a receiver", self.host)
        })
    }

    /// Sends a document; `Ok` when the receiver took it.
    pub(super) async fn post(
        &self,
        allowed_hosts: &[String],
        media: &str,
        body: String,
        link: &str,
    ) -> Result<(), String> {
        tokio::time::timeout(PATIENCE, self.send(allowed_hosts, media, body, link))
            .await
            .map_err(|_| format!("{} took longer than {} s", self.host, PATIENCE.as_secs()))?
    }

    async fn send(&self, allowed_hosts: &[String], media: &str, body: String, link: &str) -> Result<(), String> {
        let words = |error: &dyn std::fmt::Display| format!("{}: {error}", self.host);
        let address = self.check(allowed_hosts).await?;
        let stream = TcpStream::connect(address).await.map_err(|error| words(&error))?;
        let _ = stream.set_nodelay(true);
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
            assert!(endpoint.check(&[]).await.is_err(), "{uri}");
        }
        let here = Endpoint::parse("http://127.0.0.1:9/x").unwrap();
        assert!(here.check(&["127.0.0.1".into()]).await.is_ok());
        assert!(Endpoint::parse("http://8.8.8.8/").unwrap().check(&[]).await.is_ok());
    }

    #[test]
    fn other_schemes_and_users_are_refused() {
        for uri in ["file:///etc/passwd", "ftp://x/", "http://user:secret@example.org/", "x", "http://"] {
            assert!(Endpoint::parse(uri).is_err(), "{uri}");
        }
    }
}
