//! Sparse matrices: what scipy writes against numbers of numpy, false claims of every kind, and mutated files.

use opnorm::Error;
use opnorm::io::{Checkpoint, Format};
use opnorm::norm::CheapNorms;
use opnorm::tensor::SparseEntries;

use crate::allocations::with_bounded_allocations;
use crate::broken::{Random, mutate, read_everything};
use crate::making::{DEFLATED, STORED, encode, fixture, npy, zip_of};

fn entries(checkpoint: &Checkpoint) -> Result<SparseEntries, Error> {
    assert_eq!(checkpoint.entries().len(), 1);
    checkpoint.read_sparse(&checkpoint.entries()[0])
}

#[test]
fn what_scipy_writes_is_read() {
    let text = std::fs::read_to_string(fixture("sparse.json")).unwrap();
    let expected: serde_json::Value = serde_json::from_str(&text).unwrap();
    for (name, expected) in expected.as_object().unwrap() {
        let checkpoint = Checkpoint::open(fixture(name)).unwrap();
        let entry = &checkpoint.entries()[0];
        assert!(entry.is_sparse() && entry.skipped().is_none() && checkpoint.read(entry).is_err(), "{name}");
        assert_eq!(serde_json::json!(entry.shape), expected["shape"], "{name}");
        assert_eq!(entry.name, name.split('.').next().unwrap());
        let entries = entries(&checkpoint).unwrap_or_else(|error| panic!("{error}"));
        let norms = CheapNorms::of_entries(&entries);
        for (key, found) in [("frobenius", norms.frobenius), ("one", norms.one), ("inf", norms.infinity)] {
            let expected = expected[key].as_f64().unwrap();
            assert!((found - expected).abs() <= 1e-14 * expected, "{name}: {key} is {found}, not {expected}");
        }
        let mut dense = faer::Mat::<f64>::zeros(entries.rows(), entries.cols());
        entries.iter().for_each(|(row, col, value)| dense[(row, col)] = value);
        let (norm, expected) = (dense.singular_values().unwrap()[0], expected["norm"].as_f64().unwrap());
        assert!((norm - expected).abs() <= 1e-13 * expected, "{name}: {norm}, not {expected}");
    }
    let format = |name: &str| Checkpoint::open(fixture(name)).unwrap().format();
    assert_eq!([format("sparse_symmetric.mtx.gz"), format("sparse_bsr.npz")], [Format::MatrixMarket, Format::Npz]);
}

#[test]
fn complex_values_are_refused_by_name() {
    let checkpoint = Checkpoint::open(fixture("sparse_complex.npz")).unwrap();
    let message = entries(&checkpoint).unwrap_err().to_string();
    assert!(message.contains("complex numbers (c128)") && message.contains("[[Re, -Im], [Im, Re]]"), "{message}");
    let text = b"%%MatrixMarket matrix coordinate complex hermitian\n1 1 1\n1 1 2.0 0.0\n";
    let checkpoint = Checkpoint::from_bytes("h.mtx", text.to_vec()).unwrap();
    assert!(entries(&checkpoint).unwrap_err().to_string().contains("complex numbers"));
}

fn triplets(name: &str, bytes: &[u8]) -> Result<Vec<(usize, usize, f64)>, String> {
    let found = with_bounded_allocations(bytes.len(), || {
        let checkpoint = Checkpoint::from_bytes(name, bytes.to_vec())?;
        Ok::<_, Error>(entries(&checkpoint)?.iter().collect())
    });
    found.map_err(|error| error.to_string())
}

fn integers(descr: &str, values: &[i64]) -> Vec<u8> {
    let bytes = match descr {
        "<i4" => values.iter().flat_map(|value| (*value as i32).to_le_bytes()).collect::<Vec<u8>>(),
        ">i8" => values.iter().flat_map(|value| value.to_be_bytes()).collect(),
        _ => values.iter().flat_map(|value| value.to_le_bytes()).collect(),
    };
    npy(descr, false, &[values.len()], &bytes)
}

/// An archive as of scipy, with `data` of f64 of one axis unless `blocks` are given.
fn archive(format: &str, shape: &[i64], data: &[f64], arrays: &[(&str, &[i64])]) -> Vec<u8> {
    archive_of(format, shape, &npy("<f8", false, &[data.len()], &encode("<f8", data)), arrays)
}

