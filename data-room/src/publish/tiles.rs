//! Vector tiles (Mapbox Vector Tile specification 2.1): one layer for each type of entity.
//!
//! In: entities and a tile of the Web Mercator grid. Out: the tile's bytes. Absent: simplification; a city's entities are few.

use crate::entity::{Entity, Geometry, Position};
use prost::Message;
use serde_json::Value;
use std::collections::BTreeMap;
use std::f64::consts::PI;

/// Units along a tile's edge.
const EXTENT: u32 = 4_096;
/// What lies this far outside is in the tile too, units: so that symbols and lines do not end at its edge.
const MARGIN: f64 = 64.0;
/// Deepest level.
pub const MAX_ZOOM: u8 = 22;

/// A tile of the Web Mercator grid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TileId {
    zoom: u8,
    x: u32,
    y: u32,
}

impl TileId {
    /// Tile `x`, `y` of a level; `None` when there is no such one.
    pub fn new(zoom: u8, x: u32, y: u32) -> Option<Self> {
        (zoom <= MAX_ZOOM && x < 1 << zoom && y < 1 << zoom).then_some(Self { zoom, x, y })
    }

    /// A position in units of this tile, from its north-western corner.
    fn units(self, p: Position) -> [f64; 2] {
        let tiles = f64::from(1_u32 << self.zoom);
        let lat = p.lat_deg.clamp(-85.051_128_78, 85.051_128_78).to_radians();
        let x = (p.lon_deg + 180.0) / 360.0 * tiles;
        let y = (1.0 - lat.tan().asinh() / PI) / 2.0 * tiles;
        [(x - f64::from(self.x)) * f64::from(EXTENT), (y - f64::from(self.y)) * f64::from(EXTENT)]
    }
}

/// The tile's bytes; empty for a tile in which nothing is.
pub fn tile<'a>(entities: impl IntoIterator<Item = &'a Entity>, id: TileId) -> Vec<u8> {
    let mut layers: BTreeMap<&str, LayerBuilder> = BTreeMap::new();
    for entity in entities {
        let points: Vec<_> = entity.geometry.positions().iter().map(|p| id.units(*p)).collect();
        if is_in(&points) {
            layers.entry(entity.kind.name()).or_default().add(entity, &points);
        }
    }
    let layers = layers.into_iter().map(|(name, layer)| layer.finish(name)).collect();
    wire::Tile { layers }.encode_to_vec()
}

/// Whether the box around the points meets the tile.
fn is_in(points: &[[f64; 2]]) -> bool {
    let limits = -MARGIN..=f64::from(EXTENT) + MARGIN;
    (0..2).all(|axis| {
        let values = points.iter().map(|p| p[axis]);
        let (least, most) = values.fold((f64::MAX, f64::MIN), |(least, most), v| (least.min(v), most.max(v)));
        least <= *limits.end() && most >= *limits.start()
    })
}

#[derive(Default)]
struct LayerBuilder {
    keys: Vec<String>,
    values: Vec<wire::Value>,
    features: Vec<wire::Feature>,
}

impl LayerBuilder {
    fn add(&mut self, entity: &Entity, points: &[[f64; 2]]) {
        let said =
            entity.attributes.iter().filter_map(|(name, attribute)| Some((name.clone(), scalar(attribute.value())?)));
        let own = [("id".to_owned(), wire::Value { string: Some(entity.id.clone()), ..wire::Value::default() })];
        let mut tags = Vec::new();
        for (key, value) in own.into_iter().chain(said) {
            tags.push(index_of(&mut self.keys, key));
            tags.push(index_of(&mut self.values, value));
        }
        let (kind, geometry) = commands(&entity.geometry, points);
        self.features.push(wire::Feature { tags, kind, geometry });
    }

    fn finish(self, name: &str) -> wire::Layer {
        let Self { keys, values, features } = self;
        wire::Layer { version: 2, name: name.to_owned(), features, keys, values, extent: Some(EXTENT) }
    }
}

fn index_of<T: PartialEq>(table: &mut Vec<T>, entry: T) -> u32 {
    let index = table.iter().position(|known| *known == entry).unwrap_or_else(|| {
        table.push(entry);
        table.len() - 1
    });
    index as u32
}

/// Only scalars have a form in tiles.
fn scalar(value: Value) -> Option<wire::Value> {
    let empty = wire::Value::default();
    Some(match value {
        Value::String(text) => wire::Value { string: Some(text), ..empty },
        Value::Bool(bool) => wire::Value { bool: Some(bool), ..empty },
        Value::Number(number) => wire::Value { double: number.as_f64(), ..empty },
        Value::Null | Value::Array(_) | Value::Object(_) => return None,
    })
}

const MOVE_TO: u32 = 1;
const LINE_TO: u32 = 2;
const CLOSE_PATH: u32 = 7;

