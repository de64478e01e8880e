//! The planner on public instances: `psplib DIR --schedules N [--seconds S] [--threads T] [--imopse] [--every K] [--seed S] [--list] [--json]`.
//!
//! DIR holds `.sm` files of PSPLIB and, in it or beside it, the table of best known makespans (`j30hrs.sm`); or, with `--imopse`, `.def` files.
//! Each instance gets N schedules a thread, or S seconds of processor time a thread. Every schedule is checked by a referee that shares no code with
//! the planner; one that is invalid, or below a bound, ends the run with exit code 1. `--list` gives every instance; with `--json`, as `rows` of the
//! report. `tests/peers/cpsat.py` prints the same of CP-SAT, and `just peers` lays both side by side.
//!
//! Percentages are means over the instances of *makespan by reference, less one*. Processor time is that of the whole process, reading and
//! checking included.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;
use std::{env, fs};

use director::perform::islands;
use director::planner::search::floor::Floor;
use director::planner::search::model::Model;
use director::planner::search::{imopse, psplib};
use director_tests::referee::Instance;
use serde_json::json;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("psplib: {error}");
            ExitCode::FAILURE
        }
    }
}

struct Options {
    dir: PathBuf,
    schedules: u64,
    seconds: Option<f64>,
    threads: usize,
    every: usize,
    seed: u64,
    imopse: bool,
    list: bool,
    json: bool,
}

impl Options {
    fn read() -> Result<Self, String> {
        let mut options = Self {
            dir: PathBuf::new(),
            schedules: u64::MAX,
            seconds: None,
            threads: 1,
            every: 1,
            seed: 1,
            imopse: false,
            list: false,
            json: false,
        };
        let mut words = env::args().skip(1);
        while let Some(word) = words.next() {
            let mut number = || {
                let value = words.next().unwrap_or_default();
                value
                    .parse::<f64>()
                    .map_err(|_| format!("{word} needs a number, not `{value}`"))
            };
            match word.as_str() {
                "--schedules" => options.schedules = number()? as u64,
                "--seconds" => options.seconds = Some(number()?),
                "--threads" => options.threads = number()? as usize,
                "--every" => options.every = (number()? as usize).max(1),
                "--seed" => options.seed = number()? as u64,
                "--imopse" => options.imopse = true,
                "--list" => options.list = true,
                "--json" => options.json = true,
                _ if word.starts_with('-') => {
                    return Err(format!("{word} is not known; see the head of the source"));
                }
                _ => options.dir = PathBuf::from(word),
            }
        }
        if options.dir.as_os_str().is_empty()
            || (options.schedules == u64::MAX && options.seconds.is_none())
        {
            return Err("give a directory, and --schedules or --seconds".to_owned());
        }
        Ok(options)
    }
}

/// What came of one instance.
struct Row {
    name: String,
    makespan: u32,
    bound: u32,
    /// The critical path, or the bound for skills.
    path: u32,
    known: Option<u32>,
    schedules: u64,
}

impl Row {
    fn line(&self) -> String {
        let known = self.known.map_or("-".to_owned(), |known| known.to_string());
        format!(
            "{} makespan {} bound {} path {} known {known} schedules {}",
            self.name, self.makespan, self.bound, self.path, self.schedules
        )
    }

    fn json(&self) -> serde_json::Value {
        json!({
            "name": self.name,
            "makespan": self.makespan,
            "bound": self.bound,
            "path": self.path,
            "known": self.known,
            "schedules": self.schedules,
        })
    }
}

fn run() -> Result<(), String> {
    let options = Options::read()?;
    let instances = instances(&options)?;
    let known = match options.imopse {
        true => BTreeMap::new(),
        false => table(&options.dir)?,
    };
    let (wall, processor) = (Instant::now(), processor_seconds());
    let mut searching = 0.0;
    let mut rows = Vec::new();
    for path in instances.iter().step_by(options.every) {
        let began = Instant::now();
        let row = solve(&options, rows.len(), path, &known)
            .map_err(|error| format!("{}: {error}", path.display()))?;
        searching += began.elapsed().as_secs_f64();
        if options.list && !options.json {
            println!("{}", row.line());
        }
        rows.push(row);
    }
    if rows.is_empty() {
        return Err(format!(
            "there are no instances in {}",
            options.dir.display()
        ));
    }
    let mean = |of: &dyn Fn(&Row) -> f64| rows.iter().map(of).sum::<f64>() / rows.len() as f64;
    let above = |of: fn(&Row) -> u32| {
        mean(&|row| (f64::from(row.makespan) / f64::from(of(row).max(1)) - 1.0) * 100.0)
    };
    let count = |test: &dyn Fn(&Row) -> bool| rows.iter().filter(|row| test(row)).count();
    let schedules: u64 = rows.iter().map(|row| row.schedules).sum();
    let processor = processor_seconds() - processor;
    let known = |row: &Row| row.known.unwrap_or(row.path);
    let mut report = json!({
        "instances": rows.len(),
        "above_known_percent": above(known),
        "above_path_percent": above(|row| row.path),
        "above_bound_percent": above(|row| row.bound),
        "proven_optimal": count(&|row| row.makespan == row.bound),
        "equal_to_known": count(&|row| row.makespan == known(row)),
        "better_than_known": count(&|row| row.makespan < known(row)),
        "schedules": schedules,
        "processor_seconds": processor,
        "wall_seconds": wall.elapsed().as_secs_f64(),
        "instance_seconds": searching,
        "schedules_per_processor_second": schedules as f64 / processor.max(1e-9),
        "threads": options.threads,
        "seed": options.seed,
    });
    if options.list && options.json {
        report["rows"] = rows.iter().map(Row::json).collect();
    }
    println!("{}", text(&report, options.json));
    Ok(())
}

