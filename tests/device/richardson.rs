//! A solver in one file: Richardson's iteration x = x + omega (b - A x), on the common driver.

use std::ops::Range;

use opnorm::device::{Buffer, ReadBack, Recorder};
use opnorm::iterate::{Control, Iteration, Pace, Progress, drive};
use opnorm::low_level::ops::{self, Multiples, Rows};
use opnorm::{Matrix, Result, operator::LinearOperator, tensor::Tensor};

use crate::gpu;

const SIDE: usize = 40;
const ROWS: Rows = Rows { vectors: 1, length: SIDE };

struct Richardson {
    matrix: Matrix,
    right: Buffer<f32>,
    x: Tensor,
    residual: Tensor,
    squares: Buffer<f32>,
    /// 1, -1 and omega.
    factors: [Buffer<f32>; 3],
    norm: f64,
}

impl Iteration for Richardson {
    type Reading = ReadBack<f32>;

    fn is_done(&self) -> bool {
        self.norm <= 1e-5
    }

    fn pace(&self, _recorded: usize) -> Pace {
        Pace { steps: 8, steps_per_submit: 8, look_ahead: true }
    }

    fn record(&mut self, recorder: &mut Recorder, _step: usize) -> Result<()> {
        let [one, minus, omega] = &self.factors;
        let times = |values| Multiples { sign: 1.0, values, first: 0 };
        self.matrix.apply(recorder, &self.x, &self.residual)?;
        ops::axpby(recorder, ROWS, times(one), &self.right, minus, self.residual.buffer())?;
        ops::axpby(recorder, ROWS, times(omega), self.residual.buffer(), one, self.x.buffer())
    }

    fn read(&mut self, recorder: &mut Recorder, _steps: Range<usize>) -> Result<ReadBack<f32>> {
        ops::sum_squares(recorder, ROWS, self.residual.buffer(), &self.factors[0], &self.squares)?;
        recorder.read(&self.squares)
    }

    async fn take(&mut self, _steps: Range<usize>, reading: ReadBack<f32>) -> Result<()> {
        self.norm = f64::from(reading.contents().await?[0]).sqrt();
        Ok(())
    }

    fn progress(&self) -> Progress {
        Progress::new("Richardson", "iterations", 0, 1)
    }
}

#[test]
fn a_linear_system_is_solved() {
    // 2 on the diagonal and 0.5 beside it: eigenvalues between 1 and 3
    let entry = |index: usize| [2.0, 0.5].get((index / SIDE).abs_diff(index % SIDE)).copied().unwrap_or(0.0);
    let buffer = |data: &[f32]| Buffer::from_slice(gpu(), "Richardson", data).unwrap();
    let vector = || Tensor::zeros(gpu(), &[1, 1, SIDE]).unwrap();
    let mut richardson = Richardson {
        matrix: Matrix::from_slice(gpu(), SIDE, SIDE, &(0..SIDE * SIDE).map(entry).collect::<Vec<f32>>()).unwrap(),
        right: buffer(&[1.0; SIDE]),
        x: vector(),
        residual: vector(),
        squares: Buffer::zeros(gpu(), "Richardson", 1).unwrap(),
        factors: [buffer(&[1.0]), buffer(&[-1.0]), buffer(&[0.5])],
        norm: f64::INFINITY,
    };
    gpu().block_on(drive(gpu(), &mut richardson, 200, &mut Control::new())).unwrap();
    let x = richardson.x.read(gpu()).unwrap();
    let product = |row: usize| (0..SIDE).map(|col| entry(row * SIDE + col) * x[col]).sum::<f32>();
    assert!(richardson.is_done() && (0..SIDE).all(|row| (product(row) - 1.0).abs() < 1e-5));
}
