//! Results of every solver as they are stored: the same bits, statuses and numbers of steps, and no more read-backs.
//!
//! `tests/data/unchanged` has a file for each software adapter. Bits and read-backs are held against it on the driver
//! and the kind of processor that its first line names. Elsewhere, as on a GPU, rounding may differ: statuses and six
//! digits of each number are held against lavapipe's file. `OPNORM_RECORD=1` writes the file of the adapter at hand.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::OnceLock;

use opnorm::norm::{
    Control, JacobianSpectralNorm, Lanczos, Method, Power, PowerForm, Progress, Reduction, SpectralNorms, Start, Stop,
    Triplets,
};
use opnorm::operator::{Composition, Scaled, Sum, Transpose};
use opnorm::tape::Tape;
use opnorm::tensor::Tensor;
use opnorm::{Gpu, Matrix, Result};

use crate::matrices::{Dense, Source};

/// A device that no other test counts on.
fn gpu() -> &'static Gpu {
    static GPU: OnceLock<Gpu> = OnceLock::new();
    GPU.get_or_init(|| Gpu::new().unwrap())
}

fn upload(matrix: &Dense) -> Matrix {
    Matrix::from_slice(gpu(), matrix.rows, matrix.cols, &matrix.entries).unwrap()
}

/// One line for each batch element of a result; the first word is its status, the second its norm.
fn lines(norms: &SpectralNorms) -> Result<Vec<String>> {
    let bits = |value: Option<f64>| value.map_or_else(|| "-".to_string(), |value| format!("{:016x}", value.to_bits()));
    let vectors = [norms.left().read(gpu())?, norms.right().read(gpu())?];
    let (batch, count) =
        (norms.items().len(), |copies: Option<usize>| copies.map_or("-".to_string(), |copies| copies.to_string()));
    let line = |(index, item): (usize, &opnorm::norm::SpectralNorm)| {
        let hashes: Vec<String> = vectors
            .iter()
            .map(|all| all.chunks_exact(all.len() / batch).nth(index).map_or(0, hash))
            .map(|hash| format!("{hash:016x}"))
            .collect();
        format!(
            "{} {:.6e} {} {} {} {} {} {} {} {} {}",
            item.status.as_str(),
            item.sigma,
            item.iterations,
            item.products,
            count(item.multiplicity),
            bits(Some(item.sigma)),
            bits(Some(item.bounds.lower)),
            bits(Some(item.bounds.upper)),
            bits(item.second),
            bits(Some(item.residual.norm())),
            hashes.join(" "),
        )
    };
    Ok(norms.items().iter().enumerate().map(line).collect())
}

fn lines_of_top(found: &[Triplets]) -> Vec<String> {
    let line = |triplets: &Triplets| {
        let values: Vec<String> =
            triplets.values.iter().map(|value| format!("{:016x}", value.sigma.to_bits())).collect();
        let vectors: Vec<f32> =
            triplets.values.iter().flat_map(|value| [&value.left[..], &value.right].concat()).collect();
        let first = triplets.values.first().map_or(f64::NAN, |value| value.sigma);
        format!(
            "{} {first:.6e} {} {} {:016x}",
            triplets.status.as_str(),
            triplets.iterations,
            values.join(" "),
            hash(&vectors)
        )
    };
    found.iter().map(line).collect()
}

