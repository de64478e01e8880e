//! An agent in its cell under a real supervisor, on virtual time: what the director is told, line by line.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use director_agents::agent::{Agent, AgentError, Inbound, Turn};
use director_agents::cell::{CellSpec, GRACE, account_of};
use director_agents::context::{Context, Host};
use director_agents::factory::Registry;
use director_agents::slot::{CellMessage, Slot};
use director_protocols::command::Command;
use director_protocols::ids::{AgentId, Attempt, EffectId, MessageId, Name, Seq, TaskId};
use director_protocols::sprint::{
    AgentSpec, Isolation, OnConflict, Profile, RestartSpec, RoleSpec,
};
use director_protocols::time::Span;
use director_protocols::work::{Assignment, AttemptEnd, BlockerReport, Report};
use director_runtime::clock::Clock;
use director_runtime::supervisor::{
    Backoff, Lifecycle, Root, Subtree, SupervisorActor, SupervisorArgs, SupervisorCommand,
    SupervisorSpec, spawn_root,
};
use expect_test::{Expect, expect};
use tokio::time::{Instant, sleep};

type Lines = Arc<Mutex<Vec<String>>>;

/// One agent under one supervisor, and everything that the director would hear.
struct Stage {
    slot: Slot,
    heard: Lines,
    start: Instant,
    root: Root<SupervisorCommand>,
}

impl Stage {
    fn new(registry: Registry, kind: &str, options: &[(&str, &str)]) -> Self {
        let slot = Slot::new(AgentId(0), "engineer-1");
        let (heard, start) = (Lines::default(), Instant::now());
        let hear = {
            let heard = Arc::clone(&heard);
            move |line: String| {
                heard
                    .lock()
                    .unwrap()
                    .push(format!("{:<6}{line}", start.elapsed().as_millis()));
            }
        };
        let sink = hear.clone();
        let cell = CellSpec {
            slot: slot.clone(),
            role: Arc::new(role(kind, options)),
            registry: Arc::new(registry),
            host: Host::new("/nonexistent", Clock::tokio(0)),
            sink: Arc::new(move |command| sink(line(&command))),
            grace: GRACE,
        };
        let observed = slot.clone();
        let arguments = SupervisorArgs {
            spec: SupervisorSpec::named("engineer")
                .intensity(2, Duration::from_secs(60))
                .join_within(Duration::from_millis(100))
                .backoff(
                    Backoff::exponential(Duration::from_millis(200), Duration::from_secs(1))
                        .jitter(0),
                )
                .child(cell.child())
                .build()
                .unwrap(),
            clock: Clock::tokio(0),
            subtree: Subtree::new(),
            observer: Some(Box::new(move |event| {
                for command in account_of(&observed, event) {
                    hear(line(&command));
                }
                if let Lifecycle::Restarting { delay_ms, .. } = event {
                    hear(format!("(restart in {delay_ms})"));
                }
            })),
        };
        let root = spawn_root(SupervisorActor, arguments).unwrap();
        Self {
            slot,
            heard,
            start,
            root,
        }
    }

    fn assign(&self, task: u32, attempt: u32, effect: u64) {
        self.assign_with(task, attempt, effect, |_| {});
    }

    fn assign_with(&self, task: u32, attempt: u32, n: u64, change: impl FnOnce(&mut Assignment)) {
        let mut assignment = Context::assignment_for_tests("work");
        assignment.task = TaskId(task);
        assignment.attempt = Attempt(attempt);
        change(&mut assignment);
        self.send(CellMessage::Assign {
            effect: effect(n),
            assignment: assignment.into(),
        });
    }

    fn cancel(&self, task: u32, attempt: u32) {
        self.send(CellMessage::Cancel {
            attempt: (TaskId(task), Attempt(attempt)),
        });
    }

    fn ask(&self, n: u64, text: &str) {
        self.deliver(n, text, true);
    }

