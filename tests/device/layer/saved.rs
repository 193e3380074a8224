//! Saved invertible networks: files that do not fit are refused, hostile ones too, and weights of PyTorch are read.

use opnorm::io::{Checkpoint, Element, SafetensorsWriter, TensorHeader};
use opnorm::layer::{
    Activation, Conv2d, InvertibleNetwork, InvertibleResidual, Linear, NetworkDescription, Parameters, Role,
    SavedNetwork, Sequential,
};
use opnorm::tensor::{Conv2dOptions, Tensor};

use super::{expect_close, gpu};

const KEY: &str = "opnorm.network";

type Tensors = Vec<(String, Vec<usize>, Vec<f32>)>;

/// A network of two blocks, one of images.
fn network() -> (InvertibleNetwork, Vec<usize>) {
    let sliding = Conv2dOptions { padding: [1, 1], ..Conv2dOptions::default() };
    let conv = |from, to| Conv2d::new(from, to, [3, 3]).sliding(sliding.clone());
    let inner = Sequential::new().then(conv(1, 2)).then(Activation::Tanh).then(conv(2, 1));
    let network = InvertibleNetwork::new().then(InvertibleResidual::new(inner));
    (network.then(InvertibleResidual::new(Conv2d::new(1, 1, [1, 1]).without_bias())), vec![1, 4, 4])
}

/// The description and the tensors of a small network.
fn dense() -> (String, Tensors) {
    let network = InvertibleNetwork::new().then(InvertibleResidual::new(
        Sequential::new().then(Linear::new(2, 3)).then(Activation::Elu).then(Linear::new(3, 2)),
    ));
    let parameters = Parameters::initial(gpu(), &network, 3).unwrap();
    let tensors = parameters.iter().map(|(name, _, tensor)| {
        let data = tensor.read(gpu()).unwrap().into_iter().map(|weight| weight / 4.0);
        (name.to_string(), tensor.shape().to_vec(), data.collect())
    });
    (NetworkDescription::of(&network, &[2]).unwrap().to_json(), tensors.collect())
}

fn write(path: &std::path::Path, text: Option<&str>, tensors: &Tensors) {
    let header = |(name, shape, _): &(String, Vec<usize>, Vec<f32>)| TensorHeader {
        name: name.clone(),
        shape: shape.clone(),
        element: Element::F32,
    };
    let headers: Vec<TensorHeader> = tensors.iter().map(header).collect();
    let text: Vec<(String, String)> = text.iter().map(|text| (KEY.to_string(), (*text).to_string())).collect();
    let mut writer = SafetensorsWriter::create(path, &headers, &text).unwrap();
    tensors.iter().for_each(|(.., data)| writer.write_f32(data).unwrap());
    writer.finish().unwrap();
}

#[test]
fn files_of_another_network_are_refused_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("net.safetensors");
    let (text, tensors) = dense();
    let refused = |text: Option<&str>, tensors: &Tensors, words: &str| {
        write(&path, text, tensors);
        let error = SavedNetwork::load(gpu(), &path).unwrap_err().to_string();
        assert!(error.contains("net.safetensors") && error.contains(words), "`{words}` is not in `{error}`");
    };
    write(&path, Some(&text), &tensors);
    SavedNetwork::load(gpu(), &path).unwrap();
    refused(None, &tensors, "holds no invertible network: its metadata has no `opnorm.network`");
    refused(Some(""), &tensors, "the description of the network: is not JSON");
    refused(Some(&text.replace("elu", "mish")), &tensors, "blocks[0].layers[1].kind: is `mish`");
    refused(Some(&text), &tensors[1..].to_vec(), "the file lacks 0.0.weight");
    let more = [&tensors[..], &[("0.3.bias".to_string(), vec![1], vec![0.0])]].concat();
    refused(Some(&text), &more, "has unexpected 0.3.bias");
    let more = [&tensors[..], &[("1.weight".to_string(), vec![2, 2], vec![0.0; 4])]].concat();
    refused(Some(&text), &more, "has unexpected 1.weight");
    let mut other = tensors.clone();
    other[0].1 = vec![2, 3];
    refused(Some(&text), &other, "tensor `0.0.weight`: has the shape [2, 3], where the network has [3, 2]");
    for number in [f32::NAN, f32::INFINITY] {
        let mut other = tensors.clone();
        other[2].2[4] = number;
        refused(Some(&text), &other, "tensor `0.2.weight`: element 4 is ");
    }
    refused(Some(&text.replace("[2]", "[3]")), &tensors, "blocks[0].layers[0]: shape mismatch in");
    let cut = text.replace(",\n    {\"kind\": \"linear\", \"inputs\": 3, \"outputs\": 2}", "");
    refused(Some(&cut), &tensors[..2].to_vec(), "blocks[0]: makes [3] of an item of the shape [2], and a block must");
    // Sizes that no file has, of which nothing is allocated.
    let vast = text.replace("\"outputs\": 3", "\"outputs\": 16777216");
    refused(Some(&vast), &tensors, "has the shape [3, 2], where the network has [16777216, 2]");
}

