//! A page on PyTorch's norms, replayed: each printed number beside ours, to its four digits.
//!
//! `cargo run --release --example torch_norms`
//!
//! The page prints four digits of random weights. Where these digits do not settle the next numbers, ours have further
//! digits that round to those of the page. The example ends with status 1 where a digit differs.

use std::error::Error;
use std::process::ExitCode;

use faer::Mat;
use opnorm::layer::{Layer, Linear, Parameters, Scope, SpectralNormalisation, WeightNormalisation};
use opnorm::norm::frobenius_norm;
use opnorm::tape::Tape;
use opnorm::tensor::Tensor;
use opnorm::{Device, Matrix, Result};

/// The numbers of the page beside ours.
#[derive(Default)]
struct Page {
    numbers: usize,
    wrong: usize,
}

impl Page {
    fn compare(&mut self, name: &str, page: &str, ours: &[f64]) {
        let ours: Vec<String> = ours.iter().map(|number| format!("{number:.4}")).collect();
        let page: Vec<&str> = page.split_whitespace().collect();
        let same = page.iter().zip(&ours).filter(|(page, ours)| *page == *ours).count();
        let count = page.len().max(ours.len());
        self.numbers += count;
        self.wrong += count - same;
        let mark = if same == count { "" } else { "   <- differs" };
        println!("{name:<26} {:<72} {}{mark}", page.join(" "), ours.join(" "));
    }
}

