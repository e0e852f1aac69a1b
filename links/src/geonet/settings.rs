//! Settings of the GeoNetworking link.

use masa_v2x_proto::geo::Wgs84;
use masa_v2x_proto::geonet::{DataRate, MacAddress, RouterSettings};
use serde::{Deserialize, Serialize};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

/// A GeoNetworking station.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct GeonetSettings {
    /// What carries the frames.
    pub medium: Medium,
    /// Link-layer address; absent: that of the interface, or for a tunnel one made of the station id.
    pub mac: Option<MacAddress>,
    /// Where the station stands, degrees and metres above the ellipsoid; absent: the position source tells.
    pub position: Option<Wgs84>,
    /// The network layer.
    pub router: RouterSettings,
    /// Congestion control; absent: adaptive on a network interface, none in a tunnel, whose radio has its own.
    pub congestion_control: Option<CongestionControl>,
    /// Data rate of the radio, Mbit/s, from which the time of frames on the air follows.
    pub data_rate_mbps: DataRate,
    /// A pcap file that gets every frame sent and received; absent: none. An existing file is replaced.
    pub capture: Option<PathBuf>,
    /// Largest size of that file, MiB; beyond, frames are no longer written.
    pub capture_limit_mib: u32,
    /// Received messages that may wait for the node; beyond, the newest are dropped and counted.
    pub receive_queue: usize,
    /// Frames of one DCC profile that may wait for the channel; beyond, the oldest are dropped and counted.
    pub transmit_queue: usize,
}

impl Default for GeonetSettings {
    fn default() -> Self {
        Self {
            medium: Medium::default(),
            mac: None,
            position: None,
            router: RouterSettings::default(),
            congestion_control: None,
            data_rate_mbps: DataRate::default(),
            capture: None,
            capture_limit_mib: 1_024,
            receive_queue: 1_024,
            transmit_queue: 32,
        }
    }
}

impl GeonetSettings {
    /// The congestion control that is in force.
    pub fn control(&self) -> CongestionControl {
        self.congestion_control.unwrap_or(match self.medium {
            Medium::Raw(_) => CongestionControl::Adaptive,
            Medium::Udp(_) => CongestionControl::None,
        })
    }
}

/// Decentralized congestion control (TS 102 687).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CongestionControl {
    /// Frames go as they come.
    None,
    /// The adaptive approach (clause 5.4).
    Adaptive,
}

/// What carries the frames.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum Medium {
    /// UDP datagrams, each with one Ethernet frame: a tunnel to an on-board or roadside unit, or to a simulator.
    Udp(UdpSettings),
    /// A network interface of the machine (ITS-G5 in OCB mode, a C-V2X driver that shows Ethernet, plain Ethernet). Needs
    /// the capability CAP_NET_RAW.
    Raw(RawSettings),
}

impl Default for Medium {
    fn default() -> Self {
        Self::Udp(UdpSettings::default())
    }
}

/// A tunnel of UDP datagrams.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct UdpSettings {
    /// Where to listen; port 0 for any that is free.
    pub listen: SocketAddr,
    /// Who gets every frame; a multicast address among them is joined, too. From others nothing is taken, unless this is
    /// empty or has a multicast address.
    pub peers: Vec<SocketAddr>,
    /// The interface, by its address, over which multicast goes.
    pub multicast_interface: Ipv4Addr,
}

impl Default for UdpSettings {
    fn default() -> Self {
        let listen = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
        Self { listen, peers: Vec::new(), multicast_interface: Ipv4Addr::LOCALHOST }
    }
}

/// A network interface.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RawSettings {
    /// Its name, such as `wlan0`.
    pub interface: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use masa_v2x_proto::geonet::AreaForwarding;

    #[test]
    fn settings_have_defaults_and_refuse_unknown_keys() {
        let text = r#"{
            "medium": { "udp": { "listen": "127.0.0.1:4710", "peers": ["127.0.0.1:4711"] } },
            "mac": "02:00:00:00:00:07",
            "position": { "lat_deg": 44.65, "lon_deg": 10.93, "alt_m": 40.0 },
            "congestion-control": "adaptive",
            "data-rate-mbps": 12,
            "router": { "area-forwarding": "simple", "hop-limit": 3 }
        }"#;
        let settings: GeonetSettings = serde_json::from_str(text).unwrap();
        assert_eq!((settings.router.area_forwarding, settings.router.hop_limit), (AreaForwarding::Simple, 3));
        assert_eq!((settings.control(), f64::from(settings.data_rate_mbps)), (CongestionControl::Adaptive, 12.0));
        assert_eq!(GeonetSettings::default().control(), CongestionControl::None);
        assert_eq!(settings.router.range_m, RouterSettings::default().range_m);
        assert_eq!(settings.mac, Some(MacAddress([2, 0, 0, 0, 0, 7])));
        for unknown in [
            r#"{"medum": {}}"#,
            r#"{"medium": {"raw": {"interface": "wlan0", "mtu": 1}}}"#,
            r#"{"router": {"hops": 1}}"#,
            r#"{"data-rate-mbps": 5}"#,
            r#"{"router": {"mac": "02:00:00:00:00:07"}}"#,
        ] {
            assert!(serde_json::from_str::<GeonetSettings>(unknown).is_err(), "{unknown}");
        }
    }
}
