//! Families with spectra that are dense at their edge, with closed forms of some norms.

use std::f64::consts::PI;

use opnorm::Error;
use opnorm::audit::{Bound, Event, Norms, Options, Order, Row, audit};
use opnorm::certify::Certifier;
use opnorm::io::{Checkpoint, NpzData, write_npz};

use super::exact::singular_values;
use super::matrices::Source;
use super::tally::Tally;
use super::{Wide, gpu, is_full};

/// The families.
pub(crate) const FAMILIES: [&str; 9] = [
    "second difference",
    "first difference",
    "blur",
    "Grcar",
    "path",
    "cycle",
    "lower triangle",
    "upper triangle",
    "random sparse",
];

/// The matrix of a family with `rows` rows.
pub(crate) fn draw(family: &str, side: usize, source: &mut Source) -> Wide {
    let cols = if family == "first difference" { side + 1 } else { side };
    let entries = match family {
        "random sparse" => {
            let mut entries = vec![0.0; side * side];
            for row in 0..side {
                for _ in 0..5 {
                    entries[row * side + source.size(1, side) - 1] = f64::from(source.normal() as f32);
                }
            }
            entries
        }
        _ => (0..side * cols).map(|index| entry(family, (index / cols, index % cols), side)).collect(),
    };
    Wide { rows: side, cols, entries }
}

fn entry(family: &str, (row, col): (usize, usize), side: usize) -> f64 {
    let off = col.cast_signed() - row.cast_signed();
    let ones = |holds: bool| f64::from(u8::from(holds));
    match family {
        "second difference" => [2.0, -1.0].get(off.unsigned_abs()).copied().unwrap_or(0.0),
        "first difference" => ones(off == 1) - ones(off == 0),
        "blur" => [0.375, 0.25, 0.0625].get(off.unsigned_abs()).copied().unwrap_or(0.0),
        "Grcar" => ones((0..=3).contains(&off)) - ones(off == -1),
        "path" => ones(off.abs() == 1),
        "cycle" => ones(col == (row + 1) % side || row == (col + 1) % side),
        "lower triangle" => ones(off <= 0),
        "upper triangle" => ones(off >= 0),
        other => unreachable!("{other}"),
    }
}

/// The norm: in closed form where known, else by a dense decomposition.
pub(crate) fn norm(family: &str, matrix: &Wide) -> f64 {
    let side = matrix.rows as f64;
    match family {
        "second difference" => 4.0 * (side * PI / (2.0 * side + 2.0)).sin().powi(2),
        "first difference" => 2.0 * (side * PI / (2.0 * side + 2.0)).sin(),
        "path" if matrix.rows == 1 => 0.0,
        "path" => 2.0 * (PI / (side + 1.0)).cos(),
        "cycle" => {
            if matrix.rows < 3 {
                1.0
            } else {
                2.0
            }
        }
        "lower triangle" | "upper triangle" => 0.5 / (PI / (4.0 * side + 2.0)).sin(),
        _ => singular_values(matrix)[0],
    }
}

/// The tested sides: every seventh up to 600 in the full run, and some on both sides of the size where the prover
/// changes its search.
pub(crate) fn sides(few: &[usize]) -> Vec<usize> {
    if is_full() { (1..=600).step_by(7).collect() } else { few.to_vec() }
}

/// Spectra that are dense at their edge, as of differences and blurs, have tight bounds on either side of the size
/// where the prover stops computing all eigenvalues.
#[test]
fn dense_edges_are_enclosed_as_tightly_as_any() {
    let mut tally = Tally::new("host");
    let mut source = Source::new(16);
    for family in FAMILIES {
        for side in sides(&[1, 2, 57, 253, 260, 323]) {
            let matrix = draw(family, side, &mut source);
            let exact = norm(family, &matrix);
            let (rows, cols) = (matrix.rows, matrix.cols);
            let single: Vec<f32> = matrix.entries.iter().map(|entry| *entry as f32).collect();
            let double: Vec<f64> = matrix.entries.iter().map(|entry| *entry * 1.1).collect();
            for (exact, found) in [
                (exact, Certifier::default().certify_on_host((1, rows, cols), &single[..])),
                (1.1 * exact, Certifier::default().certify_on_host((1, rows, cols), &double[..])),
            ] {
                let certificate = &found.unwrap()[0];
                tally.see(family, (rows, cols), &certificate.bounds, &[exact]);
                assert!(
                    (certificate.sigma - exact).abs() <= 1e-9 * exact,
                    "{family}, {side}: {certificate:?}, {exact}"
                );
            }
        }
    }
    tally.report();
    assert_eq!(tally.failures, 0);
    assert!(tally.widest <= 1e-11, "{}", tally.widest);
}