    fn deliver(&self, n: u64, text: &str, expects_answer: bool) {
        let (message, from, text) = (MessageId(n as u32), "qa-1".to_owned(), text.to_owned());
        self.send(CellMessage::Deliver {
            effect: effect(n),
            message,
            from,
            text,
            expects_answer,
        });
    }

    fn answer(&self, task: u32, attempt: u32, n: u64, text: &str) {
        self.send(CellMessage::Answer {
            effect: effect(n),
            message: MessageId(n as u32),
            attempt: (TaskId(task), Attempt(attempt)),
            question: "which port?".to_owned(),
            text: text.to_owned(),
        });
    }

    fn send(&self, message: CellMessage) {
        self.slot.send(message).unwrap();
    }

    async fn at(&self, ms: u64) {
        tokio::time::sleep_until(self.start + Duration::from_millis(ms)).await;
    }

    /// Stops everything in order and compares what was heard.
    async fn ends(self, expected: Expect) {
        expected.assert_eq(&self.told().await);
    }

    async fn told(self) -> String {
        self.root.actor.cast(SupervisorCommand::Shutdown).unwrap();
        self.root.wait().await;
        self.heard.lock().unwrap().join("\n") + "\n"
    }
}

fn effect(seq: u64) -> EffectId {
    EffectId {
        seq: Seq(seq),
        n: 0,
    }
}

fn role(kind: &str, options: &[(&str, &str)]) -> RoleSpec {
    let pairs = options
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    RoleSpec {
        name: Name::new("engineer").unwrap(),
        count: 1,
        capacity: None,
        skills: Vec::new(),
        kinds: Vec::new(),
        covers: Vec::new(),
        agent: AgentSpec {
            options: pairs.collect::<BTreeMap<_, _>>(),
            ..AgentSpec::of_kind(kind)
        },
        restart: RestartSpec::default(),
        isolation: Isolation::default(),
        sandbox: None,
        conflicts: OnConflict::default(),
        budget: Default::default(),
        prompt: String::new(),
        profile: Profile::default(),
    }
}

fn line(command: &Command) -> String {
    match command {
        Command::AgentUp { generation, .. } => format!("up #{generation}"),
        Command::AgentDown {
            generation,
            reason,
            in_hand,
            ..
        } => {
            let in_hand = in_hand.map_or("nothing".to_owned(), |(t, a)| format!("{t}/{a}"));
            format!("down #{generation} with {in_hand} in hand: {reason}")
        }
        Command::Started { task, attempt, .. } => format!("started {task}/{attempt}"),
        Command::Session {
            task,
            attempt,
            session,
        } => format!("session {task}/{attempt} {session}"),
        Command::Ended { task, attempt, end } => {
            let why = match end {
                AttemptEnd::Done(report) => report.summary.as_str(),
                AttemptEnd::Blocked(BlockerReport { text, .. }) => text,
                AttemptEnd::Failed { reason, .. }
                | AttemptEnd::Died { reason }
                | AttemptEnd::TimedOut { reason }
                | AttemptEnd::Limited { reason, .. } => reason,
                AttemptEnd::BudgetReached | AttemptEnd::Cancelled | AttemptEnd::Interrupted => "",
            };
            let colon = if why.is_empty() { "" } else { ": " };
            format!("ended {task}/{attempt} {}{colon}{why}", end.as_str())
        }
        Command::Tell { to, text, .. } => format!("tell {to}: {text}"),
        Command::Ask {
            attempt: (task, attempt),
            to,
            text,
            ..
        } => {
            format!("ask {task}/{attempt} {to}: {text}")
        }
        Command::Delivery {
            message, answer, ..
        } => format!("delivered {message} {answer:?}"),
        other => format!("{other:?}"),
    }
}

/// A registry with one kind, `custom`.
fn custom<A: Agent>(make: impl Fn() -> A + Send + Sync + 'static) -> Registry {
    let mut registry = Registry::empty();
    registry.register_agent("custom", move |_| make());
    registry
}

