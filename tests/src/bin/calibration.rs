//! Measures how well habits learned from one half of a team's finished tasks cover the other half.
//!
//! `zcat Sip-task-info.csv.gz | cargo run --release -p director-tests --bin calibration -- -`
//!
//! Reads a CSV file with the columns of the SiP data set (`TaskNumber`, `StatusCode`, `HoursEstimate`, `HoursActual`); a task counts
//! once, and only when it is finished. Prints, for P50, P85 and P95, the share of tasks that came in at or below; a good forecast covers what its name
//! says. Last comes the table fitted to all tasks, as `director/src/estimate/habits.rs` has it, and whether that is what it has.
//!
//! `cargo run --release -p director-tests --bin calibration -- --sprints DIR` does the same with sprints: files `*_iteration_30.csv`, `_50`
//! and `_80` say what was committed, open and done at 30, 50 and 80 % of a sprint's planned length, and how much was delivered in the end
//! (Choetkiertikul, Dam, Tran, Ghose, Grundy, "Predicting delivery capability in iterative software development", IEEE TSE 2018). How much of
//! what is open is still delivered is learned from the earlier half of each project's sprints and asked of the later half, beside the naive
//! forecast that the velocity so far goes on. A point counts as an hour, so the same habits are fitted as to tasks.
//!
//! Many tasks take exactly what was estimated, so a level can fall inside such a point; of the tasks there, as much counts as covered
//! as lies below the level (the non-randomized probability integral transform: Czado, Gneiting, Held, Biometrics 65, 2009).

use std::collections::BTreeMap;
use std::error::Error;
use std::io::Read;
use std::path::Path;

use director::estimate::Durations;
use director::estimate::habits::{Finished, Habits, SIZES, size};
use director_protocols::sprint::Estimate;
use director_protocols::time::Span;

/// What is asked of a forecast, in thousandths.
const LEVELS: [u32; 3] = [500, 850, 950];

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1);
    if path.as_deref() == Some("--sprints") {
        let dir = std::env::args().nth(2).ok_or("name the directory")?;
        return sprints(Path::new(&dir));
    }
    let path = path.ok_or("name the CSV file, or - for the standard input")?;
    let input: Box<dyn Read> = match path.as_str() {
        "-" => Box::new(std::io::stdin()),
        path => Box::new(std::fs::File::open(path)?),
    };
    let tasks = finished(input)?;
    println!("{} finished tasks", tasks.len());
    println!("\nfit on, then covered                tasks    P50    P85    P95");
    let half = tasks.len() / 2;
    let every_second = |first: usize| tasks.iter().skip(first).step_by(2).copied().collect();
    for (case, learn, look) in [
        ("even places, odd places", every_second(0), every_second(1)),
        ("odd places, even places", every_second(1), every_second(0)),
        (
            "earlier half, later half",
            tasks[..half].to_vec(),
            tasks[half..].to_vec(),
        ),
    ] {
        let learned = Habits::fit(&learn)?;
        row(case, &learned, &look);
        for class in 0..SIZES {
            let of_size: Vec<Finished> = look
                .iter()
                .filter(|task| size(task.estimate) == class)
                .copied()
                .collect();
            row(
                ["  < 1 h", "  1-3 h", "  3-7 h", "  7-20 h", "  >= 20 h"][class],
                &learned,
                &of_size,
            );
        }
    }
    let all = Habits::fit(&tasks)?;
    println!();
    for habit in &all.0 {
        println!(
            "    Habit {{ below: {}, above: {}, under: {:?}, over: {:?} }},",
            habit.below, habit.above, habit.under, habit.over
        );
    }
    let same = all == Habits::published();
    println!(
        "the built-in table is {} one",
        if same { "this" } else { "another" }
    );
    Ok(())
}

/// Finished tasks with an estimate and an effort, each once, by number.
fn finished(input: impl Read) -> Result<Vec<Finished>, Box<dyn Error>> {
    let mut reader = csv::Reader::from_reader(input);
    let headers = reader.byte_headers()?.clone();
    let column = |name: &str| -> Result<usize, String> {
        let place = headers.iter().position(|header| header == name.as_bytes());
        place.ok_or_else(|| format!("the file has no column {name}"))
    };
    let number = column("TaskNumber")?;
    let status = column("StatusCode")?;
    let hours = [column("HoursEstimate")?, column("HoursActual")?];
    let mut found = BTreeMap::new();
    for record in reader.byte_records() {
        let record = record?;
        let text = |place: usize| String::from_utf8_lossy(&record[place]).into_owned();
        if ["CANCELLED", "ESTIMATED", "TEMPLATE", "AUTHORISE"].contains(&text(status).as_str()) {
            continue;
        }
        let [estimate, actual] = hours.map(|place| {
            let hours: f64 = text(place).parse().unwrap_or(0.0);
            Span((hours * 3_600_000.0).round() as u64)
        });
        if estimate.0 > 0 && actual.0 > 0 {
            let number: u64 = text(number).parse()?;
            found.entry(number).or_insert(Finished { estimate, actual });
        }
    }
    Ok(found.into_values().collect())
}

