//! Records as Parquet files that DuckDB, Polars, pyarrow and Spark read.
//!
//! In: records in the order of `(measured_at, arrival)`. Out: a file of flat columns, zstd, with a row group for some
//! thousand records, so that a reader of a time range skips the others by their statistics; and the records again.
//!
//! Times are timestamps in microseconds, UTC. `body` is the payload decoded, as JSON, for readers that do not know UPER; it
//! is not read back. Invariants: a file has its name only when it is whole and on the disk; memory holds one row group.

use super::StoreError;
use super::sql::{self, Cells, micros, number};
use crate::record::{Record, Sensitivity};
use masa_v2x_proto::time::Timestamp;
use parquet::basic::{Compression, ZstdLevel};
use parquet::column::writer::ColumnWriter;
use parquet::data_type::ByteArray;
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::file::statistics::Statistics;
use parquet::file::writer::SerializedFileWriter;
use parquet::record::{Row, RowAccessor};
use parquet::schema::parser::parse_message_type;
use parquet::schema::types::{Type, TypePtr};
use std::fs::File;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Records of a row group.
const ROW_GROUP: usize = 8_192;
const ZSTD_LEVEL: i32 = 3;
/// Columns that are read back: all but `body`.
const READ_COLUMNS: usize = 17;
/// Column of `measured_at`.
const MEASURED_AT: usize = 9;

/// One value of a record.
enum Cell {
    Int(i64),
    Real(Option<f64>),
    Flag(bool),
    Bytes(Vec<u8>),
    OptionalBytes(Option<Vec<u8>>),
}

type Get = fn(&Record) -> Cell;

fn text(text: &str) -> Cell {
    Cell::Bytes(text.as_bytes().to_vec())
}

/// The columns: Parquet's type and name, and the value of a record. The first ones are those of [`sql::COLUMNS`].
const COLUMNS: [(&str, Get); READ_COLUMNS + 1] = [
    ("required int64 arrival", |r| Cell::Int(number(r.arrival))),
    ("required binary tenant (STRING)", |r| text(r.tenant.as_str())),
    ("required binary site (STRING)", |r| text(&r.source.site)),
    ("required int64 station", |r| Cell::Int(i64::from(r.source.station))),
    ("required binary kind (STRING)", |r| text(r.kind.name())),
    ("required int64 epoch", |r| Cell::Int(number(r.epoch))),
    ("required int64 sequence", |r| Cell::Int(number(r.sequence))),
    ("required binary message_id (STRING)", |r| text(&r.message_id)),
    ("required binary entity (STRING)", |r| text(&r.entity)),
    ("required int64 measured_at (TIMESTAMP(MICROS,true))", |r| Cell::Int(micros(r.measured_at))),
    ("required int64 received_at (TIMESTAMP(MICROS,true))", |r| Cell::Int(micros(r.received_at))),
    ("optional double lat_deg", |r| Cell::Real(r.position.map(|at| at.lat_deg))),
    ("optional double lon_deg", |r| Cell::Real(r.position.map(|at| at.lon_deg))),
    ("optional double alt_m", |r| Cell::Real(r.position.map(|at| at.alt_m))),
    ("required boolean personal", |r| Cell::Flag(r.sensitivity == Sensitivity::Personal)),
    ("required binary topic (STRING)", |r| text(&r.topic)),
    ("required binary payload", |r| Cell::Bytes(r.payload.to_vec())),
    ("optional binary body (STRING)", |r| Cell::OptionalBytes(r.body().map(|body| body.to_string().into_bytes()))),
];

/// The first `columns` of the table as a schema.
fn schema(columns: usize) -> Type {
    let fields: String = COLUMNS[..columns].iter().map(|(definition, _)| format!("{definition};\n")).collect();
    parse_message_type(&format!("message record {{\n{fields}}}")).expect("the table above is valid Parquet")
}

fn failed(path: &Path, error: impl std::fmt::Display) -> StoreError {
    StoreError::Unusable { store: path.display().to_string(), reason: error.to_string() }
}

