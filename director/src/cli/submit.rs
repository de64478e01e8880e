//! `director submit`: a sprint handed to the director that serves its data directory.

use std::path::PathBuf;

use director_protocols::manifest::Purpose;
use serde_json::json;

use super::end::{CliError, Code};
use super::output::note;
use super::source::Source;
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
    /// One JSON document
    #[arg(long)]
    json: bool,
}

pub(super) fn submit(args: &SubmitArgs, cx: &mut Context) -> Result<Code, CliError> {
    let mut manifest = plan::read(&args.file, Purpose::Run, cx)?;
    for guess in plan::guessed_kinds(&mut manifest) {
        note(&format!("guess: {guess}"));
    }
    let spec = manifest.spec;
    let data_dir = home::of_sprint(cx.data_dir.as_deref(), &spec, &args.file)?;
    submission::hide_our_folders(&spec);
    let sprint = spec.id.to_string();
    let order = Order::Submit {
        spec: Box::new(spec),
    };
    let answer = super::block_on(async {
        let mut source = match home::has_journal(&data_dir) {
            true => Source::open(&data_dir).await?,
            false => match super::source::director(&data_dir).await? {
                Some(client) => Source::Running(client),
                None => {
                    let text = format!(
                        "no director serves `{}`; `director serve` starts one, `director run {}` runs the sprint here",
                        data_dir.display(),
                        args.file.display()
                    );
                    return Err(CliError::Input(text));
                }
            },
        };
        source.order(order).await
    })?;
    let answer = Answer {
        json: json!({ "sprint": sprint, "seq": answer.seq }),
        ..answer
    };
    cx.output.answer(&answer, args.json)?;
    Ok(Code::Done)
}