/// A sprint at a moment, and what became of it, in points.
#[derive(Clone, Copy, Debug)]
struct Standing {
    /// Names it, in the order of time.
    sprint: (u64, u64),
    committed: f64,
    done: f64,
    delivered: f64,
}

impl Standing {
    /// What is committed and not done, and how much of it is still delivered.
    fn rest(&self) -> Finished {
        let points = |points: f64| Span((points.max(0.0) * 3_600_000.0) as u64);
        let estimate = points(self.committed - self.done);
        // As small as a ratio can be, for nothing.
        let least = Span(estimate.0 / 1_000_000);
        Finished {
            estimate,
            actual: points(self.delivered - self.done).max(least),
        }
    }
}

/// How well the rest of sprints is forecast.
fn sprints(dir: &Path) -> Result<(), Box<dyn Error>> {
    println!("at      sprints    P50    P85    P95   error of P50   of the naive   better in");
    for at in [30, 50, 80] {
        let (mut learn, mut look) = (Vec::new(), Vec::new());
        let mut files: Vec<_> = std::fs::read_dir(dir)?
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| {
                path.to_string_lossy()
                    .ends_with(&format!("_iteration_{at}.csv"))
            })
            .collect();
        files.sort();
        for file in &files {
            let mut sprints = standings(file)?;
            sprints.sort_by_key(|standing| standing.sprint);
            let half = sprints.len() / 2;
            look.extend(sprints.split_off(half));
            learn.extend(sprints);
        }
        let finished: Vec<Finished> = learn.iter().map(Standing::rest).collect();
        let habits = Habits::fit(&finished)?;
        let rests: Vec<Finished> = look.iter().map(Standing::rest).collect();
        print!("{at:>2} % {:>10}", rests.len());
        let durations = covered(&habits, &rests);
        let (mut ours, mut naive, mut better) = (0.0, 0.0, 0);
        for (place, standing) in (0..).zip(&look) {
            let rest = durations.of_task(place).quantile(500) as f64 / 3_600_000.0;
            let mine = (standing.done + rest - standing.delivered).abs();
            let goes_on = standing.done * 100.0 / f64::from(at);
            let theirs = (goes_on - standing.delivered).abs();
            ours += mine / look.len() as f64;
            naive += theirs / look.len() as f64;
            better += usize::from(mine < theirs);
        }
        println!(
            "   {ours:6.1} points  {naive:6.1} points   {:>5.0} %",
            100.0 * better as f64 / look.len() as f64
        );
    }
    Ok(())
}

/// The sprints of a file. Their names have commas in them, so columns are counted from the end.
fn standings(file: &Path) -> Result<Vec<Standing>, Box<dyn Error>> {
    const COLUMNS: [&str; 6] = [
        "vel_diff",
        "vel_starttime",
        "vel_added",
        "vel_removed",
        "vel_done",
        "planday",
    ];
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_path(file)?;
    let headers = reader.headers()?.clone();
    let back = COLUMNS.map(|name| {
        let place = headers.iter().position(|header| header == name);
        place.map(|place| headers.len() - place)
    });
    let mut found = Vec::new();
    for record in reader.byte_records() {
        let record = record?;
        let text = |place: usize| {
            record
                .get(place)
                .map(String::from_utf8_lossy)
                .unwrap_or_default()
        };
        let number = |column: usize| -> Result<f64, Box<dyn Error>> {
            let back = back[column]
                .ok_or_else(|| format!("the file has no column {}", COLUMNS[column]))?;
            let place = record.len().checked_sub(back).ok_or("a row is too short")?;
            Ok(text(place).trim().parse()?)
        };
        let committed = number(1)? + number(2)? - number(3)?;
        let standing = Standing {
            sprint: (
                text(1).trim().parse().unwrap_or(0),
                text(0).trim().parse().unwrap_or(0),
            ),
            committed,
            done: number(4)?,
            delivered: committed + number(0)?,
        };
        // Without anything open there is nothing to forecast.
        if standing.committed > standing.done {
            found.push(standing);
        }
    }
    Ok(found)
}

fn row(case: &str, habits: &Habits, tasks: &[Finished]) {
    print!("{case:34} {:6}", tasks.len());
    covered(habits, tasks);
    println!();
}

/// Prints the share covered at each level; gives the distributions.
fn covered(habits: &Habits, tasks: &[Finished]) -> Durations {
    let estimates: Vec<Estimate> = tasks
        .iter()
        .map(|task| Estimate::point(task.estimate))
        .collect();
    let durations = Durations::of(Default::default(), habits, &estimates);
    for level in LEVELS {
        let level = f64::from(level) / 1000.0;
        let covered = (0..).zip(tasks).map(|(at, task)| {
            let [below, at_most] = durations.of_task(at).shares(task.actual.0);
            ((level - below) / (at_most - below).max(f64::EPSILON)).clamp(0.0, 1.0)
        });
        let covered: f64 = covered.sum();
        print!(" {:5.1}%", 100.0 * covered / tasks.len() as f64);
    }
    durations
}