/// An error of writing: a full disk is no reason to give up.
fn not_written(path: &Path, error: &(dyn std::error::Error + 'static)) -> StoreError {
    let mut cause = Some(error);
    while let Some(e) = cause {
        if let Some(io) = e.downcast_ref::<std::io::Error>()
            && io.kind() == std::io::ErrorKind::StorageFull
        {
            return StoreError::Full { store: path.display().to_string(), reason: io.to_string() };
        }
        cause = e.source();
    }
    failed(path, error)
}

/// What is in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Contents {
    pub records: u64,
    pub first_arrival: u64,
    pub last_arrival: u64,
    /// `measured_at` of the first and last record.
    pub oldest: Timestamp,
    pub newest: Timestamp,
    pub bytes: u64,
}

/// Writes one file.
pub(super) struct FileWriter {
    path: PathBuf,
    unfinished: PathBuf,
    writer: SerializedFileWriter<File>,
    group: Vec<Record>,
    contents: Option<Contents>,
}

impl FileWriter {
    /// Begins a file; its folder is made.
    pub(super) fn create(path: &Path) -> Result<Self, StoreError> {
        let unfinished = path.with_extension("unfinished");
        let io = |e: std::io::Error| not_written(path, &e);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(io)?;
        }
        let file = File::create(&unfinished).map_err(io)?;
        let level = ZstdLevel::try_new(ZSTD_LEVEL).expect("a level zstd has");
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(level))
            .set_created_by(concat!("masa ", env!("CARGO_PKG_VERSION")).to_owned())
            .build();
        let schema: TypePtr = Arc::new(schema(COLUMNS.len()));
        let writer =
            SerializedFileWriter::new(file, schema, Arc::new(properties)).map_err(|e| not_written(path, &e))?;
        Ok(Self { path: path.to_owned(), unfinished, writer, group: Vec::new(), contents: None })
    }

    /// Adds a record.
    pub(super) fn push(&mut self, record: Record) -> Result<(), StoreError> {
        let contents = self.contents.get_or_insert(Contents {
            records: 0,
            first_arrival: record.arrival,
            last_arrival: record.arrival,
            oldest: record.measured_at,
            newest: record.measured_at,
            bytes: 0,
        });
        contents.records += 1;
        contents.first_arrival = contents.first_arrival.min(record.arrival);
        contents.last_arrival = contents.last_arrival.max(record.arrival);
        contents.oldest = contents.oldest.min(record.measured_at);
        contents.newest = contents.newest.max(record.measured_at);
        self.group.push(record);
        if self.group.len() == ROW_GROUP { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), StoreError> {
        if self.group.is_empty() {
            return Ok(());
        }
        write_group(&mut self.writer, &self.group).map_err(|e| not_written(&self.path, &e))?;
        self.group.clear();
        Ok(())
    }

    /// Finishes the file and gives it its name; `None` when there was no record, and no file then.
    pub(super) fn finish(mut self) -> Result<Option<Contents>, StoreError> {
        self.flush()?;
        let io = |e: std::io::Error| not_written(&self.path, &e);
        let Some(contents) = self.contents.take() else { return Ok(None) };
        self.writer.finish().map_err(|e| not_written(&self.path, &e))?;
        let file = self.writer.inner();
        file.sync_all().map_err(io)?;
        let bytes = file.metadata().map_err(io)?.len();
        std::fs::rename(&self.unfinished, &self.path).map_err(io)?;
        if let Some(folder) = self.path.parent() {
            // The name is on the disk only when the folder is.
            File::open(folder).and_then(|folder| folder.sync_all()).map_err(io)?;
        }
        Ok(Some(Contents { bytes, ..contents }))
    }
}

impl Drop for FileWriter {
    fn drop(&mut self) {
        // Gone after a rename; a rest of a failure otherwise.
        let _ = std::fs::remove_file(&self.unfinished);
    }
}

fn write_group(writer: &mut SerializedFileWriter<File>, records: &[Record]) -> Result<(), ParquetError> {
    let mut group = writer.next_row_group()?;
    for (_, get) in COLUMNS {
        let mut column = group.next_column()?.expect("the schema has a column for each of the table");
        write_column(column.untyped(), records, get)?;
        column.close()?;
    }
    group.close()?;
    Ok(())
}

