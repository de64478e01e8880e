//! Supervisors under supervisors: escalation, shutdown and crashes through the levels.

use std::sync::Arc;
use std::time::Duration;

use expect_test::expect;
use ractor::{Actor, ActorProcessingErr, ActorRef};
use tokio::time::sleep;

use super::stage::{Cast, Do, Log, Way, named, plain, settle, well};
use super::*;
use crate::clock::Clock;

fn draw(tree: &[TreeView], depth: usize) -> String {
    let line = |TreeView { child, below }: &TreeView| {
        let ChildView {
            id,
            state,
            generation,
            restarts,
            last_exit,
            ..
        } = child;
        let exit = last_exit
            .as_ref()
            .map(|exit| format!(", before: {exit}"))
            .unwrap_or_default();
        let indent = "  ".repeat(depth);
        format!(
            "{indent}{id}{generation} {state}, {restarts} restarts{exit}\n{}",
            draw(below, depth + 1)
        )
    };
    tree.iter().map(line).collect()
}

/// A team supervisor with the children x and y, below whoever starts it.
fn team(cast: &Arc<Cast>, clock: Clock, log: Log) -> ChildSpec {
    let cast = Arc::clone(cast);
    let spec = move || {
        let (x, y) = (
            cast.child("x", Restart::Permanent),
            cast.child("y", Restart::Permanent),
        );
        let spec = named("team", Strategy::OneForAll)
            .intensity(1, Duration::from_secs(10))
            .child(x)
            .child(y)
            .build()?;
        Ok(spec)
    };
    let observer = move || -> Option<Observer> {
        let log = log.clone();
        Some(Box::new(move |what| log.add(format_args!("team: {what}"))))
    };
    SupervisorActor::child("team", Restart::Permanent, clock, spec, observer)
}