fn archive_of(format: &str, shape: &[i64], data: &[u8], arrays: &[(&str, &[i64])]) -> Vec<u8> {
    let format = npy(&format!("|S{}", format.len()), false, &[], format.as_bytes());
    let arrays = arrays.iter().map(|(name, values)| (format!("{name}.npy"), integers("<i4", values)));
    let mut members: Vec<(String, Vec<u8>)> = arrays.collect();
    members.push(("format.npy".to_owned(), format));
    members.push(("shape.npy".to_owned(), integers("<i8", shape)));
    members.push(("data.npy".to_owned(), data.to_vec()));
    let members: Vec<_> = members.iter().map(|(name, bytes)| (name.as_str(), STORED, &bytes[..])).collect();
    zip_of(&members)
}

#[test]
fn archives_that_contradict_themselves_are_refused() {
    let read = |bytes: Vec<u8>| triplets("a.npz", &bytes);
    let csr = |indptr: &[i64], indices: &[i64], data: &[f64]| {
        read(archive("csr", &[2, 3], data, &[("indptr", indptr), ("indices", indices)]))
    };
    assert_eq!(csr(&[0, 1, 3], &[2, 0, 0], &[1.0, 2.0, 0.5]).unwrap(), [(0, 2, 1.0), (1, 0, 2.5)]);
    let refused = |found: Result<_, String>, words: &str| {
        let message = found.unwrap_err();
        assert!(message.starts_with("a.npz") && message.contains(words), "`{message}` does not say `{words}`");
    };
    refused(csr(&[0, 1, 3], &[2, 0, 3], &[1.0; 3]), "`indices`: has 3 at position 2, outside of 0 to 3 (exclusive)");
    refused(csr(&[0, 1, 3], &[2, 0, -1], &[1.0; 3]), "has -1 at position 2");
    refused(csr(&[0, 3, 1], &[2, 0, 1], &[1.0; 3]), "`indptr`: goes down from 3 to 1 at position 2");
    refused(csr(&[1, 2, 3], &[2, 0, 1], &[1.0; 3]), "begins with 1, and has to begin with 0");
    refused(csr(&[0, 3], &[2, 0, 1], &[1.0; 3]), "`indptr` has 2 entries, and 2 rows need 3");
    refused(csr(&[0, 1, 4], &[2, 0, 1], &[1.0; 3]), "`indptr` ends with 4, and `indices` has 3 entries");
    refused(csr(&[0, 1, 3], &[2, 0, 1], &[1.0; 2]), "`indices` has 3 entries and `data` 2");
    refused(csr(&[0, -1, 3], &[2, 0, 1], &[1.0; 3]), "`indptr`: has -1 at position 1");
    let coo = |row: &[i64], col: &[i64]| read(archive("coo", &[2, 3], &[1.0, 2.0], &[("row", row), ("col", col)]));
    assert_eq!(coo(&[1, 0], &[2, 2]).unwrap(), [(0, 2, 2.0), (1, 2, 1.0)]);
    refused(coo(&[1], &[2, 2]), "1 rows of entries, 2 columns and 2 values");
    refused(coo(&[2, 0], &[2, 2]), "`row`: has 2 at position 0");
    let dia = |offsets: &[i64], shape: &[usize], data: &[f64]| {
        read(archive_of("dia", &[2, 3], &npy("<f8", false, shape, &encode("<f8", data)), &[("offsets", offsets)]))
    };
    let diagonals = dia(&[0, 2], &[2, 3], &[1.0, 2.0, 9.0, 9.0, 9.0, 3.0]).unwrap();
    assert_eq!(diagonals, [(0, 0, 1.0), (0, 2, 3.0), (1, 1, 2.0)]);
    refused(dia(&[0], &[2, 3], &[1.0; 6]), "`data` has the shape [2, 3] for 1 diagonals");
    refused(dia(&[1, 1], &[2, 3], &[1.0; 6]), "`offsets` has the diagonal 1 twice");
    let bsr = |shape: &[i64], blocks: &[usize], count: usize| {
        let data = npy("<f8", false, blocks, &encode("<f8", &vec![1.0; count]));
        read(archive_of("bsr", shape, &data, &[("indptr", &[0, 1]), ("indices", &[1])]))
    };
    assert_eq!(bsr(&[1, 4], &[1, 1, 2], 2).unwrap(), [(0, 2, 1.0), (0, 3, 1.0)]);
    refused(bsr(&[1, 3], &[1, 1, 2], 2), "blocks of 1 x 2 do not tile 1 x 3");
    refused(bsr(&[1, 4], &[2, 1, 2], 4), "`indices` has 1 entries, and `data` 2 blocks");
    refused(bsr(&[1, 4], &[4], 4), "not blocks x rows x columns");
    refused(read(archive("lil", &[2, 3], &[1.0], &[])), "format `lil`; csr, csc, coo, bsr and dia are read");
    refused(
        read(archive("coo", &[2, 3], &[1.0], &[("row", &[0])])),
        "`col`: this array of the sparse matrix is missing",
    );
    refused(read(archive("coo", &[2, 3, 4], &[1.0], &[])), "a sparse array of 3 axes; two are read");
    refused(read(archive("coo", &[1 << 40, 3], &[1.0], &[])), "sides up to 4294967295 are read");
    let parts = [("data.npy", &[1.0][..]), ("indices.npy", &[0.0]), ("indptr.npy", &[0.0])];
    let parts = parts.map(|(name, values)| (name, npy("<f8", false, &[1], &encode("<f8", values))));
    let parts: Vec<_> = parts.iter().map(|(name, bytes)| (*name, STORED, &bytes[..])).collect();
    refused(read(zip_of(&parts)), "without its `format` and `shape`: write it by scipy.sparse.save_npz");
}

