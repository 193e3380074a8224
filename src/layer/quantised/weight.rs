//! A weight with its scales.

use super::dequantised::{Dequantised, Scales};
use super::layout::Layout;
use crate::Result;
use crate::io::{Checkpoint, Element, Entry};

/// A weight with its scales.
#[derive(Clone, Debug)]
pub struct QuantisedWeight {
    /// The tensor of the stored values.
    pub(super) stored: Entry,
    /// The weight: the name of the tensor, and the shape of the values.
    pub(super) plain: Entry,
    pub(super) scale: Entry,
    pub(super) second: Option<Entry>,
    pub(super) layout: Layout,
    pub(super) note: String,
}

impl QuantisedWeight {
    /// The weight of some stored values with their scales, or the reason why they do not fit.
    pub(super) fn new(stored: &Entry, scale: &Entry, second: Option<&Entry>) -> std::result::Result<Self, String> {
        let is_bytes = stored.element == Element::U8;
        let is_scale = match scale.element {
            Element::U8 => is_bytes,
            Element::F32 | Element::F16 | Element::Bf16 | Element::F8E8M0 | Element::F8E4M3 => true,
            _ => false,
        };
        if !is_scale {
            return Err(format!("`{}` is of type {}, which is no type of scales here", scale.name, scale.element));
        }
        if let Some(second) = second
            && (second.elements() != 1 || !matches!(second.element, Element::F32 | Element::F16 | Element::Bf16))
        {
            return Err(format!("`{}` is not one float", second.name));
        }
        let layout = if is_bytes {
            Layout::packed(&stored.shape, &scale.shape)
        } else {
            Layout::of(&stored.shape, &scale.shape)
        };
        let Some(layout) = layout else {
            let (scale_shape, shape) = (&scale.shape, &stored.shape);
            let what = if is_bytes { "bytes of two fp4" } else { "values" };
            return Err(format!(
                "`{}` of shape {scale_shape:?} fits no scales of {what} of shape {shape:?}",
                scale.name
            ));
        };
        let element = if layout.is_packed { Element::F4E2M1 } else { stored.element.clone() };
        let mut plain = stored.computed(&stored.name, &layout.shape);
        plain.element = element;
        let names = match second {
            Some(second) => format!("`{}` and `{}`", scale.name, second.name),
            None => format!("`{}`", scale.name),
        };
        Ok(Self {
            note: format!("dequantised by {names}: {}", layout.words()),
            plain,
            stored: stored.clone(),
            scale: scale.clone(),
            second: second.cloned(),
            layout,
        })
    }

    /// The weight: its name, its shape, and the type of its stored values. No checkpoint holds its data:
    /// [`QuantisedWeight::read`] does.
    pub fn entry(&self) -> &Entry {
        &self.plain
    }

    /// The scales that are applied, in words.
    pub fn note(&self) -> &str {
        &self.note
    }

    /// The elements of the weight, exact in `f64`.
    ///
    /// # Errors
    /// [`Error::File`](crate::Error::File) for tensors that cannot be read.
    pub fn read<'a>(&'a self, checkpoint: &'a Checkpoint) -> Result<Dequantised<'a>> {
        let mut scales = self.values(checkpoint, &self.scale)?;
        if self.scale.element == Element::U8 {
            // The bytes of E8M0.
            scales
                .iter_mut()
                .for_each(|code| *code = if *code < 255.0 { f64::powf(2.0, *code - 127.0) } else { f64::NAN });
        }
        if let Some(second) = &self.second {
            let second = self.values(checkpoint, second)?;
            let factor = second.first().copied().unwrap_or(1.0);
            scales.iter_mut().for_each(|scale| *scale *= factor);
        }
        let scales = Scales { layout: &self.layout, values: scales };
        Ok(Dequantised::new(checkpoint.read(&self.stored)?, scales))
    }

    /// The bytes that [`QuantisedWeight::read`] takes: the scales, and what the stored values are decompressed to.
    pub(crate) fn bytes(&self) -> u64 {
        (self.scale.elements() as u64)
            .saturating_mul(size_of::<f64>() as u64)
            .saturating_add(self.stored.bytes() as u64)
    }

    fn values(&self, checkpoint: &Checkpoint, entry: &Entry) -> Result<Vec<f64>> {
        let view = checkpoint.read(entry)?;
        let mut values = vec![0.0; entry.elements()];
        view.copy_f64(0, &mut values)?;
        Ok(values)
    }
}
