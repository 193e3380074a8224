//! Tests of the recognition of names and shapes.

use super::*;

fn found(tensors: &[(&str, &[usize])]) -> Groups {
    let listed: Vec<_> =
        tensors.iter().map(|&(name, shape)| Listed { name, shape, is_float: true, is_there: true }).collect();
    groups(&listed)
}

/// The only group: its plain name, format, parts and axes.
fn single(tensors: &[(&str, &[usize])]) -> (String, StateFormat, Vec<usize>, Vec<usize>) {
    let groups = found(tensors);
    assert!(groups.broken.is_empty() && groups.whole.len() == 1, "{groups:?}");
    let group = groups.whole[0].clone();
    (group.name, group.format, [&[group.weight][..], &group.others].concat(), group.axes)
}

fn problem(tensors: &[(&str, &[usize])]) -> String {
    let groups = found(tensors);
    assert!(groups.whole.is_empty() && groups.broken.len() == 1, "{groups:?}");
    groups.broken[0].1.clone()
}

#[test]
fn four_formats_of_any_parameter_have_their_plain_name() {
    let hooks = [("a.b.weight_v", &[6][..]), ("a.b.weight_orig", &[4, 2, 3]), ("a.b.weight_u", &[4])];
    assert_eq!(single(&hooks), ("a.b.weight".to_owned(), StateFormat::SpectralNorm, vec![1, 2, 0], vec![0]));
    let new = [
        ("parametrizations.kernel.original", &[3, 5][..]),
        ("parametrizations.kernel.0._u", &[5]),
        ("parametrizations.kernel.0._v", &[3]),
    ];
    let expected = ("kernel".to_owned(), StateFormat::ParametrizedSpectralNorm, vec![0, 1, 2], vec![1]);
    assert_eq!(single(&new), expected);
    let old = [("rnn.weight_hh_l0_g", &[4, 1][..]), ("rnn.weight_hh_l0_v", &[4, 2])];
    assert_eq!(single(&old), ("rnn.weight_hh_l0".to_owned(), StateFormat::WeightNorm, vec![1, 0], vec![0]));
    let new = [("x.parametrizations.weight.original0", &[1, 2][..]), ("x.parametrizations.weight.original1", &[4, 2])];
    let expected = ("x.weight".to_owned(), StateFormat::ParametrizedWeightNorm, vec![1, 0], vec![1]);
    assert_eq!(single(&new), expected);
}

#[test]
fn vectors_are_weights_where_names_or_shapes_tell() {
    let new = [("x.parametrizations.bias.original0", &[4][..]), ("x.parametrizations.bias.original1", &[4])];
    assert_eq!(single(&new), ("x.bias".to_owned(), StateFormat::ParametrizedWeightNorm, vec![1, 0], vec![0]));
    let old = [("bias_g", &[][..]), ("bias_v", &[4])];
    assert_eq!(single(&old), ("bias".to_owned(), StateFormat::WeightNorm, vec![1, 0], vec![]));
    let spectral = [("bias_orig", &[4][..]), ("bias_u", &[4]), ("bias_v", &[1])];
    assert_eq!(single(&spectral), ("bias".to_owned(), StateFormat::SpectralNorm, vec![0, 1, 2], vec![0]));
}

#[test]
fn axes_are_those_that_the_shapes_allow() {
    let spectral = |shape: &[usize], left: usize, right: usize| spectral_axes(shape, &[left], &[right]);
    assert_eq!(spectral(&[4, 4], 4, 4), Some(vec![0, 1]));
    assert_eq!(spectral(&[3, 4, 5], 5, 12), Some(vec![2]));
    assert_eq!(spectral(&[3, 4, 5], 5, 11), None);
    assert_eq!(spectral(&[0, 4], 0, 4), None);
    assert_eq!(spectral(&[4], 4, 1), Some(vec![0]));
    assert_eq!(spectral(&[4], 1, 4), None);
    assert_eq!(spectral(&[], 1, 1), None);
    assert_eq!(spectral_axes(&[4, 3], &[4, 1], &[3]), None);
    assert_eq!(weight_axes(&[4, 3], &[]), Some(vec![]));
    assert_eq!(weight_axes(&[4, 3, 2], &[1, 3, 1]), Some(vec![1]));
    assert_eq!(weight_axes(&[1, 3], &[1, 1]), Some(vec![]), "the length of the only row is that of all");
    assert_eq!(weight_axes(&[4, 3], &[3, 1]), None);
    assert_eq!(weight_axes(&[4, 3], &[4]), None);
    assert_eq!(weight_axes(&[4], &[4]), Some(vec![0]));
    assert_eq!(weight_axes(&[4], &[]), Some(vec![]));
    assert_eq!(weight_axes(&[4], &[1]), Some(vec![]));
    assert_eq!(weight_axes(&[4], &[3]), None);
    assert_eq!(weight_axes(&[], &[]), None);
}

#[test]
fn what_is_not_whole_is_told() {
    let words = problem(&[("l.weight_orig", &[4, 3]), ("l.weight_u", &[4])]);
    assert_eq!(words, "no spectral_norm of `l.weight`: `l.weight_v` is missing");
    let words = problem(&[("weight_orig", &[4, 3]), ("weight_u", &[3]), ("weight_v", &[3])]);
    assert!(words.contains("`weight_u` is [3] and `weight_v` is [3], which fits no axis of [4, 3]"), "{words}");
    let words = problem(&[("w", &[4, 3]), ("w_orig", &[4, 3]), ("w_u", &[4]), ("w_v", &[3])]);
    assert!(words.contains("holds the plain weight as well"), "{words}");
    let words = problem(&[("scale_g", &[4]), ("scale_v", &[4])]);
    assert_eq!(words, "no weight_norm of `scale`: two vectors of one shape may be anything by these names");
    let words = problem(&[("weight_g", &[2, 1]), ("weight_v", &[4, 3])]);
    assert!(words.contains("`weight_g` is [2, 1], which fits no axis of [4, 3]"), "{words}");
}

#[test]
fn other_names_are_left_alone() {
    for tensors in [
        &[("l.weight_orig", &[4, 3][..]), ("l.weight_mask", &[4, 3])][..],
        &[("l.parametrizations.weight.original", &[4, 3])],
        &[("xparametrizations.weight.original1", &[4, 3]), ("xparametrizations.weight.original0", &[4, 1])],
        &[("weight_u", &[4]), ("weight_v", &[3])],
        &[("_orig", &[4])],
        &[("", &[4]), (".", &[4]), ("original", &[4])],
    ] {
        let groups = found(tensors);
        assert!(groups.whole.is_empty() && groups.broken.is_empty(), "{groups:?}");
    }
}