/// Asks for what it does not know, and says what it is told.
struct Asker;

impl Agent for Asker {
    async fn turn(&mut self, message: Inbound, cx: &mut Context) -> Result<Turn, AgentError> {
        Ok(match message {
            Inbound::Assigned(assignment) => {
                cx.session("s-1");
                let person = assignment.role == "person";
                Turn::Ask {
                    to: if person { "person" } else { "architect" }.into(),
                    question: "which port?".into(),
                }
            }
            Inbound::Asked { text, .. } => Turn::Answer(format!("I don't know {text}")),
            Inbound::Told { text, from } => {
                cx.tell(from, format!("thanks for {text}"))?;
                Turn::NotYet
            }
            Inbound::Answered { question, text } => {
                let summary = format!("{} {text}", question.unwrap_or_default());
                Turn::Done(Report {
                    summary,
                    ..Report::default()
                })
            }
            Inbound::Guidance { text, .. } => Turn::Failed {
                reason: text,
                exit_code: None,
            },
        })
    }
}

#[tokio::test(start_paused = true)]
async fn a_question_waits_for_its_answer_and_other_talk_goes_on_meanwhile() {
    let stage = Stage::new(custom(|| Asker), "custom", &[]);
    stage.at(10).await;
    stage.assign(3, 1, 1);
    stage.at(20).await;
    assert!(stage.slot.status().waiting);
    stage.ask(2, "why");
    stage.deliver(3, "cake", false);
    stage.answer(3, 9, 4, "out of date");
    stage.at(30).await;
    stage.answer(3, 1, 5, "8080");
    stage.at(40).await;
    stage.answer(3, 1, 6, "8080 again, too late");
    stage.at(50).await;
    stage
        .ends(expect![[r#"
            0     up #1
            10    started 3/1
            10    session 3/1 s-1
            10    ask 3/1 architect: which port?
            20    delivered 4 None
            20    delivered 2 Some("I don't know why")
            20    tell qa-1: thanks for cake
            20    delivered 3 None
            30    delivered 5 None
            30    ended 3/1 done: which port? 8080
            40    delivered 6 None
            50    down #1 with nothing in hand: stopped
        "#]])
        .await;
}

#[tokio::test(start_paused = true)]
async fn the_time_a_person_takes_to_answer_is_not_the_attempts() {
    // Asked as a person, and as a role that people fill.
    for (role, people) in [("person", "nobody"), ("engineer", "architect")] {
        let stage = Stage::new(custom(|| Asker), "custom", &[]);
        stage.assign_with(3, 1, 1, |it| {
            (it.role, it.people) = (role.into(), vec![people.into()]);
        });
        stage.at(20_000_000).await;
        stage.answer(3, 1, 3, "8080");
        let told = stage.told().await;
        assert!(told.contains("ended 3/1 done: which port? 8080"), "{told}");
    }
}

/// Dies, hangs and fails as it is told.
struct Moody;

impl Agent for Moody {
    async fn turn(&mut self, message: Inbound, cx: &mut Context) -> Result<Turn, AgentError> {
        let text = match message {
            Inbound::Assigned(assignment) => assignment.spec.description.clone(),
            Inbound::Asked { text, .. } | Inbound::Told { text, .. } => text,
            _ => String::new(),
        };
        match text.as_str() {
            "panic" => panic!("out of coffee"),
            "hang" => std::future::pending().await,
            "fatal" => Err(AgentError::fatal("the model is gone")),
            "poison" => Err(AgentError::poison("cannot read this")),
            "tidy" => {
                cx.cancelled().await;
                sleep(Duration::from_secs(1)).await;
                Ok(Turn::Failed {
                    reason: "put down at 70%".into(),
                    exit_code: None,
                })
            }
            "confused" => Ok(Turn::Answer("42".into())),
            other => {
                sleep(Duration::from_millis(500)).await;
                Ok(Turn::Done(Report {
                    summary: format!("did {other}"),
                    ..Report::default()
                }))
            }
        }
    }
}

fn does(what: &str) -> impl FnOnce(&mut Assignment) + use<> {
    let what = what.to_owned();
    move |assignment| assignment.spec.description = what
}

#[tokio::test(start_paused = true)]
async fn a_death_is_told_with_what_was_in_hand_and_what_was_not_begun_survives_it() {
    let stage = Stage::new(custom(|| Moody), "custom", &[]);
    stage.at(10).await;
    stage.assign_with(1, 1, 1, does("panic"));
    stage.assign_with(2, 1, 2, does("work"));
    stage.ask(3, "panic");
    stage.at(5_000).await;
    // Repeated after the death, as a director does that had no answer: neither is done twice.
    stage.assign_with(1, 1, 1, does("panic"));
    stage.assign_with(2, 1, 2, does("work"));
    stage.at(6_000).await;
    stage
        .ends(expect![[r#"
            0     up #1
            10    started 1/1
            10    down #1 with 1/1 in hand: panicked: out of coffee
            10    (restart in 200)
            210   up #2
            210   started 2/1
            710   ended 2/1 done: did work
            710   delivered 3 None
            710   down #2 with nothing in hand: panicked: out of coffee
            710   (restart in 400)
            1110  up #3
            6000  down #3 with nothing in hand: stopped
        "#]])
        .await;
}

#[tokio::test(start_paused = true)]
async fn crashes_with_a_task_in_hand_do_not_take_the_role_down() {
    let stage = Stage::new(custom(|| Moody), "custom", &[]);
    for n in 1..=4 {
        stage.assign_with(n, 1, u64::from(n), does("panic"));
    }
    stage.assign_with(5, 1, 5, does("work"));
    stage.at(10_000).await;
    stage
        .ends(expect![[r#"
            0     up #1
            0     started 1/1
            0     down #1 with 1/1 in hand: panicked: out of coffee
            0     (restart in 200)
            200   up #2
            200   started 2/1
            200   down #2 with 2/1 in hand: panicked: out of coffee
            200   (restart in 400)
            600   up #3
            600   started 3/1
            600   down #3 with 3/1 in hand: panicked: out of coffee
            600   (restart in 800)
            1400  up #4
            1400  started 4/1
            1400  down #4 with 4/1 in hand: panicked: out of coffee
            1400  (restart in 1000)
            2400  up #5
            2400  started 5/1
            2900  ended 5/1 done: did work
            10000 down #5 with nothing in hand: stopped
        "#]])
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_turn_has_its_grace_and_the_agent_takes_the_next_task() {
    let stage = Stage::new(custom(|| Moody), "custom", &[]);
    stage.assign_with(1, 1, 1, does("tidy"));
    stage.at(100).await;
    stage.assign_with(2, 1, 2, does("hang"));
    stage.assign_with(3, 1, 3, does("never begun"));
    stage.cancel(3, 1);
    stage.cancel(1, 7);
    stage.cancel(1, 1);
    stage.at(2_000).await;
    stage.cancel(2, 1);
    stage.assign_with(4, 1, 4, does("the rest"));
    stage.at(8_000).await;
    stage
        .ends(expect![[r#"
            0     up #1
            0     started 1/1
            100   ended 3/1 cancelled
            1100  ended 1/1 cancelled
            1100  started 2/1
            7000  ended 2/1 cancelled
            7000  started 4/1
            7500  ended 4/1 done: did the rest
            8000  down #1 with nothing in hand: stopped
        "#]])
        .await;
}

#[tokio::test(start_paused = true)]
async fn the_time_limit_ends_what_hangs_and_what_waits() {
    let stage = Stage::new(custom(|| Moody), "custom", &[]);
    let limit = |what: &'static str| {
        let what = what.to_owned();
        move |assignment: &mut Assignment| {
            assignment.spec.description = what;
            assignment.time_max = Span::seconds(2);
        }
    };
    stage.assign_with(1, 1, 1, limit("hang"));
    stage.assign_with(2, 1, 2, limit("tidy"));
    stage.at(11_000).await;
    stage.assign_with(3, 1, 3, limit("confused"));
    stage.assign_with(4, 1, 4, limit("poison"));
    stage.at(12_000).await;
    stage.assign_with(5, 1, 5, limit("fatal"));
    stage.at(20_000).await;
    stage
        .ends(expect![[r#"
            0     up #1
            0     started 1/1
            7000  ended 1/1 timed out: ran longer than its limit of 2.0s
            7000  started 2/1
            10000 ended 2/1 timed out: ran longer than its limit of 2.0s; put down at 70%
            11000 started 3/1
            11000 ended 3/1 failed: the agent answered, but it was given a task and asked nothing
            11000 started 4/1
            11000 ended 4/1 failed: cannot read this (poison)
            12000 started 5/1
            12000 ended 5/1 failed: the model is gone (fatal)
            12000 down #1 with nothing in hand: failed: the model is gone (fatal)
            12000 (restart in 200)
            12200 up #2
            20000 down #2 with nothing in hand: stopped
        "#]])
        .await;
    let waiting = Stage::new(custom(|| Asker), "custom", &[]);
    waiting.assign_with(1, 1, 1, |assignment| {
        assignment.time_max = Span::seconds(30)
    });
    waiting.at(40_000).await;
    waiting
        .ends(expect![[r#"
            0     up #1
            0     started 1/1
            0     session 1/1 s-1
            0     ask 1/1 architect: which port?
            30000 ended 1/1 timed out: ran longer than its limit of 30s
            40000 down #1 with nothing in hand: stopped
        "#]])
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_new_assignment_replaces_one_that_waits() {
    let stage = Stage::new(custom(|| Asker), "custom", &[]);
    stage.assign(1, 1, 1);
    stage.at(1_000).await;
    stage.assign(1, 2, 2);
    stage.at(2_000).await;
    stage.answer(1, 1, 3, "for the old one");
    stage.answer(1, 2, 4, "for the new one");
    stage.at(3_000).await;
    stage
        .ends(expect![[r#"
        0     up #1
        0     started 1/1
        0     session 1/1 s-1
        0     ask 1/1 architect: which port?
        1000  ended 1/1 cancelled
        1000  started 1/2
        1000  session 1/2 s-1
        1000  ask 1/2 architect: which port?
        2000  delivered 3 None
        2000  delivered 4 None
        2000  ended 1/2 done: which port? for the new one
        3000  down #1 with nothing in hand: stopped
    "#]])
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_stop_interrupts_what_runs_and_what_waits() {
    for (what, expected) in [
        (
            "tidy",
            expect![[r#"
                0     up #1
                0     started 1/1
                2000  ended 1/1 interrupted
                2000  down #1 with nothing in hand: stopped
            "#]],
        ),
        (
            "hang",
            expect![[r#"
                0     up #1
                0     started 1/1
                6000  ended 1/1 interrupted
                6000  down #1 with nothing in hand: stopped
            "#]],
        ),
    ] {
        let stage = Stage::new(custom(|| Moody), "custom", &[]);
        stage.assign_with(1, 1, 1, does(what));
        stage.at(1_000).await;
        stage.ends(expected).await;
    }
    let stage = Stage::new(custom(|| Asker), "custom", &[]);
    stage.assign(1, 1, 1);
    stage.at(1_000).await;
    stage
        .ends(expect![[r#"
            0     up #1
            0     started 1/1
            0     session 1/1 s-1
            0     ask 1/1 architect: which port?
            1000  ended 1/1 interrupted
            1000  down #1 with nothing in hand: stopped
        "#]])
        .await;
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_cannot_be_made_uses_up_the_restarts_of_its_role() {
    let stage = Stage::new(Registry::builtin(), "comand", &[]);
    stage.at(5_000).await;
    let Stage { heard, root, .. } = stage;
    let exit = root.wait().await.to_string();
    assert!(exit.contains("no agent is of the kind `comand`"), "{exit}");
    assert_eq!(
        *heard.lock().unwrap(),
        ["0     (restart in 200)", "200   (restart in 400)"]
    );
}

/// Blocks its thread in its first turn, which no kill can end.
struct Stubborn(Arc<Mutex<Option<std::sync::mpsc::Receiver<()>>>>);

impl Agent for Stubborn {
    async fn turn(&mut self, _: Inbound, _: &mut Context) -> Result<Turn, AgentError> {
        let gate = self.0.lock().unwrap().take();
        let summary = match gate {
            Some(gate) => {
                let _ = gate.recv_timeout(Duration::from_secs(30));
                "woke up late"
            }
            None => "worked",
        };
        Ok(Turn::Done(Report {
            summary: summary.into(),
            ..Report::default()
        }))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn one_that_was_given_up_and_wakes_up_late_changes_nothing() {
    let (open, gate) = std::sync::mpsc::channel();
    let gate = Arc::new(Mutex::new(Some(gate)));
    let shared = Arc::clone(&gate);
    let stage = Stage::new(custom(move || Stubborn(Arc::clone(&shared))), "custom", &[]);
    let heard = |what: &'static str| {
        let heard = Arc::clone(&stage.heard);
        async move {
            let until = Instant::now() + Duration::from_secs(30);
            while !heard.lock().unwrap().iter().any(|line| line.contains(what)) {
                assert!(Instant::now() < until, "waited in vain for: {what}");
                sleep(Duration::from_millis(5)).await;
            }
        }
    };
    stage.assign(1, 1, 1);
    heard("started 1/1").await;
    let (reply, answer) = tokio::sync::oneshot::channel();
    stage
        .root
        .actor
        .cast(SupervisorCommand::Kill("engineer-1".into(), reply))
        .unwrap();
    answer.await.unwrap().unwrap();
    heard("up #2").await;
    open.send(()).unwrap();
    stage.assign(2, 1, 2);
    heard("ended 2/1").await;
    stage.root.actor.cast(SupervisorCommand::Shutdown).unwrap();
    stage.root.wait().await;
    let heard = stage.heard.lock().unwrap().clone();
    let story: Vec<_> = heard.iter().map(|line| line[6..].trim_start()).collect();
    assert_eq!(
        story,
        [
            "up #1",
            "started 1/1",
            "down #1 with 1/1 in hand: did not end when it was killed, and was given up",
            "(restart in 200)",
            "up #2",
            "started 2/1",
            "ended 2/1 done: worked",
            "down #2 with nothing in hand: stopped",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_tells_the_same_story() {
    async fn story(seed: &str) -> Vec<String> {
        let options = [
            ("ms", "900"),
            ("fail", "200"),
            ("block", "100"),
            ("panic", "100"),
            ("seed", seed),
        ];
        let stage = Stage::new(Registry::builtin(), "simulated", &options);
        for n in 1..=60 {
            stage.assign_with(n, 1, u64::from(n), |assignment| {
                assignment.spec.id = Name::new(format!("task-{n}")).unwrap();
            });
            if n % 7 == 0 {
                stage.cancel(n, 1);
            }
            sleep(Duration::from_millis(700)).await;
        }
        stage.at(200_000).await;
        stage.root.actor.cast(SupervisorCommand::Shutdown).unwrap();
        stage.root.wait().await;
        let heard = stage.heard.lock().unwrap().clone();
        // Each assignment has one end, or one death.
        for n in 1..=60 {
            let ends = heard.iter().filter(|line| {
                line.contains(&format!("ended {n}/1 "))
                    || line.contains(&format!("with {n}/1 in hand"))
            });
            assert_eq!(ends.count(), 1, "task {n}");
        }
        heard
    }
    let first = story("1").await;
    assert_eq!(first, story("1").await);
    assert_ne!(first, story("2").await);
}
