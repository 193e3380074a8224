//! Fused functions of the host against the same functions one element at a time.

use super::host::Lines;
use super::line::{Argument, Line};
use super::reach::Reach;
use crate::device::Words;
use crate::ops::binary::Binary;
use crate::ops::unary::Unary;

const REACHES: [Reach; 5] = [
    Reach { inner: 1, size: 5000 },
    Reach { inner: 1, size: 7 },
    Reach { inner: 3000, size: 3 },
    Reach { inner: 11, size: 1 },
    Reach { inner: 1, size: 1500 },
];

/// Lines with arguments of every kind; some are outputs, one of them twice.
fn lines(length: usize) -> Lines {
    let lines = vec![
        Line::Binary(Binary::ADD, [Argument::Input(0), Argument::Input(1)]),
        Line::Binary(Binary::MULTIPLY, [Argument::Line(0), Argument::Number(0.5)]),
        Line::Binary(Binary::SUBTRACT, [Argument::Number(30.0), Argument::Input(2)]),
        Line::Binary(Binary::MAXIMUM, [Argument::Line(1), Argument::Line(2)]),
        Line::Binary(Binary::ADD, [Argument::Input(3), Argument::Input(4)]),
        Line::Binary(Binary::SUBTRACT, [Argument::Line(3), Argument::Line(4)]),
        Line::Unary(Unary::RELU, 0.0, Argument::Line(5)),
        Line::Binary(Binary::SUBTRACT, [Argument::Number(2.0), Argument::Number(0.25)]),
    ];
    Lines { length, reaches: REACHES.to_vec(), lines, outputs: vec![6, 1, 6, 7] }
}

#[test]
fn blocks_and_reaches_give_each_element_its_own_arguments() {
    let inputs = REACHES.map(|reach| (0..reach.size).map(|place| (place * 37 % 101) as f32).collect::<Vec<_>>());
    for length in [0, 1, 1023, 1024, 1025, 4096, 5000] {
        let mut outputs = vec![vec![u32::MAX; length]; 4];
        let reads = inputs.iter().map(|input| Words::Read(bytemuck::cast_slice(input)));
        let words = reads.chain(outputs.iter_mut().map(|output| Words::Write(output))).collect();
        lines(length).run(words);
        for index in 0..length {
            let [x, bias, row, one, cycle] =
                [0, 1, 2, 3, 4].map(|input| inputs[input][index / REACHES[input].inner % REACHES[input].size]);
            let half = 0.5 * (x + bias);
            let expected = (half.max(30.0 - row) - (one + cycle)).max(0.0);
            let found = [0, 1, 2, 3].map(|output| f32::from_bits(outputs[output][index]));
            assert_eq!(found, [expected, half, expected, 1.75], "{index} of {length}");
        }
    }
}