/// Geometry type and command integers (specification 4.3).
fn commands(geometry: &Geometry, points: &[[f64; 2]]) -> (i32, Vec<u32>) {
    let mut at = [0_i64; 2];
    let mut out = Vec::with_capacity(2 * points.len() + 3);
    let mut draw = |command: u32, points: &[[f64; 2]]| {
        out.push(command | (points.len() as u32) << 3);
        for point in points {
            // A line may reach far outside of a deep tile.
            let limit = f64::from(1 << 29);
            let next = point.map(|unit| unit.clamp(-limit, limit).round() as i64);
            for axis in 0..2 {
                let delta = next[axis] - at[axis];
                out.push(((delta << 1) ^ (delta >> 63)) as u32);
            }
            at = next;
        }
    };
    match geometry {
        Geometry::Point(_) => {
            draw(MOVE_TO, &points[..1]);
            (1, out)
        }
        Geometry::LineString(_) => {
            draw(MOVE_TO, &points[..1]);
            draw(LINE_TO, &points[1..]);
            (2, out)
        }
        Geometry::Polygon(_) => {
            // Outer rings run clockwise on the screen, where y grows downwards; the last point is the first again.
            let open = &points[..points.len() - 1];
            let area: f64 = points.windows(2).map(|edge| edge[0][0] * edge[1][1] - edge[1][0] * edge[0][1]).sum();
            let ring: Vec<_> = if area < 0.0 { open.iter().rev().copied().collect() } else { open.to_vec() };
            draw(MOVE_TO, &ring[..1]);
            draw(LINE_TO, &ring[1..]);
            out.push(CLOSE_PATH | 1 << 3);
            (3, out)
        }
    }
}

/// The messages of the specification, as far as they are used.
mod wire {
    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct Tile {
        #[prost(message, repeated, tag = "3")]
        pub(super) layers: Vec<Layer>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct Layer {
        #[prost(uint32, required, tag = "15")]
        pub(super) version: u32,
        #[prost(string, required, tag = "1")]
        pub(super) name: String,
        #[prost(message, repeated, tag = "2")]
        pub(super) features: Vec<Feature>,
        #[prost(string, repeated, tag = "3")]
        pub(super) keys: Vec<String>,
        #[prost(message, repeated, tag = "4")]
        pub(super) values: Vec<Value>,
        #[prost(uint32, optional, tag = "5")]
        pub(super) extent: Option<u32>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct Feature {
        #[prost(uint32, repeated, tag = "2")]
        pub(super) tags: Vec<u32>,
        #[prost(int32, tag = "3")]
        pub(super) kind: i32,
        #[prost(uint32, repeated, tag = "4")]
        pub(super) geometry: Vec<u32>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct Value {
        #[prost(string, optional, tag = "1")]
        pub(super) string: Option<String>,
        #[prost(double, optional, tag = "3")]
        pub(super) double: Option<f64>,
        #[prost(bool, optional, tag = "7")]
        pub(super) bool: Option<bool>,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entity::{EntityKind, Origin};
    use masa_v2x_proto::time::Timestamp;

    #[test]
    fn geometry_is_encoded_as_in_the_examples_of_the_specification() {
        // Specification 4.3.5.1, 4.3.5.3 and 4.3.5.5.
        let p = |lon_deg, lat_deg| Position { lon_deg, lat_deg };
        let any = p(0.0, 0.0);
        assert_eq!(commands(&Geometry::Point(any), &[[25.0, 17.0]]), (1, vec![9, 50, 34]));
        let line = Geometry::LineString(vec![any; 3]);
        let encoded = commands(&line, &[[2.0, 2.0], [2.0, 10.0], [10.0, 10.0]]);
        assert_eq!(encoded, (2, vec![9, 4, 4, 18, 0, 16, 16, 0]));
        let polygon = Geometry::Polygon(vec![any; 4]);
        let ring = [[3.0, 6.0], [8.0, 12.0], [20.0, 34.0], [3.0, 6.0]];
        assert_eq!(commands(&polygon, &ring), (3, vec![9, 6, 12, 18, 10, 12, 24, 44, 15]));
    }

    #[test]
    fn an_entity_is_in_its_tile_and_in_no_other() {
        let at = Timestamp::from_unix_ms(0);
        let origin = Origin { site: "s".into(), station: 1, message: String::new(), received_at: at };
        let place = Geometry::Point(Position { lon_deg: 10.93, lat_deg: 44.65 });
        let signal = Entity::new("urn:x".into(), EntityKind::TrafficSignal, place, at, &origin).with("signalGroup", 3);
        let n = f64::from(1 << 15);
        let x = ((10.93 + 180.0) / 360.0 * n) as u32;
        let y = ((1.0 - 44.65_f64.to_radians().tan().asinh() / PI) / 2.0 * n) as u32;
        let bytes = tile([&signal], TileId::new(15, x, y).unwrap());
        let decoded = wire::Tile::decode(bytes.as_slice()).unwrap();
        assert_eq!((decoded.layers[0].name.as_str(), decoded.layers[0].features.len()), ("TrafficSignal", 1));
        assert!(tile([&signal], TileId::new(15, x + 2, y).unwrap()).is_empty());
        assert_eq!(TileId::new(15, 1 << 15, 0), None);
    }
}
