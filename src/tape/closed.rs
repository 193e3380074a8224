//! Programs of one input, with the other inputs bound to tensors.

use std::collections::BTreeMap;

use super::graph::{Tape, Value};
use super::program::Program;
use crate::tensor::Tensor;
use crate::{Error, Result};

impl Tape {
    /// A program of `outputs` from `input` alone, with the values of the other inputs as they are now.
    ///
    /// Values that do not depend on `input` are computed once, here. A batch of more than one item is refused where one
    /// item moves with another, as [`Tape::linearize`] does.
    ///
    /// # Errors
    /// As [`Tape::linearize`].
    pub(crate) async fn close(
        &self,
        operation: &'static str,
        (input, outputs): (&Value, &[Value]),
        bound: &[(&Value, &Tensor)],
    ) -> Result<Program> {
        let option = (operation, "the list of other inputs with their values");
        self.expect_own(operation, &[input])?;
        self.expect_own(operation, outputs)?;
        let batch = if input.shape().len() > 1 { input.shape()[0] } else { 1 };
        if batch > 1 && outputs.iter().any(|output| !self.is_separate(output, input)) {
            let at = Tensor::zeros(self.device(), input.shape())?;
            let point: Vec<(&Value, &Tensor)> = bound.iter().copied().chain([(input, &at)]).collect();
            for output in outputs {
                self.linearize_async(output, input, &point).await?;
            }
        }
        let (values, tensors): (Vec<&Value>, Vec<&Tensor>) = bound.iter().copied().unzip();
        if values.iter().any(|value| value.node() == input.node()) {
            return Err(Error::InvalidOption {
                operation,
                option: "the list of other inputs with their values",
                value: "with the input of the function itself".to_string(),
                allowed: "of the other inputs",
            });
        }
        let fixed = self.residuals(outputs, input);
        let fixed: Vec<Value> = fixed.into_iter().map(|node| self.value(node)).collect();
        let decided = self.compile_with(option, &values, &BTreeMap::new(), &fixed)?.run_async(&tensors).await?;
        let known = fixed.iter().map(Value::node).zip(decided).collect();
        self.compile_with(option, &[input], &known, outputs)
    }
}
