//! `director submit`: a sprint handed to the director that serves its data directory.

use std::path::{Path, PathBuf};

use director_protocols::manifest::Purpose;
use director_protocols::sprint::SprintSpec;
use serde_json::json;

use super::end::{CliError, Code};
use super::output::note;
use super::source::{self, Source};
use super::{Context, home, plan};
use crate::control::protocol::{Answer, Order};
use crate::control::submission;

/// Hand a sprint to the director that runs, and return
///
/// Without one it waits in the journal for the next `director serve` or `director run`.
#[derive(Debug, clap::Args)]
pub(super) struct SubmitArgs {
    /// The sprint file
    #[arg(default_value = home::FILE)]
    file: PathBuf,
    /// Begin nothing before every question is answered in the inbox
    #[arg(long)]
    strict: bool,
    /// One JSON document
    #[arg(long)]
    json: bool,
}

pub(super) fn submit(args: &SubmitArgs, cx: &mut Context) -> Result<Code, CliError> {
    let mut manifest = plan::read(&args.file, Purpose::Run, cx)?;
    for guess in plan::guessed_kinds(&mut manifest) {
        note(&format!("guess: {guess}"));
    }
    manifest.spec.ways.start.strict |= args.strict;
    let here = args.file.parent().unwrap_or(std::path::Path::new(""));
    submission::before_start(&mut manifest, here);
    if let Some(asked) = submission::about_questions(&manifest.spec) {
        note(&asked);
    }
    let spec = manifest.spec;
    let data_dir = home::of_sprint(cx.data_dir.as_deref(), &spec, &args.file)?;
    submission::hide_our_folders(&spec);
    let sprint = spec.id.to_string();
    let handed = hand_over(spec, &data_dir, &args.file);
    let (answer, waits) = super::block_on(handed)?;
    if waits {
        note(source::WAITS);
    }
    let answer = Answer {
        json: json!({ "sprint": sprint, "seq": answer.seq }),
        ..answer
    };
    cx.output.answer(&answer, args.json)?;
    Ok(Code::Done)
}

/// Hands a sprint to whoever holds the data directory, and says whether it only waits in the journal.
pub(super) async fn hand_over(
    spec: SprintSpec,
    data_dir: &Path,
    file: &Path,
) -> Result<(Answer, bool), CliError> {
    let order = Order::Submit {
        spec: Box::new(spec),
    };
    let mut source = match home::has_journal(data_dir) {
        true => Source::open(data_dir).await?,
        false => match source::director(data_dir).await? {
            Some(client) => Source::Running(client),
            None => {
                let text = format!(
                    "no director serves `{}`; `director serve` starts one, `director run {}` runs the sprint here",
                    data_dir.display(),
                    file.display()
                );
                return Err(CliError::Input(text));
            }
        },
    };
    let answer = source.order_quietly(order).await?;
    Ok((answer, matches!(source, Source::Journal(..))))
}