/// A `data` alone, or beside other arrays, is an array like others.
#[test]
fn archives_of_dense_arrays_stay_dense() {
    let array = npy("<f4", false, &[2], &encode("<f4", &[1.0, 2.0]));
    let file = zip_of(&[("data.npy", STORED, &array), ("shape.npy", DEFLATED, &array), ("format.npy", STORED, &array)]);
    let checkpoint = Checkpoint::from_bytes("a.npz", file).unwrap();
    assert!(checkpoint.entries().iter().all(|entry| !entry.is_sparse()) && checkpoint.entries().len() == 3);
}

#[test]
fn matrix_market_files_are_read_line_by_line() {
    let general = "%%matrixmarket MATRIX Coordinate Real General\r\n% a comment\r\n\r\n2 3 3\r\n2 3 1.5\r\n\r\n\
                   % another\r\n 1 1 -2D+01\r\n2 3 0.5";
    assert_eq!(triplets("a.mtx", general.as_bytes()).unwrap(), [(0, 0, -20.0), (1, 2, 2.0)]);
    let read =
        |header: &str, lines: &str| triplets("a.mtx", format!("%%MatrixMarket matrix {header}\n{lines}").as_bytes());
    let all = |header: &str, lines: &str| read(header, lines).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(all("coordinate integer skew-symmetric", "2 2 1\n2 1 3"), [(0, 1, -3.0), (1, 0, 3.0)]);
    assert_eq!(all("coordinate pattern symmetric", "2 2 2\n1 1\n2 1\n"), [(0, 0, 1.0), (0, 1, 1.0), (1, 0, 1.0)]);
    assert_eq!(all("array real general", "2 2\n1\n0\n3\n4\n"), [(0, 0, 1.0), (0, 1, 3.0), (1, 1, 4.0)]);
    assert_eq!(all("array real symmetric", "2 2\n1\n2\n3"), [(0, 0, 1.0), (0, 1, 2.0), (1, 0, 2.0), (1, 1, 3.0)]);
    assert_eq!(all("array integer skew-symmetric", "2 2\n5"), [(0, 1, -5.0), (1, 0, 5.0)]);
    assert_eq!(all("coordinate real general", "4000000000 3 0"), []);
    for (header, lines, words) in [
        ("coordinate real general", "2 2 2\n1 1 1\n", "ends at line 3 with 1 of the 2 entries that line 2 says"),
        ("coordinate real general", "2 2 1\n1 1 1\n% x\n2 2 1", "line 5 is an entry more than the 1 of line 2"),
        ("coordinate real general", "2 2 1\n3 1 1", "line 3 is `3 1 1`: `3` is no index from 1 to 2"),
        ("coordinate real general", "2 2 1\n1 0 1", "`0` is no index from 1 to 2"),
        ("coordinate real general", "2 2 1\n1 1", "the value is missing"),
        ("coordinate real general", "2 2 1\n1 1 x", "`x` is no number"),
        ("coordinate real general", "2 2 1\n1 1 1 1", "more words than an entry has"),
        ("coordinate integer general", "2 2 1\n1 1 1.5", "`1.5` is no integer of 64 bits"),
        ("coordinate real general", "2 2", "line 2 is `2 2`, and has to give rows, columns and the number of entries"),
        ("coordinate real general", "", "ends before the line of its sizes"),
        ("coordinate real symmetric", "2 3 0", "a symmetric matrix is square"),
        ("coordinate real skew-symmetric", "2 2 1\n1 1 3", "the diagonal of a skew-symmetric matrix is zero"),
        ("coordinate real diagonal", "2 2 0", "the symmetry is `diagonal`"),
        ("array pattern general", "2 2", "the field is `pattern`"),
        ("sparse real general", "2 2", "the layout is `sparse`"),
        ("coordinate real", "2 2", "has to be `%%MatrixMarket matrix LAYOUT FIELD SYMMETRY`"),
        ("array real general", "18446744073709551615 2", "which is more than memory can address"),
        ("coordinate real general", "5000000000 2 0", "sides up to 4294967295 are read"),
    ] {
        let message = read(header, lines).unwrap_err();
        assert!(message.starts_with("a.mtx") && message.contains(words), "`{message}` does not say `{words}`");
    }
    let long = read("coordinate real general", &format!("2 2 1\n{}", "1".repeat(1 << 17))).unwrap_err();
    assert!(long.contains("line 3 is longer than 65536 bytes"), "{long}");
    let not_one = triplets("a.mtx", b"hello\n").unwrap_err();
    assert!(not_one.contains("the first line is `hello`"), "{not_one}");
    let packed = triplets("a.gz", b"\x1f\x8b\x08\x00\x00").unwrap_err();
    assert!(packed.contains("is compressed by gzip, and no Matrix Market file"), "{packed}");
    let mut cut = std::fs::read(fixture("sparse_symmetric.mtx.gz")).unwrap();
    cut.truncate(cut.len() / 2);
    let cut = triplets("a.mtx.gz", &cut).unwrap_err();
    assert!(cut.contains("cannot be read") || cut.contains("ends"), "{cut}");
}

