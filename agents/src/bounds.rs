//! Limits on what an agent can put into a report: every text is cut to [`TEXT_BYTES_MAX`], every list to
//! [`ITEMS_MAX`]. What was cut says so.

use director_protocols::work::{AttemptEnd, BlockerReport, Report, TEXT_BYTES_MAX};

use crate::context::clip;

/// The most artifacts, and the most answered criteria, that one report can name.
pub const ITEMS_MAX: usize = 1_000;

/// A text of an agent, cut to [`TEXT_BYTES_MAX`].
pub(crate) fn bounded_text(text: String) -> String {
    clip(text, TEXT_BYTES_MAX)
}

/// An end with every text and list in it within the limits.
pub(crate) fn bounded_end(end: AttemptEnd) -> AttemptEnd {
    match end {
        AttemptEnd::Done(report) => AttemptEnd::done(bounded_report(report.into_inner())),
        AttemptEnd::Blocked(BlockerReport {
            kind,
            severity,
            text,
        }) => {
            let (kind, text) = (clip(kind, 200), bounded_text(text));
            AttemptEnd::Blocked(BlockerReport {
                kind,
                severity,
                text,
            })
        }
        AttemptEnd::Failed { reason, exit_code } => AttemptEnd::Failed {
            reason: bounded_text(reason),
            exit_code,
        },
        AttemptEnd::Died { reason } => AttemptEnd::Died {
            reason: bounded_text(reason),
        },
        AttemptEnd::TimedOut { reason } => AttemptEnd::TimedOut {
            reason: bounded_text(reason),
        },
        AttemptEnd::Limited { reason, until } => AttemptEnd::Limited {
            reason: bounded_text(reason),
            until,
        },
        AttemptEnd::BudgetReached => AttemptEnd::BudgetReached,
        AttemptEnd::Cancelled => AttemptEnd::Cancelled,
        AttemptEnd::Interrupted => AttemptEnd::Interrupted,
    }
}

fn bounded_report(mut report: Report) -> Report {
    let over = report.artifacts.len().max(report.acceptance.len());
    let over = over.max(report.findings.len());
    if over > ITEMS_MAX {
        report.feedback = format!(
            "(a list of {over} entries was cut to {ITEMS_MAX}) {}",
            report.feedback
        );
    }
    report.artifacts.truncate(ITEMS_MAX);
    report.acceptance.truncate(ITEMS_MAX);
    report.findings.truncate(ITEMS_MAX);
    for finding in &mut report.findings {
        *finding = clip(std::mem::take(finding), 4_096);
    }
    for artifact in &mut report.artifacts {
        artifact.name = clip(std::mem::take(&mut artifact.name), 4_096);
        artifact.kind = clip(std::mem::take(&mut artifact.kind), 200);
        artifact.sha256 = clip(std::mem::take(&mut artifact.sha256), 64);
    }
    for answer in &mut report.acceptance {
        answer.criterion = clip(std::mem::take(&mut answer.criterion), 4_096);
        answer.evidence = clip(std::mem::take(&mut answer.evidence), 4_096);
    }
    report.summary = bounded_text(report.summary);
    report.feedback = bounded_text(report.feedback);
    report
}

#[cfg(test)]
mod tests {
    use director_protocols::work::Artifact;

    use super::*;

    #[test]
    fn a_report_without_measure_is_cut_and_says_so() {
        let artifact = Artifact {
            name: "n".repeat(10_000),
            kind: "code".into(),
            sha256: String::new(),
            bytes: 1,
        };
        let report = Report {
            summary: "s".repeat(TEXT_BYTES_MAX * 2),
            artifacts: vec![artifact; ITEMS_MAX + 1],
            ..Report::default()
        };
        let AttemptEnd::Done(report) = bounded_end(AttemptEnd::done(report)) else {
            panic!()
        };
        assert_eq!(
            (report.summary.len(), report.artifacts.len()),
            (TEXT_BYTES_MAX, ITEMS_MAX)
        );
        assert_eq!(report.artifacts[0].name.len(), 4_096);
        assert!(
            report
                .feedback
                .starts_with("(a list of 1001 entries was cut to 1000)")
        );
    }
}