/// A report with a proof says at least as much as without.
#[test]
fn a_proof_makes_no_row_worse() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("edges.npz");
    let mut source = Source::new(17);
    let (mut count, mut widest, mut farthest) = (0, 0f64, 0f64);
    for side in sides(&[1, 29, 264]) {
        let matrices: Vec<Wide> = FAMILIES.iter().map(|family| draw(family, side, &mut source)).collect();
        write(&file, &matrices);
        let options = Options {
            bound: Bound::Certified(Certifier::default()),
            norms: Norms::Only(Order::Spectral),
            ..Options::default()
        };
        audit(gpu(), &Checkpoint::open(&file).unwrap(), &options, &mut |event| {
            if let Event::Row(row) = event {
                let (kind, index) = row.name.split_once(' ').unwrap();
                let index: usize = index.parse().unwrap();
                let exact = norm(FAMILIES[index], &matrices[index]) * if kind == "f32" { 1.0 } else { 1.1 };
                assert_row(&row, exact);
                count += 1;
                if exact > 0.0 {
                    widest = widest.max(row.bounds.width());
                    farthest = farthest.max((row.sigma.unwrap() / exact - 1.0).abs());
                }
            }
            Ok(())
        })
        .unwrap();
    }
    println!("{count} rows, widest {widest:.1e}, sigma off by {farthest:.1e} at the most");
    assert!(count >= 54 && widest <= 1e-11, "{count}, {widest}");
}

/// An error of the observer ends an audit, although the same fault of a tensor would be a note of its row.
#[test]
fn an_observer_that_fails_ends_an_audit() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("edges.npz");
    write(&file, &[draw(FAMILIES[0], 29, &mut Source::new(18))]);
    let checkpoint = Checkpoint::open(&file).unwrap();
    let options = Options { bound: Bound::Certified(Certifier::default()), ..Options::default() };
    let failing: [fn(&Event<'_>) -> bool; 4] = [
        |event| matches!(event, Event::Started(_)),
        |event| matches!(event, Event::Solving(..)),
        |event| matches!(event, Event::Certifying(..)),
        |event| matches!(event, Event::Row(_)),
    ];
    for (place, is_failing) in failing.iter().enumerate() {
        let mut later = 0;
        let error = audit(gpu(), &checkpoint, &options, &mut |event| {
            later += usize::from(later > 0);
            if !is_failing(&event) {
                return Ok(());
            }
            later += 1;
            Err(Error::OutOfMemory { operation: "the observer".to_string(), bytes: 7 })
        });
        assert!(matches!(error, Err(Error::OutOfMemory { bytes: 7, .. })), "{place}: {error:?}");
        assert_eq!(later, 1, "{place}: events after the error");
    }
}

/// The matrices as they are in `f32`, and 1.1 times them in `f64`.
fn write(file: &std::path::Path, matrices: &[Wide]) {
    let single = |matrix: &Wide| matrix.entries.iter().map(|entry| *entry as f32).collect::<Vec<_>>();
    let double = |matrix: &Wide| matrix.entries.iter().map(|entry| entry * 1.1).collect::<Vec<_>>();
    let (singles, doubles): (Vec<_>, Vec<_>) = matrices.iter().map(|matrix| (single(matrix), double(matrix))).unzip();
    let names: Vec<_> = (0..matrices.len()).map(|index| [format!("f32 {index}"), format!("f64 {index}")]).collect();
    let shapes: Vec<_> = matrices.iter().map(|matrix| [matrix.rows, matrix.cols]).collect();
    let mut arrays: Vec<(&str, &[usize], NpzData<'_>)> = Vec::new();
    for (index, names) in names.iter().enumerate() {
        arrays.push((&names[0], &shapes[index], NpzData::F32(&singles[index])));
        arrays.push((&names[1], &shapes[index], NpzData::F64(&doubles[index])));
    }
    write_npz(file, &arrays).unwrap();
}

#[track_caller]
fn assert_row(row: &Row, exact: f64) {
    let margin = (row.shape[0] as f64 + 8.0) * f64::EPSILON * exact;
    let (bounds, sigma) = (row.bounds, row.sigma.unwrap());
    assert!(bounds.lower <= exact + margin && exact - margin <= bounds.upper, "{exact}: {row:?}");
    assert!((sigma - exact).abs() <= 2e-6 * exact, "{exact}: {row:?}");
    assert!((bounds.lower..=bounds.upper).contains(&sigma), "{row:?}");
    assert!(row.second.is_none_or(|second| second <= sigma), "{row:?}");
    assert!(row.gap.is_none_or(|gap| gap == sigma - row.second.unwrap_or(0.0)), "{row:?}");
}