/// Some thousand mutated files of each kind, 100 000 under `OPNORM_FULL`.
#[test]
fn broken_sparse_files_never_panic() {
    let is_full = std::env::var("OPNORM_FULL").is_ok_and(|value| value == "1");
    let count = if is_full { 100_000 } else { 2500 };
    let read = |names: &[&str]| names.iter().map(|name| std::fs::read(fixture(name)).unwrap()).collect::<Vec<_>>();
    let texts = read(&["sparse_real.mtx", "sparse_integer.mtx", "sparse_pattern.mtx", "sparse_array_skew.mtx"]);
    let packed = read(&["sparse_symmetric.mtx.gz"]);
    let archives = vec![
        archive("csr", &[2, 3], &[1.0, 2.0, 3.0], &[("indptr", &[0, 1, 3]), ("indices", &[2, 0, 1])]),
        archive("coo", &[2, 3], &[1.0, 2.0], &[("row", &[0, 1]), ("col", &[2, 0])]),
        archive("dia", &[3, 3], &[1.0, 2.0, 3.0], &[("offsets", &[1])]),
    ];
    let mut random = Random(11);
    for (name, files) in [("a.mtx", &texts), ("a.mtx.gz", &packed), ("a.npz", &archives)] {
        let valid = (0..count).filter(|_| {
            let mut bytes = files[random.below(files.len())].clone();
            mutate(&mut random, &mut bytes);
            with_bounded_allocations(bytes.len(), || read_everything(name, &bytes))
        });
        println!("{name}: {count} broken files, {} of them opened", valid.count());
    }
    // Sound archives of broken arrays, because the checksum refuses broken archives.
    for _ in 0..count {
        let numbers = |random: &mut Random, most: usize| {
            (0..random.below(most)).map(|_| i64::from(random.next() as u8 % 9) - 1).collect::<Vec<_>>()
        };
        let format = ["csr", "csc", "bsr", "coo", "dia"][random.below(5)];
        let (indptr, indices, shape) = (numbers(&mut random, 5), numbers(&mut random, 5), numbers(&mut random, 4));
        let data = vec![1.0; random.below(5)];
        let arrays: &[(&str, &[i64])] =
            &[("indptr", &indptr), ("indices", &indices), ("row", &indptr), ("col", &indices), ("offsets", &indptr)];
        let bytes = archive(format, &shape, &data, arrays);
        with_bounded_allocations(bytes.len(), || read_everything("a.npz", &bytes));
    }
}
