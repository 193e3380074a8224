//! output[outer, i, inner] = Σ input[outer, place, inner] over the places of a list for each i.

use super::check::{expect_len, expect_trips, word};
use super::declare::{kernel, params};
use super::tree::tree_trips;
use crate::Result;
use crate::device::{Buffer, Grid, Kernel, Recorder, Words, each_chunk};
use crate::native::tree_of_sums;
use crate::tensor::elements;

params! {
    pub(super) struct Params {
        outer: u32,
        source: u32,
        length: u32,
        inner: u32,
    }
}

pub(super) static KERNEL: Kernel =
    kernel!("tensor" / "gather", ["group", "tree"], [Read, Read, Read, Write], Params, on_host);

/// The lists of places along an axis: each element of the result is the sum over its list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places {
    starts: Vec<u32>,
    places: Vec<u32>,
    source: usize,
}

impl Places {
    /// Lists of a single place each.
    ///
    /// # Errors
    /// [`crate::Error::InvalidOption`] for a place out of range, [`crate::Error::TooLarge`] past 2^32 places.
    pub fn of(source: usize, indices: &[usize]) -> Result<Self> {
        let operation = "gather";
        if let Some(index) = indices.iter().find(|index| **index >= source) {
            return Err(crate::Error::InvalidOption {
                operation,
                option: "a place",
                value: format!("{index} of an axis of {source}"),
                allowed: "within the axis",
            });
        }
        word(operation, "an axis", source)?;
        let length = word(operation, "an axis", indices.len())?;
        let places = indices.iter().map(|index| *index as u32).collect();
        Ok(Self { starts: (0..=length).collect(), places, source })
    }

    /// The inverse lists, which the adjoint adds up: for each place the lists that contain the place.
    pub fn transposed(&self) -> Self {
        let mut starts = vec![0u32; self.source + 1];
        self.places.iter().for_each(|place| starts[*place as usize + 1] += 1);
        (0..self.source).for_each(|place| starts[place + 1] += starts[place]);
        let mut next = starts.clone();
        let mut places = vec![0; self.places.len()];
        for index in 0..self.length() {
            for place in self.list(index) {
                places[next[*place as usize] as usize] = index as u32;
                next[*place as usize] += 1;
            }
        }
        Self { starts, places, source: self.length() }
    }

    /// The number of lists.
    pub fn length(&self) -> usize {
        self.starts.len() - 1
    }

    /// The length of the axis of the places.
    pub fn source(&self) -> usize {
        self.source
    }

    /// The places of one list.
    pub fn list(&self, index: usize) -> &[u32] {
        &self.places[self.starts[index] as usize..self.starts[index + 1] as usize]
    }
}

/// The sizes around the axis that [`gather`] gathers along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Around {
    /// The product of the sizes before the axis.
    pub outer: usize,
    /// The product of the sizes after the axis.
    pub inner: usize,
}

/// Records output[outer, i, inner] = Σ input[outer, place, inner] over the places of list i.
///
/// *Shapes*  `input`: outer × source × inner · `output`: outer × lists × inner
///
/// *Accuracy*  gamma(min(n, 16) - 1 + ⌈log2 ⌈n / 16⌉⌉) · Σ|input| for lists of up to n places; exact for n = 1.
///
/// # Errors
/// [`crate::Error::ShapeMismatch`] when a buffer is too short, [`crate::Error::TooLarge`] past the device's limits or
/// its loop budget.
pub fn gather(
    recorder: &mut Recorder,
    Around { outer, inner }: Around,
    places: &Places,
    input: &Buffer<f32>,
    output: &Buffer<f32>,
) -> Result<()> {
    let operation = "gather";
    let (source, length) = (places.source(), places.length());
    expect_len(operation, "input", elements(operation, &[outer, source, inner])?, input.len())?;
    expect_len(operation, "output", elements(operation, &[outer, length, inner])?, output.len())?;
    word(operation, "the input", input.len())?;
    word(operation, "the output", output.len())?;
    let longest = (0..length).map(|index| places.list(index).len()).max().unwrap_or(0);
    expect_trips(recorder, operation, tree_trips(longest), "gather fewer places at once and join the parts")?;
    let params = Params {
        outer: word(operation, "the outer size", outer)?,
        source: word(operation, "an axis", source)?,
        length: word(operation, "an axis", length)?,
        inner: word(operation, "the inner size", inner)?,
    };
    let starts = Buffer::from_slice(recorder.device(), operation, &places.starts)?;
    let lists = Buffer::from_slice(recorder.device(), operation, &places.places)?;
    let grid = Grid::covering(outer * length * inner, recorder.device().capabilities().profile.lanes);
    recorder.dispatch(&KERNEL, grid, &params, &[input.into(), (&starts).into(), (&lists).into(), output.into()])
}

fn on_host(params: &Params, [input, starts, places, output]: [Words<'_>; 4]) {
    let (input, starts, places) = (input.read::<f32>(), starts.read::<u32>(), places.read::<u32>());
    let (source, length, inner) = (params.source as usize, params.length as usize, params.inner as usize);
    let output = &mut output.write::<f32>()[..params.outer as usize * length * inner];
    each_chunk(output, inner, 2 * inner, |index, output| {
        let [first, end] = [0, 1].map(|next| starts[index % length + next] as usize);
        let row = |place: u32| &input[(index / length * source + place as usize) * inner..][..inner];
        match &places[first..end] {
            [] => output.fill(0.0),
            // Not added to 0: -0 stays.
            [place] => output.copy_from_slice(row(*place)),
            list => tree_of_sums(output, list.len(), |next| row(list[next])),
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transposed_twice_they_are_the_same() {
        let places = Places::of(5, &[3, 0, 3, 4]).unwrap();
        let back = places.transposed();
        let lists: Vec<&[u32]> = (0..5).map(|place| back.list(place)).collect();
        assert_eq!(lists, [&[1][..], &[], &[], &[0, 2], &[3]]);
        assert_eq!(back.transposed(), places);
        assert!(Places::of(5, &[5]).is_err());
    }
}
