//! Our values as PostgreSQL's types, and its rows as ours.

use crate::store::sql::{Cells, Value};
use bytes::BytesMut;
use std::error::Error;
use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

/// Unix time of 2000-01-01T00:00:00 UTC, the epoch of `timestamptz`, microseconds.
const EPOCH_US: i64 = 946_684_800_000_000;

/// A `timestamptz`: microseconds of Unix time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Micros(pub i64);

impl ToSql for Micros {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        // The ends of the type are its infinities, which is what is meant.
        self.0.saturating_sub(EPOCH_US).to_sql(&Type::INT8, out)
    }

    fn accepts(of: &Type) -> bool {
        *of == Type::TIMESTAMPTZ
    }

    to_sql_checked!();
}

impl<'a> FromSql<'a> for Micros {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        i64::from_sql(&Type::INT8, raw).map(|us| Self(us.saturating_add(EPOCH_US)))
    }

    fn accepts(of: &Type) -> bool {
        *of == Type::TIMESTAMPTZ
    }
}

impl ToSql for Value {
    fn to_sql(&self, of: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self {
            Self::Int(value) => value.to_sql_checked(of, out),
            Self::Real(value) => value.to_sql_checked(of, out),
            Self::Text(value) => value.to_sql_checked(of, out),
            Self::Time(value) => Micros(*value).to_sql_checked(of, out),
        }
    }

    fn accepts(_: &Type) -> bool {
        // Each value checks for itself.
        true
    }

    to_sql_checked!();
}

/// Why a row is not one of ours.
#[derive(Debug)]
pub(in crate::store) enum CellError {
    Postgres(tokio_postgres::Error),
    Wrong { column: usize, text: String },
}

impl From<tokio_postgres::Error> for CellError {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Postgres(error)
    }
}

impl Cells for Row {
    type Error = CellError;

    fn int(&self, column: usize) -> Result<i64, CellError> {
        Ok(self.try_get(column)?)
    }

    fn time(&self, column: usize) -> Result<i64, CellError> {
        Ok(self.try_get::<_, Micros>(column)?.0)
    }

    fn real(&self, column: usize) -> Result<Option<f64>, CellError> {
        Ok(self.try_get(column)?)
    }

    fn flag(&self, column: usize) -> Result<bool, CellError> {
        Ok(self.try_get(column)?)
    }

    fn text(&self, column: usize) -> Result<String, CellError> {
        Ok(self.try_get(column)?)
    }

    fn bytes(&self, column: usize) -> Result<Vec<u8>, CellError> {
        Ok(self.try_get(column)?)
    }

    fn wrong(column: usize, text: &str) -> CellError {
        CellError::Wrong { column, text: text.to_owned() }
    }
}
