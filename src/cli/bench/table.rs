//! The findings as a table.

use opnorm::report::text::{grid, printable};

use super::{Finding, Report};

pub(super) fn text(report: &Report) -> String {
    let mut rows =
        vec![["measure", "time", "GB/s", "of streaming", "GFlop/s", "iterations"].map(str::to_owned).to_vec()];
    rows.extend(report.measures.iter().map(|measure| row(measure).to_vec()));
    let device = if report.device == report.backend { String::new() } else { format!(" ({})", report.backend) };
    format!(
        "opnorm {} on {}{device}, {}\n\n{}",
        report.version,
        printable(&report.device),
        printable(&report.driver),
        grid(&rows, 1)
    )
}

fn row(finding: &Finding) -> [String; 6] {
    let or_nothing = |cell: Option<String>| cell.unwrap_or_default();
    [
        finding.name.clone(),
        time(finding.seconds),
        or_nothing(finding.gb_per_second.map(|speed| format!("{speed:.2}"))),
        or_nothing(finding.of_streaming.map(|part| format!("{:.0} %", 100.0 * part))),
        or_nothing(finding.gflop_per_second.map(|speed| format!("{speed:.1}"))),
        or_nothing(finding.iterations.map(|count| count.to_string())),
    ]
}

/// A time with three digits and its unit.
fn time(seconds: f64) -> String {
    let (number, unit) = match seconds {
        _ if seconds >= 1.0 => (seconds, "s "),
        _ if seconds >= 1e-3 => (1e3 * seconds, "ms"),
        _ => (1e6 * seconds, "us"),
    };
    let digits = if number >= 100.0 { 0 } else { usize::from(number < 10.0) + 1 };
    format!("{number:.digits$} {unit}")
}

#[cfg(test)]
mod tests {
    use super::time;

    #[test]
    fn times_have_three_digits() {
        assert_eq!(time(12.345), "12.3 s ");
        assert_eq!(time(0.0012345), "1.23 ms");
        assert_eq!(time(0.12345), "123 ms");
        assert_eq!(time(4.5678e-6), "4.57 us");
    }
}
