//! What is in a certificate, in words.

use masa_v2x_proto::security::{Certificate, GroupPermissions, Issuer, Region, Ssp, SspRange, Subject, Validity};
use masa_v2x_proto::time::Timestamp;
use std::fmt::Write;

fn hex(bytes: &[u8]) -> String {
    crate::replay::hex(bytes)
}

/// First and last instant.
pub(super) fn validity(validity: &Validity) -> String {
    let date = |at: Timestamp| match jiff::Timestamp::from_millisecond(at.unix_ms()) {
        Ok(date) => date.to_string(),
        Err(_) => format!("{} ms of Unix time", at.unix_ms()),
    };
    format!("{} to {}", date(validity.start.timestamp()), date(validity.end()))
}

/// One line a component.
pub(super) fn certificate(certificate: &Certificate) -> String {
    let inner = &certificate.to_be_signed;
    let mut out = String::new();
    let mut line = |name: &str, value: String| {
        // Writing into a string cannot fail.
        let _ = writeln!(out, "{name:<12} {value}");
    };
    line("id", certificate.hashed_id8().to_string());
    line("name", inner.name.clone().unwrap_or_else(|| "none: an authorization ticket".to_owned()));
    line(
        "issuer",
        match certificate.issuer {
            Issuer::Sha256(id) | Issuer::Sha384(id) => id.to_string(),
            Issuer::Itself(_) => "itself".to_owned(),
        },
    );
    line("valid", validity(&inner.validity));
    line("region", inner.region.as_ref().map_or_else(|| "that of its issuer".to_owned(), region));
    if let Some(level) = inner.assurance_level {
        line("assurance", format!("level {}, confidence {}", level >> 5, level & 3));
    }
    for permission in &inner.app_permissions {
        let ssp = match &permission.ssp {
            Some(Ssp::Bitmap(bits)) => format!("SSP {}", hex(bits)),
            Some(Ssp::Opaque(bytes)) => format!("opaque SSP {}", hex(bytes)),
            None => "no SSP".to_owned(),
        };
        line("may sign", format!("ITS-AID {}, {ssp}", permission.its_aid));
    }
    for group in &inner.issue_permissions {
        line("may issue", issued(group));
    }
    line("key", certificate.key().map_or("implicit", |key| key.curve().name()).to_owned());
    line("bytes", certificate.encode().len().to_string());
    out
}

fn region(region: &Region) -> String {
    match region {
        Region::Circular { centre, radius_m } => format!("{radius_m} m around {}, {}", centre.lat_deg, centre.lon_deg),
        Region::Rectangular(rectangles) => {
            let corners = rectangles.iter().map(|rectangle| {
                let (from, to) = (rectangle.north_west, rectangle.south_east);
                format!("{}, {} to {}, {}", from.lat_deg, from.lon_deg, to.lat_deg, to.lon_deg)
            });
            corners.collect::<Vec<_>>().join("; ")
        }
        Region::Polygonal(corners) => {
            let corners = corners.iter().map(|corner| format!("{}, {}", corner.lat_deg, corner.lon_deg));
            corners.collect::<Vec<_>>().join("; ")
        }
        Region::Identified(parts) => format!("{parts:?}"),
    }
}

fn issued(group: &GroupPermissions) -> String {
    let subject = match &group.subject {
        Subject::All => "every other application".to_owned(),
        Subject::Explicit(listed) => {
            let applications = listed.iter().map(|permission| {
                let range = match &permission.range {
                    None => " without SSP".to_owned(),
                    Some(SspRange::All) => String::new(),
                    Some(SspRange::Opaque(ssps)) => format!(" with one of {} opaque SSPs", ssps.len()),
                    Some(SspRange::Bitmap { value, mask }) => format!(" with {} under {}", hex(value), hex(mask)),
                };
                format!("{}{range}", permission.its_aid)
            });
            format!("ITS-AID {}", applications.collect::<Vec<_>>().join(", "))
        }
    };
    let length = match group.chain_length_range {
        ..=-1 => format!("{} or more", group.min_chain_length),
        0 => group.min_chain_length.to_string(),
        range => format!("{} to {}", group.min_chain_length, i64::from(group.min_chain_length) + i64::from(range)),
    };
    format!("{subject}; certificates below: {length}")
}
