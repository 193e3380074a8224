//! Bounds from a single read of each entry.

use opnorm::Matrix;
use opnorm::norm::{cheap_norms, frobenius_norm_gradient};

use super::exact::singular_values;
use super::families::{self, FAMILIES};
use super::matrices::Source;
use super::{Wide, gpu};

#[test]
fn cheap_bounds_enclose_every_family() {
    let mut source = Source::new(14);
    let mut factors = Vec::new();
    for family in FAMILIES {
        for _ in 0..20 {
            let matrix = families::draw(family, 200, &mut source);
            let exact = matrix.singular_values()[0];
            let device = Matrix::from_slice(gpu(), matrix.rows, matrix.cols, &matrix.entries).unwrap();
            let norms = cheap_norms(&device).unwrap()[0];
            let bounds = norms.bounds;
            assert!(bounds.lower <= exact && exact <= bounds.upper, "{family}: {bounds:?}, {exact}");
            assert!(bounds.upper <= norms.frobenius.min(norms.schur()) * (1.0 + 1e-3), "{family}: {norms:?}");
            factors.push(bounds.upper / exact);
        }
    }
    factors.sort_by(f64::total_cmp);
    println!(
        "cheap upper bound / norm: median {:.2}, most {:.2}",
        factors[factors.len() / 2],
        factors[factors.len() - 1]
    );
}

/// The cheap bounds are as tight at the ends of the range of `f64`, and finite wherever the norm is.
#[test]
fn cheap_bounds_enclose_at_every_scale() {
    let integers = [3.0, -1.0, 2.0, 0.0, 5.0, 1.0, -4.0, 2.0, 7.0];
    for exponent in [-1074, -1060, -1000, -300, -41, 0, 41, 300, 1000, 1020] {
        let scale = if exponent < -1000 { 2f64.powi(-1000) * 2f64.powi(exponent + 1000) } else { 2f64.powi(exponent) };
        let matrix = Wide { rows: 3, cols: 3, entries: integers.iter().map(|entry| entry * scale).collect() };
        let exact = singular_values(&matrix)[0];
        let device = Matrix::from_f64(gpu(), 1, 3, 3, &matrix.entries).unwrap();
        let bounds = cheap_norms(&device).unwrap()[0].bounds;
        let unit = f64::from_bits(1);
        assert!(bounds.lower <= exact && exact <= bounds.upper, "2^{exponent}: {bounds:?}, {exact:e}");
        assert!(
            bounds.upper <= 1.3 * exact + 2.0 * unit && bounds.lower >= 0.5 * exact - 2.0 * unit,
            "2^{exponent}: {bounds:?}"
        );
    }
    let large = 1.7e308;
    let norms = |entries: [f64; 4]| cheap_norms(&Matrix::from_f64(gpu(), 1, 2, 2, &entries).unwrap()).unwrap()[0];
    let diagonal = norms([large, 0.0, 0.0, large]);
    assert!(diagonal.frobenius.is_infinite() && diagonal.one.is_finite(), "{diagonal:?}");
    assert!(diagonal.bounds.lower <= large && (large..1.001 * large).contains(&diagonal.bounds.upper), "{diagonal:?}");
    let beyond = norms([large; 4]);
    assert!(beyond.one.is_infinite() && beyond.infinity.is_infinite(), "{beyond:?}");
    assert!(
        beyond.bounds.lower.is_finite() && beyond.bounds.lower > large && beyond.bounds.upper.is_infinite(),
        "{beyond:?}"
    );
    assert!(
        frobenius_norm_gradient(&Matrix::from_f64(gpu(), 1, 2, 2, &[large, 0.0, 0.0, large]).unwrap())
            .unwrap()
            .read()
            .unwrap()
            .iter()
            .zip([0.5f32.sqrt(), 0.0, 0.0, 0.5f32.sqrt()])
            .all(|(found, exact)| (found - exact).abs() < 1e-6)
    );
}
