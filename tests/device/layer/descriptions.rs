//! Descriptions of invertible networks: every kind there and back, the same bits from files, and refusals with their
//! places.

use opnorm::Error;
use opnorm::bound::Bounds;
use opnorm::layer::{
    Activation, Bjorck, Conv2d, ConvTranspose2d, Divisor, Flatten, Generation, InvertibleNetwork, InvertibleResidual,
    Layer, Linear, NetworkDescription, Parameter, Parameters, Parametrisation, SavedNetwork, Scope, Sequential,
    SpectralNormalisation, WeightNormalisation,
};
use opnorm::tape::Value;
use opnorm::tensor::{Conv2dOptions, Tensor};

use super::gpu;

fn linear(how: impl Parametrisation + 'static) -> Linear {
    Linear::new(3, 3).parametrised(how)
}

fn spectral(divisor: Divisor) -> SpectralNormalisation {
    SpectralNormalisation { divisor, ..SpectralNormalisation::default() }
}

/// Networks with every kind of layer, of weight and of option, with the shapes of their items.
fn networks() -> Vec<(InvertibleNetwork, Vec<usize>)> {
    let capped = SpectralNormalisation {
        cap: Some(0.1 + 0.2),
        iterations: 3,
        first_iterations: 4,
        epsilon: 1e-9,
        ..spectral(Divisor::Certified)
    };
    let weights = Sequential::new()
        .then(linear(capped).without_bias())
        .then(linear(spectral(Divisor::Probable { delta: 1e-7 })))
        .then(linear(spectral(Divisor::Converged)))
        .then_named("old", linear(SpectralNormalisation::hooks()))
        .then(linear(WeightNormalisation::default()))
        .then(linear(WeightNormalisation { generation: Generation::Hooks, axis: None }))
        .then(linear(Bjorck { order: 2, iterations: 5 }));
    let functions = [
        Activation::Relu,
        Activation::LeakyRelu(0.1),
        Activation::Tanh,
        Activation::Sigmoid,
        Activation::Gelu,
        Activation::Silu,
        Activation::Softplus,
        Activation::Elu,
        Activation::Abs,
    ];
    let functions = functions.into_iter().fold(Sequential::new(), Sequential::then);
    let nested = Sequential::new().then_named("head", functions).then(Flatten).then(Sequential::new());
    let dense = InvertibleNetwork::new()
        .then(InvertibleResidual::new(weights))
        .then(InvertibleResidual::new(nested))
        .then(InvertibleResidual::new(Linear::new(3, 3)));
    let halved = Conv2dOptions { stride: [2, 2], padding: [1, 1], dilation: [1, 2], groups: 2 };
    let turned = SpectralNormalisation { axis: 1, ..spectral(Divisor::Estimate) };
    let images = Sequential::new()
        .then(Conv2d::new(2, 4, [3, 2]).sliding(halved.clone()).parametrised(spectral(Divisor::Estimate)))
        .then(ConvTranspose2d::new(4, 2, [3, 2]).sliding(halved, [0, 1]).parametrised(turned).without_bias());
    let images = InvertibleNetwork::new().then(InvertibleResidual::new(images));
    vec![(dense, vec![3]), (images, vec![2, 5, 6]), (InvertibleNetwork::new(), vec![2, 2])]
}

fn bits(tensor: &Tensor) -> Vec<u32> {
    tensor.read(gpu()).unwrap().into_iter().map(f32::to_bits).collect()
}

fn parse(text: &str) -> opnorm::Result<NetworkDescription> {
    NetworkDescription::from_json("net.json", text)
}

