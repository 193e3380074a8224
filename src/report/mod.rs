//! Reports: the rows of an audit as a table, CSV, JSON or Markdown.
//!
//! A [`Record`] is a row with its keys. A [`ReportWriter`] writes each record in a [`Format`] as soon as the record is
//! known. A [`Change`] is a tensor that a command wrote anew, a [`SolutionRow`] the solution of a linear system, and an
//! [`InversionRow`] the inverse of an invertible network for an item. The [`Plan`] holds the columns and widths that a
//! table needs before its first row.
//!
//! ```
//! use opnorm::audit::{Event, Options, audit};
//! use opnorm::report::{BoundKind, Content, Format, Plan, Record, Summary};
//! use opnorm::{Device, io::Checkpoint};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let checkpoint = Checkpoint::open("models/digits.safetensors")?;
//! let (mut out, mut summary) = (Vec::new(), Summary::default());
//! let mut writer = Format::Csv.writer(Plan::new(Content::Audit(BoundKind::Lower)));
//! let mut records = Vec::new();
//! audit(&Device::new()?, &checkpoint, &Options::default(), &mut |event| {
//!     if let Event::Row(row) = event {
//!         records.push(Record::new(&row, false, 0));
//!     }
//!     Ok(())
//! })?;
//! writer.begin(&mut out)?;
//! for record in &records {
//!     summary.add(record);
//!     writer.row(&mut out, record)?;
//! }
//! writer.end(&mut out, &summary)?;
//! assert!(String::from_utf8(out)?.starts_with("file,name,shape,dtype,ord,sigma,lower,upper,guarantee"));
//! # Ok(())
//! # }
//! ```

mod change;
mod csv;
mod decimal;
mod field;
mod format;
mod inversion;
mod json;
mod keys;
mod layout;
mod markdown;
pub mod number;
mod plan;
mod record;
mod rows;
mod solution;
mod summary;
mod table;
pub mod text;
mod value;
mod words;
mod writer;

pub use change::Change;
pub use decimal::Decimal;
pub use format::Format;
pub use inversion::InversionRow;
pub use plan::{BoundKind, Content, Plan};
pub use record::Record;
pub use solution::SolutionRow;
pub use summary::Summary;
pub use writer::ReportWriter;
