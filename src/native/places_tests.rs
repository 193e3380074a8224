//! Which elements belong together: blocks, parts of items, vectors and their segments.

use super::*;
use crate::device::Words;

#[test]
fn blocks_are_cut_alike() {
    let (mut first, mut second) = ([1, 2, 3, 4, 5], [6, 7, 8, 9, 10]);
    let found: Vec<Vec<Vec<i32>>> = blocks(vec![&mut first[..], &mut second[..]], 2)
        .map(|slices| slices.into_iter().map(|slice| slice.to_vec()).collect())
        .collect();
    assert_eq!(found, [[vec![1, 2], vec![6, 7]], [vec![3, 4], vec![8, 9]], [vec![5], vec![10]]]);
    assert_eq!(blocks(vec![&mut first[..]], 0).count(), 5);
    assert_eq!(blocks::<u8>(Vec::new(), 3).count(), 0);
}

#[test]
fn parts_stay_within_their_item() {
    let parts = Parts::new(5, 3, 2); // items of 20 elements in segments of 8
    let found: Vec<_> = (0..6).map(|index| parts.of(index)).collect();
    assert_eq!(found, [0..8, 8..16, 16..20, 20..28, 28..36, 36..40]);
    let empty = Parts::new(1, 3, 1).of(2);
    assert!(empty.is_empty() && empty.end == 4, "{empty:?}");
}

/// Each element is its vector and its place, once, except in vectors that sit out.
#[test]
fn every_part_of_the_vectors_is_visited_once() {
    for length in [1usize, 5, 1023, 1024, 2500] {
        let mask = [1u32, 0, 1];
        let mut output = vec![0f32.to_bits(); 3 * length];
        let vectors = Vectors::new(length as u32, Words::Read(&mask), 3);
        vectors.each_part(3, Words::Write(&mut output), |vector, first, output| {
            let within = first..first + output.len();
            assert!(vectors.part(vector).start <= within.start && within.end <= vectors.part(vector).end);
            for (place, output) in within.zip(output) {
                *output += 1.0 + place as f32;
            }
        });
        for (place, found) in output.into_iter().enumerate() {
            let wanted = if place / length == 1 { 0.0 } else { 1.0 + place as f32 };
            assert_eq!(f32::from_bits(found), wanted, "{length}, {place}");
        }
    }
}

#[test]
fn every_segment_of_the_vectors_has_its_places() {
    let vectors = Vectors::all(10);
    let mut output = [0u32; 8];
    vectors.each_segment::<u32>(2, (4, 4), Words::Write(&mut output), |vector, places, output| {
        assert!(places.start >= 10 * vector && places.end <= 10 * vector + 10);
        *output = (100 * places.start + places.len()) as u32;
    });
    // Segments × vectors; the fourth segment of ten elements in fours is empty.
    assert_eq!(output, [4, 1004, 404, 1404, 802, 1802, 1000, 2000]);
}
