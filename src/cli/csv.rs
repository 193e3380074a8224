//! Rows as comma-separated values, under the keys of the JSON.

use std::io::{self, Write};

use super::record::{Decimal, Record, shape_words};
use super::report::Report;
use super::summary::Summary;

/// Comma-separated values.
#[derive(Debug)]
pub struct Csv;

const HEADER: [&str; 26] = [
    "file",
    "name",
    "shape",
    "dtype",
    "ord",
    "sigma",
    "lower",
    "upper",
    "guarantee",
    "delta",
    "arithmetic",
    "residual",
    "second",
    "gap",
    "multiplicity",
    "frobenius",
    "stable_rank",
    "schur",
    "cheap_upper",
    "norm1",
    "norm_inf",
    "seed",
    "iterations",
    "status",
    "seconds",
    "note",
];

impl Report for Csv {
    fn begin(&mut self, out: &mut dyn Write) -> io::Result<()> {
        write(out, &HEADER.map(str::to_owned))
    }

    fn row(&mut self, out: &mut dyn Write, record: Record) -> io::Result<()> {
        record.each_value().iter().try_for_each(|record| write(out, &fields(record)))
    }

    fn end(&mut self, _: &mut dyn Write, _: &Summary) -> io::Result<()> {
        Ok(())
    }
}

fn fields(record: &Record) -> [String; 26] {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    // all digits, so that the value is read back as it was
    let number = |value: Option<f64>| value.map(|value| format!("{value:?}")).unwrap_or_default();
    let bound = |value: &Option<Decimal>| value.as_ref().map(Decimal::to_string).unwrap_or_default();
    [
        record.file.clone(),
        text(&record.name),
        record.shape.as_deref().map(shape_words).unwrap_or_default(),
        text(&record.dtype),
        record.ord.to_owned(),
        number(record.sigma),
        bound(&record.lower),
        bound(&record.upper),
        record.guarantee.to_owned(),
        number(record.delta),
        record.arithmetic.unwrap_or_default().to_owned(),
        number(record.residual),
        number(record.second),
        number(record.gap),
        record.multiplicity.map(|copies| copies.to_string()).unwrap_or_default(),
        number(record.frobenius),
        number(record.stable_rank),
        number(record.schur),
        bound(&record.cheap_upper),
        number(record.norm1),
        number(record.norm_inf),
        record.seed.map(|seed| seed.to_string()).unwrap_or_default(),
        record.iterations.map(|iterations| iterations.to_string()).unwrap_or_default(),
        record.status.to_owned(),
        number(record.seconds),
        text(&record.note),
    ]
}

fn write(out: &mut dyn Write, fields: &[String; 26]) -> io::Result<()> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(fields)?;
    let line = writer.into_inner().map_err(|error| io::Error::other(error.to_string()))?;
    out.write_all(&line)
}
