//! The names of the companions of a weight.

/// The name of the scales of a weight, where `exists` knows one.
pub(super) fn scales(name: &str, exists: impl Fn(&str) -> bool) -> Option<String> {
    let blocks = |ending: &str, scales: &str| name.strip_suffix(ending).map(|stem| format!("{stem}{scales}"));
    let beside = match name.rsplit_once('.') {
        Some((layer, "weight")) => Some(format!("{layer}.scale_weight")),
        None if name == "weight" => Some("scale_weight".to_owned()),
        _ => None,
    };
    let candidates = [
        Some(format!("{name}_scale_inv")),
        Some(format!("{name}_scale")),
        beside,
        blocks("_blocks", "_scales"),
        blocks(".blocks", ".scales"),
    ];
    candidates.into_iter().flatten().find(|name| exists(name))
}

/// The name of the one factor of all scales.
pub(super) fn second(name: &str) -> String {
    format!("{name}_scale_2")
}

/// The name of the zero points, which no weight here has.
pub(super) fn zero_points(name: &str) -> String {
    format!("{name}_zero_point")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn companions_are_found_by_their_names() {
        let all = ["a.weight_scale_inv", "b.weight_scale", "c.scale_weight", "d_scales", "e.scales", "scale_weight"];
        let of = |name: &str| scales(name, |name| all.contains(&name));
        assert_eq!(of("a.weight").as_deref(), Some("a.weight_scale_inv"));
        assert_eq!(of("b.weight").as_deref(), Some("b.weight_scale"));
        assert_eq!(of("c.weight").as_deref(), Some("c.scale_weight"));
        assert_eq!(of("d_blocks").as_deref(), Some("d_scales"));
        assert_eq!(of("e.blocks").as_deref(), Some("e.scales"));
        assert_eq!(of("weight").as_deref(), Some("scale_weight"));
        assert_eq!((of("c.bias"), of("f.weight"), of("d")), (None, None, None));
    }
}