#[test]
fn every_kind_comes_back_with_the_same_bits() {
    let folder = tempfile::tempdir().unwrap();
    let mut kinds = String::new();
    for (index, (network, item)) in networks().into_iter().enumerate() {
        let description = NetworkDescription::of(&network, &item).unwrap();
        let text = description.to_json();
        let again = parse(&text).unwrap();
        assert_eq!(again, description, "{text}");
        assert_eq!(again.to_json(), text);
        assert_eq!(NetworkDescription::of(again.network(), &item).unwrap(), description);
        kinds.push_str(&text);

        let parameters = Parameters::initial(gpu(), &network, 5).unwrap();
        let path = folder.path().join(format!("{index}.safetensors"));
        network.save(&parameters, &item, &path).unwrap();
        let saved = SavedNetwork::load(gpu(), &path).unwrap();
        assert_eq!(saved.description, description);
        let names = |parameters: &Parameters| parameters.names().map(str::to_string).collect::<Vec<_>>();
        assert_eq!(names(&saved.parameters), names(&parameters));
        for (name, role, tensor) in parameters.iter() {
            let own = saved.parameters.iter().find(|(own, ..)| *own == name).unwrap();
            assert_eq!((own.1, bits(own.2)), (role, bits(tensor)), "{name}");
        }
        let shape = [&[2], &item[..]].concat();
        let count: usize = shape.iter().product();
        let x: Vec<f32> = (0..count).map(|place| (place as f32 * 0.7).sin()).collect();
        let x = Tensor::from_slice(gpu(), &shape, &x).unwrap();
        let program = network.prepare("", &parameters, &shape).unwrap();
        let loaded = saved.prepare(2).unwrap();
        assert_eq!(bits(&program.forward(&x).unwrap()), bits(&loaded.forward(&x).unwrap()));
        assert_eq!(program.lipschitz(), loaded.lipschitz());
    }
    for kind in [
        "linear",
        "conv2d",
        "conv_transpose2d",
        "flatten",
        "relu",
        "leaky_relu",
        "tanh",
        "sigmoid",
        "gelu",
        "silu",
        "softplus",
        "elu",
        "abs",
        "sequential",
        "spectral_normalisation",
        "weight_normalisation",
        "bjorck",
    ] {
        assert!(kinds.contains(&format!(r#""kind": "{kind}""#)), "no network has a {kind}");
    }
    assert!(kinds.contains("0.30000000000000004"), "a number has all its digits");
}

#[test]
fn the_text_is_short_and_members_with_usual_values_are_left_away() {
    let cap = SpectralNormalisation { cap: Some(0.9), ..spectral(Divisor::Certified) };
    let inner = Sequential::new().then(Linear::new(2, 8).parametrised(cap)).then(Activation::Elu);
    let network = InvertibleNetwork::new().then(InvertibleResidual::new(inner.then_named("out", Linear::new(8, 2))));
    let text = r#"{"format": "opnorm invertible network", "version": 1, "item": [2], "blocks": [
  {"kind": "sequential", "layers": [
    {"kind": "linear", "inputs": 2, "outputs": 8, "weight": {"kind": "spectral_normalisation", "divisor": "certified", "cap": 0.9}},
    {"kind": "elu"},
    {"name": "out", "kind": "linear", "inputs": 8, "outputs": 2}
  ]}
]}"#;
    let description = NetworkDescription::of(&network, &[2]).unwrap();
    assert_eq!(description.to_json(), text);
    // The usual values may be there, in any order and with any spaces.
    let long = text
        .replace("\n", " ")
        .replace(r#""kind": "elu""#, r#" "kind":"elu""#)
        .replace(r#""outputs": 2}"#, r#""bias": true, "weight": {"kind": "plain"}, "outputs": 2}"#);
    let long = long.replace(r#""cap": 0.9"#, r#""cap": 9e-1, "iterations": 1, "generation": "parametrizations""#);
    assert_eq!(parse(&long).unwrap(), description);
    let path = long.replace(r#""version""#, r#""path": "flow", "version""#);
    let described = parse(&path).unwrap();
    assert_eq!(described.network().parameters(described.path())[0].name, "flow.0.0.parametrizations.weight.original");
    assert_ne!(described, description);
}

/// A layer of a user.
#[derive(Debug)]
struct Own;

impl Layer for Own {
    fn parameters(&self, _: &str) -> Vec<Parameter> {
        Vec::new()
    }

    fn apply(&self, _: &Scope, _: &str, input: &Value) -> opnorm::Result<Value> {
        input.scale(0.5)
    }

    fn lipschitz(&self, _: &str, _: &Parameters) -> opnorm::Result<Bounds> {
        Ok(Bounds::NONE)
    }
}

/// A parametrisation of a user.
#[derive(Debug)]
struct OwnWeight;

impl Parametrisation for OwnWeight {
    fn parameters(&self, plain: Parameter) -> Vec<Parameter> {
        vec![plain]
    }

    fn weight(&self, scope: &Scope, name: &str) -> opnorm::Result<Value> {
        scope.value(name).cloned()
    }
}

#[test]
fn layers_of_a_users_own_have_no_description() {
    let refused = |network: &InvertibleNetwork| {
        let error = NetworkDescription::of(network, &[3]).unwrap_err();
        assert!(matches!(error, Error::InvalidOption { .. }), "{error}");
        error.to_string()
    };
    let network = InvertibleNetwork::new().then(InvertibleResidual::new(Sequential::new().then(Flatten).then(Own)));
    assert!(refused(&network).contains("`0.1`, which has no description"));
    let parameters = Parameters::initial(gpu(), &network, 1).unwrap();
    let folder = tempfile::tempdir().unwrap();
    assert!(network.save(&parameters, &[3], folder.path().join("own.safetensors")).is_err());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    let network = InvertibleNetwork::new().then(InvertibleResidual::new(linear(OwnWeight)));
    assert!(refused(&network).contains("`0.weight`, which has no description"));
    for value in [f64::NAN, -1.0] {
        let how = SpectralNormalisation { cap: Some(value), ..SpectralNormalisation::default() };
        let network = InvertibleNetwork::new().then(InvertibleResidual::new(linear(how)));
        assert!(refused(&network).contains("blocks[0].weight.cap: is "), "{value}");
    }
}

#[test]
fn a_description_that_means_nothing_is_refused_with_its_place() {
    let text = |blocks: &str| {
        format!(r#"{{"format": "opnorm invertible network", "version": 1, "item": [2, 4, 4], "blocks": [{blocks}]}}"#)
    };
    let sound = r#"{"kind": "conv2d", "channels": 2, "filters": 2, "kernel": [1, 1]}"#;
    parse(&text(sound)).unwrap();
    let in_block = |from: &str, to: &str| text(&sound.replace(from, to));
    let weight = |weight: &str| in_block("]}", &format!(r#"], "weight": {weight}}}"#));
    let layers = |layers: &str| text(&format!(r#"{{"kind": "sequential", "layers": [{layers}]}}"#));
    let huge = "[".repeat(5000);
    for (text, words) in [
        (String::new(), "is not JSON"),
        (huge, "recursion limit"),
        ("[]".to_string(), "network: an object was expected, an empty list found"),
        ("{}".to_string(), "format: is missing, and must be a word"),
        (text("").replace("opnorm inv", "other inv"), "format: is `other invertible network`, and must be `opnorm"),
        (text("").replace(": 1,", ": 2,"), "version: is 2, and must be 1"),
        (text("").replace("[2, 4, 4]", "[2, 0]"), "item: is [2, 0], and must be a shape of 1 to 8 axes"),
        (text("").replace("[2, 4, 4]", "[]"), "item: is an empty list, and must be a shape"),
        (text("").replace("[2, 4, 4]", "[16777216, 16777216, 16777216]"), "item: is [16777216, 16777216, 16777216]"),
        (text("").replace("[2, 4, 4]", "[2.5]"), "item: is [2.5], and must be a list of whole numbers"),
        (text("").replace("[2, 4, 4]", "[-2]"), "item: is [-2], and must be a list of whole numbers"),
        (text("").replace(r#""item""#, r#""items""#), "item: is missing"),
        (text("").replace("}", r#", "seed": 3}"#), "network: unknown member `seed`; there are: format, version, item"),
        (text("").replace("}", r#", "version": 1}"#), "the member `version` is there twice"),
        (text("7"), "blocks[0]: an object was expected, 7 found"),
        (text(&["{\"kind\": \"relu\"}"; 1001].join(", ")), "a list of at most 1000 blocks"),
        (in_block("conv2d", "conv3d"), "blocks[0].kind: is `conv3d`, and must be `sequential`, `linear`, `conv2d`"),
        (in_block(r#""kind": "conv2d", "#, ""), "blocks[0].kind: is missing"),
        (in_block(r#""filters": 2, "#, ""), "blocks[0].filters: is missing, and must be a whole number up to 16777216"),
        (in_block(r#""filters": 2"#, r#""filters": "two""#), "blocks[0].filters: is `two`, and must be a whole number"),
        (in_block(r#""filters": 2"#, r#""filters": 0"#), "blocks[0].filters: is 0, and must be a multiple"),
        (in_block(r#""filters": 2"#, r#""filters": 16777217"#), "blocks[0].filters: is 16777217"),
        (in_block("[1, 1]", "[1]"), "blocks[0].kernel: is [1], and must be two whole numbers"),
        (in_block("[1, 1]", "[1, 0]"), "blocks[0].kernel: is [1, 0], and must be two numbers from 1"),
        (in_block("]}", r#"], "stride": [0, 1]}"#), "blocks[0].stride: is [0, 1], and must be two numbers from 1"),
        (in_block("]}", r#"], "groups": 3}"#), "blocks[0].channels: is 2, and must be a multiple of `groups`"),
        (in_block("]}", r#"], "strides": [1, 1]}"#), "blocks[0]: unknown member `strides`; there are: kind, channels"),
        (in_block("]}", r#"], "bias": 1}"#), "blocks[0].bias: is 1, and must be true or false"),
        (in_block("]}", r#"], "name": "a"}"#), "blocks[0]: unknown member `name`"),
        (weight("3"), "blocks[0].weight: an object was expected, 3 found"),
        (weight(r#"{"kind": "orthogonal"}"#), "blocks[0].weight.kind: is `orthogonal`, and must be `plain`, `spectral"),
        (weight(r#"{"kind": "bjorck", "order": 4}"#), "blocks[0].weight.order: is 4, and must be 1, 2 or 3"),
        (weight(r#"{"kind": "bjorck", "iterations": 9999}"#), "weight.iterations: is 9999, and must be from 1 to 1000"),
        (weight(r#"{"kind": "weight_normalisation", "axis": -1}"#), "weight.axis: is -1, and must be a whole number"),
        (
            weight(r#"{"kind": "spectral_normalisation", "divisor": "norm"}"#),
            "is `norm`, and must be `estimate`, `conv",
        ),
        (weight(r#"{"kind": "spectral_normalisation", "cap": 0}"#), "weight.cap: is 0, and must be a number above 0"),
        (weight(r#"{"kind": "spectral_normalisation", "delta": 1}"#), "weight.delta: is 1, and must be a number betw"),
        (
            weight(r#"{"kind": "spectral_normalisation", "delta": 1e-6, "divisor": "certified"}"#),
            "weight.delta: is there beside `divisor`, and must be there alone",
        ),
        (layers(r#"{"kind": "relu", "slope": 0.1}"#), "blocks[0].layers[0]: unknown member `slope`"),
        (layers(r#"{"kind": "relu"}, {"kind": "leaky_relu"}"#), "blocks[0].layers[1].slope: is missing"),
        (layers(r#"{"name": "", "kind": "relu"}"#), "blocks[0].layers[0]: its name is empty"),
        (format!("{}{}", text(""), " ".repeat(1 << 20)), "bytes long or more, and 1048576 are allowed"),
    ] {
        let error = parse(&text).expect_err(&text);
        assert!(matches!(error, Error::File { .. }), "{error}");
        let found = error.to_string();
        assert!(found.starts_with("net.json: the description of the network"), "{found}");
        assert!(found.contains(words), "`{words}` is not in `{found}`");
    }
}

#[test]
fn the_page_shows_the_text_and_every_kind() {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/invertible.md")).unwrap();
    let text = page.split("```json\n").nth(1).unwrap().split("\n```").next().unwrap();
    assert_eq!(parse(text).unwrap().to_json(), text);
    let error = |text: &str| parse(text).unwrap_err().to_string();
    let unknown = [text.replace("\"elu\"", "\"?\""), text.replace("\"spectral_normalisation\"", "\"?\"")];
    for words in unknown.map(|text| error(&text)) {
        // The kinds stand in backquotes behind the unknown one.
        for kind in words.split('`').skip(3).step_by(2) {
            assert!(page.contains(&format!("`{kind}`")), "{kind} is not in docs/invertible.md");
        }
    }
}