#[test]
fn an_image_that_grows_past_the_limit_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("net.safetensors");
    let text = |stride: usize| {
        format!(
            r#"{{"format": "opnorm invertible network", "version": 1, "item": [1, 64, 64], "blocks": [
            {{"kind": "conv_transpose2d", "inputs": 1, "outputs": 1, "kernel": [1, 1], "stride": [{stride}, {stride}],
             "bias": false}}]}}"#
        )
    };
    for (stride, words) in [(1000, "elements behind the layer, and 67108864 are allowed"), (1 << 24, "blocks[0]: ")] {
        write(&path, Some(&text(stride)), &vec![("0.weight".to_string(), vec![1, 1, 1, 1], vec![0.5])]);
        let error = SavedNetwork::load(gpu(), &path).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
}

#[test]
fn parameters_beside_a_network_are_kept_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("net.safetensors");
    let (network, item) = network();
    let mut parameters = Parameters::initial(gpu(), &network, 5).unwrap();
    let own = parameters.names().count();
    for name in ["input.mean", "2x"] {
        parameters.insert(name, Role::State, Tensor::from_slice(gpu(), &[2], &[0.5, -3.0]).unwrap()).unwrap();
    }
    network.save(&parameters, &item, &path).unwrap();
    assert_eq!(SavedNetwork::load(gpu(), &path).unwrap().parameters.names().count(), own);
    let file = Checkpoint::open(&path).unwrap();
    let mut read = [0.0; 2];
    file.read(file.find("input.mean").unwrap()).unwrap().copy_f32(0, &mut read).unwrap();
    assert_eq!(read, [0.5, -3.0]);
    assert_eq!(file.entries().len(), own + 2);
    parameters.load(&path).unwrap();
}

#[test]
fn parameters_of_another_network_are_not_saved() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("net.safetensors");
    let (network, item) = network();
    let parameters = Parameters::initial(gpu(), &network, 1).unwrap();
    network.save(&parameters, &item, &path).unwrap();
    let text = Checkpoint::open(&path).unwrap().metadata().unwrap().swap_remove(0);
    assert_eq!(text, (KEY.to_string(), NetworkDescription::of(&network, &item).unwrap().to_json()));
    let error = network.save(&parameters, &[2, 4, 4], &path).unwrap_err().to_string();
    assert!(error.contains("blocks[0].layers[0]: shape mismatch in"), "{error}");
    assert!(network.save(&Parameters::none(gpu()), &item, &path).is_err());
    let larger = InvertibleNetwork::new().then(InvertibleResidual::new(Linear::new(5, 5)));
    let smaller = InvertibleNetwork::new().then(InvertibleResidual::new(Linear::new(4, 4)));
    let parameters = Parameters::initial(gpu(), &larger, 1).unwrap();
    let error = smaller.save(&parameters, &[4], &path).unwrap_err().to_string();
    assert!(error.contains("[4, 4] for `0.weight`"), "{error}");
    // The file before is still there.
    SavedNetwork::load(gpu(), &path).unwrap();
}

