//! Measures how well habits learned from one half of a team's finished tasks cover the other half.
//!
//! `zcat Sip-task-info.csv.gz | cargo run --release -p director-tests --bin calibration -- -`
//!
//! Reads a CSV file with the columns of the SiP data set (`TaskNumber`, `StatusCode`, `HoursEstimate`, `HoursActual`); a task counts
//! once, and only when it is finished. Prints, for P50, P85 and P95, the share of tasks that came in at or below; a good forecast covers what its name
//! says. Last comes the table fitted to all tasks, as `director/src/estimate/habits.rs` has it, and whether that is what it has.
//!
//! Many tasks take exactly what was estimated, so a level can fall inside such a point; of the tasks there, as much counts as covered
//! as lies below the level (the non-randomized probability integral transform: Czado, Gneiting, Held, Biometrics 65, 2009).

use std::collections::BTreeMap;
use std::error::Error;
use std::io::Read;

use director::estimate::Durations;
use director::estimate::habits::{Finished, Habits, SIZES, size};
use director_protocols::sprint::Estimate;
use director_protocols::time::Span;

/// What is asked of a forecast, in thousandths.
const LEVELS: [u32; 3] = [500, 850, 950];

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1);
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

fn row(case: &str, habits: &Habits, tasks: &[Finished]) {
    print!("{case:34} {:6}", tasks.len());
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
    println!();
}
