//! The sprints that are tried: random graphs, written as a user would write them.

use std::collections::BTreeSet;

use director_protocols::deployment::{DeploymentSpec, Probe, Readiness, Window};
use director_protocols::sprint::{Check, RunSpec, SprintSpec};
use director_protocols::time::Span;
use director_protocols::unclear::{About, Question};
use director_protocols::ways::{Destination, Peer, PeerSpec, Webhook};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// A random sprint: a graph of tasks over a few roles and features, with or without a repository.
pub fn random_sprint(seed: u64, tasks: usize) -> SprintSpec {
    let mut rng = ChaCha8Rng::seed_from_u64(seed ^ 0x5eed);
    let mut below = |limit: usize| (rng.next_u64() % limit.max(1) as u64) as usize;
    let repo = below(3) > 0;
    let mut text = format!(
        "[sprint]\nid = \"s{seed}\"\n[team]\nonly = true\n[team.engineer]\ncount = {}\nagent = \"simulated\"\nkinds = [\"*\"]\n[team.tester]\ncount = {}\nagent = \"simulated\"\nkinds = [\"testing\"]\n[team.tech-lead]\nagent = \"simulated\"\nkinds = []\n",
        1 + below(3),
        1 + below(2),
    );
    if below(3) == 0 {
        // Somebody who takes their time, and is told of what happens.
        text.push_str(
            "[team.designer]\nagent = \"person\"\nkinds = [\"design\"]\ncovers = [\"testing\"]\n[team.qa]\nagent = \"person\"\nkinds = [\"qa\"]\n",
        );
        text.push_str("[notify]\nrun = \"true\"\n");
        text.push_str(["", "[inbox]\ntask = { within = \"2h\", default = \"reject\" }\nquestion = { within = \"1h\", default = \"answer\", text = \"yes\" }\n", "[inbox]\ntask = { within = \"30m\" }\n"][below(3)]);
    }
    if seed % 7 == 3 {
        // Somebody who is asked at standups, and before tasks move.
        text.push_str("[team.engineering-manager]\nagent = \"simulated\"\nkinds = []\n");
    }
    text.push_str(
        [
            "",
            "[ladder]\nlow = [\"tech-lead\"]\nmedium = \"pair\"\nrunning = \"checkpoint\"\nrepeats_max = 1\n",
        ][below(2)],
    );
    text.push_str(
        [
            "",
            "[limits]\nmerge_batch = 3\n",
            "[limits]\nmerge_batch = 8\n",
        ][below(3)],
    );
    if below(2) == 0 {
        let review = [
            "{ by = \"tech-lead\" }",
            "{ by = \"person\", rounds = 1 }",
            "{ by = \"engineer\", rounds = 2 }",
        ];
        text.push_str(&format!("[gates]\nreview = {}\n", review[below(3)]));
        if below(2) == 0 {
            text.push_str("docs = { by = \"tester\" }\n");
        }
    }
    let person = text.contains("designer");
    for index in 0..tasks {
        let kinds = ["feature", "testing", "bug_fix", "design"];
        let kind = kinds[below(if person { 4 } else { 3 })];
        let priority = ["low", "normal", "high", "critical"][below(4)];
        let mut before: BTreeSet<usize> = BTreeSet::new();
        for _ in 0..below(3) {
            if index > 0 {
                before.insert(below(index));
            }
        }
        let before: Vec<String> = before.iter().map(|b| format!("\"t{b}\"")).collect();
        text.push_str(&format!(
            "[[task]]\nid = \"t{index}\"\nkind = \"{kind}\"\npriority = \"{priority}\"\nhours = {}\nfeature = \"f{}\"\ndepends_on = [{}]\n",
            1 + below(8),
            below(tasks / 2 + 1),
            before.join(", "),
        ));
    }
    let mut spec = crate::sprint(&text, &[]);
    for task in &mut spec.tasks {
        task.points = below(4) as u32;
        if below(2) == 0 {
            task.test_requirements.push("try it".to_owned());
        }
    }
    if below(4) == 0 {
        spec.team[0].capacity = Some(Span::hours(20));
    }
    let hook = || {
        Destination::Webhook(Webhook {
            url: "https://peer.example.org/".to_owned(),
            secret_env: None,
            format: director_protocols::ways::Form::Event,
        })
    };
    let tester = Destination::Role {
        role: "tester".parse().expect("a name"),
        run: None,
    };
    spec.ways.peers = match seed % 4 {
        0 => vec![(Peer::Product, hook()), (Peer::Qa, tester)],
        1 => vec![(Peer::Product, Destination::Inbox), (Peer::Qa, hook())],
        _ => Vec::new(),
    }
    .into_iter()
    .map(|(peer, to)| PeerSpec { peer, to })
    .collect();
    if seed % 6 == 2 {
        unclear(&mut spec, seed);
    }
    if seed % 5 == 2 {
        deployed(&mut spec, seed);
    }
    super::money::limit(&mut spec, seed);
    if seed.is_multiple_of(3) {
        spec.ways.ceremonies.progress = Some(Span::hours(5));
    }
    if repo {
        spec.repo = Some("repository".to_owned());
        for task in &mut spec.tasks {
            task.expects = director_protocols::sprint::Expects::Changes;
        }
        spec.gates.insert(
            0,
            director_protocols::sprint::GateSpec {
                name: "unit".parse().expect("a name"),
                check: Check::Command {
                    run: director_protocols::sprint::RunSpec::Shell("true".to_owned()),
                    timeout: Span::minutes(1),
                },
            },
        );
    }
    spec
}

/// Leaves something unclear before the start: to architects, who are Product, or to people; waited for or not.
fn unclear(spec: &mut SprintSpec, seed: u64) {
    spec.ways.start.strict = seed.is_multiple_of(4);
    let asked = spec.tasks.iter().skip(1).step_by(2).map(|task| Question {
        task: Some(task.id.clone()),
        about: About::Acceptance,
        text: "what has to be true?".to_owned(),
    });
    spec.ways.start.questions = asked.collect();
    if spec.ways.peers.is_empty() {
        spec.ways.peers.push(PeerSpec {
            peer: Peer::Product,
            to: Destination::Role {
                role: "tech-lead".parse().expect("a name"),
                run: None,
            },
        });
    }
}

/// Has some of it deployed: to somebody who takes it or to nobody, on some days only, with a question before and looks afterwards.
fn deployed(spec: &mut SprintSpec, seed: u64) {
    let run = || RunSpec::Shell("true".to_owned());
    for task in spec.tasks.iter_mut().step_by(2) {
        task.deployment_requirements.push("a table".to_owned());
    }
    if seed.is_multiple_of(2) {
        spec.ways.peers.push(PeerSpec {
            peer: Peer::Devops,
            to: Destination::Inbox,
        });
    }
    spec.ways.deployment = DeploymentSpec {
        ready: (!seed.is_multiple_of(3)).then(|| Readiness {
            run: run(),
            timeout: Span::minutes(1),
        }),
        windows: vec![Window {
            days: 0b0111_0101,
            from: 6 * 60,
            to: 2 * 60,
            offset: 60,
        }],
        probe: (!seed.is_multiple_of(7)).then(|| Probe {
            run: run(),
            timeout: Span::minutes(1),
            after: Span::minutes(1),
            every: Span::minutes(20),
            lasting: Span::hours(1),
        }),
    };
}
