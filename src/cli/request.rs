//! The meaning of a command line: the options of the library, and the checks of their combinations.

use opnorm::audit::{Bound, Norms, Options, Order};
use opnorm::certify::Certifier;
use opnorm::norm::{Lanczos, Method, Power, Start, Stop, seed_from_system};
use opnorm::report::Format;

use super::arguments::{
    AuditArguments, BoundArgument, BoundArguments, MethodArgument, MethodArguments, NormArguments, OrderArgument,
};
use super::format_arguments::FormatArguments;

/// The requested measurements, and the format of their report.
#[derive(Debug)]
pub struct Request {
    /// The measurements, without axes, which each item has.
    pub options: Options,
    /// The seed of the solver's random starts.
    pub seed: u64,
    /// The format of the report.
    pub format: Format,
}

/// A request, or the reason why its options do not go together.
type Checked<T> = Result<T, String>;

impl Request {
    /// The request of `opnorm audit`.
    pub fn audit(arguments: &AuditArguments) -> Checked<Self> {
        let bound = bound(&arguments.bound, arguments.method.method, Order::Spectral)?;
        let seed = seed(&arguments.method, &bound);
        let options = Options { method: method(&arguments.method, false, seed), bound, ..Options::default() };
        let format = if arguments.wide { Format::Wide } else { format(&arguments.format) };
        Ok(Self { options, seed, format })
    }

    /// The request of `opnorm norm`.
    pub fn norm(arguments: &NormArguments) -> Checked<Self> {
        let order = order(arguments.ord);
        expect_singular_values(arguments, order)?;
        let bound = bound(&arguments.bound, arguments.method.method, order)?;
        let seed = seed(&arguments.method, &bound);
        let options = Options {
            // A gradient needs the multiplicity, because the norm has a gradient only where its largest singular value
            // is simple.
            method: method(&arguments.method, arguments.grad.is_some(), seed),
            norms: Norms::Only(order),
            bound,
            top: arguments.top,
            ..Options::default()
        };
        Ok(Self { options, seed, format: format(&arguments.format) })
    }
}

/// Refuses singular values, vectors and gradients of norms without them.
fn expect_singular_values(arguments: &NormArguments, order: Order) -> Checked<()> {
    let spectral = order == Order::Spectral;
    if arguments.top.is_some() && !spectral {
        return Err(format!("--top finds singular values: it goes with --ord 2, not {order}"));
    }
    if arguments.top.is_some() && arguments.method.method != MethodArgument::Lanczos {
        return Err("--top goes with --method lanczos: power iteration finds one singular value".to_owned());
    }
    if arguments.vectors.is_some() && !spectral {
        return Err(format!("--vectors writes singular vectors: it goes with --ord 2, not {order}"));
    }
    if arguments.grad.is_some() && !matches!(order, Order::Spectral | Order::Frobenius) {
        return Err(format!(
            "--grad goes with --ord 2 and fro: the norm {order} has no gradient where two sums are equal or an \
             element is 0"
        ));
    }
    Ok(())
}

fn bound(arguments: &BoundArguments, method: MethodArgument, order: Order) -> Checked<Bound> {
    let upper = matches!(arguments.bound, BoundArgument::Probable | BoundArgument::Certified);
    if upper && order != Order::Spectral {
        return Err(format!("--bound is about the spectral norm: it goes with --ord 2, not {order}"));
    }
    if arguments.bound == BoundArgument::Probable && method != MethodArgument::Lanczos {
        return Err("--bound probable goes with --method lanczos: power iteration has no upper bound".to_owned());
    }
    if arguments.delta.is_some() && arguments.bound != BoundArgument::Probable {
        return Err("--delta goes with --bound probable: other bounds never fail".to_owned());
    }
    Ok(match arguments.bound {
        BoundArgument::None => Bound::None,
        BoundArgument::Lower => Bound::Lower,
        BoundArgument::Probable => Bound::Probabilistic { delta: arguments.delta.unwrap_or(1e-6) },
        BoundArgument::Certified => Bound::Certified(Certifier::default()),
    })
}

/// The requested seed, or the default of these bounds.
fn seed(arguments: &MethodArguments, bound: &Bound) -> u64 {
    let default = || if matches!(bound, Bound::Probabilistic { .. }) { seed_from_system() } else { 0 };
    arguments.seed.unwrap_or_else(default)
}

fn method(arguments: &MethodArguments, multiplicity: bool, seed: u64) -> Method {
    let rtol = arguments.rtol;
    match arguments.method {
        MethodArgument::Lanczos => {
            let default = Lanczos::default();
            let max_iter = arguments.max_iter.unwrap_or(default.max_iter);
            Method::Lanczos(Lanczos { stop: Stop::Value { rtol }, max_iter, seed, multiplicity, ..default })
        }
        MethodArgument::Power => {
            let default = Power::default();
            let max_iter = arguments.max_iter.unwrap_or(default.max_iter);
            Method::Power(Power { rtol, max_iter, start: Start::Random { seed }, ..default })
        }
    }
}

fn order(argument: OrderArgument) -> Order {
    match argument {
        OrderArgument::Spectral => Order::Spectral,
        OrderArgument::Frobenius => Order::Frobenius,
        OrderArgument::One => Order::One,
        OrderArgument::Infinity => Order::Infinity,
    }
}

pub fn format(arguments: &FormatArguments) -> Format {
    match (arguments.json, arguments.csv, arguments.markdown) {
        (true, _, _) => Format::Json,
        (_, true, _) => Format::Csv,
        (_, _, true) => Format::Markdown,
        _ => Format::Table,
    }
}
