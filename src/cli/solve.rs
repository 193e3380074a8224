//! `opnorm solve`: the solutions of linear systems, with their residuals.

use std::io::{self, IsTerminal, Write};

use indicatif::ProgressBar;
use opnorm::audit::Target;
use opnorm::device::AdapterRequest;
use opnorm::io::{write_npy_f32, write_npy_f64};
use opnorm::iterate::Control;
use opnorm::operator::{Claimed, Claims};
use opnorm::report::SolutionRow;
use opnorm::solve::{
    Auto, BiCgStab, Cgnr, ConjugateGradients, Direct, Gmres, Jacobi, LinearSolver, Lsmr, Minres, Neumann, Solution,
    Solutions, SolveStatus, System,
};
use opnorm::tensor::Tensor;
use opnorm::{Device, Error, Matrix, Result};

use super::ending::{Ending, Findings, complain};
use super::input::Input;
use super::interrupt;
use super::outputs::destination;
use super::request::format;
use super::rewriting::device;
use super::solve_arguments::{PreconditionerArgument, SolveArguments, SolverArgument};
use super::systems::{Systems, transposed};

/// Solves, writes x, and prints a row for each right-hand side.
pub fn run(adapter: &AdapterRequest, arguments: &SolveArguments) -> Ending {
    let inputs = [&arguments.matrix, &arguments.right].map(|path| Input::open(path, None));
    let (matrix, right) = match (inputs[0].only("A"), inputs[1].only("b")) {
        (Ok(matrix), Ok(right)) => (matrix, right),
        (Err(ending), _) | (_, Err(ending)) => return ending,
    };
    let output = destination(&arguments.output);
    if [matrix, right].iter().any(|target| destination(&target.entry.file) == output) {
        return Ending::Usage(format!("--output would replace the input {}", arguments.output.display()));
    }
    let systems = match Systems::of(&matrix.entry.shape, &right.entry.shape) {
        Ok(systems) => systems,
        Err(problem) => return Ending::Usage(problem),
    };
    let solved = device(adapter).and_then(|device| {
        let solutions = solve(&device, arguments, [matrix, right], &systems)?;
        finish(&device, arguments, &systems, &solutions)
    });
    match solved {
        Ok(ending) => ending,
        Err(Error::Cancelled { .. }) => Ending::Interrupted { done: 0, total: systems.count(), what: "systems" },
        Err(error) => Ending::failed(error, adapter),
    }
}

fn solve(
    device: &Device,
    arguments: &SolveArguments,
    targets: [Target<'_>; 2],
    systems: &Systems,
) -> Result<Solutions> {
    let Systems { batch, rows, cols, vectors, .. } = *systems;
    let read = |target: Target<'_>, role: &str| {
        let element = &target.entry.element;
        if !element.fits_f32() {
            complain(&format!("{role} is rounded from {element} to f32, and x solves the rounded system"));
        }
        let mut data = vec![0.0; target.entry.elements()];
        target.checkpoint.read(target.entry)?.copy_f32(0, &mut data)?;
        Ok::<_, Error>(data)
    };
    let [matrix, right] = targets;
    let entries = read(matrix, "A")?;
    let claims = if rows == cols { Claims::of_entries(rows, &entries) } else { Claims::default() };
    let matrix = Matrix::from_batch(device, batch, rows, cols, &entries)?;
    let jacobi = match arguments.preconditioner {
        PreconditionerArgument::None => None,
        PreconditionerArgument::Jacobi => Some(Jacobi::new(&matrix)?),
    };
    let matrix = Claimed::new(matrix, claims);
    let right = Tensor::from_slice(device, &[batch, vectors, rows], &transposed(&read(right, "b")?, (rows, vectors)))?;
    let bar = if io::stderr().is_terminal() { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
    let control = Control::new().on_progress(|progress| {
        bar.set_message(format!("step {}, {} of {} done", progress.iterations, progress.done, progress.total));
        bar.tick();
        if interrupt::is_asked() { Err(progress.cancelled()) } else { Ok(()) }
    });
    let (solver, system) = (solver(arguments), System::new(&matrix, &right));
    let system = jacobi.as_ref().map_or(system, |jacobi| system.preconditioned(jacobi));
    let solutions = device.block_on(solver.solve_system_async(system, control));
    bar.finish_and_clear();
    solutions
}

/// The method with its options.
fn solver(arguments: &SolveArguments) -> Box<dyn LinearSolver> {
    let SolveArguments { rtol, max_iter, refine, .. } = *arguments;
    macro_rules! of {
        ($solver:ident) => {{
            let mut solver = $solver::default();
            (solver.relative, solver.refine) = (rtol, refine);
            solver.iterations = max_iter.unwrap_or(solver.iterations);
            Box::new(solver)
        }};
    }
    match arguments.method {
        SolverArgument::Auto => of!(Auto),
        SolverArgument::Cg => of!(ConjugateGradients),
        SolverArgument::Minres => of!(Minres),
        SolverArgument::Bicgstab => of!(BiCgStab),
        SolverArgument::Gmres => of!(Gmres),
        SolverArgument::Lsmr => of!(Lsmr),
        SolverArgument::Cgnr => of!(Cgnr),
        SolverArgument::Neumann => of!(Neumann),
        SolverArgument::Lu => of!(Direct),
    }
}

/// Writes x, unless a number of a system or of x is not finite, or A has no factors, and the report.
fn finish(device: &Device, arguments: &SolveArguments, systems: &Systems, solutions: &Solutions) -> Result<Ending> {
    let output = &arguments.output;
    let sides = (systems.vectors, systems.cols);
    let x = solutions.x.read(device)?;
    let is_finite = solutions.iter().all(|solution| solution.status != SolveStatus::NonFinite);
    let is_singular = |solution: &Solution| solution.status == SolveStatus::Singular;
    let singular = match arguments.method {
        SolverArgument::Lu => solutions.iter().position(is_singular).map(|index| index / systems.vectors.max(1)),
        _ => None,
    };
    match (singular, &solutions.refined) {
        (Some(matrix), _) => complain(&format!(
            "{}: no x is written: matrix {matrix} is singular to the precision of f32; --method lsmr finds an x of \
             least residual",
            output.display()
        )),
        _ if !is_finite || !x.iter().all(|number| number.is_finite()) => {
            complain(&format!("{}: no x is written: a number is NaN or infinite", output.display()));
        }
        (None, Some(refined)) => write_npy_f64(output, &systems.solution, &transposed(&refined.concat(), sides))?,
        (None, None) => write_npy_f32(output, &systems.solution, &transposed(&x, sides))?,
    }
    let unconverged = solutions.iter().any(|solution| solution.status != SolveStatus::Converged);
    let findings = Findings { unreadable: singular.is_some(), unconverged };
    let mut method = solutions.solver.to_owned();
    if !solutions.reason.is_empty() {
        method.push_str(&format!(": {}", solutions.reason));
    }
    let (format, mut out) = (format(&arguments.format), io::stdout());
    let head = match format.has_summary() {
        true => writeln!(out, "{method}\n"),
        false => {
            complain(&method);
            Ok(())
        }
    };
    let rows = SolutionRow::of(solutions, systems.vectors);
    let written = head.and_then(|()| SolutionRow::write(&rows, format, &mut out));
    Ok(written.map_or_else(|error| Ending::Output(error, findings), |()| Ending::Done(findings)))
}