/// The hash of Fowler, Noll and Vo of the bits of some numbers.
fn hash(numbers: &[f32]) -> u64 {
    let bytes = numbers.iter().flat_map(|number| number.to_bits().to_le_bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// A matrix with these singular values, between random orthonormal vectors.
fn with_values(source: &mut Source, rows: usize, cols: usize, values: &[f64]) -> Dense {
    let (left, right) = (source.orthonormal(rows, values.len()), source.orthonormal(cols, values.len()));
    let entry = |row: usize, col: usize| {
        values.iter().enumerate().map(|(rank, value)| left[(row, rank)] * value * right[(col, rank)]).sum()
    };
    Dense::from_fn(rows, cols, entry)
}

fn first_difference(size: usize) -> Dense {
    Dense::from_fn(size - 1, size, |row, col| f64::from(i8::from(row + 1 == col) - i8::from(row == col)))
}

/// A batch of a Gaussian, a zero, a non-finite, an identity, a rank-one and a very large matrix, 16 x 16 each.
fn mixed_batch(source: &mut Source) -> Matrix {
    let mut entries = source.gaussian(16, 16).entries;
    entries.extend([0.0; 256]);
    let mut not_finite = source.gaussian(16, 16).entries;
    not_finite[17] = f32::NAN;
    entries.extend(not_finite);
    entries.extend(Dense::from_fn(16, 16, |row, col| f64::from(u8::from(row == col))).entries);
    entries.extend(Dense::from_fn(16, 16, |row, col| (row as f64 + 1.0) * (0.5 - col as f64)).entries);
    entries.extend(source.gaussian(16, 16).scaled(1e30).entries);
    Matrix::from_batch(gpu(), 6, 16, 16, &entries).unwrap()
}

type Case = (&'static str, Box<dyn Fn() -> Result<Vec<String>>>);

fn case(name: &'static str, run: impl Fn() -> Result<Vec<String>> + 'static) -> Case {
    (name, Box::new(run))
}

fn lanczos(name: &'static str, matrix: Dense, options: Lanczos) -> Case {
    case(name, move || lines(&options.norm(&upload(&matrix))?))
}

fn cases_of_values() -> Vec<Case> {
    let mut source = Source::new(90);
    let (wide, tall) = (source.gaussian(64, 128), source.gaussian(300, 200));
    let decaying: Vec<f64> = (0..60).map(|rank| 0.9f64.powi(rank)).collect();
    let small_basis = Lanczos { basis_bytes: 8 * 4 * 80, ..Lanczos::default() };
    vec![
        lanczos("wide", wide.clone(), Lanczos::default()),
        lanczos("tall", tall.clone(), Lanczos::default()),
        lanczos("difference", first_difference(120), Lanczos::default()),
        lanczos("restarts", with_values(&mut source, 80, 90, &decaying), small_basis),
        lanczos("out-of-steps", tall, Lanczos { max_iter: 7, ..Lanczos::default() }),
        lanczos("seed", wide.clone(), Lanczos { seed: 5, stop: Stop::Value { rtol: 1e-4 }, ..Lanczos::default() }),
        lanczos("row", source.gaussian(1, 50), Lanczos::default()),
        case("warm", move || {
            let matrix = upload(&wide);
            let first = Lanczos::default().norm(&matrix)?;
            let control = Control::new().starting_from(&first);
            lines(&gpu().block_on(Lanczos::default().norm_async(&matrix, control))?)
        }),
        case("mixed", || lines(&Lanczos::default().norm(&mixed_batch(&mut Source::new(91)))?)),
        case("progress", || {
            let mut heard = Vec::new();
            let note = |progress: &Progress| {
                heard.push(format!("heard {:.6e} {} {}", progress.sigma, progress.iterations, progress.done));
                Ok(())
            };
            let control = Control::new().on_progress(note);
            let _ = gpu().block_on(Lanczos::default().norm_async(&mixed_batch(&mut Source::new(91)), control))?;
            Ok(heard)
        }),
    ]
}

fn cases_of_bounds_and_copies() -> Vec<Case> {
    let mut source = Source::new(92);
    let copies = with_values(&mut source, 30, 40, &[3.0, 3.0, 3.0, 2.5, 1.0, 0.5]);
    let close = with_values(&mut source, 40, 30, &[2.0, 1.999, 1.0, 0.9, 0.5, 0.25, 0.1]);
    let gradient = Lanczos { stop: Stop::Gradient { tolerance: 1e-3 }, ..Lanczos::default() };
    let counted = Lanczos { multiplicity: true, ..Lanczos::default() };
    let bound = Lanczos { stop: Stop::Bound { rtol: 1e-3, delta: 1e-6 }, ..Lanczos::default() };
    let loose = Lanczos { delta: Some(0.01), chains: Some(2), ..Lanczos::default() };
    vec![
        lanczos("copies", copies.clone(), counted.clone()),
        lanczos("copies-restarted", copies.clone(), Lanczos { basis_bytes: 14 * 4 * 64, ..counted.clone() }),
        lanczos("gradient", close.clone(), gradient.clone()),
        lanczos("gradient-of-copies", copies, gradient),
        case("counted-batch", move || lines(&counted.norm(&mixed_batch(&mut Source::new(93)))?)),
        lanczos("bound", first_difference(90), bound.clone()),
        lanczos("bound-gaussian", source.gaussian(50, 70), bound.clone()),
        lanczos("delta", source.gaussian(70, 40), loose),
        case("bound-batch", move || lines(&bound.norm(&mixed_batch(&mut Source::new(94)))?)),
    ]
}

fn cases_of_other_solvers() -> Vec<Case> {
    let mut source = Source::new(95);
    let matrix = with_values(&mut source, 50, 40, &[2.0, 1.5, 1.0, 0.3]);
    let gram = Power { form: PowerForm::Gram, ..Power::default() };
    let median = Power { start: Start::Median { seed: 3 }, ..Power::default() };
    let (first, second, third, fourth) = (matrix.clone(), matrix.clone(), matrix.clone(), matrix.clone());
    let slow = source.gaussian(200, 150);
    let top = Lanczos { max_iter: 70, ..Lanczos::default() };
    vec![
        case("power", move || lines(&Power::default().norm(&upload(&first))?)),
        case("power-gram", move || lines(&gram.norm(&upload(&second))?)),
        case("power-median", move || lines(&median.norm(&upload(&third))?)),
        case("power-batch", || lines(&Power::default().norm(&mixed_batch(&mut Source::new(96)))?)),
        case("power-out-of-steps", move || lines(&Power { max_iter: 40, ..Power::default() }.norm(&upload(&slow))?)),
        case("top-of-whole", move || Ok(lines_of_top(&Lanczos::default().top(&upload(&fourth), 5)?))),
        case("top", move || {
            let values: Vec<f64> =
                [2.0, 2.0, 1.5, 1.5, 1.5].into_iter().chain((1..40).map(|rank| 1.0 / f64::from(rank))).collect();
            let matrix = with_values(&mut Source::new(97), 160, 150, &values);
            Ok(lines_of_top(&top.top(&upload(&matrix), 4)?))
        }),
    ]
}

fn cases_of_operators() -> Vec<Case> {
    let mut source = Source::new(98);
    let (left, right, other) = (source.gaussian(30, 20), source.gaussian(20, 40), source.gaussian(30, 40));
    vec![
        case("operators", move || {
            let (left, right, other) = (upload(&left), upload(&right), upload(&other));
            let product = Composition::new(&left, &right)?;
            let sum = Sum::new(&product, Scaled::new(&other, -0.5)?)?;
            let mut found = lines(&Lanczos::default().norm(&sum)?)?;
            found.extend(lines(&Lanczos { delta: Some(0.01), ..Lanczos::default() }.norm(&Transpose(&product))?)?);
            Ok(found)
        }),
        case("jacobian", || {
            let mut source = Source::new(99);
            let tape = Tape::new(gpu());
            let weight = tape.input(&[12, 9])?;
            let values = Tensor::from_slice(gpu(), &[12, 9], &source.gaussian(12, 9).entries)?;
            let samples = Tensor::from_slice(gpu(), &[6, 12], &source.gaussian(6, 12).entries)?;
            let mut found = Vec::new();
            for delta in [None, Some(0.01)] {
                let method = Method::Lanczos(Lanczos { delta, ..Lanczos::default() });
                let norm =
                    JacobianSpectralNorm { method, reduction: Reduction::Sum, ..JacobianSpectralNorm::default() };
                let norms = norm.norms(&tape, |x| x.matmul(&weight)?.tanh(), &samples, &[(&weight, &values)])?;
                found.extend(lines(norms.norms())?);
                let gradient = norms.gradient(&[&weight])?.remove(0).read(gpu())?;
                found.push(format!("gradient {:.6e} {:016x}", norms.reduced().unwrap_or(f64::NAN), hash(&gradient)));
            }
            Ok(found)
        }),
    ]
}

/// The adapter with all that its rounding may depend on: name, driver, the processor, and the host's logarithm and
/// cosine.
fn machine() -> String {
    let capabilities = gpu().capabilities();
    #[cfg(target_arch = "x86_64")]
    let wide = std::arch::is_x86_feature_detected!("avx512f");
    #[cfg(not(target_arch = "x86_64"))]
    let wide = false;
    let host = format!("{}{}", std::env::consts::ARCH, if wide { " with avx512" } else { "" });
    let library = hash(&Source::new(0).gaussian(1, 2000).entries);
    let (name, backend, driver) = (&capabilities.name, &capabilities.backend, &capabilities.driver);
    format!("{name} {backend}, {driver}, host {host}, functions {library:016x}")
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/unchanged")
}

/// The name of this adapter's file.
fn file() -> String {
    let capabilities = gpu().capabilities();
    let name = capabilities.name.split(' ').next().unwrap_or("device").to_lowercase();
    format!("{name}-{}.txt", capabilities.backend)
}

/// How far two correct runs may be apart: the relative error that a case stops at.
fn tolerance(name: &str) -> f64 {
    match name {
        "seed" => 1e-4,
        "out-of-steps" | "power-out-of-steps" => 1e-2,
        _ if name.starts_with("bound") => 1e-3,
        _ => 4e-6,
    }
}

/// Statuses and values, which do not depend on the order of roundings by more than what a run stops at.
fn compare_values(stored: &str, found: &str) {
    let values = |text: &str| -> Vec<(String, String, f64)> {
        let words = |line: &str| {
            let words: Vec<&str> = line.split(' ').collect();
            (words[0].to_string(), words[1].to_string(), words[2].parse().unwrap_or(f64::NAN))
        };
        let counts = |(_, kind, _): &(String, String, f64)| kind != "read-backs" && kind != "heard";
        text.lines().skip(1).map(words).filter(counts).collect()
    };
    let (stored, found) = (values(stored), values(found));
    assert_eq!(stored.len(), found.len());
    for (stored, found) in stored.iter().zip(&found) {
        assert_eq!((&stored.0, &stored.1), (&found.0, &found.1));
        let same = stored.2 == found.2
            || (stored.2 - found.2).abs() <= tolerance(&stored.0) * stored.2
            || (stored.2.is_nan() && found.2.is_nan());
        assert!(same, "{stored:?} {found:?}");
    }
}

/// Every bit, and no more read-backs.
fn compare_bits(stored: &str, found: &str) {
    let read_backs = |line: &str| {
        let (name, count) = line.split_once(" read-backs ")?;
        Some((name.to_string(), count.parse::<u64>().ok()?))
    };
    let mut differ = Vec::new();
    for (stored, found) in stored.lines().zip(found.lines()) {
        let same = match (read_backs(stored), read_backs(found)) {
            (Some((name, most)), Some((other, count))) => name == other && count <= most,
            _ => stored == found,
        };
        if !same {
            differ.push(format!("stored {stored}\nfound  {found}"));
        }
    }
    assert!(differ.is_empty(), "{} lines differ:\n{}", differ.len(), differ.join("\n"));
    assert_eq!(stored.lines().count(), found.lines().count());
}

#[test]
fn results_and_read_backs_are_those_stored() {
    let mut found = format!("# {}\n", machine());
    let cases = [cases_of_values(), cases_of_bounds_and_copies(), cases_of_other_solvers(), cases_of_operators()];
    for (name, run) in cases.into_iter().flatten() {
        let before = gpu().totals().read_backs;
        // The vectors are read to be hashed as well, the same number of times in each run.
        let result = run().unwrap_or_else(|error| panic!("{name}: {error}"));
        writeln!(found, "{name} read-backs {}", gpu().totals().read_backs - before).unwrap();
        result.iter().for_each(|line| writeln!(found, "{name} {line}").unwrap());
    }
    if std::env::var("OPNORM_RECORD").is_ok_and(|value| value == "1") {
        std::fs::write(folder().join(file()), &found).unwrap();
        return;
    }
    match std::fs::read_to_string(folder().join(file())) {
        Ok(stored) if stored.lines().next() == found.lines().next() => compare_bits(&stored, &found),
        _ => compare_values(&std::fs::read_to_string(folder().join("llvmpipe-vulkan.txt")).unwrap(), &found),
    }
}