/// Writes one column: values, and for optional ones which are there (definition levels).
fn write_column(column: &mut ColumnWriter<'_>, records: &[Record], get: Get) -> Result<(), ParquetError> {
    let (mut ints, mut reals, mut flags, mut texts, mut levels) = (vec![], vec![], vec![], vec![], vec![]);
    for record in records {
        match get(record) {
            Cell::Int(value) => ints.push(value),
            Cell::Flag(value) => flags.push(value),
            Cell::Bytes(value) => texts.push(ByteArray::from(value)),
            Cell::Real(value) => {
                levels.push(i16::from(value.is_some()));
                reals.extend(value);
            }
            Cell::OptionalBytes(value) => {
                levels.push(i16::from(value.is_some()));
                texts.extend(value.map(ByteArray::from));
            }
        }
    }
    let levels = (!levels.is_empty()).then_some(&levels[..]);
    match column {
        ColumnWriter::Int64ColumnWriter(column) => column.write_batch(&ints, levels, None)?,
        ColumnWriter::DoubleColumnWriter(column) => column.write_batch(&reals, levels, None)?,
        ColumnWriter::BoolColumnWriter(column) => column.write_batch(&flags, levels, None)?,
        ColumnWriter::ByteArrayColumnWriter(column) => column.write_batch(&texts, levels, None)?,
        _ => return Err(ParquetError::General("a column of a type that the table does not have".into())),
    };
    Ok(())
}

/// Reads the records measured in `from..until`, in the order of the file, until `each` breaks. The rest of a file that is
/// no longer there is not read: [`std::io::ErrorKind::NotFound`] is `Ok(false)`.
pub(super) fn read(
    path: &Path,
    from: Timestamp,
    until: Timestamp,
    mut each: impl FnMut(Record) -> ControlFlow<()>,
) -> Result<bool, StoreError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(false),
        Err(e) => return Err(failed(path, e)),
    };
    let reader = SerializedFileReader::new(file).map_err(|e| failed(path, e))?;
    let (from_us, until_us) = (micros(from), micros(until));
    let columns = schema(READ_COLUMNS);
    for index in 0..reader.num_row_groups() {
        let group = reader.get_row_group(index).map_err(|e| failed(path, e))?;
        if let Some(Statistics::Int64(times)) = group.metadata().column(MEASURED_AT).statistics()
            && let (Some(&first), Some(&last)) = (times.min_opt(), times.max_opt())
            && (last < from_us || first >= until_us)
        {
            continue;
        }
        for row in group.get_row_iter(Some(columns.clone())).map_err(|e| failed(path, e))? {
            let record = row.and_then(|row| sql::record(&row)).map_err(|e| failed(path, e))?;
            let measured_us = micros(record.measured_at);
            if (from_us..until_us).contains(&measured_us) && each(record).is_break() {
                return Ok(true);
            }
        }
    }
    Ok(true)
}

impl Cells for Row {
    type Error = ParquetError;

    fn int(&self, column: usize) -> Result<i64, ParquetError> {
        self.get_long(column)
    }

    fn time(&self, column: usize) -> Result<i64, ParquetError> {
        self.get_timestamp_micros(column)
    }

    fn real(&self, column: usize) -> Result<Option<f64>, ParquetError> {
        if self.is_null(column)? { Ok(None) } else { self.get_double(column).map(Some) }
    }

    fn flag(&self, column: usize) -> Result<bool, ParquetError> {
        self.get_bool(column)
    }

    fn text(&self, column: usize) -> Result<String, ParquetError> {
        self.get_string(column).cloned()
    }

    fn bytes(&self, column: usize) -> Result<Vec<u8>, ParquetError> {
        self.get_bytes(column).map(|bytes| bytes.data().to_vec())
    }

    fn wrong(column: usize, text: &str) -> ParquetError {
        ParquetError::General(format!("column {column}: {text:?} is not ours"))
    }
}
