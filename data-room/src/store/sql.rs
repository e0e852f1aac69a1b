//! The SQL that both stores speak: columns, conditions, the order of pages. Placeholders and times differ ([`Dialect`]).
//!
//! Pages are put together from one sub-query per kind, each with its own limit, so that a page costs an index seek per kind
//! however much lies in the time range.

use super::StoreError;
use super::query::{Area, Filter, Latest, MAX_PAGE, METRES_PER_DEGREE, Order, Query};
use crate::record::{Kind, Record, Sensitivity, Source, Tenant};
use bytes::Bytes;
use masa_v2x_proto::geo::Wgs84;
use masa_v2x_proto::time::Timestamp;

/// Every column of `records`, in the order of [`record`].
pub(super) const COLUMNS: &str = "arrival, tenant, site, station, kind, epoch, sequence, message_id, entity, measured_at, \
                                  received_at, lat_deg, lon_deg, alt_m, personal, topic, payload";

/// How a database writes placeholders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    /// `?1`; times are microseconds of Unix time.
    Sqlite,
    /// `$1`; times are `timestamptz`. With PostGIS, areas are looked up in its index.
    Postgres { postgis: bool },
}

/// A bound value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Int(i64),
    Real(f64),
    Text(String),
    /// Microseconds of Unix time.
    Time(i64),
}

/// A statement with its values.
#[derive(Debug)]
pub(super) struct Statement {
    dialect: Dialect,
    pub text: String,
    pub values: Vec<Value>,
}

/// Microseconds of Unix time: the precision of the stores.
pub(super) fn micros(at: Timestamp) -> i64 {
    at.unix_ns().div_euclid(1_000)
}

/// The instant of [`micros`].
pub(super) fn instant(us: i64) -> Timestamp {
    Timestamp::from_unix_ns(us.saturating_mul(1_000))
}