/// Numbers of a linear congruence, the same on every run.
fn next(state: &mut u64, below: usize) -> usize {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*state >> 33) as usize % below.max(1)
}

#[test]
fn broken_descriptions_end_in_an_error_or_in_a_network_that_runs() {
    const WORDS: [&str; 14] = [
        "0",
        "1",
        "2",
        "3",
        "16777216",
        "-1",
        "1e9",
        "null",
        "[]",
        "relu",
        "linear",
        "conv2d",
        "weight",
        "\"bias\": false",
    ];
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("net.safetensors");
    let (network, item) = network();
    let parameters = Parameters::initial(gpu(), &network, 1).unwrap();
    network.save(&parameters, &item, &path).unwrap();
    let text = NetworkDescription::of(&network, &item).unwrap().to_json();
    // Words and numbers are replaced whole, so that many texts are still JSON.
    let parts = text.split_inclusive([' ', ',', '[', ']', '{', '}', ':', '"']);
    let parts: Vec<String> = parts.map(str::to_string).collect();
    let (mut state, mut read, mut loaded) = (7, 0, 0);
    let count = if std::env::var_os("OPNORM_FULL").is_some() { 20_000 } else { 1000 };
    for _ in 0..count {
        let mut parts = parts.clone();
        for _ in 0..=next(&mut state, 2) {
            let at = next(&mut state, parts.len());
            let end = parts[at].chars().last().map_or(String::new(), String::from);
            parts[at] = match next(&mut state, 3) {
                0 => String::new(),
                1 => WORDS[next(&mut state, WORDS.len())].to_string() + &end,
                _ => parts[next(&mut state, parts.len())].clone(),
            };
        }
        let Ok(description) = NetworkDescription::from_json("net.json", &parts.concat()) else { continue };
        assert_eq!(NetworkDescription::from_json("again", &description.to_json()).unwrap(), description);
        read += 1;
        let Ok(saved) = SavedNetwork::load_described(gpu(), &path, description) else { continue };
        saved.prepare(1).unwrap();
        loaded += 1;
    }
    println!("of {count} broken descriptions {read} were read, and {loaded} fitted the file");
    assert!(read > count / 50 && loaded > 0 && loaded < read, "{read} {loaded}");
}

#[test]
fn a_network_of_pytorch_is_read_and_inverted() {
    let at = |name: &str| format!("{}/tests/data/invertible.{name}", env!("CARGO_MANIFEST_DIR"));
    let description = NetworkDescription::open(at("json")).unwrap();
    let saved = SavedNetwork::load_described(gpu(), at("safetensors"), description).unwrap();
    let file = Checkpoint::open(at("safetensors")).unwrap();
    let numbers = |name: &str| {
        let entry = file.find(name).unwrap();
        let mut data = vec![0.0; entry.elements()];
        file.read(entry).unwrap().copy_f64(0, &mut data).unwrap();
        data
    };
    let tensor = |data: &[f64]| {
        let data: Vec<f32> = data.iter().map(|number| *number as f32).collect();
        Tensor::from_slice(gpu(), &[3, 1, 4, 5], &data).unwrap()
    };
    let (x, y) = (numbers("x"), numbers("y"));
    let mut program = saved.prepare(3).unwrap();
    expect_close(&program.forward(&tensor(&x)).unwrap().read(gpu()).unwrap(), &y, 1e-6, "y");
    assert!(program.lipschitz().iter().all(|bounds| bounds.upper < 0.8), "{:?}", program.lipschitz());
    let inverse = program.inverse(&tensor(&y)).unwrap();
    assert!(inverse.is_converged());
    expect_close(&inverse.x().read(gpu()).unwrap(), &x, 1e-5, "x");
}