#[tokio::test(start_paused = true)]
async fn a_team_that_gives_up_is_restarted_by_its_own_supervisor_and_stops_in_reverse() {
    let cast = Arc::new(Cast::new(well));
    let log = cast.log.clone();
    let journal = cast.child("journal", Restart::Permanent);
    let gates = cast.child("gates", Restart::Permanent);
    let team = team(&cast, log.clock(), log.clone());
    let stage = cast.raise(
        plain(Strategy::OneForOne)
            .child(journal)
            .child(team)
            .child(gates),
    );
    settle().await;
    log.clear();
    stage.tell("x", Do::Panic);
    settle().await;
    stage.tell("y", Do::Fail);
    settle().await;
    log.add(format_args!("the tree\n{}", draw(&stage.tree.view(), 4)));
    expect![[r#"
        1000   - x Panic
        1000     x#1 state dropped
        1000   team: x#1 exited, panicked: handle panic
        1000   team: x y restarting together in 100 ms
        1000   team: y#1 stopping
        1000     y#1 state dropped
        1000   team: y#1 exited, stopped
        1100   team: x#2 starting
        1100   team: x#2 started
        1100   team: y#2 starting
        1100   team: y#2 started
        2000   - y Fail
        2000     y#2 state dropped
        2000   team: y#2 exited, failed: handle error
        2000   team: giving up over y
        2000   team: x#2 stopping
        2000     x#2 state dropped
        2000   team: x#2 exited, stopped
        2000   team: escalated
        2000   team#1 exited, escalated: `team` gave up: `y` ended (failed: handle error) and 1 restarts in 10000 ms are used up
        2000   team restarting in 100 ms
        2100   team#2 starting
        2100   team: x#3 starting
        2100   team#2 started
        2100   team: x#3 started
        2100   team: y#3 starting
        2100   team: y#3 started
        3000   the tree
                journal#1 running, 0 restarts
                team#2 running, 1 restarts, before: escalated: `team` gave up: `y` ended (failed: handle error) and 1 restarts in 10000 ms are used up
                  x#3 running, 2 restarts
                  y#3 running, 2 restarts
                gates#1 running, 0 restarts

        3000   - shutdown
        3000   gates#1 stopping
        3000     gates#1 state dropped
        3000   gates#1 exited, stopped
        3000   team#2 stopping
        3000   team: y#3 stopping
        3000     y#3 state dropped
        3000   team: y#3 exited, stopped
        3000   team: x#3 stopping
        3000     x#3 state dropped
        3000   team: x#3 exited, stopped
        3000   team: all stopped
        3000   team#2 exited, stopped
        3000   journal#1 stopping
        3000     journal#1 state dropped
        3000   journal#1 exited, stopped
        3000   all stopped
        3000   top stopped
    "#]].assert_eq(&stage.end().await);
}

/// An actor with work of its own that owns a supervisor: the shape that owners in a product have.
struct Boss;

enum BossMsg {
    News(SupervisorMsg),
    Panic,
    Shutdown,
}

struct BossState {
    supervisor: Supervisor,
    log: Log,
}

impl BossState {
    fn act(
        &mut self,
        myself: &ActorRef<BossMsg>,
        told: Vec<Lifecycle>,
    ) -> Result<(), ActorProcessingErr> {
        for what in told {
            self.log.add(format_args!("boss: {what}"));
            match what {
                Lifecycle::Stopped => myself.stop(None),
                Lifecycle::Escalated { reason } => return Err(reason.into()),
                _ => {}
            }
        }
        Ok(())
    }
}

impl Actor for Boss {
    type Msg = BossMsg;
    type State = BossState;
    type Arguments = (Arc<Cast>, Subtree);

    async fn pre_start(
        &self,
        myself: ActorRef<BossMsg>,
        (cast, subtree): Self::Arguments,
    ) -> Result<BossState, ActorProcessingErr> {
        let (x, y) = (
            cast.child("x", Restart::Permanent),
            cast.child("y", Restart::Permanent),
        );
        let spec = named("boss", Strategy::OneForAll)
            .child(x)
            .child(y)
            .build()?;
        let notify = move |news| drop(myself.cast(BossMsg::News(news)));
        let supervisor = Supervisor::new(spec, subtree, cast.log.clock(), notify);
        Ok(BossState {
            supervisor,
            log: cast.log.clone(),
        })
    }

    async fn post_start(
        &self,
        myself: ActorRef<BossMsg>,
        state: &mut BossState,
    ) -> Result<(), ActorProcessingErr> {
        let told = state.supervisor.start();
        state.act(&myself, told)
    }

    async fn handle(
        &self,
        myself: ActorRef<BossMsg>,
        message: BossMsg,
        state: &mut BossState,
    ) -> Result<(), ActorProcessingErr> {
        let told = match message {
            BossMsg::News(news) => state.supervisor.handle(news),
            BossMsg::Shutdown => state.supervisor.shutdown(),
            BossMsg::Panic => panic!("the boss fell over"),
        };
        state.act(&myself, told)
    }
}

#[tokio::test(start_paused = true)]
async fn an_owner_that_crashes_counts_as_gone_only_when_its_children_are_gone() {
    let cast = Arc::new(Cast::new(well));
    let log = cast.log.clone();
    let bosses = crate::directory::Directory::new();
    let boss = {
        let (cast, bosses) = (Arc::clone(&cast), bosses.clone());
        ChildSpec::new("boss", Restart::Permanent, move |context| {
            let spawned = spawn_child(Boss, (Arc::clone(&cast), context.subtree.clone()))?;
            bosses.insert("boss", spawned.actor.clone());
            let actor = spawned.actor;
            Ok(spawned
                .started
                .stop_with(move || drop(actor.cast(BossMsg::Shutdown))))
        })
        .grace(Duration::MAX)
    };
    let stage = cast.raise(plain(Strategy::OneForOne).child(boss));
    settle().await;
    log.clear();
    bosses
        .get(&"boss")
        .unwrap()
        .cast(BossMsg::Panic)
        .map_err(drop)
        .unwrap();
    sleep(Duration::from_secs(1)).await;
    assert_eq!(stage.tree.view()[0].below.len(), 2);
    expect![[r#"
        1000     y#1 state dropped
        1000     x#1 state dropped
        1000   boss#1 exited, panicked: the boss fell over
        1000   boss restarting in 100 ms
        1100   boss#2 starting
        1100   boss: x#2 starting
        1100   boss#2 started
        1100   boss: x#2 started
        1100   boss: y#2 starting
        1100   boss: y#2 started
        2000   - shutdown
        2000   boss#2 stopping
        2000   boss: y#2 stopping
        2000     y#2 state dropped
        2000   boss: y#2 exited, stopped
        2000   boss: x#2 stopping
        2000     x#2 state dropped
        2000   boss: x#2 exited, stopped
        2000   boss: all stopped
        2000   boss#2 exited, stopped
        2000   all stopped
        2000   top stopped
    "#]]
    .assert_eq(&stage.end().await);
}

#[tokio::test(start_paused = true)]
async fn a_bare_stop_of_a_supervisor_kills_its_children_so_it_is_told_by_message() {
    // Their `post_stop` would fail and be told; it does not run.
    let cast = Arc::new(Cast::new(|_, _| (Way::Well, Way::Fail)));
    let log = cast.log.clone();
    let (a, b) = (
        cast.child("a", Restart::Permanent),
        cast.child("b", Restart::Permanent),
    );
    let stage = cast.raise(plain(Strategy::OneForOne).child(a).child(b));
    settle().await;
    log.clear();
    stage.root.actor.stop(None);
    assert_eq!(stage.root.wait().await, Exit::Stopped);
    settle().await;
    expect![[r#"
        1000     b#1 state dropped
        1000     a#1 state dropped
    "#]]
    .assert_eq(&log.text());
}
