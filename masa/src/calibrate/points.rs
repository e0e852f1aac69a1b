//! Files of surveyed points: `[[point]]` tables in TOML, or OTVision's `.otrfpts`.

use anyhow::Context;
use masa_edge_node::config::parse_toml;
use masa_edge_node::perception::georeference::fit::SurveyedPoint;
use masa_edge_node::perception::georeference::{ReferencePoint, parse_otrfpts};
use masa_v2x_proto::geo::SiteFrame;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// A file of points.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PointsFile {
    #[serde(default, rename = "point")]
    pub(super) points: Vec<ReferencePoint>,
}

impl PointsFile {
    pub(super) fn read(path: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
        if path.extension().is_some_and(|extension| extension == "otrfpts") {
            let points = parse_otrfpts(&text).map_err(|what| anyhow::anyhow!("{}: {what}", path.display()))?;
            return Ok(Self { points });
        }
        Ok(parse_toml(&text, path, &|_| None)?)
    }

    /// The points in a site; those without a name are called by their place in the file, from 1.
    pub(super) fn surveyed(&self, frame: &SiteFrame) -> Vec<SurveyedPoint> {
        let surveyed = |(place, point): (usize, &ReferencePoint)| SurveyedPoint {
            name: point.name.clone().unwrap_or_else(|| (place + 1).to_string()),
            pixel: point.pixel,
            position: point.position(frame),
        };
        self.points.iter().enumerate().map(surveyed).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use masa_v2x_proto::geo::Wgs84;

    #[test]
    fn points_of_every_kind_are_read_and_named() {
        let text = r#"
            [[point]]
            name = "kerb"
            pixel = [14, 259]
            ground = { enu = { east-m = 3.5, north-m = -2 } }
            [[point]]
            pixel = [652.5, 136]
            ground = { wgs84 = { latitude-deg = 44.65, longitude-deg = 10.93 } }
            up-m = 4.5
        "#;
        let file: PointsFile = toml::from_str(text).unwrap();
        let frame = SiteFrame::new(Wgs84 { lat_deg: 44.65, lon_deg: 10.93, alt_m: 30.0 });
        let points = file.surveyed(&frame);
        assert_eq!((points[0].name.as_str(), points[1].name.as_str()), ("kerb", "2"));
        assert_eq!((points[0].position.e_m, points[0].position.n_m), (3.5, -2.0));
        let p = points[1].position;
        assert!(p.e_m.hypot(p.n_m) < 1e-3 && p.u_m == 4.5, "{p:?}");
        let again: PointsFile = toml::from_str(&toml::to_string(&file).unwrap()).unwrap();
        assert_eq!(again.points, file.points);
    }
}