fn main() -> std::result::Result<ExitCode, Box<dyn Error>> {
    let device = Device::new()?;
    let mut page = Page::default();
    println!("{:<26} {:<72} opnorm, {}\n", "", "page", device.capabilities().name);
    spectral(&device, &mut page)?;
    weights_by_length(&device, &mut page)?;
    removed(&device, &mut page)?;
    frobenius(&device, &mut page)?;
    println!("\n{} numbers, {} differ", page.numbers, page.wrong);
    Ok(if page.wrong == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A layer with spectral normalisation, called twice.
fn spectral(device: &Device, page: &mut Page) -> Result<()> {
    let weight = [-0.431_827, 0.161_619, -0.179_023, -0.123_816, 0.486_452, -0.238_439];
    let layer = Linear::new(3, 2).parametrised(SpectralNormalisation::hooks());
    let parameters = Parameters::initial(device, &layer, 0)?;
    parameters.write("weight_orig", &weight)?;
    parameters.write("bias", &[-0.2751, -0.2083])?;
    // The page does not print the random u. This one leads to its vectors.
    parameters.write("weight_u", &[-0.938_095_1, -0.346_377_76])?;
    page.compare("weight", "-0.4318 0.1616 -0.1790 -0.1238 0.4865 -0.2384", &wide(&parameters.read("weight_orig")?));
    page.compare("bias", "-0.2751 -0.2083", &wide(&parameters.read("bias")?));
    decomposition(page, "before", &wide(&weight), "0.6741 0.3147");
    let calls = [
        ("1st call", "1.0274 0.4797", "-0.7308 -0.6826", "0.7406 -0.5292 0.4142"),
        ("2nd call", "1.0013 0.4675", "-0.6609 -0.7505", "0.5971 -0.6719 0.4382"),
    ];
    for (call, values, u, v) in calls {
        let (_, weight) = train(&layer, &parameters)?;
        decomposition(page, call, &weight, values);
        page.compare(&format!("{call}: l_u_weight"), u, &wide(&parameters.read("weight_u")?));
        page.compare(&format!("{call}: l_v_weight"), v, &wide(&parameters.read("weight_v")?));
        let bounds = layer.lipschitz("", &parameters)?;
        println!("{:<26} {:<72} {bounds}", format!("{call}: norm"), "");
    }
    Ok(())
}

/// Compares the singular value decomposition of a 2 × 3 matrix, with the signs of the page.
fn decomposition(page: &mut Page, name: &str, entries: &[f64], values: &str) {
    let matrix = Mat::from_fn(2, 3, |row, col| entries[row * 3 + col]);
    let Ok(svd) = matrix.thin_svd() else { return };
    let sign = |col: usize| if svd.U()[(0, col)] > 0.0 { -1.0 } else { 1.0 };
    let left: Vec<f64> = (0..4).map(|index| svd.U()[(index / 2, index % 2)] * sign(index % 2)).collect();
    let right: Vec<f64> = (0..6).map(|index| svd.V()[(index / 2, index % 2)] * sign(index % 2)).collect();
    page.compare(&format!("{name}: u"), "-0.6401 -0.7683 -0.7683 0.6401", &left);
    page.compare(&format!("{name}: s"), values, &[svd.S()[0], svd.S()[1]]);
    page.compare(&format!("{name}: v"), "0.5511 0.8024 -0.7079 0.5948 0.4417 -0.0479", &right);
}

/// A layer with weight normalisation, called twice.
fn weights_by_length(device: &Device, page: &mut Page) -> Result<()> {
    println!("{:<26} {:<72} -", "output of a plain layer", "-1.0346 0.4444 0.8075 0.6846");
    println!("{:<26} {:<72}   (the page does not print its weight)", "", "");
    let layer = Linear::new(2, 4).parametrised(WeightNormalisation::hooks());
    let mut parameters = Parameters::initial(device, &layer, 0)?;
    parameters.write("weight_v", &[-0.0513, -0.2643, -0.1565, -0.1313, 0.5334, -0.1547, 0.55484, 0.63134])?;
    parameters.write("bias", &[0.5301, 0.3717, 0.2516, 0.209])?;
    layer.complete("", &mut parameters)?;
    let (g, v) = ("0.2692 0.2043 0.5554 0.8405", "-0.0513 -0.2643 -0.1565 -0.1313 0.5334 -0.1547 0.5548 0.6313");
    page.compare("weight_g", g, &wide(&parameters.read("weight_g")?));
    page.compare("weight_v", v, &wide(&parameters.read("weight_v")?));
    let (output, _) = train(&layer, &parameters)?;
    page.compare("output", "0.2145 0.0839 0.6303 1.3952", &output);
    page.compare("weight_g, after", g, &wide(&parameters.read("weight_g")?));
    page.compare("weight_v, after", v, &wide(&parameters.read("weight_v")?));
    Ok(())
}

/// A weight that becomes lengths and directions, and a plain weight again.
fn removed(device: &Device, page: &mut Page) -> Result<()> {
    let (w, b) = ("0.5569 0.1186 -0.6304 -0.2217 0.1165 -0.3152 0.5837 0.4351", "-0.0917 0.4735 -0.4258 -0.3572");
    let layer = Linear::new(2, 4).parametrised(WeightNormalisation::hooks());
    let mut parameters = Parameters::initial(device, &layer, 0)?;
    parameters.write("weight_v", &[0.5569, 0.1186, -0.6304, -0.2217, 0.1165, -0.3152, 0.5837, 0.4351])?;
    parameters.write("bias", &[-0.0917, 0.4735, -0.4258, -0.3572])?;
    page.compare("weight", w, &wide(&parameters.read("weight_v")?));
    page.compare("bias", b, &wide(&parameters.read("bias")?));
    layer.complete("", &mut parameters)?;
    page.compare("bias", b, &wide(&parameters.read("bias")?));
    page.compare("weight_g", "0.5694 0.6682 0.3360 0.7280", &wide(&parameters.read("weight_g")?));
    page.compare("weight_v", w, &wide(&parameters.read("weight_v")?));
    let (_, plain) = train(&layer, &parameters)?;
    page.compare("bias, removed", b, &wide(&parameters.read("bias")?));
    page.compare("weight, removed", w, &plain);
    Ok(())
}

fn frobenius(device: &Device, page: &mut Page) -> Result<()> {
    let entries: Vec<f32> = (0..9u8).map(f32::from).collect();
    page.compare("b", "0. 1. 2. 3. 4. 5. 6. 7. 8.".replace('.', ".0000").as_str(), &wide(&entries));
    let norm = frobenius_norm(&Matrix::from_slice(device, 3, 3, &entries)?)?[0];
    page.compare("torch.norm(a)", "14.2829", &[norm]);
    let squares: f64 = wide(&entries).iter().map(|entry| entry * entry).sum();
    page.compare("s", "204.0000", &[squares]);
    page.compare("s**.5 (14.2828568570857)", "14.2829", &[squares.sqrt()]);
    Ok(())
}

/// The output for a sample of ones, and the weight, in a training call that updates the states.
fn train(layer: &Linear, parameters: &Parameters) -> Result<(Vec<f64>, Vec<f64>)> {
    let device = parameters.device();
    let tape = Tape::new(device);
    let scope = Scope::training(&tape, parameters)?;
    let inputs = if parameters.names().any(|name| name == "weight_orig") { 3 } else { 2 };
    let x = tape.input(&[1, inputs])?;
    let mut outputs = vec![layer.apply(&scope, "", &x)?, scope.weight("weight", layer.parametrisation())?];
    let updates = scope.updates();
    outputs.extend(updates.iter().map(|(_, next)| next.clone()));
    let ones = Tensor::from_slice(device, &[1, inputs], &vec![1.0; inputs])?;
    let found = tape.compile(&scope.inputs(&[&x]), &outputs)?.run(&parameters.tensors(&[&ones]))?;
    for ((name, _), next) in updates.iter().zip(&found[2..]) {
        parameters.write(name, &next.read(device)?)?;
    }
    Ok((wide(&found[0].read(device)?), wide(&found[1].read(device)?)))
}

fn wide(numbers: &[f32]) -> Vec<f64> {
    numbers.iter().map(|number| f64::from(*number)).collect()
}