/// An unsigned number as a column; what does not fit is the greatest.
pub(super) fn number(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

impl Statement {
    pub(super) fn new(dialect: Dialect) -> Self {
        Self { dialect, text: String::new(), values: Vec::new() }
    }

    /// A statement written out, in the dialect's own words.
    pub(super) fn plain(dialect: Dialect, text: &str, values: Vec<Value>) -> Self {
        Self { dialect, text: text.to_owned(), values }
    }

    /// Binds a value; returns its placeholder.
    fn bind(&mut self, value: Value) -> String {
        self.values.push(value);
        let mark = if self.dialect == Dialect::Sqlite { '?' } else { '$' };
        format!("{mark}{}", self.values.len())
    }

    /// Adds a condition on a bound value: `column op placeholder`.
    fn compare(&mut self, column_and_operator: &str, value: Value) {
        let place = self.bind(value);
        self.text += &format!(" AND {column_and_operator} {place}");
    }

    /// Everything of a filter but the kind; begins with `tenant =`.
    fn filter(&mut self, filter: &Filter) {
        let tenant = self.bind(Value::Text(filter.tenant.to_string()));
        self.text += &format!("tenant = {tenant}");
        if let Some(Source { site, station }) = &filter.source {
            self.compare("site =", Value::Text(site.clone()));
            self.compare("station =", Value::Int(i64::from(*station)));
        }
        if let Some(entity) = &filter.entity {
            self.compare("entity =", Value::Text(entity.clone()));
        }
        if !filter.personal.takes(Sensitivity::Personal) {
            self.text += " AND NOT personal";
        }
    }

    fn kinds(&mut self, kinds: &[Kind]) {
        let names: Vec<String> = kinds_of(kinds).iter().map(|kind| format!("'{}'", kind.name())).collect();
        self.text += &format!(" AND kind IN ({})", names.join(", "));
    }

    fn area(&mut self, area: &Area) {
        let [south, west, north, east] = area.bounds();
        let [s, w, n, e] = [south, west, north, east].map(|edge| self.bind(Value::Real(edge)));
        if self.dialect == (Dialect::Postgres { postgis: true }) {
            self.text += &format!(" AND {POSTGIS_POINT} && ST_MakeEnvelope({w}, {s}, {e}, {n}, 4326)");
        }
        self.text += &format!(" AND lat_deg BETWEEN {s} AND {n} AND lon_deg BETWEEN {w} AND {e}");
        if let Area::Circle { lat_deg, lon_deg, radius_m } = *area {
            let squeeze = lat_deg.to_radians().cos();
            let [lat, lon, squeeze, radius] =
                [lat_deg, lon_deg, squeeze * squeeze, (radius_m / METRES_PER_DEGREE).powi(2)]
                    .map(|x| self.bind(Value::Real(x)));
            self.text += &format!(
                " AND (lat_deg - {lat}) * (lat_deg - {lat}) + (lon_deg - {lon}) * (lon_deg - {lon}) * {squeeze} <= {radius}"
            );
        }
    }

    /// `measured_at` in a range.
    fn measured(&mut self, from: Timestamp, until: Timestamp) {
        // The ends of time mean "no limit", which costs a database nothing when it is not said.
        if from.unix_ns() != i64::MIN {
            let from = self.bind(Value::Time(micros(from)));
            self.text += &format!(" AND measured_at >= {from}");
            if self.dialect != Dialect::Sqlite {
                // Nothing is measured after it was received, and partitions are by receipt.
                self.text += &format!(" AND received_at >= {from}");
            }
        }
        if until.unix_ns() != i64::MAX {
            self.compare("measured_at <", Value::Time(micros(until)));
        }
    }

    fn after(&mut self, query: &Query) {
        let Some(cursor) = query.after else { return };
        let arrival = Value::Int(number(cursor.arrival));
        let sign = match query.order {
            Order::Arrival => return self.compare("arrival >", arrival),
            Order::OldestFirst => ">",
            Order::NewestFirst => "<",
        };
        let measured_at = self.bind(Value::Time(cursor.measured_at_ns.div_euclid(1_000)));
        let arrival = self.bind(arrival);
        self.text += &format!(" AND (measured_at, arrival) {sign} ({measured_at}, {arrival})");
    }

    /// The condition of a deletion, `WHERE` excluded.
    pub(super) fn deletion(dialect: Dialect, filter: &Filter, from: Timestamp, until: Timestamp) -> Self {
        let mut sql = Self::new(dialect);
        sql.filter(filter);
        sql.kinds(&filter.kinds);
        sql.measured(from, until);
        if let Some(area) = &filter.area {
            sql.area(area);
        }
        sql
    }

    /// One page and one record more, which tells that there is another page.
    pub(super) fn page(dialect: Dialect, query: &Query) -> Self {
        let mut sql = Self::new(dialect);
        let limit = query.limit + 1;
        if query.order == Order::Arrival {
            sql.text = format!("SELECT {COLUMNS} FROM records WHERE ");
            sql.filter(&query.filter);
            sql.kinds(&query.filter.kinds);
            sql.rest_of_page(query);
            sql.text += &format!(" ORDER BY arrival LIMIT {limit}");
            return sql;
        }
        let order = match query.order {
            Order::NewestFirst => "measured_at DESC, arrival DESC",
            Order::OldestFirst | Order::Arrival => "measured_at, arrival",
        };
        for (at, kind) in kinds_of(&query.filter.kinds).into_iter().enumerate() {
            sql.text += if at == 0 { "SELECT * FROM (" } else { " UNION ALL SELECT * FROM (" };
            sql.text += &format!("SELECT {COLUMNS} FROM records WHERE kind = '{}' AND ", kind.name());
            sql.filter(&query.filter);
            sql.rest_of_page(query);
            sql.text += &format!(" ORDER BY {order} LIMIT {limit}) AS of_kind");
        }
        sql.text += &format!(" ORDER BY {order} LIMIT {limit}");
        sql
    }

    fn rest_of_page(&mut self, query: &Query) {
        self.measured(query.from, query.until);
        self.after(query);
        if let Some(area) = &query.filter.area {
            self.area(area);
        }
    }

    /// The newest record of each entity; where it is decides after that, since one that has left an area is not in it.
    pub(super) fn latest(dialect: Dialect, latest: &Latest, limit: Option<usize>) -> Self {
        let mut sql = Self::new(dialect);
        let from = latest.at.plus_ms(latest.look_back_ms.saturating_neg());
        sql.text = format!(
            "SELECT {COLUMNS} FROM (SELECT {COLUMNS}, row_number() OVER (PARTITION BY kind, entity \
             ORDER BY measured_at DESC, arrival DESC) AS place FROM records WHERE "
        );
        sql.filter(&latest.filter);
        sql.kinds(&latest.filter.kinds);
        sql.measured(from, Timestamp::from_unix_ns(i64::MAX));
        sql.compare("measured_at <=", Value::Time(micros(latest.at)));
        sql.text += ") AS newest WHERE place = 1";
        if let (Some(limit), area) = (limit, &latest.filter.area) {
            if let Some(area) = area {
                sql.area(area);
            }
            sql.text += &format!(" ORDER BY kind, entity LIMIT {limit}");
        }
        sql
    }
}

/// The expression that PostGIS indexes.
pub(super) const POSTGIS_POINT: &str = "ST_SetSRID(ST_MakePoint(lon_deg, lat_deg), 4326)";

/// The kinds of a filter, all for none.
pub(super) fn kinds_of(kinds: &[Kind]) -> Vec<Kind> {
    if kinds.is_empty() { Kind::all().collect() } else { kinds.to_vec() }
}

/// A page of this size can be asked for.
pub(super) fn check_limit(limit: usize) -> Result<(), StoreError> {
    if (1..=MAX_PAGE).contains(&limit) {
        Ok(())
    } else {
        Err(StoreError::BadQuery(format!("limit {limit}: expected 1 to {MAX_PAGE}")))
    }
}

/// The columns of a row, by position in [`COLUMNS`].
pub(super) trait Cells {
    /// What the database says when a column is not what it should be.
    type Error;
    fn int(&self, column: usize) -> Result<i64, Self::Error>;
    /// A time, microseconds of Unix time.
    fn time(&self, column: usize) -> Result<i64, Self::Error>;
    fn real(&self, column: usize) -> Result<Option<f64>, Self::Error>;
    fn flag(&self, column: usize) -> Result<bool, Self::Error>;
    fn text(&self, column: usize) -> Result<String, Self::Error>;
    fn bytes(&self, column: usize) -> Result<Vec<u8>, Self::Error>;
    /// A text is not what we wrote.
    fn wrong(column: usize, text: &str) -> Self::Error;
}

/// A row of [`COLUMNS`] as a record.
pub(super) fn record<C: Cells>(row: &C) -> Result<Record, C::Error> {
    let (tenant, kind) = (row.text(1)?, row.text(4)?);
    let position = match (row.real(11)?, row.real(12)?, row.real(13)?) {
        (Some(lat_deg), Some(lon_deg), alt_m) => Some(Wgs84 { lat_deg, lon_deg, alt_m: alt_m.unwrap_or(0.0) }),
        _ => None,
    };
    Ok(Record {
        arrival: row.int(0)?.unsigned_abs(),
        tenant: Tenant::new(tenant).map_err(|bad| C::wrong(1, &bad.0))?,
        source: Source { site: row.text(2)?, station: u32::try_from(row.int(3)?).unwrap_or(u32::MAX) },
        kind: Kind::from_name(&kind).ok_or_else(|| C::wrong(4, &kind))?,
        epoch: row.int(5)?.unsigned_abs(),
        sequence: row.int(6)?.unsigned_abs(),
        message_id: row.text(7)?,
        entity: row.text(8)?,
        measured_at: instant(row.time(9)?),
        received_at: instant(row.time(10)?),
        position,
        sensitivity: if row.flag(14)? { Sensitivity::Personal } else { Sensitivity::Open },
        topic: row.text(15)?,
        payload: Bytes::from(row.bytes(16)?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use masa_v2x_proto::MessageKind;

    #[test]
    fn a_page_has_a_seek_for_each_kind_and_binds_every_value() {
        let kinds = vec![Kind::V2x(MessageKind::Denm), Kind::Observation];
        let filter = Filter { kinds, entity: Some("a' OR 1=1".into()), ..Filter::default() };
        let sql = Statement::page(Dialect::Sqlite, &Query::new(filter, 10));
        assert_eq!(sql.text.matches("LIMIT 11) AS of_kind").count(), 2);
        assert!(!sql.text.contains("OR 1=1"), "{}", sql.text);
        assert_eq!(sql.values.len(), 4);
    }

    #[test]
    fn dialects_differ_in_placeholders_and_geography() {
        let area = Area::Circle { lat_deg: 44.0, lon_deg: 10.0, radius_m: 100.0 };
        let filter = Filter { area: Some(area), ..Filter::default() };
        let text = |dialect| Statement::deletion(dialect, &filter, instant(0), instant(1)).text;
        assert!(text(Dialect::Sqlite).contains("?1") && !text(Dialect::Sqlite).contains('$'));
        let postgis = text(Dialect::Postgres { postgis: true });
        assert!(postgis.contains("$1") && postgis.contains("ST_MakeEnvelope"), "{postgis}");
        assert!(!text(Dialect::Postgres { postgis: false }).contains("ST_"));
    }
}