fn text(report: &serde_json::Value, json: bool) -> String {
    if json {
        return report.to_string();
    }
    let mut text = String::new();
    for (key, value) in report.as_object().into_iter().flatten() {
        let _ = match value.as_f64().filter(|_| !value.is_u64()) {
            Some(number) => writeln!(text, "{key:32}{number:14.4}"),
            None => writeln!(text, "{key:32}{value:>14}"),
        };
    }
    text.trim_end().to_owned()
}

fn solve(
    options: &Options,
    number: usize,
    path: &Path,
    known: &BTreeMap<String, u32>,
) -> Result<Row, String> {
    let text = fs::read_to_string(path).map_err(|error| error.to_string())?;
    let (problem, instance) = match options.imopse {
        true => (imopse::parse(&text), Instance::of_def(&text)),
        false => (psplib::parse(&text), Instance::of_sm(&text)),
    };
    let problem = problem.map_err(|error| error.to_string())?;
    let in_time = || {
        options
            .seconds
            .is_none_or(|limit| thread_seconds(number) < limit)
    };
    let model = Model::new(&problem).map_err(|error| error.to_string())?;
    let floor = Floor::of(&model);
    let outcome = islands::search(
        &model,
        &floor,
        options.seed,
        options.threads,
        options.schedules,
        &[],
        &in_time,
    );
    let found = outcome.found;
    let agent = |(job, &way): (usize, &u32)| {
        let way = &problem.jobs[job].ways[way as usize];
        way.demand.first().map_or(0, |&(agent, _)| agent as usize)
    };
    let agents: Vec<usize> = found.ways.iter().enumerate().map(agent).collect();
    let makespan = instance.check(&found.starts, &agents)?;
    let name = path
        .file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let row = Row {
        makespan,
        bound: outcome.bound,
        path: if options.imopse {
            instance.skill_bound()
        } else {
            instance.critical_path()
        },
        known: known.get(&name).copied(),
        schedules: outcome.schedules,
        name,
    };
    if makespan != found.makespan || makespan < row.bound || row.bound < row.path {
        return Err(format!(
            "{makespan} was found, said to be {}, with the bounds {} and {}",
            found.makespan, row.bound, row.path
        ));
    }
    if row.known.is_some_and(|known| known < row.bound) {
        return Err(format!(
            "the bound {} is above the known makespan {:?}",
            row.bound, row.known
        ));
    }
    Ok(row)
}

/// The instance files by parameter and instance number.
fn instances(options: &Options) -> Result<Vec<PathBuf>, String> {
    let end = if options.imopse { "def" } else { "sm" };
    let entries = fs::read_dir(&options.dir)
        .map_err(|error| format!("{}: {error}", options.dir.display()))?;
    let mut found: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    found.retain(|path| {
        path.extension().is_some_and(|own| own == end)
            && !path.to_string_lossy().ends_with("hrs.sm")
    });
    let numbers = |path: &PathBuf| {
        let name = path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let parts = name
            .split(|c: char| !c.is_ascii_digit())
            .filter_map(|part| part.parse::<u64>().ok());
        (parts.collect::<Vec<_>>(), name)
    };
    found.sort_by_key(numbers);
    Ok(found)
}

/// Best known makespans by instance, from the table of the set.
fn table(dir: &Path) -> Result<BTreeMap<String, u32>, String> {
    let set = dir
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let name = format!("{set}hrs.sm");
    let places = [dir.join(&name), dir.join("..").join(&name)];
    let Some(place) = places.iter().find(|place| place.exists()) else {
        return Err(format!(
            "there is no {name} in {} or beside it",
            dir.display()
        ));
    };
    let text = fs::read_to_string(place).map_err(|error| error.to_string())?;
    let mut known = BTreeMap::new();
    for line in text.lines() {
        let numbers: Vec<u32> = line
            .split_whitespace()
            .map_while(|word| word.parse().ok())
            .collect();
        if let [parameter, instance, makespan, ..] = numbers[..] {
            known.insert(format!("{set}{parameter}_{instance}"), makespan);
        }
    }
    Ok(known)
}

/// Processor time of this thread since it was first asked for the instance in hand. Looked up for one call in sixteen.
fn thread_seconds(instance: usize) -> f64 {
    // Instance, calls, what the clock said at first, what it said last.
    thread_local!(static ASKED: Cell<(usize, u32, f64, f64)> = const { Cell::new((usize::MAX, 0, 0.0, 0.0)) });
    let (of, calls, first, last) = ASKED.get();
    let (calls, first, last) = match (of == instance, calls % 16) {
        (false, _) => {
            let now = thread_clock();
            (1, now, now)
        }
        (true, 0) => (calls + 1, first, thread_clock()),
        (true, _) => (calls + 1, first, last),
    };
    ASKED.set((instance, calls, first, last));
    last - first
}

/// The kernel counts it in nanoseconds.
fn thread_clock() -> f64 {
    let text = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let spent = text
        .split_whitespace()
        .next()
        .and_then(|word| word.parse::<u64>().ok());
    spent.unwrap_or_default() as f64 / 1e9
}

/// Processor time of this process in user and system mode. The kernel counts it in hundredths of a second.
fn processor_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name of the program, in brackets, may hold anything.
    let fields = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace();
    let ticks: u64 = fields
        .skip(11)
        .take(2)
        .filter_map(|field| field.parse::<u64>().ok())
        .sum();
    ticks as f64 / 100.0
}
